"""Rules left out because a guard says that they cannot change make no difference, whatever else the tag has."""

import numpy as np
import pytest

from alerting.core import Changes, Memory, evaluate, expire
from alerting.core.guard import Guard
from alerting.core.layout import layout_of
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import encode
from tests.unit.alerting.core.backends import assert_same
from tests.unit.alerting.core.scene import START_NS, S

TAGS = 12
ODD = (encode(Quality.BAD, Reason.TIMEOUT), encode(Quality.BAD, Reason.RANGE), int(Quality.UNCERTAIN))


def make_table() -> RuleTable:
    """Plain rules on every tag; beside them, in turn, a trend, a frozen gauge, a range, a deviation, a gate, a rate."""
    tags = [Tag(name=f"t{k:02}", source="s0") for k in range(TAGS)]
    rules: list[Rule] = []
    for k, tag in enumerate(tags):
        other, base = tags[(k + 1) % TAGS].name, {"tag": tag.name, "tier": Tier.YELLOW}
        rules += [
            Rule(id=f"{tag.name}.H", kind=Kind.H, setpoint=60, on_delay_s=float(k % 3), deadband=1.0, **base),
            Rule(id=f"{tag.name}.L", kind=Kind.L, setpoint=40, off_delay_s=float(k % 2), **base),
            Rule(id=f"{tag.name}.STALE", kind=Kind.STALE, setpoint=3.0, **base),
            Rule(id=f"{tag.name}.BAD", kind=Kind.BAD, setpoint=1.5, **base),
        ]
        if k % 2:
            rules.append(Rule(id=f"{tag.name}.RATE", kind=Kind.RATE, setpoint=2.5, window_s=2.0, **base))
        more = (
            Rule(
                id=f"{tag.name}.TREND", kind=Kind.TREND, setpoint=60, horizon_s=60.0, alpha=0.2, samples_min=5, **base
            ),
            Rule(id=f"{tag.name}.FROZEN", kind=Kind.FROZEN, setpoint=4, while_tag=other, while_above=50.0, **base),
            Rule(id=f"{tag.name}.RANGE", kind=Kind.RANGE, setpoint=1.0, **base),
            Rule(id=f"{tag.name}.DEVIATION", kind=Kind.DEVIATION, setpoint=15, reference=other, **base),
            Rule(id=f"{tag.name}.HH", kind=Kind.HH, setpoint=62, enable=f"{other} < 55", enable_asked=(other,), **base),
        )
        rules += more[k % 6 : k % 6 + 1]
    return RuleTable(rules, TagTable(tags))


def told(changes: Changes) -> list[tuple[int, bool, int]]:
    return list(zip(changes.rule.tolist(), changes.is_active.tolist(), changes.time_ns.tolist(), strict=True))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_left_out_would_have_changed_nothing(seed: int) -> None:
    """The same transitions in the same order, and the same memory after each scan and each clock reading."""
    table, rng = make_table(), np.random.default_rng(seed)
    whole, part = Memory.fresh(table, START_NS), Memory.fresh(table, START_NS)
    guard = Guard(table)
    guard.is_plain[::4] = False  # As those that others are computed from.
    level, now_ns = np.full(TAGS, 50.0), START_NS
    calm = changed = 0
    for number in range(1, 500):
        now_ns += int(rng.choice([S // 2, S, 5 * S], p=[0.5, 0.47, 0.03]))
        rows = np.arange(TAGS, dtype=np.int32)
        if rng.random() < 0.4:
            rows = rows[rng.random(TAGS) < 0.6]
        level = np.clip(
            level + rng.normal(0, 0.8, TAGS) + (3 * rng.normal(size=TAGS) if rng.random() < 0.1 else 0), 30, 70
        )
        values, quality = np.round(level[rows], 1), np.zeros(len(rows), dtype=np.uint8)
        spoilt = rng.random(len(rows)) < (0.1 if rng.random() < 0.1 else 0.0)
        quality[spoilt] = rng.choice(ODD, int(spoilt.sum()))
        times_ns = now_ns - rng.integers(0, S // 4, len(rows))
        scan = Scan(
            source="s0", epoch=1, number=number, received_ns=now_ns, rows=rows, values=values, quality=quality,
            times_ns=times_ns,
        )  # fmt: skip
        expected = evaluate(table, whole, scan)
        quiet = guard.sift(part, scan)
        found = evaluate(table, part, scan, quiet)
        guard.refresh(part, rows[~quiet])
        assert [told(each) for each in found] == [told(each) for each in expected], number
        assert_same(part, whole, "after the scan")
        ended = [expire(table, memory, now_ns + S // 8) for memory in (part, whole)]
        guard.close(table.row[ended[0].rule])
        assert told(ended[0]) == told(ended[1]), number
        assert_same(part, whole, "after the clock")
        calm += int(quiet.sum())
        changed += len(expected[0]) + len(expected[1])
    assert calm > 50
    assert changed > 200


def test_a_layout_is_remembered_from_the_second_time_on() -> None:
    table, rows = make_table(), np.arange(3, dtype=np.int32)
    first, second = layout_of(table, rows), layout_of(table, rows)
    assert second is not first
    assert layout_of(table, rows.copy()) is second
    assert layout_of(table, rows[:2]) is not second
