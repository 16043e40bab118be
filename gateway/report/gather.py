"""Gather: everything that a report of a period says, as figures; one reading of the store.

Flow: period -> [gather] -> hidden hazards, five lots, disposals, inspections, effect, patterns, districts
Why: page, workbook, HTML and PDF say the same figures, for they are made of one answer.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, Row, select

from alerting.model.disposal import Cause
from alerting.model.tier import Tier
from alerting.register.field import Values
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from alerting.roster.plan import Shift
from edge.model import Nature
from gateway.config import Site
from gateway.disposal.records import DONE, last_causes
from gateway.register import hazard_figures
from gateway.register.reading import of_codes, page
from gateway.register.record import Record
from gateway.report.effect import effect
from gateway.report.period import NS, Period
from gateway.store.schema import disposal, event, record
from gateway.system import SOURCE, main_nature

ROWS_MAX: Final = 200_000
CHUNK: Final = 500
CHECKS_MAX: Final = 100_000
UNITS_SHOWN: Final = 20
LOOKED: Final = frozenset({"normal", "hazard"})
NO_SHIFT: Final = ""


def gather(connection: Connection, site: Site, period: Period, now_ns: int, today: date) -> dict[str, Any]:
    """Give all figures of a period."""
    zone = ZoneInfo(site.timezone)
    first, end = period.span(zone)
    nature = main_nature(site)
    gathered = hazard_figures.gather(connection, period.first, period.last, site.hazards.repeat_days)
    hazards = hazard_figures.figures(gathered, period.first, period.last, today)
    by_hand = of_codes(connection, "monthly", [f"M-{month}" for month in period.months])
    inspections = _inspections(connection, period, first)
    raised = _raised(connection, nature, first, end)
    in_period = (disposal.c.nature == nature.value, disposal.c.opened_ns >= first, disposal.c.opened_ns < end)
    opened = list(connection.execute(select(disposal).where(*in_period).limit(ROWS_MAX)))
    causes = _causes(connection, [*(one[3] for one in raised), *(row.alarm for row in opened)])
    score = effect(
        done=inspections["done"], planned=inspections["planned"], accepted=hazards["due_in_time"], due=hazards["due"],
        deduct_tasks=sum(float(one.values.get("deduct_tasks", 0)) for one in by_hand.values()),
        deduct_hazards=sum(float(one.values.get("deduct_hazards", 0)) for one in by_hand.values()),
        is_vetoed=any(one.values.get("veto") is True for one in by_hand.values()),
    )  # fmt: skip
    return {
        "period": period.name,
        "title": period.title.both(),
        "from": period.first.isoformat(),
        "to": period.last.isoformat(),
        "is_over": period.last < today,
        "hazards": hazards,
        "lots": _lots(connection, hazards, by_hand, period),
        "disposals": _disposals(opened, now_ns, causes),
        "inspections": inspections,
        "effect": asdict(score),
        "patterns": _patterns(raised, causes, site.roster.shifts, zone),
        "districts": _districts(connection, gathered, today),
        "is_whole": hazards["is_whole"] and len(raised) < ROWS_MAX,
    }


# ------------------------------------------------------------------------------------------------------------ inside


def _lots(
    connection: Connection, hazards: Mapping[str, Any], by_hand: Mapping[str, Record], period: Period
) -> list[dict[str, Any]]:
    """Count the five lots (五个一批); what the register cannot know is entered by hand, and ``from`` says which."""
    months, entered = period.months, list(by_hand.values())
    missing = [month for month in months if f"M-{month}" not in by_hand]
    closed = [
        one for one in page(connection, "units", limit=5_000)
        if period.first.isoformat() <= str(one.values.get("closed_on", "")) <= period.last.isoformat()
    ]  # fmt: skip
    listed = [one for one in page(connection, "enterprises", limit=5_000) if one.values.get("is_blacklisted") is True]

    def hand(name: str) -> dict[str, Any]:
        cases = [str(one.values[f"{name}_cases"]) for one in entered if one.values.get(f"{name}_cases")]
        return {
            "count": sum(int(one.values.get(name, 0)) for one in entered), "from": "hand", "missing": missing,
            "cases": cases,
        }  # fmt: skip

    majors = [f"{row['code']} {row['title']}" for row in hazards["major_cases"]]
    return [
        {"lot": "exposed", "count": hazards["found_major"], "from": "register", "missing": [], "cases": majors},
        {"lot": "punished", **hand("punished")},
        {
            "lot": "blacklisted", "count": len(listed), "from": "register", "missing": [],
            "cases": [f"{one.code} {one.title}" for one in listed],
        },
        {"lot": "banned", **hand("banned")},
        {
            "lot": "closed", "count": len(closed), "from": "register", "missing": [],
            "cases": [f"{one.code} {one.title}" for one in closed],
        },
    ]  # fmt: skip


def _inspections(connection: Connection, period: Period, since_ns: int) -> dict[str, Any]:
    """Count checks of the period; what was missed before a check belongs to that check.

    Args:
        since_ns: When the period begins, ns: a check is written on its day or later, so older records are none of it.
    """
    done = missed = skipped = 0
    query = select(record.c.body).where(
        record.c.ledger == "checks", record.c.time_ns >= since_ns, record.c.is_removed.is_(False)
    ).limit(CHECKS_MAX)  # fmt: skip
    for body in connection.scalars(query):
        values = orjson.loads(body)
        if period.first.isoformat() <= values["on"] <= period.last.isoformat():
            done += values["result"] in LOOKED
            skipped += values["result"] not in LOOKED
            missed += int(values.get("missed", 0))
    planned = done + missed + skipped
    return {
        "done": done,
        "missed": missed,
        "skipped": skipped,
        "planned": planned,
        "rate": done / planned if planned else None,
    }


def _disposals(rows: Sequence[Row[Any]], now_ns: int, causes: Mapping[str, Cause]) -> dict[str, Any]:
    done = [row for row in rows if row.state == DONE]
    in_time = [row for row in done if row.done_ns <= row.due_ns]
    told = Counter(causes[row.alarm].value for row in done if row.alarm in causes)
    return {
        "opened": len(rows),
        "done": len(done),
        "in_time": len(in_time),
        "rate": len(in_time) / len(rows) if rows else None,
        "overdue": sum(row.state != DONE and row.due_ns < now_ns for row in rows),
        "causes": {cause.value: told[cause.value] for cause in Cause if told[cause.value]},
        "by_tier": {
            tier.name: count for tier, count in sorted(Counter(Tier(row.tier) for row in rows).items(), reverse=True)
        },
    }


def _raised(connection: Connection, nature: Nature, first: int, end: int) -> list[tuple[int, str, int, str]]:
    """Give when, where, how grave and which alarm, of each that rang; the gateway's own left out."""
    query = (
        select(event.c.time_ns, event.c.unit, event.c.tier, event.c.alarm)
        .where(event.c.nature == nature.value, event.c.time_ns >= first, event.c.time_ns < end)
        .where(event.c.what == "raised", event.c.is_late.is_(False), event.c.alarm != "", event.c.unit != SOURCE)
        .limit(ROWS_MAX)
    )
    return [(row.time_ns, row.unit, row.tier, row.alarm) for row in connection.execute(query)]


def _causes(connection: Connection, alarms: Iterable[str]) -> dict[str, Cause]:
    """Give what each of these alarms turned out to be; those without a disposal are left out."""
    asked, found = sorted(set(alarms)), dict[str, Cause]()
    for at in range(0, len(asked), CHUNK):
        found |= last_causes(connection, asked[at : at + CHUNK])
    return found


def _patterns(
    raised: Sequence[tuple[int, str, int, str]], causes: Mapping[str, Cause], shifts: Sequence[Shift], zone: ZoneInfo
) -> dict[str, Any]:
    """Count alarms by hour of the day, shift, cause and unit (规律可循)."""
    hours: Counter[int] = Counter()
    by_shift: Counter[str] = Counter()
    units: Counter[str] = Counter()
    for time_ns, unit, _, _ in raised:
        moment = datetime.fromtimestamp(time_ns // NS, zone)
        hours[moment.hour] += 1
        by_shift[_shift_of(moment.hour * 3600 + moment.minute * 60 + moment.second, shifts)] += 1
        units[unit] += 1
    told = Counter(causes[alarm].value for _, _, _, alarm in raised if alarm in causes)
    tiers = Counter(Tier(one[2]) for one in raised)
    known = {cause.value: told[cause.value] for cause in Cause if told[cause.value]}
    return {
        "alarms": len(raised),
        "hours": [hours[hour] for hour in range(24)],
        "shifts": dict(by_shift.most_common()),
        "shift_titles": {one.id: dict(one.title) for one in shifts},
        "causes": {**known, "": len(raised) - told.total()},
        "units": [{"unit": unit, "alarms": count} for unit, count in units.most_common(UNITS_SHOWN)],
        "tiers": {tier.name: count for tier, count in sorted(tiers.items(), reverse=True)},
    }


def _shift_of(second: int, shifts: Iterable[Shift]) -> str:
    """Give the first shift in which a second of the day lies; empty for none."""
    for shift in shifts:
        begin, end = shift.from_s, shift.to_s
        if begin <= second < end or (end <= begin and (second >= begin or second < end)):
            return shift.id
    return NO_SHIFT


def _districts(connection: Connection, gathered: hazard_figures.Gathered, today: date) -> list[dict[str, Any]]:
    """Rank districts: the lowest share of closed hidden hazards first; among equals who has more overdue.

    A hidden hazard lies in the district of the enterprise of its hazard unit.
    """
    rows = [*gathered.found, *(one.values for one in gathered.open_now)]
    named = sorted({str(row["dossier"]) for row in rows if row.get("dossier")})
    dossiers = {
        code: str(one.values.get("enterprise", "")) for code, one in of_codes(connection, "units", named).items()
    }
    enterprises = of_codes(connection, "enterprises", sorted(set(dossiers.values())))
    lies_in = {code: str(one.values.get("district", "")) for code, one in enterprises.items()}

    def district(values: Values | Mapping[str, Any]) -> str:
        return lies_in.get(dossiers.get(str(values.get("dossier", "")), ""), "")

    told: dict[str, dict[str, Any]] = defaultdict(lambda: {"found": 0, "closed": 0, "major": 0, "overdue": 0})
    for row in gathered.found:
        one = told[district(row)]
        one["found"] += 1
        one["closed"] += row["state"] in HIDDEN_HAZARDS.shut
        one["major"] += row.get("class") == "major"
    for open_one in gathered.open_now:
        if HIDDEN_HAZARDS.is_overdue(open_one.values, today.isoformat()):
            told[district(open_one.values)]["overdue"] += 1
    ranked = [
        {"district": name, **one, "rate": one["closed"] / one["found"] if one["found"] else None}
        for name, one in told.items()
    ]
    return sorted(
        ranked, key=lambda one: (2.0 if one["rate"] is None else one["rate"], -one["overdue"], one["district"])
    )
