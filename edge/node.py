"""Node: an edge node as one process. Collectors, spool, uplink, and nothing else.

Flow: collectors -> [deliver] -> waiting room -> spool (common flush) -> acknowledge the source
      spool -> uplink -> gateway
Why: what a source was told "taken" for is on the medium first; collectors never wait for the medium or the gateway.
Never: judges a value, listens on a port.
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import numpy as np
import orjson
import structlog

from edge.changes import moved_rows, restarted
from edge.clock import Clock
from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge
from edge.collect.registry import Collectors
from edge.collecting import Collecting, MakeCollector
from edge.disk import SystemDisk
from edge.load.node import NodeSite
from edge.model import Link, Scan, TagTable
from edge.model.wire import SAMPLES_MAX
from edge.reload import BOX, Reload
from edge.spool import Spool
from edge.uplink import HttpPost, Post, Uplink
from edge.uplink_mqtt import MqttPost

T = TypeVar("T")

WAITING_MAX: Final = 20_000  # Items before the spool; at 1,000 scans a second 20 s of a medium that stands still.
GROUP_MAX: Final = 2_000  # Items of one flush.
RETRY_S: Final = 1.0  # After a medium that did not take a flush.
DRAIN_S: Final = 5.0  # What is left of a stop for sending; the rest waits in the spool.
STATUS_S: Final = 2.0
WRONG: Final = 2
EPOCH: Final = "epoch"
REASONS_MAX: Final = 32

log = structlog.get_logger("node")


class Run(Protocol):
    """Runs blocking functions one after the other, away from the event loop."""

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function and give what it returns or raises."""
        ...

    def close(self) -> None:
        """Wait for what runs and stop."""
        ...


class _Thread:
    """One thread."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="spool")

    async def run(self, function: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        self._pool.shutdown(wait=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeParts:
    """What a caller may hand in place of the real thing: seams for tests and simulations."""

    post: Post | None = None
    executor: Run | None = None
    make_collector: MakeCollector = field(default_factory=Collectors)
    jitter: Callable[[], float] | None = None
    sync: Callable[[int], None] = os.fsync


class Node:
    """One running edge node."""

    def __init__(self, site: NodeSite, clock: Clock, parts: NodeParts | None = None) -> None:
        parts = parts or NodeParts()
        self.site, self.clock = site, clock
        site.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._executor = parts.executor or _Thread()
        self.spool = Spool(site.data / "spool", site.tags, clock, site.spool, sync=parts.sync)
        self.epoch = begin_epoch(site.data, clock)
        self._own_post: HttpPost | MqttPost | None = None
        if parts.post is None:
            is_direct = site.uplink.broker is None
            self._own_post = HttpPost(site.uplink) if is_direct else MqttPost(site.uplink, self.epoch)
        post: Post | None = parts.post or self._own_post
        assert post is not None
        self.uplink = Uplink(
            self.spool,
            site.uplink,
            clock,
            run=self._executor.run,
            post=post,
            jitter=parts.jitter or np.random.default_rng().random,
            status=self._told,
        )
        self.refused: Counter[str] = Counter()  # items that did not reach the spool, by reason
        self.spool_error = ""
        self._waiting: deque[tuple[Scan | Link, Acknowledge | None] | TagTable] = (
            deque()
        )  # A table: rows of what follows.
        self._arrived = asyncio.Event()
        self._is_full = asyncio.Event()
        self._is_ending = False
        self._links: dict[str, Link] = {}
        self._scans: Counter[str] = Counter()
        self.collecting = Collecting(parts.make_collector, clock, self._deliver, lambda _: self.epoch)
        self.collecting.make(site.sources, site.tags)
        self.taken_over_ns = clock.wall_ns()
        self.reload_error = self.reload_code = ""

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Collect, keep and send while the body runs; then keep what was collected, send what goes, and close."""
        feeder = asyncio.create_task(self.collecting.run(), name="collectors")
        keeper = asyncio.create_task(self._keep(), name="spool")
        sender = asyncio.create_task(self.uplink.run(), name="uplink")
        body = asyncio.current_task()
        assert body is not None
        watch = asyncio.create_task(_first_failure([feeder, keeper, sender]), name="watch")
        watch.add_done_callback(lambda done: None if done.cancelled() else body.cancel())
        try:
            yield
        finally:
            failure = watch.exception() if watch.done() and not watch.cancelled() else None
            watch.cancel()
            await _end([feeder, sender])
            self._is_ending = True
            self._arrived.set()
            self._is_full.set()
            await asyncio.gather(keeper, return_exceptions=True)  # Not cancelled: a flush that runs is waited for.
            try:
                if failure is None:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(self.uplink.drain(), DRAIN_S)
                await self._executor.run(self.spool.close)
            except OSError as problem:
                log.exception("node.medium", error=str(problem))
            self._executor.close()
            if self._own_post is not None:
                await self._own_post.close()
            if failure is not None:
                raise failure

    # --------------------------------------------------------------------------------------------------------- change

    @property
    def names(self) -> int:
        """How many names of tags the spool has met."""
        return len(self.spool.tags)

    async def take_over(self, site: NodeSite) -> None:
        """Go by other sources and tags from now on: collectors of changed sources begin anew, the rest is not touched.

        What waits for the spool or lies in it keeps its names. A collector that begins anew counts in a new epoch, so
        that the gateway never takes its first scan for one that it has.

        Args:
            site: Alike in all but sources and tags.

        Raises:
            OSError: The medium does not take the new epoch; nothing was changed.
        """
        epoch = await self._executor.run(partial(begin_epoch, self.site.data, self.clock))
        old, self.site, self.epoch = self.site, site, epoch  # From here on nothing waits.
        again = restarted(old.sources, old.tags, site.sources, site.tags)
        self._waiting.append(site.tags)
        self._arrived.set()
        for name in [*self._links]:
            if name in again or name not in {source.id for source in site.sources}:
                del self._links[name]
        self.collecting.follow(site.sources, site.tags, moved_rows(old.tags, site.tags), again)
        self.taken_over_ns = self.clock.wall_ns()

    # ----------------------------------------------------------------------------------------------------------- keep

    def _deliver(self, item: Scan | Link, acknowledge: Acknowledge | None) -> bool:
        """Take an item from a collector, on the event loop; never blocks. What does not fit is counted, not taken.

        Returns:
            False where it is to be sent again: who acknowledges in order must then connect anew.
        """
        if isinstance(item, Link):
            self._links[item.source] = item
        else:
            self._scans[item.source] += 1
            if len(item) > SAMPLES_MAX:
                self.refused["too_large"] += 1
                if acknowledge is not None:  # It would come again for ever and hold back all that comes after it.
                    acknowledge()
                return True
        if len(self._waiting) >= WAITING_MAX:
            self.refused["overflow"] += 1  # Not acknowledged: a broker keeps it and sends it again.
            return False
        self._waiting.append((item, acknowledge))
        self._arrived.set()
        if len(self._waiting) >= self.site.spool.sync_scans:
            self._is_full.set()
        return True

    async def _keep(self) -> None:
        """Flush what waits, together, until the node ends."""
        while not self._is_ending:
            await self._arrived.wait()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_full.wait(), self.site.spool.sync_s)
            await self._flush()

    async def _flush(self) -> None:
        """Put what waits on the medium and acknowledge it, in order."""
        self._arrived.clear()
        self._is_full.clear()
        while self._waiting:
            table = self._waiting[0]
            if isinstance(table, TagTable):
                await self._executor.run(partial(self.spool.follow, table))
                self._waiting.popleft()
                continue
            items = self._next_group()
            try:
                await self._executor.run(partial(self.spool.append, [item for item, _ in items]))
            except OSError as failure:
                if not self.spool_error:
                    log.exception("spool.failed")
                self.spool_error = str(failure)
                if self._is_ending:
                    return
                await asyncio.sleep(RETRY_S)
                continue
            if self.spool_error:
                log.info("spool.recovered")
                self.spool_error = ""
            for _, acknowledge in items:
                self._waiting.popleft()
                if acknowledge is not None:
                    acknowledge()
            self.uplink.wake()

    def _next_group(self) -> list[tuple[Scan | Link, Acknowledge | None]]:
        """Give what one flush takes: the first that wait, up to where other rows begin."""
        group = []
        for waiting in islice(self._waiting, GROUP_MAX):
            if isinstance(waiting, TagTable):
                break
            group.append(waiting)
        return group

    # ---------------------------------------------------------------------------------------------------------- books

    def _told(self) -> dict[str, Any]:
        """Give what the gateway is told of this node with each request."""
        return {
            "node": self.site.uplink.node,
            "site": self.site.id,
            "revision": self.site.revision[:12],
            "epoch": self.epoch,
            "refused": dict(self.refused),
            "spool_error": self.spool_error[:200],
            "reload_error": self.reload_error[:200],
            "reload_code": self.reload_code,
            "sources": {
                name: {
                    "is_up": name in self._links and self._links[name].is_up,
                    "reason": self._links[name].reason[:200] if name in self._links else "not yet heard",
                    "refused": dict(collector.counters.refused.most_common(REASONS_MAX)),
                    "failures": dict(collector.counters.failures.most_common(REASONS_MAX)),
                    "crashes": collector.counters.crashes,
                }
                for name, collector in self.collecting.collectors.items()
            },
        }

    async def status(self) -> dict[str, Any]:
        """Give everything that there is to know, for a person or a supervisor."""
        state = await self._executor.run(lambda: self.spool.state)
        return {
            **self._told(),
            "now_ns": self.clock.wall_ns(),
            "taken_over_ns": self.taken_over_ns,
            "waiting_for_spool": len(self._waiting),
            "starts": dict(self.collecting.started),
            "scans": dict(self._scans),
            "spool": asdict(state),
            "uplink": asdict(self.uplink.state),
        }


def begin_epoch(data: Path, clock: Clock) -> int:
    """Begin a new count of scans, durably: higher than at every start before.

    The wall clock's seconds are its least value, so that a node whose folder was lost is not taken for an old one.
    """
    disk = SystemDisk(data)
    raw = disk.read(EPOCH) or b""
    before = int(raw) if raw.isdigit() and len(raw) < 18 else 0  # noqa: PLR2004 - fits 64 bits
    epoch = max(before + 1, clock.wall_ns() // 1_000_000_000)
    disk.replace(EPOCH, str(epoch).encode())
    return epoch


async def _first_failure(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Wait until a part fails, and pass its failure on: a broken invariant crashes loudly."""
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in done:
        if not task.cancelled():
            task.result()


async def _end(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


# -------------------------------------------------------------------------------------------------------------- process


def run_node(site: NodeSite, load: Callable[[], NodeSite], *, status: Path | None = None) -> int:
    """Run a node until SIGINT or SIGTERM; give the exit code. SIGHUP lets edited files take over.

    Args:
        load: Reads its files again.
        status: File that is replaced every two seconds with what there is to know, as JSON.
    """
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    with (site.data / BOX.lock).open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # It goes with this process, however that ends.
        except OSError:
            sys.stderr.write(f"Another edge node runs on {site.data}; give each its own folder with --data.\n")
            return WRONG
        (site.data / BOX.process).write_text(str(os.getpid()))
        asyncio.run(_run(site, load, status))
    return 0


async def _run(site: NodeSite, load: Callable[[], NodeSite], status: Path | None) -> None:
    stop, asked = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    loop.add_signal_handler(signal.SIGUSR1, asked.set)
    node = Node(site, SystemClock())
    reload = Reload(node, load)
    reloads: set[asyncio.Task[None]] = set()

    def begin_reload() -> None:
        task = asyncio.create_task(reload(), name="reload")
        reloads.add(task)
        task.add_done_callback(reloads.discard)

    async with node.running():
        loop.add_signal_handler(signal.SIGHUP, begin_reload)
        log.info("node.running", node=site.uplink.node, sources=len(site.sources), tags=len(site.tags))
        teller = asyncio.create_task(_tell(node, reload, status, asked), name="status")
        await stop.wait()
        loop.remove_signal_handler(signal.SIGHUP)
        await _end([teller, *reloads])
    log.info("node.ended", waiting=node.spool.waiting)


async def _tell(node: Node, reload: Reload, file: Path | None, asked: asyncio.Event) -> None:
    """Write the status: to standard output on SIGUSR1, into the file every two seconds."""

    async def status() -> bytes:
        return orjson.dumps({**await node.status(), "reload": asdict(reload.told)})

    while True:
        if file is not None:
            await asyncio.to_thread(_put, file, await status())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(STATUS_S):  # As in the uplink: wait_for may forget that it was cancelled.
                await asked.wait()
        if asked.is_set():
            asked.clear()
            sys.stdout.write((await status()).decode() + "\n")
            sys.stdout.flush()


def _put(file: Path, content: bytes) -> None:
    """Replace a small file; not flushed, for it is of this moment only."""
    beside = file.with_name(f"{file.name}.new")
    try:
        beside.write_bytes(content)
        beside.replace(file)
    except OSError as failure:
        log.warning("node.status_not_written", file=str(file), error=str(failure))
