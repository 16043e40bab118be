"""A flood of alarms through the whole gateway: are all registered, how soon the gravest are told, how fast they list.

Flow: plant of tags, sources that are fed -> gateway with all stages on -> register, outbox -> receiver; list API
Why: the day on which a thousand units ring at once is the day for which all of this is there.
Never: writes the figures that it should have; prints what was measured, beside what was asked for.
"""

import asyncio
import base64
import contextlib
import tempfile
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, select

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.clock import Clock
from edge.clock_system import SystemClock
from edge.collect.door import Counters
from edge.config import Source
from edge.model import Link, Nature, Scan, Tag, TagTable
from gateway.api.app import make_app
from gateway.app import Gateway, Parts
from gateway.auth import make_link
from gateway.config import Destination, Site
from gateway.meter import Stage
from gateway.store import schema

ORANGE_SHARE, RED_SHARE = 0.05, 0.01
#: Active alarms at which the list is asked for, as a share of the tags: 10,000 of 100,000.
LISTED_SHARE: Final = 0.10
QUIET, BEYOND_H, BEYOND_HH = 50.0, 85.0, 95.0
ANSWER_S: Final = 0.005
CONNECTIONS: Final = 8
ASKED: Final = 100
DRAIN_S: Final = 300.0
#: Of the signature; the receiver looks at none.
SECRET: Final = "whsec_" + base64.b64encode(bytes(24)).decode()
HTTP_OK: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
#: What is asked for: of the REDs of the last tenth from commit to receipt, and of the list, s.
TOLD_P99_S, LISTED_P99_S = 1.0, 0.2


@dataclass(slots=True)
class Fed:
    """A source that is told what to deliver.

    Attributes:
        number: Of its last scan.
    """

    source: str
    rows: NDArray[np.int32]
    epoch: int
    deliver: Callable[[Any, Any], bool | None]
    counters: Counters = field(default_factory=Counters)
    number: int = 0

    async def run(self) -> None:
        """Be there; it is fed from outside."""
        await asyncio.Event().wait()

    def feed(self, values: NDArray[np.float64], now_ns: int) -> bool:
        """Deliver one scan of all its tags; tell whether it was taken."""
        self.number += 1
        n = len(self.rows)
        scan = Scan(
            source=self.source,
            epoch=self.epoch,
            number=self.number,
            received_ns=now_ns,
            rows=self.rows,
            values=values[self.rows],
            quality=np.zeros(n, np.uint8),
            times_ns=np.full(n, now_ns, np.int64),
        )
        return self.deliver(scan, None) is not False


class Receiver:
    """An authority that answers 200 after 5 ms, on a thread of its own."""

    def __init__(self) -> None:
        self.taken = 0
        self.connections = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._ended = asyncio.Event()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
                await reader.readexactly(length)
                await asyncio.sleep(ANSWER_S)
                self.taken += 1
                writer.write(HTTP_OK)
                await writer.drain()
        writer.close()

    @contextlib.contextmanager
    def serving(self) -> Iterator["Receiver"]:
        """Answer while the body runs."""
        thread = threading.Thread(target=lambda: self._loop.run_until_complete(self._serve()), daemon=True)
        thread.start()
        self._ready.wait()
        try:
            yield self
        finally:
            self._loop.call_soon_threadsafe(self._ended.set)
            thread.join()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0.01))
            self._loop.close()


def plant(tags: int, units: int, port: int, data: Path) -> Site:
    """Make a site: each unit has a source of its own, each tag an H (ORANGE), an HH (RED), STALE and BAD."""
    each = -(-tags // units)
    names = [f"T-{row:07d}" for row in range(tags)]
    table = TagTable(
        [Tag(name=name, source=f"s{row // each}", unit=f"u{row // each}") for row, name in enumerate(names)]
    )
    rules = [
        Rule(id=f"{name}.{kind.name}", tag=name, kind=kind, setpoint=setpoint, tier=tier)
        for name in names
        for kind, setpoint, tier in (
            (Kind.H, 80.0, Tier.ORANGE),
            (Kind.HH, 90.0, Tier.RED),
            (Kind.STALE, 600.0, Tier.BLUE),
            (Kind.BAD, 30.0, Tier.BLUE),
        )
    ]
    authority = Destination(
        id="authority",
        url=f"http://127.0.0.1:{port}/notices",
        is_loopback_allowed=True,
        connections=CONNECTIONS,
        secret=SECRET,
        natures=(Nature.ACTUAL,),
    )
    return Site(
        id="bench",
        title={"en": "Bench", "zh": "测试"},
        timezone="UTC",
        sources=tuple(Source(id=f"s{at}", protocol="mqtt", silent_after_s=600.0) for at in range(units)),
        tags=table,
        units=tuple(HazardUnit(id=f"u{at}", kind="tank") for at in range(units)),
        rules=RuleTable(rules, table),
        destinations=(authority,),
        data=data,
    )


def measure(tags: int = 100_000, units: int = 1_000, seconds: int = 10) -> dict[str, Any]:
    """Let 5 % of the tags ring ORANGE and 1 % RED within some seconds, then 10 % in all; give what became of it.

    Returns:
        ``tags, units, seconds, registered, expected, refused, balanced``; ``told_p50_s, told_p99_s`` from the commit of
        a RED of the last tenth to the authority's receipt, ``told_from_tick_…`` from the clock reading of its tick,
        which has the judging and the commit in it; ``listed, list_p50_ms, list_p99_ms`` of the
        list API; ``ok``.
    """
    with tempfile.TemporaryDirectory() as folder, Receiver().serving() as receiver:
        site = plant(tags, units, receiver.port, Path(folder))
        return asyncio.run(_run(site, receiver, seconds))


async def _run(site: Site, receiver: Receiver, seconds: int) -> dict[str, Any]:
    fed: list[Fed] = []

    def make(source: Source, tags: TagTable, _at: Clock, epoch: int, deliver: Callable[[Any, Any], bool | None]) -> Fed:
        one = Fed(source=source.id, rows=tags.rows_of_source(source.id), epoch=epoch, deliver=deliver)
        fed.append(one)
        return one

    n = len(site.tags)
    gateway = Gateway(site, SystemClock(), Parts(make_collector=make))
    values = np.full(n, QUIET)
    order = np.random.default_rng(1).permutation(n)
    orange, red, more = np.split(
        order[: round(n * LISTED_SHARE)], [round(n * ORANGE_SHARE), round(n * (ORANGE_SHARE + RED_SHARE))]
    )
    refused = 0
    commits = Commits(gateway)
    async with gateway.running():
        for one in fed:
            one.deliver(Link(source=one.source, is_up=True, received_ns=gateway.clock.wall_ns()), None)
        refused += await _feed(gateway, fed, values)
        parts = [np.array_split(column, seconds) for column in (orange, red)]
        for second in range(seconds):
            values[parts[0][second]] = BEYOND_H
            values[parts[1][second]] = BEYOND_HH
            refused += await _feed(gateway, fed, values)
        last = [site.tags.names[int(row)] for row in np.array_split(red, 10)[-1]]
        registered = await _until(gateway, len(orange) + len(red))
        spans = await _told(gateway, last)
        values[more] = BEYOND_H
        refused += await _feed(gateway, fed, values)
        listed = await _until(gateway, len(orange) + len(red) + len(more))
        took = await _listed(gateway, site)
        balanced = all(gateway.meter.balance(stage) == 0 for stage in (Stage.INTAKE, Stage.EVALUATE))
    told = [(end_ns - began_ns) / 1e9 for began_ns, end_ns in spans]
    # What the authority confirmed was committed before it was sent.
    kept = [(end_ns - (commits.after(began_ns) or end_ns)) / 1e9 for began_ns, end_ns in spans]
    expected = {"ORANGE": len(orange), "RED": len(red)}
    result: dict[str, Any] = {
        "tags": n,
        "units": len(site.units),
        "seconds": seconds,
        "expected": expected,
        "registered": registered,
        "refused": refused,
        "balanced": balanced,
        "receipts": receiver.taken,
        "connections_opened": receiver.connections,
        "reds_of_last_tenth": len(last),
        "told": len(told),
        **spread("told", kept, "s", 1.0),
        **spread("told_from_tick", told, "s", 1.0),
        "listed": sum(listed.values()),
        **spread("list", took, "ms", 1e3),
    }
    is_all = registered == expected and refused == 0 and len(told) == len(last)
    is_soon = bool(told) and result["told_p99_s"] <= TOLD_P99_S and result["list_p99_ms"] <= LISTED_P99_S * 1e3
    return {**result, "ok": is_all and balanced and is_soon}


async def _feed(gateway: Gateway, fed: Sequence[Fed], values: NDArray[np.float64]) -> int:
    """Deliver a scan of every source over about a second; give how many were not taken."""
    refused, loop = 0, asyncio.get_running_loop()
    began = loop.time()
    for place, one in enumerate(fed):
        refused += not one.feed(values, gateway.clock.wall_ns())
        await asyncio.sleep(max(0.0, began + (place + 1) / len(fed) - loop.time()))
    return refused


async def _until(gateway: Gateway, count: int) -> dict[str, int]:
    """Wait until so many alarms are registered, or for long; give how many are, by tier."""
    alarm = schema.alarm.c
    query = select(alarm.tier, func.count()).where(alarm.state == "UNACK", alarm.unit != "fengsui").group_by(alarm.tier)
    loop = asyncio.get_running_loop()
    end = loop.time() + DRAIN_S
    while True:
        found = {Tier(row[0]).name: int(row[1]) for row in await gateway.read(lambda c: c.execute(query).all())}
        if sum(found.values()) >= count or loop.time() > end:
            return found
        await asyncio.sleep(0.2)


class Commits:
    """When the road's transactions were durable: it wakes the push right after each, and begins no tick meanwhile."""

    def __init__(self, gateway: Gateway) -> None:
        self._times_ns: list[int] = []
        wake, clock = gateway.road.wake_push, gateway.clock

        def durable() -> None:
            self._times_ns.append(clock.wall_ns())
            wake()

        gateway.road.wake_push = durable

    def after(self, time_ns: int) -> int | None:
        """Give the first commit at or after a time, ns; None as long as the road did not tell of one."""
        place = bisect_left(self._times_ns, time_ns)
        return self._times_ns[place] if place < len(self._times_ns) else None


async def _told(gateway: Gateway, tags: Sequence[str]) -> list[tuple[int, int]]:
    """Wait until the authority confirmed the RED alerts of some tags; give each one's tick and receipt, ns."""
    out, event = schema.outbox.c, schema.event.c
    query = (
        select(event.tag, event.received_ns, out.delivered_ns)
        .join(schema.event, event.id == out.event)
        .where(out.state == "delivered", event.tier == int(Tier.RED))
    )
    wanted, loop = set(tags), asyncio.get_running_loop()
    end = loop.time() + DRAIN_S
    while True:
        rows = await gateway.read(lambda c: c.execute(query).all())
        took = {row[0]: (int(row[1]), int(row[2])) for row in rows if row[0] in wanted}
        if len(took) == len(wanted) or loop.time() > end:
            return list(took.values())
        await asyncio.sleep(0.2)


async def _listed(gateway: Gateway, site: Site) -> list[float]:
    """Ask for the list of alarms in several ways; give how long each answer took, s."""
    clock = SystemClock()
    app = make_app(gateway)
    transport = httpx.ASGITransport(app, client=("127.0.0.1", 5))
    took: list[float] = []
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
        await client.get(f"/login/{make_link(gateway.engine, 'bench', 'viewer', clock)}")
        ways: list[Mapping[str, str]] = [{}, {"tier": "RED"}, {"unit": site.units[0].id}, {"state": "unacked"}]
        for at in range(ASKED):
            began_ns = clock.monotonic_ns()
            answer = await client.get("/api/v1/alarms", params=dict(ways[at % len(ways)]))
            took.append((clock.monotonic_ns() - began_ns) / 1e9)
            answer.raise_for_status()
    return took


def spread(name: str, took: Sequence[float], unit: str, scale: float) -> dict[str, float]:
    """Give median and 99th percentile under names."""
    column = np.array(took or [np.nan]) * scale
    return {f"{name}_p{p}_{unit}": round(float(np.percentile(column, p)), 3) for p in (50, 99)}


def render(result: Mapping[str, Any]) -> str:
    """Give the figures as text, each beside what is asked for."""
    lines = (
        "{tags:,} tags in {units:,} units, {seconds} s",
        "registered: {registered} of {expected}; scans refused: {refused}; books balanced: {balanced}",
        "REDs of the last tenth told: {told} of {reds_of_last_tenth}; connections opened: {connections_opened}",
        "from commit to receipt: p50 {told_p50_s} s, p99 {told_p99_s} s; asked for: 1 s",
        "from tick to receipt: p50 {told_from_tick_p50_s} s, p99 {told_from_tick_p99_s} s",
        "list API at {listed:,} active: p50 {list_p50_ms} ms, p99 {list_p99_ms} ms; asked for: 200 ms",
        "met: {ok}",
    )
    return "\n".join(line.format(**result) for line in lines)
