"""Compact rules read like the rules that they were made of, whatever is asked of them."""

import pickle
from dataclasses import asdict, replace

import numpy as np
import pytest

from alerting.model.compact import Compact, compact
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from tests.unit.alerting.core.scene import make_tags, random_rules


def some_rules() -> list[Rule]:
    tags = make_tags(12, 2)
    rules = [rule for seed in range(3) for rule in random_rules(np.random.default_rng(seed), tags)]
    found = list({rule.id: rule for rule in rules}.values())
    odd = Rule(id="by hand", tag="t1", kind=Kind.H, name="second", setpoint=float("nan"), tier=Tier.RED)
    words = Rule(id="t2.L:x.y", tag="t2", kind=Kind.L, name="x.y", setpoint=1, tier=Tier.BLUE, response={"en": "Go"})
    return [*found, odd, words, replace(words, id="t3.L:x.y", tag="t3", setpoint=2.5, response={"en": "Stay"})]


def test_they_say_what_the_rules_said() -> None:
    for made, rule in zip(compact(some_rules()), some_rules(), strict=True):
        assert isinstance(made, Compact)
        for name in (*Rule.__dataclass_fields__, "group", "inputs", "is_alone", "is_hidden", "other"):
            one, other = getattr(made, name), getattr(rule, name)
            assert (type(one), repr(one)) == (type(other), repr(other)), (rule.id, name)
        assert repr(asdict(made)) == repr(asdict(rule))
        assert repr(pickle.loads(pickle.dumps(made))) == repr(made) == repr(rule)  # noqa: S301  # Made here.
        assert replace(made, deadband=7.5).deadband == 7.5
        assert repr(replace(made, tag="t0")) == repr(replace(rule, tag="t0"))


def test_equal_numbers_of_other_types_are_not_told_alike() -> None:
    one = Rule(id="t0.H", tag="t0", kind=Kind.H, setpoint=1.0, tier=Tier.RED, deadband=1)
    made = compact([one, replace(one, tag="t1", id="t1.H", deadband=1.0)])
    assert [repr(rule.deadband) for rule in made] == ["1", "1.0"]


def test_a_rule_does_not_change() -> None:
    (rule,) = compact([Rule(id="t0.H", tag="t0", kind=Kind.H, setpoint=1.0, tier=Tier.RED)])
    with pytest.raises(AttributeError, match="does not change"):
        rule.setpoint = 2.0  # type: ignore[misc]


def test_rules_of_a_recording_hold_lists() -> None:
    rule = Rule(id="t0.STATE", tag="t0", kind=Kind.STATE, setpoint=0.0, tier=Tier.RED, states=[1.0, 2.0])  # type: ignore[arg-type]
    one, other = compact([rule, replace(rule, id="t1.STATE", tag="t1")])
    assert one.states == other.states == [1.0, 2.0]
    assert one == rule


def test_a_table_finds_its_rules_and_alarms() -> None:
    rules = some_rules()
    table = RuleTable(rules, make_tags(12, 2))
    assert {name: table[k].id for name, k in table.index_of.items()} == {rule.id: rule.id for rule in rules}
    for unknown in ("", "t1", "t1.", "t1.HHH", "t99.H", "by hand.H"):
        assert table.index_of.get(unknown) is None, unknown
    assert len(table.alarms) == len(table.alarm_first) - 1
    for place, (tag, group) in enumerate(table.alarms):
        mine = [table[k] for k in range(table.alarm_first[place], table.alarm_first[place + 1])]
        assert {(rule.tag, rule.group) for rule in mine} == {(tag, group)}


def test_a_numbered_table_stays_compact() -> None:
    table = RuleTable(some_rules(), make_tags(12, 2))
    assert table.numbered([rule.revision for rule in table]) is table
    other = table.numbered([rule.revision + k % 2 for k, rule in enumerate(table)])
    assert [rule.revision for rule in other] == [rule.revision + k % 2 for k, rule in enumerate(table)]
    assert all(isinstance(rule, Compact) for rule in other)
    assert other[0] is table[0]
    assert RuleTable(list(other), table.tags).kinds == table.kinds
