"""Which flags of a long column are set, however many and wherever."""

import numpy as np
import pytest

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
