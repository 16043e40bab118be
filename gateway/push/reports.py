"""Reports: what the network says later of short messages that a modem handed over.

Flow: status report -> [put_report, one transaction] -> receipt of the calls of that message, or the next channel
Never: takes the report of another number or of an older message for this one's; takes a receipt back.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, select, update

from alerting.push.message import mobile
from gateway.config import Destination, Site
from gateway.push import answers
from gateway.push.answers import Said, What
from gateway.push.fallback import hand_on
from gateway.push.pdu import Report
from gateway.store.schema import outbox

#: References come round after 256 segments, and a network tries for as long as the message is valid: 24 h.
AGE_NS: Final = 2 * 86_400 * 1_000_000_000
#: Messages looked at, the latest first: more than a modem hands over while one reference comes round.
ROWS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """What became of a report.

    Attributes:
        is_known: It was of a message that was handed over here.
        moved: Calls that the next channel took over because of it.
        is_given_up: The network gave the message up.
    """

    is_known: bool
    moved: int = 0
    is_given_up: bool = False


def read_told(text: bytes) -> tuple[Report, bool]:
    """Read a report as the modem's channel hands it in, and whether it is of before anything was sent in this run."""
    told = json.loads(text)
    report = Report(reference=told["reference"], number=told["number"], status=told["status"])
    return report, told.get("is_earlier", False)


def put_report(connection: Connection, site: Site, channel: Destination, report: Report, now_ns: int) -> Placed:
    """Write down what the network says, inside the caller's transaction."""
    rows = _told_of(connection, channel.id, report, now_ns)
    if not rows:
        return Placed(is_known=False)
    if not report.is_over:
        return Placed(is_known=True)
    text = f"status {report.status:#04x} of segment {report.reference}, {report.number[-4:].rjust(8, '*')}"
    if report.is_done:
        for row in rows:
            _confirm(connection, channel.id, row, report, text, now_ns)
        return Placed(is_known=True)
    for row in rows:
        answers.add(connection, now_ns, row.key, channel.id, Said(what=What.REFUSED, status=report.status, text=text))
    to = channel.reach.fallback if channel.reach else ""
    real = [row for row in rows if row.kind != "test"]
    moved = hand_on(connection, site, real, to, now_ns)
    if not moved:
        for row in rows:
            connection.execute(
                update(outbox).where(outbox.c.seq == row.seq).values(state="quarantined", last_error=f"refused: {text}")
            )
            answers.add(connection, now_ns, row.key, channel.id, Said(what=What.QUARANTINED, text=text))
    return Placed(is_known=True, moved=moved, is_given_up=True)


def _told_of(connection: Connection, channel: str, report: Report, now_ns: int) -> Sequence[Row[Any]]:
    """Give the calls that the latest message with this reference told this number of."""
    query = (
        select(outbox)
        .where(outbox.c.destination == channel, outbox.c.state == "handed", outbox.c.delivered_ns > now_ns - AGE_NS)
        .order_by(outbox.c.delivered_ns.desc(), outbox.c.seq)
        .limit(ROWS_MAX)
    )
    found: list[Row[Any]] = []
    for row in connection.execute(query):
        if found and row.delivered_ns != found[0].delivered_ns:
            break
        if str(report.reference) in _receipt(row).get("id", "").split() and _is_to(row, report.number):
            found.append(row)
    return found


def _receipt(row: Row[Any]) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(row.receipt) if row.receipt else {}
    return told


def _is_to(row: Row[Any], number: str) -> bool:
    phone = (json.loads(row.body).get("to") or {}).get("phone", "")
    return mobile(phone).removeprefix("+") == mobile(number).removeprefix("+")


def _confirm(connection: Connection, channel: str, row: Row[Any], report: Report, text: str, now_ns: int) -> None:
    """Note that one segment arrived; with the last one the call has its receipt."""
    told = _receipt(row)
    done = {*told.get("confirmed", []), report.reference}
    told["confirmed"] = sorted(done)
    is_whole = {str(one) for one in done} >= set(told["id"].split())
    values: dict[str, Any] = {}
    if is_whole:
        told.pop("is_proof", None)
        told["answer"] = "the network says that the telephone has it"
        values = {"state": "delivered", "delivered_ns": now_ns}
    connection.execute(
        update(outbox).where(outbox.c.seq == row.seq).values(receipt=json.dumps(told, ensure_ascii=False), **values)
    )
    if is_whole:
        answers.add(connection, now_ns, row.key, channel, Said(what=What.RECEIPT, status=report.status, text=text))
