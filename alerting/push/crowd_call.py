"""Crowd call: what a system of the site is told of an action for a crowd zone, and whoever carries it out.

Never: does I/O, reads a clock, opens or closes anything: who is told does, or people do.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

from alerting.push.call import Addressee
from alerting.push.post_call import Envelope
from alerting.push.words import TIER_ZH
from alerting.register.field import Words

BEGUN, ENDED = Words("begins", "开始"), Words("ends", "结束")


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdCall:
    """One message.

    Attributes:
        number: Of the action, the same at its begin and its end.
        measure: hold_gates, one_way, divert, stop_sales or announce.
        persons: Head count; None where nobody knows it.
        takes: Capacity in force, persons.
        by: Who confirmed or ended it.
    """

    number: int
    zone: str
    name: str
    unit: str
    action: str
    measure: str
    title: Words
    text: Words
    do: Literal["begin", "end"]
    tier: str
    persons: float | None
    takes: int | None
    by: str
    reason: str


def crowd_body(
    call: CrowdCall, *, key: str, site: Mapping[str, Any], nature: str, prefix: str, time: str
) -> str:  # fmt: skip
    """Compose the message, canonical JSON.

    Args:
        site: Its id and title.
        prefix: What exercises and tests begin with.
        time: ISO 8601, by the site's clock.
    """
    does = BEGUN if call.do == "begin" else ENDED
    body = {
        "key": key,
        "subject": "crowd_action",
        "site": dict(site),
        "nature": nature,
        "time": time,
        "number": call.number,
        "zone": {"code": call.zone, "name": call.name},
        "unit": call.unit,
        "action": {
            "id": call.action,
            "measure": call.measure,
            "title": call.title.both(),
            "text": call.text.both(),
        },
        "do": call.do,
        "tier": call.tier,
        "persons": call.persons,
        "takes": call.takes,
        "by": call.by,
        "reason": call.reason,
        "text": {
            "en": f"{prefix}{call.name}: {call.title.en} {does.en}.",
            "zh": f"{prefix}{call.name}：{call.title.zh}{does.zh}。",
        },
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


Do: TypeAlias = Literal["offered", "begin", "end"]
#: What is asked of whoever acts.
ASKS: Final[Mapping[Do, Words]] = {
    "offered": Words("is offered, decide", "待决定"),
    "begin": Words("begins, carry it out", "已确认，请执行"),
    "end": Words("ends", "已结束，请恢复"),
}
#: So many are written out; the page shows the others.
SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class CrowdPage:
    """One action as whoever acts is told of it; ``persons`` is None where nobody knows how many there are."""

    number: int
    zone: str
    name: str
    measure: str
    title: Words
    tier: str
    persons: float | None
    takes: int | None


def page_body(actions: Sequence[CrowdPage], do: Do, to: Addressee, envelope: Envelope) -> str:
    """Compose what whoever acts is told of actions, canonical JSON."""
    ordered = sorted(actions, key=lambda one: one.number)
    ask, shown, more = ASKS[do], ordered[:SHOWN], len(ordered) - SHOWN
    zh = ";".join(f"{one.name} {one.title.zh}{_count(one, '人')},{TIER_ZH[one.tier]}预警" for one in shown)
    en = "; ".join(f"{one.name}: {one.title.en}{_count(one, 'persons')}, {one.tier} early warning" for one in shown)
    if more > 0:
        zh, en = f"{zh};另有 {more} 项", f"{en}; {more} more"
    body = {
        "key": envelope.key,
        "subject": "crowd_page",
        "site": dict(envelope.site),
        "nature": envelope.nature,
        "to": asdict(to),
        "time": envelope.time,
        "link": envelope.link,
        "do": do,
        "actions": [
            {
                "number": one.number,
                "zone": {"code": one.zone, "name": one.name},
                "measure": one.measure,
                "title": one.title.both(),
                "tier": one.tier,
                "persons": one.persons,
                "takes": one.takes,
            }
            for one in ordered
        ],
        "text": {
            "zh": f"{envelope.prefix}客流措施{ask.zh}:{zh}。{envelope.link}",
            "en": f"{envelope.prefix}Crowd action {ask.en}: {en}. {envelope.link}".rstrip(),
        },
    }
    return json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def _count(one: CrowdPage, persons: str) -> str:
    return "" if one.persons is None else f" ({one.persons:g}/{one.takes:g} {persons})" if one.takes else ""
