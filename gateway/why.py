"""Why did this ring? One sentence from the facts of an event's cause.

Flow: cause of an event -> [why] -> page, ``fengsui why``
Why: a person at three in the morning reads one sentence, not a JSON object.
Never: guesses a fact that is not there.
"""

from collections.abc import Mapping
from typing import Any

from alerting.push.act_words import act_sentence
from alerting.push.notice import decimals_of
from alerting.push.unit_words import unit_sentence
from alerting.push.words import TIER_ZH, Language, clause, left, quality_zh
from edge.model import TagTable

__all__ = ["Language", "facts_of", "rounded", "why"]


def why(facts: Mapping[str, Any], lang: Language = "en") -> str:
    """Say in one sentence why an alarm or a hazard unit has the tier it has.

    Args:
        facts: The event's cause (``tag, value, eu, quality, kind, setpoint, deadband, on_delay_s, scan …``) and
            ``tier``; ``decimals`` where the tag's resolution gives them. What is missing is left out. Of a unit event
            its cause, ``unit`` and ``tier``.
        lang: ``en`` or ``zh``.
    """
    if "unit_kind" in facts:
        return unit_sentence(facts, lang)
    if "who" in facts:
        return act_sentence(facts, lang)
    said, scan, quality = clause(facts, lang) + left(facts, lang), facts.get("scan"), facts.get("quality")
    is_scan = scan not in (None, "", "clock")
    tier = str(facts.get("tier", "?"))
    if lang == "zh":
        about = [
            f"采样批次 {scan}" if is_scan else "由时钟判定",
            f"质量{quality_zh(str(quality))}" if quality else "",
            f"规则第 {facts['swap']} 版生效时重新判定" if facts.get("swap") else "",
            _authored(facts, "zh"),
        ]
        late = ",补判" if facts.get("is_late") else ""
        return f"{said}({','.join(filter(None, about))})→ {TIER_ZH.get(tier, '?')}预警{late}"
    about = [
        f"scan {scan}" if is_scan else "seen by the clock",
        f"quality {quality}" if quality else "",
        f"judged anew when revision {facts['swap']} of the rules took over" if facts.get("swap") else "",
        _authored(facts, "en"),
    ]
    late = ", judged late" if facts.get("is_late") else ""
    return f"{said} ({', '.join(filter(None, about))}) → {tier}{late}"


def _authored(facts: Mapping[str, Any], lang: Language) -> str:
    """Say who changed the rule last and who approved of it, where a person did."""
    who, approved = facts.get("changed_by"), facts.get("approved_by")
    if not who:
        return ""
    if lang == "zh":
        return f"规则第 {facts['revision']} 版由 {who} 修改" + (f"、{approved} 批准" if approved else "")
    return f"rule of revision {facts['revision']} by {who}" + (f", approved by {approved}" if approved else "")


def facts_of(event: Mapping[str, Any], tags: TagTable | None) -> dict[str, Any]:
    """Give what a sentence needs of any event, of an alarm, a unit or a person's act.

    Args:
        event: An event as the event log and the journal hold it.
        tags: For engineering units and decimals; None where they are not at hand.
    """
    facts = {
        "tag": event["tag"],
        "kind": event["condition"],
        "value": event["value"],
        "setpoint": event["setpoint"],
        **event["cause"],
        "what": event.get("event") or event["what"],
        "tier": event["tier"],
        "unit": event["unit"],
        "is_late": event["is_late"],
        "time_ns": event["received_ns"],
    }
    row = None if tags is None else tags.row_of.get(event["tag"])
    if tags is not None and row is not None:
        facts.setdefault("eu", tags[row].eu)
        if tags[row].resolution > 0:
            facts["decimals"] = decimals_of(tags[row].resolution)
    return rounded(facts, tags)


def rounded(facts: dict[str, Any], tags: TagTable | None) -> dict[str, Any]:
    """Give the conditions that a unit's facts name the decimals of their tags; without tags all stays as it is."""
    if tags is None or "conditions" not in facts:
        return facts
    named = [(one, tags.row_of.get(one.get("tag", ""))) for one in facts["conditions"]]
    shown = [
        one if row is None or tags[row].resolution <= 0 else {**one, "decimals": decimals_of(tags[row].resolution)}
        for one, row in named
    ]
    return {**facts, "conditions": shown}
