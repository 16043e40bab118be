"""Occupancy: what gates count, what cannot be believed, and when it is set to 0."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.derived.daily import next_daily_ns
from alerting.core.derived.state import DerivedState, freeze, thaw
from alerting.model.command import Command, Verb
from alerting.model.derivation import Derivation
from tests.unit.alerting.core.derived.scene import START_NS, S, Scene, derivation

GATES = {"in": ["a", "b"], "out": ["c"]}


def zone(counting: str = "total", reset_at: str = "", **numbers: float) -> Derivation:
    words = {"counting": counting, "reset_at": reset_at, "timezone": "Asia/Shanghai"}
    return derivation("N", "occupancy", {**GATES, "empty": "e"}, numbers=numbers, words=words)


def scene_of(one: Derivation, **more: float) -> Scene:
    return Scene([one], ["a", "b", "c", "e"], stale_s=30.0, **more)  # type: ignore[arg-type]


def state_of(scene: Scene) -> dict[str, np.ndarray]:
    return next(iter(scene.desk.derived_states.values())).of_group[0]


def test_totals_count_from_the_first_sample_on() -> None:
    scene = scene_of(zone())
    scene.feed(1.0, a=1_000_500, b=40.0, c=1_000_000)
    assert scene.value("N") == 0.0, "who came before is not known"
    scene.feed(2.0, a=1_000_510, b=42.0, c=1_000_003)
    assert (scene.value("N"), scene.quality("N")) == (9.0, "GOOD")


def test_it_is_never_negative_and_what_was_below_is_drift() -> None:
    scene = scene_of(zone())
    scene.feed(1.0, a=0.0, b=0.0, c=0.0)
    scene.feed(2.0, a=2.0, b=0.0, c=5.0)
    assert scene.value("N") == 0.0
    scene.feed(3.0, a=4.0, b=0.0, c=5.0)
    assert scene.value("N") == 2.0
    assert state_of(scene)["drift"][0] == 3.0


def test_a_gate_that_was_away_is_caught_up() -> None:
    scene = scene_of(zone())
    scene.feed(1.0, a=0.0, b=0.0, c=0.0)
    scene.feed(2.0, a=float("nan"))
    assert scene.quality("N") == "BAD(input)"
    scene.feed(20.0, a=30.0, b=0.0, c=10.0)
    assert (scene.value("N"), scene.quality("N")) == (20.0, "GOOD")


@pytest.mark.parametrize("count", [-1.0, 1e9])
def test_a_step_that_nobody_can_walk_counts_nothing_and_is_said_until_the_reset(count: float) -> None:
    scene = scene_of(zone())
    scene.feed(1.0, a=100.0, b=0.0, c=0.0)
    scene.feed(2.0, a=105.0, b=0.0, c=0.0)
    scene.feed(3.0, a=count, b=0.0, c=0.0)
    assert (scene.value("N"), scene.quality("N")) == (5.0, "UNCERTAIN(incomplete)")
    scene.feed(4.0, a=count + 2, b=0.0, c=0.0)
    assert (scene.value("N"), scene.quality("N")) == (7.0, "UNCERTAIN(incomplete)")
    scene.feed(5.0, e=1.0)
    assert (scene.value("N"), scene.quality("N")) == (0.0, "GOOD")


def test_a_counter_of_16_bits_begins_anew() -> None:
    scene = scene_of(zone(rollover=65536.0))
    scene.feed(1.0, a=65530.0, b=0.0, c=0.0)
    scene.feed(2.0, a=4.0, b=0.0, c=0.0)
    assert (scene.value("N"), scene.quality("N")) == (10.0, "GOOD")


def test_counts_of_an_interval_are_each_counted_once() -> None:
    """Each scan computes anew; a gate of another source that says nothing new must not count twice."""
    one = derivation(
        "N",
        "occupancy",
        {"in": ["a"], "out": ["x/c"]},
        words={"counting": "interval", "reset_at": "", "timezone": "UTC"},
    )
    scene = Scene([one], ["a", "x/c"], stale_s=30.0)
    scene.feed(1.0, a=3.0)
    scene.feed(1.0, x__c=1.0)
    scene.feed(2.0, x__c=0.0)
    scene.feed(3.0, a=2.0)
    assert scene.value("N") == 4.0
    scene.feed(4.0, a=float("nan"))
    scene.feed(5.0, a=1.0)
    assert (scene.value("N"), scene.quality("N")) == (5.0, "UNCERTAIN(incomplete)"), "an interval was lost"


def test_a_door_that_says_empty_resets_and_a_broken_door_does_not() -> None:
    scene = scene_of(zone())
    scene.feed(1.0, a=0.0, b=0.0, c=0.0, e=0.0)
    scene.feed(2.0, a=7.0, b=0.0, c=0.0)
    scene.feed(3.0, e=float("nan"))
    assert (scene.value("N"), scene.quality("N")) == (7.0, "GOOD")
    scene.feed(4.0, e=1.0)
    assert scene.value("N") == 0.0
    assert state_of(scene)["drift"][0] == 7.0
    scene.feed(5.0, e=0.0, a=9.0, b=0.0, c=0.0)
    assert scene.value("N") == 2.0


def test_it_is_set_to_zero_at_a_local_time_of_day() -> None:
    """The scene begins at 08:00 in Shanghai; 04:00 is 20 hours later."""
    scene = scene_of(zone(reset_at="04:00"))
    scene.feed(1.0, a=0.0, b=0.0, c=0.0)
    due_s = 20 * 3600.0
    scene.feed(due_s - 30, a=12.0, b=0.0, c=0.0)
    assert scene.value("N") == 12.0
    scene.feed(due_s, a=13.0, b=0.0, c=0.0)
    assert (scene.value("N"), scene.quality("N")) == (1.0, "GOOD")
    scene.feed(due_s + 30, a=15.0, b=0.0, c=0.0)
    assert scene.value("N") == 3.0
    assert int(state_of(scene)["resets"][0]) == 1


def test_a_pause_over_the_reset_is_said() -> None:
    scene = scene_of(zone(reset_at="04:00"))
    scene.feed(1.0, a=0.0, b=0.0, c=0.0)
    scene.feed(22 * 3600.0, a=12.0, b=0.0, c=2.0)
    assert (scene.value("N"), scene.quality("N")) == (10.0, "UNCERTAIN(incomplete)")


@pytest.mark.parametrize(
    ("zone_", "after", "minutes", "local"),
    [
        ("Asia/Shanghai", "2026-01-01T00:00:00+00:00", 240, "2026-01-02T04:00:00"),
        ("Europe/Berlin", "2026-03-29T00:30:00+00:00", 150, "2026-03-29T03:30:00"),  # 02:30 does not exist that day
        ("Europe/Berlin", "2026-10-25T00:00:00+00:00", 150, "2026-10-25T02:30:00"),  # it exists twice; the first
        ("UTC", "2026-01-01T04:00:00+00:00", 240, "2026-01-02T04:00:00"),  # strictly after
    ],
)
def test_the_next_time_of_day(zone_: str, after: str, minutes: int, local: str) -> None:
    after_ns = round(datetime.fromisoformat(after).timestamp()) * S
    found = datetime.fromtimestamp(next_daily_ns(after_ns, minutes, zone_) / S, UTC).astimezone(ZoneInfo(zone_))

    assert found.replace(tzinfo=None).isoformat() == local
    assert found.fold == 0


def test_totals_survive_a_crash_to_the_last_person() -> None:
    """State of ten seconds ago, counters of now: the difference brings the missed ones along."""
    scene = scene_of(zone())
    scene.feed(1.0, a=0.0, b=0.0, c=0.0)
    scene.feed(2.0, a=10.0, b=0.0, c=0.0)
    saved = freeze(scene.desk.derived, next(iter(scene.desk.derived_states.values())))
    saved = {name: column.copy() for name, column in saved.items()}
    scene.feed(3.0, a=20.0, b=0.0, c=1.0)
    scene.feed(12.0, a=25.0, b=0.0, c=3.0)

    again = scene_of(zone(), start_s=15.0)
    nature = again.tags[0].nature
    again.desk.memory(nature)
    thaw(again.desk.derived, again.desk.derived_states[nature], saved)
    again.feed(16.0, a=26.0, b=0.0, c=3.0)
    assert again.value("N") == 23.0


def test_one_that_is_computed_otherwise_starts_anew() -> None:
    scene = scene_of(zone())
    scene.feed(1.0, a=0.0, b=0.0, c=0.0)
    scene.feed(2.0, a=10.0, b=0.0, c=0.0)
    saved = freeze(scene.desk.derived, next(iter(scene.desk.derived_states.values())))
    other = scene_of(zone("interval"))
    state = DerivedState.fresh(other.desk.derived, START_NS)
    thaw(other.desk.derived, state, saved)

    assert state.of_group[0]["persons"][0] == 0.0


walks = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(0, 5), st.booleans()), min_size=1, max_size=40
)


@settings(max_examples=80, deadline=None)
@given(walks=walks)
def test_against_counting_on_fingers(walks: list[tuple[int, int, int, bool]]) -> None:
    """A scalar oracle: increments, never below 0, a door that says empty."""
    scene = scene_of(zone())
    a, b, c = 100, 200, 300
    scene.feed(1.0, a=a, b=b, c=c, e=0.0)
    inside = drift = 0
    for at, (da, db, dc, is_empty) in enumerate(walks, start=2):
        a, b, c = a + da, b + db, c + dc
        scene.feed(float(at), a=a, b=b, c=c, e=float(is_empty))
        inside += da + db - dc
        drift += max(-inside, 0)
        inside = max(inside, 0)
        if is_empty:
            drift, inside = drift + inside, 0
        assert scene.value("N") == inside
    assert state_of(scene)["drift"][0] == drift


def test_an_operator_says_that_nobody_is_inside() -> None:
    scene = scene_of(zone())
    scene.feed(1.0, a=0.0, b=0.0, c=0.0)
    scene.feed(2.0, a=7.0, b=0.0, c=0.0)
    scene.desk.begin(START_NS + 3 * S)
    for tag in ("N", "a", "none"):
        scene.desk.obey(Command(verb=Verb.EMPTY, alarm=tag, who="li", received_ns=START_NS, reason="searched"))
    answers = scene.desk.finish().answers

    assert [answer.refused is None for answer in answers] == [True, False, False]
    scene.feed(4.0, a=8.0, b=0.0, c=0.0)
    assert scene.value("N") == 1.0


# ------------------------------------------------------------------------------------------------- by the clock alone

#: START_NS is 08:00 in Shanghai; an hour later nobody has come through a gate for a while.
HOUR_S = 3600.0


def night() -> tuple[Scene, Derivation, Derivation]:
    one = zone(reset_at="09:00")
    load = derivation("L", "room_load", {"persons": ["N"]}, numbers={"persons_most": 10.0})
    scene = Scene([one, load], ["a", "b", "c", "e"], stale_s=7200.0)
    scene.feed(1.0, a=0.0, b=0.0, c=0.0, e=0.0)
    scene.feed(HOUR_S - 30.0, a=7.0, b=0.0, c=2.0, e=0.0)
    return scene, one, load


def tick(scene: Scene, at_s: float) -> None:
    scene.desk.begin(START_NS + round(at_s * S))
    scene.made = scene.desk.finish().made


def test_the_reset_waits_for_no_sample() -> None:
    """The sample has the time of day itself, also where the tick is later; what hangs on it follows."""
    scene, _, _ = night()
    assert (scene.value("N"), scene.value("L")) == (5.0, 50.0)
    tick(scene, HOUR_S - 0.25)
    assert (scene.value("N"), scene.made) == (5.0, [])
    tick(scene, HOUR_S + 0.2)

    assert (scene.value("N"), scene.time_s("N"), scene.quality("N")) == (0.0, HOUR_S, "GOOD")
    assert (scene.value("L"), scene.time_s("L")) == (0.0, HOUR_S)
    assert [scan.times_ns.tolist() for scan in scene.made] == [[START_NS + 3600 * S]] * 2
    assert (state_of(scene)["drift"][0], state_of(scene)["resets"][0]) == (5.0, 1)
    tick(scene, HOUR_S + 10)
    assert scene.made == [], "once a day"
    scene.feed(HOUR_S + 20, a=9.0, b=0.0, c=2.0, e=0.0)
    assert scene.value("N") == 2.0


def test_the_desk_tells_when_the_time_of_day_comes() -> None:
    scene, _, _ = night()
    due_ns = scene.desk.next_due_ns()
    assert due_ns == START_NS + 3600 * S
    tick(scene, HOUR_S)
    later_ns = scene.desk.next_due_ns()
    assert later_ns is not None
    assert later_ns > START_NS + 3600 * S


def test_a_source_whose_clock_is_behind_has_its_own_time_of_day() -> None:
    """The gates' stamps are 40 s behind: so is their 09:00, and the desk says when that is by its own clock."""
    one = zone(reset_at="09:00")
    scene = Scene([one], ["a", "b", "c", "e"], stale_s=7200.0)
    for at_s in (1.0, 1800.0):
        scene.feed(at_s, a=at_s, b=0.0, c=0.0, e=0.0, received_s=at_s + 40)
    memory = next(iter(scene.desk.memories.values()))
    source = memory.source_of[scene.tags[scene.tags.row_of["N"]].source]
    memory.mark_ns[source], memory.mark_received_ns[source] = START_NS + 1800 * S, START_NS + 1840 * S
    assert scene.desk.next_due_ns() == START_NS + 3640 * S
    tick(scene, HOUR_S + 39)
    assert scene.made == []
    tick(scene, HOUR_S + 40)
    assert len(scene.made) == 1


def test_a_pause_over_the_time_of_day_is_said_by_the_clock_too() -> None:
    """Two minutes without a sample: who came before nine and who after cannot be told."""
    one = zone(reset_at="09:00")
    scene = Scene([one], ["a", "b", "c", "e"], stale_s=7200.0)
    scene.feed(1.0, a=0.0, b=0.0, c=0.0, e=0.0)
    tick(scene, HOUR_S + 1)

    assert (scene.value("N"), scene.quality("N")) == (0.0, "UNCERTAIN(incomplete)")


def test_some_are_always_inside() -> None:
    """``start_count``: 12 at the first sample and at each reset by the clock; a searched room is empty."""
    one = zone(reset_at="09:00", start_count=12.0)
    scene = Scene([one], ["a", "b", "c", "e"], stale_s=7200.0)
    scene.feed(1.0, a=500.0, b=0.0, c=100.0, e=0.0)
    assert scene.value("N") == 12.0
    scene.feed(HOUR_S - 5, a=507.0, b=0.0, c=104.0, e=0.0)
    assert scene.value("N") == 15.0
    tick(scene, HOUR_S)
    assert (scene.value("N"), state_of(scene)["drift"][0]) == (12.0, 3.0)
    scene.feed(HOUR_S + 5, a=507.0, b=0.0, c=104.0, e=1.0)
    assert scene.value("N") == 0.0
