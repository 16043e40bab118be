"""Feedback upward: authorities that were told of an alarm are told what it turned out to be and what was done.

Flow: entry of a disposal -> [tell] -> outbox rows, in the entry's transaction
"""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from alerting.model.alarm import digest
from alerting.model.disposal import Cause
from alerting.model.tier import Tier
from edge.model import Nature
from gateway.config import Site
from gateway.store.schema import outbox

CAUSE_ZH = {
    Cause.REAL: "真实报警",
    Cause.FALSE: "误报",
    Cause.MAINTENANCE: "检维修引起",
    Cause.INSTRUMENT: "仪表故障",
}


def tell(
    connection: Connection, site: Site, disposal: Mapping[str, Any], now_ns: int, head: Mapping[str, Any] | None
) -> int:
    """Compose a notice for each destination that was told of the alarm; give how many.

    Args:
        disposal: As ``records.one`` gives it, with the entry that is told as the last.
    """
    alarm, entry = disposal["alarm"], disposal["entry"]
    told = connection.scalars(select(outbox.c.destination).where(outbox.c.chain == alarm).distinct()).all()
    chain = digest("disposal", alarm)
    event = digest(chain, entry["number"])
    for destination in sorted(told):
        mine = (outbox.c.chain == chain, outbox.c.destination == destination)
        sequence = (connection.scalar(select(func.count()).where(*mine)) or 0) + 1
        key = digest(event, destination)
        body = _body(site, disposal, key=key, chain=chain, event=event, sequence=sequence, now_ns=now_ns, head=head)
        connection.execute(
            insert(outbox).values(
                key=key, destination=destination, chain=chain, event=event, nature=disposal["nature"],
                action="update", tier=int(Tier[disposal["tier"]]), is_late=False, created_ns=now_ns, body=body,
                state="waiting", attempts=0, next_ns=now_ns, last_error="", delivered_ns=0, receipt="",
            )
        )  # fmt: skip
    return len(told)


def _body(
    site: Site, disposal: Mapping[str, Any], *, key: str, chain: str, event: str, sequence: int, now_ns: int,
    head: Mapping[str, Any] | None,
) -> str:  # fmt: skip
    entry = disposal["entry"]
    unit = next((one for one in site.units if one.id == disposal["unit"]), None)
    cause = Cause(entry["cause"])
    prefix = Nature(disposal["nature"]).prefix
    zone = ZoneInfo(site.timezone)
    time = datetime.fromtimestamp(now_ns // 10**9, zone).isoformat(timespec="milliseconds")
    found, measures = entry["finding"], entry["measures"]
    about = f"{disposal['unit']}, {disposal['tag']} {disposal['condition']}"
    return json.dumps(
        {
            "key": key,
            "chain": chain,
            "sequence": sequence,
            "action": "update",
            "subject": "disposal",
            "site": {"id": site.id, "title": dict(site.title)},
            "nature": disposal["nature"],
            "unit": {"id": disposal["unit"], "title": dict(unit.title) if unit else {}},
            "alarm": disposal["alarm"],
            "event": {"id": event, "what": "disposed"},
            "tag": disposal["tag"],
            "condition": disposal["condition"],
            "tier": disposal["tier"],
            "cause": cause.value,
            "finding": entry["finding"],
            "measures": entry["measures"],
            "who": entry["who"],
            "due": disposal["due"],
            "is_overdue": disposal["is_overdue"],
            "photos": [photo["digest"] for photo in disposal["photos"]],
            "time": time,
            "received": time,
            "is_late": False,
            "head": head,
            "text": {
                "zh": f"{prefix}报警处置:{about},{CAUSE_ZH[cause]},{found};措施:{measures}。{time}",
                "en": f"{prefix}Disposal: {about}: {cause.value}; {found}; done: {measures}. {time}",
            },
        },
        ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"),
    )  # fmt: skip
