"""Acts that another person must confirm."""

from dataclasses import replace

import pytest

from alerting.desk import Answer
from alerting.model.alarm import State, Suppression
from alerting.model.command import Verb
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind
from alerting.model.second_person import SecondPerson
from alerting.model.tier import Tier
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import at, make_rule

H, HH = make_rule(Kind.H, 80.0), replace(make_rule(Kind.HH, 90.0), tier=Tier.RED)
STRICT = Philosophy(second=SecondPerson(minutes=15, tiers={Verb.SUPPRESS: Tier.RED, Verb.RESET: Tier.BLUE}))


def asked(drive: Drive, at_s: float = 2) -> Answer:
    return drive.ask(at_s, Verb.SUPPRESS, reason="probe out", until_s=3600, permit="P-1")


def test_off_by_default() -> None:
    drive = Drive(H, HH).sample(1, 85)
    assert (asked(drive).request, drive.alarm.suppression) == (None, Suppression.OUT_OF_SERVICE)


def test_it_waits_and_is_done_in_the_name_of_both() -> None:
    drive = Drive(H, HH, philosophy=STRICT).sample(1, 85)
    request = asked(drive).request
    assert request is not None
    assert (request.state, request.command.who, request.tag, request.expires_ns) == ("open", "Li", "t0", at(2 + 900))
    assert (drive.did(), drive.alarm.suppression) == ([], Suppression.NONE)
    assert drive.outcome.requests == {request.id: request}

    own = drive.ask(3, Verb.CONFIRM, request.id)
    assert own.refused == {"en": "Another person must confirm this.", "zh": "须由另一人确认,不能由申请人本人确认。"}
    assert drive.alarm.suppression is Suppression.NONE

    answer = drive.ask(4, Verb.CONFIRM, request.id, who="Wang")
    assert answer.alarm is not None
    assert (drive.did(), drive.event.cause) == (
        ["suppressed"],
        {"who": "Li", "reason": "probe out", "permit": "P-1", "until_ns": at(3600), "confirmed_by": "Wang"},
    )
    (done,) = drive.outcome.requests.values()
    assert (done.state, done.ended_by, done.ended_ns) == ("confirmed", "Wang", at(4))
    again = drive.ask(5, Verb.CONFIRM, request.id, who="Wang")
    assert again.refused == {"en": "This request is over.", "zh": "该申请已结束。"}


def test_what_the_act_itself_would_refuse_never_waits() -> None:
    drive = Drive(H, HH, philosophy=STRICT).sample(1, 85)
    for reason, until_s in (("", 100), ("work", 1)):
        answer = drive.ask(2, Verb.SUPPRESS, reason=reason, until_s=until_s)
        assert (answer.request, answer.refused is not None) == (None, True)
    assert drive.desk.requests == {}


def test_the_same_does_not_wait_twice() -> None:
    drive = Drive(H, HH, philosophy=STRICT).sample(1, 85)
    asked(drive)
    answer = asked(drive, 3)
    assert answer.refused is not None
    assert answer.refused["en"] == "The same waits for a second person already, asked by Li."


@pytest.mark.parametrize(("who", "state"), [("Li", "withdrawn"), ("Wang", "declined")])
def test_it_may_be_taken_back_or_declined(who: str, state: str) -> None:
    drive = Drive(H, HH, philosophy=STRICT).sample(1, 85)
    request = asked(drive).request
    assert request is not None
    assert drive.ask(3, Verb.WITHDRAW, request.id, who=who).refused is None
    (ended,) = drive.outcome.requests.values()
    assert (ended.state, ended.ended_by, drive.alarm.suppression) == (state, who, Suppression.NONE)
    assert drive.ask(4, Verb.CONFIRM, request.id, who="Wang").refused is not None


def test_it_expires_and_cannot_be_confirmed_in_the_tick_in_which_it_does() -> None:
    drive = Drive(H, HH, philosophy=STRICT).sample(1, 85)
    request = asked(drive).request
    assert request is not None
    drive.tick(2 + 899.999)
    assert drive.outcome.requests == {}
    answer = drive.ask(2 + 900, Verb.CONFIRM, request.id, who="Wang")
    assert answer.refused is not None
    (ended,) = drive.outcome.requests.values()
    assert (ended.state, ended.ended_by) == ("expired", "")
    assert drive.outcome.remarks == [{"kind": "request_expired", "id": request.id, "who": "Li", "action": "suppress"}]


def test_what_is_possible_no_more_is_refused_and_the_request_is_over() -> None:
    latching = replace(H, is_latching=True)
    drive = Drive(latching, philosophy=STRICT).sample(1, 85).sample(2, 50)
    drive.ask(3, Verb.ACK)
    assert drive.alarm.state is State.LATCHED
    request = drive.ask(4, Verb.RESET).request
    assert request is not None
    drive.sample(5, 85)
    answer = drive.ask(6, Verb.CONFIRM, request.id, who="Wang")
    assert answer.refused is not None
    (ended,) = drive.outcome.requests.values()
    assert (ended.state, drive.alarm.state) == ("refused", State.UNACK)


def test_a_lighter_alarm_and_another_act_need_nobody() -> None:
    drive = Drive(H, philosophy=STRICT).sample(1, 85)
    assert (asked(drive).request, drive.alarm.suppression) == (None, Suppression.OUT_OF_SERVICE)
    drive = Drive(H, HH, philosophy=STRICT).sample(1, 85)
    assert drive.ask(2, Verb.SHELVE, reason="work", until_s=60).request is None


def test_open_requests_outlive_a_restart() -> None:
    drive = Drive(H, HH, philosophy=STRICT).sample(1, 85)
    request = asked(drive).request
    assert request is not None
    again = Drive(H, HH, philosophy=STRICT)
    again.desk.memory(drive.alarm.nature).is_active[:] = drive.desk.memory(drive.alarm.nature).is_active
    again.desk.adopt([drive.alarm], drive.desk.entries.values(), (), [request])
    assert again.ask(5, Verb.CONFIRM, request.id, who="Wang").refused is None
    assert again.alarm.suppression is Suppression.OUT_OF_SERVICE
