"""Fallback: calls that a channel could not deliver go by the next one.

Flow: rows of the outbox -> [hand_on, one transaction] -> the same calls for another channel, under keys of their own
Never: moves a call that somebody may already have been told by, to a channel that does not take its nature, or twice.
"""

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, insert, update

from alerting.model.alarm import digest
from alerting.push.call import Addressee, readdressed
from edge.model import Nature
from gateway.config import Site
from gateway.push import answers
from gateway.push.answers import Said, What
from gateway.roster.book import Contact, contacts
from gateway.store.schema import outbox


def hand_on(connection: Connection, site: Site, rows: Iterable[Row[Any]], to: str, now_ns: int) -> int:
    """Let another channel take calls over; give how many it did.

    Args:
        rows: Of the outbox, waiting.
        to: Id of the channel.
    """
    channel = next((each for each in site.channels if each.id == to), None)
    wanted = [row for row in rows if channel is not None and Nature(row.nature) in channel.natures]
    known = contacts(connection) if wanted else {}
    for row in wanted:
        key = digest("moved", row.key, to)
        person = (json.loads(row.body).get("to") or {}).get("person", "")
        values = {
            "key": key, "destination": to, "chain": f"{key[:16]}{row.chain[:16]}", "event": row.event,
            "nature": row.nature, "action": row.action, "tier": row.tier, "is_late": row.is_late, "created_ns": now_ns,
            "body": readdressed(row.body, key, addressee(known.get(person), person, to)), "state": "waiting",
            "attempts": 0, "next_ns": now_ns, "last_error": "", "delivered_ns": 0, "receipt": "", "kind": row.kind,
        }  # fmt: skip
        connection.execute(insert(outbox).values(values))
        told = json.dumps({"moved_to": to, "key": key}, ensure_ascii=False)
        connection.execute(update(outbox).where(outbox.c.seq == row.seq).values(state="moved", receipt=told))
        answers.add(connection, now_ns, row.key, row.destination, Said(what=What.MOVED, text=f"{to} {key}"))
    return len(wanted)


def addressee(contact: Contact | None, person: str, channel: str) -> Addressee | None:
    """Give how a person is reached by a channel; None for the channel itself."""
    if not person:
        return None
    return Addressee(
        person=person,
        title=contact.title if contact else "",
        phone=contact.phone if contact else "",
        email=contact.email if contact else "",
        address=contact.addresses.get(channel, "") if contact else "",
    )
