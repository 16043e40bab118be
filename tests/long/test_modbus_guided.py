"""A run guided by coverage: inputs that reach new branches of the frame codec are kept and mutated further."""

import sys
import time
from collections.abc import Callable
from types import FrameType

import numpy as np
import pytest
from pymodbus.framer.rtu import FramerRTU

import edge.collect.modbus.frame as codec
from edge.collect.modbus.frame import RTU_MAX, Asked, Framing, RtuFraming, TcpFraming

SECONDS = 120.0
ASKED = Asked(17, "holding", 107, 3)
BITS = Asked(17, "coil", 19, 19)
SEEDS = {
    "rtu": [
        "110306022b00000064c8ba",
        "110103cd6b054012",
        "1183028d34",
        "fe4842110306022b00000064c8ba",
        "1103006b00037687",
    ],
    "tcp": [
        "000100000009110306022b00000064",
        "000100000006110103cd6b05",
        "000100000003118302",
        "fe4842",
        "00010001ffff",
    ],
}
WORDS = (0, 1, 2, 3, 4, 5, 6, 9, 17, 0x7F, 0x80, 0x81, 0x83, 0xFA, 0xFE, 0xFF)


class Edges:
    """Steps from line to line within the codec."""

    def __init__(self) -> None:
        self.seen: set[tuple[int, int]] = set()
        self._last = 0

    def begin(self) -> None:
        self.seen = set()
        self._last = 0

    def trace(self, frame: FrameType, event: str, argument: object) -> Callable[..., object] | None:
        if frame.f_code.co_filename != codec.__file__:
            return None
        if event == "line":
            self.seen.add((self._last, frame.f_lineno))
            self._last = frame.f_lineno
        return self.trace


def mutated(parent: bytes, other: bytes, generator: np.random.Generator) -> bytes:
    made = bytearray(parent)
    for _ in range(int(generator.integers(1, 4))):
        at = int(generator.integers(len(made) + 1))
        match int(generator.integers(6)):
            case 0 if made:
                made[at % len(made)] ^= 1 << int(generator.integers(8))
            case 1 if made:
                made[at % len(made)] = int(generator.choice(WORDS))
            case 2:
                made[at:at] = bytes([int(generator.choice(WORDS))])
            case 3:
                del made[at : at + int(generator.integers(1, 5))]
            case 4:
                made[at:at] = other[: int(generator.integers(len(other) + 1))]
            case _ if len(made) > 3:  # What is changed is sealed anew, so that the CRC does not hide what is behind it.
                made[-2:] = FramerRTU.compute_CRC(bytes(made[:-2])).to_bytes(2, "big")
    return bytes(made[: 2 * RTU_MAX])


def has_answer(stream: bytes, asked: Asked, words: list[int]) -> bool:
    """Tell whether a frame with these words is anywhere in the stream, without our code."""
    if asked.table == "holding":
        data = b"".join(word.to_bytes(2, "big") for word in words)
    else:
        data = sum(bit << at for at, bit in enumerate(words)).to_bytes(3, "little")
    head = bytes([asked.unit, asked.function, len(data)])
    if asked.table != "holding":  # What pads the last byte is not looked at.
        return head in stream
    return head + data in stream


@pytest.mark.parametrize("kind", ["rtu", "tcp"])
def test_nothing_that_reaches_new_branches_breaks_the_codec(kind: str) -> None:
    generator = np.random.default_rng(18218)
    corpus = [bytes.fromhex(seed) for seed in SEEDS[kind]]
    edges, known, runs = Edges(), set[tuple[int, int]](), 0
    end_s = time.monotonic() + SECONDS
    while time.monotonic() < end_s:
        parent, other = (corpus[int(generator.integers(len(corpus)))] for _ in range(2))
        stream = mutated(parent, other, generator)
        cut = int(generator.integers(len(stream) + 1))
        asked = ASKED if runs % 2 else BITS
        framing: Framing = RtuFraming(b"\xfeHB") if kind == "rtu" else TcpFraming(b"\xfeHB")
        edges.begin()
        sys.settrace(edges.trace)
        try:
            framing.wrap(asked)
            found = framing.feed(stream[:cut])
            if found is None:
                found = framing.feed(stream[cut:])
            framing.forget()
        finally:
            sys.settrace(None)
        runs += 1
        if isinstance(found, np.ndarray):
            assert has_answer(stream, asked, found.tolist()), stream.hex()
        if not edges.seen <= known:
            known |= edges.seen
            corpus.append(stream)
    print(f"{kind}: {runs} runs, {len(corpus)} inputs kept, {len(known)} steps between lines")
    assert len(corpus) > len(SEEDS[kind]) + 5
