"""Compare: ask each kind of condition that judges values which rules hold, and which let go.

Flow: values -> [compare] -> holds, lets go -> delays
"""

import numpy as np
from numpy.typing import NDArray

from alerting.core.delay import Indexes
from alerting.core.deviation import judge_deviations
from alerting.core.drift import judge_drifts
from alerting.core.frozen import judge_frozen
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
KINDS = max(Kind) + 1


def compare(
    table: RuleTable,
    memory: Memory,
    rules: Indexes,
    value: NDArray[np.float64],
    time_ns: NDArray[np.int64],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Ask each kind that judges values which conditions hold, and which let go.

    Args:
        value: The own tag's value for each rule, (n,); finite.
        time_ns: When each rule is judged, int64 (n,).
    """
    kind = table.kind[rules]
    holds = np.zeros(len(rules), dtype=np.bool_)
    lets_go = np.zeros(len(rules), dtype=np.bool_)
    if len(rules) == 0:
        return holds, lets_go
    mine = kind <= HH
    holds[mine], lets_go[mine] = judge_limits(table, rules[mine], value[mine])
    if mine.all():
        return holds, lets_go
    there = np.bincount(kind, minlength=KINDS).tolist()
    if there[RATE]:
        mine = kind == RATE
        holds[mine], lets_go[mine] = judge_rates(table, memory, rules[mine], value[mine], time_ns[mine])
    if there[DEVIATION]:
        mine = kind == DEVIATION
        holds[mine], lets_go[mine] = judge_deviations(table, memory, rules[mine], value[mine])
    if there[TREND]:
        mine = kind == TREND
        holds[mine], lets_go[mine] = judge_trends(table, memory, rules[mine], value[mine], time_ns[mine])
    if there[DRIFT]:
        mine = kind == DRIFT
        holds[mine], lets_go[mine] = judge_drifts(table, memory, rules[mine], value[mine], time_ns[mine])
    if there[STATE]:
        mine = kind == STATE
        holds[mine], lets_go[mine] = judge_states(table, rules[mine], value[mine])
    if there[FROZEN]:
        mine = kind == FROZEN
        holds[mine], lets_go[mine] = judge_frozen(table, memory, rules[mine], value[mine], time_ns[mine])
    if there[VOTE]:
        mine = kind == VOTE
        holds[mine], lets_go[mine] = judge_votes(table, memory, rules[mine], value[mine])
    return holds, lets_go
