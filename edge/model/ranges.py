"""Ranges: which numbers of a rising count were seen, as few pairs of first and last.

Why: live and back-fill come in two orders; a high-water mark alone would forget the hole between them.
"""

from bisect import bisect_right
from collections.abc import Iterator


class Ranges:
    """Whole numbers as ascending ranges, both ends included, never touching."""

    def __init__(self, ranges: list[tuple[int, int]] | None = None) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges or []:
            self.add(first, last)

    def add(self, first: int, last: int) -> None:
        """Take in the numbers from first to last."""
        assert first <= last, (first, last)
        low = bisect_right(self._firsts, first) - 1
        if low < 0 or self._lasts[low] < first - 1:
            low += 1
        high = low
        while high < len(self._firsts) and self._firsts[high] <= last + 1:
            first, last = min(first, self._firsts[high]), max(last, self._lasts[high])
            high += 1
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._firsts, number) - 1
        return at >= 0 and number <= self._lasts[at]

    def next_missing(self, number: int) -> int:
        """Give the least number from this one on that is not in."""
        at = bisect_right(self._firsts, number) - 1
        return self._lasts[at] + 1 if at >= 0 and number <= self._lasts[at] else number

    def next_held(self, number: int) -> int | None:
        """Give the least number from this one on that is in; None where there is none."""
        if number in self:
            return number
        at = bisect_right(self._firsts, number)
        return self._firsts[at] if at < len(self._firsts) else None

    def count(self, first: int, last: int) -> int:
        """Count the numbers from first to last that are in."""
        return sum(
            max(0, min(last, self._lasts[at]) - max(first, self._firsts[at]) + 1)
            for at in range(max(0, bisect_right(self._firsts, first) - 1), bisect_right(self._firsts, last))
        )

    def forget_first(self) -> tuple[int, int]:
        """Take out the lowest range."""
        return self._firsts.pop(0), self._lasts.pop(0)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(list(zip(self._firsts, self._lasts, strict=True)))

    def __len__(self) -> int:
        return len(self._firsts)
