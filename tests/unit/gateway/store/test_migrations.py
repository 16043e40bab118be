"""Migrations give the same tables as the schema says."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, text

from gateway.store.engine import MIGRATIONS, newest, open_store, store_url
from gateway.store.schema import metadata


def test_migrated_tables_are_those_of_the_schema(tmp_path: Path) -> None:
    engine = open_store(store_url(tmp_path))
    with engine.connect() as connection:
        # The tables of search are each database's own; tests/integration/test_register_api.py searches them.
        own = {"include_name": lambda name, kind, _: kind != "table" or not str(name).startswith("record_search")}
        differences = compare_metadata(MigrationContext.configure(connection, opts=own), metadata)
    engine.dispose()

    assert differences == []


def test_a_store_of_an_older_version_keeps_what_it_holds(tmp_path: Path) -> None:
    """Version 0002, before units' tiers, revisions, outages and timers inside expressions were kept."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(store_url(tmp_path))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0002")
        connection.execute(text("INSERT INTO source_mark VALUES ('plc', 3, 5, 100, 200)"))
        connection.execute(text("INSERT INTO delay VALUES ('T.v.H', 'actual', 0, 1, 90, 10)"))
    engine.dispose()
    engine = open_store(store_url(tmp_path))
    with engine.connect() as connection:
        marks = connection.execute(text("SELECT * FROM source_mark")).all()
        delays = connection.execute(text("SELECT * FROM delay")).all()
    engine.dispose()

    assert marks == [("plc", 3, 5, 100, 200, "")]
    assert delays == [("T.v.H", "actual", 0, 1, 90, 10, "", 0)]


def test_stores_can_be_opened_at_the_same_time(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        engines = list(pool.map(lambda n: open_store(store_url(tmp_path / str(n % 4))), range(16)))
    for engine in engines:
        engine.dispose()


def test_the_newest_version_is_the_one_that_migrating_ends_at(tmp_path: Path) -> None:
    """At most starts nothing has to be migrated, and what would do it is not loaded."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert newest() == ScriptDirectory.from_config(config).get_current_head()
    open_store(store_url(tmp_path)).dispose()
    lines = f"import sys; from gateway.store.engine import *; open_store(store_url(Path({str(tmp_path)!r})))"
    told = f"{lines}; print('alembic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True)
    assert done.stdout == "False\n"


def test_the_store_is_durable_by_its_settings(tmp_path: Path) -> None:
    """WAL with synchronous FULL (2): a committed transaction survives kill -9 and power loss."""
    engine = open_store(store_url(tmp_path))
    with engine.connect() as connection:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar_one()
    engine.dispose()

    assert (mode, synchronous) == ("wal", 2)


def test_every_further_store_of_a_process_is_as_the_first(tmp_path: Path) -> None:
    """The first is migrated, the others begin with its tables; what the first holds since then is its own."""
    told = []
    for name in ("first", "second"):
        engine = open_store(store_url(tmp_path / name))
        with engine.begin() as connection:
            version = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one()
            mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
            sound = connection.execute(text("PRAGMA integrity_check")).scalar_one()
            tables = connection.execute(text("SELECT type, name, sql FROM sqlite_master ORDER BY name")).all()
            kept = connection.execute(text("SELECT count(*) FROM source_mark")).scalar_one()
            connection.execute(text("INSERT INTO source_mark VALUES ('plc', 3, 5, 100, 200, '')"))
        engine.dispose()
        told.append((version, mode, sound, tables, kept))
        assert {path.name for path in (tmp_path / name).iterdir()} <= {
            "register.db",
            "register.db-wal",
            "register.db-shm",
        }

    assert told[0] == told[1]
    assert told[1][1:3] + told[1][4:] == ("wal", "ok", 0)
