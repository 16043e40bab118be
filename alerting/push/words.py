"""Words for conditions, tiers and quality, and one clause for what is wrong with a tag.

Flow: cause of an event -> [clause] -> notice, "why did this ring?"
Never: guesses a fact that is not there, mixes languages.
"""

from collections.abc import Mapping
from typing import Any, Literal

Language = Literal["en", "zh"]

CONDITION_ZH = {
    "LL": "低低报", "L": "低报", "H": "高报", "HH": "高高报", "RATE": "变化率", "STALE": "数据中断", "BAD": "质量坏",
}  # fmt: skip
TIER_ZH = {"NONE": "无", "BLUE": "蓝色", "YELLOW": "黄色", "ORANGE": "橙色", "RED": "红色"}
QUALITY_ZH = {"GOOD": "良好", "UNCERTAIN": "存疑", "BAD": "坏"}
REASON_ZH = {
    "comms": "通信中断", "timeout": "超时", "exception": "设备异常应答", "length": "应答长度错误", "range": "超量程",
    "sentinel": "填充值", "not_a_number": "非数值", "malformed": "报文无法解析", "frozen": "数据冻结",
    "substituted": "人工置数", "clock": "时钟错误", "retained": "保留消息", "device": "设备自报故障",
}  # fmt: skip
ABOVE, BELOW = ("H", "HH"), ("L", "LL")


def clause(facts: Mapping[str, Any], lang: Language) -> str:
    """Say what is wrong with a tag, e.g. ``TK-101.level 4.31 m ≥ HH 4.20 m for 3 s``.

    Args:
        facts: ``tag, kind, value, eu, setpoint, on_delay_s, window_s``; ``decimals`` where the tag's resolution
            gives them. What is missing shows as ``?`` or is left out.
        lang: ``en`` or ``zh``.
    """
    return _clause_zh(facts) if lang == "zh" else _clause_en(facts)


def quality_zh(quality: str) -> str:
    """Put ``BAD(timeout)`` into Chinese."""
    name, _, reason = quality.rstrip(")").partition("(")
    named = QUALITY_ZH.get(name, name)
    return f"{named}({REASON_ZH.get(reason, reason)})" if reason else named


def _clause_en(facts: Mapping[str, Any]) -> str:
    tag, kind = facts.get("tag", "?"), str(facts.get("kind", ""))
    delay = f" for {_span(facts, 'on_delay_s', ' s')}" if facts.get("on_delay_s") else ""
    if kind in ABOVE or kind in BELOW:
        return f"{tag} {_value(facts, 'value')} {_sign(kind)} {kind} {_value(facts, 'setpoint')}{delay}"
    if kind == "RATE":
        window = f" over {_span(facts, 'window_s', ' s')}" if facts.get("window_s") else ""
        return f"{tag} changes by {_value(facts, 'setpoint')}/s or more{window}{delay}, now {_value(facts, 'value')}"
    if kind == "STALE":
        return f"{tag} has given no sample for {_span(facts, 'setpoint', ' s')}"
    if kind == "BAD":
        return f"{tag} has had bad quality for {_span(facts, 'setpoint', ' s')}"
    return f"{tag} {kind or 'condition'} {_value(facts, 'value')}"


def _clause_zh(facts: Mapping[str, Any]) -> str:
    tag, kind = facts.get("tag", "?"), str(facts.get("kind", ""))
    name = CONDITION_ZH.get(kind, kind)
    delay = f",持续 {_span(facts, 'on_delay_s', ' 秒')}" if facts.get("on_delay_s") else ""
    if kind in ABOVE or kind in BELOW:
        return f"{tag} {_value(facts, 'value')} {_sign(kind)} {name}设定值 {_value(facts, 'setpoint')}{delay}"
    if kind == "RATE":
        window = f"{_span(facts, 'window_s', ' 秒')}内" if facts.get("window_s") else ""
        return f"{tag} {window}变化率达到 {_value(facts, 'setpoint')}/s{delay},当前值 {_value(facts, 'value')}"
    if kind == "STALE":
        return f"{tag} 数据中断达 {_span(facts, 'setpoint', ' 秒')}"
    if kind == "BAD":
        return f"{tag} 数据质量坏持续 {_span(facts, 'setpoint', ' 秒')}"
    return f"{tag} {name} {_value(facts, 'value')}"


def _sign(kind: str) -> str:
    return "≥" if kind in ABOVE else "≤"


def _value(facts: Mapping[str, Any], name: str) -> str:
    number = facts.get(name)
    if number is None:
        return "?"
    decimals = facts.get("decimals")
    text = f"{number:.6g}" if decimals is None else f"{number:.{decimals}f}"
    return f"{text} {facts['eu']}" if facts.get("eu") else text


def _span(facts: Mapping[str, Any], name: str, unit: str) -> str:
    number = facts.get(name)
    return "?" if number is None else f"{number:g}{unit}"
