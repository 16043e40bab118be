"""Open the store: SQLite by default, PostgreSQL where the URL says so, migrated to this version's tables.

Why: WAL with synchronous FULL keeps every committed transaction through kill -9 and power loss. A process that begins
    many stores, as a suite of stories does, runs the migrations for the first and gives the others its empty tables.
"""

import os
import re
import threading
import zlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATING, _OPENING = threading.Lock(), threading.Lock()
_EMPTY: list[bytes] = []  # Tables of this version without a row, compressed; once a process has made them.
BUSY_MS = 1_000  # Somebody else may hold the file for a moment; judging goes on from memory after that.


def store_url(data: Path) -> str:
    """Give the URL of the embedded store in a data folder."""
    return f"sqlite:///{data / 'register.db'}"


def open_store(url: str) -> Engine:
    """Open the store and bring its tables to this version."""
    engine = create_engine(url)
    if engine.dialect.name != "sqlite":
        upgrade(engine)
        return engine
    event.listen(engine, "connect", _set_pragmas)
    file = None if engine.url.database in (None, "", ":memory:") else Path(str(engine.url.database))
    with _OPENING:
        if file is None or (file.exists() and file.stat().st_size):
            upgrade(engine)
        elif _EMPTY:
            _begin(file, zlib.decompress(_EMPTY[0]))
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            upgrade(engine)
            with engine.connect() as connection:
                driven: Any = connection.connection.driver_connection
                _EMPTY.append(zlib.compress(driven.serialize(), 1))
    return engine


def _begin(file: Path, tables: bytes) -> None:
    """Write a store that has only its tables: whole or not at all, as a migration is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    begun = file.with_name(f"{file.name}.begun")
    with begun.open("wb") as out:
        out.write(tables)
        out.flush()
        os.fsync(out.fileno())
    begun.replace(file)


def upgrade(engine: Engine) -> None:
    """Run the migrations that are missing; at most starts there are none, and what runs them is not even loaded."""
    with engine.connect() as connection:
        if _version(connection) == newest():
            return
    from alembic import command  # noqa: PLC0415 - takes 0.2 s
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with _MIGRATING, engine.begin() as connection:  # Alembic's environment is one per process.
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def newest() -> str:
    """Give the version that the newest migration makes: files are named in their order."""
    last = max((MIGRATIONS / "versions").glob("v[0-9]*.py"))
    found = re.search(r'^revision = "(\w+)"$', last.read_text("utf-8"), re.MULTILINE)
    assert found is not None, last
    return found[1]


def _version(connection: Connection) -> str | None:
    """Give the version that a store has; None where it is a new one."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    version: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return version


def _set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401  # the driver's own connection
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()
