"""Counter: identifiers of 31 characters, one a message, allotted in the transaction that composes it.

``ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N``: area, institution, sub-unit and extension, entry time in Beijing time, and a
serial of one digit. Source: 突发事件预警信息取值规则, the annex to GB/T 35965.1 and GB/T 34283.
"""

from datetime import UTC, datetime, timedelta, timezone

from sqlalchemy import Connection, delete, insert, select

from gateway.store.schema import push_counter

BEIJING = timezone(timedelta(hours=8))  # It has had no summer time since 1991.
SERIALS = 10


def allot(connection: Connection, prefix: str, now_s: int) -> str:
    """Give the next identifier after a prefix of 14 digits.

    There are ten a second. In a flood the entry time runs ahead of the clock by as many seconds as it takes; it never
    goes back, and no identifier is given twice, also not after a restart or when the clock was set back.

    Args:
        now_s: When the message was composed, s since 1970-01-01 UTC.
    """
    table = push_counter
    last = connection.execute(select(table.c.last_s, table.c.last_serial).where(table.c.prefix == prefix)).first()
    at_s, serial = now_s, 0
    if last is not None and last.last_s >= now_s:
        is_full = last.last_serial + 1 >= SERIALS
        at_s, serial = (last.last_s + 1, 0) if is_full else (last.last_s, last.last_serial + 1)
    connection.execute(delete(table).where(table.c.prefix == prefix))
    connection.execute(insert(table).values(prefix=prefix, last_s=at_s, last_serial=serial))
    entry = datetime.fromtimestamp(at_s, UTC).astimezone(BEIJING)
    return f"{prefix}_{entry:%Y%m%d%H%M%S}_{serial}"
