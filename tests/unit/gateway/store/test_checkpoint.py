"""A checkpoint carries values and filters over a restart, rule by rule, also when the configuration changed."""

import numpy as np

from alerting.desk import Desk
from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import Nature
from gateway.store.checkpoint import pack, unpack
from tests.unit.alerting.core.scene import START_NS, at, make_rule, make_scan, make_tags

FLAT = [make_rule(Kind.FROZEN, 10.0, tag=tag, band=0.5) for tag in ("t0", "t1")]


def desk_of(*rules: Rule) -> Desk:
    return Desk("site", RuleTable(rules, make_tags(2)), [], [], START_NS)


def see(desk: Desk, t_s: float, *, row: int) -> list[str]:
    desk.begin(at(t_s))
    desk.take(make_scan(t_s, 5.0, row=row, number=int(t_s * 10) + row))
    return [f"{event.what.value} {event.tag}" for event in desk.finish().events if event.tag]


def test_flat_time_goes_on_after_a_restart() -> None:
    before = desk_of(*FLAT)
    for second in range(1, 8):
        see(before, second, row=0)
        see(before, second, row=1)

    after = desk_of(*FLAT)
    unpack(after, Nature.ACTUAL, pack(before, Nature.ACTUAL))

    memory = after.memory(Nature.ACTUAL)
    assert np.array_equal(memory.flat, before.memory(Nature.ACTUAL).flat)
    assert memory.anchor.tolist() == [5.0, 5.0]
    assert [see(after, second, row=0) for second in (8, 9, 10)] == [[], [], []]
    assert see(after, 11, row=0) == ["raised t0"]


def test_flat_time_finds_its_rule_in_another_configuration() -> None:
    before = desk_of(*FLAT)
    see(before, 1, row=1)
    see(before, 5, row=1)

    after = desk_of(make_rule(Kind.H, 9.0), FLAT[1])
    unpack(after, Nature.ACTUAL, pack(before, Nature.ACTUAL))

    assert see(after, 11, row=1) == ["raised t1"]


def test_a_checkpoint_without_flat_time_is_read() -> None:
    before, after = desk_of(make_rule(Kind.H, 9.0)), desk_of(*FLAT)
    see(before, 1, row=0)

    unpack(after, Nature.ACTUAL, pack(before, Nature.ACTUAL))

    assert np.isnan(after.memory(Nature.ACTUAL).anchor).all()
    assert after.memory(Nature.ACTUAL).value[0] == 5.0
