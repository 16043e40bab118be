"""Tiers of units in the running gateway under the manual clock: what the clock awaits outlives a kill."""

from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering, TierLine
from edge.clock_manual import ManualClock
from edge.model import Scan, Tag, TagTable
from gateway.api.why_of import event_facts, unit_facts
from gateway.config import Site
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from gateway.why import rounded, why
from tests.scripted import NS, events_of, live, small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, tag_table

POLICY = Tiering(
    lines=(TierLine(tier=Tier.RED, kinds=("H",), for_s=20.0, lower_after_s=15.0),),
    lower_after_s=5.0,
)
H = Rule(id="T.v.H", tag="T.v", kind=Kind.H, setpoint=8.0, tier=Tier.YELLOW)


def site_of(data: Path) -> Site:
    return small_site(RuleTable([H], tag_table()), SOURCE, data, tiering=POLICY)


def samples(*pairs: tuple[float, float]) -> list[Scan]:
    return [
        Scan(
            source="plc",
            epoch=1,
            number=number,
            received_ns=START_NS + round(at_s * NS),
            rows=np.array([0], dtype=np.int32),
            values=np.array([value]),
            quality=np.zeros(1, dtype=np.uint8),
            times_ns=np.array([START_NS + round(at_s * NS)], dtype=np.int64),
        )
        for number, (at_s, value) in enumerate(pairs, start=1)
    ]


def units_of(site: Site) -> list[tuple[str, str, float]]:
    return [
        (row.what, Tier(row.tier).name, round((row.time_ns - START_NS) / NS, 1))
        for row in events_of(site)
        if row.unit == "T" and not row.alarm
    ]


STORY = samples((5.0, 9.0), (40.0, 1.0))
RIGHT = [("unit_raised", "YELLOW", 5.0), ("unit_raised", "RED", 25.0), ("unit_lowered", "NONE", 55.0)]


@pytest.mark.parametrize("killed_s", [None, 12.0, 25.5, 41.0, 54.0])
def test_a_tier_rises_and_falls_at_its_moments_also_over_a_kill(killed_s: float | None, tmp_path: Path) -> None:
    """No sample comes at 25 s or 55 s. Each tick is a commit, so that ending anywhere is as a kill."""
    site, clock = site_of(tmp_path), ManualClock(START_NS)
    if killed_s is not None:
        live(small_gateway(site, clock, STORY), killed_s, clock)
    live(small_gateway(site, clock, STORY), 70 - (clock.wall_ns() - START_NS) / NS, clock)

    assert [(what, tier) for what, tier, _ in units_of(site)] == [(what, tier) for what, tier, _ in RIGHT]
    for (_, _, at_s), (_, _, right_s) in zip(units_of(site), RIGHT, strict=True):
        assert right_s <= at_s <= right_s + 0.3


def test_a_moment_that_comes_while_the_gateway_is_down_happens_at_its_time(tmp_path: Path) -> None:
    site, clock = site_of(tmp_path), ManualClock(START_NS)
    live(small_gateway(site, clock, STORY), 10.0, clock)
    clock.advance_ns(20 * NS)  # Down from 10 s to 30 s.
    live(small_gateway(site, clock, STORY), 3.0, clock)

    (row,) = [row for row in events_of(site) if row.what == "unit_raised" and row.tier == int(Tier.RED)]
    assert 25.0 <= (row.time_ns - START_NS) / NS <= 25.3
    assert (row.received_ns - START_NS) / NS >= 30.0


def test_why_is_told_of_the_unit_and_of_each_of_its_events(tmp_path: Path) -> None:
    site, clock = site_of(tmp_path), ManualClock(START_NS)
    live(small_gateway(site, clock, STORY), 15.0, clock)
    engine = open_store(store_url(site.data))
    with engine.connect() as connection:
        now = unit_facts(connection, "T", START_NS + 15 * NS)
        event_id = connection.scalars(select(schema.event.c.id).where(schema.event.c.what == "unit_raised")).first()
        event = event_facts(connection, str(event_id))
        nobody = unit_facts(connection, "U", START_NS)
    engine.dispose()

    assert now is not None
    assert event is not None
    assert nobody is None
    assert why(now, "en") == (
        "T is YELLOW: the highest tier of its active alarms: T.v 9 m ≥ H 8 m; "
        "RED follows in 10 s if this lasts (line 1)"
    )
    assert why(event, "en").startswith("T rises from NONE to YELLOW: the highest tier of its active alarms: T.v 9 m")
    trend = {**event, "conditions": [{**event["conditions"][0], "kind": "TREND"}]}
    assert "T.v 趋势预警 9 m" in why(trend, "zh")
    fine = TagTable([Tag(name="T.v", source="s", resolution=0.01)])
    assert "T.v 9.00 m ≥ H 8.00 m" in why(rounded(event, fine), "en")
