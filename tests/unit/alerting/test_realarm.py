"""Re-alarm: what was acknowledged and still stands is announced again."""

from dataclasses import replace

import pytest

from alerting.model.alarm import State
from alerting.model.command import Verb
from alerting.model.philosophy import Philosophy
from alerting.model.realarm import Realarm
from alerting.model.rule import Kind
from alerting.model.tier import Tier
from alerting.obeying import STILL_STANDS
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import at, make_rule, make_tags

H, HH = make_rule(Kind.H, 80.0), make_rule(Kind.HH, 90.0)  # YELLOW, ORANGE
TEN = Philosophy(realarm=Realarm(minutes=(0, 10, 5, 1)))


def acked(philosophy: Philosophy = TEN, value: float = 85) -> Drive:
    drive = Drive(H, HH, philosophy=philosophy).sample(1, value)
    drive.ask(2, Verb.ACK, reason="seen")
    return drive


def test_off_by_default() -> None:
    drive = acked(Philosophy())
    drive.tick(1e6)
    assert (drive.did(), drive.alarm.state) == ([], State.ACKED)


@pytest.mark.parametrize(("value", "minutes"), [(85, 10), (95, 5)])
def test_the_time_is_that_of_the_tier(value: float, minutes: int) -> None:
    drive = acked(value=value)
    drive.tick(2 + minutes * 60 - 0.001)
    assert drive.did() == []
    drive.tick(2 + minutes * 60)
    assert (drive.did(), drive.event.cause) == (["realarmed"], {"who": "fengsui", "reason": STILL_STANDS})
    alarm = drive.alarm
    assert (alarm.state, alarm.acked_by, alarm.raised_ns) == (State.UNACK, "", at(2 + minutes * 60))
    drive.tick(1e6)
    assert drive.did() == [], "nobody answered since"

    drive.ask(1e6 + 1, Verb.ACK)
    drive.tick(1e6 + 1 + minutes * 60)
    assert drive.did() == ["realarmed"]


def test_a_rule_has_a_time_of_its_own() -> None:
    drive = acked(Philosophy(realarm=Realarm(minutes=(0, 10, 5, 1), rules={"t0.H": 2})))
    drive.tick(2 + 120)
    assert drive.did() == ["realarmed"]
    drive = acked(Philosophy(realarm=Realarm(minutes=(0, 10, 5, 1), rules={"t0.H": 0})))
    drive.tick(1e6)
    assert drive.did() == []


@pytest.mark.parametrize("after", ["returned", "shelved", "risen"])
def test_what_stands_no_more_or_is_quiet_or_rang_anew_is_left(after: str) -> None:
    drive = acked()
    if after == "returned":
        drive.sample(3, 50)
    elif after == "shelved":
        drive.ask(3, Verb.SHELVE, reason="work", until_s=7200)
    else:
        drive.sample(3, 95)
        assert (drive.did(), drive.alarm.state) == (["escalated"], State.UNACK)
    drive.tick(3000)
    assert drive.did() == []


def test_a_fall_counts_from_the_answer_by_the_lower_tier() -> None:
    drive = acked(value=95)
    drive.sample(200, 85)
    assert drive.did() == ["lowered"]
    drive.tick(2 + 5 * 60)
    assert drive.did() == []
    drive.tick(2 + 10 * 60)
    assert drive.did() == ["realarmed"]


def test_it_goes_on_after_a_restart() -> None:
    drive = acked()
    again = Drive(H, HH, philosophy=TEN)
    memory, before = again.desk.memory(drive.alarm.nature), drive.desk.memory(drive.alarm.nature)
    memory.is_active[:], memory.phase[:] = before.is_active, before.phase
    again.desk.adopt([drive.alarm], drive.desk.entries.values())
    again.tick(2 + 599)
    assert again.did() == []
    again.tick(2 + 600)
    assert again.did() == ["realarmed"]


def test_many_are_announced_in_the_order_in_which_they_are_due() -> None:
    rules = [replace(H, id=f"t{n}.H", tag=f"t{n}", tier=Tier.RED) for n in range(3)]
    drive = Drive(*rules, tags=make_tags(3), philosophy=TEN)
    for n in (2, 0, 1):
        drive.sample(1 + n / 10, 85, row=n)
    for order, n in enumerate((1, 2, 0)):
        key = next(a.key for a in drive.desk.alarms.values() if a.tag == f"t{n}")
        drive.ask(2 + order, Verb.ACK, key)
    drive.tick(2 + 2 + 60)
    told = [event.tag for event in drive.outcome.events if event.what == "realarmed"]
    assert told == ["t1", "t2", "t0"]
