"""Book: reports in the store: what was made of a period, to whom it went, and each time it goes again.

Flow: plan, time -> [is_due, make: one transaction] -> files, a mail for each receiver in the outbox
Why: files and mails are committed together: after kill -9 a report was made and waits, or it is made again. What
    somebody got is what stands here, byte for byte, with the SHA-256 that his mail names.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Row, and_, func, insert, or_, select, update

from alerting.model.alarm import digest
from alerting.push.report_mail import Enclosed, Reported, report_body
from alerting.report.plan import Due, ReportPlan, last_due
from gateway.config import Site
from gateway.figures import NS, read_figures
from gateway.nuisances import read_nuisances
from gateway.push import answers
from gateway.push.answers import Said, What
from gateway.push.channel import Attached
from gateway.report_mail.sheet import MEDIA, nuisance_lines, report_lines, written
from gateway.roster.china import published
from gateway.store.schema import outbox, report_file, report_run
from gateway.system import main_nature

#: Kind of a row of the outbox that brings a report.
REPORT: Final = "report"
#: A mail that was not taken for so long rings, s.
LATE_S: Final = 3_600.0
RUNS_MAX: Final = 60


class ReportError(Exception):
    """What was asked cannot be done; the sentence says why, in both languages.

    Attributes:
        zh: The sentence in Chinese.
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh


def due_now(connection: Connection, site: Site, now_ns: int, begun_ns: int) -> list[tuple[ReportPlan, Due]]:
    """Give the reports that are due and were not made yet.

    Args:
        begun_ns: Since when the gateway runs. What fell due while it was down is made up for; a report that was never
            made begins with the first that falls due while it runs, or a new plant would be told of empty days.
    """
    zone = ZoneInfo(site.timezone)
    found = []
    for plan in site.reports:
        due = last_due(plan, site.roster, zone, published, now_ns)
        if due is None or _has(connection, report_run.c.id == run_id(plan, due)):
            continue
        if due.due_ns >= begun_ns or _has(connection, report_run.c.report == plan.id):
            found.append((plan, due))
    return found


def _has(connection: Connection, mine: ColumnElement[bool]) -> bool:
    return connection.execute(select(report_run.c.id).where(mine).limit(1)).first() is not None


def run_id(plan: ReportPlan, due: Due) -> str:
    """Give the name of a report of a period; the same whenever it is asked."""
    return digest("report", plan.id, due.from_ns, due.to_ns)


def make(connection: Connection, site: Site, plan: ReportPlan, due: Due, now_ns: int) -> int:
    """Make a report and put its mails into the outbox; give how many."""
    zone, nature, run = ZoneInfo(site.timezone), main_nature(site), run_id(plan, due)
    post = site.roster.post(plan.post) if plan.post else None
    units = frozenset(post.units) if post else frozenset[str]()
    period = (due.from_ns, due.to_ns)
    figures = read_figures(connection, nature, period, zone, units)
    lines = report_lines(figures, site, period, nature, plan.lang, plan.post)
    lines += nuisance_lines(read_nuisances(connection, site, nature, period, units), site, plan.lang)
    stamp = datetime.fromtimestamp(due.from_ns // NS, zone).strftime("%Y-%m-%d-%H%M")
    enclosed = []
    connection.execute(
        insert(report_run).values(
            id=run, report=plan.id, span=plan.span, shift=due.shift, from_ns=due.from_ns, to_ns=due.to_ns,
            due_ns=due.due_ns, made_ns=now_ns, nature=nature.value,
        )
    )  # fmt: skip
    for form in plan.forms:
        content = written(lines, form, plan.lang)
        one = Enclosed(name=f"{plan.id}-{stamp}.{form}", digest=hashlib.sha256(content).hexdigest(), size=len(content))
        enclosed.append(one)
        connection.execute(
            insert(report_file).values(run=run, name=one.name, media=MEDIA[form], digest=one.digest, content=content)
        )
    first, last = (datetime.fromtimestamp(ns // NS, zone).strftime("%Y-%m-%d %H:%M") for ns in period)
    said = Reported(
        run=run, report=plan.id, span=plan.span, language=plan.lang, first=first, last=last, alarms=figures.load.alarms,
        floods=figures.load.floods,
    )  # fmt: skip
    for address in plan.to:
        key = digest("report", run, address)
        body = report_body(
            said, enclosed, address, key=key, site={"id": site.id, "title": dict(site.title)}, nature=nature,
            time=datetime.fromtimestamp(now_ns // NS, zone).isoformat(timespec="seconds"),
            link=f"{site.page_url}/#/channels" if site.page_url else "",
        )  # fmt: skip
        connection.execute(
            insert(outbox).values(
                key=key, destination=plan.channel, chain=key, event=run, nature=nature.value, action=REPORT, tier=0,
                is_late=False, created_ns=now_ns, body=body, state="waiting", attempts=0, next_ns=now_ns,
                last_error="", delivered_ns=0, receipt="", kind=REPORT,
            )
        )  # fmt: skip
    return len(plan.to)


def attached_to(connection: Connection, run: str) -> tuple[Attached, ...]:
    """Give the files of a report."""
    query = select(report_file).where(report_file.c.run == run).order_by(report_file.c.name)
    return tuple(
        Attached(name=row.name, media=row.media.partition(";")[0], content=row.content)
        for row in connection.execute(query)
    )


def file_of(connection: Connection, run: str, name: str) -> Attached | None:
    """Give one file of a report; None where there is none."""
    return next((each for each in attached_to(connection, run) if each.name == name), None)


# ------------------------------------------------------------------------------------------------------ what became


def unsent(connection: Connection, now_ns: int) -> int:
    """Count the mails of reports that nobody takes, or that wait for too long."""
    late = and_(outbox.c.state == "waiting", outbox.c.created_ns < now_ns - round(LATE_S * NS))
    is_unsent: ColumnElement[bool] = or_(outbox.c.state == "quarantined", late)
    query = select(func.count()).select_from(outbox).where(outbox.c.kind == REPORT, is_unsent)
    return int(connection.execute(query).scalar_one())


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A report that was made, its files and its mails.

    Attributes:
        files: Name to size and SHA-256.
        mails: Rows of the outbox.
    """

    row: Row[Any]
    files: Sequence[Mapping[str, Any]]
    mails: Sequence[Row[Any]]


def runs(connection: Connection, limit: int = RUNS_MAX) -> list[Run]:
    """Give the reports made, the last first."""
    rows = connection.execute(select(report_run).order_by(report_run.c.made_ns.desc(), report_run.c.id).limit(limit))
    found = list(rows)
    names = [row.id for row in found]
    mails: dict[str, list[Row[Any]]] = {name: [] for name in names}
    query = select(outbox).where(outbox.c.kind == REPORT, outbox.c.event.in_(names)).order_by(outbox.c.seq)
    for mail in connection.execute(query):
        mails[mail.event].append(mail)
    files: dict[str, list[Mapping[str, Any]]] = {name: [] for name in names}
    table = report_file
    size = func.length(table.c.content).label("size")
    listed = select(table.c.run, table.c.name, table.c.digest, size).where(table.c.run.in_(names))
    for each in connection.execute(listed.order_by(table.c.name)):
        files[each.run].append({"name": each.name, "sha256": each.digest, "bytes": each.size})
    return [Run(row=row, files=files[row.id], mails=mails[row.id]) for row in found]


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """A person's wish that a report goes once more; ``to`` is one receiver, empty for all."""

    run: str
    to: str
    who: str
    reason: str
    now_ns: int


def send_again(connection: Connection, asked: Again) -> int:
    """Let mails of a report go once more, the same bytes; give how many.

    Raises:
        ReportError: They cannot.
    """
    mails = connection.execute(
        select(outbox).where(outbox.c.kind == REPORT, outbox.c.event == asked.run).order_by(outbox.c.seq)
    ).all()
    if not mails:
        raise ReportError("There is no such report.", "没有此报告。")
    if asked.to:
        mails = [mail for mail in mails if receiver_of(mail) == asked.to]
        if not mails:
            raise ReportError("It did not go to this address.", "该报告未发往此地址。")
    chosen = [mail for mail in mails if mail.state != "waiting"]
    if not chosen:
        raise ReportError("It waits to be sent already.", "该报告已在等待发送。")
    for mail in chosen:
        values = {"state": "waiting", "next_ns": asked.now_ns, "created_ns": asked.now_ns, "refused_ns": 0,
                  "handed_ns": 0, "last_error": ""}  # fmt: skip
        connection.execute(update(outbox).where(outbox.c.seq == mail.seq).values(values))
        what = What.RELEASED if mail.state == "quarantined" else What.RESENT
        answers.add(
            connection, asked.now_ns, mail.key, mail.destination, Said(what=what, who=asked.who, reason=asked.reason)
        )
    return len(chosen)


def receiver_of(mail: Row[Any]) -> str:
    """Give the address that a mail is for."""
    return str(json.loads(mail.body)["to"]["email"])
