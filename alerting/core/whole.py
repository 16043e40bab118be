"""Whole: everything that a memory remembers, as named columns, to the last bit.

Flow: Memory -> [freeze] -> columns -> [thaw] -> Memory of the same table
Why: a gap of the late lane outlives a kill -9 and must judge the rest of a backlog as if nothing had happened.
Never: fits what it holds to another table; that is for a checkpoint, which may forget.
"""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import Memory
from alerting.model.rule import RuleTable

Columns = Mapping[str, NDArray[Any]]

#: Columns that follow from the table; and what has been written down or not, which is the writer's.
FOLLOWS: Final = frozenset(
    {"source", "stale_ns", "rate_of", "trend_of", "blocks_of", "drift_of", "season_at", "flat_of", "is_dirty"}
)


class NotFittingError(Exception):
    """What was kept is not of this table, or of another version of the product."""


def freeze(memory: Memory) -> dict[str, NDArray[Any]]:
    """Give all that a memory remembers; the arrays are the memory's own, so copy or write them at once."""
    found = {each.name: getattr(memory, each.name) for each in fields(Memory) if each.name not in FOLLOWS}
    return {name: each for name, each in found.items() if isinstance(each, np.ndarray)} | memory.formulas.freeze_all()


def thaw(table: RuleTable, columns: Columns) -> Memory:
    """Make the memory again.

    Raises:
        NotFittingError: The columns are not those of this table.
    """
    memory = Memory.fresh(table, 0)
    put(freeze(memory), columns)
    return memory


def put(places: Columns, columns: Columns) -> None:
    """Write columns into arrays of the same names and shapes.

    Raises:
        NotFittingError: They have others.
    """
    if places.keys() != columns.keys():
        raise NotFittingError(f"other columns: {', '.join(sorted(places.keys() ^ columns.keys())[:5])}")
    for name, place in places.items():
        if place.shape != columns[name].shape or place.dtype != columns[name].dtype:
            raise NotFittingError(f"{name} has another shape")
    for name, place in places.items():
        place[...] = columns[name]
