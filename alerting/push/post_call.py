"""Post call: what somebody is told who is called out for incidents, or who acts about a crowd.

Why: whoever is called at night must read where, what, how grave, what is asked, and that an answer is expected by when;
    all incidents of one moment are one message.
Never: does I/O, tells the phone number of one person to another.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from alerting.push.call import Addressee
from alerting.push.words import TIER_ZH
from alerting.register.field import Words

#: So many are written out; the page shows the others.
SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Summons:
    """One call for one incident.

    Attributes:
        unit: Title of its hazard unit.
        accident: Title of the type of accident.
        tier: Highest of the incident, by name.
        task: What is asked.
        minutes: How long an answer is waited for, min.
    """

    incident: int
    unit: Words
    accident: Words
    tier: str
    task: Words
    minutes: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What every message has.

    Attributes:
        key: Idempotency key.
        site: Its id and title.
        prefix: What exercises and tests begin with.
        time: ISO 8601, by the site's clock.
        link: The page where it is answered; empty where nobody said how the page is reached.
    """

    key: str
    site: Mapping[str, Any]
    nature: str
    prefix: str
    time: str
    link: str = ""


def summons_body(calls: Sequence[Summons], to: Addressee, envelope: Envelope) -> str:
    """Compose what somebody is told who is called out, canonical JSON."""
    ordered = sorted(calls, key=lambda one: one.incident)
    least = min(one.minutes for one in ordered)
    zh = f"{envelope.prefix}应急召集:" + ";".join(
        f"{one.incident} 号事件 {one.unit.zh} {one.accident.zh},{_tier_zh(one.tier)},请您{one.task.zh}"
        for one in ordered[:SHOWN]
    )
    en = f"{envelope.prefix}You are called out: " + "; ".join(
        f"incident {one.incident}, {one.unit.en}, {one.accident.en}, {_tier_en(one.tier)}; {one.task.en}"
        for one in ordered[:SHOWN]
    )
    more = len(ordered) - SHOWN
    if more > 0:
        zh, en = f"{zh};另有 {more} 项", f"{en}; {more} more"
    zh = f"{zh}。请在 {least:g} 分钟内答复:能到、不能到或需要帮助。{envelope.link}"
    en = f"{en}. Answer within {least:g} min: coming, cannot, or need help. {envelope.link}".rstrip()
    about = {
        "incidents": [
            {
                "incident": one.incident,
                "unit": one.unit.both(),
                "accident": one.accident.both(),
                "tier": one.tier,
                "task": one.task.both(),
                "answer_minutes": one.minutes,
            }
            for one in ordered
        ],
    }
    return _body("call_out", envelope, to, Words(en, zh), about)


def help_body(incident: int, who: str, note: str, to: Addressee, envelope: Envelope) -> str:
    """Compose what whoever leads is told at once: somebody of the incident needs help, canonical JSON."""
    zh = f"{envelope.prefix}{incident} 号事件:{who} 需要帮助。{note}{envelope.link}"
    en = f"{envelope.prefix}Incident {incident}: {who} needs help. {note} {envelope.link}".rstrip()
    about = {"incident": incident, "person": who, "note": note}
    return _body("needs_help", envelope, to, Words(en, zh), about)


def missing_body(incident: int, n: int, names: Sequence[str], to: Addressee, envelope: Envelope) -> str:
    """Compose what whoever leads is told of a roll-call: who was not heard of in time, canonical JSON.

    Args:
        n: How many.
        names: Of the first of them.
    """
    more = n - len(names)
    zh = f"{envelope.prefix}{incident} 号事件人员清点:{n} 人尚无消息:{'、'.join(names)}"
    en = f"{envelope.prefix}Incident {incident}, roll-call: {n} not heard of: {', '.join(names)}"
    if more > 0:
        zh, en = f"{zh} 等", f"{en} and {more} more"
    text = Words(f"{en}. {envelope.link}".rstrip(), f"{zh}。{envelope.link}")
    return _body("roll_call", envelope, to, text, {"incident": incident, "missing": n, "names": list(names)})


def _body(subject: str, envelope: Envelope, to: Addressee, text: Words, about: Mapping[str, Any]) -> str:
    body = {
        "key": envelope.key,
        "subject": subject,
        "site": dict(envelope.site),
        "nature": envelope.nature,
        "to": asdict(to),
        "time": envelope.time,
        "link": envelope.link,
        "text": text.both(),
        **about,
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _tier_zh(tier: str) -> str:
    return "人工启动" if tier == "NONE" else f"{TIER_ZH[tier]}预警"


def _tier_en(tier: str) -> str:
    return "opened by hand" if tier == "NONE" else f"{tier} early warning"
