"""Records on SQLite and on PostgreSQL: the same contract, on tables that the migrations made."""

import os
import shutil
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from alerting.model.stop import Stop, StopKind, StopState
from alerting.register.ledgers import LEDGERS
from edge.model import Nature
from gateway.register import exposure_sheet, reading, records, reporter
from gateway.register.campaigns import coverage, gather
from gateway.register.reading import Wanted
from gateway.register.record import By, NotDone
from gateway.register.reporter import Reporter
from gateway.store.engine import open_store, store_url
from gateway.store.schema import duty
from gateway.store.stops import open_stops, put_stops

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
        assert [one.what for one in reading.revisions(connection, u1.id)] == ["restored", "removed", "changed", "made"]


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

        assert len(reading.look_for(connection, "enterprises", question, limit=10)) == finds
        assert len(reading.look_for(connection, "units", "液位", limit=10)) == 1


def test_pages_follow_one_another_without_gap_or_repeat(engine: Engine) -> None:
    with engine.begin() as connection:
        records.put(connection, ENTERPRISES, [{"code": f"E{n:03}", "name": f"厂 {n}"} for n in range(25)], [], BY)
        seen: list[str] = []
        after = None
        while part := reading.page(connection, "enterprises", limit=10, after=after):
            seen += [one.code for one in part]
            after = (part[-1].code, part[-1].seq)
        assert seen == [f"E{n:03}" for n in range(25)]
        found = [one.code for one in reading.look_for(connection, "enterprises", "厂", limit=10)]
        assert found == [f"E{n:03}" for n in range(24, 14, -1)]


#: One record of each, in the order in which they name each other.
NAMED = {
    "grid_cells": {"code": "G-1", "name": "北区 north", "owner": "op"},
    "contacts": {"code": "CO-1", "name": "医院 hospital", "sort": "organisation", "role": "medical", "phone": "120-0"},
    "enterprises": {**E1, "contact": "CO-1"},
    "units": {**U1, "cell": "G-1"},
    "campaigns": {
        "code": "CA-1", "title": "季度 quarter", "span": "quarter", "state": "open", "from": "1970-01-01",
        "due": "1970-03-31",
    },
    "inspections": {"code": "I-1", "title": "巡查 patrol", "dossier": "U1", "state": "open"},
    "checks": {"code": "C-1", "inspection": "I-1", "on": "1970-01-01", "by": "op", "result": "normal"},
    "surroundings": {
        "code": "SU-1", "name": "新村 homes", "dossier": "U1", "sort": "homes", "side": "n", "distance_m": 90.0,
        "persons": 11, "counted_on": "2025-11-01", "contact": "CO-1",
    },
    "equipment": {
        "code": "EQ-1", "name": "缓冲罐 vessel", "sort": "vessel", "dossier": "U1", "state": "in_use",
        "inspected_until": "2026-02-01",
    },
    "documents": {
        "code": "D-1", "title": "使用登记证 registration", "sort": "certificate", "equipment": "EQ-1",
        "state": "in_force", "valid_until": "2026-03-01",
    },
    "tips": {
        "code": "T-1", "title": "夜间动火 welding at night", "sort": "violation", "way": "hotline", "state": "received",
        "received_on": "2025-12-30", "content": "rack 3", "due": "2026-02-28",
    },
    "exposure_points": {
        "code": "OP-1", "place": "氨机房 ammonia", "dossier": "U1", "sort": "chemical", "factor": "氨",
        "cas": "7664-41-7", "eu": "mg/m³", "posts": "op", "state": "in_use", "first_due": "2026-01-31", "every": 1,
        "cycle": "years", "next_due": "2026-01-31", "sign": False, "sign_due": "2026-03-02",
    },
    "exposure_samples": {
        "code": "S-1", "point": "OP-1", "on": "2026-01-15", "kind": "twa", "value": 21.0, "eu": "mg/m³", "factor": "氨",
        "institution": "lab", "report": "R-1", "verdict": "above",
    },
    "tickets": {
        "code": "W-1", "title": "管廊动火 weld", "kind": "space", "stage": "working", "place": "rack 3",
        "gas_at": "2026-01-01T07:50", "gas_ok": True,
    },
    "gas_tests": {"code": "G-1", "ticket": "W-1", "at": "2026-01-01T09:00", "gas_ok": False, "result": "failed"},
}  # fmt: skip


def test_ledgers_that_name_each_other_are_found_hold_each_other_and_feed_duties(engine: Engine) -> None:
    with engine.begin() as connection:
        made = {name: records.make(connection, LEDGERS[name], values, BY) for name, values in NAMED.items()}
        named = reading.referring(connection, "contacts", "CO-1", 10)
        assert {one.ledger for one in named} == {"enterprises", "surroundings"}
        for name in ("contacts", "equipment"):
            with pytest.raises(NotDone, match="Others refer"):
                records.remove(connection, LEDGERS[name], made[name].id, 1, BY)
        for name, question in (("equipment", "缓冲"), ("documents", "登记"), ("contacts", "医疗"), ("tips", "动火")):
            assert [one.id for one in reading.look_for(connection, name, question, limit=5)] == [made[name].id]
        found = connection.execute(select(duty.c.kind, duty.c.day).where(duty.c.state == "open"))
        kinds = {row.kind: row.day for row in found}
        assert kinds == {
            "campaigns.due": "1970-03-31",
            "exposure_points.next_due": "2027-01-15", "exposure_points.sign_due": "2026-03-02",
            "equipment.inspected_until": "2026-02-01", "documents.valid_until": "2026-03-01", "tips.due": "2026-02-28",
        }  # fmt: skip
        first, last = date(2026, 1, 1), date(2026, 12, 31)
        told = exposure_sheet.gather(connection, first, last)
        assert [(one.point, one.is_within) for one in told.samples] == [("OP-1", False)]
        assert [one.code for one in told.latest["OP-1"]] == ["S-1"]
        later = exposure_sheet.gather(connection, date(2027, 1, 1), date(2027, 12, 31))
        assert (later.samples, later.before) == ([], {"OP-1": "2026-01-15"})
        records.remove(connection, LEDGERS["exposure_samples"], made["exposure_samples"].id, 1, BY)
        (point,) = reading.page(connection, "exposure_points", limit=5)
        assert (point.values["next_due"], point.revision) == ("2026-01-31", 3), "no sample is left to count from"
        (round_,) = coverage(gather(connection, ZoneInfo("UTC")))["campaigns"]
        assert (round_["inspected"], round_["units"], round_["coverage_pct"]) == (1, 1, 100)
        working, medical = Wanted(states=["working"]), Wanted(states=["medical"])
        assert [one.code for one in reading.page(connection, "tickets", limit=5, wanted=working)] == ["W-1"]
        assert [one.code for one in reading.page(connection, "contacts", limit=5, wanted=medical)] == ["CO-1"]
        (ticket,) = reading.page(connection, "tickets", limit=5)
        assert (ticket.values["retest_by"], ticket.revision) == ("2026-01-01T09:00", 2), "it failed: at once"
        records.remove(connection, LEDGERS["gas_tests"], made["gas_tests"].id, 1, BY)
        (ticket,) = reading.page(connection, "tickets", limit=5)
        assert (ticket.values["retest_by"], ticket.revision) == ("2026-01-01T09:50", 3), "its own first one is left"
        records.change(connection, LEDGERS["tickets"], ticket.id, {**NAMED["tickets"], "stage": "closed"}, 3, BY)
        assert reading.page(connection, "tickets", limit=5, wanted=working) == []


def test_who_reported_goes_in_and_out_sealed(engine: Engine) -> None:
    key, who = b"k" * 32, Reporter(name="赵某", phone="13800000000", note="night shift")
    with engine.begin() as connection:
        tip = records.make(connection, LEDGERS["tips"], NAMED["tips"], BY)
        for _ in range(2):
            reporter.keep(connection, key, tip.id, who, 1)
        assert reporter.open_for(connection, key, tip.id) == who
        with pytest.raises(NotDone, match="another key"):
            reporter.open_for(connection, b"j" * 32, tip.id)
        reporter.forget(connection, tip.id)
        assert not reporter.is_kept(connection, tip.id)


def test_special_work_that_keeps_alarms_quiet_comes_back_as_it_was(engine: Engine) -> None:
    stop = Stop(
        id="0123456789ab", kind=StopKind.TICKET, nature=Nature.ACTUAL, unit="U-1", tags=("a", "b"), is_whole=True,
        covered=2, left=0, reason="补焊 weld", permit="HW-1", who="ticket:HW-1", confirmed_by="", declared_ns=1,
        begins_ns=1, ends_ns=9, state=StopState.RUNNING, began_ns=1, work="hot",
    )  # fmt: skip
    with engine.begin() as connection:
        put_stops(connection, [stop])
        assert open_stops(connection) == [stop]
