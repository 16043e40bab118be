"""Counting without sorting gives what sorting gives."""

import numpy as np
import pytest

from gateway.delivery.books import COUNTED_MAX, _told_apart


@pytest.mark.parametrize("bound", [1, 7, 1_000, COUNTED_MAX, COUNTED_MAX * 4])
def test_keys_are_told_apart_as_by_sorting(bound: int) -> None:
    luck = np.random.default_rng(bound)
    for size in (1, 2, 300):
        key = luck.integers(0, bound, size)
        keys, place = _told_apart(key, bound)
        sorted_keys, sorted_place = np.unique(key, return_inverse=True)

        assert np.array_equal(keys, sorted_keys)
        assert np.array_equal(place, sorted_place)
