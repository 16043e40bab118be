"""A restart with another configuration: alarms whose rule is gone let go, with the reason; others stay."""

from dataclasses import replace
from pathlib import Path

import orjson
from sqlalchemy import select

from alerting.model.rule import Kind, RuleTable
from alerting.model.tiering import Tiering
from alerting.model.unit import HazardUnit
from edge.clock_manual import ManualClock
from edge.model import TagTable
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from gateway.why import facts_of, why
from tests.scripted import events_of, live, small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, TROUBLES, arrivals, as_items, rule_table, tag_table


def test_an_alarm_without_its_rule_does_not_ring_for_ever(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    items = list(as_items(arrivals(Kind.H, TROUBLES[0])))
    both = small_site(rule_table(Kind.H), SOURCE, tmp_path)
    live(small_gateway(both, clock, items), 17.0, clock)
    only_stale = RuleTable([rule for rule in rule_table(Kind.H) if rule.kind is Kind.STALE], tag_table())
    live(small_gateway(small_site(only_stale, SOURCE, tmp_path), clock, items), 5.0, clock)

    told = [(row.what, orjson.loads(row.cause).get("reason")) for row in events_of(both) if row.rule_group == "high"]
    assert told == [("raised", None), ("returned", "the rule is no longer in the configuration")]


def moved_to(unit: str) -> RuleTable:
    tags = TagTable([replace(tag_table()[0], unit=unit)])
    return RuleTable(list(rule_table(Kind.H)), tags)


def test_an_alarm_follows_its_tag_into_another_unit(tmp_path: Path) -> None:
    """The entry of the old unit closes, the new one opens its own; the alarm stays the same episode."""
    clock = ManualClock(START_NS)
    items = list(as_items(arrivals(Kind.H, TROUBLES[0])))
    site = small_site(rule_table(Kind.H), SOURCE, tmp_path, tiering=Tiering(lower_after_s=2.0))
    live(small_gateway(site, clock, items), 17.0, clock)
    units = (HazardUnit(id="T"), HazardUnit(id="U"))
    moved = replace(site, rules=moved_to("U"), tags=moved_to("U").tags, units=units)
    live(small_gateway(moved, clock, items), 5.0, clock)

    mine = [row for row in events_of(site) if row.rule_group == "high"]
    assert [(row.what, row.unit) for row in mine] == [("raised", "T"), ("changed", "U")]
    assert len({row.alarm for row in mine}) == 1
    facts = facts_of({**mine[1]._asdict(), "cause": orjson.loads(mine[1].cause), "tier": "YELLOW"}, moved.tags)
    assert why(facts, "en") == (
        "fengsui moved T.v 9 m ≥ H 8 m from unit T to U: the configuration gave the tag to another unit → YELLOW"
    )
    units_told = [(r.what, r.unit, r.tier) for r in events_of(site) if r.what.startswith("unit") and r.unit in "TU"]
    assert units_told == [("unit_raised", "T", 2), ("unit_raised", "U", 2), ("unit_lowered", "T", 0)]
    engine = open_store(store_url(tmp_path))
    with engine.connect() as connection:
        rows = connection.execute(select(schema.register_entry)).all()
        is_closed = {row.unit: row.closed_ns > 0 for row in rows if row.unit in "TU"}
    engine.dispose()
    assert is_closed == {"T": True, "U": False}
