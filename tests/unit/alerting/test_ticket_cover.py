"""Suppression by tickets: what special work keeps quiet, for how long, under which name, and what it never does."""

import pytest

from alerting.model.alarm import Suppression
from alerting.model.command import Command, Verb
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind
from alerting.model.stop import Plan, StopKind, StopState
from alerting.model.ticket_cover import WORKS, TicketSuppression
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.push.stop_words import stop_action
from alerting.register.ledgers.tickets import KINDS
from edge.model import Nature, Tag, TagTable
from gateway.why import why
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import at, make_rule

TAGS = TagTable(
    [
        Tag(name="flame", source="s0", unit="tank"),
        Tag(name="heat", source="s0", unit="nozzle"),
        Tag(name="other", source="s0", unit="other"),
        Tag(name="gas", source="s0", unit="tank"),
        Tag(name="shared", source="s0", unit="yard"),
    ]
)
UNITS = [HazardUnit(id="tank"), HazardUnit(id="nozzle", parent="tank"), HazardUnit(id="other"), HazardUnit(id="yard")]
RULES = [make_rule(Kind.H, 80.0, tag=tag, tier=Tier.YELLOW) for tag in ("flame", "heat", "other", "shared")]
GAS = make_rule(Kind.H, 80.0, tag="gas", tier=Tier.RED)
HOT = TicketSuppression(id="hot", work="hot")
PLAN = Plan(kind=StopKind.TICKET, unit="tank", work="hot", begins_ns=at(1))


def make(*declared: TicketSuppression) -> Drive:
    return Drive(*RULES, GAS, tags=TAGS, units=UNITS, philosophy=Philosophy(tickets=declared))


def opened(t_s: float, code: str = "HW-1", until_s: float = 100, plan: Plan = PLAN) -> Command:
    return Command(
        verb=Verb.STOP, alarm="", who=f"ticket:{code}", received_ns=at(t_s), reason="weld bracket", permit=code,
        until_ns=at(until_s), plan=plan,
    )  # fmt: skip


def closed(drive: Drive, t_s: float, **said: object) -> Command:
    (stop,) = drive.desk.stops.values()
    made: dict[str, object] = {"who": "ticket:HW-1", "received_ns": at(t_s), "reason": "closed", "plan": PLAN, **said}
    return Command(verb=Verb.RESUME, alarm=stop.id, **made)  # type: ignore[arg-type]


def quiet(drive: Drive) -> set[str]:
    return {alarm.tag for alarm in drive.desk.alarms.values() if alarm.suppression is Suppression.BY_DESIGN}


def ring_all(drive: Drive, t_s: float) -> None:
    for row in range(len(TAGS)):
        drive.sample(t_s + row, 90, row=row)


def test_the_kinds_are_those_of_the_ledger() -> None:
    assert tuple(choice.code for choice in KINDS) == WORKS


def test_it_quiets_its_unit_under_the_code_of_the_ticket_and_never_what_can_be_red() -> None:
    drive = make(HOT)
    drive.sample(1, 90, row=0)
    drive.tick(2, opened(2))
    assert drive.did() == ["suppressed"]
    cause = drive.event.cause
    assert (cause["by_design"], cause["reason"]) == ("@ticket.HW-1", "work ticket HW-1: weld bracket")
    facts = {**cause, "what": "suppressed", "tier": "YELLOW", "tag": "flame"}
    assert "by design (work ticket HW-1): weld bracket" in why(facts)
    assert "(设计抑制,作业票 HW-1),原因:weld bracket" in why(facts, "zh")
    ring_all(drive, 3)
    assert quiet(drive) == {"flame", "heat"}
    assert drive.desk.unit_tiers[Nature.ACTUAL, "tank"] is Tier.RED


@pytest.mark.parametrize(
    ("declared", "covered"),
    [
        ([TicketSuppression(id="a", work="space")], set()),
        ([], set()),
        ([TicketSuppression(id="a", work="hot", tags=("heat", "shared"))], {"heat"}),
        ([TicketSuppression(id="a", work="hot", units=("tank",), tags=("shared",))], {"shared"}),
        ([TicketSuppression(id="a", work="hot", units=("other",))], set()),
        ([TicketSuppression(id="a", work="hot", groups=("low",))], set()),
        ([TicketSuppression(id="a", work="hot", tags=("gas",), tier_most=Tier.RED)], {"gas"}),
        ([HOT, TicketSuppression(id="b", work="hot", tags=("gas",), tier_most=Tier.RED)], {"flame", "heat", "gas"}),
        ([TicketSuppression(id="a", work="hot", tier_most=Tier.BLUE)], set()),
    ],
)
def test_what_falls_quiet_is_what_is_declared_for_the_kind(
    declared: list[TicketSuppression], covered: set[str]
) -> None:
    drive = make(*declared)
    drive.tick(1, opened(1))
    ring_all(drive, 2)
    assert quiet(drive) == covered
    (stop,) = drive.desk.stops.values()
    assert stop.covered == len(covered)
    assert (stop_action(stop, 0) is None) == (not covered), "authorities hear of it where it quiets something"


def test_it_ends_with_its_ticket_or_at_its_end_by_itself_and_what_stands_rings_anew() -> None:
    drive = make(HOT)
    drive.tick(1, opened(1))
    drive.sample(2, 90, row=0)
    drive.tick(3, closed(drive, 3))
    assert drive.did() == ["unsuppressed", "realarmed"]
    assert drive.event_of("unsuppressed").cause["reason"] == "the work ticket that suppressed it has ended"
    assert not drive.desk.stops

    drive.tick(4, opened(4, "HW-2"))
    assert drive.did() == ["suppressed"]
    assert drive.desk.idle(at(100)) is None, "the clock has something to do"
    drive.tick(100)
    assert (drive.did(), drive.desk.stops) == (["unsuppressed", "realarmed"], {})
    (over,) = drive.outcome.stops.values()
    assert (over.state, over.over_ns) == (StopState.ENDED, at(100)), "nobody is asked for a device"
    assert [remark["kind"] for remark in drive.outcome.remarks] == ["ticket_over"]


def test_another_end_leaves_no_gap_and_two_tickets_end_apart() -> None:
    drive = make(HOT)
    drive.sample(1, 90, row=0)
    drive.tick(2, opened(2))
    drive.tick(3, opened(3, until_s=50), Command(
        verb=Verb.RESUME, alarm=next(iter(drive.desk.stops)), who="ticket", received_ns=at(3), plan=PLAN
    ))  # fmt: skip
    assert drive.did() == []
    drive.tick(4, opened(4, "HW-2", until_s=80))
    drive.tick(50)
    assert quiet(drive) == {"flame"}
    assert [alarm.design for alarm in drive.desk.alarms.values()] == ["@ticket.HW-2"]
    drive.tick(80)
    assert quiet(drive) == set()


def test_a_restart_takes_it_up_and_one_that_ended_meanwhile_rings() -> None:
    drive = make(HOT)
    drive.tick(1, opened(1))
    drive.sample(2, 90, row=0)
    for when, still in ((50, {"flame"}), (500, set())):
        again = make(HOT)
        again.desk.memories = drive.desk.memories
        again.desk.adopt(drive.desk.alarms.values(), [], stops=drive.desk.stops.values())
        again.tick(when)
        assert quiet(again) == still
    undeclared = make()
    undeclared.desk.memories = drive.desk.memories
    undeclared.desk.adopt(drive.desk.alarms.values(), [], stops=drive.desk.stops.values())
    undeclared.tick(50)
    assert quiet(undeclared) == set(), "the configuration declares it no longer"


def test_people_neither_extend_nor_end_it_and_what_is_past_or_nowhere_is_refused() -> None:
    drive = make(HOT)
    drive.tick(1, opened(1))
    (stop,) = drive.desk.stops.values()
    for verb in (Verb.EXTEND, Verb.RESUME):
        drive.tick(2, Command(verb=verb, alarm=stop.id, who="Li", received_ns=at(2), reason="x", until_ns=at(900)))
        refused = drive.outcome.answers[0].refused
        assert refused is not None
        assert "HW-1" in refused["en"]
    drive.tick(3, opened(3, until_s=3))
    assert drive.outcome.answers[0].refused is not None
    drive.tick(4, opened(4, plan=Plan(kind=StopKind.TICKET, unit="nowhere", work="hot")))
    assert drive.outcome.answers[0].refused is not None
    assert list(drive.desk.stops) == [stop.id]
    drive.tick(5, Command(verb=Verb.STOP, alarm="", who="Li", received_ns=at(5), reason="x", until_ns=at(900),
                          plan=Plan(kind=StopKind.OVERHAUL, unit="tank")))  # fmt: skip
    assert drive.outcome.answers[0].stop is not None, "an overhaul beside a ticket is no repetition"
