"""Store: the one writer, and the readers, of the durable store.

Flow: outcome -> [one transaction] -> push, live feed
Why: write first, tell later. Journal, alarm state, delays, register, tasks and outbox commit together or not at all.
Never: blocks the event loop; two transactions at a time.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine

from edge.disk import Disk
from edge.model import Nature
from gateway.executor import Executor
from gateway.store.journal import HEAD_FILE, Journal, canonical

T = TypeVar("T")

HEAD_NS_BETWEEN = 1_000_000_000  # ``head.json`` is flushed at most once a second.


class Store:
    """Access to the store; ``write`` for transactions, ``read`` for queries."""

    def __init__(self, engine: Engine, key: Ed25519PrivateKey, disk: Disk, writer: Executor, reader: Executor) -> None:
        self.engine = engine
        self.journal = Journal(key)
        self._disk = disk
        self._writer = writer
        self._reader = reader
        self._head_ns = 0
        with engine.connect() as connection:
            self.journal.load(connection)

    async def write(self, function: Callable[[Connection], T]) -> T:
        """Run a function in a transaction of its own, in order of the calls; the journal is sealed with it."""
        return await self._writer.run(lambda: self.write_now(function))

    def write_now(self, function: Callable[[Connection], T]) -> T:
        """Do the same on this thread: at start, before the loop runs, and in the writer's thread."""
        try:
            with self.engine.begin() as connection:
                result = function(connection)
                self.journal.seal(connection)
        except BaseException:
            self.journal.rolled_back()
            raise
        if self.journal.committed():
            self._flush_head(force=False)
        return result

    async def read(self, function: Callable[[Connection], T]) -> T:
        """Run a query on a connection of its own."""

        def query() -> T:
            with self.engine.connect() as connection:
                return function(connection)

        return await self._reader.run(query)

    def audit(
        self,
        connection: Connection,
        nature: Nature,
        time_ns: int,
        who: str,
        action: str,
        **facts: Any,  # noqa: ANN401  # facts are JSON values
    ) -> None:
        """Write down who did what, inside the caller's transaction."""
        self.journal.append(connection, nature, time_ns, "audit", [canonical({"who": who, "action": action, **facts})])

    def close(self) -> None:
        """Flush the last head and stop the threads."""
        self._writer.close()
        self._reader.close()
        self._flush_head(force=True)
        self.engine.dispose()

    def _flush_head(self, *, force: bool) -> None:
        newest = max((h.time_ns for h in self.journal.heads.values()), default=0)
        if force or newest - self._head_ns >= HEAD_NS_BETWEEN:
            self._disk.replace(HEAD_FILE, self.journal.as_json())
            self._head_ns = newest
