"""Records of check-outs in the store: begun, filled with points, signed; never changed after.

Why: one row a check-out. While it is open its end time stands in it, so that one that nobody ended is over by itself.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, Row, func, insert, select, update

from gateway.checkout.loop import Digests, Standing
from gateway.store.schema import checkout

POINTS_MAX: Final = 100
OPEN, PASSED, FAILED, ABANDONED, EXPIRED = "open", "passed", "failed", "abandoned", "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One check-out of one tag.

    Attributes:
        state: ``open``, ``passed``, ``failed``, ``abandoned``; ``expired`` where its time ran out before it was signed.
        alarms: Keys of the alarms that were taken out of service for it.
        points: What was injected and what was seen, as JSON values.
        ended_ns, ended_by: Of the signature; 0 and empty while it is open.
    """

    number: int
    tag: str
    state: str
    digests: Digests
    begun_ns: int
    begun_by: str
    until_ns: int
    reason: str
    alarms: tuple[str, ...] = ()
    points: tuple[Mapping[str, Any], ...] = ()
    ended_ns: int = 0
    ended_by: str = ""
    comment: str = ""

    def is_open(self, now_ns: int) -> bool:
        """Tell whether it goes on."""
        return self.state == OPEN and now_ns < self.until_ns

    def state_at(self, now_ns: int) -> str:
        """Give its state, with the end by time."""
        return EXPIRED if self.state == OPEN and now_ns >= self.until_ns else self.state


@dataclass(slots=True)
class OpenOnes:
    """The check-outs that go on, in memory: what the top line of the page counts.

    Attributes:
        until_ns: End of each by tag.
    """

    until_ns: dict[str, int] = field(default_factory=dict)

    def count(self, now_ns: int) -> int:
        """Count those whose time is not over."""
        return sum(now_ns < until for until in self.until_ns.values())

    def load(self, connection: Connection) -> None:
        """Take over what the store holds, at start."""
        rows = connection.execute(select(checkout.c.tag, checkout.c.until_ns).where(checkout.c.state == OPEN))
        self.until_ns = {row.tag: row.until_ns for row in rows}


def begin(connection: Connection, record: Record) -> int:
    """Write a new check-out down, after those of the tag whose time ran out; give its number."""
    connection.execute(
        update(checkout).where(checkout.c.tag == record.tag, checkout.c.state == OPEN).values(state=EXPIRED)
    )
    number = int(connection.execute(select(func.coalesce(func.max(checkout.c.number), 0))).scalar_one()) + 1
    connection.execute(
        insert(checkout).values(
            number=number,
            tag=record.tag,
            state=OPEN,
            signal=record.digests.signal,
            limits=record.digests.limits,
            begun_ns=record.begun_ns,
            begun_by=record.begun_by,
            until_ns=record.until_ns,
            reason=record.reason,
            alarms=json.dumps(record.alarms),
            points="[]",
            ended_ns=0,
            ended_by="",
            comment="",
        )
    )
    return number


def add_point(connection: Connection, number: int, point: Mapping[str, Any]) -> bool:
    """Add what was seen; false where it is full or no longer open."""
    row = connection.execute(
        select(checkout.c.points).where(checkout.c.number == number, checkout.c.state == OPEN)
    ).first()
    points = [] if row is None else json.loads(row.points)
    if row is None or len(points) >= POINTS_MAX:
        return False
    text = json.dumps([*points, dict(point)], ensure_ascii=False, allow_nan=False)
    connection.execute(update(checkout).where(checkout.c.number == number).values(points=text))
    return True


def end(connection: Connection, number: int, *, state: str, who: str, comment: str, now_ns: int) -> bool:
    """Sign or abandon it; false where that was done already."""
    done = connection.execute(
        update(checkout)
        .where(checkout.c.number == number, checkout.c.state == OPEN)
        .values(state=state, ended_by=who, ended_ns=now_ns, comment=comment)
    )
    return bool(done.rowcount)


def of_tag(connection: Connection, tag: str) -> list[Record]:
    """Give a tag's check-outs, the newest first."""
    rows = connection.execute(select(checkout).where(checkout.c.tag == tag).order_by(checkout.c.number.desc()))
    return [_record(row) for row in rows]


def newest(connection: Connection) -> dict[str, tuple[Record | None, Record | None]]:
    """Give each tag's last signed check-out, and its last one of any kind."""
    last = select(func.max(checkout.c.number)).group_by(checkout.c.tag)
    signed = last.where(checkout.c.state.in_((PASSED, FAILED)))
    found: dict[str, tuple[Record | None, Record | None]] = {}
    for row in connection.execute(select(checkout).where(checkout.c.number.in_(last))):
        found[row.tag] = (None, _record(row))
    for row in connection.execute(select(checkout).where(checkout.c.number.in_(signed))):
        found[row.tag] = (_record(row), found[row.tag][1])
    return found


def every(connection: Connection) -> list[Record]:
    """Give all check-outs, the newest first."""
    return [_record(row) for row in connection.execute(select(checkout).order_by(checkout.c.number.desc()))]


def stand(signed: Record | None, now: Digests) -> tuple[Standing, tuple[str, ...]]:
    """Say how a tag stands, and what changed since its check: ``signal``, ``limits``."""
    if signed is None:
        return Standing.UNCHECKED, ()
    if signed.state == FAILED:
        return Standing.FAILED, ()
    pairs: Iterable[tuple[str, str, str]] = (
        ("signal", signed.digests.signal, now.signal),
        ("limits", signed.digests.limits, now.limits),
    )
    changed: Sequence[str] = [name for name, was, is_now in pairs if was != is_now]
    return (Standing.CHANGED if changed else Standing.CHECKED), tuple(changed)


def _record(row: Row[Any]) -> Record:
    return Record(
        number=row.number,
        tag=row.tag,
        state=row.state,
        digests=Digests(signal=row.signal, limits=row.limits),
        begun_ns=row.begun_ns,
        begun_by=row.begun_by,
        until_ns=row.until_ns,
        reason=row.reason,
        alarms=tuple(json.loads(row.alarms)),
        points=tuple(json.loads(row.points)),
        ended_ns=row.ended_ns,
        ended_by=row.ended_by,
        comment=row.comment,
    )
