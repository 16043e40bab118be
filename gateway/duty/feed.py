"""Feed: what records and alarms want becomes duties, and what is done ends them.

Flow: records that were made, changed, removed -> [follow_records, in their transaction] -> duties
      alarms and disposals -> [follow_alarms, at a look] -> duties
Why: a duty begins and ends with what it is about, in one transaction; none is forgotten and none outlives its reason.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, and_, bindparam, exists, insert, or_, select, update

from alerting.duty.kind import Kind
from alerting.duty.plan import DutyPlan
from alerting.duty.table import ACK, COMMIT, DISPOSAL, KINDS, LOTS, REPORT, RESPONSE, TICKET_END, TICKET_TEST
from alerting.escalation.plan import LEADER
from alerting.model.alarm import State, Suppression
from alerting.register.ledgers.commitments import COMMITMENTS, code_of
from alerting.register.ledgers.monthly import MONTHLY
from alerting.register.ledgers.tickets import TICKETS, UNDER_WAY
from gateway.register.minutes import moment
from gateway.register.reading import Wanted as Asked
from gateway.register.reading import of_ids, page
from gateway.register.record import Record
from gateway.response.reporting import ACCIDENT, NO_ACCIDENT, REPORTED, accident_since_ns, report_due_ns
from gateway.roster.china import published
from gateway.store.schema import alarm, disposal, duty, incident, incident_entry, record, response_task

if TYPE_CHECKING:
    from gateway.config import Site

CHUNK = 500
NS = 1_000_000_000
#: New duties of alarms in one look; the others come with the next.
NEW_MAX = 200
OPEN, DONE, MOVED, GONE = "open", "done", "moved", "gone"
#: Share of the time to acknowledge that passes before the prompt is due; the duty is made then.
BEFORE_PROMPT = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a look would write.

    Attributes:
        new: Rows of duties.
        closed: ``of``, ``state`` and ``closed_ns`` of those that end.
        retold: What is said of open ones where the record says it otherwise now.
        sooner: ``of`` and ``due`` of those that are due at another moment now.
    """

    new: Sequence[Mapping[str, Any]] = ()
    closed: Sequence[Mapping[str, Any]] = ()
    retold: Sequence[Mapping[str, Any]] = ()
    sooner: Sequence[Mapping[str, Any]] = ()

    def __bool__(self) -> bool:
        return bool(self.new or self.closed or self.retold or self.sooner)


def fed_by(ledger: str) -> list[Kind]:
    """Give the rows that the records of a ledger feed; a site that switched one off still keeps its duties."""
    return [kind for kind in KINDS if kind.ledger == ledger and not kind.is_momentary]


def changes(connection: Connection, ledger: str, records: Iterable[Record], now_ns: int) -> Change:
    """Compare what records want with the duties that are open."""
    kinds = fed_by(ledger)
    if not kinds:
        return Change()
    known = list(records)
    had = _open_of(connection, [one.id for one in known])
    new, closed, retold = [], [], []
    for one in known:
        for kind in kinds:
            wanted = None if one.is_removed else kind.reads(one.values)
            now = had.get((one.id, kind.id))
            if wanted is None:
                if now is not None:
                    closed.append({"of": now["id"], "state": GONE if one.is_removed else DONE, "closed_ns": now_ns})
                continue
            day, begins = wanted.day.isoformat(), wanted.begins.isoformat() if wanted.begins else ""
            told = {"code": one.code, "title": one.title, "unit": one.unit, "holder": wanted.holder}
            if now is None or (now["day"], now["begins"]) != (day, begins):
                if now is not None:
                    closed.append({"of": now["id"], "state": MOVED, "closed_ns": now_ns})
                new.append(_new(kind.id, one.id, now_ns, {**told, "day": day, "begins": begins}))
            elif any(now[name] != value for name, value in told.items()):
                retold.append({"of": now["id"], **told})
    return Change(new=new, closed=closed, retold=retold)


def write(connection: Connection, change: Change) -> None:
    """Write what changes."""
    of = duty.c.id == bindparam("of")
    if change.closed:
        ended: dict[str, Any] = {name: bindparam(name) for name in ("state", "closed_ns")}
        connection.execute(update(duty).where(of).values(ended), list(change.closed))
    if change.retold:
        said: dict[str, Any] = {name: bindparam(name) for name in ("code", "title", "unit", "holder")}
        connection.execute(update(duty).where(of).values(said), list(change.retold))
    if change.sooner:
        moved = update(duty).where(of).values(due_ns=bindparam("due"), next_ns=0)
        connection.execute(moved, list(change.sooner))
    if change.new:
        connection.execute(insert(duty), list(change.new))


def follow_records(connection: Connection, ledger: str, records: Iterable[Record], now_ns: int) -> None:
    """Let the duties follow records, in the transaction that changes these."""
    write(connection, changes(connection, ledger, records, now_ns))


#: Whether anything is there that could want a duty, or end one: of an alarm nobody saw, or one that is to be filled.
STIRS: Final = select(
    or_(
        exists().where(alarm.c.state == State.UNACK.value),
        exists().where(disposal.c.state == OPEN),
        exists().where(duty.c.state == OPEN, duty.c.kind.in_((DISPOSAL, ACK, RESPONSE))),
        exists().where(response_task.c.incident > 0, response_task.c.state == OPEN),
    )
)


def alarms_changed(connection: Connection, plan: DutyPlan, now_ns: int) -> Change:
    """Compare what alarms and disposals want with the duties that are open; where nothing rings, one look tells."""
    if not connection.scalar(STIRS):
        return Change()
    new = [
        *_disposals_wanted(connection, now_ns),
        *_acks_wanted(connection, plan, now_ns),
        *_tasks_wanted(connection, now_ns),
    ]
    closed = [
        *_disposals_done(connection, now_ns),
        *_acks_done(connection, now_ns),
        *_tasks_done(connection, now_ns),
    ]
    return Change(new=new, closed=closed, sooner=_disposals_moved(connection))


#: The open duties to sign a commitment, by day; and how far one day's commitment is.
_TO_SIGN: Final = select(duty.c.subject, duty.c.id).where(duty.c.state == OPEN, duty.c.kind == COMMIT)
_STANDS: Final = (
    select(record.c.state)
    .where(record.c.ledger == COMMITMENTS.id, record.c.code == bindparam("today"), record.c.is_removed.is_(False))
    .limit(1)
)


def commitment_changed(connection: Connection, site: "Site", now_ns: int) -> Change:
    """Compare the duty to sign today's commitment with those that are open; what was missed is not made up for."""
    zone, policy = ZoneInfo(site.timezone), site.commitment
    today = datetime.fromtimestamp(now_ns // NS, zone).date()
    is_asked = policy.is_asked and (
        policy.on == "all" or site.roster.calendar.day(today, published).is_workday
    )  # fmt: skip
    had = {row.subject: row.id for row in connection.execute(_TO_SIGN)}
    stands = connection.scalar(_STANDS, {"today": code_of(today.isoformat())})
    is_signed = stands is not None and stands in COMMITMENTS.shut
    closed = [
        {"of": row_id, "state": DONE if day == today.isoformat() and is_signed else GONE, "closed_ns": now_ns}
        for day, row_id in had.items()
        if day != today.isoformat() or is_signed or not is_asked
    ]
    if not is_asked or is_signed or today.isoformat() in had:
        return Change(closed=closed)
    midnight = datetime(today.year, today.month, today.day, tzinfo=zone)
    due = midnight.replace(hour=policy.by_s // 3600, minute=policy.by_s // 60 % 60)
    told = {
        "code": code_of(today.isoformat()), "title": f"{today} 安全承诺公告 Safety commitment", "unit": "",
        "holder": min(policy.signers, default=""), "due_ns": round(due.timestamp()) * NS,
        "begins_ns": round(midnight.timestamp()) * NS,
    }  # fmt: skip
    return Change(new=[_new(COMMIT, today.isoformat(), now_ns, told)], closed=closed)


_TO_FILE: Final = select(duty.c.subject, duty.c.id).where(duty.c.state == OPEN, duty.c.kind == LOTS)


def lots_changed(connection: Connection, site: "Site", now_ns: int) -> Change:
    """Compare the duty to file last month's report of the five lots with those that are open.

    One that was missed stays until its month is filed: the authority still waits for it.
    """
    day = site.duties.five_lots_day
    had = {row.subject: row.id for row in connection.execute(_TO_FILE)}
    if not day and not had:
        return Change()
    today = datetime.fromtimestamp(now_ns // NS, ZoneInfo(site.timezone)).date()
    first = today.replace(day=1)
    month = f"{first - timedelta(days=1):%Y-%m}"
    filed = _filed(connection, sorted({month, *had}))
    closed = [
        {"of": row_id, "state": DONE if name in filed else GONE, "closed_ns": now_ns}
        for name, row_id in had.items()
        if name in filed or not day
    ]
    if not day or month in filed or month in had:
        return Change(closed=closed)
    told = {
        "code": f"M-{month}", "title": f"{month} 五个一批月报 Report of the five lots", "unit": "", "holder": "",
        "day": first.replace(day=day).isoformat(), "begins": first.isoformat(),
    }  # fmt: skip
    return Change(new=[_new(LOTS, month, now_ns, told)], closed=closed)


_OF_TICKETS: Final = select(duty).where(duty.c.state == OPEN, duty.c.kind.in_((TICKET_END, TICKET_TEST)))
#: Tickets under way at once; a site with more has another trouble.
TICKETS_MAX: Final = 2_000


def tickets_changed(connection: Connection, site: "Site", now_ns: int) -> Change:
    """Compare the duties to end work with its ticket, and to test its gas anew, with those that are open.

    A test that is made ends the duty to make it and begins the next; a ticket with another end ends it as another day.
    """
    zone = ZoneInfo(site.timezone)
    tickets = page(connection, TICKETS.id, limit=TICKETS_MAX, wanted=Asked(states=list(UNDER_WAY)))
    had = {(row["subject"], row["kind"]): row for row in connection.execute(_OF_TICKETS).mappings()}
    new, retold, kept = [], [], set()
    for one in tickets:
        for kind, name in ((TICKET_END, "until"), (TICKET_TEST, "retest_by")):
            if not one.values.get(name):
                continue
            due_ns = moment(one.values[name], zone)
            since = "from" if kind == TICKET_END else "tested_at"
            told = {
                "code": one.code, "title": one.title, "unit": one.unit,
                "holder": str(one.values.get("guardian") or one.values["applicant"]),
            }  # fmt: skip
            now = had.get((one.id, kind))
            if now is not None and now["due_ns"] == due_ns:
                kept.add(now["id"])
                if any(now[word] != value for word, value in told.items()):
                    retold.append({"of": now["id"], **told})
                continue
            begins_ns = min(moment(one.values[since], zone), due_ns)
            new.append(_new(kind, one.id, now_ns, {**told, "due_ns": due_ns, "begins_ns": begins_ns}))
    over = [row for row in had.values() if row["id"] not in kept]
    known = of_ids(connection, [row["subject"] for row in over]) if over else {}
    closed = [
        {"of": row["id"], "state": _ended(row, known.get(row["subject"]), zone), "closed_ns": now_ns} for row in over
    ]
    return Change(new=new, closed=closed, retold=retold)


def _ended(row: RowMapping, ticket: Record | None, zone: ZoneInfo) -> str:
    """Say how a ticket's duty ended: done, moved to another time, or gone with what it was about."""
    if ticket is None or ticket.is_removed:
        return GONE
    stage = ticket.values["stage"]
    if row["kind"] == TICKET_END:
        return MOVED if stage in UNDER_WAY else DONE if stage == "closed" else GONE
    if stage != "working":
        return GONE
    is_tested = moment(ticket.values["tested_at"], zone) != row["begins_ns"]
    return DONE if is_tested else MOVED


_TO_REPORT: Final = select(duty).where(duty.c.state == OPEN, duty.c.kind == REPORT)
_SAID: Final = (ACCIDENT, NO_ACCIDENT, REPORTED)


def reports_changed(connection: Connection, now_ns: int) -> Change:
    """Compare the duties to report accidents with those that are open: each report ends one and begins the next."""
    had = {row.subject: row for row in connection.execute(_TO_REPORT)}
    open_ = list(connection.execute(select(incident).where(incident.c.state == OPEN)).mappings())
    if not open_ and not had:
        return Change()
    lines: dict[int, list[RowMapping]] = {}
    numbers = [row["number"] for row in open_]
    query = (
        select(incident_entry)
        .where(incident_entry.c.incident.in_(numbers), incident_entry.c.what.in_(_SAID))
        .order_by(incident_entry.c.incident, incident_entry.c.place)
    )
    for line in connection.execute(query).mappings():
        lines.setdefault(line["incident"], []).append(line)
    new, closed, retold, kept = [], [], [], set()
    for row in open_:
        mine = lines.get(row["number"], [])
        since_ns = accident_since_ns(mine)
        if not since_ns:
            continue
        due_ns, one = report_due_ns(row, mine), had.get(row["id"])
        kept.add(row["id"])
        told = {
            "code": str(row["number"]), "title": row["title"] or row["unit"], "unit": row["unit"],
            "holder": row["commander"] or LEADER,
        }  # fmt: skip
        if one is not None and one.due_ns == due_ns:
            if (one.title, one.holder) != (told["title"], told["holder"]):
                retold.append({"of": one.id, **told})
            continue
        if one is not None:
            closed.append({"of": one.id, "state": DONE, "closed_ns": now_ns})
        begins_ns = max(since_ns, *(line["time_ns"] for line in mine if line["what"] == REPORTED), 0)
        since = {"nature": row["nature"], "due_ns": due_ns, "begins_ns": min(begins_ns, due_ns)}
        new.append(_new(REPORT, row["id"], now_ns, {**told, **since}))
    closed += [
        {"of": one.id, "state": GONE, "closed_ns": now_ns} for subject, one in had.items() if subject not in kept
    ]
    return Change(new=new, closed=closed, retold=retold)


def _filed(connection: Connection, months: Sequence[str]) -> set[str]:
    """Give those of these months whose entry says on which day it was filed."""
    query = select(record.c.code, record.c.body).where(
        record.c.ledger == MONTHLY.id,
        record.c.code.in_([f"M-{name}" for name in months]),
        record.c.is_removed.is_(False),
    )
    found = connection.execute(query)
    return {row.code.removeprefix("M-") for row in found if orjson.loads(row.body).get("filed_on")}


# ------------------------------------------------------------------------------------------------------------ inside


def _new(kind: str, subject: str, now_ns: int, values: Mapping[str, Any]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "id": uuid.uuid4().hex, "kind": kind, "subject": subject, "nature": "", "day": "", "begins": "", "due_ns": 0,
        "begins_ns": 0, "state": OPEN, "step": "", "times": 0, "taken_ns": 0, "next_ns": 0, "opened_ns": now_ns,
        "closed_ns": 0, "is_by_weekday": False,
    }  # fmt: skip
    return row | dict(values)


def _open_of(connection: Connection, subjects: Sequence[str]) -> dict[tuple[str, str], RowMapping]:
    found: dict[tuple[str, str], RowMapping] = {}
    for at in range(0, len(subjects), CHUNK):
        query = select(duty).where(duty.c.subject.in_(subjects[at : at + CHUNK]), duty.c.state == OPEN)
        found |= {(row["subject"], row["kind"]): row for row in connection.execute(query).mappings()}
    return found


#: Of disposals: those without a duty, those of which one is done, those whose alarm came to a graver tier. Made once,
#: because they are asked every few seconds for as long as something is open, and to make one costs more than to ask it.
_WANTED: Final = (
    select(disposal)
    .outerjoin(duty, and_(duty.c.subject == disposal.c.alarm, duty.c.kind == DISPOSAL))
    .where(disposal.c.state == OPEN, duty.c.id.is_(None))
    .order_by(disposal.c.due_ns)
    .limit(NEW_MAX)
)
_FILLED: Final = (
    select(duty.c.id)
    .join(disposal, disposal.c.alarm == duty.c.subject)
    .where(duty.c.kind == DISPOSAL, duty.c.state == OPEN, disposal.c.state != OPEN)
)
_MOVED: Final = (
    select(duty.c.id, disposal.c.due_ns)
    .join(disposal, disposal.c.alarm == duty.c.subject)
    .where(duty.c.kind == DISPOSAL, duty.c.state == OPEN, disposal.c.due_ns != duty.c.due_ns)
)
#: Of tasks of incidents: those without a duty, and duties of those that are done or do not apply.
_TO_DO: Final = (
    select(response_task)
    .outerjoin(duty, and_(duty.c.subject == response_task.c.id, duty.c.kind == RESPONSE))
    .where(response_task.c.incident > 0, response_task.c.state == OPEN, duty.c.id.is_(None))
    .order_by(response_task.c.due_ns)
    .limit(NEW_MAX)
)
_DID: Final = (
    select(duty.c.id, response_task.c.state)
    .join(response_task, response_task.c.id == duty.c.subject)
    .where(duty.c.kind == RESPONSE, duty.c.state == OPEN, response_task.c.state != OPEN)
)
#: Of alarms: those of a tier that nobody saw by a moment and that have no duty, and duties of those that somebody saw.
_UNSEEN: Final = (
    select(alarm)
    .outerjoin(duty, and_(duty.c.subject == alarm.c.id, duty.c.kind == ACK))
    .where(
        alarm.c.state == State.UNACK.value,
        alarm.c.tier == bindparam("of_tier"),
        alarm.c.suppression == Suppression.NONE.value,
        duty.c.id.is_(None),
        alarm.c.raised_ns <= bindparam("by_ns"),
    )
    .order_by(alarm.c.raised_ns)
    .limit(NEW_MAX)
)
_SEEN: Final = (
    select(duty.c.id)
    .outerjoin(alarm, and_(alarm.c.id == duty.c.subject, alarm.c.state == State.UNACK.value))
    .where(
        duty.c.kind == ACK,
        duty.c.state == OPEN,
        alarm.c.key.is_(None) | (alarm.c.suppression != Suppression.NONE.value),
    )
)


def _disposals_wanted(connection: Connection, now_ns: int) -> list[dict[str, Any]]:
    return [
        _new(DISPOSAL, row.alarm, now_ns, {
            "code": row.alarm, "title": f"{row.tag} {row.condition}", "unit": row.unit, "nature": row.nature,
            "holder": "", "due_ns": row.due_ns, "begins_ns": row.opened_ns,
        })
        for row in connection.execute(_WANTED)
    ]  # fmt: skip


def _disposals_done(connection: Connection, now_ns: int) -> list[dict[str, Any]]:
    return [{"of": row.id, "state": DONE, "closed_ns": now_ns} for row in connection.execute(_FILLED)]


def _disposals_moved(connection: Connection) -> list[dict[str, Any]]:
    """Give those whose alarm came to a graver tier, which leaves less time."""
    return [{"of": row.id, "due": row.due_ns} for row in connection.execute(_MOVED)]


def _acks_wanted(connection: Connection, plan: DutyPlan, now_ns: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    kind = plan.kind(ACK)
    is_early = kind is not None and kind.lead_days is not None
    for tier, within_s in plan.ack_s.items():
        within_ns = round(within_s * 1e9)
        by_ns = now_ns - (0 if is_early else round(BEFORE_PROMPT * within_ns))
        found += [
            _new(ACK, row.id, now_ns, {
                "code": row.id, "title": f"{row.tag} {row.condition}", "unit": row.unit, "nature": row.nature,
                "holder": "", "due_ns": row.raised_ns + within_ns, "begins_ns": row.raised_ns,
            })
            for row in connection.execute(_UNSEEN, {"of_tier": int(tier), "by_ns": by_ns})
        ]  # fmt: skip
    return found


def _acks_done(connection: Connection, now_ns: int) -> list[dict[str, Any]]:
    return [{"of": row.id, "state": DONE, "closed_ns": now_ns} for row in connection.execute(_SEEN)]


def _tasks_wanted(connection: Connection, now_ns: int) -> list[dict[str, Any]]:
    return [
        _new(RESPONSE, row.id, now_ns, {
            "code": f"{row.incident}/{row.step}", "title": orjson.loads(row.title)["zh"][:200], "unit": row.unit,
            "nature": row.nature, "holder": row.owner, "due_ns": row.due_ns, "begins_ns": row.opened_ns,
        })
        for row in connection.execute(_TO_DO)
    ]  # fmt: skip


def _tasks_done(connection: Connection, now_ns: int) -> list[dict[str, Any]]:
    return [
        {"of": row.id, "state": DONE if row.state == "done" else GONE, "closed_ns": now_ns}
        for row in connection.execute(_DID)
    ]
