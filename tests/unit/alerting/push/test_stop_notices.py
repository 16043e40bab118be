"""What authorities are told of a declared stop: one chain from its beginning to its end, in every form."""

import json
from dataclasses import replace
from typing import Any

import pytest

from alerting.model.stop import Stop, StopKind, StopState
from alerting.push.cap import compose_cap
from alerting.push.cap_check import findings
from alerting.push.envelope import Thread, wrap
from alerting.push.notice import Composer, Notice, follow
from alerting.push.profile import Profile, RegionalOptions
from edge.model import Nature
from tests.unit.alerting.push.test_cap import OPTIONS, SCHEMA, etree
from tests.unit.alerting.push.test_notice import NOW, Site

STOP = Stop(
    id="0123456789ab", kind=StopKind.OVERHAUL, nature=Nature.TEST, unit="TK-101", tags=("TK-101.level", "TK-101.p"),
    is_whole=True, covered=4, left=1, reason="gauge overhaul", permit="P-7", who="li", confirmed_by="",
    declared_ns=NOW, begins_ns=NOW, ends_ns=NOW + 3_600_000_000_000, state=StopState.RUNNING, began_ns=NOW,
)  # fmt: skip
OVER = replace(STOP, state=StopState.ENDED, over_by="wang", over_ns=NOW + 1, note="closed")


def told(*stops: Stop) -> list[Notice]:
    pen, chains, found = Composer(Site()), {}, []  # type: ignore[var-annotated]
    for n, stop in enumerate(stops):
        made = pen.compose_stop(stop, NOW + n, chains)
        follow(chains, made)
        found += made
    return found


def body(notice: Notice) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(notice.body)
    return found


def test_the_chain_goes_from_alert_to_cancel_and_a_plan_is_nobodys_business() -> None:
    planned, overdue = replace(STOP, state=StopState.PLANNED), replace(STOP, state=StopState.OVERDUE)
    notices = told(planned, STOP, replace(STOP, ends_ns=STOP.ends_ns + 1), overdue, OVER)
    assert [notice.action for notice in notices] == ["alert", "update", "cancel"], "told of its end once"
    assert len({notice.chain for notice in notices}) == 1
    assert len({notice.key for notice in notices}) == 3
    assert told(replace(STOP, state=StopState.WITHDRAWN)) == []
    assert told(replace(STOP, nature=Nature.ACTUAL)) == [], "this destination takes tests alone"


def test_it_says_what_is_down_until_when_why_and_under_which_permit() -> None:
    first, last = told(STOP, OVER)
    said = body(first)
    assert (said["subject"], said["kind"], said["unit"]["id"], said["permit"], said["until"]) == (
        "stop", "overhaul", "TK-101", "P-7", "2026-01-01T09:00:00.000+08:00",
    )  # fmt: skip
    assert said["text"]["en"] == (
        "【测试】Overhaul: Tank TK-101 until 2026-01-01T09:00:00.000+08:00, reason: gauge overhaul. "
        "2026-01-01T08:00:00.000+08:00"
    )
    assert "检修:TK-101 储罐,至 2026-01-01T09:00:00.000+08:00,原因:gauge overhaul" in said["text"]["zh"]
    assert (body(last)["who"], body(last)["reason"]) == ("wang", "closed")
    assert "恢复使用:TK-101 储罐" in body(last)["text"]["zh"]
    (_, by_clock) = told(STOP, replace(STOP, state=StopState.OVERDUE))
    assert "Monitored again at the declared end" in body(by_clock)["text"]["en"]


def test_the_stop_history_has_a_row_a_sensor_the_same_from_stop_to_start() -> None:
    profile = Profile(
        id="r", envelope="regional", regional=RegionalOptions(app_id="a", district_code="320000", company_code="c")
    )
    first, last = told(STOP, OVER)
    begun = wrap(profile, body(first), Thread())
    assert begun is not None
    over = wrap(profile, body(last), Thread(references=(begun.reference,)))
    assert over is not None
    stop, start = json.loads(begun.text), json.loads(over.text)
    assert stop["serviceId"] == start["serviceId"]
    assert [(row["EQUIP_CODE"], row["IS_STOP"]) for row in stop["data"]] == [("TK-101.level", "1"), ("TK-101.p", "1")]
    assert [row["IS_STOP"] for row in start["data"]] == ["0", "0"]
    assert [row["STOP_ID"] for row in stop["data"]] == [row["STOP_ID"] for row in start["data"]]
    assert len({row["STOP_ID"] for row in stop["data"]}) == 2
    assert (stop["data"][0]["STOP_REMARK"], start["data"][0]["START_PSN"]) == ("gauge overhaul", "wang")


@pytest.mark.parametrize("nature", list(Nature))
def test_cap_takes_it_as_a_message_of_the_system(nature: Nature) -> None:
    for notice, references in zip(told(STOP, OVER), ((), ("s@x,1,2026-01-01T07:00:00+08:00",)), strict=True):
        made = compose_cap(OPTIONS, body(notice) | {"nature": nature.value}, references, lambda prefix: f"{prefix}_0")
        assert made is not None
        SCHEMA.assertValid(etree.fromstring(made.text.encode()))
        assert findings(made.text) == []
        assert ("<status>System</status>" in made.text) is (nature is Nature.ACTUAL)
