"""Votes of a rule table as columns: which limits vote in which vote, and what a transition of them touches.

Why: a vote counts conditions that stand, each with its own deadband and delays; so it hangs on rules, not on values.

Letters: v vote, w place of a member within the widest vote.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from edge.model import TagTable

if TYPE_CHECKING:
    from alerting.model.rule import Rule

NONE = -1
SAMPLES_MAX = 1024  # Of larger scans it is not remembered which votes they belong to.
KNOWN_MAX = 2048


class VoteTable:
    """The votes of one rule table.

    Attributes:
        names: Tag of each vote.
        rule: Index of each vote's rule, ascending, int64 (v,).
        of_rule: Place of a rule among the votes, int32 (rules,); -1 for other rules.
        row: Tag row of each vote, int32 (v,).
        k: How many members must agree, int64 (v,).
        keeps_k: k stays while members are out, bool (v,).
        member: Rule index of each member, int32 (v, w); -1 where there is none.
        member_row: Its tag row, int32 (v, w); 0 where there is none.
        is_there: bool (v, w).
        is_trigger: Rules of which a transition moves a vote: members, and the silence of their tags, bool (rules,).
        is_member_row: Tags that have a member, bool (tags,).
        places: (vote, place) of each member by rule index.
        silences: (vote, place) of each member by the index of its tag's STALE rule.
        gated: Of each member whose tag's STALE rule may be disabled: vote, place and that rule, int64 (g, 3).
    """

    def __init__(
        self, rules: Sequence["Rule"], votes: Sequence[int], stale: Iterable[int], index_of: Mapping[str, int],
        tags: TagTable, is_gated: NDArray[np.bool_],
    ) -> None:  # fmt: skip
        members = [[index_of[name] for name in rules[k].members] for k in votes]
        shape = (len(votes), max(map(len, members), default=0))
        self.names = tuple(rules[k].tag for k in votes)
        self.rule: NDArray[np.int64] = np.array(votes, dtype=np.int64)
        self.of_rule: NDArray[np.int32] = np.full(len(rules), NONE, dtype=np.int32)
        self.of_rule[self.rule] = np.arange(len(votes))
        self.row: NDArray[np.int32] = np.array([tags.row_of[rules[k].tag] for k in votes], dtype=np.int32)
        self.k: NDArray[np.int64] = np.array([round(rules[k].setpoint) for k in votes], dtype=np.int64)
        self.keeps_k: NDArray[np.bool_] = np.array([rules[k].keeps_k for k in votes], dtype=np.bool_)
        self.member: NDArray[np.int32] = np.full(shape, NONE, dtype=np.int32)
        self.member_row: NDArray[np.int32] = np.zeros(shape, dtype=np.int32)
        self.is_trigger: NDArray[np.bool_] = np.zeros(len(rules), dtype=np.bool_)
        self.is_member_row: NDArray[np.bool_] = np.zeros(len(tags), dtype=np.bool_)
        self.places: dict[int, list[tuple[int, int]]] = {}
        self.silences: dict[int, list[tuple[int, int]]] = {}
        of_row: dict[int, list[tuple[int, int]]] = {}
        for v, mine in enumerate(members):
            for w, rule in enumerate(mine):
                row = tags.row_of[rules[rule].tag]
                self.member[v, w], self.member_row[v, w] = rule, row
                self.places.setdefault(rule, []).append((v, w))
                of_row.setdefault(row, []).append((v, w))
        self._with_members: dict[bytes, NDArray[np.int64]] = {}
        self.is_there: NDArray[np.bool_] = self.member != NONE
        self.gated: NDArray[np.int64] = np.empty((0, 3), dtype=np.int64)
        if not votes:
            return
        for rule in stale:
            row = tags.row_of[rules[rule].tag]
            if row in of_row:
                self.silences[rule] = of_row[row]
        gated = [(v, w, rule) for rule, places in self.silences.items() if is_gated[rule] for v, w in places]
        self.gated = np.array(gated, dtype=np.int64).reshape(-1, 3)
        self.is_trigger[[*self.places, *self.silences]] = True
        self.is_member_row[list(of_row)] = True

    def with_members(self, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        """Give the votes that some tag rows belong to, ascending, int64 (n,)."""
        key = rows.tobytes()
        found = self._with_members.get(key)
        if found is None:
            found = np.flatnonzero((self.is_there & np.isin(self.member_row, rows)).any(axis=1))
            if len(self._with_members) >= KNOWN_MAX:
                self._with_members.clear()
            if len(rows) <= SAMPLES_MAX:
                self._with_members[key] = found
        return found

    def hanging_on(self, rows: NDArray[np.int32]) -> list[str]:
        """Name the votes that have a member among some tag rows."""
        mine = (self.is_there & np.isin(self.member_row, rows)).any(axis=1)
        return [self.names[v] for v in np.flatnonzero(mine).tolist()]

    def __len__(self) -> int:
        return len(self.rule)
