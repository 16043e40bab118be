"""Notice of a safety commitment: what was signed goes to every authority, as it stands in the register.

Flow: commitment that was signed or taken back -> [tell, in its transaction] -> outbox rows
"""

import json
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, insert, select

from alerting.model.alarm import digest
from alerting.model.tier import Tier
from alerting.push.envelope import Thread, wrap
from alerting.push.notice import Notice
from alerting.push.stop_words import Action
from alerting.register.field import Words
from edge.model import Nature
from gateway.config import Site
from gateway.live import iso
from gateway.register.record import Record
from gateway.store.schema import outbox
from gateway.system import main_nature

SAID: Final = {
    "sign": Words("signed", "已签署"),
    "redo": Words("taken back to correct", "已撤回更正"),
}
ACTIONS: Final[dict[str, Action]] = {"sign": "update", "redo": "cancel"}


def chain_of(site: Site, day: str) -> str:
    """Give the chain of a day's commitment."""
    return digest("commitment", site.id, day)


def tell(connection: Connection, site: Site, kept: Record, what: str, now_ns: int) -> int:
    """Write a notice for each authority whose form has a place for it; give how many."""
    if kept.ledger != "commitments" or what not in SAID:
        return 0
    nature, chain = main_nature(site), chain_of(site, str(kept.values["day"]))
    name = digest(chain, kept.revision)
    count = 0
    for destination in site.destinations:
        if nature not in destination.natures:
            continue
        mine = (outbox.c.chain == chain, outbox.c.destination == destination.id)
        sequence = (connection.scalar(select(func.count()).where(*mine)) or 0) + 1
        key = digest(name, destination.id)
        body = {"key": key, "chain": chain, "sequence": sequence, **_body(site, kept, what, nature, name, now_ns)}
        wire = wrap(destination.profile, body, Thread())
        if wire is None:
            continue
        notice = Notice(
            key=key, destination=destination.id, chain=chain, event=name, nature=nature, action=ACTIONS[what],
            tier=Tier.NONE, is_late=False, created_ns=now_ns, wire=wire.text, reference=wire.reference,
            body=json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")),
        )  # fmt: skip
        connection.execute(insert(outbox).values(notice.row()))
        count += 1
    return count


def told(connection: Connection, site: Site, day: str) -> list[dict[str, Any]]:
    """Say how the notices of a day's commitment stand, the last first."""
    query = select(outbox).where(outbox.c.chain == chain_of(site, day)).order_by(outbox.c.seq.desc()).limit(50)
    return [
        {
            "destination": row.destination,
            "action": row.action,
            "state": row.state,
            "created": iso(row.created_ns),
            "delivered": iso(row.delivered_ns),
        }
        for row in connection.execute(query)
    ]


def _body(site: Site, kept: Record, what: str, nature: Nature, name: str, now_ns: int) -> dict[str, Any]:
    said, values = SAID[what], kept.values
    time = datetime.fromtimestamp(now_ns // 10**9, ZoneInfo(site.timezone)).isoformat(timespec="milliseconds")
    about = {"zh": f"安全承诺公告 {values['day']}", "en": f"Safety commitment of {values['day']}"}
    return {
        "action": ACTIONS[what],
        "subject": "commitment",
        "site": {"id": site.id, "title": dict(site.title)},
        "nature": nature.value,
        "unit": {"id": "", "title": {}},
        "alarm": "",
        "event": {"id": name, "what": what},
        "tag": "",
        "condition": "",
        "tier": Tier.NONE.name,
        "commitment": values,
        "who": kept.who,
        "time": time,
        "received": time,
        "is_late": False,
        "head": None,
        "text": {
            "zh": f"{nature.prefix}{about['zh']}{said.zh}:{values.get('text', '')}",
            "en": f"{nature.prefix}{about['en']} {said.en}: {values.get('text', '')}",
        },
    }
