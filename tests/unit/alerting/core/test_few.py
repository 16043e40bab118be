"""A few gauges that may stand still, and a few samples that rates keep: one by one as in columns, bit by bit."""

import numpy as np
import pytest

from alerting.core import Memory, evaluate, frozen, guard
from alerting.core.guard import Guard
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Scan, Tag, TagTable
from tests.unit.alerting.core.scene import START_NS, S

ODD = (0.0, -0.0, 5e-324, 1e300, -1e301, 1.7e308)


def tags(count: int) -> TagTable:
    return TagTable([Tag(name=f"t{k:02}", source="s0") for k in range(count)])


@pytest.mark.parametrize("seed", range(3))
def test_gauges_one_by_one_are_as_columns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flat, moving and absurd values, pauses, samples of the other tag alone, activity that comes and goes."""
    n, rng = frozen.FEW, np.random.default_rng(seed)
    rules = [
        Rule(
            id=f"t{k:02}.FROZEN", tag=f"t{k:02}", kind=Kind.FROZEN, setpoint=(2.0, 9.0)[k % 2], tier=Tier.ORANGE,
            band=(0.0, 0.05)[k % 2], while_tag=f"t{(k + 1) % n:02}" if k % 3 else "", while_above=0.5 if k % 3 else 0.0,
        )
        for k in range(n)
    ]  # fmt: skip
    rules.append(Rule(id="t00.STALE", tag="t00", kind=Kind.STALE, setpoint=5.0, tier=Tier.BLUE))
    table = RuleTable(rules, tags(n))
    few, columns = Memory.fresh(table, START_NS), Memory.fresh(table, START_NS)
    now_ns, held = START_NS, 0
    for number in range(600):
        now_ns += int(rng.integers(1, 2 * S if number % 40 else 20 * S))
        mine = np.sort(rng.permutation(n)[: rng.integers(1, n + 1)]).astype(np.int64)
        fresh = rng.random(n) < 0.7
        value = np.where(rng.random(n) < 0.9, few.value, rng.choice([0.0, 1.0, 1.04, *ODD], n))
        value = np.where(np.isfinite(value), value, 1.0)
        for memory in (few, columns):
            memory.value[fresh] = value[fresh]
            memory.value_ns[fresh] = now_ns
        if number % 90 == 0:
            for memory in (few, columns):
                frozen.interrupt(memory, mine)
        at = np.full(len(mine), now_ns)
        found = frozen.judge_frozen(table, few, mine, few.value[mine], at)
        with monkeypatch.context() as patched:
            patched.setattr(frozen, "FEW", 0)
            expected = frozen.judge_frozen(table, columns, mine, columns.value[mine], at)
        assert [each.tolist() for each in found] == [each.tolist() for each in expected], number
        assert few.flat.tobytes() == columns.flat.tobytes(), number
        assert few.anchor.tobytes() == columns.anchor.tobytes(), number
        held += int(found[0].sum())
    assert 200 < held < 7 * 600, held


@pytest.mark.parametrize("seed", range(3))
def test_samples_kept_one_by_one_are_kept_as_columns(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Walks, steps, gaps, absurd values; every third tag has limits beside its rate, every fourth no rate."""
    n, rng = guard.FEW, np.random.default_rng(seed)
    rules = []
    for k in range(n):
        name = f"t{k:02}"
        if k % 4:
            rate = {"setpoint": (0.2, 3.0)[k % 2], "window_s": (3.0, 30.0)[k % 2]}
            rules.append(Rule(id=f"{name}.RATE", tag=name, kind=Kind.RATE, tier=Tier.YELLOW, **rate))
        if k % 3 == 0:
            rules.append(Rule(id=f"{name}.H", tag=name, kind=Kind.H, setpoint=4.0, tier=Tier.YELLOW))
    table = RuleTable(rules, tags(n))
    memories = [Memory.fresh(table, START_NS) for _ in range(2)]
    guards = [Guard(table) for _ in range(2)]
    level, now_ns, quiet_ones = rng.normal(size=n), START_NS, 0
    for number in range(1, 600):
        now_ns += int(rng.integers(1, 2 * S if number % 60 else 90 * S))
        level = level + 0.1 * rng.normal(size=n) + (3.0 * rng.normal(size=n) if number % 50 == 0 else 0.0)
        rows = np.sort(rng.permutation(n)[: rng.integers(1, n + 1)]).astype(np.int32)
        value = level[rows].copy()
        odd = rng.random(len(rows)) < 0.005
        value[odd] = rng.choice(ODD, int(odd.sum()))
        scan = Scan(
            source="s0", epoch=1, number=number, received_ns=now_ns, rows=rows, values=value,
            quality=np.zeros(len(rows), np.uint8), times_ns=np.full(len(rows), now_ns),
        )  # fmt: skip
        found = []
        for which, (memory, its) in enumerate(zip(memories, guards, strict=True)):
            with monkeypatch.context() as patched:
                patched.setattr(guard, "FEW", guard.FEW if which == 0 else 0)
                quiet = its.sift(memory, scan)
            found.append((quiet.tolist(), [len(each) for each in evaluate(table, memory, scan, quiet)]))
            its.refresh(memory, rows[~quiet])
        assert found[0] == found[1], number
        assert memories[0].ring_ns.tobytes() == memories[1].ring_ns.tobytes(), number
        assert np.array_equal(memories[0].ring_value, memories[1].ring_value, equal_nan=True), number
        for name in ("limit_low", "limit_high", "rate_low", "rate_high", "keep_ns"):
            assert guards[0].exact[name].tolist() == guards[1].exact[name].tolist(), (number, name)
        assert guards[0].own_keep_ns.tolist() == guards[1].own_keep_ns.tolist(), number
        assert guards[0].low.tolist() == guards[1].low.tolist(), number
        assert guards[0].high.tolist() == guards[1].high.tolist(), number
        quiet_ones += sum(found[0][0])
    assert quiet_ones > 600, quiet_ones
