"""Call: what a person is told about an alarm that waits for an answer.

Why: whoever is woken must know at once what is wrong where, since when, and what to do; the same bytes are sent at
    every attempt.
Never: does I/O, tells the phone number of one person to another.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from alerting.escalation.ladder import Call, Made
from alerting.model.alarm import Alarm
from alerting.model.rule import RuleTable
from alerting.model.unit import HazardUnit
from alerting.push.notice import decimals_of
from alerting.push.words import TIER_ZH, clause
from edge.model import TagTable

NS = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Addressee:
    """Who is called, and how.

    Attributes:
        address: What the channel itself wants, e.g. an account of a chat; empty where phone or e-mail serve.
    """

    person: str
    title: str = ""
    phone: str = ""
    email: str = ""
    address: str = ""


class SiteOfCalls(Protocol):
    """A site as its calls speak of it."""

    @property
    def id(self) -> str:
        """Id of the site."""
        ...

    @property
    def title(self) -> Mapping[str, str]:
        """Its name by language."""
        ...

    @property
    def timezone(self) -> str:
        """IANA name of its time zone."""
        ...

    @property
    def tags(self) -> TagTable:
        """Its tags."""
        ...

    @property
    def rules(self) -> RuleTable:
        """Its rules, which say what to do."""
        ...

    @property
    def units(self) -> Sequence[HazardUnit]:
        """Its hazard units."""
        ...


def call_body(
    site: SiteOfCalls, alarm: Alarm, call: Call, to: Addressee | None, *, cause: Mapping[str, Any], now_ns: int
) -> str:  # fmt: skip
    """Compose the text of a call, canonical JSON.

    Args:
        to: None for the channel itself, a group.
        cause: Facts of the event that the alarm rang by.
    """
    row = site.tags.row_of.get(alarm.tag)
    eu = site.tags[row].eu if row is not None else ""
    facts = {"kind": alarm.condition, "value": alarm.value, "setpoint": alarm.setpoint, "eu": eu, **cause}
    facts["tag"] = alarm.tag
    if row is not None and site.tags[row].resolution > 0:
        facts.setdefault("decimals", decimals_of(site.tags[row].resolution))
    zone = ZoneInfo(site.timezone)
    unit = next((each for each in site.units if each.id == alarm.unit), None)
    todo = _response(site, alarm)
    name = {lang: (unit.title.get(lang, "") if unit else "") or alarm.unit for lang in ("en", "zh")}
    is_reminder = call.what is Made.REMINDER
    minutes = max(0, now_ns - alarm.raised_ns) // NS // 60
    head_zh = "提醒" if is_reminder else "呼叫"
    head_en = "Reminder" if is_reminder else "Call"
    prefix, tier = alarm.nature.prefix, alarm.tier
    zh = f"{prefix}{head_zh}:{TIER_ZH[tier.name]}预警,{name['zh']},{clause(facts, 'zh')},已持续 {minutes} 分钟。"
    en = f"{prefix}{head_en}: {tier.name} early warning, {name['en']}, {clause(facts, 'en')}, for {minutes} min. "
    zh += f"已由 {alarm.acked_by} 确认,仍未恢复。" if is_reminder else "请登录确认。"
    en += f"{alarm.acked_by} acknowledged it; it still stands." if is_reminder else "Log in and acknowledge."
    if todo:
        zh += f"处置:{todo.get('zh', '')}"
        en += f" Do: {todo.get('en', '')}"
    body = {
        "key": call.key,
        "subject": "call",
        "kind": call.what.value,
        "site": {"id": site.id, "title": dict(site.title)},
        "nature": alarm.nature.value,
        "unit": {"id": alarm.unit, "title": dict(unit.title) if unit else {}},
        "alarm": alarm.id,
        "tag": alarm.tag,
        "condition": alarm.condition,
        "tier": tier.name,
        "state": alarm.state.value,
        "value": alarm.value if alarm.value is not None and math.isfinite(alarm.value) else None,
        "eu": eu,
        "setpoint": alarm.setpoint if alarm.setpoint is not None and math.isfinite(alarm.setpoint) else None,
        "since": _time(alarm.raised_ns, zone),
        "time": _time(now_ns, zone),
        "round": call.round + 1,
        "step": call.step + 1,
        "to": None if to is None else asdict(to),
        "text": {"zh": zh, "en": en},
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _response(site: SiteOfCalls, alarm: Alarm) -> Mapping[str, str]:
    """Give what the rule says to do."""
    k = site.rules.index_of.get(alarm.rule)
    return {} if k is None else site.rules[k].response or {}


def _time(time_ns: int, zone: ZoneInfo) -> str:
    seconds, rest = divmod(time_ns, NS)
    moment = datetime.fromtimestamp(seconds, zone).replace(microsecond=rest // 1_000_000 * 1000)
    return moment.isoformat(timespec="milliseconds")
