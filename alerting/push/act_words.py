"""Words for what a person or a timer did to an alarm: acknowledged, shelved, taken out of service, cleared.

Flow: cause of an event with a name in it -> [act_sentence] -> page, ``fengsui why``
"""

from collections.abc import Mapping
from typing import Any

from alerting.covering import STATE_ENDED, STOP_ENDED, TICKET_ENDED
from alerting.desk import RETURNED, RULE_GONE, UNIT_CHANGED
from alerting.model.ticket_cover import PREFIX as TICKET_PREFIX
from alerting.model.ticket_cover import words_of
from alerting.obeying import STILL_STANDS
from alerting.push.words import ABOVE, BELOW, CONDITION_ZH, TIER_ZH, Language, clause, quantity

ACTS = {
    "acknowledged": ("acknowledged", "确认"),
    "silenced": ("silenced the horn for", "消音"),
    "shelved": ("shelved", "搁置"),
    "unshelved": ("took off the shelf", "解除搁置"),
    "suppressed": ("took out of service", "停用"),
    "unsuppressed": ("returned to service", "恢复投用"),
    "realarmed": (
        "let ring again, because it is active and no longer suppressed,",
        "因报警仍有效且抑制已结束,重新报警",
    ),
    "changed": ("moved", "移动"),
    "returned": ("let go of", "解除"),
    "cleared": ("cleared", "销除"),
}

EXTENDED = {
    "shelved": ("set another end to the shelf of", "调整搁置时间"),
    "suppressed": ("set another end to the time out of service of", "调整停用时间"),
}

#: What is said otherwise where it was done for a reason of our own.
BY_REASON = {
    ("realarmed", STILL_STANDS): ("let ring again", "重新报警"),
    ("unsuppressed", STATE_ENDED): ("no longer suppresses", "解除抑制"),
    ("unsuppressed", STOP_ENDED): ("no longer suppresses", "解除抑制"),
    ("unsuppressed", TICKET_ENDED): ("no longer suppresses", "解除抑制"),
}

#: Reasons of our own; a person's are in his own words.
REASON_ZH = {
    STILL_STANDS: "已确认但报警仍未消除",
    STATE_ENDED: "抑制该报警的状态已结束",
    STOP_ENDED: "该设备申报的停用已结束",
    TICKET_ENDED: "抑制该报警的作业票已结束",
    RETURNED: "报警已恢复正常",
    RULE_GONE: "配置中已无该规则",
    UNIT_CHANGED: "配置将该位号划归另一单元",
}


def condition_phrase(facts: Mapping[str, Any], lang: Language) -> str:
    """Name a condition with its value and limit, e.g. ``T.level 4.31 m ≥ HH 4.20 m``, ``T.level STALE 4.31 m``.

    Args:
        facts: ``tag, kind, value, setpoint, eu``; ``decimals`` where they are known.
        lang: ``en`` or ``zh``.
    """
    kind = str(facts.get("kind", ""))
    if kind in (*ABOVE, *BELOW):
        return clause({**facts, "on_delay_s": 0}, lang)
    # A time to limit is no name for a value.
    name = {**CONDITION_ZH, "TREND": "趋势预警"}.get(kind, kind) if lang == "zh" else kind
    value = "" if facts.get("value") is None else quantity(facts, "value")
    return " ".join(filter(None, (str(facts.get("tag", "?")), name, value)))


def act_sentence(facts: Mapping[str, Any], lang: Language) -> str:
    """Say who did what to which alarm, for how long and why.

    Args:
        facts: ``who, reason, what, tier``, those of ``condition_phrase``, and ``until_ns`` with ``time_ns`` of a
            suppression; ``one_shot`` of a shelf that ends with the return; ``permit`` that it is out of service under.
        lang: ``en`` or ``zh``.
    """
    en, zh = ACTS.get(str(facts.get("what", "")), ("changed", "变更"))
    by_reason = BY_REASON.get((str(facts.get("what")), str(facts.get("reason", ""))))
    if by_reason:
        en, zh = by_reason
    elif facts.get("what") == "suppressed" and facts.get("by_design"):
        en, zh = "suppressed", "抑制"
    elif facts.get("what") in EXTENDED and facts.get("from_until_ns"):
        en, zh = EXTENDED[str(facts["what"])]
    phrase, who, tier = condition_phrase(facts, lang), facts.get("who", "?"), str(facts.get("tier", "?"))
    span_s = (facts["until_ns"] - facts["time_ns"]) / 1e9 if facts.get("until_ns") else 0.0
    reason = str(facts.get("reason", ""))
    reason = REASON_ZH.get(reason, reason) if lang == "zh" else reason
    ticket = str(facts.get("by_design") or "").removeprefix(TICKET_PREFIX)
    if ticket and ticket != facts["by_design"]:
        phrase += f" by design (work ticket {ticket})" if lang == "en" else f"(设计抑制,作业票 {ticket})"
        reason = reason.removeprefix(words_of(ticket, "")["en"])
    elif facts.get("by_design"):
        phrase += f" by design ({facts['by_design']})" if lang == "en" else f"(设计抑制 {facts['by_design']})"
    if facts.get("confirmed_by"):
        who = f"{who} and {facts['confirmed_by']}" if lang == "en" else f"{who}、{facts['confirmed_by']}"
    if facts.get("permit"):
        phrase += f" under permit {facts['permit']}" if lang == "en" else f",作业票 {facts['permit']}"
    if facts.get("from_unit"):
        to = f" from unit {facts['from_unit']} to {facts.get('unit', '?')}"
        phrase += to if lang == "en" else f" 由单元 {facts['from_unit']} 至 {facts.get('unit', '?')}"
    if lang == "zh":
        span = f",时长 {span_s:.0f} 秒" if span_s else ""
        span = f",至恢复正常,最长 {span_s:.0f} 秒" if facts.get("one_shot") else span
        return f"{who} {zh}:{phrase}{span}{f',原因:{reason}' if reason else ''}→ {TIER_ZH.get(tier, tier)}预警"
    span = f" for {span_s:.0f} s" if span_s else ""
    span = f" until it returns to normal, for at most {span_s:.0f} s" if facts.get("one_shot") else span
    return f"{who} {en} {phrase}{span}{f': {reason}' if reason else ''} → {tier}"
