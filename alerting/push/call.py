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
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.push.notice import decimals_of
from alerting.push.words import TIER_ZH, clause, quantity
from edge.model import Nature, TagTable

NS = 1_000_000_000
#: Numbers of a call as people read them, by the names of the facts.
SHOWN = (("value", "value"), ("limit", "setpoint"))


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

    @property
    def page_url(self) -> str:
        """Where people reach the page, without a slash at the end; empty where nobody said."""
        ...


def call_body(
    site: SiteOfCalls, alarm: Alarm, call: Call, to: Addressee | None, *, cause: Mapping[str, Any], since_ns: int,
    now_ns: int,
) -> str:  # fmt: skip
    """Compose the text of a call, canonical JSON.

    Args:
        to: None for the channel itself, a group.
        cause: Facts of the event that the alarm rang by.
        since_ns: Since when it stands as grave as it does.
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
    minutes = max(0, now_ns - since_ns) // NS // 60
    head_zh = "提醒" if is_reminder else "呼叫"
    head_en = "Reminder" if is_reminder else "Call"
    prefix, tier = alarm.nature.prefix, alarm.tier
    zh = f"{prefix}{head_zh}:{TIER_ZH[tier.name]}预警,{name['zh']},{clause(facts, 'zh')},已持续 {minutes} 分钟。"
    en = f"{prefix}{head_en}: {tier.name} early warning, {name['en']}, {clause(facts, 'en')}, for {minutes} min. "
    zh += f"已由 {alarm.acked_by} 确认,仍未恢复。" if is_reminder else "请登录确认。"
    en += f"{alarm.acked_by} acknowledged it; it still stands." if is_reminder else "Log in and acknowledge."
    within = _respond_min(site, alarm)
    if todo:
        zh += f"处置{f'(限 {within:g} 分钟内)' if within else ''}:{todo.get('zh', '')}"
        en += f" Do{f' within {within:g} min' if within else ''}: {todo.get('en', '')}"
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
        "clause": {"zh": clause(facts, "zh"), "en": clause(facts, "en")},
        "todo": {lang: todo[lang] for lang in ("zh", "en") if todo.get(lang)},
        **({"respond_min": within} if within else {}),
        "minutes": minutes,
        "acked_by": alarm.acked_by if is_reminder else "",
        "link": f"{site.page_url}/#/alarms?alarm={alarm.id}" if site.page_url else "",
        "page": f"{site.page_url}/#/alarms" if site.page_url else "",
        "state": alarm.state.value,
        "value": alarm.value if alarm.value is not None and math.isfinite(alarm.value) else None,
        "shown": {name: "" if facts.get(at) is None else quantity(facts, at) for name, at in SHOWN},
        "eu": eu,
        "setpoint": alarm.setpoint if alarm.setpoint is not None and math.isfinite(alarm.setpoint) else None,
        "since": _time(since_ns, zone),
        "time": _time(now_ns, zone),
        "round": call.round + 1,
        "step": call.step + 1,
        "to": None if to is None else asdict(to),
        "text": {"zh": zh, "en": en},
    }
    return _canonical(body)


def trial_body(site: SiteOfCalls, key: str, who: str, to: Addressee | None, now_ns: int) -> str:
    """Compose the text by which a person tries a channel, canonical JSON; its nature is test."""
    zone = ZoneInfo(site.timezone)
    at = _time(now_ns, zone)
    said = at[:19].replace("T", " ")
    body = {
        "key": key,
        "subject": "call",
        "kind": "test",
        "site": {"id": site.id, "title": dict(site.title)},
        "nature": Nature.TEST.value,
        "unit": {"id": site.id, "title": dict(site.title)},
        "alarm": "",
        "tag": "",
        "condition": "",
        "tier": Tier.NONE.name,
        "link": f"{site.page_url}/#/channels" if site.page_url else "",
        "page": "",
        "since": at,
        "time": at,
        "to": None if to is None else asdict(to),
        "text": {
            "zh": f"{who} 于 {said} 测试预警渠道,不是真实报警,无需处置。",
            "en": f"{who} tries this channel of early warnings at {said}. No alarm; nothing to do.",
        },
    }
    return _canonical(body)


def readdressed(body: str, key: str, to: Addressee | None) -> str:
    """Give the text of a call that goes by another channel: the same words, its own key, the person's address there."""
    told: dict[str, Any] = json.loads(body)
    return _canonical({**told, "key": key, "to": None if to is None else asdict(to)})


def _canonical(body: Mapping[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _response(site: SiteOfCalls, alarm: Alarm) -> Mapping[str, str]:
    """Give what the rule says to do."""
    k = site.rules.index_of.get(alarm.rule)
    return {} if k is None else site.rules[k].response or {}


def _respond_min(site: SiteOfCalls, alarm: Alarm) -> float:
    """Give within how long the response works, min; 0 where nobody stated it."""
    k = site.rules.index_of.get(alarm.rule)
    why = None if k is None else site.rules[k].rationale
    return 0.0 if why is None else why.respond_min


def _time(time_ns: int, zone: ZoneInfo) -> str:
    seconds, rest = divmod(time_ns, NS)
    moment = datetime.fromtimestamp(seconds, zone).replace(microsecond=rest // 1_000_000 * 1000)
    return moment.isoformat(timespec="milliseconds")
