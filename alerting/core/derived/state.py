"""What derived tags remember: the columns of their methods, and how many scans they gave.

One state per nature, beside that nature's memory; saved and restored with it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.method import State
from alerting.core.derived.table import DerivedTable


@dataclass(slots=True)
class DerivedState:
    """Memory of all derived tags of one nature.

    Attributes:
        epoch: Start of the count of scans, s since 1970; a restart begins a new one.
        number: Scans given so far.
        of_group: Columns of each group's method.
    """

    epoch: int
    number: int = 0
    of_group: list[State] = field(default_factory=list)

    @classmethod
    def fresh(cls, table: DerivedTable, start_ns: int) -> "DerivedState":
        """Make a state in which nothing has been seen."""
        return cls(start_ns // 1_000_000_000, 0, [group.method.fresh() for group in table.groups])


def freeze(table: DerivedTable, state: DerivedState) -> dict[str, NDArray[Any]]:
    """Copy a state into named columns; ``derived.<kind>`` holds the identities that their rows belong to."""
    columns: dict[str, NDArray[Any]] = {}
    for group, mine in zip(table.groups, state.of_group, strict=True):
        if mine:
            columns[f"derived.{group.kind}"] = np.array([each.identity for each in group.members], dtype=np.str_)
            columns |= {f"derived.{group.kind}.{name}": column for name, column in mine.items()}
    return columns


def thaw(table: DerivedTable, state: DerivedState, columns: Mapping[str, NDArray[Any]]) -> None:
    """Put columns back, tag by tag where it is still computed alike; columns of another shape are left out."""
    for group, mine in zip(table.groups, state.of_group, strict=True):
        named = columns.get(f"derived.{group.kind}")
        if named is None:
            continue
        place = {str(name): there for there, name in enumerate(named)}
        pairs = [(here, place[each.identity]) for here, each in enumerate(group.members) if each.identity in place]
        if not pairs:
            continue
        here, there = np.array(pairs, dtype=np.int64).T
        saved = {name: columns.get(f"derived.{group.kind}.{name}") for name in mine}
        if any(one is None or one.shape[1:] != mine[name].shape[1:] for name, one in saved.items()):
            continue  # An older program kept it otherwise; it starts anew.
        for name, one in saved.items():
            assert one is not None, name
            mine[name][here] = one[there]
