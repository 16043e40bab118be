"""Figures of hidden hazards over some days: found, due, closed, still open, listed, come again.

Flow: first and last day -> [gather] -> records with a trait on those days -> [figures] -> page, reports
Why: whoever reports a month asks what was found in it, what was to be done by its end, and what was here before.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import orjson
from sqlalchemy import Connection, func, select

from alerting.model.hazard_policy import OPENED_BY
from alerting.register.field import Values
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS, OPEN, is_listed
from gateway.register import traits
from gateway.register.reading import Wanted, of_ids, page
from gateway.register.record import Record
from gateway.register.traits import Repeat
from gateway.store.schema import record

ROWS_MAX: Final = 20_000
REPEATS_SHOWN: Final = 100
#: What the found are counted by: fields with choices.
BY: Final = ("source", "class", "type", "cause_class", "state")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the store says.

    Attributes:
        found, due, closed: Values of those found, due and closed on the days, with id and unit.
        open_now: Those that are open now.
        repeats: By id, those of the found that were here before; ``before`` the records that they repeat.
        is_whole: False where there are more than are read at once.
    """

    found: Sequence[Mapping[str, Any]]
    due: Sequence[Mapping[str, Any]]
    closed: Sequence[Mapping[str, Any]]
    open_now: Sequence[Record]
    open_count: int
    repeats: Mapping[str, Repeat]
    before: Mapping[str, Record]
    is_whole: bool


def gather(connection: Connection, first: date, last: date, repeat_days: int) -> Gathered:
    """Read what the figures of some days are made of, both days included."""
    found, due, closed = (_rows(connection, trait, first, last) for trait in (traits.FOUND, traits.DUE, traits.CLOSED))
    repeats = traits.repeats(connection, [row["id"] for row in found], repeat_days)
    open_count = connection.scalar(
        select(func.count()).select_from(record).where(
            record.c.ledger == HIDDEN_HAZARDS.id, record.c.is_removed.is_(False), record.c.state.in_(sorted(OPEN))
        )
    )  # fmt: skip
    open_now = page(connection, HIDDEN_HAZARDS.id, limit=ROWS_MAX, wanted=Wanted(states=sorted(OPEN)))
    return Gathered(
        found=found,
        due=due,
        closed=closed,
        open_now=open_now,
        open_count=open_count or 0,
        repeats=repeats,
        before=of_ids(connection, sorted({one.before for one in repeats.values()})),
        is_whole=max(len(found), len(due), len(closed), len(open_now)) < ROWS_MAX,
    )


def figures(gathered: Gathered, first: date, last: date, today: date) -> dict[str, Any]:
    """Work the figures out.

    ``rate`` of what was due: accepted by its deadline / due, null where nothing was due; ``rate`` of closing: of those
    found on the days, closed by now / found (隐患整改率); both ours.
    """
    is_open = [one.values for one in gathered.open_now]
    in_time = [row for row in gathered.due if row["accepted_on"] and row["accepted_on"] <= row["deadline"]]
    done = [row for row in gathered.found if row["state"] in HIDDEN_HAZARDS.shut]
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "found": len(gathered.found),
        "found_major": _major(gathered.found),
        "major_cases": [
            {"code": row["code"], "title": row["title"]} for row in gathered.found if row.get("class") == "major"
        ][-REPEATS_SHOWN:],
        "closed": len(gathered.closed),
        "closed_major": _major(gathered.closed),
        "closed_of_found": _share(len(done), len(gathered.found)),
        "due": len(gathered.due),
        "due_in_time": len(in_time),
        "in_time": _share(len(in_time), len(gathered.due)),
        "by_rule": sum(str(row.get("found_by", "")).startswith(OPENED_BY) for row in gathered.found),
        "by": {name: _counted(gathered.found, name) for name in BY},
        "units": [
            {"unit": unit, "found": count}
            for unit, count in Counter(_place(row) for row in gathered.found).most_common()
        ],
        "repeated": len(gathered.repeats),
        "repeats": [_repeat(row, gathered) for row in gathered.found if row["id"] in gathered.repeats][-REPEATS_SHOWN:],
        "open": gathered.open_count,
        "open_major": _major(is_open),
        "overdue": sum(HIDDEN_HAZARDS.is_overdue(values, today.isoformat()) for values in is_open),
        "listed": _counted([values for values in is_open if is_listed(values)], "listing"),
        "is_whole": gathered.is_whole,
    }


# ------------------------------------------------------------------------------------------------------------ inside


def _rows(connection: Connection, trait: str, first: date, last: date) -> list[dict[str, Any]]:
    rows = traits.in_days(connection, trait, first, last, ROWS_MAX)
    return [{"accepted_on": "", **orjson.loads(row["body"]), "id": row["id"], "site_unit": row["unit"]} for row in rows]


def _major(rows: Iterable[Values | Mapping[str, Any]]) -> int:
    return sum(row.get("class") == "major" for row in rows)


def _counted(rows: Iterable[Values | Mapping[str, Any]], name: str) -> dict[str, int]:
    """Count by the choices of a field, in their order; what says nothing is counted as empty."""
    counts = Counter(str(row.get(name, "")) for row in rows)
    known = [choice.code for choice in HIDDEN_HAZARDS.field(name).choices]
    return {code: counts[code] for code in [*known, ""] if counts[code]}


def _place(row: Mapping[str, Any]) -> str:
    return str(row.get("dossier") or row.get("unit") or "")


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _repeat(row: Mapping[str, Any], gathered: Gathered) -> dict[str, Any]:
    one = gathered.repeats[row["id"]]
    before = gathered.before[one.before]
    return {
        "id": row["id"],
        "code": row["code"],
        "title": row["title"],
        "place": _place(row),
        "found_on": row["found_on"],
        "before": {"id": before.id, "code": before.code, "title": before.title},
        "days": one.days,
        "times": one.times,
    }
