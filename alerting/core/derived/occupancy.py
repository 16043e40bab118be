"""Occupancy: persons inside, from what gates count: ``N = Σin - Σout`` since the last reset.

``counting = "total"``: a gate tells how many passed since it was set up; only differences count, so what passed while
    the gateway or the link was away is caught up exactly.
``counting = "interval"``: a gate tells how many passed since its last sample; what was not received is lost.

Units: persons.
Source: a balance; that it drifts with every miscount is why it is set to 0 where nobody can be inside: at a time of
    day, or while a tag says so (door closed and room searched). What the reset takes away is counted as drift.
    Where some are always inside, ``start_count`` is how many there are at the first sample and at the time of day.
Never: gives a negative number. It is set to 0 and what was below is counted as drift. Never counts a counter that went
    back, or ran faster than anybody can walk: such a step counts nothing, and the result is UNCERTAIN(incomplete) until
    the next reset.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.daily import next_daily_ns
from alerting.core.derived.method import GOOD, UNCERTAIN_INCOMPLETE, Column, Given, Indexes, Made, State, numbers
from alerting.model.derivation import Derivation

EMPTY: Final = 0.5  # A state tag above it says yes.
NEVER_NS: Final = np.iinfo(np.int64).max
STRADDLE_NS: Final = 60_000_000_000  # A pause that long over a reset hides what came before it and what after.


class Occupancy:
    """Occupancies."""

    ROLES: ClassVar[tuple[str, ...]] = ("in", "out", "empty")

    def __init__(self, members: Sequence[Derivation]) -> None:
        self._count = len(members)
        self._width = {
            role: max((len(each.inputs.get(role, ())) for each in members), default=0) for role in self.ROLES
        }
        self._is_total = np.array([each.words.get("counting") == "total" for each in members], dtype=np.bool_)
        self._rollover = numbers(members, "rollover")
        self._fastest = numbers(members, "passing_most", 20.0)
        self._start = numbers(members, "start_count", 0.0)
        self._reset_min = [each.words.get("reset_at", "") for each in members]
        self._zone = [each.words.get("timezone", "UTC") for each in members]

    def fresh(self) -> State:
        """Persons, what was corrected, and per gate the last count and its time."""
        return {
            "persons": self._start.copy(),
            "drift": np.zeros(self._count),
            "resets": np.zeros(self._count, dtype=np.int64),
            "is_doubtful": np.zeros(self._count, dtype=np.bool_),
            "next_reset_ns": np.zeros(self._count, dtype=np.int64),
            "moment_ns": np.zeros(self._count, dtype=np.int64),
            "in": np.full((self._count, self._width["in"]), np.nan),
            "out": np.full((self._count, self._width["out"]), np.nan),
            "in_ns": np.zeros((self._count, self._width["in"]), dtype=np.int64),
            "out_ns": np.zeros((self._count, self._width["out"]), dtype=np.int64),
            "in_bad": np.zeros((self._count, self._width["in"]), dtype=np.bool_),
            "out_bad": np.zeros((self._count, self._width["out"]), dtype=np.bool_),
        }

    def explain(self, place: int, state: State) -> dict[str, Any]:
        """Say how much was corrected since the beginning, and how often it was reset."""
        return {"drift": float(state["drift"][place]), "resets": int(state["resets"][place])}

    def reset(self, at: Indexes, state: State) -> None:
        """Say that nobody is inside; what was counted until now is drift."""
        state["drift"][at] += state["persons"][at]
        state["persons"][at] = 0.0
        state["resets"][at] += 1
        state["is_doubtful"][at] = False

    def compute(self, at: Indexes, given: Given, state: State) -> Made:
        """Count what passed since the last sample of each gate."""
        due = self._reset_daily(at, given.now_ns, state)
        came, doubt_in = self._passed("in", at, given, state)
        went, doubt_out = self._passed("out", at, given, state)
        pause = given.now_ns - state["moment_ns"][at]
        straddles = due & (state["moment_ns"][at] > 0) & (pause > STRADDLE_NS)
        state["is_doubtful"][at] |= doubt_in | doubt_out | straddles
        state["moment_ns"][at] = given.now_ns
        persons = state["persons"][at] + came - went
        below = np.maximum(-persons, 0.0)
        state["drift"][at] += below
        state["persons"][at] = persons + below
        is_empty = given.first("empty") > EMPTY
        told = at[is_empty & ((state["persons"][at] > 0) | state["is_doubtful"][at])]
        if len(told):
            self.reset(told, state)
        # A door that tells nothing only misses a reset; the gates go on counting.
        quality = Given(given.now_ns, {role: given.roles[role] for role in ("in", "out")}).worst
        quality[(quality == GOOD) & state["is_doubtful"][at]] = UNCERTAIN_INCOMPLETE
        return Made(state["persons"][at].copy(), quality)

    def _reset_daily(self, at: Indexes, now_ns: NDArray[np.int64], state: State) -> NDArray[np.bool_]:
        """Reset those whose time of day has come."""
        due = now_ns >= state["next_reset_ns"][at]
        for n in np.flatnonzero(due).tolist():
            place = int(at[n])
            text = self._reset_min[place]
            if not text:
                state["next_reset_ns"][place] = NEVER_NS
                due[n] = False
                continue
            if state["next_reset_ns"][place] > 0:
                self.reset(at[n : n + 1], state)
                state["persons"][place] = self._start[place]
                state["drift"][place] -= self._start[place]
            else:
                due[n] = False  # The first sample ever.
            minutes = int(text[:2]) * 60 + int(text[3:])
            state["next_reset_ns"][place] = next_daily_ns(int(now_ns[n]), minutes, self._zone[place])
        return due

    def _passed(
        self, role: str, at: Indexes, given: Given, state: State
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Give how many passed the gates of one direction, and where a step cannot be believed."""
        column: Column = given.roles[role]
        width = column.value.shape[1]
        last, last_ns = state[role][at, :width], state[f"{role}_ns"][at, :width]
        is_new = column.is_usable & (column.time_ns > last_ns)
        is_total = self._is_total[at][:, None]
        step = np.where(is_total, column.value - last, column.value)
        rollover = self._rollover[at][:, None]
        # A counter that began anew has gone back by more than half of its range.
        step = np.where(is_total & (step < -rollover / 2), step + rollover, step)
        is_first = np.isnan(last)
        most = self._fastest[at][:, None] * np.maximum((column.time_ns - last_ns) / 1e9, 1.0)
        is_odd = is_new & ~is_first & ((step < 0) | (step > most))
        is_odd |= is_new & ~is_total & (step < 0)
        # Counts of an interval that was not received are lost; of totals the next one brings them along.
        is_lost = is_new & ~is_total & ~is_first & (state[f"{role}_bad"][at, :width])
        counts = is_new & ~is_odd & (~is_first | ~is_total)
        passed = np.where(counts, step, 0.0).sum(axis=1)
        state[role][at, :width] = np.where(is_new, column.value, last)
        state[f"{role}_ns"][at, :width] = np.where(is_new, column.time_ns, last_ns)
        state[f"{role}_bad"][at, :width] = ~column.is_usable & column.is_there
        doubt: NDArray[np.bool_] = np.asarray((is_odd | is_lost).any(axis=1), dtype=np.bool_)
        return np.asarray(passed, dtype=np.float64), doubt
