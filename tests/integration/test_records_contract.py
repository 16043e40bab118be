"""Records on SQLite and on PostgreSQL: the same contract, on tables that the migrations made."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from alerting.register.ledgers import LEDGERS
from gateway.register import records
from gateway.register.records import By, NotDone
from gateway.store.engine import open_store, store_url

ENTERPRISES, UNITS = LEDGERS["enterprises"], LEDGERS["units"]
BY = By(who="li", time_ns=1_000, reason="first entry")
E1 = {"code": "E1", "name": "南通化工 Nantong Chemicals"}
U1 = {"code": "U1", "name": "液位计检修 tank", "type": "storage", "persons_outside": 3, "enterprise": "E1"}


def binaries() -> Path | None:
    """Find PostgreSQL's programs, as Debian installs them."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    beside = shutil.which("initdb")
    return found[-1].parent if found else Path(beside).parent if beside else None


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """A server of its own, on a free port of loopback, without durability: it lives for this file."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="fengsui-pg-"))
    run_as: list[str] = []
    if os.getuid() == 0:  # It refuses to run as root.
        shutil.chown(folder, "postgres", "postgres")
        run_as = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        port = door.getsockname()[1]
    data = folder / "data"
    made = [
        *run_as,
        str(programs / "initdb"),
        "-D",
        str(data),
        "-U",
        "fengsui",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
    ]
    subprocess.run([*made, "--locale=C.UTF-8"], cwd="/", check=True, capture_output=True)
    command = [
        *run_as,
        str(programs / "postgres"),
        "-D",
        str(data),
        "-p",
        str(port),
        "-h",
        "127.0.0.1",
        "-k",
        str(folder),
    ]
    server = subprocess.Popen(
        [*command, "-c", "fsync=off"], cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    ready, last = threading.Event(), [""]

    def listen() -> None:
        assert server.stderr is not None
        for line in server.stderr:
            last[0] = line
            if "ready to accept connections" in line:
                ready.set()

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        assert ready.wait(60), last[0]
        yield f"postgresql+psycopg://fengsui@127.0.0.1:{port}/postgres"
    finally:
        server.terminate()
        server.wait(20)
        listener.join(20)
        assert server.stderr is not None
        server.stderr.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    is_file = request.param == "sqlite"
    made = open_store(store_url(tmp_path) if is_file else request.getfixturevalue("postgresql"))
    yield made
    if not is_file:
        with made.begin() as connection:
            connection.exec_driver_sql("DROP SCHEMA public CASCADE")
            connection.exec_driver_sql("CREATE SCHEMA public")
    made.dispose()


def test_records_live_under_revisions(engine: Engine) -> None:
    with engine.begin() as connection:
        e1 = records.make(connection, ENTERPRISES, E1, BY)
        u1 = records.make(connection, UNITS, U1, BY)
        again = records.change(connection, UNITS, u1.id, {**U1, "persons_outside": 4}, 1, BY)
        assert again.revision == 2
        with pytest.raises(NotDone, match="changed it meanwhile"):
            records.change(connection, UNITS, u1.id, U1, 1, BY)
        with pytest.raises(NotDone, match="U1"):
            records.remove(connection, ENTERPRISES, e1.id, 1, BY)
        records.remove(connection, UNITS, u1.id, 2, BY)
        records.remove(connection, ENTERPRISES, e1.id, 1, BY)
        with pytest.raises(NotDone, match="no longer there"):
            records.restore(connection, UNITS, u1.id, 3, BY)
        records.restore(connection, ENTERPRISES, e1.id, 2, BY)
        back = records.restore(connection, UNITS, u1.id, 3, BY)
        assert (back.revision, back.values["persons_outside"]) == (4, 4)
        assert [one.what for one in records.revisions(connection, u1.id)] == ["restored", "removed", "changed", "made"]


def test_a_code_is_free_again_once_its_record_is_removed(engine: Engine) -> None:
    with engine.begin() as connection:
        first = records.make(connection, ENTERPRISES, E1, BY)
        with pytest.raises(NotDone, match="taken"):
            records.make(connection, ENTERPRISES, E1, BY)
        records.remove(connection, ENTERPRISES, first.id, 1, BY)
        records.make(connection, ENTERPRISES, E1, BY)
        with pytest.raises(NotDone, match="taken"):
            records.restore(connection, ENTERPRISES, first.id, 2, BY)


@pytest.mark.parametrize(
    ("question", "finds"),
    [
        ("南通", 1),
        ("通化", 1),
        ("化", 1),
        ("ntha", 0),
        ("nthg", 1),
        ("NANT", 1),
        ("e1", 1),
        ("液位", 0),
        ("nan chem", 1),
    ],
)
def test_search_finds_the_same(engine: Engine, question: str, finds: int) -> None:
    with engine.begin() as connection:
        records.make(connection, ENTERPRISES, E1, BY)
        records.make(connection, UNITS, U1, BY)

        assert len(records.look_for(connection, "enterprises", question, limit=10)) == finds
        assert len(records.look_for(connection, "units", "液位", limit=10)) == 1


def test_pages_follow_one_another_without_gap_or_repeat(engine: Engine) -> None:
    with engine.begin() as connection:
        records.put(connection, ENTERPRISES, [{"code": f"E{n:03}", "name": f"厂 {n}"} for n in range(25)], [], BY)
        seen: list[str] = []
        after = None
        while part := records.page(connection, "enterprises", limit=10, after=after):
            seen += [one.code for one in part]
            after = (part[-1].code, part[-1].seq)
        assert seen == [f"E{n:03}" for n in range(25)]
        found = [one.code for one in records.look_for(connection, "enterprises", "厂", limit=10)]
        assert found == [f"E{n:03}" for n in range(24, 14, -1)]
