"""A look at the store is left out while all stands as it did, and never when something was written or is due."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text

from alerting.model.tier import Tier
from alerting.outcome import Outcome
from edge.disk import MemoryDisk
from edge.model import Nature
from gateway.executor import InlineExecutor
from gateway.flow import is_waited_for
from gateway.means import AGAIN_S, NS, Standstill
from gateway.store.engine import open_store, store_url
from gateway.store.store import Store


def test_all_stands_until_something_is_written_is_otherwise_or_is_due() -> None:
    still, now_ns = Standstill(), 1_000 * NS
    assert not still.holds(0, now_ns=now_ns), "nobody has looked"
    still.keep(3, ("list",), now_ns=now_ns)
    assert still.holds(3, ("list",), now_ns=now_ns + NS)
    assert not still.holds(4, ("list",), now_ns=now_ns + NS), "something was written"
    assert not still.holds(3, ("other",), now_ns=now_ns + NS)
    assert not still.holds(3, ("list",), now_ns=now_ns + round(AGAIN_S * NS)), "another process may have written"
    still.keep(3, now_ns=now_ns, due_ns=now_ns + 2 * NS)
    assert still.holds(3, now_ns=now_ns + NS)
    assert not still.holds(3, now_ns=now_ns + 2 * NS), "a moment has come"
    still.keep(None, now_ns=now_ns)
    assert not still.holds(None, now_ns=now_ns), "nobody counts"


async def test_what_was_written_counts_and_what_was_rolled_back_or_concerns_nobody_does_not(tmp_path: Path) -> None:
    engine = open_store(store_url(tmp_path))
    store = Store(engine, Ed25519PrivateKey.generate(), MemoryDisk(), InlineExecutor(), InlineExecutor())
    before = store.changes

    def fail(connection: Connection) -> None:
        connection.execute(text("SELECT 1 FROM nowhere"))

    await store.write(lambda _: None, is_silent=True)
    with pytest.raises(Exception, match="nowhere"):
        await store.write(fail)
    assert store.changes == before
    await store.write(lambda _: None)
    assert store.changes == before + 1
    store.close()


def test_only_a_tick_that_moved_nothing_but_its_own_delays_concerns_nobody() -> None:
    assert not is_waited_for(Outcome(number=1, now_ns=1, delays=[(Nature.ACTUAL, 3)]))
    assert is_waited_for(Outcome(number=1, now_ns=1, units={(Nature.ACTUAL, "U-1"): Tier.RED}))
    assert is_waited_for(Outcome(number=1, now_ns=1, remarks=[{"what": "clock_step"}]))
