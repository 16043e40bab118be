"""One alarm per tag and direction: what several limits come to, its identity, its cause."""

from itertools import pairwise

import pytest

from alerting.model.alarm import State, digest
from alerting.model.command import Verb
from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from tests.unit.alerting.core.drive import SITE, Drive
from tests.unit.alerting.core.scene import BAD, CLOCK, GOOD, TIMEOUT, UNCERTAIN, at, make_rule, make_scan, make_tags

H = make_rule(Kind.H, 80.0, tier=Tier.YELLOW)
HH = make_rule(Kind.HH, 90.0, tier=Tier.ORANGE)
NAN = float("nan")


def with_delays(rule: Rule, on_s: float = 0.0, off_s: float = 0.0, deadband: float = 0.0) -> Rule:
    return make_rule(rule.kind, rule.setpoint, tier=rule.tier, on_delay_s=on_s, off_delay_s=off_s, deadband=deadband)


# --------------------------------------------------------------------------------------------- one alarm, many limits


def test_h_then_hh_then_back_is_one_alarm() -> None:
    drive = Drive(H, HH)
    said = []
    for t_s, value in enumerate([50.0, 85.0, 95.0, 96.0, 85.0, 50.0], start=1):
        drive.sample(t_s, value)
        said += [(e.what.value, e.condition, e.tier.name, e.state) for e in drive.outcome.events if e.alarm]

    assert said == [
        ("raised", "H", "YELLOW", "UNACK"),
        ("escalated", "HH", "ORANGE", "UNACK"),
        ("lowered", "H", "YELLOW", "UNACK"),
        ("returned", "H", "NONE", "RTN_UNACK"),
    ]
    assert len(drive.desk.alarms) == 1


def test_high_and_low_of_a_tag_are_two_alarms() -> None:
    drive = Drive(H, make_rule(Kind.L, 10.0), make_rule(Kind.LL, 5.0))
    drive.sample(1, 85).sample(2, 4)

    assert sorted((a.group, a.condition, a.state.value) for a in drive.desk.alarms.values()) == [
        ("high", "H", "RTN_UNACK"),
        ("low", "LL", "UNACK"),
    ]


def test_a_jump_over_both_limits_is_one_event_to_the_outermost() -> None:
    drive = Drive(H, HH).sample(1, 95)

    assert drive.did() == ["raised"]
    assert (drive.event.condition, drive.event.tier, drive.event.setpoint) == ("HH", Tier.ORANGE, 90.0)


def test_a_jump_back_over_both_limits_is_one_event() -> None:
    drive = Drive(H, HH).sample(1, 95).sample(2, 50)

    assert drive.did() == ["returned"]


def test_another_condition_of_equal_tier_is_changed_and_no_change_of_state() -> None:
    drive = Drive(H, make_rule(Kind.HH, 90.0, tier=Tier.YELLOW)).sample(1, 85)
    drive.ask(2, Verb.ACK)
    drive.sample(3, 95)

    assert drive.did() == ["changed"]
    assert (drive.event.condition, drive.event.state, drive.alarm.state) == ("HH", "ACKED", State.ACKED)


def test_each_limit_keeps_its_own_delays() -> None:
    drive = Drive(with_delays(H, on_s=5), with_delays(HH, on_s=1))
    drive.sample(0.5, 95)
    drive.tick(2)
    assert drive.did() == ["raised"]
    assert (drive.event.condition, drive.event.time_ns) == ("HH", at(1.5))

    drive.tick(6)  # H trips behind HH: no news
    assert drive.did() == []

    drive.sample(7, 85)
    assert (drive.did(), drive.event.condition) == (["lowered"], "H")


def test_the_tier_is_the_highest_of_the_active_limits_not_of_the_outermost() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, tier=Tier.RED), HH).sample(1, 95)

    assert (drive.event.condition, drive.event.tier) == ("HH", Tier.RED)


def test_rise_of_an_acknowledged_alarm_wants_a_new_answer_and_fall_does_not() -> None:
    drive = Drive(H, HH).sample(1, 85)
    drive.ask(2, Verb.ACK)
    drive.sample(3, 95)
    assert (drive.did(), drive.alarm.state) == (["escalated"], State.UNACK)

    drive.ask(4, Verb.ACK)
    drive.sample(5, 85)
    assert (drive.did(), drive.alarm.state) == (["lowered"], State.ACKED)

    drive.sample(6, 50)
    assert (drive.did(), drive.alarm.state) == (["cleared"], State.NORMAL)


def test_the_highest_tier_is_kept_until_acknowledged() -> None:
    drive = Drive(H, HH).sample(1, 95).sample(2, 85)
    assert (drive.alarm.tier, drive.alarm.tier_max) == (Tier.YELLOW, Tier.ORANGE)

    drive.sample(3, 50)
    assert (drive.alarm.tier, drive.alarm.tier_max) == (Tier.NONE, Tier.ORANGE)

    drive.sample(4, 85)
    assert (drive.alarm.tier, drive.alarm.tier_max) == (Tier.YELLOW, Tier.ORANGE)

    drive.ask(5, Verb.ACK)
    assert (drive.alarm.tier, drive.alarm.tier_max) == (Tier.YELLOW, Tier.YELLOW)


# ---------------------------------------------------------------------------------------- what happened before a sample


def test_a_delay_that_ended_before_the_sample_rang_although_the_sample_is_normal() -> None:
    """The value was held beyond its delay; that the next sample is normal takes nothing back."""
    drive = Drive(with_delays(H, on_s=5))
    drive.tick(10, make_scan(1, 85, received_s=10, number=1), make_scan(9, 50, received_s=10, number=2))

    assert [(e.what.value, e.time_ns) for e in drive.outcome.events if e.alarm] == [
        ("raised", at(6)),
        ("returned", at(9)),
    ]


def test_a_delay_that_ends_with_the_sample_is_the_samples_to_judge() -> None:
    drive = Drive(with_delays(H, on_s=5))
    drive.tick(10, make_scan(1, 85, received_s=10, number=1), make_scan(6, 50, received_s=10, number=2))

    assert drive.did() == []


def test_an_off_delay_that_ended_before_a_new_trip_is_two_events() -> None:
    drive = Drive(with_delays(H, off_s=2))
    drive.tick(
        10,
        make_scan(1, 85, received_s=10, number=1),
        make_scan(3, 50, received_s=10, number=2),
        make_scan(9, 85, received_s=10, number=3),
    )

    assert [(e.what.value, e.time_ns) for e in drive.outcome.events if e.alarm] == [
        ("raised", at(1)),
        ("returned", at(5)),
        ("raised", at(9)),
    ]


def test_before_and_with_a_sample_escalation_goes_step_by_step() -> None:
    """H ran out on the way, the sample itself is beyond HH."""
    drive = Drive(with_delays(H, on_s=5), HH)
    drive.tick(10, make_scan(1, 85, received_s=10, number=1), make_scan(9, 95, received_s=10, number=2))

    assert [(e.what.value, e.condition, e.time_ns) for e in drive.outcome.events if e.alarm] == [
        ("raised", "H", at(6)),
        ("escalated", "HH", at(9)),
    ]


def test_returned_has_the_time_at_which_the_last_limit_let_go() -> None:
    drive = Drive(with_delays(H, off_s=6), with_delays(HH, off_s=2)).sample(1, 95)
    drive.tick(20, make_scan(2, 50, number=7))

    assert (drive.did(), drive.event.time_ns) == (["returned"], at(8))


def test_onset_is_the_first_trip_even_where_one_event_tells_of_two() -> None:
    drive = Drive(with_delays(H, on_s=3), with_delays(HH, on_s=6))
    drive.tick(10, make_scan(1, 95))

    assert (drive.did(), drive.event.condition, drive.event.time_ns) == (["raised"], "HH", at(7))
    assert drive.alarm.onset_ns == at(4)
    assert drive.alarm.id == digest(drive.alarm.key, at(4))


# ------------------------------------------------------------------------------------------------------------ identity


def test_identities_are_hashes_of_what_they_stand_for() -> None:
    drive = Drive(H).sample(1, 85)
    key = digest(SITE, "actual", "t0", "high")

    assert drive.alarm.key == key
    assert drive.alarm.id == digest(key, at(1))
    assert drive.event.id == digest(drive.alarm.id, 1)
    assert (drive.event.alarm, drive.event.alarm_key) == (drive.alarm.id, key)


def test_the_hash_is_blake2b_of_parts_that_cannot_run_together() -> None:
    """The vector is from ``b2sum -l 128`` over the bytes ``a 0x1f 1``."""
    assert digest("a", 1) == "b4feb303ba68581ff5140f67114e15e6"
    assert digest("a", "bc") != digest("ab", "c")


def test_a_trip_from_rtn_unack_keeps_the_id_and_one_from_normal_does_not() -> None:
    drive = Drive(H).sample(1, 85).sample(2, 50)
    first = drive.alarm.id
    drive.sample(3, 85)
    assert (drive.did(), drive.alarm.id, drive.alarm.onset_ns) == (["raised"], first, at(1))

    drive.ask(4, Verb.ACK)
    drive.sample(5, 50).sample(6, 85)
    assert drive.alarm.id == digest(drive.alarm.key, at(6))
    assert (drive.alarm.acked_by, drive.alarm.acked_ns, drive.alarm.comment) == ("", 0, "")


def test_event_ids_are_unique_and_ordinals_have_no_hole() -> None:
    drive = Drive(H, HH)
    t_s = 0.0
    for value in [85, 95, 85, 50, 85, 50, 95, 50]:
        t_s += 1
        drive.sample(t_s, value)
        if drive.alarm.state is State.UNACK and value == 95:
            t_s += 1
            drive.ask(t_s, Verb.ACK, reason="seen")
    ids = [event.id for event in drive.log]

    assert len(set(ids)) == len(ids)
    by_alarm: dict[str, list[str]] = {}
    for event in drive.log:
        if event.alarm:
            by_alarm.setdefault(event.alarm, []).append(event.id)
    for alarm, events in by_alarm.items():
        assert events == [digest(alarm, n + 1) for n in range(len(events))]


def test_two_episodes_never_share_an_onset() -> None:
    """The clock trips H at 6 on a value that was held; samples that were long on their way clear it, then trip at 6."""
    drive = Drive(with_delays(H, on_s=5), HH).sample(1, 85)
    drive.tick(7)
    first = drive.alarm
    assert first.onset_ns == at(6)
    drive.ask(7, Verb.ACK)
    drive.tick(8, make_scan(5, 50, received_s=8, number=2))
    assert drive.alarm.state is State.NORMAL
    drive.tick(9, make_scan(6, 95, received_s=9, number=3))

    assert (drive.did(), drive.event.time_ns) == (["raised"], at(6))
    assert drive.alarm.id != first.id
    ids = [event.id for event in drive.log]
    assert len(set(ids)) == len(ids)


def test_natures_have_keys_of_their_own() -> None:
    keys = {digest(SITE, nature, "t0", "high") for nature in ("actual", "exercise", "test")}

    assert len(keys) == 3


# --------------------------------------------------------------------------------------------------------------- cause


def test_the_cause_names_scan_value_quality_rule_and_delays() -> None:
    rule = make_rule(Kind.H, 80.0, on_delay_s=2, off_delay_s=3, deadband=1.5, revision=4)
    drive = Drive(rule)
    drive.tick(1, make_scan(1, 85, number=1))
    drive.tick(3, make_scan(3, 86, UNCERTAIN | CLOCK, number=2))

    assert drive.event.cause == {
        "scan": "s0/1/2",
        "tag": "t0",
        "value": 86.0,
        "eu": "",
        "quality": "UNCERTAIN(clock)",
        "kind": "H",
        "setpoint": 80.0,
        "deadband": 1.5,
        "rule": "t0.H",
        "revision": 4,
        "on_delay_s": 2,
        "off_delay_s": 3,
    }


def test_a_trip_by_the_clock_names_the_last_scan_and_the_value_that_was_held() -> None:
    drive = Drive(with_delays(H, on_s=5)).sample(1, 85)
    drive.tick(7)

    assert (drive.event.cause["scan"], drive.event.cause["value"], drive.event.time_ns) == ("s0/1/1", 85.0, at(6))
    assert drive.event.received_ns == at(7)


def test_a_trip_before_the_sample_has_the_value_and_quality_of_then() -> None:
    drive = Drive(with_delays(H, on_s=5))
    drive.tick(10, make_scan(1, 85, received_s=10), make_scan(9, NAN, BAD | TIMEOUT, received_s=10, number=2))

    assert (drive.event.cause["value"], drive.event.cause["quality"]) == (85.0, "GOOD")


@pytest.mark.parametrize("quality", [GOOD, UNCERTAIN, UNCERTAIN | CLOCK])
@pytest.mark.parametrize("value", [NAN, float("inf"), float("-inf")])
def test_no_number_is_bad_and_says_so_in_the_cause(value: float, quality: int) -> None:
    drive = Drive(make_rule(Kind.BAD, 0.0)).sample(1, value, quality)

    assert (drive.did(), drive.event.cause["quality"]) == (["raised"], "BAD(not_a_number)")
    assert drive.event.value is None


def test_bad_keeps_the_reason_that_it_came_with() -> None:
    drive = Drive(make_rule(Kind.BAD, 0.0)).sample(1, NAN, BAD | TIMEOUT)

    assert drive.event.cause["quality"] == "BAD(timeout)"


def test_a_rate_names_its_window() -> None:
    drive = Drive(make_rule(Kind.RATE, 1.0, window_s=2.0))
    for t_s in range(1, 5):
        drive.sample(t_s, 5.0 * t_s)

    assert [(e.condition, e.cause["window_s"]) for e in drive.log if e.alarm] == [("RATE", 2.0)]


# ------------------------------------------------------------------------------------------------------------ latching


def test_a_latching_alarm_stays_until_reset() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, is_latching=True)).sample(1, 85)
    drive.ask(2, Verb.ACK)
    drive.sample(3, 50)
    assert (drive.did(), drive.alarm.state) == (["returned"], State.LATCHED)

    drive.ask(4, Verb.RESET)
    assert (drive.did(), drive.alarm.state, drive.alarm.tier_max) == (["cleared"], State.NORMAL, Tier.NONE)


def test_a_latched_alarm_that_trips_again_is_the_same_alarm() -> None:
    drive = Drive(make_rule(Kind.H, 80.0, is_latching=True)).sample(1, 85).sample(2, 50)
    drive.ask(3, Verb.ACK)
    assert drive.alarm.state is State.LATCHED
    first = drive.alarm.id
    drive.sample(4, 85)

    assert (drive.did(), drive.alarm.state, drive.alarm.id) == (["raised"], State.UNACK, first)


def test_alarms_of_one_scan_come_in_order_of_event_time() -> None:
    tags = make_tags(3)
    delays = (3, 1, 2)
    drive = Drive(
        *(make_rule(Kind.H, 80.0, tag=f"t{n}", on_delay_s=delay) for n, delay in enumerate(delays)), tags=tags
    )
    drive.tick(1, *(make_scan(1, 85, row=row, number=row + 1) for row in range(3)))
    drive.tick(9)
    times = [event.time_ns for event in drive.outcome.events if event.alarm]

    assert times == [at(2), at(3), at(4)]
    assert all(a <= b for a, b in pairwise(times))
