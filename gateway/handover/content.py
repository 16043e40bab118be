"""Content: everything open at the moment of a handover, as both sign it.

Flow: store -> [assemble] -> content with its digest -> both signatures
Why: a handover told by mouth forgets the alarm that was shelved at noon. What is signed is what was there, kept as it
    was; the digest says that both signed the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, or_, select

from alerting.escalation.ladder import Stand
from alerting.kpi import STANDING_NS
from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.tier import Tier
from alerting.register.ledgers.tickets import KINDS, STAGES, TICKETS
from gateway.checkout.records import OPEN
from gateway.config import Site
from gateway.live import iso
from gateway.register.minutes import moment
from gateway.register.reading import Wanted, of_codes, page
from gateway.roster.book import on_duty
from gateway.store import schema
from gateway.store.rows import alarm_of
from gateway.store.stops import open_stops
from gateway.system import main_nature

#: Tickets that are open at once, more than any plant has.
TICKETS_MAX: Final = 2_000
EACH_MAX: Final = 300  # Lines of each list; the count is told in full.


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What is handed over: canonical JSON, and its SHA-256."""

    facts: Mapping[str, Any]

    @property
    def text(self) -> str:
        """The exact text that is signed."""
        return orjson.dumps(self.facts, option=orjson.OPT_SORT_KEYS).decode()

    @property
    def digest(self) -> str:
        """SHA-256 of the text, 64 hexadecimal digits."""
        return sha256(self.text.encode()).hexdigest()


def assemble(connection: Connection, site: Site, now_ns: int) -> dict[str, Any]:
    """Gather what is open now, of the site's own nature.

    Returns:
        ``as_of``, ``on_duty``, and the lists ``unacked, standing, active, shelved, suppressed, disposals, stops,
        tickets, tasks, checkouts, calls``, each as ``{"count", "rows"}``. An alarm that is suppressed stands under that
        alone.
    """
    nature = main_nature(site)
    table = schema.alarm
    rows = connection.execute(
        select(table).where(
            table.c.nature == nature.value, or_(table.c.state != State.NORMAL, table.c.suppression != Suppression.NONE)
        )
    ).mappings()
    alarms = sorted((alarm_of(dict(row)) for row in rows), key=lambda a: (-a.tier_max, a.onset_ns, a.key))
    lists: dict[str, list[dict[str, Any]]] = {name: [] for name in ("unacked", "standing", "active")}
    lists |= {"shelved": [], "suppressed": []}
    for alarm in alarms:
        lists[_list_of(alarm, now_ns)].append(_alarm(alarm))
    lists["disposals"] = _disposals(connection, nature.value, now_ns)
    lists["stops"] = _stops(connection, nature.value)
    lists["tickets"] = _tickets(connection, ZoneInfo(site.timezone), now_ns)
    lists["tasks"] = _tasks(connection, nature.value)
    lists["checkouts"] = _checkouts(connection, now_ns)
    lists["calls"] = _calls(connection, nature.value)
    titles = {post.id: dict(post.title) for post in site.roster.posts}
    there = on_duty(connection, site.roster, now_ns, ZoneInfo(site.timezone))
    return {
        "as_of": iso(now_ns),
        "nature": nature.value,
        "revision": site.revision,
        "on_duty": [
            {"post": each.watch.post, "title": titles.get(each.watch.post, {}), "person": each.watch.on_duty}
            for each in there
        ],
        **{name: {"count": len(found), "rows": found[:EACH_MAX]} for name, found in lists.items()},
    }


def _list_of(alarm: Alarm, now_ns: int) -> str:
    if alarm.suppression is Suppression.SHELVED:
        return "shelved"
    if alarm.suppression is not Suppression.NONE:
        return "suppressed"
    if alarm.is_active and now_ns - alarm.onset_ns > STANDING_NS:
        return "standing"
    return "unacked" if alarm.state in (State.UNACK, State.RTN_UNACK) else "active"


def _alarm(alarm: Alarm) -> dict[str, Any]:
    told = {
        "alarm": alarm.id or alarm.key,
        "unit": alarm.unit,
        "tag": alarm.tag,
        "condition": alarm.condition,
        "tier": alarm.tier_max.name if alarm.tier_max else alarm.tier.name,
        "state": alarm.state.value,
        "since": iso(alarm.onset_ns) if alarm.onset_ns else None,
        "acked_by": alarm.acked_by,
        "comment": alarm.comment,
    }
    if alarm.suppression is not Suppression.NONE:
        told |= {
            "suppression": alarm.suppression.value,
            "until": iso(alarm.suppressed_until_ns) if alarm.suppressed_until_ns else None,
            "by": alarm.suppressed_by,
            "reason": alarm.suppression_reason,
            "permit": alarm.permit,
        }
    return told


def _disposals(connection: Connection, nature: str, now_ns: int) -> list[dict[str, Any]]:
    """Give the alarms of which nobody has said yet what they were, the first due first."""
    table = schema.disposal
    query = select(table).where(table.c.state == "open", table.c.nature == nature)
    return [
        {
            "alarm": row.alarm,
            "unit": row.unit,
            "tag": row.tag,
            "condition": row.condition,
            "tier": Tier(row.tier).name,
            "due": iso(row.due_ns),
            "is_overdue": row.due_ns < now_ns,
        }
        for row in connection.execute(query.order_by(table.c.due_ns, table.c.alarm))
    ]


def _stops(connection: Connection, nature: str) -> list[dict[str, Any]]:
    """Give the declared stops of devices, those that are past their end among them."""
    return [
        {
            "stop": stop.id,
            "unit": stop.unit,
            "kind": stop.kind.value,
            "state": stop.state.value,
            "until": iso(stop.ends_ns),
            "by": stop.who,
            "reason": stop.reason,
            "permit": stop.permit,
        }
        for stop in open_stops(connection)
        if stop.nature.value == nature
    ]


def _tickets(connection: Connection, zone: ZoneInfo, now_ns: int) -> list[dict[str, Any]]:
    """Give the work tickets that are neither closed nor cancelled: work that goes on first, then by their end."""
    open_ = [stage.code for stage in STAGES if stage.code not in ("closed", "cancelled")]
    found = page(connection, TICKETS.id, limit=TICKETS_MAX, wanted=Wanted(states=open_))
    named = sorted({str(one.values["dossier"]) for one in found if not one.unit and one.values.get("dossier")})
    dossiers = of_codes(connection, "units", named) if named else {}
    kinds = {kind.code: kind.title.both() for kind in KINDS}
    stages = {stage.code: stage.title.both() for stage in STAGES}
    found.sort(key=lambda one: (one.values["stage"] != "working", str(one.values["until"]), one.code))
    return [
        {
            "permit": one.code,
            "title": one.title,
            "unit": one.unit or (dossier.unit if (dossier := dossiers.get(str(one.values.get("dossier")))) else ""),
            "place": str(one.values["place"]),
            "kind": kinds[str(one.values["kind"])],
            "stage": stages[str(one.values["stage"])],
            "until": iso(until_ns := moment(str(one.values["until"]), zone)),
            "is_over": until_ns <= now_ns,
            "guardian": str(one.values.get("guardian") or ""),
        }
        for one in found
    ]


def _tasks(connection: Connection, nature: str) -> list[dict[str, Any]]:
    table = schema.response_task
    query = select(table).where(table.c.state == "open", table.c.nature == nature).order_by(table.c.due_ns, table.c.id)
    return [
        {"unit": row.unit, "title": orjson.loads(row.title), "owner": row.owner, "due": iso(row.due_ns)}
        for row in connection.execute(query)
    ]


def _checkouts(connection: Connection, now_ns: int) -> list[dict[str, Any]]:
    table = schema.checkout
    query = select(table).where(table.c.state == OPEN, table.c.until_ns > now_ns).order_by(table.c.number)
    return [
        {"tag": row.tag, "by": row.begun_by, "until": iso(row.until_ns), "reason": row.reason}
        for row in connection.execute(query)
    ]


def _calls(connection: Connection, nature: str) -> list[dict[str, Any]]:
    table = schema.ladder
    is_open = table.c.stand.in_((Stand.CLIMBING, Stand.REMINDING, Stand.EXHAUSTED))
    query = select(table).where(is_open, table.c.nature == nature).order_by(table.c.tier.desc(), table.c.alarm_key)
    return [
        {"alarm": row.alarm, "unit": row.unit, "plan": row.plan, "stand": row.stand}
        for row in connection.execute(query)
    ]
