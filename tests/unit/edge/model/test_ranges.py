"""Ranges of numbers against a plain set."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from edge.model.ranges import Ranges

pairs = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)), max_size=25)


@given(pairs)
def test_ranges_are_the_set(added: list[tuple[int, int]]) -> None:
    ranges, numbers = Ranges(), set[int]()
    for first, more in added:
        ranges.add(first, first + more)
        numbers |= set(range(first, first + more + 1))
    for number in range(75):
        assert (number in ranges) == (number in numbers)
        assert ranges.next_missing(number) == next(n for n in range(number, 99) if n not in numbers)
        assert ranges.next_held(number) == next((n for n in range(number, 75) if n in numbers), None)
        assert ranges.count(number, number + 9) == len(numbers & set(range(number, number + 10)))
    assert {n for first, last in ranges for n in range(first, last + 1)} == numbers
    told = list(ranges)
    assert all(one[1] + 1 < other[0] for one, other in pairwise(told)), "they never touch"
    assert list(Ranges(told)) == told


def test_the_lowest_is_forgotten_first() -> None:
    ranges = Ranges([(1, 3), (7, 9)])
    assert ranges.forget_first() == (1, 3)
    assert list(ranges) == [(7, 9)]
