"""Shown: how far each authority has the register, what is held back and why, and what would go next."""

from typing import Any, Final

import orjson
from sqlalchemy import Connection, func, select

from alerting.push import exchange
from alerting.register.ledgers import LEDGERS
from gateway.config import Destination, Site
from gateway.exchange.plan import Held, exchanging, is_for, look, untold_counts
from gateway.store.schema import exchanged, outbox, record

#: Notices that a dry run shows.
NOTICES_MAX: Final = 100


def overview(connection: Connection, site: Site, now_ns: int) -> list[dict[str, Any]]:
    """Give each destination that takes the register, table by table."""
    return [_destination(connection, site, one, now_ns) for one in exchanging(site)]


def _destination(connection: Connection, site: Site, one: Destination, now_ns: int) -> dict[str, Any]:
    options = one.profile.exchange
    assert options is not None, one.id
    tables = exchange.tables_of(options)
    found = look(connection, site, one, now_ns)
    counting = (
        select(record.c.ledger, func.count())
        .where(record.c.ledger.in_(tables), record.c.is_removed.is_(False))
        .group_by(record.c.ledger)
    )
    there: dict[str, int] = {row[0]: row[1] for row in connection.execute(counting)}
    states: dict[str, dict[str, int]] = {table: {} for table in tables}
    rows = connection.execute(
        select(exchanged.c.ledger, outbox.c.state, func.count())
        .outerjoin(outbox, outbox.c.key == exchanged.c.key)
        .where(exchanged.c.destination == one.id)
        .group_by(exchanged.c.ledger, outbox.c.state)
    )
    for row in rows:
        states.setdefault(row[0], {})[str(row[1])] = row[2]
    untold = untold_counts(connection, one.id, tables)
    return {
        "id": one.id,
        "profile": one.profile.id,
        "is_dry": options.is_dry,
        "is_real": is_for(site, one),
        "is_more": found.is_more,
        "tables": [
            {
                "ledger": table,
                "title": LEDGERS[table].title.both(),
                "path": exchange.path_of(options, table),
                "records": there.get(table, 0),
                "confirmed": states[table].get("delivered", 0),
                "handed": states[table].get("handed", 0),
                "waiting": states[table].get("waiting", 0),
                "quarantined": states[table].get("quarantined", 0),
                "held": found.held_count.get(table, 0),
                "untold": untold.get(table, 0) - found.held_count.get(table, 0),
            }
            for table in tables
        ],
        "held": [_held(each) for each in found.held],
    }


def _held(one: Held) -> dict[str, Any]:
    return {"ledger": one.ledger, "id": one.id, "code": one.code, "title": one.title, "why": one.why.both()}


def dry_run(connection: Connection, site: Site, destination: Destination, now_ns: int) -> dict[str, Any]:
    """Give what would go next, word for word, in order; sends and writes nothing."""
    found = look(connection, site, destination, now_ns)
    notices = []
    for notice in found.notices[:NOTICES_MAX]:
        body = orjson.loads(notice.body)
        notices.append(
            {
                "ledger": body["table"],
                "title": LEDGERS[body["table"]].title.both(),
                "path": notice.reference,
                "codes": body["codes"],
                "rows": orjson.loads(notice.wire),
            }
        )
    return {
        "destination": destination.id,
        "notices": notices,
        "count": len(found.notices),
        "rows": len(found.told),
        "is_more": found.is_more,
        "held": [_held(each) for each in found.held],
    }
