"""Enable-conditions: what is disabled is not judged, what is unknown is enabled."""

from dataclasses import replace

import numpy as np
import pytest

from alerting.late import GapBook
from alerting.model.command import Verb
from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import Nature, Tag, TagTable
from gateway.intake import Intake
from gateway.record import restore_snapshot, rules_of, snapshot_of
from gateway.why import why
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import START_NS, at, make_rule

BAD = 0x82
#: t0 is judged, t1 (another source) enables.
TAGS = TagTable([Tag(name="t0", source="s0", unit="u"), Tag(name="t1", source="s1", unit="u")])
STALE = {"t0": make_rule(Kind.STALE, 10.0, tag="t0"), "t1": make_rule(Kind.STALE, 10.0, tag="t1")}


def gated(kind: Kind, setpoint: float, **more: object) -> Rule:
    return make_rule(kind, setpoint, enable="t1 == 1", enable_asked=("t1",), **more)


def started(*rules: Rule) -> Drive:
    return Drive(
        *rules, *(STALE[name] for name in ("t0", "t1") if STALE[name].id not in {r.id for r in rules}), tags=TAGS
    )


def context(drive: Drive, t_s: float, value: float, quality: int = 0) -> Drive:
    return drive.sample(t_s, value, quality, row=1)


def told(drive: Drive, group: str = "high") -> list[tuple[str, float]]:
    return [(e.what.value, (e.time_ns - START_NS) / 1e9) for e in drive.log if e.group == group]


def test_disabled_it_does_not_count_and_enabled_again_it_counts_from_then_without_a_sample() -> None:
    drive = started(gated(Kind.H, 80.0, on_delay_s=3.0))
    context(drive, 1, 0)
    drive.sample(2, 90)
    context(drive, 6, 1).tick(8.9)
    assert told(drive) == []
    drive.tick(9.1)
    assert told(drive) == [("raised", 9.0)]


def test_an_alarm_let_go_by_its_gate_says_so_when_it_is_acknowledged() -> None:
    drive = started(gated(Kind.H, 80.0))
    context(drive, 1, 1)
    drive.sample(2, 90)
    context(drive, 3, 0)
    alarm = next(each for each in drive.desk.alarms.values() if each.group == "high")
    assert alarm.ended_by == "enable t1 == 1"
    drive.ask(4, Verb.ACK, alarm.id)
    cleared = next(each for each in drive.outcome.events if each.what == "cleared")
    assert cleared.cause["ended_by"] == "enable t1 == 1"
    context(drive, 5, 1).sample(6, 10).sample(7, 90)
    drive.sample(8, 10)
    alarm = next(each for each in drive.desk.alarms.values() if each.group == "high")
    assert alarm.ended_by == "", "now it was the value"


def test_an_on_delay_that_ran_is_forgotten() -> None:
    drive = started(gated(Kind.H, 80.0, on_delay_s=3.0))
    context(drive, 1, 1)
    drive.sample(1, 90)
    context(drive, 3, 0)
    context(drive, 5, 1).tick(7.9)
    assert told(drive) == []
    drive.tick(8.1)
    assert told(drive) == [("raised", 8.0)]


def test_a_delay_that_had_ended_before_has_ended() -> None:
    drive = started(gated(Kind.H, 80.0, on_delay_s=3.0), make_rule(Kind.HH, 85.0, on_delay_s=3.0))
    context(drive, 1, 1)
    drive.sample(1, 90)
    context(drive, 6, 0)  # No clock reading in between: both would have tripped at 4 s.
    assert [name for name, _ in told(drive)] == ["raised"]
    assert [e.condition for e in drive.log if e.group == "high"] == ["HH"]


def test_it_lets_go_at_once_and_says_why() -> None:
    drive = started(gated(Kind.H, 80.0, off_delay_s=60.0))
    context(drive, 1, 1)
    drive.sample(2, 90)
    context(drive, 3, 0)
    assert told(drive) == [("raised", 2.0), ("returned", 3.0)]
    cause = next(e for e in drive.log if e.what == "returned").cause
    assert (cause["disabled"], cause["enable"]) == ("enable", "t1 == 1")
    assert "disabled: its enable-condition t1 == 1 is not true" in why({**cause, "tier": "NONE"})
    assert "停止判定" in why({**cause, "tier": "NONE"}, "zh")


@pytest.mark.parametrize("trouble", ["unseen", "bad", "stale", "not_judged"])
def test_what_is_unknown_enables_and_the_cause_says_so(trouble: str) -> None:
    drive = started(gated(Kind.H, 80.0))
    if trouble != "unseen":
        context(drive, 1, 0)
    if trouble == "bad":
        context(drive, 2, 0, BAD)
    if trouble == "not_judged":
        context(drive, 2, 0, 0x4C)
    if trouble == "stale":
        drive.sample(5, 50).tick(12)
    drive.sample(13 if trouble == "stale" else 3, 90)
    assert [name for name, _ in told(drive)] == ["raised"]
    cause = [e for e in drive.log if e.group == "high"][-1].cause
    assert (cause["enable_is"], cause["enable_doubt"]) == ("unknown", trouble)
    assert "is unknown (t1" in why({**cause, "tier": "YELLOW"})


def test_silence_of_the_context_enables_at_the_clock_without_a_sample() -> None:
    drive = started(gated(Kind.H, 80.0))
    context(drive, 1, 0)
    drive.sample(8, 90).tick(10.9)
    assert told(drive) == []
    drive.tick(11.2)
    assert told(drive) == [("raised", 11.0)]


def test_no_data_counts_only_while_enabled() -> None:
    drive = started(gated(Kind.STALE, 10.0), gated(Kind.BAD, 4.0))
    context(drive, 1, 0)
    drive.sample(1, 5, BAD)
    for t_s in range(2, 40, 4):
        context(drive, t_s, 0)
    drive.tick(41)
    assert told(drive, "stale") == []
    context(drive, 42, 1).tick(45)
    context(drive, 48, 1).tick(51.9)
    assert told(drive, "bad") == []
    assert told(drive, "stale") == []
    context(drive, 52, 1).tick(52.1)
    assert told(drive, "stale") == [("raised", 52.0)]


def test_frozen_starts_anew_and_a_rate_keeps_its_window() -> None:
    drive = started(gated(Kind.FROZEN, 5.0, band=0.1), gated(Kind.RATE, 5.0, window_s=2.0))
    context(drive, 0.5, 0)
    for t_s in range(1, 8):
        drive.sample(t_s, 5 + 10 * max(t_s - 5, 0))
    context(drive, 7.5, 1)
    drive.sample(8, 35)
    assert told(drive, "rate") == [("raised", 8.0)]
    for t_s in range(9, 14):
        drive.sample(t_s, 35)
    assert told(drive, "frozen") == [("raised", 13.0)]


def test_a_recording_begins_with_what_is_disabled() -> None:
    drive = started(gated(Kind.H, 80.0))
    context(drive, 1, 0)
    drive.sample(2, 90)
    intake = Intake((), TAGS)
    snapshot = snapshot_of(drive.desk, intake, "")
    rules = [replace(rule, response={}) for rule in rules_of(snapshot)]
    again = started(*rules)
    assert len(again.desk.table) == len(drive.desk.table)
    restore_snapshot(snapshot, again.desk, intake)
    again.sample(3, 91)
    assert told(again) == []


def test_judged_late_only_where_the_context_is_of_the_same_source() -> None:
    own = make_rule(Kind.HH, 90.0, enable="t0 > 0", enable_asked=("t0",))
    table = RuleTable([gated(Kind.H, 80.0), own], TAGS)
    drive = started()
    gap = GapBook(table).open(
        "s0", Nature.ACTUAL, type(drive.desk.memory(Nature.ACTUAL)).fresh(table, START_NS), {}, at(5)
    )
    assert gap is not None
    assert [rule.id for rule in gap.part.table if not rule.is_hidden] == ["t0.HH"]
    assert gap.part.left_out == ("t0.H",)
    assert np.isin(gap.part.table.gates.of, (-1, 0, 1)).all()
