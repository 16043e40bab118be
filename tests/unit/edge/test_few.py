"""Questions to arrays of few entries are answered as NumPy answers them, few or many."""

import numpy as np
import pytest

from edge.few import FEW, every, greatest, greatest_across, is_all_zero, least, places_of, some

LENGTHS = (0, 1, 2, 5, 63, 64, 65, FEW, FEW + 1)


@pytest.mark.parametrize("length", LENGTHS)
@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_flags_say_what_numpy_says(length: int, share: float) -> None:
    dice = np.random.default_rng(length)
    flags = dice.random(length) < share

    for asked in (flags, flags[::2], flags[::-1], flags.reshape(1, -1), np.stack([flags, flags], axis=1).T):
        assert some(asked) is bool(asked.any())
        assert every(asked) is bool(asked.all())
    assert places_of(flags).tolist() == np.flatnonzero(flags).tolist()
    assert is_all_zero(flags.astype(np.uint8) * 7) is not bool(flags.any())


@pytest.mark.parametrize("length", LENGTHS[1:])
def test_ends_are_what_numpy_says(length: int) -> None:
    info = np.iinfo(np.int64)
    wide = np.random.default_rng(length).integers(info.min, info.max, length, endpoint=True)
    narrow = (wide >> 32).astype(np.int32)

    assert (greatest(wide), least(wide)) == (int(wide.max()), int(wide.min()))
    assert (greatest(narrow), least(narrow)) == (int(narrow.max()), int(narrow.min()))


@pytest.mark.parametrize("wide", [1, 2, 4, 5, 9])
@pytest.mark.parametrize("rows", [0, 1, 7])
def test_the_greatest_of_each_row_is_what_numpy_says(rows: int, wide: int) -> None:
    numbers = np.random.default_rng(wide).integers(-(2**62), 2**62, (rows, wide))

    assert greatest_across(numbers).tolist() == numbers.max(axis=1).tolist()


def test_of_nothing_there_is_no_end() -> None:
    nothing = np.empty(0, dtype=np.int64)

    for ask in (greatest, least):
        with pytest.raises(ValueError, match="empty"):
            ask(nothing)
    with pytest.raises(ValueError, match="identity"):
        greatest_across(np.empty((3, 0), dtype=np.int64))
