"""Exposure in the store: which day each point was sampled last, and what was sampled in a period, without reading all.

Flow: samples that change -> [follow, in their transaction] -> rows by point and day, points that move on
Why: coverage and pass rates of any period stay on an index among 100,000 samples.
Never: judges a sample; the record says its verdict.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from alerting.register.exposure_rates import Sample
from alerting.register.field import Values
from alerting.register.ledgers.exposure import EXPOSURE_POINTS, EXPOSURE_SAMPLES, WITHIN, sampled
from gateway.register.reading import of_codes
from gateway.register.record import Record
from gateway.store.schema import exposure_sample as row

POINTS: Final = EXPOSURE_POINTS.id
CHUNK: Final = 500


def follow(connection: Connection, ledger: str, kept: Sequence[Record]) -> list[tuple[Record, Values]]:
    """Let the rows follow samples; gives the points that are to be sampled on another day, with their new values."""
    if ledger != EXPOSURE_SAMPLES.id or not kept:
        return []
    ids = [one.id for one in kept]
    touched = {str(one.values["point"]) for one in kept}
    for at in range(0, len(ids), CHUNK):
        touched |= set(connection.scalars(select(row.c.point).where(row.c.id.in_(ids[at : at + CHUNK]))))
    connection.execute(delete(row).where(row.c.id == bindparam("of")), [{"of": which} for which in ids])
    made = [
        {
            "id": one.id, "point": one.values["point"], "day": one.values["on"], "unit": one.unit,
            "factor": one.values["factor"], "is_within": one.values["verdict"] == WITHIN,
        }
        for one in kept if not one.is_removed
    ]  # fmt: skip
    if made:
        connection.execute(insert(row), made)
    return _moved(connection, sorted(touched))


def _moved(connection: Connection, points: Sequence[str]) -> list[tuple[Record, Values]]:
    found = of_codes(connection, POINTS, points)
    last = last_days(connection, found)
    fresh = ((one, sampled(one.values, last.get(code, ""))) for code, one in sorted(found.items()))
    return [(one, values) for one, values in fresh if values != one.values]


def last_days(connection: Connection, points: Iterable[str]) -> dict[str, str]:
    """Give the day of the last sample of these points, ISO 8601."""
    asked, found = list(points), dict[str, str]()
    for at in range(0, len(asked), CHUNK):
        query = (
            select(row.c.point, func.max(row.c.day).label("day"))
            .where(row.c.point.in_(asked[at : at + CHUNK]))
            .group_by(row.c.point)
        )
        found |= {one.point: one.day for one in connection.execute(query)}
    return found


def last_before(connection: Connection, first: str) -> dict[str, str]:
    """Give the day of the last sample of each point before a day, ISO 8601."""
    query = select(row.c.point, func.max(row.c.day).label("day")).where(row.c.day < first).group_by(row.c.point)
    return {one.point: one.day for one in connection.execute(query)}


def in_days(connection: Connection, first: str, last: str) -> list[Sample]:
    """Give the samples of some days, both included."""
    query = select(row.c.point, row.c.unit, row.c.factor, row.c.is_within).where(row.c.day.between(first, last))
    return [
        Sample(point=one.point, unit=one.unit, factor=one.factor, is_within=one.is_within)
        for one in connection.execute(query)
    ]


def latest(connection: Connection, points: Iterable[str]) -> dict[str, list[str]]:
    """Give the ids of the samples of each point's last day."""
    days = last_days(connection, points)
    found: dict[str, list[str]] = {}
    named = sorted(days)
    for at in range(0, len(named), CHUNK):
        last = (
            select(row.c.point.label("point"), func.max(row.c.day).label("day"))
            .where(row.c.point.in_(named[at : at + CHUNK]))
            .group_by(row.c.point)
            .subquery()
        )
        query = select(row.c.point, row.c.id).join(last, (row.c.point == last.c.point) & (row.c.day == last.c.day))
        for one in connection.execute(query):
            found.setdefault(one.point, []).append(one.id)
    return found
