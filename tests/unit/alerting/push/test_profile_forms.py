"""Forms of profiles: field maps with codes and times, and the regional frame."""

import json
from typing import Any

import pytest

from alerting.model.alarm import digest
from alerting.push.envelope import Thread, wrap
from alerting.push.mapped import SOURCES, take, write_time
from alerting.push.profile import CodeList, FieldLine, Profile, RegionalOptions

BODY: dict[str, Any] = {
    "key": "0" * 32, "chain": "c" * 32, "sequence": 2, "action": "alert", "subject": "alarm",
    "site": {"id": "demo", "title": {"zh": "演示", "en": "Demo"}}, "nature": "actual",
    "unit": {"id": "TK-1", "title": {"zh": "1 号储罐"}, "grade": 2}, "alarm": "a" * 32, "tag": "TK-1.level",
    "tier": "RED", "value": 4.5, "setpoint": None, "eu": "m", "is_late": False,
    "time": "2026-01-01T08:00:00.123+08:00", "received": "2026-01-01T08:00:01.000+08:00", "reason": "检修", "who": "li",
}  # fmt: skip


def line(to: str, source: str = "", **more: str) -> FieldLine:
    return FieldLine(to=to, source=source, **more)


def content(*lines: FieldLine, **codes: CodeList) -> Any:  # noqa: ANN401 - any JSON
    made = wrap(Profile(id="p", envelope="mapped", fields=lines, codes=codes), BODY, Thread())
    assert made is not None
    return json.loads(made.text)


def test_a_field_map_gives_the_authoritys_names_codes_and_times() -> None:
    levels = CodeList(map={"RED": "1", "ORANGE": "2"})
    late = CodeList(map={"true": "Y"}, other="N")
    assert content(
        line("head.id", "key"),
        line("head.version", value="2.0"),
        line("level", "tier", codes="levels"),
        line("late", "is_late", codes="late"),
        line("at", "time", form="yyyyMMddHHmmss"),
        line("at_ms", "time", form="epoch_ms"),
        line("name", "unit.title.zh"),
        line("value", "value"),
        line("limit", "setpoint"),
        levels=levels,
        late=late,
    ) == {
        "head": {"id": "0" * 32, "version": "2.0"}, "level": "1", "late": "N", "at": "20260101080000",
        "at_ms": 1_767_225_600_123, "name": "1 号储罐", "value": 4.5, "limit": None,
    }  # fmt: skip


def test_a_word_without_a_code_goes_as_it_is_or_as_the_lists_other() -> None:
    assert content(line("t", "tier", codes="c"), c=CodeList(map={"BLUE": "4"})) == {"t": "RED"}
    assert content(line("t", "tier", codes="c"), c=CodeList(map={"BLUE": "4"}, other="9")) == {"t": "9"}


@pytest.mark.parametrize(
    ("form", "expected"),
    [("yyyy-MM-dd HH:mm:ss", "2026-01-01 08:00:00"), ("epoch_s", 1_767_225_600), ("HHmm", "0800")],
)
def test_times_are_written_in_their_own_offset(form: str, expected: object) -> None:
    assert write_time(str(BODY["time"]), form) == expected


def test_all_that_a_map_may_take_from_is_in_a_notice() -> None:
    absent = {"condition", "state", "event.id", "event.what", "suppression", "quality", "since", "ending", "text.zh",
              "text.en", "response.zh", "response.en", "until", "head.count", "head.hash", "unit.title.en"}  # fmt: skip
    assert {name for name in SOURCES if take(BODY, name) is None} - absent == {"setpoint"}


def test_a_profile_without_nature_cannot_tell_an_exercise_from_the_real_thing() -> None:
    assert not Profile(id="p", envelope="mapped", fields=(line("t", "tier"),)).carries_nature
    assert Profile(id="p", envelope="mapped", fields=(line("n", "nature"),)).carries_nature
    assert not Profile(id="p", envelope="regional").carries_nature
    assert Profile(id="p", envelope="cap").carries_nature


REGIONAL = Profile(
    id="r",
    envelope="regional",
    regional=RegionalOptions(app_id="app", district_code="320101", company_code="C1"),
)


def frame(body: dict[str, Any], *references: str) -> Any:  # noqa: ANN401 - any JSON
    made = wrap(REGIONAL, BODY | body, Thread(references=references))
    return None if made is None else (json.loads(made.text), made.reference)


def test_the_stop_history_names_one_stop_from_its_beginning_to_its_end() -> None:
    stopped, stop = frame({"subject": "out_of_service", "key": digest("stop")})
    (row,) = stopped["data"]
    assert stopped["serviceId"] == "WC_PROD_HIS"
    assert (stopped["dataId"], stopped["districtCode"]) == (digest("stop"), "320101")
    assert (row["IS_STOP"], row["STOP_REMARK"], row["STOP_TIME"]) == ("1", "检修", "20260101080000")
    assert row["START_TIME"] == ""
    started, _ = frame({"subject": "out_of_service", "action": "cancel", "key": digest("start"), "who": "wang"}, stop)
    (end,) = started["data"]
    assert end["STOP_ID"] == row["STOP_ID"] == digest("stop")
    assert (end["IS_STOP"], end["START_PSN"], end["STOP_TIME"]) == ("0", "wang", "")
    other, _ = frame({"subject": "out_of_service", "key": digest("stop 2")})
    assert other["data"][0]["STOP_ID"] != row["STOP_ID"]


def test_an_alarm_has_no_table_there() -> None:
    assert frame({}) is None


def test_sensors_go_with_range_and_limits() -> None:
    sensor = {"tag": "TK-1.level", "title": {"zh": "液位"}, "unit": "TK-1", "unit_title": {"zh": "1 号储罐"}, "eu": "m",
              "range_lo": 0.0, "range_hi": 10.0, "limits": {"LL": 0.5, "HH": 9.0}}  # fmt: skip
    told, _ = frame({"subject": "sensors", "rows": [sensor]})
    (row,) = told["data"]
    assert told["serviceId"] == "WC_ENT_CGQ"
    assert (row["LOW_VALUE_01"], row["LOW_VALUE_02"], row["TOP_VALUE_01"], row["TOP_VALUE_02"]) == (0.5, None, None, 9)
    assert (row["LOW_VALUE"], row["TOP_VALUE"], row["TARGET_NAME"]) == (0, 10, "液位")
