"""Blocks: what a TREND rule asks for that judges by a line through block means, and the same of all as columns."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

S_TO_NS = 1_000_000_000
BLOCKS_LEAST: Final = 5  # A line through fewer says nothing about its own noise.
BLOCKS_MOST: Final = 60
LINES: Final = ("ols", "theil-sen")
GAP_SHARE: Final = 0.25  # Share of the line's span that may be missing at once where the rule says nothing.
COVER_SHARE: Final = 0.5  # Share of a block's samples that must have come for it to count.


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """A line through the means of the last blocks.

    Attributes:
        block_s: Length of a block, s.
        count: Blocks that the line goes through, ``BLOCKS_LEAST`` to ``BLOCKS_MOST``.
        line: ``ols`` (least squares) or ``theil-sen`` (median of the slopes of all pairs).
    """

    block_s: float
    count: int = 20
    line: str = "ols"

    @property
    def span_s(self) -> float:
        """What the line goes through, s."""
        return self.block_s * self.count


class BlockTable:
    """What these rules ask for, as columns of equal length n, in the order of the rules.

    Attributes:
        block_ns: Length of a block, int64 (n,).
        offset_ns: Where blocks begin, from 1970, less than a block, int64 (n,): by the rule's id, so that the lines of
            a site are not all drawn in the same moment.
        count: Blocks of the line, int64 (n,).
        samples_least: Samples that a block must have, float64 (n,).
        is_robust: The line is Theil's and Sen's, bool (n,).
    """

    def __init__(self, asked: Sequence[tuple[str, Blocks, float]]) -> None:
        """Lay out columns.

        Args:
            asked: Of each rule its id, what it asks for and the period of its tag, s.
        """
        blocks = [each for _, each, _ in asked]
        self.block_ns: NDArray[np.int64] = np.array([round(b.block_s * S_TO_NS) for b in blocks], dtype=np.int64)
        self.offset_ns: NDArray[np.int64] = np.array([offset_ns(name, each) for name, each, _ in asked], dtype=np.int64)
        self.count: NDArray[np.int64] = np.array([each.count for each in blocks], dtype=np.int64)
        self.samples_least: NDArray[np.float64] = np.array(
            [max(1.0, COVER_SHARE * each.block_s / period_s) for _, each, period_s in asked], dtype=np.float64
        )
        self.is_robust: NDArray[np.bool_] = np.array([each.line == "theil-sen" for each in blocks], dtype=np.bool_)


def offset_ns(rule: str, blocks: Blocks) -> int:
    """Tell where the blocks of a rule begin, ns from 1970, less than a block: the CRC-32 of its id in ms."""
    return zlib.crc32(rule.encode()) * 1_000_000 % round(blocks.block_s * S_TO_NS)
