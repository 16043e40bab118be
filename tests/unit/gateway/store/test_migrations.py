"""Migrations give the same tables as the schema says."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from gateway.store.engine import open_store, store_url
from gateway.store.schema import metadata


def test_migrated_tables_are_those_of_the_schema(tmp_path: Path) -> None:
    engine = open_store(store_url(tmp_path))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    engine.dispose()

    assert differences == []


def test_stores_can_be_opened_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda n: open_store(store_url(tmp_path / str(n % 4))), range(16)))
    for engine in engines:
        engine.dispose()


def test_the_store_is_durable_by_its_settings(tmp_path: Path) -> None:
    """WAL with synchronous FULL (2): a committed transaction survives kill -9 and power loss."""
    engine = open_store(store_url(tmp_path))
    with engine.connect() as connection:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar_one()
    engine.dispose()

    assert (mode, synchronous) == ("wal", 2)
