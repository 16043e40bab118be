"""Spread: against a plain loop, with empty groups, rows that come twice and nothing at all."""

import numpy as np
import pytest

from alerting.core.spread import spread


@pytest.mark.parametrize("seed", range(20))
def test_gives_what_a_loop_gives(seed: int) -> None:
    dice = np.random.default_rng(seed)
    counts = dice.integers(0, 4, size=12) * dice.integers(0, 2, size=12)
    first = np.append(0, np.cumsum(counts)).astype(np.int32)
    rows = dice.integers(0, 12, size=int(dice.integers(0, 8))).astype(np.int32)

    found, place = spread(first, rows)

    pairs = [(at, k) for k, row in enumerate(rows.tolist()) for at in range(first[row], first[row + 1])]
    assert list(zip(found.tolist(), place.tolist(), strict=True)) == pairs
    assert found.dtype == place.dtype == np.int64
