"""Words for conditions, tiers and quality, and one clause for what is wrong with a tag.

Flow: cause of an event -> [clause] -> notice, "why did this ring?"
Never: guesses a fact that is not there, mixes languages.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal

from alerting.push.derived import computed_from
from alerting.push.vote_words import voted

Language = Literal["en", "zh"]

CONDITION_ZH = {
    "LL": "低低报", "L": "低报", "H": "高报", "HH": "高高报", "RATE": "变化率", "STALE": "数据中断", "BAD": "质量坏",
    "EXPRESSION": "表达式条件",
    "VOTE": "表决",
    "DRIFT": "漂移",
    "TREND": "预计越限时间", "DEVIATION": "偏差", "STATE": "状态", "FROZEN": "数据冻结", "RANGE": "超量程",
}  # fmt: skip
#: What the page calls a condition in English; the limits are called by their own letters.
CONDITION_EN = {
    "RATE": "rate of change", "STALE": "no data", "BAD": "quality BAD", "EXPRESSION": "condition over tags",
    "VOTE": "vote", "DRIFT": "drift", "TREND": "time to limit", "DEVIATION": "deviation", "STATE": "state",
    "FROZEN": "frozen", "RANGE": "out of range",
}  # fmt: skip
#: State of an alarm as the page says it: English, Chinese.
ALARM_STATES = {
    "UNACK": ("unacknowledged", "未确认"), "ACKED": ("acknowledged", "已确认"),
    "RTN_UNACK": ("returned, unacknowledged", "已恢复，未确认"), "LATCHED": ("latched, reset it", "锁存，待复位"),
    "NORMAL": ("normal", "正常"),
}  # fmt: skip
TIER_ZH = {"NONE": "无", "BLUE": "蓝色", "YELLOW": "黄色", "ORANGE": "橙色", "RED": "红色"}
QUALITY_ZH = {"GOOD": "良好", "UNCERTAIN": "存疑", "BAD": "坏"}
REASON_ZH = {
    "comms": "通信中断", "timeout": "超时", "exception": "设备异常应答", "length": "应答长度错误", "range": "超量程",
    "sentinel": "填充值", "not_a_number": "非数值", "malformed": "报文无法解析", "frozen": "数据冻结",
    "substituted": "人工置数", "clock": "时钟错误", "retained": "保留消息", "device": "设备自报故障",
    "low_current": "回路电流过低（≤3.6 mA）", "high_current": "回路电流过高（≥21 mA）", "unmapped": "未定义的文本",
    "input": "计算所依据的位号异常", "incomplete": "时段数据不完整",
}  # fmt: skip
EXPRESSION_EN = {True: "true", False: "not true", None: "unknown", "over": "is over"}
EXPRESSION_ZH = {True: "成立", False: "不成立", None: "未知", "over": "不再成立"}
DAY_ZH = {"mon": "周一", "tue": "周二", "wed": "周三", "thu": "周四", "fri": "周五", "sat": "周六", "sun": "周日"}
DOUBT_ZH = {
    "unseen": "尚无数据", "stale": "数据中断", "bad": "质量坏", "not_judged": "未判定", "division": "除数为零",
    "too_large": "数值溢出", "not_whole": "非整数", "window": "时间窗未满",
}  # fmt: skip
OWN_CLAUSE = ("DRIFT", "DEVIATION", "STATE", "FROZEN", "RANGE")
ABOVE, BELOW = ("H", "HH"), ("L", "LL")


def clause(facts: Mapping[str, Any], lang: Language) -> str:
    """Say what is wrong with a tag, e.g. ``TK-101.level 4.31 m ≥ HH 4.20 m for 3 s``.

    Args:
        facts: ``tag, kind, value, eu, setpoint, on_delay_s, window_s``, of a TREND also ``to, is_falling, slope,
            time_to_limit_s, horizon_s, blocks``, of a DRIFT ``usual, away, score, detector, season, span_s,
            is_learning``, of an EXPRESSION ``when, parts``, of a VOTE ``title, enough, members``, of other kinds what
            their rule has (``other, other_value, other_eu, reference, states, mask, pattern, band, while_above``) and
            ``holds``; ``decimals`` where the tag's resolution gives them. What is missing shows as ``?`` or is left
            out.
        lang: ``en`` or ``zh``.
    """
    if facts.get("disabled"):
        return _disabled_zh(facts) if lang == "zh" else _disabled_en(facts)
    if facts.get("kind") == "VOTE" or facts.get("lost"):
        said = voted(facts, lang, CONDITION_ZH)
    else:
        said = _clause_zh(facts) if lang == "zh" else _clause_en(facts)
    if facts.get("enable_is") == "unknown":
        said += _doubtful_zh(facts) if lang == "zh" else _doubtful_en(facts)
    return said + computed_from(facts, lang)


def ended(facts: Mapping[str, Any], lang: Language) -> str:
    """Say of an alarm that is over what ended it where its value did not.

    Args:
        facts: ``tag, kind, ended_by`` (see ``alerting.model.alarm.Alarm``).
    """
    by, _, text = str(facts["ended_by"]).partition(" ")
    if by in ("enable", "schedule"):
        return clause({"tag": facts.get("tag", "?"), "kind": facts.get("kind", ""), "disabled": by, by: text}, lang)
    tag = facts.get("tag", "?")
    return f"{tag} 的规则已不在配置中" if lang == "zh" else f"{tag}: its rule is no longer in the configuration"


def left(facts: Mapping[str, Any], lang: Language) -> str:
    """Say of an alarm that went back to a limit before its outermost one what became of that; empty of any other.

    Args:
        facts: ``from`` and ``left``, kind and setpoint of the limit that no longer stands; ``left_by`` as ``ended_by``
            of [ended] where not the value ended it; ``tag, eu, decimals``.
    """
    if "left" not in facts and "left_by" not in facts:
        return ""
    kind, by = str(facts["from"]), facts.get("left_by")
    name = CONDITION_ZH.get(kind, kind)
    if by == "gone":
        return f";{name}规则已不在配置中" if lang == "zh" else f"; the rule {kind} is no longer in the configuration"
    if by:
        return (";" if lang == "zh" else "; ") + ended({**facts, "kind": kind, "ended_by": by}, lang)
    limit = _value({**facts, "setpoint": facts["left"]}, "setpoint")
    if lang == "zh":
        return f";已{'低于' if kind in ABOVE else '高于'}{name}设定值 {limit}"
    return f"; back {'below' if kind in ABOVE else 'above'} {kind} {limit}"


def _disabled_en(facts: Mapping[str, Any]) -> str:
    """``TK-1.level H is disabled: its enable-condition XV-1.open == 1 is not true``."""
    said, by = f"{facts.get('tag', '?')} {facts.get('kind', '')}", facts.get("enable", "?")
    if facts["disabled"] == "schedule":
        return f"{said} is disabled: it is judged {facts.get('schedule', '?')} only"
    return f"{said} is disabled: its enable-condition {by} is not true"


def _disabled_zh(facts: Mapping[str, Any]) -> str:
    name = CONDITION_ZH.get(str(facts.get("kind", "")), "")
    if facts["disabled"] == "schedule":
        spans = re.sub("|".join(DAY_ZH), lambda day: DAY_ZH[day.group()], str(facts.get("schedule", "?")))
        return f"{facts.get('tag', '?')} {name}停止判定:仅在 {spans} 判定"
    return f"{facts.get('tag', '?')} {name}停止判定:启用条件 {facts.get('enable', '?')} 不成立"


def _doubtful_en(facts: Mapping[str, Any]) -> str:
    """``, although its enable-condition … is unknown (XV-1.open stale)``."""
    why = f"{facts.get('enable_part', '?')} {str(facts.get('enable_doubt', '')).replace('_', ' ')}"
    return f", judged although its enable-condition {facts.get('enable', '?')} is unknown ({why})"


def _doubtful_zh(facts: Mapping[str, Any]) -> str:
    why = f"{facts.get('enable_part', '?')} {DOUBT_ZH.get(str(facts.get('enable_doubt', '')), '未知')}"
    return f",启用条件 {facts.get('enable', '?')} 未知({why}),按启用判定"


def condition_said(kind: str, lang: str) -> str:
    """Name a condition in a table for people, as the page does, e.g. ``RATE`` as ``rate of change`` or ``变化率``.

    Args:
        kind: Its name; a name of none is given back.
        lang: ``zh``, else English.
    """
    return (CONDITION_ZH if lang == "zh" else CONDITION_EN).get(kind, kind)


def state_said(state: str, lang: str) -> str:
    """Name the state of an alarm in a table for people, as the page does; ``lang`` as above."""
    return ALARM_STATES.get(state, (state, state))[lang == "zh"]


def quality_zh(quality: str) -> str:
    """Put ``BAD(timeout)`` into Chinese."""
    name, _, reason = quality.rstrip(")").partition("(")
    named = QUALITY_ZH.get(name, name)
    return f"{named}({REASON_ZH.get(reason, reason)})" if reason else named


def _is_back(facts: Mapping[str, Any], kind: str) -> bool:
    """Tell whether the value is back inside a limit that deadband or off-delay still holds."""
    value, setpoint = facts.get("value"), facts.get("setpoint")
    if value is None or setpoint is None:
        return False
    return bool(value < setpoint if kind in ABOVE else value > setpoint)


def _back_en(facts: Mapping[str, Any], kind: str) -> str:
    """Say that the value is back and what still holds the alarm; empty where it is beyond the limit."""
    if not _is_back(facts, kind):
        return ""
    side = "below" if kind in ABOVE else "above"
    back = f"{facts.get('tag', '?')} {_value(facts, 'value')}, back {side} {kind} {_value(facts, 'setpoint')}"
    if not _holds(facts):
        return back
    off = _span(facts, "off_delay_s", " s") if facts.get("off_delay_s") else ""
    rest = f"clears {off} after it is past the deadband" if off else "still within the deadband"
    return f"{back}, {rest}"


def _back_zh(facts: Mapping[str, Any], kind: str) -> str:
    """The same in Chinese."""
    if not _is_back(facts, kind):
        return ""
    side, name = ("低于" if kind in ABOVE else "高于"), CONDITION_ZH.get(kind, kind)
    back = f"{facts.get('tag', '?')} {_value(facts, 'value')},已{side}{name}设定值 {_value(facts, 'setpoint')}"
    if not _holds(facts):
        return back
    off = _span(facts, "off_delay_s", " 秒") if facts.get("off_delay_s") else ""
    rest = f"越过死区 {off}后恢复" if off else "仍在死区内"
    return f"{back},{rest}"


def _holds(facts: Mapping[str, Any]) -> bool:
    """Tell whether the condition still holds: an alarm that has returned has no tier."""
    return bool(facts.get("holds", facts.get("tier") != "NONE"))


def _clause_en(facts: Mapping[str, Any]) -> str:
    tag, kind = facts.get("tag", "?"), str(facts.get("kind", ""))
    holds = _holds(facts)
    delay = f" for {_span(facts, 'on_delay_s', ' s')}" if facts.get("on_delay_s") and holds else ""
    if kind in ABOVE or kind in BELOW:
        beyond = f"{tag} {_value(facts, 'value')} {_sign(kind)} {kind} {_value(facts, 'setpoint')}{delay}"
        return _back_en(facts, kind) or beyond
    if kind == "RATE":
        window = f" over {_span(facts, 'window_s', ' s')}" if facts.get("window_s") else ""
        by = f"{_value(facts, 'setpoint')}/s or more" if holds else f"less than {_value(facts, 'setpoint')}/s"
        return f"{tag} changes by {by}{window}{delay}, now {_value(facts, 'value')}"
    if kind == "TREND":
        return _trend_en(facts) + delay
    if kind == "EXPRESSION":
        return _asked(facts, "{} for {}", " s", EXPRESSION_EN)
    if kind in OWN_CLAUSE:
        said = _drift_en(facts) if kind == "DRIFT" else _condition_en(facts, kind)
        return said + (delay if facts.get("holds", True) else "")
    if kind in ("STALE", "BAD"):
        return _no_data_en(facts, kind, holds=holds)
    return f"{tag} {kind or 'condition'} {_value(facts, 'value')}"


def _clause_zh(facts: Mapping[str, Any]) -> str:
    tag, kind = facts.get("tag", "?"), str(facts.get("kind", ""))
    name = CONDITION_ZH.get(kind, kind)
    holds = _holds(facts)
    delay = f",持续 {_span(facts, 'on_delay_s', ' 秒')}" if facts.get("on_delay_s") and holds else ""
    if kind in ABOVE or kind in BELOW:
        beyond = f"{tag} {_value(facts, 'value')} {_sign(kind)} {name}设定值 {_value(facts, 'setpoint')}{delay}"
        return _back_zh(facts, kind) or beyond
    if kind == "RATE":
        window = f"{_span(facts, 'window_s', ' 秒')}内" if facts.get("window_s") else ""
        reaches = "达到" if holds else "小于"
        return f"{tag} {window}变化率{reaches} {_value(facts, 'setpoint')}/s{delay},当前值 {_value(facts, 'value')}"
    if kind == "TREND":
        return _trend_zh(facts) + delay
    if kind == "EXPRESSION":
        return "条件 " + _asked(facts, "{}，持续 {}", " 秒", EXPRESSION_ZH)
    if kind in OWN_CLAUSE:
        said = _drift_zh(facts) if kind == "DRIFT" else _condition_zh(facts, kind)
        return said + (delay if facts.get("holds", True) else "")
    if kind in ("STALE", "BAD"):
        return _no_data_zh(facts, kind, holds=holds)
    return f"{tag} {name} {_value(facts, 'value')}"


def _no_data_en(facts: Mapping[str, Any], kind: str, *, holds: bool) -> str:
    tag = facts.get("tag", "?")
    if kind == "STALE":
        if not holds:
            return f"{tag} gives samples again, now {_value(facts, 'value')}"
        return f"{tag} has given no sample for {_span(facts, 'setpoint', ' s')}"
    if not holds:
        return f"{tag} is measured again, now {_value(facts, 'value')}"
    return f"{tag} has had bad quality for {_span(facts, 'setpoint', ' s')}"


def _no_data_zh(facts: Mapping[str, Any], kind: str, *, holds: bool) -> str:
    tag = facts.get("tag", "?")
    if kind == "STALE":
        if not holds:
            return f"{tag} 恢复上传数据,当前值 {_value(facts, 'value')}"
        return f"{tag} 数据中断达 {_span(facts, 'setpoint', ' 秒')}"
    if not holds:
        return f"{tag} 恢复有效测量,当前值 {_value(facts, 'value')}"
    return f"{tag} 数据质量坏持续 {_span(facts, 'setpoint', ' 秒')}"


def _asked(facts: Mapping[str, Any], held: str, unit: str, words: Mapping[Any, str]) -> str:
    """``level > 4.5 and flow > 0 for 10 s: true level > 4.5 (4.62 m), flow > 0 (12.1 m3/h)``."""
    said = str(facts.get("when", "?"))
    # An outermost "for" is the rule's on-delay, and is said already.
    if facts.get("on_delay_s") and not re.search(r"\bfor\s+[\d.eE+-]+\s*[a-z]+\s*$", said):
        said = held.format(said, _span(facts, "on_delay_s", unit))
    if not facts.get("holds", True):
        said = f"{said} {words['over']}"
    parts: dict[Any, list[str]] = {}
    for part in facts.get("parts", ()):
        values = [
            _value(one, "value") if len(part["values"]) == 1
            else f"{one['text']} {_value(one, 'value')}"
            for one in part["values"]
        ]  # fmt: skip
        parts.setdefault(part["is_true"], []).append(
            f"{part['text']} ({', '.join(values)})" if values else part["text"]
        )
    told = [f"{words[truth]} {', '.join(parts[truth])}" for truth in (True, False, None) if truth in parts]
    return f"{said}: {'; '.join(told)}" if told else said


def _trend_en(facts: Mapping[str, Any]) -> str:
    """``TK-101.level 4.31 m rising 0.08 m/min reaches HH 5.10 m in 9.9 min (horizon 10 min)``."""
    horizon = f"(horizon {_minutes(facts, 'horizon_s', ' s', ' min')}{_line_en(facts)})"
    to = f"{facts['to']} {_value(facts, 'setpoint')}" if facts.get("to") else _value(facts, "setpoint")
    way = "rising" if (facts.get("slope") or 0.0) >= 0 else "falling"
    moves = f"{facts.get('tag', '?')} {_value(facts, 'value')} {way} {_slope(facts)}"
    if _is_beyond(facts):
        return f"{moves} is beyond {to} {horizon}"
    if facts.get("time_to_limit_s") is None:
        return f"{moves} does not run to {to} {horizon}"
    return f"{moves} reaches {to} in {_minutes(facts, 'time_to_limit_s', ' s', ' min')} {horizon}"


def _line_en(facts: Mapping[str, Any]) -> str:
    """Say what a TREND with blocks draws its line through."""
    blocks = facts.get("blocks")
    if not blocks:
        return ""
    return f", line through {blocks['count']} blocks of {_minutes(blocks, 'block_s', ' s', ' min')}"


def _line_zh(facts: Mapping[str, Any]) -> str:
    blocks = facts.get("blocks")
    if not blocks:
        return ""
    return f",按 {blocks['count']} 段各 {_minutes(blocks, 'block_s', ' 秒', ' 分钟')}的均值拟合直线"


def _trend_zh(facts: Mapping[str, Any]) -> str:
    """``TK-101.level 4.31 m 以 0.08 m/min 上升,预计 9.9 分钟后达到高高报 5.10 m(预警时限 10 分钟)``."""
    horizon = f"(预警时限 {_minutes(facts, 'horizon_s', ' 秒', ' 分钟')}{_line_zh(facts)})"
    name = CONDITION_ZH.get(str(facts.get("to")), "限值")
    to = f"{name} {_value(facts, 'setpoint')}"
    way = "上升" if (facts.get("slope") or 0.0) >= 0 else "下降"
    moves = f"{facts.get('tag', '?')} {_value(facts, 'value')} 以 {_slope(facts)} {way}"
    if _is_beyond(facts):
        return f"{moves},已越过{to}{horizon}"
    if facts.get("time_to_limit_s") is None:
        return f"{moves},不会达到{to}{horizon}"
    return f"{moves},预计 {_minutes(facts, 'time_to_limit_s', ' 秒', ' 分钟')}后达到{to}{horizon}"


def _drift_en(facts: Mapping[str, Any]) -> str:
    """``G-1 1.32 %LEL has drifted up by 0.42 %LEL from the usual 0.9 %LEL of this time of day: 7.1 σ (…)``."""
    tag, value, score = facts.get("tag", "?"), _value(facts, "value"), _score(facts)
    limit = (
        f"(limit {_span(facts, 'setpoint', ' σ')}, {_detector(facts)} over {_minutes(facts, 'span_s', ' s', ' min')})"
    )
    if facts.get("is_learning") and not facts.get("holds", True):
        return f"{tag} {value} is taken for normal from now on; its drift is learnt anew {limit}"
    when = {"day": " of this time of day", "week": " of this time of the week"}.get(str(facts.get("season")), "")
    usual = f"the usual {_digits(facts, 'usual', 4)}{when}"
    if not facts.get("holds", True):
        return f"{tag} {value} is back at {usual}: {score} {limit}"
    way = "up" if (facts.get("away") or 0.0) >= 0 else "down"
    return f"{tag} {value} has drifted {way} by {_digits(facts, 'away', 3)} from {usual}: {score} {limit}"


def _drift_zh(facts: Mapping[str, Any]) -> str:
    """``G-1 1.32 %LEL 较同时段常态 0.9 %LEL 向上漂移 0.42 %LEL,达 7.1 倍标准差(限值 6 倍,EWMA 5 分钟)``."""
    tag, value, score = facts.get("tag", "?"), _value(facts, "value"), _score(facts, " 倍标准差")
    limit = f"(限值 {_span(facts, 'setpoint', ' 倍')},{_detector(facts)} {_minutes(facts, 'span_s', ' 秒', ' 分钟')})"
    if facts.get("is_learning") and not facts.get("holds", True):
        return f"{tag} {value},自此按正常值重新学习漂移基线{limit}"
    when = {"day": "每日同时段", "week": "每周同时段"}.get(str(facts.get("season")), "")
    usual = f"{when}常态 {_digits(facts, 'usual', 4)}"
    if not facts.get("holds", True):
        return f"{tag} {value} 已回到{usual} 附近,为 {score}{limit}"
    way = "向上" if (facts.get("away") or 0.0) >= 0 else "向下"
    return f"{tag} {value} 较{usual} {way}漂移 {_digits(facts, 'away', 3)},达 {score}{limit}"


def _score(facts: Mapping[str, Any], unit: str = " σ") -> str:
    score = facts.get("score")
    return "?" if score is None else f"{score:.3g}{unit}"


def _digits(facts: Mapping[str, Any], name: str, digits: int) -> str:
    """A mean to some digits, because it is finer than the instrument; of a distance the way is said already."""
    mean = facts.get(name)
    text = "?" if mean is None else f"{abs(mean) if name == 'away' else mean:.{digits}g}"
    return f"{text} {facts['eu']}" if facts.get("eu") else text


def _detector(facts: Mapping[str, Any]) -> str:
    return str(facts.get("detector", "?")).upper()


def _is_beyond(facts: Mapping[str, Any]) -> bool:
    value, limit = facts.get("value"), facts.get("setpoint")
    if value is None or limit is None:
        return False
    return bool(value <= limit if facts.get("is_falling") else value >= limit)


def _slope(facts: Mapping[str, Any]) -> str:
    """Speed per minute, three digits, e.g. ``0.08 m/min``."""
    slope = facts.get("slope")
    speed = "?" if slope is None else f"{abs(slope) * 60:.3g}"
    return f"{speed} {facts['eu']}/min" if facts.get("eu") else f"{speed}/min"


def _minutes(facts: Mapping[str, Any], name: str, seconds: str, minutes: str) -> str:
    """``45 s``, ``9.9 min``; two minutes and more are minutes."""
    span = facts.get(name)
    if span is None:
        return "?"
    if round(span) < 120:  # noqa: PLR2004 - two minutes
        return f"{span:.0f}{seconds}"
    return f"{span / 60:.3g}{minutes}"


def _condition_en(facts: Mapping[str, Any], kind: str) -> str:
    """``A 5.1 m deviates from B 4.6 m by 0.3 m or more``; after the return that it no longer does."""
    tag, value, holds = facts.get("tag", "?"), _value(facts, "value"), facts.get("holds", True)
    if kind == "DEVIATION":
        by = f"by {_value(facts, 'setpoint')} or more" if holds else f"by less than {_value(facts, 'setpoint')}"
        return f"{tag} {value} deviates from {_reference(facts)} {by}"
    if kind == "STATE" and facts.get("mask"):
        what = f"bits {facts.get('pattern', 0):#x} under mask {facts['mask']:#x}"
        return f"{tag} {value} {'has' if holds else 'no longer has'} {what}"
    if kind == "STATE":
        return f"{tag} {value} is {'one' if holds else 'none'} of the alarm states {_list(facts, ', ')}"
    if kind == "FROZEN":
        if not holds:
            return f"{tag} moves again, now {value}"
        while_ = f" while {facts['other']} was above {_other(facts, 'while_above')}" if facts.get("other") else ""
        return (
            f"{tag} has stayed at {value} within {_value(facts, 'band')} for {_span(facts, 'setpoint', ' s')}{while_}"
        )
    if not holds:
        return f"{tag} {value} is within the instrument's range again"
    return f"{tag} has been outside the instrument's range for {_span(facts, 'setpoint', ' s')}"


def _condition_zh(facts: Mapping[str, Any], kind: str) -> str:
    tag, value, holds = facts.get("tag", "?"), _value(facts, "value"), facts.get("holds", True)
    if kind == "DEVIATION":
        return f"{tag} {value} 与 {_reference(facts)} 的偏差{'达到' if holds else '小于'} {_value(facts, 'setpoint')}"
    if kind == "STATE" and facts.get("mask"):
        what = f"状态位 {facts.get('pattern', 0):#x}(掩码 {facts['mask']:#x})"
        return f"{tag} {value} {'具有' if holds else '不再具有'}{what}"
    if kind == "STATE":
        return f"{tag} {value} {'属于' if holds else '不属于'}报警状态 {_list(facts, '、')}"
    if kind == "FROZEN":
        if not holds:
            return f"{tag} 恢复变化,当前值 {value}"
        while_ = f"在 {facts['other']} 高于 {_other(facts, 'while_above')} 期间," if facts.get("other") else ""
        return f"{tag} {while_}停在 {value}(变化不超过 {_value(facts, 'band')})达 {_span(facts, 'setpoint', ' 秒')}"
    if not holds:
        return f"{tag} {value} 已回到仪表量程内"
    return f"{tag} 超出仪表量程达 {_span(facts, 'setpoint', ' 秒')}"


def _reference(facts: Mapping[str, Any]) -> str:
    """What a deviation is measured from: ``B 4.6 m``, or the number."""
    return f"{facts['other']} {_other(facts, 'other_value')}" if facts.get("other") else _value(facts, "reference")


def _other(facts: Mapping[str, Any], name: str) -> str:
    """A value in the unit of the other tag."""
    return _value({name: facts.get(name), "eu": facts.get("other_eu")}, name)


def _list(facts: Mapping[str, Any], comma: str) -> str:
    return comma.join(f"{state:g}" for state in facts.get("states", ())) or "?"


def _sign(kind: str) -> str:
    return "≥" if kind in ABOVE else "≤"


def _value(facts: Mapping[str, Any], name: str) -> str:
    number = facts.get(name)
    if number is None:
        return "?"
    decimals = facts.get("decimals")
    text = f"{number:.6g}" if decimals is None else f"{number:.{decimals}f}"
    return f"{text} {facts['eu']}" if facts.get("eu") else text


def quantity(facts: Mapping[str, Any], name: str) -> str:
    """Give a number of the facts with its engineering unit, ``?`` where there is none."""
    return _value(facts, name)


def _span(facts: Mapping[str, Any], name: str, unit: str) -> str:
    number = facts.get(name)
    return "?" if number is None else f"{number:g}{unit}"
