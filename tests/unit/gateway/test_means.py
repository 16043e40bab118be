"""A look at the store is left out while all stands as it did, and never when something was written or is due."""

import asyncio
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, text

from alerting.model.tier import Tier
from alerting.outcome import Outcome
from edge.clock_manual import ManualClock, run_manual
from edge.disk import MemoryDisk
from edge.model import Nature
from gateway.executor import InlineExecutor, ThreadExecutor
from gateway.flow import is_waited_for
from gateway.means import NS, Standstill
from gateway.store.changes import AGAIN_S, Changes
from gateway.store.engine import open_store, store_url
from gateway.store.store import Store


def opened(folder: Path) -> tuple[Engine, Store]:
    engine = open_store(store_url(folder))
    return engine, Store(engine, Ed25519PrivateKey.generate(), MemoryDisk(), InlineExecutor(), InlineExecutor())


def test_all_stands_until_something_is_written_is_otherwise_or_is_due() -> None:
    changes, now_ns = Changes(), 1_000 * NS
    still = Standstill(changes)
    assert not still.holds(now_ns=now_ns), "nobody has looked"
    still.keep(changes.count, ("list",), now_ns=now_ns)
    assert still.holds(("list",), now_ns=now_ns + NS)
    assert not still.holds(("other",), now_ns=now_ns + NS)
    assert not still.holds(("list",), now_ns=now_ns - NS), "the clock was set back"
    changes.tell()
    assert not still.holds(("list",), now_ns=now_ns + NS), "something was written"
    still.keep(changes.count, now_ns=now_ns, due_ns=now_ns + 2 * NS)
    assert still.holds(now_ns=now_ns + NS)
    assert not still.holds(now_ns=now_ns + 2 * NS), "a moment has come"
    uncounted = Standstill(Changes(is_counted=False))
    uncounted.keep(0, now_ns=now_ns)
    assert not uncounted.holds(now_ns=now_ns), "nobody counts"


def test_who_rests_is_woken_by_what_is_written_or_due_and_never_sleeps_for_long() -> None:
    clock, changes = ManualClock(), Changes()
    still = Standstill(changes)

    async def rested(after_s: float | None = None, due_s: float | None = None) -> float:
        now_ns = clock.wall_ns()
        still.keep(changes.count, now_ns=now_ns, due_ns=None if due_s is None else now_ns + round(due_s * NS))
        if after_s is not None:
            asyncio.get_running_loop().call_later(after_s, changes.tell)
        began_ns = clock.monotonic_ns()
        await still.rest(now_ns)
        return (clock.monotonic_ns() - began_ns) / NS

    async def main() -> None:
        assert await rested() == pytest.approx(AGAIN_S)
        assert await rested(after_s=3.0) == pytest.approx(3.0)
        assert await rested(due_s=2.5) == pytest.approx(2.5)
        still.keep(changes.count, now_ns=clock.wall_ns())
        changes.tell()  # Between the look and the rest.
        await asyncio.wait_for(still.rest(clock.wall_ns()), 0.1)

    run_manual(main(), clock)


async def test_what_another_thread_writes_wakes_who_rests() -> None:
    changes, thread = Changes(), ThreadExecutor("writer")
    waiting = asyncio.create_task(changes.wait(changes.count, 3_600.0))
    await asyncio.sleep(0)
    await thread.run(changes.tell)
    await asyncio.wait_for(waiting, 60)
    thread.close()


async def test_what_was_written_counts_and_what_was_rolled_back_or_concerns_nobody_does_not(tmp_path: Path) -> None:
    _, store = opened(tmp_path)
    before = store.changes.count

    def fail(connection: Connection) -> None:
        connection.execute(text("SELECT 1 FROM nowhere"))

    await store.write(lambda _: None, is_silent=True)
    with pytest.raises(Exception, match="nowhere"):
        await store.write(fail)
    assert store.changes.count == before
    await store.write(lambda _: None)
    assert store.changes.count == before + 1
    store.close()


async def test_what_another_process_wrote_is_found_and_what_this_one_did_is_not(tmp_path: Path) -> None:
    _, store = opened(tmp_path)
    insert = text("INSERT INTO event_run (record, code, noted_ns) VALUES (:name, '1', 0)")

    async def is_found() -> bool:
        before = store.changes.count
        await store.look_for_others()
        return store.changes.count != before

    await store.write(lambda c: c.execute(insert, {"name": "a"}), is_silent=True)
    await store.look_for_others()  # The first look cannot know.
    assert not await is_found()
    await store.write(lambda c: c.execute(insert, {"name": "b"}), is_silent=True)
    assert not await is_found(), "its own"
    other = sqlite3.connect(tmp_path / "register.db")
    with other:
        other.execute("INSERT INTO event_run (record, code, noted_ns) VALUES ('c', '1', 0)")
    other.close()
    assert await is_found()
    assert not await is_found()
    with pytest.raises(Exception, match="nowhere"):
        await store.write(lambda c: c.execute(text("SELECT 1 FROM nowhere")))
    assert await is_found(), "after a failure nobody knows"
    store.close()


def test_only_a_tick_that_moved_nothing_but_its_own_delays_concerns_nobody() -> None:
    assert not is_waited_for(Outcome(number=1, now_ns=1, delays=[(Nature.ACTUAL, 3)]))
    assert is_waited_for(Outcome(number=1, now_ns=1, units={(Nature.ACTUAL, "U-1"): Tier.RED}))
    assert is_waited_for(Outcome(number=1, now_ns=1, remarks=[{"what": "clock_step"}]))
