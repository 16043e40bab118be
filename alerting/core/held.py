"""Held: what a memory said about some tags at one moment, copied now and laid out when somebody asks.

Why: when a network comes back, a thousand sources open a gap in one tick, and few of them ever send what they missed.
Never: for rules of other kinds than the guard knows; those have more state, which ``Memory.extract`` copies.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting.core.memory import Memory
from alerting.core.whole import put
from alerting.model.rule import RuleTable

OF_TAGS = ("last_ns", "value", "value_ns", "quality", "is_watched", "awaited_ns")
OF_RULES = ("is_active", "phase", "since_ns", "elapsed_ns")
OF_RATES = ("ring_ns", "ring_value")
OF_SOURCES = ("mark_ns", "mark_received_ns", "mark_epoch", "mark_number")


class Held:
    """Columns of some tags of one source and of their rules."""

    def __init__(self, live: Memory, rows: NDArray[np.int32], rules: NDArray[np.int64]) -> None:
        rates = live.rate_of[rules]
        source = live.source[rows[:1]]
        self.columns: Mapping[str, NDArray[Any]] = {
            name: getattr(live, name)[at]
            for names, at in ((OF_TAGS, rows), (OF_RULES, rules), (OF_RATES, rates[rates >= 0]), (OF_SOURCES, source))
            for name in names
        }

    @classmethod
    def of(cls, columns: Mapping[str, NDArray[Any]]) -> "Held":
        """Make it again from its columns."""
        held = cls.__new__(cls)
        held.columns = columns
        return held

    def lay_out(self, table: RuleTable) -> Memory:
        """Make the memory of ``table``, the table of just these tags and rules.

        Raises:
            NotFittingError: It is another table.
        """
        memory = Memory.fresh(table, 0)
        names = (*OF_TAGS, *OF_RULES, *OF_RATES, *OF_SOURCES)
        put({name: getattr(memory, name) for name in names}, self.columns)
        return memory
