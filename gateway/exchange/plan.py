"""Plan: what an authority has not been told of the register, as notices in the order in which they must arrive.

Flow: records, what was told -> [look] -> notices, what will have been told, what is held back and why
Why: compared with what was told, never with a time: a clock that goes back, a destination that is new, a record that
    was held back for a year and an interrupted look all come to the same rows.
Never: writes.
"""

import json
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, and_, func, not_, or_, select

from alerting.model.alarm import digest
from alerting.model.tier import Tier
from alerting.push import exchange
from alerting.push.envelope import Thread, wrap
from alerting.push.exchange import Facts
from alerting.push.notice import Notice
from alerting.register.field import Words
from alerting.register.ledgers import LEDGERS
from gateway.config import Destination, Site
from gateway.exchange.facts import Book
from gateway.register.record import Record, as_record
from gateway.store.schema import exchanged, outbox, record
from gateway.system import main_nature

PART: Final = 500
#: Rows of one look; what is left comes in the next.
ROWS_MAX: Final = 2_000
#: Notices of a destination that may wait; the rest stays where it is, in the register.
WAITING_MAX: Final = 2_000
#: Records that are named as held back.
HELD_MAX: Final = 200
KIND: Final = "record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A record that cannot be told, and why."""

    ledger: str
    id: str
    code: str
    title: str
    why: Words


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What there is to tell.

    Attributes:
        notices: In order.
        told: Rows of ``exchanged`` once the notices are in the outbox.
        chains: Chains of the notices: what of them is stuck is told anew.
        held: The first of those that are held back; ``held_count`` of all, by ledger.
        is_more: There is more than one look takes.
    """

    notices: Sequence[Notice]
    told: Sequence[dict[str, str | int]]
    chains: frozenset[str]
    held: Sequence[Held]
    held_count: dict[str, int]
    is_more: bool


def exchanging(site: Site) -> list[Destination]:
    """Give the destinations that take the register."""
    return [one for one in site.destinations if one.profile.exchange is not None]


def is_for(site: Site, destination: Destination) -> bool:
    """Tell whether the site's register is real: that of a demonstration or of a test plant is nobody's business."""
    return main_nature(site) in destination.natures


def look(connection: Connection, site: Site, destination: Destination, now_ns: int) -> Look:
    """Find what a destination has not been told."""
    options = destination.profile.exchange
    assert options is not None, destination.id
    book = Book(zone=ZoneInfo(site.timezone))
    found: list[tuple[Record, Facts]] = []
    held: list[Held] = []
    held_count: dict[str, int] = {}
    is_more = False
    for one in _untold(connection, destination.id, exchange.tables_of(options), book):
        why = book.why_held(one)
        if why is not None:
            held_count[one.ledger] = held_count.get(one.ledger, 0) + 1
            if len(held) < HELD_MAX:
                held.append(Held(ledger=one.ledger, id=one.id, code=one.code, title=one.title, why=why))
        elif len(found) >= ROWS_MAX:
            is_more = True
            break
        else:
            found.append((one, book.facts(one)))
    by_chain = _by_chain(destination.id, found)
    found += _aside(connection, destination.id, frozenset(by_chain), {one.id for one, _ in found}, book)
    by_chain = _by_chain(destination.id, found)
    notices: list[Notice] = []
    told: list[dict[str, str | int]] = []
    for chain, pairs in by_chain.items():
        for page in _pages(pairs, options.page):
            notice = _notice(site, destination, chain, page, book, now_ns)
            if notice is None:
                continue
            notices.append(notice)
            told += [
                {"destination": destination.id, "id": one.id, "ledger": one.ledger, "revision": one.revision,
                 "key": notice.key, "chain": chain}
                for one, _ in page
            ]  # fmt: skip
    return Look(
        notices=notices, told=told, chains=frozenset(by_chain), held=held, held_count=held_count, is_more=is_more
    )


def is_stuck(destination: str) -> ColumnElement[bool]:
    """Tell of a notice whether it will not arrive as it is: put aside, or waiting in a chain that was refused."""
    mine = and_(outbox.c.destination == destination, outbox.c.kind == KIND)
    refused = outbox.alias("refused")
    chains = select(refused.c.chain).where(
        refused.c.state == "waiting", refused.c.destination == destination, refused.c.kind == KIND,
        refused.c.refused_ns > 0,
    )  # fmt: skip
    behind = and_(outbox.c.state == "waiting", outbox.c.chain.in_(chains))
    return and_(mine, or_(outbox.c.state == "quarantined", behind))


def waiting(connection: Connection, destination: str) -> int:
    """Count the notices of the register that wait for a destination."""
    query = select(func.count()).where(
        outbox.c.state == "waiting", outbox.c.destination == destination, outbox.c.kind == KIND
    )
    return connection.scalar(query) or 0


def untold_counts(connection: Connection, destination: str, tables: Sequence[str]) -> dict[str, int]:
    """Count the records that are to be told, those held back among them, by ledger."""
    query = (
        select(record.c.ledger, func.count())
        .outerjoin(exchanged, _mine(destination))
        .where(record.c.ledger.in_(tables), _is_untold())
        .group_by(record.c.ledger)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


# ------------------------------------------------------------------------------------------------------------ inside


def _mine(destination: str) -> ColumnElement[bool]:
    return and_(exchanged.c.id == record.c.id, exchanged.c.destination == destination)


def _is_untold() -> ColumnElement[bool]:
    never = and_(exchanged.c.id.is_(None), not_(record.c.is_removed))
    return or_(never, exchanged.c.revision != record.c.revision)


def _untold(connection: Connection, destination: str, tables: Sequence[str], book: Book) -> Iterator[Record]:
    """Give the records that were not told as they are, parents before children."""
    for table in tables:
        after = 0
        while True:
            query = (
                select(record)
                .outerjoin(exchanged, _mine(destination))
                .where(record.c.ledger == table, record.c.seq > after, _is_untold())
                .order_by(record.c.seq)
                .limit(PART)
            )
            part = [as_record(row) for row in connection.execute(query)]
            book.load(connection, part)
            yield from part
            if len(part) < PART:
                break
            after = part[-1].seq


def _aside(
    connection: Connection, destination: str, chains: frozenset[str], known: set[str], book: Book
) -> list[tuple[Record, Facts]]:
    """Give what is stuck in chains that go on: what was wrong may be right now, and children waited behind it."""
    if not chains:
        return []
    query = (
        select(record)
        .join(exchanged, _mine(destination))
        .join(outbox, outbox.c.key == exchanged.c.key)
        .where(is_stuck(destination))
        .order_by(record.c.seq)
        .limit(ROWS_MAX)
    )
    rows = [as_record(row) for row in connection.execute(query)]
    part = [one for one in rows if one.id not in known]
    book.load(connection, part)
    found = [(one, book.facts(one)) for one in part if book.why_held(one) is None]
    return [(one, facts) for one, facts in found if chain_of(destination, facts) in chains]


def chain_of(destination: str, facts: Facts) -> str:
    """Name the chain of a record: that of its hazard unit, within which order is kept."""
    return digest("exchange", destination, facts.hazard)


def _by_chain(destination: str, found: Sequence[tuple[Record, Facts]]) -> dict[str, list[tuple[Record, Facts]]]:
    of = {facts.id: one for one, facts in found}
    by_chain: dict[str, list[tuple[Record, Facts]]] = {}
    for _, facts in exchange.order([(one.ledger, facts) for one, facts in found]):
        by_chain.setdefault(chain_of(destination, facts), []).append((of[facts.id], facts))
    return by_chain


def _pages(pairs: Sequence[tuple[Record, Facts]], size: int) -> Iterator[list[tuple[Record, Facts]]]:
    """Cut a chain into notices: rows of one table that are all there or all removed."""
    page: list[tuple[Record, Facts]] = []
    for pair in pairs:
        same = page and (page[0][0].ledger, page[0][0].is_removed) == (pair[0].ledger, pair[0].is_removed)
        if page and (not same or len(page) >= size):
            yield page
            page = []
        page.append(pair)
    if page:
        yield page


def _notice(
    site: Site, destination: Destination, chain: str, page: Sequence[tuple[Record, Facts]], book: Book, now_ns: int
) -> Notice | None:
    table = page[0][0].ledger
    title, n = LEDGERS[table].title, len(page)
    unit = book.hazard_unit(page[0][0])
    gone = page[0][0].is_removed
    key = uuid.uuid4().hex  # Told again, the same rows are another notice; the receiver knows them by their own ids.
    nature = main_nature(site)
    unit_id = "" if unit is None else unit.unit
    body = {
        "key": key,
        "chain": chain,
        "subject": "register",
        "action": "cancel" if gone else "update",
        "site": {"id": site.id, "title": dict(site.title)},
        "nature": nature.value,
        "unit": {"id": unit_id, "title": next((dict(one.title) for one in site.units if one.id == unit_id), {})},
        "tag": "",
        "text": {
            "en": f"{title.en}: {n}{', removed' if gone else ''}",
            "zh": f"{title.zh}：{n} 条{'（已删除）' if gone else ''}",
        },
        "table": table,
        "codes": [one.code for one, _ in page],
        "rows": [facts.as_json() for _, facts in page],
    }
    wire = wrap(destination.profile, body, Thread())
    if wire is None:
        return None
    return Notice(
        key=key, destination=destination.id, chain=chain, event="", nature=nature,
        action="cancel" if gone else "update", tier=Tier.NONE, is_late=False, created_ns=now_ns,
        body=json.dumps(body, ensure_ascii=False, allow_nan=False, sort_keys=True),
        wire=wire.text, reference=wire.reference, kind=KIND,
    )  # fmt: skip
