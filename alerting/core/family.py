"""Families: sources that have to do with each other, by rules over several tags, derived tags or votes.

Flow: rule table, derived tags -> [Families] -> which scans of a tick may be judged side by side
Why: scans of two families can be judged in any order, or at once, and the same comes out.
Never: remembers a value; tells anything that the tables do not.
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.derived.table import DerivedTable
from alerting.core.memory import Memory
from alerting.model.rule import Kind, RuleTable

#: Kinds that look at more than what a scan brings: at moments between two scans, at what other rules say.
ALONE = frozenset({Kind.EXPRESSION, Kind.GATE, Kind.VOTE})


class Families:
    """The sources of one rule table, by the name under which a scan comes.

    Attributes:
        of: The family of each source; sources of one number have to do with each other.
        of_row: The family of each tag, int64 (tags,).
        is_free: Whether all rules of the family judge what a scan brings, and nothing but that, by source.
        is_voting: Whether a vote looks at the family, by source.
    """

    def __init__(self, table: RuleTable, derived: DerivedTable, memory: Memory) -> None:
        source, count = memory.source, len(memory.mark_ns)
        family = np.arange(count)
        bound: NDArray[np.bool_] = np.zeros(count, dtype=np.bool_)
        voting: NDArray[np.bool_] = np.zeros(count, dtype=np.bool_)
        for k in np.flatnonzero(table.many_of >= 0).tolist():
            _join(family, source[[table.row[k], *table.inputs[table.many_of[k]]]])
        for each in derived.derivations:
            _join(family, source[[table.tags.row_of[name] for name in (each.tag, *each.asked)]])
        votes = table.votes
        for v in range(len(votes)):
            mine = source[[votes.row[v], *votes.member_row[v][votes.is_there[v]]]]
            _join(family, mine)
            voting[mine] = True
        bound[source[table.row[np.isin(table.kind, [int(kind) for kind in ALONE])]]] = True
        bound |= voting
        is_bound = np.isin(family, family[bound])
        is_voting = np.isin(family, family[voting])
        names = memory.source_of.items()
        self.of_row: NDArray[np.int64] = family[source]
        self.of: dict[str, int] = {name: int(family[at]) for name, at in names}
        self.is_free: dict[str, bool] = {name: not is_bound[at] for name, at in names}
        self.is_voting: dict[str, bool] = {name: bool(is_voting[at]) for name, at in names}


def _join(family: NDArray[np.int64], sources: NDArray[np.int32]) -> None:
    """Let some sources be of one family, in place."""
    mine = family[sources]
    family[np.isin(family, mine)] = mine.min()
