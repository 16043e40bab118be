"""Merging: one source that several edge nodes bring in parts, because a broker deals its messages out among them.

Flow: scans of each node, numbered by each -> [number] -> one sequence of this gateway's own -> road
Why: intake judges one sequence a source. What each node sent is known by the node's own numbers (``received``), so
    that twice is once; what enters the road is numbered in the order in which it came.
Never: puts samples in order. What comes after a newer one of its tag is told from it at intake, by its time.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from edge.config import Source


@dataclass(slots=True)
class _Part:
    """How one node's way to a source stands, as far as was heard."""

    is_up: bool = False
    reason: str = "not yet heard"


@dataclass(slots=True)
class _Merged:
    """One source's count and its nodes."""

    epoch: int = 0
    number: int = 0
    parts: dict[str, _Part] = field(default_factory=dict)


class Merging:
    """Counts the scans of shared sources, and knows which of their nodes are there.

    Args:
        epoch_of: Gives the epoch of a source; higher after each start of this gateway.
    """

    def __init__(self, epoch_of: Callable[[str], int]) -> None:
        self._epoch_of = epoch_of
        self._merged: dict[str, _Merged] = {}

    def number(self, source: str) -> tuple[int, int]:
        """Give the next scan of a source its place: epoch and number."""
        merged = self._of(source)
        epoch = self._epoch_of(source)
        if epoch != merged.epoch:
            merged.epoch, merged.number = epoch, 0
        merged.number += 1
        return epoch, merged.number

    def is_up(self, source: str, node: str) -> bool:
        """Tell whether a node's way to a source is up."""
        part = self._of(source).parts.get(node)
        return part is not None and part.is_up

    def hear(self, source: Source, node: str, *, is_up: bool, reason: str) -> tuple[bool, str]:
        """Take in what became of one node's way; give whether the source is whole, and what is missing."""
        parts = self._of(source.id).parts
        part = parts.setdefault(node, _Part())
        part.is_up, part.reason = is_up, reason
        for name in source.nodes:
            one = parts.get(name, _Part())
            if not one.is_up:
                said = one.reason if name in one.reason else f"edge node {name}: {one.reason or 'link down'}"
                return False, said
        return True, reason

    def _of(self, source: str) -> _Merged:
        return self._merged.setdefault(source, _Merged())
