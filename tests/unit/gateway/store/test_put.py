"""Rows that are replaced by their key: what is new is inserted, what is known is replaced whole, the rest stays."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, create_engine, select
from sqlalchemy.dialects import postgresql

from gateway.store import schema
from gateway.store.commit import Mark, _upsert, known_marks, put_marks


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.begin() as found:
        yield found
    engine.dispose()


def mark(source: str, number: int, outages: str = "") -> Mark:
    return Mark(source=source, epoch=1, number=number, time_ns=10 * number, received_ns=11 * number, outages=outages)


def test_a_mark_replaces_its_own_source_s_and_no_other(connection: Connection) -> None:
    put_marks(connection, [mark("plc-1", 1, "{}"), mark("plc-2", 5)])
    put_marks(connection, [mark("plc-3", 7), mark("plc-1", 2)])

    assert known_marks(connection) == {"plc-1": mark("plc-1", 2), "plc-2": mark("plc-2", 5), "plc-3": mark("plc-3", 7)}
    assert len(connection.execute(select(schema.source_mark)).all()) == 3


def test_nothing_to_put_asks_the_store_nothing(connection: Connection) -> None:
    put_marks(connection, [])

    assert known_marks(connection) == {}


def test_postgresql_is_asked_the_same() -> None:
    made = _upsert("postgresql", schema.source_mark, "source", ("source", "number"))

    text = " ".join(str(made.compile(dialect=postgresql.dialect())).split())  # type: ignore[no-untyped-call]
    assert "ON CONFLICT (source) DO UPDATE SET number = excluded.number" in text
