"""Instruments of the site: which are overdue or bypassed, by the tag that each gives, and how many.

Flow: ledger of instruments, day -> [standing] -> notes by tag and counts -> units' and alarms' pages
"""

from collections import Counter
from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select

from alerting.register.instrument_notes import notes_of
from alerting.register.ledgers.instruments import BYPASSED, RETIRED
from gateway.register.record import Record, as_record
from gateway.store.schema import record

LEDGER: Final = "instruments"
#: Instruments with a note that are shown; a site with more has another trouble.
SHOWN_MAX: Final = 2_000


def standing(connection: Connection, today: str) -> dict[str, Any]:
    """Give the instruments that have something to say on a day, ISO 8601, and how many there are of each."""
    mine = and_(record.c.ledger == LEDGER, record.c.is_removed.is_(False))
    noted = or_(record.c.state == BYPASSED, and_(record.c.due != "", record.c.due < today))
    query = select(record).where(mine, noted, record.c.state != RETIRED).order_by(record.c.code).limit(SHOWN_MAX + 1)
    rows = [as_record(row) for row in connection.execute(query)]
    told = [_told(one, today) for one in rows[:SHOWN_MAX]]
    counts = Counter(note["what"] for one in told for note in one["notes"])
    all_of = connection.scalar(select(func.count()).where(mine, record.c.state != RETIRED)) or 0
    return {
        "count": all_of,
        "counts": {what: counts[what] for what in ("calibration", "proof", "bypass", "bypass_over")},
        "is_whole": len(rows) <= SHOWN_MAX,
        "instruments": told,
    }


def notes_for(connection: Connection, tag: str, today: str) -> list[dict[str, str]]:
    """Give what is to be said beside one tag's value."""
    found = standing(connection, today)["instruments"]
    return [note["said"] for one in found if tag and tag in (one["tag"], one["interlock_tag"]) for note in one["notes"]]


def _told(one: Record, today: str) -> dict[str, Any]:
    values = one.values
    return {
        "id": one.id,
        "code": one.code,
        "title": one.title,
        "unit": one.unit,
        "tag": values.get("tag", ""),
        "interlock_tag": values.get("interlock_tag", ""),
        "notes": [{"what": note.what, "day": note.day, "said": note.said.both()} for note in notes_of(values, today)],
    }
