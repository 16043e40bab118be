"""Troubles of the store: full and locked disks, forged records, the end in the middle of a commit, two gateways."""

import asyncio
import fcntl
import sqlite3
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import structlog
from sqlalchemy import Engine, create_engine, delete, insert, select, update

from alerting.model.command import Command, Verb
from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.clock_system import SystemClock
from edge.collect.door import Counters
from edge.disk import Disk, MemoryDisk, SystemDisk
from edge.model import Nature
from gateway import flow
from gateway.app import Gateway, Parts
from gateway.executor import InlineExecutor
from gateway.push import outbox
from gateway.serve import WRONG, serve_site
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from gateway.store.journal import GENESIS, HEAD_FILE, KEY_FILE, canonical, chain_hash, install_key
from gateway.store.store import Store
from gateway.store.verify import verify
from tests.scripted import live, small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, S
from tests.trouble import H0, TroubledExecutor, by_source, gateway_of, scan, table, what_happened

HOUR_NS = 3600 * S


# ------------------------------------------------------------------------------------------------------- full disks


class FullDisk(MemoryDisk):
    """A folder on a disk that fills up."""

    is_full = False

    def replace(self, name: str, content: bytes) -> None:
        """Refuse as the operating system does."""
        if self.is_full:
            raise OSError(28, "No space left on device")
        super().replace(name, content)


def test_a_full_disk_below_the_head_file_neither_ends_nor_undoes_anything(tmp_path: Path) -> None:
    """What is committed stays committed, judging goes on, and the failure is told."""
    clock, disk = ManualClock(START_NS), FullDisk()
    site = small_site(table(H0), SOURCE, tmp_path)
    gateway = small_gateway(site, clock, [scan(1, [1], [5.0]), scan(5, [5], [9.0])], disk=disk)

    async def main() -> None:
        async with gateway.running():
            disk.is_full = True
            await asyncio.sleep(10)
            assert gateway.road.store_error == ""
            assert "No space left" in gateway.store.head_error

    run_manual(main(), clock)
    assert what_happened(site)[0] == "raised"


def test_a_full_disk_below_a_recording_ends_the_recording_alone(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(table(H0), SOURCE, tmp_path)
    gateway = small_gateway(site, clock, [scan(1, [1], [5.0]), scan(5, [5], [9.0])], record=tmp_path / "recording")
    full = Path("/dev/full").open("wb")  # noqa: SIM115  # Closed by the recorder.
    recorder: Any = None

    async def main() -> None:
        nonlocal recorder
        async with gateway.running():
            recorder = gateway.road.recorder
            recorder._file.close()  # noqa: SLF001  # Only the kernel's full device fails as a full disk does.
            recorder._file = full  # noqa: SLF001
            await asyncio.sleep(10.0)

    run_manual(main(), clock)
    assert what_happened(site)[0] == "raised"
    assert "No space left" in recorder.error


def test_quiet_ticks_on_a_full_disk_do_not_use_up_the_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that cannot write for long ends the gateway only when as many *changes* wait as may wait."""
    monkeypatch.setattr(flow, "UNWRITTEN_MAX", 20)
    clock, disk = ManualClock(START_NS), TroubledExecutor()
    site = small_site(table(H0), SOURCE, tmp_path)
    gateway = gateway_of(site, clock, by_source([scan(t / 10, [t / 10], [5.0]) for t in range(1, 300)]), writer=disk)

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(5)
            disk.is_full = True
            await asyncio.sleep(20)
            assert gateway.road.store_error != ""
            disk.is_full = False
            await asyncio.sleep(2)
            assert gateway.road.store_error == ""

    run_manual(main(), clock)


def test_no_answer_before_its_commit(tmp_path: Path) -> None:
    """Nobody is told "done" of a command that the store has not kept, and that a restart would undo."""
    clock, disk = ManualClock(START_NS), TroubledExecutor()
    site = small_site(table(H0), SOURCE, tmp_path)
    gateway = gateway_of(site, clock, by_source([scan(1, [1], [9.0])]), writer=disk)

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(2)
            alarm = next(alarm for alarm in gateway.desk.alarms.values() if alarm.tag == "T.v")
            ask = Command(verb=Verb.SUPPRESS, alarm=alarm.id, who="lee", reason="repair", received_ns=clock.wall_ns())
            done = await gateway.command(replace(ask, until_ns=clock.wall_ns() + HOUR_NS))
            assert done.refused is None
            disk.is_full = True
            undo = replace(ask, verb=Verb.UNSUPPRESS, reason="", received_ns=clock.wall_ns())
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(gateway.command(undo), 10)

    run_manual(main(), clock)
    again = small_gateway(site, clock, [])
    found = [alarm.suppression.value for alarm in again.desk.alarms.values() if alarm.tag == "T.v"]
    again.engine.dispose()
    assert found == ["out_of_service"]


# ------------------------------------------------------------------------------------- slow stores, ends, neighbours


def test_the_end_in_the_middle_of_a_commit_keeps_what_came_after_it(tmp_path: Path) -> None:
    """A commit under way cannot be taken back: its tick ends, and the next one is carried before the road ends."""
    clock = ManualClock(START_NS)
    site = small_site(table(H0), SOURCE, tmp_path)
    items = by_source([scan(2, [2], [9.0]), scan(2.6, [2.6], [5.0])])
    live(gateway_of(site, clock, items, writer=TroubledExecutor(lag_s=1.0)), 2.8, clock)
    assert what_happened(site) == ["raised", "returned"]


class Feed:
    """A source on the machine's own clock, ten scans a second; ``rise`` lifts its value above the limit."""

    def __init__(self, _source: object, _tags: object, clock: Clock, epoch: int, deliver: Callable[..., Any]) -> None:
        self.clock, self.epoch, self.deliver = clock, epoch, deliver
        self.counters = Counters()
        self.value = 5.0

    async def run(self) -> None:
        """Deliver until cancelled."""
        number = 0
        while True:
            number += 1
            now_ns = self.clock.wall_ns()
            item = replace(scan(0, [0], [self.value]), times_ns=np.array([now_ns]), received_ns=now_ns)
            self.deliver(replace(item, epoch=self.epoch, number=number), None)
            await asyncio.sleep(0.1)


async def test_a_locked_register_does_not_stop_judging(tmp_path: Path) -> None:
    """While another process holds the register, an alarm is on the picture within two seconds all the same."""
    site = small_site(table(H0), SOURCE, tmp_path)
    gateway = Gateway(site, SystemClock(), Parts(make_collector=Feed, jitter_seed=1))
    async with gateway.running():
        await asyncio.sleep(0.3)
        feed: Any = gateway.collectors["plc"]
        with closing(sqlite3.connect(site.data / "register.db", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun = time.monotonic()
            await asyncio.sleep(0.3)  # The road is at its commit by now.
            feed.value = 9.0
            async with asyncio.timeout(2.0):
                while not any(alarm.tag == "T.v" for alarm in gateway.picture.alarms.values()):  # noqa: ASYNC110  # as a page looks
                    await asyncio.sleep(0.02)
            await asyncio.sleep(max(0.0, begun + 1.9 - time.monotonic()))
            assert gateway.road.store_error != ""
            other.execute("ROLLBACK")
    assert what_happened(site) == ["raised"]


@pytest.mark.timeout(20)  # A gateway that is not refused would serve for ever.
def test_a_second_gateway_on_one_data_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = small_site(table(H0), SOURCE, tmp_path, host="127.0.0.1", port=0)
    with ExitStack() as stack:
        stack.callback(structlog.reset_defaults)  # It logs to the captured stderr, which does not outlive this test.
        lock = stack.enter_context((tmp_path / "gateway.lock").open("wb"))
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # As the first gateway does.
        assert serve_site(site) == WRONG
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [f"Another gateway runs on {tmp_path}; give each its own folder with --data."]
    assert not (tmp_path / "register.db").exists()


# ----------------------------------------------------------------------------------------------------------- the push


def test_a_red_notice_overtakes_thousands_of_waiting_ones() -> None:
    """A long line of YELLOW notices in few chains does not keep a RED chain out of what is looked at first."""
    common = {"destination": "d", "event": "e", "nature": "actual", "action": "alert", "is_late": False, "body": "{}"}
    state = {"state": "waiting", "attempts": 0, "last_error": "", "delivered_ns": 0, "receipt": ""}

    def row(key: int, chain: str, tier: int) -> dict[str, Any]:
        return {**common, **state, "key": f"k{key}", "chain": chain, "tier": tier, "created_ns": 1, "next_ns": 0}

    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    with engine.begin() as connection:
        waiting = [row(n, f"c{n % 10}", 2) for n in range(2100)]
        connection.execute(insert(schema.outbox), [*waiting, row(9999, "red", 4)])
        look = outbox.look(connection, "d", 10, 600 * S)
    engine.dispose()
    assert look.due[0].parcel.chain == "red"


# ------------------------------------------------------------------------------------------------------------ forgery


def opened(data: Path, disk: Disk) -> Store:
    """Open the register as a gateway's start does."""
    return Store(open_store(store_url(data)), install_key(disk), disk, InlineExecutor(), InlineExecutor())


def written(store: Store, numbers: range) -> None:
    """Append a row of the journal for each number, each in a transaction of its own."""
    for n in numbers:
        store.write_now(
            lambda connection, n=n: store.journal.append(  # type: ignore[misc]
                connection, Nature.ACTUAL, n * 2 * S, "system", [canonical({"n": n})]
            )
        )


def forger(data: Path) -> Engine:
    """Somebody with the database but not the key."""
    return open_store(store_url(data))


def findings(engine: Engine, disk: Disk) -> list[str]:
    """What ``verify`` finds, by kind."""
    with engine.connect() as connection:
        return [finding.what for finding in verify(connection, disk).findings]


def test_a_restart_does_not_sign_a_forged_chain_as_its_own(tmp_path: Path) -> None:
    """A chain computed anew around a forged row is found, and still found after the gateway went on from it."""
    disk = MemoryDisk()
    store = opened(tmp_path, disk)
    written(store, range(20))
    store.close()
    engine = forger(tmp_path)
    assert findings(engine, disk) == []
    with engine.begin() as connection:
        last = GENESIS
        for row in connection.execute(select(schema.journal).order_by(schema.journal.c.number)).all():
            body = canonical({"n": "forged"}) if row.number == 7 else row.body
            last = chain_hash(last, row.nature, row.number, row.time_ns, row.kind, body)
            changed = update(schema.journal).where(schema.journal.c.number == row.number)
            connection.execute(changed.values(body=body, hash=last))
        connection.execute(update(schema.head).values(hash=last))
    assert findings(engine, disk) != []
    again = opened(tmp_path, disk)
    written(again, range(30, 31))
    again.close()
    assert findings(engine, disk) != []
    engine.dispose()


def test_a_journal_cut_back_to_an_older_signed_head_is_found(tmp_path: Path) -> None:
    """Also when the file outside the database, which knows better, was deleted."""
    disk = MemoryDisk()
    store = opened(tmp_path, disk)
    written(store, range(10))
    with store.engine.connect() as connection:
        older = dict(connection.execute(select(schema.head)).mappings().one())
    written(store, range(10, 20))
    store.close()
    engine = forger(tmp_path)
    with engine.begin() as connection:
        connection.execute(delete(schema.journal).where(schema.journal.c.number > 10))
        connection.execute(update(schema.head).values(**older))
    assert findings(engine, disk) != []
    del disk.files[HEAD_FILE]
    assert findings(engine, disk) != []
    engine.dispose()


def test_forged_event_and_alarm_tables_are_found(tmp_path: Path) -> None:
    """The journal is whole; what people look at is not what it says."""
    clock = ManualClock(START_NS)
    live(small_gateway(small_site(table(H0), SOURCE, tmp_path), clock, [scan(1, [1], [9.0])]), 5.0, clock)
    disk, engine = SystemDisk(tmp_path), forger(tmp_path)
    assert findings(engine, disk) == []
    with engine.begin() as connection:
        connection.execute(update(schema.event).values(tier=1, value=0.0, time_ns=1))
    assert set(findings(engine, disk)) == {"events"}
    with engine.begin() as connection:
        connection.execute(delete(schema.alarm))
    assert set(findings(engine, disk)) == {"events", "alarms"}
    engine.dispose()


def test_a_key_that_was_replaced_is_found(tmp_path: Path) -> None:
    """A new key below an old chain is told, not signed over."""
    disk = MemoryDisk()
    store = opened(tmp_path, disk)
    written(store, range(5))
    store.close()
    del disk.files[KEY_FILE]
    again = opened(tmp_path, disk)
    written(again, range(6, 7))
    again.close()
    engine = forger(tmp_path)
    assert findings(engine, disk) != []
    engine.dispose()
