"""Mutator: payloads that are almost right, from a seed, in bulk.

Each round takes the samples one after the other and makes many of each: bytes overwritten, cut out, put in, said twice,
joined with another sample. The same seed gives the same payloads.
"""

from collections.abc import Iterator, Sequence

import numpy as np

BATCH = 4096
#: Bytes that mean something to a parser.
TELLING = np.frombuffer(b'{}[]":,0123456789.eE+-tfn \t\r\n\\/u\x00\x7f\x80\xff\xf0;=&#', dtype=np.uint8)


def mutated(samples: Sequence[bytes], seed: int, count: int) -> Iterator[bytes]:
    """Give ``count`` payloads."""
    dice = np.random.default_rng(seed)
    given = 0
    while given < count:
        sample = samples[int(dice.integers(len(samples)))]
        other = samples[int(dice.integers(len(samples)))]
        many = min(BATCH, count - given)
        yield from _batch(dice, sample, other, many)
        given += many


def _batch(dice: np.random.Generator, sample: bytes, other: bytes, count: int) -> Iterator[bytes]:
    length = len(sample) + 1
    kind = dice.integers(6, size=count).tolist()
    start = dice.integers(length, size=count).tolist()
    size = dice.geometric(0.3, size=count).tolist()
    telling = TELLING[dice.integers(len(TELLING), size=(count, 4))]
    junk = dice.integers(256, size=(count, 4), dtype=np.uint8)
    for place in range(count):
        at, wide = start[place], size[place]
        match kind[place]:
            case 0:
                yield sample[:at] + telling[place].tobytes()[:wide] + sample[at + wide :]
            case 1:
                yield sample[:at] + junk[place].tobytes()[:wide] + sample[at + wide :]
            case 2:
                yield sample[:at] + telling[place].tobytes()[:wide] + sample[at:]
            case 3:
                yield sample[:at] + sample[at + wide :]
            case 4:
                yield sample[:at] + sample[at : at + wide] * 3 + sample[at + wide :]
            case _:
                yield sample[:at] + other[at:]
