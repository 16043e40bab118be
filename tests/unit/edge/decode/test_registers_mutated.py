"""A million values from mutated words: each is right, or BAD with a reason; nothing raises."""

import math
import struct
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.decode.registers import Placement, RegisterDecoder
from edge.decode.wordtype import ORDERS, TYPES, words_of
from edge.model.quality import describe

CPU_S_MAX = 30.0  # 10 s on a machine of its own.
VALUES = 1_000_000
FORM = {
    "bit": "H", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I", "int64": "q", "uint64": "Q",
    "float16": "e", "float32": "f", "float64": "d", "bcd16": "H", "bcd32": "I",
}  # fmt: skip
TEXTS = (("RUN", 1.0), ("STOP", 2.0))


def slow(placement: Placement, words: list[int]) -> tuple[float, str]:
    """Decode one value the slow way, from the documents."""
    own = words[placement.start : placement.start + placement.words]
    if placement.order in ("CDAB", "DCBA"):
        own = own[::-1]
    content = b"".join(word.to_bytes(2, "little" if placement.order in ("BADC", "DCBA") else "big") for word in own)
    if placement.type == "string":
        text = content[: placement.length].rstrip(b"\0 \xff")
        number = next((number for name, number in placement.texts if name.encode() == text), None)
        return (math.nan, "BAD(unmapped)") if number is None else (number, "GOOD")
    (raw,) = struct.unpack(">" + FORM[placement.type], content)
    if content == b"\x7f" + b"\xff" * (len(content) - 1) and placement.sentinels:
        return math.nan, "BAD(sentinel)"
    if placement.type == "bit":
        raw = raw >> placement.bit & 1
    elif placement.mask:
        raw = (raw & placement.mask) >> placement.shift
    elif placement.type.startswith("bcd"):
        digits = f"{raw:x}"
        if not digits.isdecimal():
            return math.nan, "BAD(malformed)"
        raw = int(digits)
    value = float(raw) * placement.scale + placement.offset
    if not math.isfinite(value):
        return math.nan, "BAD(not_a_number)"
    if value < placement.range_lo or value > placement.range_hi:
        return math.nan, "BAD(range)"
    return value, "GOOD"


def random_placements(count: int, generator: np.random.Generator) -> list[Placement]:
    """Give tags of every type and order, one after the other."""
    placements, start = [], 0
    for kind in generator.choice(TYPES, count).tolist():
        length = int(generator.integers(1, 9)) if kind == "string" else 0
        mask = int(generator.integers(1, 1 << 16)) if kind.startswith("uint") and generator.random() < 0.5 else 0
        placements.append(
            Placement(
                start=start,
                answer=0,
                type=kind,
                order=str(generator.choice(ORDERS)),
                bit=int(generator.integers(16)) if kind == "bit" else 0,
                mask=mask,
                shift=int(generator.integers(16)) if mask else 0,
                length=length,
                texts=TEXTS if kind == "string" else (),
                scale=float(generator.choice([1.0, 0.1, -2.5])),
                offset=float(generator.choice([0.0, -40.0])),
                sentinels=("0x7F" + "FF" * (2 * words_of(kind) - 1),) if kind not in ("bit", "string") else (),
                range_lo=-1e6 if generator.random() < 0.5 else math.nan,
                range_hi=1e6 if generator.random() < 0.5 else math.nan,
            )
        )
        start += words_of(kind, length)
    return placements


@given(seed=st.integers(0, 2**32 - 1))
def test_what_the_slow_decoder_reads_is_what_the_quick_one_reads(seed: int) -> None:
    generator = np.random.default_rng(seed)
    placements = random_placements(20, generator)
    size = placements[-1].start + placements[-1].words
    words = generator.integers(0, 65_536, size).astype(np.uint16)
    words[generator.random(size) < 0.2] = 0xFFFF
    words[generator.random(size) < 0.2] = 0x7FFF
    with np.errstate(all="raise"):
        values, quality = RegisterDecoder(placements).decode(words, np.zeros(1, dtype=np.uint8))
    for placement, value, byte in zip(placements, values.tolist(), quality.tolist(), strict=True):
        want, said = slow(placement, words.tolist())
        if placement.type == "string" and said == "GOOD":
            want = want * placement.scale + placement.offset
        assert describe(byte) == said, (placement, words.tolist())
        assert (math.isnan(value) and math.isnan(want)) or value == pytest.approx(want, rel=1e-12), placement


@pytest.mark.slow
def test_a_million_mutated_values_are_right_or_bad() -> None:
    generator = np.random.default_rng(4)
    placements = random_placements(1_000, generator)
    decoder = RegisterDecoder(placements)
    size = placements[-1].start + placements[-1].words
    began_s = time.process_time()
    counted = 0
    words = generator.integers(0, 65_536, size).astype(np.uint16)
    answered = np.zeros(1, dtype=np.uint8)
    while counted < VALUES:
        at = generator.integers(size, size=size // 4)
        words[at] = generator.choice([0, 0x7FFF, 0x8000, 0xFFFF, 0x7FC0, 0x7F80, 1], len(at))
        at = generator.integers(size, size=size // 4)
        words[at] = generator.integers(0, 65_536, len(at)).astype(np.uint16)
        values, quality = decoder.decode(words, answered)
        counted += len(values)
        assert bool(np.all(np.isnan(values) == (quality >= 0x80)))
        place = int(generator.integers(len(placements)))
        want, said = slow(placements[place], words.tolist()) if placements[place].type != "string" else (0.0, "")
        if said:
            assert describe(int(quality[place])) == said
            assert said != "GOOD" or values[place] == pytest.approx(want, rel=1e-12)
    spent_s = time.process_time() - began_s
    print(f"decode: {counted} values in {spent_s:.1f} s of processor time")
    assert spent_s < CPU_S_MAX
