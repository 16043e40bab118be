"""Store: the one writer, and the readers, of the durable store.

Flow: outcome -> [one transaction] -> push, live feed
Why: write first, tell later. Journal, alarm state, delays, register, tasks and outbox commit together or not at all.
Never: blocks the event loop; two transactions at a time.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, Engine

from edge.disk import Disk
from edge.model import Nature
from gateway.executor import Executor
from gateway.store.changes import Changes
from gateway.store.journal import HEAD_FILE, Head, Journal, canonical, is_signed

T = TypeVar("T")

HEAD_NS_BETWEEN = 1_000_000_000  # ``head.json`` is flushed at most once a second.


class Store:
    """Access to the store; ``write`` for transactions, ``read`` for queries.

    Attributes:
        changes: Counts the transactions that wrote something others may wait for, and wakes these.
    """

    def __init__(self, engine: Engine, key: Ed25519PrivateKey, disk: Disk, writer: Executor, reader: Executor) -> None:
        self.engine = engine
        self.journal = Journal(key)
        self._disk = disk
        self._writer = writer
        self._reader = reader
        self._head_ns = 0
        self.head_error = ""
        self.changes = Changes()
        self._own: Connection | None = None  # that of all transactions, where the store tells by it of others
        self._version: int | None = None  # what the store told last
        with engine.connect() as connection:
            self.journal.load(connection)
        self._doubts = _doubts(self.journal.heads, key.public_key(), disk)

    async def write(self, function: Callable[[Connection], T], *, is_silent: bool = False) -> T:
        """Run a function in a transaction of its own, in order of the calls; the journal is sealed with it.

        Args:
            is_silent: Nobody waits for what it writes; it is no change.
        """
        return await self._writer.run(lambda: self.write_now(function, is_silent=is_silent))

    def write_now(self, function: Callable[[Connection], T], *, is_silent: bool = False) -> T:
        """Do the same on this thread: at start, before the loop runs, and in the writer's thread."""
        try:
            with self._begin() as connection:
                result = function(connection)
                for nature, time_ns, what in self._doubts:  # Before our signature stands below what we did not write.
                    body = canonical({"kind": "record_in_doubt", "what": what})
                    self.journal.append(connection, nature, time_ns, "system", [body])
                self.journal.seal(connection)
                if begun := self.journal.begins():
                    self._replace_head(self.journal.as_json(begun))
        except BaseException:
            self.journal.rolled_back()
            self._part()
            raise
        self._doubts = []
        if not is_silent:
            self.changes.tell()
        if self.journal.committed():
            self._flush_head(force=False)
        return result

    @contextlib.contextmanager
    def _begin(self) -> Iterator[Connection]:
        """Begin a transaction; on SQLite always on the same connection, which is cheaper and tells of others."""
        if self.engine.dialect.name != "sqlite":
            with self.engine.begin() as connection:
                yield connection
            return
        if self._own is None:
            self._own, self._version = self.engine.connect(), None
        with self._own.begin():
            yield self._own

    def _part(self) -> None:
        """Give the kept connection up: after a failure nobody knows how it stands."""
        own, self._own = self._own, None
        if own is not None:
            own.close()

    async def look_for_others(self) -> None:
        """Look whether another process wrote since the last look; where the store does not tell, take it that one did.

        SQLite's ``data_version`` stays for what its own connection commits and moves for what others do
        (https://www.sqlite.org/pragma.html#pragma_data_version).
        """
        if await self._writer.run(self._others_wrote):
            self.changes.tell()

    def _others_wrote(self) -> bool:
        if self._own is None:
            return True
        with self._own.begin():
            version: int | None = self._own.exec_driver_sql("PRAGMA data_version").scalar()
        before, self._version = self._version, version
        return version != before

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
        self._part()
        self.engine.dispose()

    def _flush_head(self, *, force: bool) -> None:
        newest = max((h.time_ns for h in self.journal.heads.values()), default=0)
        is_due = force or newest - self._head_ns >= HEAD_NS_BETWEEN
        if is_due and self._replace_head(self.journal.as_json()):
            self._head_ns = newest

    def _replace_head(self, content: bytes) -> bool:
        """Write ``head.json``; a full disk must not undo what is committed, so it waits for the next time."""
        try:
            self._disk.replace(HEAD_FILE, content)
        except OSError as failure:
            self.head_error = str(failure)
            return False
        self.head_error = ""
        return True


def _doubts(heads: dict[str, Head], key: Ed25519PublicKey, disk: Disk) -> list[tuple[Nature, int, str]]:
    """Tell which chains are not as this installation left them: to be journalled before they are signed anew."""
    raw = disk.read(HEAD_FILE)
    outside = {item["nature"]: item for item in orjson.loads(raw)["heads"]} if raw is not None else {}
    found = []
    for name, end in heads.items():
        told = outside.get(name)
        if not is_signed(end, key):
            found.append((Nature(name), end.time_ns, f"the head row at {end.count} is not signed by this installation"))
        elif told is None:
            found.append((Nature(name), end.time_ns, f"{HEAD_FILE} did not name this chain"))
        elif told["count"] > end.count or (told["count"] == end.count and told["hash"] != end.hash):
            found.append((Nature(name), end.time_ns, f"{HEAD_FILE} counted {told['count']} rows"))
    return found
