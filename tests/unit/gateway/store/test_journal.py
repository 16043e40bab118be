"""The journal: a changed byte, a dropped row and a cut tail are found and named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, text, update

from edge.disk import MemoryDisk
from edge.model import Nature
from gateway.executor import InlineExecutor
from gateway.store.engine import open_store, store_url
from gateway.store.journal import HEAD_FILE, canonical, chain_hash, install_key
from gateway.store.schema import head, journal
from gateway.store.store import Store
from gateway.store.verify import verify

ROWS = 20


@pytest.fixture
def disk() -> MemoryDisk:
    return MemoryDisk()


@pytest.fixture
def engine(tmp_path: Path, disk: MemoryDisk) -> Iterator[Engine]:
    """A register with 20 rows in one chain and 3 in another."""
    made = open_store(store_url(tmp_path))
    store = Store(made, install_key(disk), disk, InlineExecutor(), InlineExecutor())
    for number in range(ROWS):
        body = canonical({"number": number, "text": "储罐 <b>"})
        store.write_now(lambda c, b=body, n=number: store.journal.append(c, Nature.ACTUAL, n, "system", [b]))
    store.write_now(lambda c: store.journal.append(c, Nature.TEST, 5, "system", ["{}", "{}", "{}"]))
    store.close()
    yield made
    made.dispose()


def findings(engine: Engine, disk: MemoryDisk) -> list[tuple[str, str, int]]:
    with engine.connect() as connection:
        return [(f.what, f.nature, f.number) for f in verify(connection, disk).findings]


def test_nothing_is_wrong_with_an_untouched_journal(engine: Engine, disk: MemoryDisk) -> None:
    with engine.connect() as connection:
        report = verify(connection, disk)

    assert report.findings == ()
    assert report.rows == {"actual": ROWS, "test": 3}


def test_one_changed_byte_is_found(engine: Engine, disk: MemoryDisk) -> None:
    with engine.begin() as connection:
        row = connection.execute(text("SELECT body FROM journal WHERE nature='actual' AND number=7")).scalar_one()
        changed = row.replace("6", "9", 1)
        where = (journal.c.nature == "actual") & (journal.c.number == 7)
        connection.execute(update(journal).where(where).values(body=changed))

    assert findings(engine, disk) == [("changed", "actual", 7)]


def test_one_changed_time_is_found(engine: Engine, disk: MemoryDisk) -> None:
    with engine.begin() as connection:
        where = (journal.c.nature == "actual") & (journal.c.number == 3)
        connection.execute(update(journal).where(where).values(time_ns=999))

    assert findings(engine, disk) == [("changed", "actual", 3)]


def test_one_dropped_row_is_found(engine: Engine, disk: MemoryDisk) -> None:
    with engine.begin() as connection:
        connection.execute(delete(journal).where(journal.c.nature == "actual", journal.c.number == 11))

    assert findings(engine, disk) == [("dropped", "actual", 11)]


def test_a_cut_tail_is_found(engine: Engine, disk: MemoryDisk) -> None:
    with engine.begin() as connection:
        connection.execute(delete(journal).where(journal.c.nature == "actual", journal.c.number > 15))

    assert ("truncated", "actual", 16) in findings(engine, disk)


def test_a_cut_tail_with_a_forged_head_is_found(engine: Engine, disk: MemoryDisk) -> None:
    """Who cuts the tail and puts the head back to what is left lacks the signature, and head.json remembers."""
    with engine.begin() as connection:
        connection.execute(delete(journal).where(journal.c.nature == "actual", journal.c.number > 15))
        last = connection.execute(text("SELECT hash FROM journal WHERE nature='actual' AND number=15")).scalar_one()
        connection.execute(update(head).where(head.c.nature == "actual").values(count=15, hash=last))

    found = findings(engine, disk)

    assert ("signature", "actual", 15) in found
    assert ("truncated", "actual", 16) in found


def test_a_rewritten_chain_is_found(engine: Engine, disk: MemoryDisk) -> None:
    """Who rewrites a row and every hash after it does not fit the signed heads."""
    with engine.begin() as connection:
        rows = list(connection.execute(text("SELECT * FROM journal WHERE nature='actual' ORDER BY number")))
        last = "0" * 64
        for row in rows:
            body = '{"number":"forged"}' if row.number == 4 else row.body
            last = chain_hash(last, row.nature, row.number, row.time_ns, row.kind, body)
            where = (journal.c.nature == "actual") & (journal.c.number == row.number)
            connection.execute(update(journal).where(where).values(body=body, hash=last))

    assert ("head", "actual", ROWS) in findings(engine, disk)


def test_a_lost_head_row_is_found(engine: Engine, disk: MemoryDisk) -> None:
    with engine.begin() as connection:
        connection.execute(delete(head).where(head.c.nature == "test"))

    assert ("head", "test", 3) in findings(engine, disk)


def test_a_transaction_that_fails_leaves_no_trace(tmp_path: Path, disk: MemoryDisk) -> None:
    made = open_store(store_url(tmp_path))
    store = Store(made, install_key(disk), disk, InlineExecutor(), InlineExecutor())

    def fail(connection: object) -> None:
        store.journal.append(connection, Nature.ACTUAL, 1, "system", ["{}"])  # type: ignore[arg-type]
        raise RuntimeError("disk full")

    with pytest.raises(RuntimeError):
        store.write_now(fail)
    store.write_now(lambda c: store.journal.append(c, Nature.ACTUAL, 2, "system", ["{}"]))
    store.close()

    assert findings(made, disk) == []
    assert disk.read(HEAD_FILE) is not None
    made.dispose()
