"""Words of the site's own: filled in once, whole lines left out, what is not real said always."""

from typing import Any

import pytest

from alerting.push.message import Form, digest, one_message
from alerting.push.template import PLACEHOLDERS, Template, known_of
from gateway.push.forms import utf8_bytes
from tests.robots import call

ALL = "\n".join(f"{word}={{{word}}}" for word in PLACEHOLDERS)
OWN = Template(
    id="own",
    title={"zh": "{tier} {where} 请处置"},
    text={"zh": "{tag} 为 {value},限值 {limit}\n{minutes} 分钟前 {since} 起\n处置:{todo}\n{state}\n{link}"},
    line={"zh": "{tag}={value}"},
)


def form(template: Template = OWN, **more: Any) -> Form:  # noqa: ANN401 - any field
    told: dict[str, Any] = {"markup": "plain", "tongue": "zh", "size_max": 2000, "measure": utf8_bytes}
    return Form(**(told | {"template": template} | more))


def told(**more: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
    shown = {"value": "4.31 m", "limit": "4.20 m"}
    return call(shown=shown, site={"id": "s", "title": {"zh": "厂区"}}, condition="HH") | more


def test_one_alarm_in_the_sites_own_words() -> None:
    message = one_message(told(), form())
    assert message.title == "红色 1号储罐 请处置"
    assert message.parts == (
        (
            "红色 1号储罐 请处置\nTK-001.level 为 4.31 m,限值 4.20 m\n"
            "12 分钟前 2026-01-01 08:00:02 起\n处置:关闭进料阀\n"
            "https://g.example/#/alarms?alarm=alarm-1"
        ),
    )


def test_a_line_that_has_nothing_to_say_is_left_out() -> None:
    text = one_message(told(todo={}, link="", acked_by="wang"), form()).parts[0]
    assert "处置:" not in text
    assert text.endswith("wang 已确认,仍未恢复")


def test_each_placeholder_gives_something_in_both_languages() -> None:
    for lang in ("zh", "en"):
        known = known_of(told(acked_by="wang"), lang)
        assert set(known) == set(PLACEHOLDERS)
        assert all(known.values())
    assert known_of(told(), "en")["tier"] == "RED"


def test_what_stands_in_a_call_is_no_placeholder_and_makes_no_line() -> None:
    text = one_message(told(tag="{link}", todo={"zh": "a\n【演练】 {what}"}), form()).parts[0]
    assert "{link} 为" in text
    assert "处置:a 【演练】 {what}" in text


@pytest.mark.parametrize(("nature", "prefix"), [("actual", ""), ("exercise", "【演练】"), ("test", "【测试】")])
def test_no_template_hides_that_it_is_not_real(nature: str, prefix: str) -> None:
    message = one_message(told(nature=nature), form())
    assert message.title == f"{prefix}红色 1号储罐 请处置"
    assert message.parts[0].startswith(message.title)


def test_lines_of_a_digest_are_the_sites_own_and_its_head_is_ours() -> None:
    message = digest([told(), told(alarm="b", key="b", tag="TK-9.x")], form())
    assert message.parts[0].splitlines()[1:3] == ["1. TK-001.level=4.31 m", "2. TK-9.x=4.31 m"]
    assert message.title.startswith("【预警汇总】2 条")


def test_a_trial_and_what_is_about_no_alarm_are_told_as_usual() -> None:
    trial = told(kind="test", clause=None, text={"zh": "测试预警渠道", "en": "x"})
    assert "请处置" not in one_message(trial, form()).parts[0]


def test_what_is_not_given_is_said_as_usual() -> None:
    message = one_message(told(), form(Template(id="t", title={"zh": "x {where}"}), tongue="both"))
    assert message.parts[0].splitlines()[:2] == ["x 1号储罐", "情况:TK-001.level 4.31 m ≥ 高高报设定值 4.20 m"]
    assert "[RED early warning] Tank 1" in message.parts[0]


def test_markdown_keeps_its_marks() -> None:
    text = one_message(told(), form(markup="markdown")).parts[0]
    assert text.startswith("### 红色 1号储罐 请处置\n\n- TK-001.level 为 4.31 m")
