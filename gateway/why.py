"""Why did this ring? One sentence from the facts of an event's cause.

Flow: cause of an event -> [why] -> page, ``fengsui why``, notices
Why: a person at three in the morning reads one sentence, not a JSON object.
Never: guesses a fact that is not there.
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


def why(facts: Mapping[str, Any], lang: Language = "en") -> str:
    """Say in one sentence why an alarm has the tier it has.

    Args:
        facts: The event's cause (``tag, value, eu, quality, kind, setpoint, deadband, on_delay_s, scan …``) and
            ``tier``; ``decimals`` where the tag's resolution gives them. What is missing is left out.
        lang: ``en`` or ``zh``.
    """
    return _why_zh(facts) if lang == "zh" else _why_en(facts)


def _why_en(facts: Mapping[str, Any]) -> str:
    tag, kind, limit_s = facts.get("tag", "?"), facts.get("kind", ""), _seconds(facts.get("setpoint"))
    delay = f" for {_seconds(facts['on_delay_s'])}" if facts.get("on_delay_s") else ""
    if kind in ABOVE or kind in BELOW:
        said = f"{tag} {_value(facts, 'value')} {_sign(kind)} {kind} {_value(facts, 'setpoint')}{delay}"
    elif kind == "RATE":
        window = f" over {_seconds(facts['window_s'])}" if facts.get("window_s") else ""
        said = f"{tag} changes by {_value(facts, 'setpoint')}/s or more{window}{delay}, now {_value(facts, 'value')}"
    elif kind == "STALE":
        said = f"{tag} has given no sample for {limit_s}"
    elif kind == "BAD":
        said = f"{tag} has had bad quality for {limit_s}"
    else:
        said = f"{tag} {kind or 'condition'} {_value(facts, 'value')}"
    about = [f"scan {facts['scan']}" if facts.get("scan") not in (None, "", "clock") else "seen by the clock"]
    if facts.get("quality"):
        about.append(f"quality {facts['quality']}")
    late = ", judged late" if facts.get("is_late") else ""
    return f"{said} ({', '.join(about)}) → {facts.get('tier', '?')}{late}"


def _why_zh(facts: Mapping[str, Any]) -> str:
    tag, kind, limit_s = facts.get("tag", "?"), facts.get("kind", ""), _seconds_zh(facts.get("setpoint"))
    delay = f",持续 {_seconds_zh(facts['on_delay_s'])}" if facts.get("on_delay_s") else ""
    name = CONDITION_ZH.get(kind, kind)
    if kind in ABOVE or kind in BELOW:
        said = f"{tag} {_value(facts, 'value')} {_sign(kind)} {name}设定值 {_value(facts, 'setpoint')}{delay}"
    elif kind == "RATE":
        window = f"{_seconds_zh(facts['window_s'])}内" if facts.get("window_s") else ""
        said = f"{tag} {window}变化率达到 {_value(facts, 'setpoint')}/s{delay},当前值 {_value(facts, 'value')}"
    elif kind == "STALE":
        said = f"{tag} 数据中断达 {limit_s}"
    elif kind == "BAD":
        said = f"{tag} 数据质量坏持续 {limit_s}"
    else:
        said = f"{tag} {name} {_value(facts, 'value')}"
    about = [f"采样批次 {facts['scan']}" if facts.get("scan") not in (None, "", "clock") else "由时钟判定"]
    if facts.get("quality"):
        about.append(f"质量{_quality_zh(str(facts['quality']))}")
    tier = TIER_ZH.get(str(facts.get("tier", "")), "?")
    late = ",补判" if facts.get("is_late") else ""
    return f"{said}({','.join(about)})→ {tier}预警{late}"


def _sign(kind: str) -> str:
    return "≥" if kind in ABOVE else "≤"


def _value(facts: Mapping[str, Any], name: str) -> str:
    number = facts.get(name)
    if number is None:
        return "?"
    decimals = facts.get("decimals")
    text = f"{number:.6g}" if decimals is None else f"{number:.{decimals}f}"
    return f"{text} {facts['eu']}" if facts.get("eu") else text


def _seconds(number: Any) -> str:  # noqa: ANN401 - a JSON number, or nothing
    return "?" if number is None else f"{number:g} s"


def _seconds_zh(number: Any) -> str:  # noqa: ANN401 - a JSON number, or nothing
    return "?" if number is None else f"{number:g} 秒"


def _quality_zh(quality: str) -> str:
    """Put ``BAD(timeout)`` into Chinese."""
    name, _, reason = quality.rstrip(")").partition("(")
    named = QUALITY_ZH.get(name, name)
    return f"{named}({REASON_ZH.get(reason, reason)})" if reason else named
