"""Template: the words of a message as the site file writes them, filled in with what a call says.

Flow: template of a language, call -> [filled] -> text; lines that have nothing to say are left out
Why: every plant has its own way to say what, where, value, limit, since when and what to do; what is said must be
    the same call, and nothing of what stands in it may become part of the template.
Never: runs anything: ``{word}`` is looked up, once, and that is all.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from alerting.push.words import TIER_ZH

PLACEHOLDER: Final = re.compile(r"\{(\w+)\}")
#: What may stand in a template, and what it gives.
PLACEHOLDERS: Final[Mapping[str, str]] = {
    "what": "what is wrong, whole: tag, value, condition, limit",
    "where": "the hazard unit by its name",
    "unit": "its id",
    "tag": "the tag",
    "condition": "e.g. HH",
    "tier": "the tier: 红色 or RED",
    "value": "the value with its unit",
    "limit": "the limit with its unit",
    "since": "since when",
    "minutes": "for how many minutes",
    "state": "of a reminder: who acknowledged it",
    "todo": "what to do",
    "link": "the alarm on the page",
    "site": "the site by its name",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Words by language; a part that is not given is said as usual.

    Attributes:
        title: What stands above a message; before it stands 【演练】 or 【测试】 of what is not real, always.
        text: Below it, line by line.
        line: Of one alarm in a digest.
    """

    id: str
    title: Mapping[str, str] = field(default_factory=dict)
    text: Mapping[str, str] = field(default_factory=dict)
    line: Mapping[str, str] = field(default_factory=dict)


def filled(template: str, call: Mapping[str, Any], lang: str) -> list[str]:
    """Fill a template in; give its lines without those whose placeholders are all empty."""
    known = known_of(call, lang)
    lines = []
    for line in template.splitlines():
        words = PLACEHOLDER.findall(line)
        if words and not any(known[word] for word in words):
            continue
        text = PLACEHOLDER.sub(lambda found: known[found[1]], line)
        lines.append(" ".join(text.split()))
    return lines


def known_of(call: Mapping[str, Any], lang: str) -> dict[str, str]:
    """Give what stands for each placeholder."""
    said: Mapping[str, str] = call.get("clause") or call["text"]
    shown: Mapping[str, str] = call.get("shown") or {}
    acked, is_zh = call.get("acked_by") or "", lang == "zh"
    state = (f"{acked} 已确认,仍未恢复" if is_zh else f"{acked} acknowledged it; it still stands") if acked else ""
    return {
        "what": said[lang],
        "where": _title(call["unit"], lang),
        "unit": str(call["unit"]["id"]),
        "tag": str(call.get("tag") or ""),
        "condition": str(call.get("condition") or ""),
        "tier": TIER_ZH[call["tier"]] if is_zh else str(call["tier"]),
        "value": shown.get("value", ""),
        "limit": shown.get("limit", ""),
        "since": str(call["since"])[:19].replace("T", " "),
        "minutes": str(call.get("minutes", 0)),
        "state": state,
        "todo": str((call.get("todo") or {}).get(lang) or ""),
        "link": str(call.get("link") or ""),
        "site": _title(call["site"], lang) if "site" in call else "",
    }


def _title(named: Mapping[str, Any], lang: str) -> str:
    return str(named["title"].get(lang, "") or named["id"])
