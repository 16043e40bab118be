"""Commitment of a day: what the register and the plant say now, as a commitment would state it.

Flow: dossiers, tickets, hidden hazards, risks (store), active alarms (picture) -> [gather, found_of, proposed] -> form
Why: who signs at a quarter to ten corrects what is filled in and does not look it up.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, Text, cast, func, or_, select
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.sql.elements import ColumnElement

from alerting.model.alarm import Suppression
from alerting.model.tier import Tier
from alerting.register.commitment import WORK
from alerting.register.field import Values
from alerting.register.ledgers.commitments import code_of
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS, OPEN
from alerting.register.ledgers.tickets import UNDER_WAY
from edge.model import Nature
from gateway.config import Site
from gateway.live import Picture
from gateway.register import risks
from gateway.register.reading import Wanted, of_codes, page
from gateway.register.record import Record
from gateway.roster.book import contacts, on_duty
from gateway.store.schema import record

UNITS_MAX: Final = 2_000
HAZARDS_MAX: Final = 20_000
TICKETS_MAX: Final = 5_000
#: Stages of a ticket that counts as work of the day.
AT_WORK: Final = ("approved", *UNDER_WAY, "closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the store says of a day.

    Attributes:
        mine: The day's commitment, once it was begun.
        last: The one before it, whose words are proposed again.
        tickets: Values of those whose time touches the day.
    """

    day: date
    mine: Record | None
    last: Record | None
    enterprise: Record | None
    units: Sequence[Record]
    tickets: Sequence[Values]
    hazards: Sequence[Values]
    risks: risks.Gathered
    duty_lead: str
    duty_phone: str


def gather(connection: Connection, site: Site, day: date, now_ns: int) -> Gathered:
    """Read what a day's commitment is made of."""
    enterprises = page(connection, "enterprises", limit=2)
    lead, phone = _leader(connection, site, now_ns)
    wanted = Wanted(states=sorted(OPEN))
    return Gathered(
        day=day,
        mine=of_codes(connection, "commitments", [code_of(day.isoformat())]).get(code_of(day.isoformat())),
        last=_before(connection, day),
        enterprise=enterprises[0] if len(enterprises) == 1 else None,
        units=[one for one in page(connection, "units", limit=UNITS_MAX) if not one.values.get("closed_on")],
        tickets=_tickets(connection, day),
        hazards=[one.values for one in page(connection, HIDDEN_HAZARDS.id, limit=HAZARDS_MAX, wanted=wanted)],
        risks=risks.gather(connection),
        duty_lead=lead,
        duty_phone=phone,
    )


def found_of(gathered: Gathered, picture: Picture) -> dict[str, Any]:
    """Count what a commitment states, as the gateway knows it now; on the event loop."""
    work = Counter((str(one["kind"]), str(one.get("level", ""))) for one in gathered.tickets)
    alarms = Counter(
        alarm.tier
        for alarm in picture.alarms.values()
        if alarm.is_active
        and alarm.nature in (Nature.ACTUAL, Nature.TEST)
        and not picture.is_exercise(alarm)
        and alarm.suppression in (Suppression.NONE, Suppression.SHELVED)
    )
    today = gathered.day.isoformat()
    grades = [each["dynamic"]["grade"] for each in risks.put_together(gathered.risks, picture, gathered.day)["units"]]
    return {
        **{name: work[kind, level] for name, (kind, level, _) in WORK.items()},
        "contractors": sum(bool(one.get("contractor")) for one in gathered.tickets),
        "alarms_red": alarms[Tier.RED],
        "alarms_orange": alarms[Tier.ORANGE],
        "hazards_open": len(gathered.hazards),
        "hazards_major": sum(one.get("class") == "major" for one in gathered.hazards),
        "hazards_overdue": sum(HIDDEN_HAZARDS.is_overdue(one, today) for one in gathered.hazards),
        "risk_grade": min((grade for grade in grades if grade), default=0),
        "units_total": len(gathered.units),
    }


def proposed(gathered: Gathered, found: Mapping[str, Any]) -> Values:
    """Fill in a day's commitment: counts as found, words as of the last time, names as the dossier has them."""
    day = gathered.day.isoformat()
    last = gathered.last.values if gathered.last else {}
    kept: Values = {name: last[name] for name in ("head", "text", "guaranteed", "trial") if name in last}
    values: Values = {
        "code": code_of(day),
        "day": day,
        "title": f"{day} 安全承诺公告 Safety commitment",
        **kept,
        **{name: value for name, value in found.items() if name != "risk_grade"},
        "units_running": len(gathered.units),
        "units_stopped": 0,
    }
    if found["risk_grade"]:
        values["risk_grade"] = str(found["risk_grade"])
    if gathered.enterprise is not None:
        values["enterprise"] = gathered.enterprise.code
        values["head"] = gathered.enterprise.values.get("head") or kept.get("head", "")
        values["duty_phone"] = gathered.enterprise.values.get("duty_phone", "")
    if gathered.duty_lead:
        values["duty_lead"] = gathered.duty_lead
        values["duty_phone"] = gathered.duty_phone or values.get("duty_phone", "")
    return {name: value for name, value in values.items() if value != ""}


# ------------------------------------------------------------------------------------------------------------ inside


def _before(connection: Connection, day: date) -> Record | None:
    query = (
        select(record.c.code)
        .where(
            record.c.ledger == "commitments", record.c.is_removed.is_(False), record.c.code < code_of(day.isoformat())
        )
        .order_by(record.c.code.desc())
        .limit(1)
    )
    code = connection.scalar(query)
    return None if code is None else of_codes(connection, "commitments", [code])[code]


def _said(connection: Connection, name: str) -> ColumnElement[Any]:
    """Give a value of a record's body, in the database."""
    if connection.dialect.name == "postgresql":
        said: ColumnElement[Any] = cast(record.c.body, JSONB)[name].astext
        return said
    return cast(func.json_extract(record.c.body, f"$.{name}"), Text)


def _tickets(connection: Connection, day: date) -> list[Values]:
    begin, end = f"{day}T00:00", f"{day}T23:59"
    query = (
        select(record.c.body)
        .where(
            record.c.ledger == "tickets", record.c.is_removed.is_(False), _said(connection, "from") <= end,
            or_(
                _said(connection, "until") >= begin, record.c.state.in_(UNDER_WAY),  # Some work outlasts its ticket.
                _said(connection, "ended_at") >= begin,
            ),
            record.c.state.in_(AT_WORK),
        )
        .limit(TICKETS_MAX)
    )  # fmt: skip
    found = [orjson.loads(body) for body in connection.scalars(query)]
    return [one for one in found if one.get("ended_at", end) >= begin]  # Closed before its time was over.


def _leader(connection: Connection, site: Site, now_ns: int) -> tuple[str, str]:
    """Give title and telephone of who leads the shift now; empty where nobody does."""
    leaders = site.roster.leaders()
    there = on_duty(connection, site.roster, now_ns, ZoneInfo(site.timezone))
    name = next((one.watch.on_duty for one in there if one.watch.post in leaders), "")
    contact = contacts(connection).get(name)
    return (contact.title or name if contact else name), (contact.phone if contact else "")
