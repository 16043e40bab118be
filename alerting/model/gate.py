"""Gates: which conditions an enable-condition or a schedule keeps from being judged, as columns.

A gate is a rule that no person wrote: it is tripped while the enable-condition of others is known to be false, or
outside their schedule. It never rings, is stored and restored like any rule, and many rules may share it.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alerting.model.schedule import Calendar


class GateTable:
    """Which rules hang on which gates.

    Attributes:
        of: Indexes of the gates of each rule, int32 (rules, 2); -1 for none. Column 0 is its enable-condition,
            column 1 its schedule.
        is_gated: Rules that have a gate, bool (rules,).
        enables: Indexes of the gates that are enable-conditions, int64 (e,).
        calendars: The schedule of each gate that is one, by its index.
        cells: Their indexes, int64 (c,).
        rows: Tag rows of the rules of each of them, by its index, int32.
        rules: Indexes of the rules that hang on a gate, by its index, int64.
    """

    def __init__(
        self,
        rules: int,
        of: Mapping[int, tuple[int, int]],
        enables: NDArray[np.int64],
        calendars: Mapping[int, Calendar],
        row: NDArray[np.int32],
    ) -> None:
        self.of: NDArray[np.int32] = np.full((rules, 2), -1, dtype=np.int32)
        self.of[list(of)] = list(of.values()) if of else -1
        self.is_gated: NDArray[np.bool_] = np.asarray((self.of >= 0).any(axis=1))
        self.enables = enables
        self.rules: dict[int, NDArray[np.int64]] = {
            int(gate): np.flatnonzero((self.of == gate).any(axis=1)) for gate in np.unique(self.of[self.of >= 0])
        }

        self.calendars = calendars
        self.cells: NDArray[np.int64] = np.array(sorted(calendars), dtype=np.int64)
        self.rows = {cell: np.unique(row[self.rules[cell]]) for cell in calendars if cell in self.rules}

    def __bool__(self) -> bool:
        return bool(self.rules)

    def shut(self, is_active: NDArray[np.bool_], rules: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Tell which of some rules are disabled, bool (n,); ``is_active`` is that of the memory."""
        of = self.of[rules]
        return np.asarray(((of >= 0) & is_active[of]).any(axis=1))
