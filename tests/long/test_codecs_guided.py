"""Runs guided by coverage over every payload codec: what reaches new steps is kept and mutated further.

The steps are found by the interpreter's own tracing, so that no further library is needed in any version of Python.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np
import pytest

import edge.decode
from edge.decode.opcua import read_node
from edge.decode.payload import Refusal
from tests.mutator import mutated
from tests.unit.edge.decode.test_codecs import decoders

SECONDS = 60.0
FOLDER = str(Path(edge.decode.__file__).parent)
KEPT_MAX = 2_000


class Steps:
    """Steps from line to line within the codecs."""

    def __init__(self) -> None:
        self.seen: set[tuple[str, int, int]] = set()
        self._last = 0

    def trace(self, frame: FrameType, event: str, argument: object) -> Callable[..., object] | None:
        name = frame.f_code.co_filename
        if not name.startswith(FOLDER):
            return None
        if event == "line":
            self.seen.add((name, self._last, frame.f_lineno))
            self._last = frame.f_lineno
        return self.trace


def readers() -> dict[str, tuple[Callable[[bytes], object], list[bytes]]]:
    nodes = [b"ns=2;s=Tank.Level", b"nsu=http://x/;i=7", b"g=09087e75-8e5e-499b-954f-f2a9603db28a", b"ns=1;b=YWJj"]
    return {**decoders(), "opcua-node": (lambda text: read_node(text.decode("utf-8", "replace")), nodes)}


@pytest.mark.parametrize("codec", sorted(readers()))
def test_nothing_that_reaches_new_steps_breaks_a_codec(codec: str) -> None:
    read, samples = readers()[codec]
    dice = np.random.default_rng(18218)
    corpus, known, runs, refused = list(samples), set[tuple[str, int, int]](), 0, 0
    end_s = time.monotonic() + SECONDS
    while time.monotonic() < end_s:
        parents = [corpus[int(at)] for at in dice.integers(len(corpus), size=2)]
        for payload in mutated(parents, int(dice.integers(2**31)), 64):
            steps = Steps()
            sys.settrace(steps.trace)
            try:
                found = read(payload)
            finally:
                sys.settrace(None)
            runs += 1
            refused += found is None or isinstance(found, Refusal)
            if not steps.seen <= known and len(corpus) < KEPT_MAX:
                known |= steps.seen
                corpus.append(payload[:4_096])
    print(f"{codec}: {runs} runs, {len(corpus)} inputs kept, {len(known)} steps between lines, {refused} refused")
    assert len(corpus) > len(samples)
