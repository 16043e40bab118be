"""Suppression by design: while a state of the plant holds, what it covers is quiet, listed, and rings when it ends."""

from typing import Any

import pytest

from alerting.lifecycle import Refused
from alerting.model.alarm import State, Suppression
from alerting.model.by_design import DesignSuppression
from alerting.model.command import Verb
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.model import Nature, Tag, TagTable
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import at, make_rule

TAGS = TagTable(
    [
        Tag(name="mode", source="s0", unit="area"),
        Tag(name="t0", source="s0", unit="tank"),
        Tag(name="t1", source="s0", unit="other"),
        Tag(name="t2", source="s0", unit="nozzle"),
    ]
)
UNITS = [HazardUnit(id="area"), HazardUnit(id="tank", parent="area"), HazardUnit(id="nozzle", parent="tank"),
         HazardUnit(id="other")]  # fmt: skip
LIMITS = [
    make_rule(Kind.H, 80.0, tag=tag) if kind is Kind.H else make_rule(kind, level, tag=tag)
    for tag in ("t0", "t1", "t2")
    for kind, level in ((Kind.H, 80.0), (Kind.L, 20.0))
]


def gate(name: str = "clean", mode: int = 3, **more: float) -> Rule:
    return Rule(
        id=f"@suppression.{name}", tag="mode", kind=Kind.EXPRESSION, setpoint=float("nan"), tier=Tier.NONE,
        name=f"@suppression.{name}", when=f"(mode == {mode}) and not is_bad(mode)", asked=("mode",), **more,
    )  # fmt: skip


def declared(name: str = "clean", **more: object) -> DesignSuppression:
    said: dict[str, Any] = {"units": ("tank",), "reason": {"en": "being cleaned", "zh": "清洗中"}, **more}
    return DesignSuppression(id=name, when="mode == 3", **said)


def make(*each: DesignSuppression, rules: tuple[Rule, ...] = (gate(),)) -> Drive:
    philosophy = Philosophy(suppressions=each or (declared(),))
    return Drive(*LIMITS, *rules, tags=TAGS, units=UNITS, philosophy=philosophy)


def how(drive: Drive, tag: str) -> Suppression:
    (alarm,) = [alarm for alarm in drive.desk.alarms.values() if alarm.tag == tag]
    return alarm.suppression


def test_what_trips_in_the_state_is_born_quiet_listed_and_rings_when_it_ends() -> None:
    drive = make()
    drive.sample(1, 3, row=0)
    assert drive.did() == []
    drive.sample(2, 10, row=1)
    assert (drive.did(units=True), drive.event.suppression, drive.event.cause["by_design"]) == (
        ["raised"], "by_design", "clean",
    )  # fmt: skip
    alarm = drive.alarm
    assert (alarm.state, alarm.suppression, alarm.design, alarm.suppression_reason, alarm.suppressed_ns) == (
        State.UNACK, Suppression.BY_DESIGN, "clean", "being cleaned", at(2),
    )  # fmt: skip
    assert drive.desk.unit_tiers.get((Nature.ACTUAL, "tank"), Tier.NONE) is Tier.NONE

    drive.tick(1e5)
    assert drive.did() == [], "no end but that of the state"
    drive.sample(1e5 + 1, 1, row=0)
    assert drive.did(units=True) == ["unsuppressed", "unit_raised", "realarmed"]
    assert drive.event_of("unsuppressed").cause == {
        "who": "fengsui",
        "reason": "the state that suppressed it has ended",
    }
    assert (drive.alarm.suppression, drive.alarm.design) == (Suppression.NONE, "")


def test_what_stands_when_the_state_begins_falls_quiet_and_what_returned_stays_listed() -> None:
    drive = make()
    drive.sample(1, 10, row=1)
    drive.sample(2, 3, row=0)
    assert (drive.did(units=True), drive.event_of("suppressed").cause["by_design"]) == (
        ["suppressed", "unit_lowered"], "clean",
    )  # fmt: skip
    drive.sample(3, 50, row=1)
    assert (drive.did(), drive.alarm.state, drive.alarm.suppression) == (
        ["returned"], State.RTN_UNACK, Suppression.BY_DESIGN,
    )  # fmt: skip
    drive.sample(4, 1, row=0)
    assert (drive.did(), drive.alarm.state) == (["unsuppressed"], State.RTN_UNACK)


def test_a_unit_is_covered_with_everything_under_it_and_nothing_beside_it() -> None:
    drive = make()
    drive.sample(1, 3, row=0)
    for row in (1, 2, 3):
        drive.sample(1 + row, 10, row=row)
    assert [how(drive, tag) for tag in ("t0", "t1", "t2")] == [
        Suppression.BY_DESIGN, Suppression.NONE, Suppression.BY_DESIGN,
    ]  # fmt: skip


def test_groups_tiers_and_tags_choose_what_is_covered() -> None:
    drive = make(declared(groups=("low",)))
    drive.sample(1, 3, row=0).sample(2, 90, row=1)
    assert drive.event.suppression == "none", "a high level is no matter of cleaning"
    drive = make(declared(tier_most=Tier.BLUE))
    drive.sample(1, 3, row=0).sample(2, 10, row=1)
    assert drive.event.suppression == "none", "what can be worse is never covered"
    drive = make(declared(units=(), tags=("t1",)))
    drive.sample(1, 3, row=0).sample(2, 10, row=2)
    assert drive.event.suppression == "by_design"


def test_a_state_that_nobody_knows_any_more_holds_no_longer() -> None:
    drive = make()
    drive.sample(1, 3, row=0).sample(2, 10, row=1)
    drive.sample(3, 3, quality=0x80 | 2, row=0)
    assert drive.did() == ["unsuppressed", "realarmed"]


def test_a_state_may_hold_on_after_its_end() -> None:
    drive = make(rules=(gate(off_delay_s=10.0),))
    drive.sample(1, 3, row=0).sample(2, 10, row=1).sample(3, 1, row=0)
    assert drive.did() == []
    drive.sample(13, 1, row=0)
    assert drive.did() == ["unsuppressed", "realarmed"]


def test_a_second_state_keeps_it_quiet_under_its_own_name() -> None:
    drive = make(declared(), declared("idle"), rules=(gate(), gate("idle", 4)))
    drive.sample(1, 3, row=0).sample(2, 10, row=1)
    drive.sample(3, 4, row=0)
    assert (drive.did(), drive.alarm.design, drive.alarm.suppression) == (["suppressed"], "idle", Suppression.BY_DESIGN)


def test_a_shelf_gives_way_and_out_of_service_does_not() -> None:
    drive = make()
    drive.sample(1, 10, row=1)
    drive.ask(2, Verb.SHELVE, reason="work", until_s=600)
    drive.sample(3, 3, row=0)
    assert drive.did() == ["suppressed"]
    drive.tick(600)
    assert drive.did() == [], "the end of the shelf is none of the state"

    drive = make()
    drive.sample(1, 10, row=1)
    drive.ask(2, Verb.SUPPRESS, reason="work", until_s=600)
    drive.sample(3, 3, row=0)
    assert (drive.did(), how(drive, "t0")) == ([], Suppression.OUT_OF_SERVICE)
    drive.tick(600)
    assert (drive.did(), how(drive, "t0")) == (["unsuppressed", "suppressed"], Suppression.BY_DESIGN)


def test_people_may_acknowledge_and_take_it_out_but_not_shelve_or_free_it() -> None:
    drive = make()
    drive.sample(1, 3, row=0).sample(2, 10, row=1)
    for verb in (Verb.SHELVE, Verb.UNSHELVE, Verb.UNSUPPRESS, Verb.SILENCE):
        answer = drive.ask(3, verb, reason="work", until_s=600)
        assert answer.refused is not None, verb
    assert drive.ask(4, Verb.ACK).refused is None
    assert drive.ask(5, Verb.SUPPRESS, reason="work", until_s=600).refused is None
    assert (drive.alarm.suppression, drive.alarm.design) == (Suppression.OUT_OF_SERVICE, "")


def test_it_goes_on_after_a_restart_and_ends_with_a_state_that_ended_meanwhile() -> None:
    drive = make()
    drive.sample(1, 3, row=0).sample(2, 10, row=1)
    before = drive.desk.memory(Nature.ACTUAL)
    for is_held in (True, False):
        again = make()
        memory = again.desk.memory(Nature.ACTUAL)
        memory.is_active[:], memory.phase[:] = before.is_active, before.phase
        gate_at = again.table.index_of["@suppression.clean"]
        memory.is_active[gate_at] = is_held
        again.desk.adopt([drive.alarm], drive.desk.entries.values())
        again.tick(3)
        assert again.did() == ([] if is_held else ["unsuppressed", "realarmed"])


def test_refused_is_said_in_both_languages() -> None:
    drive = make()
    drive.sample(1, 3, row=0).sample(2, 10, row=1)
    with pytest.raises(Refused) as refusal:
        drive.desk._unsuppress(drive.alarm, Suppression.OUT_OF_SERVICE, "Li", at(3))  # noqa: SLF001
    assert "suppressed by design (clean)" in refusal.value.sentence["en"]
    assert "设计抑制(clean)" in refusal.value.sentence["zh"]
