"""Malformed: what a request has that it may not have, in both languages and with a remedy.

Flow: what the framework found -> [said_of] -> 422 ``invalid`` with one line for each mistake
"""

from collections.abc import Mapping
from typing import Any, Final

from alerting.register.field import Words

#: By the framework's own names of mistakes (https://docs.pydantic.dev/latest/errors/validation_errors/); ``{…}`` is of
#: the mistake's context. What is not listed is told in the framework's words.
SAID: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("it is missing; give it", "缺少该项，请填写"),
    "extra_forbidden": ("it is not known here; leave it out", "没有该项，请删去"),
    "json_invalid": ("the body is no JSON ({error}); correct it", "正文不是有效的 JSON（{error}），请更正"),
    "string_type": ("it should be text", "应为文本"),
    "string_too_short": ("it should have {min_length} signs or more", "至少 {min_length} 个字符"),
    "string_too_long": ("it should have {max_length} signs at most", "最多 {max_length} 个字符"),
    "string_pattern_mismatch": ("it should be written as {pattern} says", "格式应符合 {pattern}"),
    "too_short": (
        "it should have {min_length} or more in it, not {actual_length}",
        "至少 {min_length} 项，现为 {actual_length} 项",
    ),
    "too_long": ("it should have {max_length} in it at most", "最多 {max_length} 项"),
    "greater_than": ("it should be above {gt}", "应大于 {gt}"),
    "greater_than_equal": ("it should be {ge} or more", "应不小于 {ge}"),
    "less_than": ("it should be below {lt}", "应小于 {lt}"),
    "less_than_equal": ("it should be {le} at most", "应不大于 {le}"),
    "multiple_of": ("it should be a multiple of {multiple_of}", "应为 {multiple_of} 的倍数"),
    "finite_number": ("it should be a finite number", "应为有限的数"),
    "int_type": ("it should be a whole number", "应为整数"),
    "int_parsing": ("it should be a whole number", "应为整数"),
    "int_from_float": ("it should be a whole number", "应为整数"),
    "int_parsing_size": ("it is too large a number", "数值过大"),
    "float_type": ("it should be a number", "应为数字"),
    "float_parsing": ("it should be a number", "应为数字"),
    "bool_type": ("it should be true or false", "应为 true 或 false"),
    "bool_parsing": ("it should be true or false", "应为 true 或 false"),
    "list_type": ("it should be a list", "应为列表"),
    "dict_type": ("it should be an object with names and values", "应为由名称和值组成的对象"),
    "model_type": ("it should be an object with names and values", "应为由名称和值组成的对象"),
    "model_attributes_type": ("it should be an object with names and values", "应为由名称和值组成的对象"),
    "dataclass_type": ("it should be an object with names and values", "应为由名称和值组成的对象"),
    "literal_error": ("it should be one of {expected}", "只能是 {expected}"),
    "enum": ("it should be one of {expected}", "只能是 {expected}"),
    "date_type": ("it should be a day, e.g. 2026-03-31", "应为日期，例如 2026-03-31"),
    "date_parsing": ("it should be a day, e.g. 2026-03-31", "应为日期，例如 2026-03-31"),
    "date_from_datetime_parsing": ("it should be a day, e.g. 2026-03-31", "应为日期，例如 2026-03-31"),
    "datetime_type": ("it should be a time, e.g. 2026-03-31T08:30:00Z", "应为时间，例如 2026-03-31T08:30:00Z"),
    "datetime_parsing": ("it should be a time, e.g. 2026-03-31T08:30:00Z", "应为时间，例如 2026-03-31T08:30:00Z"),
    "datetime_from_date_parsing": (
        "it should be a time, e.g. 2026-03-31T08:30:00Z", "应为时间，例如 2026-03-31T08:30:00Z",
    ),
    "timezone_aware": ("it should say its offset, e.g. Z or +08:00", "应写明时区，例如 Z 或 +08:00"),
}  # fmt: skip
WORDS_MOST: Final = 200


def said_of(found: Mapping[str, Any]) -> Words:
    """Say what is wrong with one part of a request.

    Args:
        found: As the framework tells it: ``type``, ``msg``, ``ctx``.
    """
    en, zh = SAID.get(str(found["type"]), ("", ""))
    given = {name: str(value)[:WORDS_MOST] for name, value in (found.get("ctx") or {}).items()}
    listed = {name: value.replace(" or ", "、").replace(", ", "、") for name, value in given.items()}
    try:
        return Words(en.format_map(given), zh.format_map(listed)) if en else _plain(found)
    except KeyError:  # Another release of the framework knows other words for it.
        return _plain(found)


def _plain(found: Mapping[str, Any]) -> Words:
    said = str(found["msg"])[:WORDS_MOST]
    return Words(said, f"格式不正确（{said}）")
