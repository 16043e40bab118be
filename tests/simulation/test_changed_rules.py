"""A restart with another configuration: alarms whose rule is gone let go, with the reason; others stay."""

from pathlib import Path

import orjson

from alerting.model.rule import Kind, RuleTable
from edge.clock_manual import ManualClock
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
