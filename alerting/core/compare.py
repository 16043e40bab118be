"""Compare: ask each kind of condition that judges values which rules hold, and which let go.

Flow: values -> [compare] -> holds, lets go -> delays
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alerting.core.delay import Indexes
from alerting.core.deviation import judge_deviations
from alerting.core.drift import judge_drifts
from alerting.core.frozen import judge_frozen
from alerting.core.layout import parts_of
from alerting.core.limit import judge_limits
from alerting.core.memory import Memory
from alerting.core.rate import judge_rates
from alerting.core.state import judge_states
from alerting.core.trend import judge_trends
from alerting.core.vote import judge_votes
from alerting.model.rule import Kind, RuleTable

# Numbers, because a member of an enumeration is slower to look up and to compare with.
HH, RATE, DEVIATION, TREND = int(Kind.HH), int(Kind.RATE), int(Kind.DEVIATION), int(Kind.TREND)
DRIFT, STATE, FROZEN, VOTE = int(Kind.DRIFT), int(Kind.STATE), int(Kind.FROZEN), int(Kind.VOTE)


def compare(
    table: RuleTable,
    memory: Memory,
    rules: Indexes,
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
    parts: Mapping[int, Indexes] | None = None,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Ask each kind that judges values which conditions hold, and which let go.

    Args:
        value: The own tag's value for each rule, (n,); finite.
        time_ns: When each rule is judged, int64 (n,).
        parts: Where the rules of each kind are (``alerting.core.layout.parts_of``), where that is known already.
    """
    holds = np.zeros(len(rules), dtype=np.bool_)
    lets_go = np.zeros(len(rules), dtype=np.bool_)
    if len(rules) == 0:
        return holds, lets_go
    for kind, mine in (parts_of(table.kind[rules]) if parts is None else parts).items():
        if len(mine) == len(rules):
            return _ask(kind, table, memory, rules, value, time_ns)
        holds[mine], lets_go[mine] = _ask(kind, table, memory, rules[mine], value[mine], time_ns[mine])
    return holds, lets_go


def _ask(  # noqa: PLR0911  # one return for each kind
    kind: int,
    table: RuleTable,
    memory: Memory,
    rules: Indexes,
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Ask one kind; LL, L and H are asked as HH."""
    if kind == HH:
        return judge_limits(table, rules, value)
    if kind == RATE:
        return judge_rates(table, memory, rules, value, time_ns)
    if kind == DEVIATION:
        return judge_deviations(table, memory, rules, value)
    if kind == TREND:
        return judge_trends(table, memory, rules, value, time_ns)
    if kind == DRIFT:
        return judge_drifts(table, memory, rules, value, time_ns)
    if kind == STATE:
        return judge_states(table, rules, value)
    if kind == FROZEN:
        return judge_frozen(table, memory, rules, value, time_ns)
    if kind == VOTE:
        return judge_votes(table, memory, rules, value)
    return np.zeros(len(rules), dtype=np.bool_), np.zeros(len(rules), dtype=np.bool_)
