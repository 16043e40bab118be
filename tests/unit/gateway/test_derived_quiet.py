"""Derived tags under every trouble that can come at once: in bulk and one by one alike, and each is what it says.

The random ticks are those of ``test_quiet``: late, future, doubled, BAD, not numbers, steps of sequence, back-fill.
"""

import numpy as np
import pytest

from alerting.core.backend import Backend
from alerting.desk import Desk
from alerting.model.derivation import Derivation, source_of
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Nature, Tag, TagTable
from gateway.intake import Intake
from gateway.turn import take_turn
from tests.unit.alerting.core.derived.scene import derivation
from tests.unit.gateway.test_quiet import SOURCES, START_NS, TAGS, S, scans_of_turn, settled, site

LINE = ((0.0, 0.0), (100.0, 1000.0))


def derived_site() -> tuple[RuleTable, list[Derivation]]:
    """The rules of ``test_quiet`` and derived tags: of one source, of three, and a chain."""
    table, _, _ = site()
    derivations = [derivation(f"V{s}", "volume", {"level": f"s{s}.t0"}, table=LINE) for s in range(SOURCES)]
    derivations += [
        derivation("median", "median", {"of": ["s0.t3", "s1.t3", "s2.t3"]}, numbers={"least": 2.0}),
        derivation("spread", "spread", {"of": ["V0", "V1", "s2.t0"]}, numbers={"least": 2.0}),
        derivation("sum", "quantity", {"mass": ["V0", "V1", "median"]}),
        derivation(
            "balance", "tank_balance", {"volume": "V3", "in": ["s3.t1"], "out": ["s4.t1"]},
            numbers={"window_s": 60.0, "gap_s": 10.0},
        ),
        derivation("twa", "stel", {"concentration": "s4.t2"}, numbers={"gap_s": 10.0}),
    ]  # fmt: skip
    raw = {f"s{s}.t{t}": {f"s{s}"} for s in range(SOURCES) for t in range(TAGS)}
    tags = list(table.tags)
    for each in derivations:
        raw[each.tag] = set().union(*(raw[name] for name in each.asked))
        nature = Nature.TEST if each.tag == "V5" else Nature.ACTUAL
        tags.append(Tag(name=each.tag, source=source_of(raw[each.tag]), unit="u0", nature=nature))
    rules = [
        rule
        for each in derivations
        for rule in (
            Rule(id=f"{each.tag}.H", tag=each.tag, kind=Kind.H, setpoint=560, deadband=5, tier=Tier.RED),
            Rule(id=f"{each.tag}.STALE", tag=each.tag, kind=Kind.STALE, setpoint=3.0, tier=Tier.BLUE),
            Rule(id=f"{each.tag}.BAD", tag=each.tag, kind=Kind.BAD, setpoint=1.5, tier=Tier.BLUE),
        )
    ]
    return RuleTable([*table, *rules], TagTable(tags)), derivations


def check(desk: Desk, table: RuleTable) -> int:
    """Compare each volume with what its input says now; give how many could be compared."""
    compared = 0
    for s in range(SOURCES):
        memory = desk.memory(Nature.TEST if s == 5 else Nature.ACTUAL)
        own, level = table.tags.row_of[f"V{s}"], table.tags.row_of[f"s{s}.t0"]
        if memory.last_ns[level] == 0:
            continue
        assert memory.last_ns[own] >= memory.last_ns[level]
        is_judged = memory.value_ns[level] == memory.last_ns[level]
        assert (memory.quality[own] < 0x80) == is_judged
        if is_judged:
            assert memory.value[own] == pytest.approx(10 * memory.value[level])
            compared += 1
    return compared


@pytest.mark.parametrize("seed", range(2))
def test_bulk_and_one_by_one_agree_and_each_is_what_it_says(seed: int) -> None:
    table, derivations = derived_site()
    _, sources, units = site()
    desks = [Desk("site", table, units, [], START_NS, derivations, backend) for backend in (*Backend, Backend.NUMPY)]
    intakes = [Intake(sources, table.tags) for _ in desks]
    rng = np.random.default_rng(seed)
    level = rng.uniform(45, 55, SOURCES * TAGS)
    numbers: dict[str, int] = {}
    now_ns, compared, events = START_NS, 0, 0
    for _ in range(200):
        now_ns += int(rng.choice([S // 4, S // 2, S, 6 * S], p=[0.4, 0.3, 0.29, 0.01]))
        level = np.clip(level + rng.normal(0, 2.0, len(level)), 30, 80)
        items = scans_of_turn(rng, now_ns, numbers, level)
        turned = [
            take_turn(desk, intake, items, [], now_ns, is_bulk=is_bulk)
            for desk, intake, is_bulk in zip(desks, intakes, (True, True, False), strict=True)
        ]
        *bulks, one = turned
        for bulk in bulks:
            assert [event.id for event in bulk.outcome.events] == [event.id for event in one.outcome.events]
            assert bulk.outcome.remarks == one.outcome.remarks
            assert bulk.derived == one.derived
            assert settled(bulk) == settled(one)
        compared += check(desks[-1], table)
        events += len([event for event in one.outcome.events if event.tag in {each.tag for each in derivations}])

    for desk in desks[:-1]:
        for nature in (Nature.ACTUAL, Nature.TEST):
            first, second = desk.memory(nature), desks[-1].memory(nature)
            for name in ("value", "value_ns", "last_ns", "quality", "is_active", "phase", "since_ns", "elapsed_ns"):
                np.testing.assert_array_equal(getattr(first, name), getattr(second, name), err_msg=name)
            groups = (each.derived_states[nature].of_group for each in (desk, desks[-1]))
            for mine, theirs in zip(*groups, strict=True):
                for name, column in mine.items():
                    np.testing.assert_array_equal(column, theirs[name], err_msg=name)
    assert compared > 400
    assert events > 20
