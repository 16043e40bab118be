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
    mine = kind <= Kind.HH
    holds[mine], lets_go[mine] = judge_limits(table, rules[mine], value[mine])
    if Kind.RATE in table.kinds:
        mine = kind == Kind.RATE
        holds[mine], lets_go[mine] = judge_rates(table, memory, rules[mine], value[mine], time_ns[mine])
    if Kind.DEVIATION in table.kinds:
        mine = kind == Kind.DEVIATION
        holds[mine], lets_go[mine] = judge_deviations(table, memory, rules[mine], value[mine])
    if Kind.TREND in table.kinds:
        mine = kind == Kind.TREND
        holds[mine], lets_go[mine] = judge_trends(table, memory, rules[mine], value[mine], time_ns[mine])
    if Kind.DRIFT in table.kinds:
        mine = kind == Kind.DRIFT
        holds[mine], lets_go[mine] = judge_drifts(table, memory, rules[mine], value[mine], time_ns[mine])
    if Kind.STATE in table.kinds:
        mine = kind == Kind.STATE
        holds[mine], lets_go[mine] = judge_states(table, rules[mine], value[mine])
    if Kind.FROZEN in table.kinds:
        mine = kind == Kind.FROZEN
        holds[mine], lets_go[mine] = judge_frozen(table, memory, rules[mine], value[mine], time_ns[mine])
    if Kind.VOTE in table.kinds:
        mine = kind == Kind.VOTE
        holds[mine], lets_go[mine] = judge_votes(table, memory, rules[mine], value[mine])
    return holds, lets_go
