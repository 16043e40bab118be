"""Declared stops: from when to when a device is down, what that keeps quiet, and that it ends by itself."""

import pytest

from alerting.desk import Answer
from alerting.model.alarm import State, Suppression
from alerting.model.command import Command, Verb
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind
from alerting.model.second_person import SecondPerson
from alerting.model.stop import Plan, StopKind, StopPolicy, StopState
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.model import Nature, Tag, TagTable
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import at, make_rule

TAGS = TagTable(
    [
        Tag(name="t0", source="s0", unit="tank"),
        Tag(name="t1", source="s0", unit="nozzle"),
        Tag(name="t2", source="s0", unit="other"),
        Tag(name="gas", source="s0", unit="tank"),
    ]
)
UNITS = [HazardUnit(id="tank"), HazardUnit(id="nozzle", parent="tank"), HazardUnit(id="other")]
RULES = [make_rule(Kind.H, 80.0, tag=tag, tier=Tier.YELLOW) for tag in ("t0", "t1", "t2")]
GAS = make_rule(Kind.H, 80.0, tag="gas", tier=Tier.RED)
TANK = Plan(kind=StopKind.OVERHAUL, unit="tank")


def make(**policy: object) -> Drive:
    return Drive(*RULES, GAS, tags=TAGS, units=UNITS, philosophy=Philosophy(**policy))  # type: ignore[arg-type]


def ask(drive: Drive, t_s: float, verb: Verb = Verb.STOP, alarm: str = "", **said: object) -> Answer:
    given: dict[str, object] = {"who": "Li", "reason": "gauge overhaul", "received_ns": at(t_s), **said}
    if verb is Verb.STOP:
        given.setdefault("plan", TANK)
        given.setdefault("until_ns", at(1000))
    drive.tick(t_s, Command(verb=verb, alarm=alarm, **given))  # type: ignore[arg-type]
    return drive.outcome.answers[0]


def how(drive: Drive, tag: str) -> Suppression:
    (alarm,) = [alarm for alarm in drive.desk.alarms.values() if alarm.tag == tag]
    return alarm.suppression


def test_a_stop_quiets_the_unit_with_what_is_under_it_and_nothing_that_can_be_too_grave() -> None:
    drive = make()
    drive.sample(1, 90, row=0)
    answer = ask(drive, 2)
    assert answer.stop is not None
    assert (answer.stop.state, answer.stop.covered, answer.stop.left, answer.stop.tags, answer.stop.is_whole) == (
        StopState.RUNNING, 2, 1, ("t0", "t1"), True,
    )  # fmt: skip
    assert drive.did() == ["suppressed"], "what stood falls quiet"
    assert drive.event.cause["by_design"] == answer.stop.design
    assert drive.desk.unit_tiers[Nature.ACTUAL, "tank"] is Tier.NONE
    for row in (1, 2, 3):
        drive.sample(2 + row, 90, row=row)
    assert [how(drive, tag) for tag in ("t1", "t2", "gas")] == [
        Suppression.BY_DESIGN, Suppression.NONE, Suppression.NONE,
    ]  # fmt: skip


def test_it_begins_and_ends_by_the_clock_and_then_asks_until_somebody_says_that_the_device_is_back() -> None:
    drive = make()
    answer = ask(drive, 1, plan=Plan(kind=StopKind.STOPPED, tags=("t0",), begins_ns=at(100)), until_ns=at(200))
    stop = answer.stop
    assert stop is not None
    assert stop.state is StopState.PLANNED
    drive.sample(50, 90, row=0)
    assert drive.event.suppression == "none", "it has not begun"
    assert drive.desk.idle(at(99)) is not None
    assert drive.desk.idle(at(100)) is None, "the clock has something to do"
    drive.tick(100)
    assert (drive.did(), drive.desk.stops[stop.id].began_ns) == (["suppressed"], at(100))
    drive.tick(199)
    assert drive.did() == []
    drive.tick(200)
    assert drive.did() == ["unsuppressed", "realarmed"]
    assert drive.event_of("unsuppressed").cause["reason"] == "the declared stop of its device has ended"
    assert drive.desk.stops[stop.id].state is StopState.OVERDUE
    assert [remark["kind"] for remark in drive.outcome.remarks] == ["stop_overdue"]
    over = ask(drive, 300, Verb.RESUME, stop.id, who="Wang", reason="flushed and closed").stop
    assert over is not None
    assert (over.state, over.over_by, over.note, drive.desk.stops) == (
        StopState.ENDED, "Wang", "flushed and closed", {},
    )  # fmt: skip
    assert ask(drive, 301, Verb.RESUME, stop.id).refused is not None


def test_one_that_is_past_its_end_goes_on_when_it_is_extended_and_rings_when_it_is_ended_early() -> None:
    drive = make()
    stop = ask(drive, 1, until_ns=at(10)).stop
    assert stop is not None
    drive.sample(2, 90, row=0)
    drive.tick(10)
    assert drive.did() == ["unsuppressed", "realarmed"]
    longer = ask(drive, 11, Verb.EXTEND, stop.id, until_ns=at(100), reason="gasket").stop
    assert longer is not None
    assert (longer.state, drive.did()) == (StopState.RUNNING, ["suppressed"])
    ask(drive, 20, Verb.RESUME, stop.id)
    assert drive.did() == ["unsuppressed", "realarmed"]
    (alarm,) = drive.desk.alarms.values()
    assert (alarm.state, alarm.design) == (State.UNACK, "")


def test_a_planned_one_is_withdrawn_and_never_begins() -> None:
    drive = make()
    stop = ask(drive, 1, plan=Plan(kind=StopKind.STOPPED, unit="tank", begins_ns=at(100)), until_ns=at(200)).stop
    assert stop is not None
    over = ask(drive, 2, Verb.RESUME, stop.id).stop
    assert over is not None
    assert over.state is StopState.WITHDRAWN
    drive.sample(150, 90, row=0)
    assert drive.event.suppression == "none"


def test_a_restart_takes_it_up_and_one_that_went_by_meanwhile_asks() -> None:
    drive = make()
    stop = ask(drive, 1, until_ns=at(100)).stop
    assert stop is not None
    drive.sample(2, 90, row=0)
    again = make()
    again.desk.memories = drive.desk.memories
    again.desk.adopt(drive.desk.alarms.values(), [], stops=[stop])
    again.tick(50)
    assert (again.did(), how(again, "t0")) == ([], Suppression.BY_DESIGN)
    late = make()
    late.desk.memories = drive.desk.memories
    late.desk.adopt(drive.desk.alarms.values(), [], stops=[stop])
    late.tick(500)
    assert (late.did(), late.desk.stops[stop.id].state) == (["unsuppressed", "realarmed"], StopState.OVERDUE)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"reason": " "}, "Give a reason."),
        ({"until_ns": at(0)}, "The end lies before the beginning, or is past."),
        ({"plan": Plan(kind=StopKind.STOPPED, unit="tank", begins_ns=at(2000))}, "The end lies before the beginning"),
        ({"until_ns": at(32 * 86_400)}, "at most 31 days"),
        ({"plan": Plan(kind=StopKind.STOPPED, unit="x")}, "no such hazard unit"),
        ({"plan": Plan(kind=StopKind.STOPPED, tags=("t0", "x"))}, "There is no tag x."),
        ({"plan": Plan(kind=StopKind.STOPPED, tags=("gas",))}, "It would keep no alarm quiet"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence_in_both_languages(said: dict[str, object], sentence: str) -> None:
    refused = ask(make(), 1, **said).refused
    assert refused is not None
    assert sentence in refused["en"]
    assert refused["zh"]


def test_the_same_device_is_not_stopped_twice_at_a_time_and_an_overhaul_may_need_a_permit() -> None:
    drive = make(stop=StopPolicy(needs_permit=True))
    assert ask(drive, 1).refused is not None
    stopped = Plan(kind=StopKind.STOPPED, tags=("t1",))
    assert ask(drive, 2, plan=stopped).stop is not None, "a stop that is no overhaul needs none"
    assert ask(drive, 3, permit="P-1").refused is not None, "t1 is stopped already"
    assert ask(drive, 4, plan=Plan(kind=StopKind.OVERHAUL, tags=("t0",)), permit="P-1").stop is not None


def test_a_second_person_confirms_it_where_taking_out_of_service_needs_one() -> None:
    drive = make(second=SecondPerson(tiers={Verb.SUPPRESS: Tier.YELLOW}))
    waiting = ask(drive, 1)
    assert waiting.request is not None
    assert (waiting.stop, drive.desk.stops) == (None, {})
    assert ask(drive, 2).refused is not None, "it waits already"
    name = waiting.request.id
    assert ask(drive, 3, Verb.CONFIRM, name).refused is not None, "nobody confirms his own"
    done = ask(drive, 4, Verb.CONFIRM, name, who="Wang").stop
    assert done is not None
    assert (done.state, done.who, done.confirmed_by) == (StopState.RUNNING, "Li", "Wang")


def test_out_of_service_stays_and_passes_to_the_stop_when_it_ends_first() -> None:
    drive = make()
    drive.sample(1, 90, row=0)
    drive.ask(2, Verb.SUPPRESS, reason="probe", until_s=50)
    stop = ask(drive, 3).stop
    assert stop is not None
    assert how(drive, "t0") is Suppression.OUT_OF_SERVICE
    drive.tick(50)
    assert (drive.did(), drive.alarm.design) == (["unsuppressed", "suppressed"], stop.design)
