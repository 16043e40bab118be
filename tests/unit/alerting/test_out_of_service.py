"""Out of service: permit, longest time by tier, extension, and coming back by itself."""

from dataclasses import replace

import pytest

from alerting.model.absence import Absence
from alerting.model.alarm import State, Suppression
from alerting.model.command import Verb
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind
from alerting.model.tier import Tier
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import at, make_rule

H, HH = make_rule(Kind.H, 80.0), replace(make_rule(Kind.HH, 90.0), tier=Tier.RED)
HOUR = 3600


def strict(permit_from: Tier = Tier.ORANGE, hours: tuple[int, ...] = (744, 744, 72, 24)) -> Philosophy:
    return Philosophy(absence=Absence(hours=hours, permit_from=permit_from))


def test_what_can_reach_the_tier_needs_a_permit_though_it_is_yellow_now() -> None:
    drive = Drive(H, HH, philosophy=strict()).sample(1, 85)
    answer = drive.ask(2, Verb.SUPPRESS, reason="probe out", until_s=HOUR)
    assert answer.refused == {
        "en": "An alarm that can reach RED is taken out of service under a permit; give its number.",
        "zh": "可达到红色预警的报警须凭作业票停用,请填写作业票编号。",
    }
    assert (drive.did(), drive.alarm.suppression) == ([], Suppression.NONE)

    assert drive.ask(3, Verb.SUPPRESS, reason="probe out", until_s=HOUR, permit="PTW-7").refused is None
    assert drive.event.cause == {"who": "Li", "reason": "probe out", "permit": "PTW-7", "until_ns": at(HOUR)}
    assert (drive.alarm.permit, drive.alarm.suppressed_ns) == ("PTW-7", at(3))


@pytest.mark.parametrize(
    ("permit_from", "is_refused"), [(Tier.NONE, False), (Tier.BLUE, True), (Tier.YELLOW, True), (Tier.ORANGE, False)]
)
def test_from_which_tier_a_permit_is_needed(permit_from: Tier, is_refused: bool) -> None:
    drive = Drive(H, philosophy=strict(permit_from)).sample(1, 85)
    answer = drive.ask(2, Verb.SUPPRESS, reason="work", until_s=HOUR)
    assert (answer.refused is not None) is is_refused


def test_the_longest_time_is_that_of_the_highest_tier_and_none_may_forbid() -> None:
    drive = Drive(H, HH, philosophy=strict(Tier.NONE)).sample(1, 85)
    answer = drive.ask(10, Verb.SUPPRESS, reason="work", until_s=10 + 24 * HOUR + 0.001)
    assert answer.refused == {
        "en": "An alarm that can reach RED may be out of service for at most 24 hours from now.",
        "zh": "可达到红色预警的报警,自现在起最长可停用 24 小时。",
    }
    assert drive.ask(10, Verb.SUPPRESS, reason="work", until_s=10 + 24 * HOUR).refused is None

    drive = Drive(H, HH, philosophy=strict(Tier.NONE, (744, 744, 72, 0))).sample(1, 85)
    answer = drive.ask(10, Verb.SUPPRESS, reason="work", until_s=11)
    assert answer.refused is not None
    assert answer.refused["en"] == "An alarm that can reach RED may not be taken out of service on this site."


def test_an_extension_keeps_permit_and_beginning_and_names_the_end_before() -> None:
    drive = Drive(H, HH, philosophy=strict()).sample(1, 85)
    drive.ask(2, Verb.SUPPRESS, reason="probe out", until_s=HOUR, permit="PTW-7")
    assert drive.ask(HOUR - 1, Verb.SUPPRESS, reason="spare part is late", until_s=3 * HOUR).refused is None
    assert drive.event.cause == {
        "who": "Li", "reason": "spare part is late", "permit": "PTW-7", "until_ns": at(3 * HOUR),
        "from_until_ns": at(HOUR),
    }  # fmt: skip
    assert (drive.alarm.permit, drive.alarm.suppressed_ns) == ("PTW-7", at(2))
    drive.tick(HOUR)
    assert drive.did() == []

    answer = drive.ask(2 * HOUR, Verb.SUPPRESS, reason="again", until_s=27 * HOUR)
    assert answer.refused is not None
    assert drive.ask(2 * HOUR, Verb.SUPPRESS, reason="next permit", until_s=4 * HOUR, permit="PTW-8").refused is None
    assert drive.alarm.permit == "PTW-8"


def test_it_comes_back_by_itself_and_rings_if_it_is_active() -> None:
    drive = Drive(H, HH, philosophy=strict()).sample(1, 85)
    drive.ask(2, Verb.SUPPRESS, reason="probe out", until_s=HOUR, permit="PTW-7")
    drive.tick(HOUR - 0.001)
    assert drive.did() == []
    drive.tick(HOUR)
    assert drive.did() == ["unsuppressed", "realarmed"]
    alarm = drive.alarm
    assert (alarm.state, alarm.suppression, alarm.permit, alarm.suppressed_ns, alarm.suppression_reason) == (
        State.UNACK, Suppression.NONE, "", 0, "",
    )  # fmt: skip


def test_a_shelf_has_no_permit() -> None:
    drive = Drive(H).sample(1, 85)
    drive.ask(2, Verb.SHELVE, reason="work", until_s=60, permit="PTW-7")
    assert (drive.alarm.permit, "permit" in drive.event.cause) == ("", False)
