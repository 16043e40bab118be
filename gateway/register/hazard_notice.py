"""Notices of hidden hazards: authorities that were told of an alarm are told of the hidden hazard that it led to.

Flow: hidden hazard that was registered, listed, closed or re-opened -> [tell, in its transaction] -> outbox rows
Why: whoever was alarmed learns what became of it; the notice names the alarm, so that closing refers back to it.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, insert, select

from alerting.model.alarm import digest
from alerting.model.tier import Tier
from alerting.register.field import Words
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS, is_listed
from edge.model import Nature
from gateway.config import Site
from gateway.register.record import Record
from gateway.store.schema import event, outbox

#: What is told, by what was done with the record.
SAID: Final = {
    "made": Words("registered", "已登记"),
    "class": Words("classed", "已定级"),
    "list": Words("listed under supervision", "挂牌督办"),
    "accept": Words("rectified, accepted and closed", "整改完成，已验收销号"),
    "reopen": Words("re-opened", "重新打开"),
}


def tell(connection: Connection, site: Site, kept: Record, what: str, now_ns: int) -> int:
    """Write a notice for each destination that was told of its alarm; give how many.

    Args:
        what: ``made`` or the act.
    """
    alarm = str(kept.values.get("alarm", ""))
    if kept.ledger != HIDDEN_HAZARDS.id or not alarm or what not in SAID:
        return 0
    rang = connection.execute(select(event).where(event.c.alarm == alarm).order_by(event.c.seq.desc()).limit(1)).first()
    if rang is None:
        return 0
    known = {each.id for each in site.destinations}
    told = connection.scalars(select(outbox.c.destination).where(outbox.c.chain == alarm).distinct()).all()
    chain = digest("hidden_hazard", kept.id)
    name = digest(chain, kept.revision)
    count = 0
    for destination in sorted(known & set(told)):
        mine = (outbox.c.chain == chain, outbox.c.destination == destination)
        sequence = (connection.scalar(select(func.count()).where(*mine)) or 0) + 1
        key = digest(name, destination)
        ids = {"key": key, "chain": chain, "sequence": sequence, "event": {"id": name, "what": what}}
        body = _body(site, kept, rang, what, ids, now_ns)
        connection.execute(
            insert(outbox).values(
                key=key, destination=destination, chain=chain, event=name, nature=rang.nature,
                action="update", tier=rang.tier, is_late=False, created_ns=now_ns, body=body, state="waiting",
                attempts=0, next_ns=now_ns, last_error="", delivered_ns=0, receipt="",
            )
        )  # fmt: skip
        count += 1
    return count


def _body(site: Site, kept: Record, rang: Row[Any], what: str, ids: Mapping[str, Any], now_ns: int) -> str:
    values, said = kept.values, SAID[what]
    unit = next((one for one in site.units if one.id == rang.unit), None)
    time = datetime.fromtimestamp(now_ns // 10**9, ZoneInfo(site.timezone)).isoformat(timespec="milliseconds")
    prefix = Nature(rang.nature).prefix
    about = f"{kept.code} {kept.title}"
    return json.dumps(
        {
            **ids,
            "action": "update",
            "subject": "hidden_hazard",
            "site": {"id": site.id, "title": dict(site.title)},
            "nature": rang.nature,
            "unit": {"id": rang.unit, "title": dict(unit.title) if unit else {}},
            "alarm": rang.alarm,
            "tag": rang.tag,
            "condition": rang.condition,
            "tier": Tier(rang.tier).name,
            "hazard": {
                "code": kept.code,
                "title": kept.title,
                "state": values["state"],
                "class": values.get("class", ""),
                "found_on": values["found_on"],
                "deadline": values.get("deadline", ""),
                "listing": values["listing"] if is_listed(values) else "",
                "rectified_by": values.get("rectified_by", ""),
                "accepted_by": values.get("accepted_by", ""),
                "accepted_on": values.get("accepted_on", ""),
            },
            "who": kept.who,
            "time": time,
            "received": time,
            "is_late": False,
            "head": None,
            "text": {
                "zh": f"{prefix}隐患{said.zh}:{about}(报警 {rang.tag} {rang.condition})。{time}",
                "en": f"{prefix}Hidden hazard {said.en}: {about} (alarm {rang.tag} {rang.condition}). {time}",
            },
        },
        ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"),
    )  # fmt: skip
