"""Acknowledgements that come later, by a way of their own.

Flow: text from an authority -> [read, believe, match] -> receipt of the notice it names, or a refusal that is counted
Why: who only knows that a server took a notice does not know that the authority has it.
Never: believes a text without the shared key's signature where the profile asks for one; lets one authority
    acknowledge what another was told; takes back a receipt.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Connection, select, update

from alerting.push.mapped import take
from gateway.config import Destination
from gateway.push import answers
from gateway.push.answers import Said, What
from gateway.push.channel import Receipt
from gateway.push.receipt import read_answer
from gateway.store.schema import outbox

KEY_MAX: Final = 64


class Verdict(StrEnum):
    """What became of an acknowledgement."""

    TAKEN = "taken"
    AGAIN = "again"  # the notice had its receipt already
    REFUSED = "refused"  # the authority will never take this notice
    UNREADABLE = "unreadable"
    FALSE = "false"  # its signature is not the shared key's
    UNKNOWN = "unknown"  # no such notice was sent to this destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    """An acknowledgement that was read.

    Attributes:
        key: Of the notice; or what names it in its form.
        is_refusal: It says that the notice will never be taken as it is.
    """

    key: str
    id: str
    is_refusal: bool
    text: str


def read_ack(destination: Destination, text: bytes, believes: Callable[[Mapping[str, Any]], bool]) -> Ack | Verdict:
    """Read an acknowledgement by the profile's rule; where that names no places, ``key``, ``receipt`` and ``code``."""
    rule = destination.profile.receipt
    told = read_answer(text)
    if told is None:
        return Verdict.UNREADABLE
    if rule.is_signed and not believes(told):
        return Verdict.FALSE
    key = take(told, rule.echo or "key")
    if not isinstance(key, str) or not key or len(key) > 4 * KEY_MAX:
        return Verdict.UNREADABLE
    code = take(told, rule.code or "code")
    if rule.ok and str(code) not in (*rule.ok, *rule.refused):
        return Verdict.UNREADABLE
    said = text.decode("utf-8", "replace")
    return Ack(
        key=key, id=str(take(told, rule.id or "receipt") or "")[:128], is_refusal=str(code) in rule.refused, text=said
    )


def put_ack(connection: Connection, destination: str, ack: Ack, now_ns: int) -> tuple[Verdict, str]:
    """Give a notice its receipt, inside the caller's transaction; give what became of it, and the notice's chain."""
    table = outbox
    names = (table.c.key == ack.key) | ((table.c.reference == ack.key) & (table.c.reference != ""))
    query = select(table.c.key, table.c.chain, table.c.state).where(table.c.destination == destination, names)
    row = connection.execute(query.order_by(table.c.seq.desc()).limit(1)).first()
    if row is None:
        return Verdict.UNKNOWN, ""
    if row.state == "delivered":
        answers.add(connection, now_ns, row.key, destination, Said(what=What.SECOND_ACK, text=ack.text))
        return Verdict.AGAIN, row.chain
    if ack.is_refusal:
        answers.add(connection, now_ns, row.key, destination, Said(what=What.REFUSED, text=ack.text))
        return Verdict.REFUSED, row.chain
    receipt = Receipt(status=0, id=ack.id, answer=ack.text)
    connection.execute(
        update(table)
        .where(table.c.key == row.key)
        .values(
            state="delivered",
            delivered_ns=now_ns,
            last_error="",
            receipt=json.dumps(receipt.facts(), ensure_ascii=False),
        )
    )
    answers.add(connection, now_ns, row.key, destination, Said(what=What.RECEIPT, text=ack.text))
    return Verdict.TAKEN, row.chain
