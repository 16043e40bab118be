"""Plan: which report goes to whom, of which period, and when it is due.

Never: reads a clock.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias
from zoneinfo import ZoneInfo

from alerting.roster.period import turns_around
from alerting.roster.plan import NS, Published, RosterPlan

Span: TypeAlias = Literal["shift", "day", "month"]
SPANS: Final = ("shift", "day", "month")
FORMS: Final = ("html", "xlsx")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportPlan:
    """One report.

    Attributes:
        at_s: Of a day or a month: when on the day after it, s since midnight by the site's clock.
        after_s: Of a shift: so long after its end, s.
        channel: Id of the channel, which sends mails.
        to: E-mail addresses.
        forms: Files that go with it.
        post: Id of the post whose units and shifts it is of; empty for all.
    """

    id: str
    span: Span
    channel: str
    to: tuple[str, ...]
    at_s: float = 28_800.0
    after_s: float = 600.0
    forms: tuple[str, ...] = FORMS
    lang: Literal["zh", "en"] = "zh"
    post: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """The last period that is over: from when to when, and when its report is due; ns."""

    from_ns: int
    to_ns: int
    due_ns: int
    shift: str = ""


def last_due(plan: ReportPlan, roster: RosterPlan, zone: ZoneInfo, published: Published, now_ns: int) -> Due | None:
    """Give the last period whose report is due by now; None where there was none."""
    if plan.span == "shift":
        at_ns = now_ns - round(plan.after_s * NS)
        _, before = turns_around(roster, at_ns, zone, published, plan.post)
        if before is None:
            return None
        due_ns = before.to_ns + round(plan.after_s * NS)
        return Due(from_ns=before.from_ns, to_ns=before.to_ns, due_ns=due_ns, shift=before.shift)
    # By the wall clock: a day on which the clock changes has 23 or 25 hours and is reported whole.
    now = datetime.fromtimestamp(now_ns // NS, zone)
    end = now.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    if plan.span == "month":
        end = end.replace(day=1)
    if (now.replace(tzinfo=None) - end).total_seconds() < plan.at_s:
        end = _before(end, plan.span)
    begin = _before(end, plan.span)
    due = end + timedelta(seconds=plan.at_s)
    return Due(from_ns=_ns(begin, zone), to_ns=_ns(end, zone), due_ns=_ns(due, zone))


def _before(end: datetime, span: Span) -> datetime:
    return (end - timedelta(days=1)).replace(day=1) if span == "month" else end - timedelta(days=1)


def _ns(moment: datetime, zone: ZoneInfo) -> int:
    return round(moment.replace(tzinfo=zone).timestamp()) * NS
