"""The store's side of delivery: one row a source and hour, added to, never lost to a restart.

Why: what came is kept as counts and as a histogram of latency, because quantiles of hours cannot be added and
    histograms can. What was expected is kept with it: a tag that is removed must not make the past look better.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, delete, func, insert, select, tuple_

from gateway.delivery.books import BUCKETS, HOUR_NS, Hour
from gateway.store.schema import delivery

KEPT_DAYS: Final = 92
AT_ONCE: Final = 300  # Rows of one statement: SQLite takes 32,766 parameters.


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One source in one hour, as kept.

    Attributes:
        since_ns: From when on in the hour it was expected: its start, or when the source was first known.
        expected: Samples that were to come until the hour's end, or until it was last written.
    """

    source: str
    hour_ns: int
    since_ns: int
    expected: float
    came: Hour


def write(
    connection: Connection,
    taken: Mapping[tuple[str, int], Hour],
    rates: Mapping[str, float],
    now_ns: int,
    started_ns: int,
    closing: Collection[tuple[str, int]] = (),
) -> None:
    """Add what came to the rows of its hours.

    Args:
        rates: Samples that each source is to give in an hour.
        closing: Rows of hours that were running when last written; what was expected of them is settled now. What was
            expected of other hours that are over stays: back-fill changes what came, not what was due.
        started_ns: Since when the gateway runs; a source that was never known before is expected from then on.
    """
    known = set(connection.execute(select(delivery.c.source).distinct()).scalars())
    keys = list(taken)
    for at in range(0, len(keys), AT_ONCE):
        part = keys[at : at + AT_ONCE]
        chosen = tuple_(delivery.c.source, delivery.c.hour_ns).in_(part)
        rows = {(row.source, row.hour_ns): row for row in connection.execute(select(delivery).where(chosen))}
        if rows:
            connection.execute(delete(delivery).where(chosen))
        made = []
        for key in part:
            source, hour_ns = key
            row, came = rows.get(key), Hour()
            came.add(taken[key])
            is_new = source not in known and started_ns < hour_ns + HOUR_NS
            since_ns = max(hour_ns, started_ns) if is_new else hour_ns
            if row is not None:
                came.add(Hour(good=row.good, bad=row.bad, latency=_counts(row.latency)))
                since_ns = row.since_ns
            share = (min(now_ns, hour_ns + HOUR_NS) - since_ns) / HOUR_NS
            made.append(
                {
                    "source": source,
                    "hour_ns": hour_ns,
                    "since_ns": since_ns,
                    "expected": rates.get(source, 0.0) * max(0.0, share)
                    if row is None or hour_ns + HOUR_NS > now_ns or key in closing
                    else row.expected,
                    "good": came.good,
                    "bad": came.bad,
                    "latency": _text(came.latency),
                }
            )
        connection.execute(insert(delivery), made)


def last_hours(connection: Connection) -> set[tuple[str, int]]:
    """Give the last row of each source: a gateway that ended in that hour did not settle it."""
    last = select(delivery.c.source, func.max(delivery.c.hour_ns)).group_by(delivery.c.source)
    return {(row[0], int(row[1])) for row in connection.execute(last)}


def forget(connection: Connection, now_ns: int) -> None:
    """Leave out what is older than it is kept."""
    connection.execute(delete(delivery).where(delivery.c.hour_ns < now_ns - KEPT_DAYS * 24 * HOUR_NS))


def read(connection: Connection, from_ns: int, to_ns: int) -> tuple[list[Delivered], dict[str, int]]:
    """Give what came in a span of hours, and since which hour each source is known."""
    first = select(delivery.c.source, func.min(delivery.c.hour_ns)).group_by(delivery.c.source)
    since: dict[str, int] = {row[0]: int(row[1]) for row in connection.execute(first)}
    rows = connection.execute(
        select(delivery).where(delivery.c.hour_ns >= from_ns, delivery.c.hour_ns < to_ns).order_by(delivery.c.hour_ns)
    )
    found = [
        Delivered(
            source=row.source,
            hour_ns=row.hour_ns,
            since_ns=row.since_ns,
            expected=row.expected,
            came=Hour(good=row.good, bad=row.bad, latency=_counts(row.latency)),
        )
        for row in rows
    ]
    return found, since


def _text(latency: "np.ndarray[tuple[int], np.dtype[np.int64]]") -> str:
    """Write a histogram by its filled buckets."""
    return json.dumps({str(at): int(latency[at]) for at in np.flatnonzero(latency).tolist()}, separators=(",", ":"))


def _counts(text: str) -> "np.ndarray[tuple[int], np.dtype[np.int64]]":
    counts = np.zeros(BUCKETS, dtype=np.int64)
    for at, n in json.loads(text).items():
        counts[min(int(at), BUCKETS - 1)] += n
    return counts
