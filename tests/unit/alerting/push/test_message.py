"""Messages that people read: what, where, value, limit, since when, what to do, link; cut and gathered."""

from typing import Any

import pytest

from alerting.model.tier import Tier
from alerting.push.message import Form, Message, Reader, digest, mobile, one_message
from gateway.push.forms import json_bytes
from tests.robots import call

ZH = Form(markup="markdown", tongue="zh", size_max=19_000, measure=json_bytes)


def form(**more: Any) -> Form:  # noqa: ANN401 - any field
    told: dict[str, Any] = {"markup": "markdown", "tongue": "zh", "size_max": 19_000, "measure": json_bytes}
    return Form(**(told | more))


def test_one_alarm_in_chinese_word_for_word() -> None:
    message = one_message(call(), ZH)
    assert message == Message(
        title="【红色预警】1号储罐",
        parts=(
            (
                "### 【红色预警】1号储罐\n\n"
                "- 情况:TK-001.level 4.31 m ≥ 高高报设定值 4.20 m\n"
                "- 始于:2026-01-01 08:00:02,已 12 分钟\n"
                "- 处置:关闭进料阀\n"
                "- [打开报警](https://g.example/#/alarms?alarm=alarm-1)"
            ),
        ),
        reader=Reader(),
        phones=(),
        keys=("key-1",),
        tier=Tier.RED,
    )


def test_one_alarm_in_english_and_plain() -> None:
    message = one_message(call(kind="reminder", acked_by="li", nature="exercise"), form(tongue="en", markup="plain"))
    assert message.parts[0] == (
        "【演练】[RED reminder] Tank 1\n"
        "What: TK-001.level 4.31 m ≥ HH 4.20 m\n"
        "Since: 2026-01-01 08:00:02, for 12 min\n"
        "State: li acknowledged it; it still stands\n"
        "Do: Close the feed\n"
        "https://g.example/#/alarms?alarm=alarm-1"
    )


def test_both_languages_stand_in_one_message() -> None:
    text = one_message(call(), form(tongue="both")).parts[0]
    assert text.index("【红色预警】1号储罐") < text.index("[RED early warning] Tank 1")


def test_a_digest_names_every_alarm_with_tier_place_value_limit_and_time() -> None:
    calls = [call(1), call(2, tier="YELLOW"), call(3, tier="YELLOW")]
    message = digest(calls, ZH)
    assert message.title == "【预警汇总】3 条:红 1、黄 2"
    assert message.parts[0].splitlines() == [
        "### 【预警汇总】3 条:红 1、黄 2", "",
        "1. 红 1号储罐 TK-001.level 4.31 m ≥ 高高报设定值 4.20 m,08:00:02",
        "2. 黄 1号储罐 TK-002.level 4.31 m ≥ 高高报设定值 4.20 m,08:00:02",
        "3. 黄 1号储罐 TK-003.level 4.31 m ≥ 高高报设定值 4.20 m,08:00:02", "",
        "[打开报警列表](https://g.example/#/alarms)",
    ]  # fmt: skip
    assert message.keys == ("key-1", "key-2", "key-3")


def test_an_alarm_that_is_called_about_twice_stands_once_and_both_calls_are_told() -> None:
    message = digest([call(1), call(2), call(1, key="key-9", kind="reminder")], ZH)
    assert message.keys == ("key-1", "key-2", "key-9")
    assert message.parts[0].count("TK-001.level") == 1
    assert "提醒" in message.parts[0]
    assert message.title == "【预警汇总】2 条:红 2"


def test_what_to_do_says_in_what_time_where_that_is_stated() -> None:
    assert "处置(限 10 分钟内):关闭进料阀" in one_message(call(respond_min=10.0), ZH).parts[0]
    assert "处置:关闭进料阀" in one_message(call(), ZH).parts[0]


@pytest.mark.parametrize("size_max", [400, 2048, 4096, 19_000])
def test_digests_fit_and_leave_nothing_out(size_max: int) -> None:
    rest = [call(n) for n in range(300)]
    names: list[str] = []
    while rest:
        message = digest(rest, form(size_max=size_max, mention=True))
        assert all(json_bytes(part) <= size_max for part in message.parts)
        names += [one["tag"] for one in rest[: len(message.keys)]]
        text = "\n".join(message.parts)
        assert all(one["tag"] in text for one in rest[: len(message.keys)])
        rest = rest[len(message.keys) :]
    assert names == [call(n)["tag"] for n in range(300)]


def test_a_text_that_is_too_long_comes_in_parts_that_fit_and_give_the_whole() -> None:
    todo = "".join(f"第{n}步:关闭进料阀并确认。" for n in range(400))
    message = one_message(call(todo={"zh": todo}), form(size_max=2048, keyword="安全"))
    assert len(message.parts) > 3
    assert all(json_bytes(part) <= 2048 for part in message.parts)
    assert all(part.endswith("\n\n安全") for part in message.parts), "a robot wants its keyword in each"
    assert todo in "".join(part.removesuffix("\n\n安全") for part in message.parts)


def test_people_are_named_by_their_numbers_as_the_chat_knows_them() -> None:
    to = {"person": "li", "title": "", "phone": "+86 138 0000 0000", "email": "", "address": ""}
    message = one_message(call(to=to), form(mention=True))
    assert message.phones == ("13800000000",)
    assert message.parts[0].endswith("\n\n@13800000000")
    assert one_message(call(to=to), ZH).phones == ()
    assert [mobile(text) for text in ("138-0000-0000", "+852 5555 5555", "", "8613800000000")] == [
        "13800000000", "+85255555555", "", "13800000000",
    ]  # fmt: skip


def test_a_keyword_that_stands_in_the_text_is_not_said_twice() -> None:
    assert one_message(call(), form(keyword="预警")).parts[0].count("预警") == 1
    assert one_message(call(), form(keyword="厂区")).parts[0].endswith("\n\n厂区")


def test_what_stands_in_a_name_begins_no_line_of_its_own() -> None:
    told = call(clause={"zh": "a\n### b\n- c", "en": ""})
    assert "- 情况:a ### b - c\n" in one_message(told, ZH).parts[0]
