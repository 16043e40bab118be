"""The ladder of calls: what begins, goes on and ends it; each step once, each call with a key of its own."""

from dataclasses import replace

import pytest

from alerting.escalation.ladder import Call, Ladder, Made, Reached, Stand, climb, follow
from alerting.escalation.plan import Plan, Step
from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.event import Event, What
from alerting.model.tier import Tier
from edge.model import Nature

S = 1_000_000_000
PLAN = Plan(
    id="night",
    tiers=(Tier.RED, Tier.ORANGE),
    after_s=30,
    rounds=2,
    remind_s=600,
    steps=(
        Step(to="post:board", channel="sms", wait_s=60),
        Step(to="post:fire", channel="sms", wait_s=120),
        Step(to="leader", channel="voice", wait_s=300),
    ),
)
WHO = {"post:board": ["li", "wang"], "post:fire": [], "leader": ["zhao"]}
ALARM = Alarm(key="k", id="a1", nature=Nature.ACTUAL, tag="T.v", unit="T", group="high", state=State.UNACK)


def resolve(to: str) -> list[Reached]:
    return [Reached(person=name) for name in WHO[to]]


def event(what: What, at_s: float, tier: Tier = Tier.ORANGE, alarm: str = "a1", suppression: str = "none") -> Event:
    return Event(
        id=f"e{at_s}", what=what, time_ns=0, received_ns=round(at_s * S), nature=Nature.ACTUAL, unit="T",
        alarm=alarm, alarm_key="k", tag="T.v", tier=tier, suppression=suppression,
    )  # fmt: skip


def ladder(**more: object) -> Ladder:
    begun = follow(None, event(What.RAISED, 0), ALARM, [PLAN])
    assert begun is not None
    return replace(begun, **more)  # type: ignore[arg-type]


def run(one: Ladder, alarm: Alarm = ALARM, plan: Plan | None = PLAN) -> list[tuple[float, list[tuple[Made, str, str]]]]:
    """Climb until nothing is due; give when what was done."""
    told = []
    while one.due_ns:
        now_ns = one.due_ns
        one, calls = climb(one, alarm, plan, resolve, now_ns)
        told.append((now_ns / S, [(call.what, call.person, call.channel) for call in calls]))
        assert len(told) < 100
    return told


def test_people_are_called_step_by_step_and_round_by_round() -> None:
    board = [(Made.CALL, "li", "sms"), (Made.CALL, "wang", "sms")]
    leader = [(Made.NOBODY, "", "sms"), (Made.CALL, "zhao", "voice")]  # The fire post is empty: passed by at once.

    assert run(ladder()) == [
        (30.0, board),
        (90.0, leader),
        (390.0, board),
        (450.0, leader),
        (750.0, [(Made.EXHAUSTED, "", "voice")]),
    ]


def test_every_call_has_a_key_of_its_own_over_rounds_and_episodes() -> None:
    keys: list[str] = []
    for one in (ladder(), ladder(generation=2), ladder(alarm="a2")):
        at, alarm = one, replace(ALARM, id=one.alarm)
        while at.due_ns:
            at, calls = climb(at, alarm, PLAN, resolve, at.due_ns)
            keys += [call.key for call in calls]

    assert len(keys) == 3 * 9
    assert len(set(keys)) == len(keys)


def test_the_same_step_has_the_same_key_again() -> None:
    """A crash before the commit takes it anew; what was sent under the key is known to the receiver."""
    assert climb(ladder(), ALARM, PLAN, resolve, 30 * S) == climb(ladder(), ALARM, PLAN, resolve, 30 * S)


ACKED = replace(ALARM, state=State.ACKED)
GONE = replace(ALARM, state=State.RTN_UNACK)


@pytest.mark.parametrize(
    ("what", "alarm", "stand", "due_s"),
    [
        (What.ACKNOWLEDGED, ACKED, Stand.REMINDING, 610.0),
        (What.ACKNOWLEDGED, replace(ALARM, state=State.NORMAL), Stand.ENDED, 0.0),
        (What.RETURNED, GONE, Stand.ENDED, 0.0),
        (What.CLEARED, replace(ALARM, state=State.NORMAL), Stand.ENDED, 0.0),
        (What.SHELVED, replace(ALARM, suppression=Suppression.SHELVED), Stand.ENDED, 0.0),
        (What.SUPPRESSED, replace(ALARM, suppression=Suppression.OUT_OF_SERVICE), Stand.ENDED, 0.0),
        (What.LOWERED, ALARM, Stand.CLIMBING, 30.0),
        (What.CHANGED, ALARM, Stand.CLIMBING, 30.0),
        (What.ESCALATED, ALARM, Stand.CLIMBING, 30.0),
        (What.REALARMED, ALARM, Stand.CLIMBING, 30.0),
    ],
)
def test_what_each_event_does_to_a_climbing_ladder(what: What, alarm: Alarm, stand: Stand, due_s: float) -> None:
    after = follow(ladder(), event(what, 10), alarm, [PLAN])

    assert after is not None
    assert (after.stand, after.due_ns / S) == (stand, due_s)


@pytest.mark.parametrize("was", [Stand.REMINDING, Stand.ENDED, Stand.EXHAUSTED])
@pytest.mark.parametrize("what", [What.ESCALATED, What.REALARMED, What.RAISED])
def test_what_rings_anew_is_called_anew_under_new_keys(was: Stand, what: What) -> None:
    before = ladder(stand=was, due_ns=0, step=2, round=1)
    after = follow(before, event(what, 100), ALARM, [PLAN])

    assert after is not None
    assert (after.stand, after.step, after.round, after.due_ns) == (Stand.CLIMBING, 0, 0, 130 * S)
    assert after.generation == before.generation + 1


def test_a_rise_goes_on_where_the_same_plan_climbs_and_begins_where_another_does() -> None:
    red = replace(PLAN, id="red", tiers=(Tier.RED,), after_s=0)
    before = ladder(step=2)

    same = follow(before, event(What.ESCALATED, 50, Tier.RED), ALARM, [PLAN])
    other = follow(before, event(What.ESCALATED, 50, Tier.RED), ALARM, [red, PLAN])
    none = follow(before, event(What.ESCALATED, 50, Tier.RED), ALARM, [replace(PLAN, tiers=(Tier.ORANGE,))])

    assert same is not None
    assert other is not None
    assert (same.step, same.tier) == (2, Tier.RED)
    assert (other.plan, other.step, other.due_ns) == ("red", 0, 50 * S)
    assert none == before, "who is called already goes on being called when it gets worse"


@pytest.mark.parametrize(
    "quiet",
    [
        (event(What.RAISED, 0, Tier.YELLOW), ALARM),
        (event(What.RAISED, 0, suppression="shelved"), replace(ALARM, suppression=Suppression.SHELVED)),
        (replace(event(What.RAISED, 0), is_late=True), ALARM),
        (event(What.RAISED, 0), None),
    ],
)
def test_nobody_is_called_about_what_no_plan_is_for_or_what_is_silenced(quiet: tuple[Event, Alarm | None]) -> None:
    assert follow(None, quiet[0], quiet[1], [PLAN]) is None


def test_an_old_episodes_answer_does_not_end_a_new_ones_calls() -> None:
    assert follow(ladder(), event(What.ACKNOWLEDGED, 10, alarm="a0"), ACKED, [PLAN]) == ladder()


@pytest.mark.parametrize(
    ("alarm", "plan"),
    [
        (None, PLAN),
        (replace(ALARM, id="a2"), PLAN),
        (ACKED, PLAN),
        (GONE, PLAN),
        (replace(ALARM, suppression=Suppression.SHELVED), PLAN),
        (ALARM, None),
    ],
)
def test_a_step_that_falls_due_looks_again_whether_it_is_wanted(alarm: Alarm | None, plan: Plan | None) -> None:
    after, calls = climb(ladder(), alarm, plan, resolve, 30 * S)

    assert (after.stand, after.due_ns, calls) == (Stand.ENDED, 0, [])


def test_who_acknowledged_is_reminded_for_as_long_as_it_stands() -> None:
    one = follow(ladder(), event(What.ACKNOWLEDGED, 40), ACKED, [PLAN])
    assert one is not None
    keys: set[str] = set()
    for place in range(3):
        assert one.due_ns == (640 + 600 * place) * S
        one, calls = climb(one, ACKED, PLAN, resolve, one.due_ns)
        assert [(call.what, call.person) for call in calls] == [(Made.REMINDER, "li"), (Made.REMINDER, "wang")]
        keys |= {call.key for call in calls}
    assert len(keys) == 6
    assert follow(one, event(What.RETURNED, 3000), replace(ACKED, state=State.NORMAL), [PLAN]).due_ns == 0  # type: ignore[union-attr]


def test_a_round_that_reaches_nobody_is_tried_again_when_a_shift_may_have_begun() -> None:
    def nobody(_to: str) -> list[Reached]:
        return []

    after, calls = climb(ladder(), ALARM, PLAN, nobody, 30 * S)

    assert [call.what for call in calls] == [Made.NOBODY] * 3
    assert (after.stand, after.round, after.due_ns) == (Stand.CLIMBING, 1, 330 * S)
    after, calls = climb(after, ALARM, PLAN, nobody, after.due_ns)
    assert (after.stand, [call.what for call in calls][-1]) == (Stand.EXHAUSTED, Made.EXHAUSTED)


def test_a_plan_that_lost_steps_goes_on_with_its_next_round() -> None:
    short = replace(PLAN, steps=PLAN.steps[:1])
    after, calls = climb(ladder(step=2), ALARM, short, resolve, 30 * S)

    assert [call.person for call in calls] == ["li", "wang"]
    assert (after.round, after.step) == (1, 1)


def test_calls_tell_their_place() -> None:
    after, calls = climb(ladder(round=1, step=2), ALARM, PLAN, resolve, 30 * S)

    assert isinstance(calls[0], Call)
    assert (calls[0].round, calls[0].step, calls[0].to) == (1, 2, "leader")
    assert after.due_ns == 330 * S
