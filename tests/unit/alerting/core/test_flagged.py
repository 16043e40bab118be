"""Which flags of a long column are set, however many and wherever."""

import numpy as np
import pytest

from alerting.core import kernel_timers
from alerting.core.flagged import FEW, flagged, lower


@pytest.mark.parametrize("n", [0, 1, 9, FEW, FEW + 1, FEW + 64, 2 * FEW + 3])
@pytest.mark.parametrize("share", [0.0, 0.002, 0.03, 0.5, 1.0])
def test_all_are_found_in_order_and_taken_down(n: int, share: float) -> None:
    flags = np.random.default_rng(n).random(n) < share
    flags[-1:] |= share > 0  # Also the last, which no eight may hold.
    found = flagged(flags)

    assert found.tolist() == np.flatnonzero(flags).tolist()
    lower(flags, found)
    assert not flags.any()


@pytest.mark.parametrize("n", [0, 1, 9, 256, 257, 2 * FEW + 3])
@pytest.mark.parametrize("share", [0.0, 0.002, 0.5, 1.0])
def test_compiled_code_finds_the_same(n: int, share: float) -> None:
    flags = np.random.default_rng(n).random(n) < share
    flags[-1:] |= share > 0
    whole = n // kernel_timers.FLAGS * kernel_timers.FLAGS
    words, found = flags[:whole].view(np.uint64), np.empty(n + 1, np.int32)
    expected = np.flatnonzero(flags)
    set_words = np.zeros(kernel_timers.WORDS + 1, np.uint64)

    count = kernel_timers.take_flagged(words, flags, set_words, found)
    assert found[:count].tolist() == expected.tolist()
    assert not flags.any()
