"""Silence of the horn: an act of its own, apart from acknowledging."""

import pytest

from alerting.model.alarm import State
from alerting.model.command import Verb
from alerting.model.rule import Kind
from alerting.model.tier import Tier
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import at, make_rule

H, HH = make_rule(Kind.H, 80.0), make_rule(Kind.HH, 90.0)


def test_what_is_silenced_is_unanswered_as_before() -> None:
    drive = Drive(H, HH).sample(1, 85)
    assert drive.ask(2, Verb.SILENCE).refused is None
    assert (drive.did(), drive.event.cause["who"]) == (["silenced"], "Li")
    alarm = drive.alarm
    assert (alarm.state, alarm.silenced_by, alarm.silenced_ns) == (State.UNACK, "Li", at(2))
    assert (alarm.acked_by, alarm.raised_ns) == ("", at(1))

    assert drive.ask(3, Verb.SILENCE, who="Wang").refused is None
    assert (drive.did(), drive.alarm.silenced_by) == ([], "Li"), "once is enough"
    drive.sample(4, 50)
    assert (drive.alarm.state, drive.alarm.silenced_by) == (State.RTN_UNACK, "Li")


def test_a_rise_and_a_new_trip_sound_again() -> None:
    drive = Drive(H, HH).sample(1, 85)
    drive.ask(2, Verb.SILENCE)
    drive.sample(3, 95)
    assert (drive.did(), drive.alarm.silenced_ns) == (["escalated"], 0)
    drive.ask(4, Verb.SILENCE)
    drive.sample(5, 85)
    assert (drive.did(), drive.alarm.silenced_by) == (["lowered"], "Li"), "a fall is nothing new to hear"
    drive.sample(6, 50)
    drive.sample(7, 85)
    assert (drive.did(), drive.alarm.silenced_by) == (["raised"], "")


def test_what_rose_since_it_was_seen_is_not_silenced_unheard() -> None:
    drive = Drive(H, HH).sample(1, 95)
    answer = drive.ask(2, Verb.SILENCE, seen_tier=Tier.YELLOW)
    assert answer.refused is not None
    assert answer.refused["en"] == "The alarm has escalated since; look again."
    assert drive.alarm.silenced_ns == 0


@pytest.mark.parametrize("before", ["acked", "shelved", "normal"])
def test_what_does_not_sound_cannot_be_silenced(before: str) -> None:
    drive = Drive(H).sample(1, 85)
    if before == "shelved":
        drive.ask(2, Verb.SHELVE, reason="work", until_s=60)
    else:
        drive.ask(2, Verb.ACK)
    if before == "normal":
        drive.sample(3, 50)
    answer = drive.ask(4, Verb.SILENCE, drive.alarm.key)
    assert answer.refused == {"en": "The horn does not sound for this alarm.", "zh": "该报警未触发音响,无需消音。"}
