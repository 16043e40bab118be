"""A few filters moved on one by one come to the same bits as all of them as columns."""

from typing import Any

import numpy as np
import pytest

from alerting.core import Memory, trend
from alerting.core.trend_few import FEW
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Tag, TagTable
from tests.unit.alerting.core.scene import START_NS, S

ODD = (0.0, -0.0, 1e-300, 5e-324, 1e60, -1e120, 1e149, 1e200, -1.7e308)


def make_table(n: int) -> RuleTable:
    """Rising and falling trends with several memories, towards limits above, below and at 0."""
    rules = [
        Rule(
            id=f"t{k:02}.TREND",
            tag=f"t{k:02}",
            kind=Kind.TREND,
            setpoint=(5.0, 0.0, -3.0)[k % 3],
            tier=Tier.YELLOW,
            is_falling=k % 2 == 1,
            horizon_s=(60.0, 600.0, 7200.0)[k % 3],
            alpha=(0.1, 0.02, 0.3, 0.9)[k % 4],
            samples_min=(5, 10)[k % 2],
        )
        for k in range(n)
    ]
    return RuleTable(rules, TagTable([Tag(name=f"t{k:02}", source="s0", resolution=0.001 * (k % 2)) for k in range(n)]))


@pytest.mark.parametrize("seed", range(3))
def test_one_by_one_is_as_columns_bit_by_bit(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Noise, fills, spikes, steps, gaps, values that stand still, absurd ones; in turn few and many of them."""
    n = FEW
    table = make_table(n)
    rng = np.random.default_rng(seed)
    few, columns = Memory.fresh(table, START_NS), Memory.fresh(table, START_NS)
    counted = {"few": 0, "columns": 0}

    def count(*args: Any) -> Any:  # noqa: ANN401  # as the function it stands for
        judged = judge_few(*args)
        counted["columns" if judged is None else "few"] += 1
        return judged

    judge_few = trend.judge_few
    monkeypatch.setattr(trend, "judge_few", count)
    now_ns = np.full(n, START_NS)
    level, slope = rng.normal(size=n), 0.02 * rng.normal(size=n)
    held = tripped = 0
    for number in range(1000):
        mine = np.sort(rng.permutation(n)[: rng.integers(1, n + 1)]).astype(np.int64)
        most = 3 * S if number % 50 else 10**5 * S
        now_ns[mine] += rng.integers(1, most, len(mine))
        level += slope
        if number % 97 == 0:
            level, slope = 3 * rng.normal(size=n), 0.02 * rng.normal(size=n)
        value = level[mine] + rng.choice([0.0, 1e-9, 0.05], len(mine)) * rng.normal(size=len(mine))
        some = rng.random(len(mine)) < 0.01
        value[some] = rng.choice(ODD, int(some.sum())) if number % 3 == 0 else value[some] + 10.0
        time_ns = now_ns[mine].copy()
        found = trend.judge_trends(table, few, mine, value, time_ns)
        monkeypatch.setattr(trend, "FEW", 0)
        expected = trend.judge_trends(table, columns, mine, value, time_ns)
        monkeypatch.setattr(trend, "FEW", FEW)
        for mine_, theirs in zip(found, expected, strict=True):
            assert mine_.tolist() == theirs.tolist(), number
        assert few.trend_state.tobytes() == columns.trend_state.tobytes(), number
        assert few.trend_ns.tolist() == columns.trend_ns.tolist(), number
        held, tripped = held + int(found[0].sum()), tripped + int(found[1].sum())
    assert min(held, tripped, 100 * counted["columns"], counted["few"]) > 50, (held, tripped, counted)
