"""Counts that several rules share."""

from dataclasses import dataclass

import numpy as np

from gateway.bench.quality.case import Flags


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows by truth and alarm."""

    hit: int = 0
    false: int = 0
    quiet: int = 0
    missed: int = 0

    @classmethod
    def of(cls, truth: Flags, alarm: Flags) -> "Counts":
        """Count rows."""
        return cls(
            hit=int(np.count_nonzero(truth & alarm)),
            false=int(np.count_nonzero(~truth & alarm)),
            quiet=int(np.count_nonzero(~truth & ~alarm)),
            missed=int(np.count_nonzero(truth & ~alarm)),
        )

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.hit + other.hit, self.false + other.false, self.quiet + other.quiet, self.missed + other.missed
        )

    @property
    def f1(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return 2 * self.hit / max(2 * self.hit + self.false + self.missed, 1)

    @property
    def false_percent(self) -> float:
        """FP / (FP + TN), %."""
        return 100 * self.false / max(self.false + self.quiet, 1)

    @property
    def missed_percent(self) -> float:
        """FN / (FN + TP), %."""
        return 100 * self.missed / max(self.hit + self.missed, 1)


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """Give where flags are up: first row and the row after the last."""
    edge = np.diff(np.concatenate(([0], flags.astype(np.int8), [0])))
    return list(zip(np.flatnonzero(edge == 1).tolist(), np.flatnonzero(edge == -1).tolist(), strict=True))
