"""Shown: duties as the API and the sheet give them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, func, insert, select, tuple_

from alerting.duty.kind import STEP_TITLES, STEPS, Kind, Step
from alerting.register.field import Words
from gateway.config import Site
from gateway.duty.book import ANSWER, NEVER, NS, holder_said
from gateway.duty.feed import OPEN
from gateway.live import iso
from gateway.store.schema import duty, duty_step

#: What is open and of which nobody was told yet.
COMING: Final = "coming"
STEPS_MAX: Final = 1_000
COLUMNS: Final = (
    Words("Step", "步骤"), Words("Duty", "职责"), Words("Code", "编号"), Words("About", "名称"), Words("Unit", "单元"),
    Words("Due", "期限"), Words("Overdue", "逾期天数"), Words("Who answers for it", "责任人"), Words("Told", "已告知"),
    Words("Supervised", "督办次数"), Words("Basis", "依据"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which duties.

    Attributes:
        step: A step, ``coming``, or empty for all.
        kind, unit, subject: Of one row, one hazard unit, one record or alarm; None for all.
    """

    is_open: bool = True
    step: str = ""
    kind: str | None = None
    unit: str | None = None
    subject: str | None = None


def page(
    connection: Connection, asked: Asked, *, limit: int, after: tuple[int, str] | None = None
) -> list[RowMapping]:  # fmt: skip
    """Give duties, what is due first comes first; closed ones the last due first."""
    query = select(duty).where(duty.c.state == OPEN if asked.is_open else duty.c.state != OPEN)
    if asked.step:
        query = query.where(duty.c.step == ("" if asked.step == COMING else asked.step))
    for column, value in ((duty.c.kind, asked.kind), (duty.c.unit, asked.unit), (duty.c.subject, asked.subject)):
        if value is not None:
            query = query.where(column == value)
    place = tuple_(duty.c.due_ns, duty.c.id)
    if asked.is_open:
        query = query.order_by(duty.c.due_ns, duty.c.id)
        query = query if after is None else query.where(place > after)
    else:
        query = query.order_by(duty.c.due_ns.desc(), duty.c.id.desc())
        query = query if after is None else query.where(place < after)
    return list(connection.execute(query.limit(limit)).mappings())


def counted(connection: Connection) -> dict[str, int]:
    """Count open duties by step."""
    rows = connection.execute(select(duty.c.step, func.count()).where(duty.c.state == OPEN).group_by(duty.c.step))
    found = {step or COMING: n for step, n in rows}
    return {name: found.get(name, 0) for name in (*(step.value for step in reversed(STEPS)), COMING)}


def last_told(connection: Connection, duties: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
    """Give by duty who was reached by its last step, and what was answered since."""
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in duties}
    query = select(duty_step).where(duty_step.c.duty.in_(duties)).order_by(duty_step.c.seq)
    for row in connection.execute(query).mappings():
        mine = found[row["duty"]]
        if row["what"] != ANSWER and mine and mine[0]["time"] != iso(row["time_ns"]):
            mine.clear()
        if row["said"] != "passed":
            mine.append(_step(row))
    return found


def one(connection: Connection, name: str) -> tuple[RowMapping, list[dict[str, Any]]] | None:
    """Give a duty with its steps, the last first; None where there is none."""
    row = connection.execute(select(duty).where(duty.c.id == name)).mappings().one_or_none()
    if row is None:
        return None
    query = select(duty_step).where(duty_step.c.duty == name).order_by(duty_step.c.seq.desc()).limit(STEPS_MAX)
    return row, [_step(each) for each in connection.execute(query).mappings()]


def answer(connection: Connection, name: str, who: str, text: str, now_ns: int) -> None:
    """Write down what somebody says of a duty; it stays open until it is done."""
    number = connection.scalar(
        select(func.count()).where(duty_step.c.duty == name, duty_step.c.what == ANSWER)
    )  # fmt: skip
    connection.execute(
        insert(duty_step).values(
            duty=name, what=ANSWER, number=(number or 0) + 1, planned_ns=now_ns, time_ns=now_ns, said=ANSWER, to="",
            person=who, channel="", notice="", text=text,
        )
    )  # fmt: skip


def shown(row: RowMapping, site: Site, now_ns: int) -> dict[str, Any]:
    """Write a duty for an answer."""
    kind = site.duties.kind(row["kind"])
    return {
        "id": row["id"],
        "kind": row["kind"],
        "title": (kind.title if kind else Words(row["kind"], row["kind"])).both(),
        "basis": (kind.basis if kind else Words("", "")).both(),
        "is_unverified": bool(kind and kind.is_unverified),
        "ledger": kind.ledger if kind else "",
        "subject": row["subject"],
        "code": row["code"],
        "about": row["title"],
        "unit": row["unit"],
        "nature": row["nature"],
        "holder": row["holder"],
        "holder_said": holder_said(row["holder"], site).both(),
        "day": row["day"] or None,
        "due": iso(row["due_ns"]) if row["due_ns"] else None,
        "overdue_days": overdue_days(row, site, now_ns),
        "state": row["state"],
        "step": row["step"] or COMING,
        "times": row["times"],
        "next": iso(row["next_ns"]) if row["state"] == OPEN and 0 < row["next_ns"] < NEVER else None,
        "opened": iso(row["opened_ns"]),
        "closed": iso(row["closed_ns"]) if row["closed_ns"] else None,
        "is_by_weekday": row["is_by_weekday"],
    }


def overdue_days(row: RowMapping, site: Site, now_ns: int) -> int:
    """Give so many days it has been overdue by the site's days; of a closed one when it was closed."""
    zone, until_ns = ZoneInfo(site.timezone), row["closed_ns"] or now_ns
    if not row["due_ns"] or until_ns <= row["due_ns"]:
        return 0
    last_ns = row["due_ns"] - NS if row["day"] else row["due_ns"]
    first, last = (datetime.fromtimestamp(at // NS, UTC).astimezone(zone).date() for at in (last_ns, until_ns))
    return (last - first).days


def kind_shown(kind: Kind, site: Site) -> dict[str, Any]:
    """Write a row of the table of duties for an answer."""
    return {
        "id": kind.id,
        "title": kind.title.both(),
        "basis": kind.basis.both(),
        "is_unverified": kind.is_unverified,
        "ledger": kind.ledger,
        "lead_days": kind.lead_days,
        "grace_days": None if kind.is_timed else kind.grace_days,
        "grace_minutes": kind.grace_s / 60 if kind.is_timed else None,
        "repeat_days": kind.repeat_days,
        "counts": kind.counts.value,
        "to": {step.value: list(site.duties.receivers(kind, step)) for step in STEPS},
        "is_on": kind.is_on,
    }


def lines_of(
    rows: Sequence[RowMapping], site: Site, now_ns: int, told: Mapping[str, list[dict[str, Any]]], language: str
) -> list[list[str]]:
    """Write duties as lines of a sheet, the header first."""
    at = 1 if language == "zh" else 0
    lines = [[title[at] for title in COLUMNS]]
    for row in rows:
        said = shown(row, site, now_ns)
        step = STEP_TITLES[Step(row["step"])][at] if row["step"] else ("未到提示" if at else "coming")
        people = sorted({each["person"] for each in told.get(row["id"], []) if each["person"] and not each["text"]})
        lines.append([
            step, said["title"][language], row["code"], row["title"], row["unit"], row["day"] or said["due"] or "",
            str(said["overdue_days"]), said["holder_said"][language], ", ".join(people), str(row["times"]),
            said["basis"][language],
        ])  # fmt: skip
    return lines


def _step(row: RowMapping) -> dict[str, Any]:
    return {
        "what": row["what"],
        "number": row["number"],
        "planned": iso(row["planned_ns"]),
        "time": iso(row["time_ns"]),
        "said": row["said"],
        "to": row["to"],
        "person": row["person"],
        "channel": row["channel"],
        "notice": row["notice"],
        "text": row["text"],
    }
