"""Tiers of hazard units: the book against the slow one of the documents, and what each event explains."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.command import Verb
from alerting.model.rule import Kind
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering, TierLine, lines_as_json, lines_of_json
from alerting.model.unit import HazardUnit
from alerting.tiering import Change, Standing, TierBook
from edge.model import Nature
from gateway.why import why
from tests.oracle.slow_tiering import Seen, SlowUnit
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import S, at, make_rule

TANK = HazardUnit(id="u0", kind="tank", grade=2)
WHERE = (Nature.ACTUAL, "u0")
ALARMS = ("a", "b", "c")
CONDITIONS = (("H", Tier.YELLOW), ("HH", Tier.ORANGE), ("L", Tier.BLUE), ("TREND", Tier.YELLOW), ("STALE", Tier.BLUE))
LAST_S = 40
BEGIN_S = 1_000

tiers = st.sampled_from((Tier.BLUE, Tier.YELLOW, Tier.ORANGE, Tier.RED))
whole = st.integers(0, 9).map(float)


@st.composite
def some_lines(draw: st.DrawFn) -> TierLine:
    near_s = draw(st.sampled_from((0.0, 0.0, 0.0, 5.0)))
    kinds = ("TREND",) if near_s else draw(st.sampled_from(((), ("H",), ("HH",), ("H", "HH"), ("TREND", "STALE"))))
    return TierLine(
        tier=draw(tiers),
        kinds=kinds,
        tier_least=draw(st.sampled_from((Tier.BLUE, Tier.YELLOW))),
        count=draw(st.integers(1, 3)),
        for_s=0.0 if near_s else draw(whole),
        time_to_limit_s=near_s,
        lower_after_s=draw(whole),
    )


#: At each second one alarm at most becomes what it says: None for not active.
stories = st.lists(
    st.tuples(st.sampled_from(ALARMS), st.none() | st.sampled_from(CONDITIONS), st.sampled_from((2.0, 9.0)))
    | st.none(),
    min_size=LAST_S,
    max_size=LAST_S,
)


def make_alarm(key: str, condition: str, tier: Tier, **more: object) -> Alarm:
    plain = Alarm(
        key=key,
        nature=Nature.ACTUAL,
        tag=f"t.{key}",
        unit="u0",
        group="high",
        id=f"id.{key}",
        state=State.UNACK,
        tier=tier,
        condition=condition,
        value=5.1,
        setpoint=5.0,
    )
    return replace(plain, **more)  # type: ignore[arg-type]


def second(at_ns: int) -> int:
    assert at_ns % S == 0
    return at_ns // S - BEGIN_S


class Played:
    """A story played to a book; ``looks`` at each second or only when something happens."""

    def __init__(self, policy: Tiering, story: list[object], *, is_watched: bool, stop: int | None = None) -> None:
        self.policy, self.is_watched = policy, is_watched
        self.book = TierBook(policy, [TANK])
        self.slow = SlowUnit([line for line in policy.lines if line.tier], policy.lower_after_s)
        self.changes: list[Change] = []
        self.alarms: dict[str, Alarm] = {}
        seen: dict[str, Seen] = {}
        for t, step in enumerate(story):
            if t == stop:
                self._restart(t)
            seen = self._play(t, step, seen)
            self.slow.story.append(dict(seen))
            if is_watched:
                self.changes += self.book.pass_time(self.ns(t))
                assert self.book.tier(WHERE) is self.slow.tier(t), t
        self.changes += self.book.pass_time(self.ns(len(story) - 1))

    def ns(self, t: int) -> int:
        return (BEGIN_S + t) * S

    def _play(self, t: int, step: object, seen: dict[str, Seen]) -> dict[str, Seen]:
        if step is None:
            return seen
        key, what, near_s = step  # type: ignore[misc]
        self.changes += self.book.pass_time(self.ns(t) - 1)
        if what is None:
            alarm = replace(self.alarms.get(key, make_alarm(key, "H", Tier.NONE)), state=State.NORMAL, tier=Tier.NONE)
            seen = {k: v for k, v in seen.items() if k != key}
        else:
            alarm = make_alarm(key, *what)
            old = seen.get(key)
            known_s = near_s if what[0] == "TREND" else float("inf") if old is None else old.time_to_limit_s
            seen = {**seen, key: Seen(*what, known_s)}
        self.alarms[key] = alarm
        self._take(self.book.note(alarm, self.ns(t)))
        if what is not None and what[0] == "TREND" and any(one.key == key for _, one in self.book.approaching()):
            self._take(self.book.approach(WHERE, key, near_s, self.ns(t)))
        return seen

    def _take(self, change: Change | None) -> None:
        if change is not None:
            self.changes.append(change)

    def _restart(self, t: int) -> None:
        kept = self.book.standings()
        self.book = TierBook(self.policy, [TANK])
        self.book.adopt(self.alarms.values(), kept, self.ns(t))
        self.changes += self.book.pass_time(self.ns(t) - 1)
        assert list(self.book.settle_all(self.ns(t) - 1)) == []


@settings(max_examples=300, deadline=None, derandomize=True)
@given(lines=st.lists(some_lines(), max_size=3), own_s=whole, story=stories)
def test_the_tier_is_that_of_the_documents_at_every_second(
    lines: list[TierLine], own_s: float, story: list[object]
) -> None:
    Played(Tiering(lines=tuple(lines), lower_after_s=own_s), story, is_watched=True)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(lines=st.lists(some_lines(), max_size=3), own_s=whole, story=stories, stop=st.integers(0, LAST_S - 1))
def test_looking_seldom_and_a_restart_change_nothing(
    lines: list[TierLine], own_s: float, story: list[object], stop: int
) -> None:
    """What falls due between two looks happens at its own moment; a book that was killed goes on."""
    policy = Tiering(lines=tuple(lines), lower_after_s=own_s)
    often = Played(policy, story, is_watched=True).changes
    seldom = Played(policy, story, is_watched=False).changes
    killed = Played(policy, story, is_watched=False, stop=stop).changes

    said = [(second(change.at_ns), change.old, change.new) for change in often]
    assert [(second(change.at_ns), change.old, change.new) for change in seldom] == said
    assert [(second(change.at_ns), change.old, change.new) for change in killed] == said


@given(lines=st.lists(some_lines(), max_size=3))
def test_lines_survive_a_recording(lines: list[TierLine]) -> None:
    assert lines_of_json(lines_as_json(lines)) == tuple(lines)


def test_the_next_moment_is_known_before_it_comes() -> None:
    book = TierBook(Tiering(lines=(TierLine(tier=Tier.RED, kinds=("HH",), for_s=60.0),)), [TANK])
    assert book.next_due_ns is None
    book.note(make_alarm("a", "HH", Tier.ORANGE), at(0))
    assert book.next_due_ns == at(60)
    (change,) = book.pass_time(at(100))
    assert (change.at_ns, change.new) == (at(60), Tier.RED)
    assert book.next_due_ns is None


@pytest.mark.parametrize(
    ("suppression", "tier"),
    [
        (Suppression.SHELVED, Tier.ORANGE),
        (Suppression.BY_DESIGN, Tier.NONE),
        (Suppression.OUT_OF_SERVICE, Tier.NONE),
    ],
)
def test_a_shelf_keeps_the_tier_and_other_suppressions_leave_it(suppression: Suppression, tier: Tier) -> None:
    book = TierBook(Tiering(lower_after_s=0.0), [TANK])
    book.note(make_alarm("a", "HH", Tier.ORANGE), at(0))
    book.note(make_alarm("a", "HH", Tier.ORANGE, suppression=suppression), at(1))

    assert book.tier(WHERE) is tier


def test_a_line_is_about_its_units_only() -> None:
    line = TierLine(tier=Tier.RED, unit_kind="tank", grades=(1, 2))
    assert line.is_about(TANK)
    assert not line.is_about(replace(TANK, grade=3))
    assert not line.is_about(replace(TANK, kind="line"))
    assert TierLine(tier=Tier.RED, grades=(0,)).is_about(HazardUnit(id="Z", kind="zone"))


def test_what_a_restart_finds_under_another_policy_is_said() -> None:
    """A line that left the configuration no longer holds a unit up, and an event says so."""
    old = TierBook(Tiering(lines=(TierLine(tier=Tier.RED),)), [TANK])
    alarm = make_alarm("a", "H", Tier.YELLOW)
    old.note(alarm, at(0))
    new = TierBook(Tiering(), [TANK])
    new.adopt([alarm], old.standings(), at(10))

    assert new.tier(WHERE) is Tier.RED
    (change,) = new.settle_all(at(11))
    assert (change.old, change.new) == (Tier.RED, Tier.YELLOW)


def test_an_older_store_without_tiers_of_units_has_those_of_its_alarms() -> None:
    book = TierBook(Tiering(), [TANK])
    book.adopt([make_alarm("a", "HH", Tier.ORANGE)], [], at(0))

    assert book.tier(WHERE) is Tier.ORANGE
    assert list(book.settle_all(at(1))) == []


# ----------------------------------------------------------------------------------------------- through the desk


POLICY = Tiering(
    lines=(TierLine(tier=Tier.RED, unit_kind="tank", grades=(1, 2), kinds=("HH",), for_s=60.0, lower_after_s=30.0),),
    lower_after_s=10.0,
)
H = make_rule(Kind.H, 80.0, tier=Tier.YELLOW)
HH = make_rule(Kind.HH, 90.0, tier=Tier.ORANGE)


def units_of(drive: Drive) -> list[tuple[str, float, str, str]]:
    return [
        (event.what.value, (event.time_ns - at(0)) / S, event.cause["from"], event.tier.name)
        for event in drive.log
        if not event.alarm
    ]


def test_a_lasting_limit_raises_the_unit_at_the_clock_and_its_tasks_open() -> None:
    drive = Drive(H, HH, units=[TANK], tiering=POLICY).sample(1, 95)
    drive.tick(200)  # Nothing came meanwhile; the tag fell silent, which has no rule here.

    assert units_of(drive) == [("unit_raised", 1.0, "NONE", "ORANGE"), ("unit_raised", 61.0, "ORANGE", "RED")]
    event = drive.event_of("unit_raised")
    assert (event.received_ns, event.alarm) == (at(200), "")
    (entry,) = drive.outcome.entries.values()
    assert (entry.tier, entry.tier_max) == (Tier.RED, Tier.RED)
    assert why({**event.cause, "unit": event.unit, "tier": "RED"}, "en") == (
        "u0 (grade II) rises from ORANGE to RED: line 1 of the policy (HH for 60 s) holds: t0 95 ≥ HH 90"
    )


def test_a_tier_falls_after_its_time_and_the_entry_closes_then() -> None:
    drive = Drive(H, HH, units=[TANK], tiering=POLICY).sample(1, 95)
    drive.tick(62)
    drive.sample(70, 50)
    drive.ask(72, Verb.ACK)
    assert drive.desk.entries  # All alarms are normal, the unit is still RED.
    drive.tick(300)

    assert units_of(drive)[2:] == [("unit_lowered", 100.0, "RED", "NONE")]
    event = drive.event_of("unit_lowered")
    sentence = why({**event.cause, "unit": event.unit, "tier": event.tier.name}, "zh")
    assert sentence == (
        "u0(二级重大危险源) 由红色降至无:策略第 1 条(高高报持续 60 秒)已结束 30 秒;没有计入该单元的有效报警"
    )
    (entry,) = drive.outcome.entries.values()
    assert entry.closed_ns == at(100)
    assert drive.desk.entries == {}


def test_an_alarm_that_comes_back_in_time_keeps_unit_and_entry() -> None:
    drive = Drive(H, units=[TANK], tiering=POLICY).sample(1, 85).sample(2, 50)
    drive.ask(3, Verb.ACK)
    drive.sample(8, 85)
    (entry,) = drive.desk.entries.values()

    assert units_of(drive) == [("unit_raised", 1.0, "NONE", "YELLOW")]
    assert (entry.closed_ns, len(entry.alarms)) == (0, 2)


def test_each_standing_says_what_comes_next() -> None:
    drive = Drive(H, HH, units=[TANK], tiering=POLICY).sample(1, 95)
    (standing,) = drive.outcome.standings
    assert isinstance(standing, Standing)
    said = {**standing.facts, "unit": "u0", "tier": "ORANGE", "at_ns": at(21)}
    assert why(said, "en") == (
        "u0 (grade II) is ORANGE: the highest tier of its active alarms: t0 95 ≥ HH 90; "
        "RED follows in 40 s if this lasts (line 1)"
    )
    assert why(said, "zh").endswith("如持续 40 秒将升至红色(策略第 1 条)")


def test_what_a_standing_tells_follows_alarms_that_do_not_change_the_tier() -> None:
    """What the event of a tier said is kept for the commit, but only until anything changes."""
    book = TierBook(Tiering(), [TANK])
    change = book.note(make_alarm("a", "H", Tier.YELLOW), at(0))
    assert change is not None
    (standing,) = book.take_changed()
    assert standing.facts == {name: fact for name, fact in change.facts.items() if name != "from"}

    assert book.note(make_alarm("b", "H", Tier.YELLOW), at(1)) is None, "the tier stays"
    (standing,) = book.take_changed()
    assert (standing.facts["count"], [one["alarm"] for one in standing.facts["conditions"]]) == (2, ["id.a", "id.b"])
