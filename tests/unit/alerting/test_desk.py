"""The desk: commands and their refusals, suppression and its end, unit tiers, register entries, tasks, natures."""

from dataclasses import replace

import pytest

from alerting.model.alarm import Alarm, State, Suppression, digest
from alerting.model.command import Verb
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind
from alerting.model.shelving import Shelving
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.register.episode import Entry
from alerting.response.task import TaskTemplate
from edge.model import Nature, Tag, TagTable
from tests.unit.alerting.core.drive import SITE, Drive
from tests.unit.alerting.core.scene import at, make_rule, make_scan

H = make_rule(Kind.H, 80.0, tier=Tier.YELLOW)
HH = make_rule(Kind.HH, 90.0, tier=Tier.ORANGE)
DAY_S = 86_400


def make_site(*units: str, nature: Nature = Nature.ACTUAL) -> TagTable:
    return TagTable([Tag(name=f"t{n}", source="s0", unit=unit, nature=nature) for n, unit in enumerate(units)])


def high(*names: str, **more: object) -> list:
    return [make_rule(Kind.H, 80.0, tag=name, tier=Tier.YELLOW, **more) for name in names]


def entries(drive: Drive) -> list[Entry]:
    return list(drive.outcome.entries.values())


# ------------------------------------------------------------------------------------------------------ acknowledging


def test_acknowledging_keeps_name_comment_and_time() -> None:
    drive = Drive(H).sample(1, 85)
    answer = drive.ask(3, Verb.ACK, reason="on my way")

    assert answer.refused is None
    assert answer.alarm == drive.alarm
    assert drive.did() == ["acknowledged"]
    alarm = drive.alarm
    assert (alarm.state, alarm.acked_by, alarm.comment, alarm.acked_ns) == (State.ACKED, "Li", "on my way", at(3))
    assert drive.event.cause == {"who": "Li", "reason": "on my way"}
    assert drive.outcome.alarms == {alarm.key: alarm}


def test_acknowledging_twice_changes_nothing_and_is_no_refusal() -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.ACK)
    before = drive.alarm
    answer = drive.ask(3, Verb.ACK, reason="again")

    assert (answer.refused, answer.alarm) == (None, before)
    assert drive.outcome.events == []


def test_acknowledging_what_returned_clears_it() -> None:
    drive = Drive(H).sample(1, 85).sample(2, 50)
    drive.ask(3, Verb.ACK)

    assert drive.did() == ["acknowledged", "cleared"]
    assert (drive.alarm.state, drive.alarm.tier_max) == (State.NORMAL, Tier.NONE)


def test_acknowledging_what_is_normal_is_refused_with_a_sentence() -> None:
    drive = Drive(H).sample(1, 85).sample(2, 50)
    drive.ask(3, Verb.ACK)
    answer = drive.ask(4, Verb.ACK)

    assert answer.alarm is None
    assert answer.refused is not None
    assert answer.refused["en"].startswith("There is nothing to acknowledge")
    assert drive.outcome.events == []
    assert not drive.outcome.is_empty  # a refusal is answered, and kept


def test_what_latches_keeps_the_highest_tier_of_its_episode() -> None:
    """Acknowledged while it had sunk to YELLOW: latched afterwards, it is still what had been ORANGE."""
    drive = Drive(replace(H, is_latching=True), replace(HH, is_latching=True)).sample(1, 95).sample(2, 85)
    drive.ask(3, Verb.ACK)
    drive.sample(4, 50)

    assert (drive.alarm.state, drive.alarm.tier, drive.alarm.tier_max) == (State.LATCHED, Tier.NONE, Tier.ORANGE)
    drive.ask(5, Verb.RESET)
    assert drive.alarm.tier_max is Tier.NONE


def test_what_does_not_latch_keeps_it_until_acknowledged() -> None:
    drive = Drive(H, HH).sample(1, 95).sample(2, 85)
    drive.ask(3, Verb.ACK)

    assert (drive.alarm.state, drive.alarm.tier, drive.alarm.tier_max) == (State.ACKED, Tier.YELLOW, Tier.YELLOW)


def test_resetting_is_refused_until_returned_and_acknowledged() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, is_latching=True)).sample(1, 85)
    assert drive.ask(2, Verb.RESET).refused
    drive.sample(3, 50)
    assert drive.ask(4, Verb.RESET).refused
    drive.ask(5, Verb.ACK)
    assert drive.alarm.state is State.LATCHED
    assert drive.ask(6, Verb.RESET).refused is None
    assert drive.alarm.state is State.NORMAL


def test_an_unknown_alarm_is_refused() -> None:
    answer = Drive(H).ask(1, Verb.ACK, "no-such-alarm")

    assert answer.refused == {"en": "There is no such alarm.", "zh": "没有这条报警。"}


def test_the_id_of_an_episode_that_is_over_is_no_way_to_answer_the_next() -> None:
    """A page that is behind must not acknowledge what its user has not seen; and a desk must not grow for ever."""
    drive = Drive(H).sample(1, 85).sample(2, 50)
    first = drive.alarm.id
    drive.ask(3, Verb.ACK)
    drive.sample(4, 85)
    answer = drive.ask(5, Verb.ACK, first)

    assert answer.refused is not None
    assert drive.alarm.state is State.UNACK
    assert list(drive.desk.key_of_id) == [drive.alarm.id]


def test_the_key_of_an_alarm_reaches_its_present_episode() -> None:
    drive = Drive(H).sample(1, 85)

    assert drive.ask(2, Verb.ACK, drive.alarm.key).refused is None


# ----------------------------------------------------------------------------------------------- shelf, out of service


@pytest.mark.parametrize(
    ("verb", "longest_s"), [(Verb.SHELVE, 480 * 60), (Verb.SUPPRESS, 31 * 86_400)], ids=["shelf", "out"]
)
def test_a_suppression_has_a_reason_and_an_end_that_is_not_far_away(verb: Verb, longest_s: int) -> None:
    drive = Drive(H).sample(1, 85)
    for reason, until_s in [
        ("", 100),
        (" \t", 100),
        ("work", None),
        ("work", 10),
        ("work", 5),
        ("work", longest_s + 11),
    ]:
        answer = drive.ask(10, verb, reason=reason, until_s=until_s)
        assert answer.refused is not None, (reason, until_s)
        assert drive.alarm.suppression is Suppression.NONE

    assert drive.ask(10, verb, reason="work", until_s=longest_s + 10).refused is None


def test_a_shelf_is_no_state_and_the_alarm_goes_on_being_judged() -> None:
    drive = Drive(H, HH).sample(1, 85)
    drive.ask(2, Verb.SHELVE, reason="sensor drifts", until_s=600)

    assert drive.did() == ["shelved"]
    alarm = drive.alarm
    assert (alarm.state, alarm.suppression, alarm.suppressed_until_ns) == (
        State.UNACK,
        Suppression.SHELVED,
        at(600),
    )
    assert (alarm.suppressed_by, alarm.suppression_reason) == ("Li", "sensor drifts")
    assert drive.event.cause == {"who": "Li", "reason": "sensor drifts", "until_ns": at(600)}

    drive.sample(3, 95)
    assert (drive.did(), drive.event.suppression, drive.alarm.suppression) == (
        ["escalated"],
        "shelved",
        Suppression.SHELVED,
    )


@pytest.mark.parametrize(
    ("tier", "minutes", "en", "zh"),
    [
        (Tier.BLUE, 1440, "BLUE", "蓝色"),
        (Tier.YELLOW, 480, "YELLOW", "黄色"),
        (Tier.ORANGE, 240, "ORANGE", "橙色"),
        (Tier.RED, 60, "RED", "红色"),
    ],
)
def test_the_highest_tier_that_an_alarm_can_reach_limits_its_shelf(tier: Tier, minutes: int, en: str, zh: str) -> None:
    """Be it YELLOW or at rest now: it may rise to HH while it is shelved."""
    drive = Drive(replace(H, tier=min(H.tier, tier)), replace(HH, tier=tier)).sample(1, 85)
    answer = drive.ask(10, Verb.SHELVE, reason="work", until_s=10 + minutes * 60 + 0.001)

    assert answer.refused == {
        "en": f"An alarm that can reach {en} may be shelved for at most {minutes} minutes.",
        "zh": f"可达到{zh}预警的报警最长可搁置 {minutes} 分钟。",
    }
    assert drive.ask(10, Verb.SHELVE, reason="work", until_s=10 + minutes * 60).refused is None
    at_rest = Drive(H, replace(HH, tier=tier)).ask(
        10, Verb.SHELVE, digest(SITE, "actual", "t0", "high"), reason="work", until_s=20 + minutes * 60
    )
    assert at_rest.refused is not None


def test_a_rule_of_another_alarm_of_the_tag_does_not_shorten_the_shelf() -> None:
    drive = Drive(H, make_rule(Kind.L, 10.0, tier=Tier.RED)).sample(1, 85)
    assert drive.ask(2, Verb.SHELVE, reason="work", until_s=400 * 60).refused is None


def test_a_site_may_forbid_to_shelve_what_can_be_red() -> None:
    drive = Drive(
        H, replace(HH, tier=Tier.RED), philosophy=Philosophy(shelving=Shelving(minutes=(60, 60, 60, 0)))
    ).sample(1, 85)
    for is_one_shot in (False, True):
        answer = drive.ask(2, Verb.SHELVE, reason="work", until_s=3, is_one_shot=is_one_shot)
        assert answer.refused == {
            "en": "An alarm that can reach RED may not be shelved on this site.",
            "zh": "本站规定:可达到红色预警的报警不得搁置。",
        }


# ----------------------------------------------------------------------------------------------------- one-shot shelves


@pytest.mark.parametrize("is_acked", [False, True])
def test_a_one_shot_shelf_ends_with_the_return_and_what_trips_next_rings(*, is_acked: bool) -> None:
    drive = Drive(H).sample(1, 85)
    if is_acked:
        drive.ask(1.5, Verb.ACK)
    answer = drive.ask(2, Verb.SHELVE, reason="valve is being closed", is_one_shot=True)
    assert answer.refused is None
    assert drive.event.cause == {
        "who": "Li", "reason": "valve is being closed", "until_ns": at(2 + 480 * 60), "one_shot": True,
    }  # fmt: skip
    assert (drive.alarm.is_one_shot, drive.alarm.suppressed_until_ns) == (True, at(2 + 480 * 60))

    drive.sample(3, 50)
    assert drive.did() == ["cleared" if is_acked else "returned", "unshelved"]
    assert drive.event_of("unshelved").cause == {"who": "fengsui", "reason": "it returned to normal"}
    assert (drive.alarm.suppression, drive.alarm.is_one_shot) == (Suppression.NONE, False)
    assert drive.alarm.state is (State.NORMAL if is_acked else State.RTN_UNACK)

    drive.sample(4, 85)
    assert (drive.did(), drive.event.suppression, drive.alarm.state) == (["raised"], "none", State.UNACK)


def test_a_one_shot_shelf_ends_between_two_trips_of_one_tick() -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.SHELVE, reason="work", is_one_shot=True)
    drive.tick(5, make_scan(3, 50, number=7), make_scan(4, 85, number=8))

    assert drive.did() == ["returned", "unshelved", "raised"]
    assert drive.outcome.events[-1].suppression == "none"


def test_a_one_shot_shelf_does_not_end_with_another_tier() -> None:
    drive = Drive(H, HH).sample(1, 95)
    drive.ask(2, Verb.SHELVE, reason="work", is_one_shot=True)
    drive.sample(3, 85).sample(4, 95)
    assert (drive.did(), drive.alarm.is_one_shot) == (["escalated"], True)


@pytest.mark.parametrize("until_s", [None, 100])
def test_a_one_shot_shelf_ends_with_its_time_at_the_latest(until_s: float | None) -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.SHELVE, reason="work", until_s=until_s, is_one_shot=True)
    end_s = until_s or 2 + 480 * 60
    drive.tick(end_s - 0.001)
    assert drive.did() == []
    drive.tick(end_s)
    assert (drive.did(), drive.alarm.is_one_shot) == (["unshelved", "realarmed"], False)


def test_a_one_shot_shelf_of_what_is_not_active_is_refused() -> None:
    drive = Drive(H).sample(1, 85).sample(2, 50)
    answer = drive.ask(3, Verb.SHELVE, reason="work", is_one_shot=True)

    assert answer.refused == {
        "en": "A one-shot shelf lasts until the alarm returns to normal; it is not active now.",
        "zh": "单次搁置到报警恢复正常为止;该报警当前未触发。",
    }
    assert drive.alarm.suppression is Suppression.NONE


def test_a_one_shot_shelf_may_become_a_timed_one_and_back() -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.SHELVE, reason="work", is_one_shot=True)
    drive.ask(3, Verb.SHELVE, reason="work", until_s=100)
    drive.sample(4, 50)
    assert (drive.did(), drive.alarm.suppression) == (["returned"], Suppression.SHELVED)
    drive.sample(5, 85)
    drive.ask(6, Verb.SHELVE, reason="work", is_one_shot=True)
    drive.sample(7, 50)
    assert drive.did() == ["returned", "unshelved"]


def test_a_shelved_alarm_counts_for_its_unit_and_one_out_of_service_does_not() -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.SHELVE, reason="work", until_s=600)
    assert drive.did(units=True) == ["shelved"]
    assert drive.desk.unit_tiers[Nature.ACTUAL, "u0"] is Tier.YELLOW

    drive.ask(3, Verb.UNSHELVE)
    drive.ask(4, Verb.SUPPRESS, reason="permit 12", until_s=600)
    assert drive.did(units=True) == ["suppressed", "unit_lowered"]
    assert drive.desk.unit_tiers[Nature.ACTUAL, "u0"] is Tier.NONE


def test_out_of_service_rings_no_unit_and_opens_no_entry_until_it_ends() -> None:
    drive = Drive(H)
    key = digest(SITE, "actual", "t0", "high")
    drive.ask(1, Verb.SUPPRESS, key, reason="permit 12", until_s=10)
    drive.sample(2, 85)
    assert drive.did(units=True) == ["raised"]
    assert drive.event.suppression == "out_of_service"
    assert entries(drive) == []

    drive.tick(10)
    assert drive.did(units=True) == ["unsuppressed", "unit_raised", "realarmed"]
    assert [entry.alarms for entry in entries(drive)] == [(drive.alarm.id,)]


@pytest.mark.parametrize(
    ("verb", "ended"), [(Verb.SHELVE, "unshelved"), (Verb.SUPPRESS, "unsuppressed")], ids=["shelf", "out"]
)
@pytest.mark.parametrize("is_acked", [False, True])
def test_the_end_time_comes_with_the_clock_and_an_active_alarm_rings_anew(
    verb: Verb, ended: str, is_acked: bool
) -> None:
    drive = Drive(H).sample(1, 85)
    if is_acked:
        drive.ask(2, Verb.ACK)
    drive.ask(3, verb, reason="work", until_s=20)
    drive.tick(19.999)
    assert drive.did() == []

    drive.tick(20)
    assert drive.did() == [ended, "realarmed"]
    assert (drive.alarm.state, drive.alarm.suppression, drive.alarm.suppressed_until_ns) == (
        State.UNACK,
        Suppression.NONE,
        0,
    )
    assert drive.event_of(ended).cause["who"] == "fengsui"

    drive.tick(21)
    assert drive.did() == []


@pytest.mark.parametrize("state", [State.RTN_UNACK, State.NORMAL])
def test_a_suppression_that_ends_after_the_return_keeps_the_state(state: State) -> None:
    drive = Drive(H).sample(1, 85)
    if state is State.NORMAL:
        drive.ask(2, Verb.ACK)
    drive.ask(3, Verb.SHELVE, reason="work", until_s=20)
    drive.sample(4, 50)
    assert drive.alarm.state is state
    drive.tick(25)

    assert (drive.did(), drive.alarm.state) == (["unshelved"], state)


def test_unshelving_by_hand() -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.ACK)
    assert drive.ask(3, Verb.UNSHELVE).refused is not None
    drive.ask(4, Verb.SHELVE, reason="work", until_s=20)
    assert drive.ask(5, Verb.UNSUPPRESS).refused is not None
    drive.ask(6, Verb.UNSHELVE)
    assert (drive.did(), drive.alarm.state) == (["unshelved", "realarmed"], State.UNACK)

    drive.tick(25)
    assert drive.did() == []


def test_a_shelf_may_be_prolonged_but_not_turned_into_another_suppression() -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.SHELVE, reason="work", until_s=20)
    assert drive.ask(3, Verb.SUPPRESS, reason="permit", until_s=30).refused is not None
    assert drive.ask(4, Verb.SHELVE, reason="longer", until_s=40).refused is None
    drive.tick(20)
    assert drive.did() == []
    drive.tick(40)
    assert drive.did() == ["unshelved", "realarmed"]


def test_an_alarm_that_never_rang_can_be_shelved_by_its_key() -> None:
    drive = Drive(H)
    key = digest(SITE, "actual", "t0", "high")
    assert drive.ask(1, Verb.SHELVE, key, reason="commissioning", until_s=50).refused is None
    assert (drive.alarm.key, drive.alarm.id, drive.alarm.state) == (key, "", State.NORMAL)
    assert entries(drive) == []
    drive.ask(2, Verb.UNSHELVE, key)
    drive.sample(3, 85)
    ids = [event.id for event in drive.log]

    assert len(set(ids)) == len(ids)


def test_shelves_that_end_together_end_in_the_same_order_anywhere() -> None:
    names = [f"t{n}" for n in range(8)]
    drive = Drive(*high(*names), tags=make_site(*names))
    keys = [digest(SITE, "actual", name, "high") for name in names]
    for t_s, key in enumerate(keys, start=1):
        drive.ask(t_s, Verb.SHELVE, key, reason="work", until_s=50)
    drive.tick(60)

    assert [event.alarm_key for event in drive.outcome.events] == sorted(keys)


def test_suppression_outlives_the_episode() -> None:
    """The shelf hangs on the key: the next episode begins shelved."""
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.ACK)
    drive.ask(3, Verb.SHELVE, reason="work", until_s=100)
    drive.sample(4, 50).sample(5, 85)

    assert (drive.did(), drive.alarm.suppression, drive.event.suppression) == (
        ["raised"],
        Suppression.SHELVED,
        "shelved",
    )


# ------------------------------------------------------------------------------------------------------ units, entries


def test_the_units_tier_is_the_highest_of_its_active_alarms() -> None:
    tags = make_site("TK-1", "TK-1", "TK-2")
    drive = Drive(*high("t0", "t2"), make_rule(Kind.HH, 90.0, tag="t1", tier=Tier.ORANGE), tags=tags)
    said = []
    for t_s, (row, value) in enumerate([(0, 85), (1, 95), (2, 85), (1, 0), (0, 0), (2, 0)], start=1):
        drive.sample(t_s, value, row=row)
        said += [(e.what.value, e.unit, e.tier.name, e.cause["from"]) for e in drive.outcome.events if not e.alarm]

    assert said == [
        ("unit_raised", "TK-1", "YELLOW", "NONE"),
        ("unit_raised", "TK-1", "ORANGE", "YELLOW"),
        ("unit_raised", "TK-2", "YELLOW", "NONE"),
        ("unit_lowered", "TK-1", "YELLOW", "ORANGE"),
        ("unit_lowered", "TK-1", "NONE", "YELLOW"),
        ("unit_lowered", "TK-2", "NONE", "YELLOW"),
    ]


def test_a_unit_event_follows_its_cause_and_names_it() -> None:
    drive = Drive(H).sample(1, 85)
    raised, unit = drive.outcome.events

    assert (unit.what.value, unit.cause["event"], unit.cause["alarm"]) == ("unit_raised", raised.id, raised.alarm)
    assert unit.id != raised.id
    assert drive.outcome.units == {(Nature.ACTUAL, "u0"): Tier.YELLOW}


def test_an_entry_opens_joins_and_closes_when_all_its_alarms_are_normal() -> None:
    tags = make_site("TK-1", "TK-1")
    drive = Drive(*high("t0", "t1"), tags=tags).sample(1, 85)
    (opened,) = entries(drive)
    first = drive.alarm.id
    assert (opened.unit, opened.opened_ns, opened.closed_ns, opened.tier, opened.alarms) == (
        "TK-1",
        at(1),
        0,
        Tier.YELLOW,
        (first,),
    )

    drive.sample(2, 85, row=1)
    (joined,) = entries(drive)
    second = next(a.id for a in drive.desk.alarms.values() if a.id != first)
    assert (joined.id, joined.alarms) == (opened.id, (first, second))

    drive.sample(3, 50).sample(4, 50, row=1)
    (waiting,) = entries(drive)
    assert (waiting.tier, waiting.tier_max, waiting.closed_ns) == (Tier.NONE, Tier.YELLOW, 0)

    drive.ask(5, Verb.ACK, first)
    assert drive.desk.entries
    drive.ask(6, Verb.ACK, second)
    (closed,) = entries(drive)
    assert (closed.id, closed.closed_ns, closed.alarms) == (opened.id, at(6), (first, second))
    assert drive.desk.entries == {}


def test_the_next_excursion_is_another_entry() -> None:
    drive = Drive(H).sample(1, 85)
    (first,) = entries(drive)
    drive.ask(2, Verb.ACK)
    drive.sample(3, 50).sample(4, 85)
    (second,) = entries(drive)

    assert second.id != first.id
    assert second.closed_ns == 0


def test_an_alarm_of_an_older_episode_does_not_join_by_being_shelved() -> None:
    tags = make_site("TK-1", "TK-1")
    drive = Drive(*high("t0", "t1"), tags=tags).sample(1, 85)
    old = drive.alarm.id
    drive.ask(2, Verb.ACK)
    drive.sample(3, 50)  # NORMAL: its entry is closed
    drive.sample(4, 85, row=1)
    drive.ask(5, Verb.SHELVE, old, reason="work", until_s=100)

    (entry,) = drive.desk.entries.values()
    assert old not in entry.alarms


def test_a_latched_alarm_keeps_the_entry_open_until_reset() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, is_latching=True)).sample(1, 85)
    drive.ask(2, Verb.ACK)
    drive.sample(3, 50)
    assert drive.desk.entries
    drive.ask(4, Verb.RESET)

    assert (entries(drive)[0].closed_ns, drive.desk.entries) == (at(4), {})


# -------------------------------------------------------------------------------------------------------------- tasks


STEPS = (
    TaskTemplate(kind="tank", tier=Tier.YELLOW, title={"en": "look"}, owner="operator", within_s=60),
    TaskTemplate(kind="*", tier=Tier.ORANGE, title={"en": "call"}, owner="safety_officer", within_s=30),
    TaskTemplate(kind="line", tier=Tier.YELLOW, title={"en": "walk"}, owner="operator", within_s=60),
)
TANK = HazardUnit(id="u0", kind="tank")


def test_each_tier_on_the_way_up_opens_its_steps_once_per_entry() -> None:
    drive = Drive(H, HH, units=[TANK], templates=STEPS)
    opened = []
    for t_s, value in enumerate([85, 95, 85, 95, 50, 95], start=1):
        drive.sample(t_s, value)
        opened += [(t_s, task.title["en"], task.due_ns) for task in drive.outcome.tasks]

    assert opened == [(1, "look", at(61)), (2, "call", at(32))]


def test_a_jump_opens_the_steps_of_all_tiers_that_it_passes() -> None:
    drive = Drive(H, HH, units=[TANK], templates=STEPS).sample(1, 95)
    (entry,) = entries(drive)

    assert [task.title["en"] for task in drive.outcome.tasks] == ["look", "call"]
    assert {task.entry for task in drive.outcome.tasks} == {entry.id}


def test_the_next_entry_opens_its_steps_anew_under_other_ids() -> None:
    drive = Drive(H, HH, units=[TANK], templates=STEPS).sample(1, 95)
    first = {task.id for task in drive.outcome.tasks}
    drive.ask(2, Verb.ACK)
    drive.sample(3, 50).sample(4, 95)
    second = {task.id for task in drive.outcome.tasks}

    assert len(second) == 2
    assert not first & second


# -------------------------------------------------------------------------------------------------------------- nature


def test_an_exercise_has_its_own_alarms_units_and_entries() -> None:
    drive = Drive(H)
    drive.tick(1, replace(make_scan(1, 85), nature=Nature.EXERCISE))
    assert {(e.nature, e.what.value) for e in drive.outcome.events} == {
        (Nature.EXERCISE, "raised"),
        (Nature.EXERCISE, "unit_raised"),
    }
    exercise = drive.alarm
    assert drive.desk.memory(Nature.ACTUAL).is_active.tolist() == [False]
    assert (Nature.ACTUAL, "u0") not in drive.desk.unit_tiers

    drive.sample(2, 50)  # the plant is well, and says nothing about the exercise
    assert drive.outcome.events == []
    assert drive.desk.alarms == {exercise.key: exercise}

    drive.sample(3, 85)
    assert {e.nature for e in drive.outcome.events} == {Nature.ACTUAL}
    actual = next(a for a in drive.desk.alarms.values() if a.nature is Nature.ACTUAL)
    assert actual.key != exercise.key
    assert {nature for nature, _ in drive.desk.entries} == {Nature.ACTUAL, Nature.EXERCISE}
    assert len({entry.id for entry in drive.desk.entries.values()}) == 2


def test_tags_of_another_nature_are_not_stale_here() -> None:
    tags = TagTable(
        [Tag(name="t0", source="s0", unit="u0"), Tag(name="t1", source="s1", unit="u1", nature=Nature.TEST)]
    )
    stale = [make_rule(Kind.STALE, 3.0, tag=name) for name in ("t0", "t1")]
    drive = Drive(*stale, tags=tags)
    drive.tick(10)

    assert [(e.nature, e.tag) for e in drive.outcome.events if e.alarm] == [
        (Nature.ACTUAL, "t0"),
        (Nature.TEST, "t1"),
    ]


# ------------------------------------------------------------------------------------------------------------- outcome


def test_a_delay_that_starts_is_told_so_that_it_can_be_written_down() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, on_delay_s=5)).sample(1, 85)
    assert (drive.outcome.delays, drive.outcome.events) == ([(Nature.ACTUAL, 0)], [])
    assert not drive.outcome.is_empty

    drive.sample(2, 85)
    assert drive.outcome.is_empty

    drive.sample(3, 50)
    assert drive.outcome.delays == [(Nature.ACTUAL, 0)]


def test_a_remark_is_worth_writing_down() -> None:
    drive = Drive(H)
    drive.desk.begin(at(1))
    drive.desk.remark("clock_step", source="s0")
    outcome = drive.desk.finish()

    assert outcome.remarks == [{"kind": "clock_step", "source": "s0"}]
    assert not outcome.is_empty


def test_nothing_changed_is_empty() -> None:
    drive = Drive(H).sample(1, 50)

    assert drive.outcome.is_empty


def test_no_data_is_an_alarm_from_the_start() -> None:
    drive = Drive(make_rule(Kind.STALE, 3.0))
    drive.tick(2.9)
    assert drive.did() == []
    drive.tick(3)
    assert (drive.did(), drive.event.condition, drive.event.value) == (["raised"], "STALE", None)


def test_alarms_of_the_outcome_are_those_that_changed() -> None:
    drive = Drive(*high("t0", "t1"), tags=make_site("a", "b")).sample(1, 85)
    drive.sample(2, 85, row=1)

    assert [alarm.tag for alarm in drive.outcome.alarms.values()] == ["t1"]
    assert all(isinstance(alarm, Alarm) for alarm in drive.outcome.alarms.values())
