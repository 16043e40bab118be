"""Campaigns: which hazard units were inspected in this round, which were not, and who owns their cells.

Flow: campaigns, dossiers, cells, checks of the round (store) -> [gather, coverage] -> page
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, select

from alerting.register.ledgers.campaigns import CAMPAIGNS, GRID_CELLS, span_of
from gateway.register.reading import Wanted, of_codes, page
from gateway.register.record import Record
from gateway.store.schema import record, record_reference

CAMPAIGNS_MAX: Final = 200
UNITS_MAX: Final = 5_000
CELLS_MAX: Final = 2_000
#: Units named that were not inspected; all are counted.
MISSING_SHOWN: Final = 100
NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the store says.

    Attributes:
        checked: Days, ISO 8601, on which each hazard unit was inspected, by its code.
    """

    campaigns: Sequence[Record]
    units: Sequence[Record]
    cells: Mapping[str, Record]
    checked: Mapping[str, Sequence[str]]
    is_whole: bool


def gather(connection: Connection, zone: ZoneInfo) -> Gathered:
    """Read open campaigns and what was inspected since the first of their rounds began."""
    campaigns = page(connection, CAMPAIGNS.id, limit=CAMPAIGNS_MAX, wanted=Wanted(states=["open"]))
    units = page(connection, "units", limit=UNITS_MAX)
    cells = page(connection, GRID_CELLS.id, limit=CELLS_MAX)
    since = min((_round(one)[0] for one in campaigns), default=None)
    return Gathered(
        campaigns=campaigns,
        units=[one for one in units if not one.values.get("closed_on")],
        cells={one.code: one for one in cells},
        checked={} if since is None else _checked(connection, since, zone),
        is_whole=len(units) < UNITS_MAX and len(campaigns) < CAMPAIGNS_MAX and len(cells) < CELLS_MAX,
    )


def _round(campaign: Record) -> tuple[date, date]:
    first, last = span_of(date.fromisoformat(campaign.values["due"]), campaign.values["span"])
    return max(first, date.fromisoformat(campaign.values["from"])), last


def _checked(connection: Connection, since: date, zone: ZoneInfo) -> dict[str, list[str]]:
    """Give the days of checks by hazard unit: a record is written on the day of its check or later."""
    since_ns = round(datetime(since.year, since.month, since.day, tzinfo=zone).timestamp()) * NS
    inspection, of_check, of_unit = record.alias(), record_reference.alias(), record_reference.alias()
    query = (
        select(of_unit.c.code, record.c.body)
        .join(of_check, (of_check.c.id == record.c.id) & (of_check.c.ledger == "inspections"))
        .join(
            inspection,
            (inspection.c.ledger == "inspections")
            & inspection.c.is_removed.is_(False)
            & (inspection.c.code == of_check.c.code),
        )
        .join(of_unit, (of_unit.c.id == inspection.c.id) & (of_unit.c.ledger == "units"))
        .where(record.c.ledger == "checks", record.c.is_removed.is_(False), record.c.time_ns >= since_ns)
    )
    found: dict[str, list[str]] = defaultdict(list)
    for code, body in connection.execute(query):
        values = orjson.loads(body)
        if values["result"] != "not_checked":
            found[code].append(values["on"])
    return found


def coverage(found: Gathered) -> dict[str, Any]:
    """Count each open campaign; what was not inspected stands by the owner of its cell."""
    return {"campaigns": [_told(one, found) for one in found.campaigns], "is_whole": found.is_whole}


def _told(campaign: Record, found: Gathered) -> dict[str, Any]:
    first, last = _round(campaign)
    cell = campaign.values.get("cell", "")
    meant = [one for one in found.units if not cell or one.values.get("cell") == cell]
    missing = [one for one in meant if not _is_checked(found.checked.get(one.code, ()), first, last)]
    done = len(meant) - len(missing)
    return {
        "id": campaign.id,
        "code": campaign.code,
        "title": campaign.title,
        "from": first.isoformat(),
        "until": last.isoformat(),
        "units": len(meant),
        "inspected": done,
        "coverage_pct": 100 * done / len(meant) if meant else None,
        "missing": [
            {
                "id": one.id, "code": one.code, "name": one.title, "cell": one.values.get("cell", ""),
                "owner": _owner(one, found),
            }
            for one in missing[:MISSING_SHOWN]
        ],
    }  # fmt: skip


def _is_checked(days: Sequence[str], first: date, last: date) -> bool:
    return any(first.isoformat() <= day <= last.isoformat() for day in days)


def _owner(unit: Record, found: Gathered) -> str:
    cell = found.cells.get(str(unit.values.get("cell", "")))
    return str(cell.values["owner"]) if cell else ""


def camera_of(connection: Connection, inspection: Record) -> str:
    """Give the address of the camera of a video patrol: its own, else that of its hazard unit; empty for none."""
    values = inspection.values
    if values.get("sort") != "video":
        return ""
    if values.get("stream"):
        return str(values["stream"])
    unit = of_codes(connection, "units", [str(values.get("dossier", ""))]).get(str(values.get("dossier", "")))
    return str(unit.values.get("stream", "")) if unit else ""
