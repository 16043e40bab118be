"""Pictures of records: which record has which, and what it shows. The files lie where all photos lie."""

from typing import Any, Final

from sqlalchemy import Connection, func, insert, select

from alerting.register.field import Words
from gateway.live import iso
from gateway.register.record import NotDone, Record
from gateway.store.schema import record_photo

PICTURES_MAX: Final = 12  # Of one record and what they show.


def add(
    connection: Connection, of: Record, shows: str, digest: str, kind: str, size: int, who: str, now_ns: int
) -> None:
    """Add a picture to a record. The same one twice is one.

    Raises:
        NotDone: The record is removed, or has as many as it may.
    """
    if of.is_removed:
        raise NotDone("removed", Words("This record is removed; restore it first.", "该记录已删除，请先恢复。"))
    mine = (record_photo.c.record == of.id) & (record_photo.c.shows == shows)
    if connection.execute(select(record_photo.c.seq).where(mine, record_photo.c.digest == digest)).first():
        return
    if connection.execute(select(func.count()).where(mine)).scalar_one() >= PICTURES_MAX:
        raise NotDone("full", Words(f"At most {PICTURES_MAX} pictures here.", f"此处最多 {PICTURES_MAX} 张照片。"))
    row = {"record": of.id, "shows": shows, "digest": digest, "type": kind, "size": size, "by": who, "time_ns": now_ns}
    connection.execute(insert(record_photo).values(row))


def of_record(connection: Connection, which: str) -> list[dict[str, Any]]:
    """Give the pictures of a record as an answer shows them, the oldest first."""
    rows = connection.execute(select(record_photo).where(record_photo.c.record == which).order_by(record_photo.c.seq))
    return [
        {
            "digest": row.digest,
            "shows": row.shows,
            "type": row.type,
            "size": row.size,
            "by": row.by,
            "time": iso(row.time_ns),
        }
        for row in rows
    ]


def kind_of(connection: Connection, digest: str) -> str | None:
    """Give the media type of a picture that some record has, or None."""
    query = select(record_photo.c.type).where(record_photo.c.digest == digest).limit(1)
    found: str | None = connection.scalar(query)
    return found
