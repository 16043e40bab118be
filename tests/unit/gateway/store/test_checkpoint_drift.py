"""A checkpoint gives back what drifts had learnt, profile and all, and nothing to one that has become another."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.core.drift import Drifted
from alerting.core.memory import Wander
from alerting.desk import Desk
from alerting.model.drift import Drift
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Nature, Scan, Tag, TagTable
from gateway.store.checkpoint import pack, unpack

S = 1_000_000_000
DAY = Rule(id="x.DRIFT", tag="x", kind=Kind.DRIFT, setpoint=6.0, tier=Tier.BLUE, drift=Drift())
PLAIN = replace(DAY, id="x.DRIFT:b", name="b", drift=Drift(season="none", warm_up_s=14_400.0))
WEEK = replace(DAY, id="x.DRIFT:a", name="a", drift=Drift(season="week", warm_up_s=14 * 86_400.0))


def desk_of(*rules: Rule, period_s: float = 300.0) -> Desk:
    tags = TagTable([Tag(name="x", source="s", unit="u", period_s=period_s)])
    return Desk("site", RuleTable(rules, tags), [], [], S)


def fed(*rules: Rule) -> Desk:
    desk = desk_of(*rules)
    for step in range(1, 800):
        at_ns = 300 * step * S
        desk.begin(at_ns)
        value = 5.0 + np.sin(2 * np.pi * step / 288) + 0.1 * (step % 3)
        desk.take(
            Scan(
                source="s", epoch=1, number=step, received_ns=at_ns, rows=np.array([0], np.int32),
                values=np.array([value]), quality=np.zeros(1, np.uint8), times_ns=np.array([at_ns]),
            )
        )  # fmt: skip
        desk.finish()
    return desk


def told(desk: Desk, rule: Rule) -> list[float]:
    memory = desk.memory(Nature.ACTUAL)
    now = Drifted(desk.table, memory, np.array([desk.table.index_of[rule.id]]))
    return [float(now.usual[0]), float(now.away[0]), float(now.sigma[0]), float(now.score[0]), float(now.ready_in_s[0])]


def test_a_drift_goes_on_where_it_was_even_if_its_setpoint_or_its_neighbours_changed() -> None:
    before = fed(DAY, WEEK, PLAIN)
    again = desk_of(replace(DAY, setpoint=9.0), PLAIN)
    unpack(again, Nature.ACTUAL, pack(before, Nature.ACTUAL))

    for rule in (DAY, PLAIN):
        assert told(again, rule) == told(before, rule)
    assert again.memory(Nature.ACTUAL).season_days.max() == 3
    memory, old = again.memory(Nature.ACTUAL), before.memory(Nature.ACTUAL)
    place = int(before.table.drifts.first[old.drift_of[before.table.index_of[DAY.id]]])
    assert memory.season[:96].tolist() == old.season[place : place + 96].tolist()


@pytest.mark.parametrize("other", [Drift(base_s=7200.0), Drift(span_s=60.0), Drift(season="week")])
def test_a_drift_with_another_memory_starts_anew(other: Drift) -> None:
    again = desk_of(replace(DAY, drift=other))
    unpack(again, Nature.ACTUAL, pack(fed(DAY), Nature.ACTUAL))

    memory = again.memory(Nature.ACTUAL)
    assert memory.drift_ns.tolist() == [0]
    assert not memory.season_days[:-1].any()
    assert memory.drift_state[0, Wander.SEEN] == 0
