"""Incidents through the whole gateway: how soon after its event's commit one is shown, alone and in a flood.

Flow: plans by the register's doors -> units that rise, one by one, all at once, then higher -> incidents by their door
Why: the plan that opens by itself is worth what it takes to be seen; in a flood all units ask for theirs in one tick.
Never: writes the figures that it should have; prints what was measured, beside what was asked for.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from numpy.typing import NDArray

from alerting.model.event import What
from alerting.model.tier import Tier
from edge.clock import Clock
from edge.clock_system import SystemClock
from edge.config import Source
from edge.model import Link, TagTable
from gateway.api.app import make_app
from gateway.app import Gateway, Parts
from gateway.auth import make_link
from gateway.bench.alarms import BEYOND_H, BEYOND_HH, DRAIN_S, QUIET, Commits, Fed, Receiver, plant, spread
from gateway.bench.zones import time_it
from gateway.config import Site
from gateway.meter import Stage
from gateway.system import SOURCE

#: What is asked for: an incident is shown so soon after its event is committed, s.
OPENED_S: Final = 1.0
RELEASE_MS: Final = 100.0
FIFTY_MS: Final = 1_000.0
TAGS_EACH: Final = 20
PAGE: Final = 200
STEPS: Final = "\n".join(f"{n} | step {n} | leader | {5 * n} |{f' {n - 1}' if n > 1 else ''}" for n in range(1, 9))
AT: Final = "/api/v1/response/incidents"


def measure(units: int = 1_000, alone: int = 50) -> dict[str, Any]:
    """Let some units rise one after the other, all others at once, and then all of them higher.

    Args:
        units: Of the plant, 20 tags each.
        alone: How many rise one after the other.

    Returns:
        ``units, alone, plans``; ``alone_p50_s, alone_p99_s`` and ``flood_…`` from the commit of the event until the
        door shows the incident, 0 where a door was sooner than the road's own word of the commit, ``…_worst_s``;
        ``flood_from_tick_…`` from the clock reading of the tick, with judging and commit in it; ``rises`` to ORANGE
        and above by the events' door, ``opened``, ``noted`` in the timelines, ``tasks, tasks_expected``; ``twice``:
        units with more than one; ``balanced``; ``one_ms``, ``fifty_ms``: a release worked out in one weather and in
        fifty; ``ok``.
    """
    assert 0 < alone < units, "some alone, the others at once"
    with tempfile.TemporaryDirectory() as folder, Receiver().serving() as receiver:
        site = plant(units * TAGS_EACH, units, receiver.port, Path(folder))
        return _with_zones(asyncio.run(_run(site, alone)))


def _with_zones(result: dict[str, Any]) -> dict[str, Any]:
    """Add how long a consequence zone takes to work out, in one weather and in fifty."""
    taken = time_it()
    is_soon = taken["one_ms"] <= RELEASE_MS and taken["fifty_ms"] <= FIFTY_MS
    return {**result, **taken, "ok": result["ok"] and is_soon}


async def _run(site: Site, alone: int) -> dict[str, Any]:
    fed: list[Fed] = []

    def make(source: Source, tags: TagTable, _at: Clock, epoch: int, deliver: Callable[[Any, Any], bool | None]) -> Fed:
        one = Fed(source=source.id, rows=tags.rows_of_source(source.id), epoch=epoch, deliver=deliver)
        fed.append(one)
        return one

    gateway = Gateway(site, SystemClock(), Parts(make_collector=make))
    commits = Commits(gateway)
    values = np.full(len(site.tags), QUIET)
    refused = 0
    async with gateway.running(), _officer(gateway) as client:
        plans = await _enter_plans(client, site)
        first = [int(one.rows[0]) for one in fed]
        for one in fed:
            one.deliver(Link(source=one.source, is_up=True, received_ns=gateway.clock.wall_ns()), None)
        refused += await _feed(gateway, fed, values, 1.0)
        took_alone: list[float] = []
        for at in range(alone):
            values[first[at]] = BEYOND_H
            refused += not fed[at].feed(values, gateway.clock.wall_ns())
            (seen,) = await _shown(gateway, client, at, at + 1)
            took_alone.append(_since(commits, await _opened(client), seen))
        values[first[alone:]] = BEYOND_H
        flood, _ = await asyncio.gather(
            _shown(gateway, client, alone, len(fed)), _feed(gateway, fed[alone:], values, 0.0)
        )
        every = await _all(client, AT, "incidents", "before", lambda page: page[-1]["number"])
        opened_ns = {one["number"]: _ns(one["opened"]) for one in every}
        took_flood = [_since(commits, opened_ns[n], seen) for n, seen in enumerate(flood, start=alone + 1)]
        ticks = [(seen - opened_ns[n]) / 1e9 for n, seen in enumerate(flood, start=alone + 1)]
        values[first] = BEYOND_HH
        refused += await _feed(gateway, fed, values, 0.0)
        noted, tasks, rises = await _after(gateway, client, len(fed))
        balanced = all(gateway.meter.balance(stage) == 0 for stage in (Stage.INTAKE, Stage.EVALUATE))
    per_unit = Counter(one["unit"] for one in every)
    result: dict[str, Any] = {
        "units": len(fed), "alone": alone, "plans": plans, "refused": refused,
        **spread("alone", took_alone, "s", 1.0), "alone_worst_s": round(max(took_alone), 3),
        **spread("flood", took_flood, "s", 1.0), "flood_worst_s": round(max(took_flood), 3),
        **spread("flood_from_tick", ticks, "s", 1.0),
        "rises": rises, "opened": len(every), "noted": noted, "tasks": tasks,
        "tasks_expected": len(every) * len(STEPS.splitlines()), "twice": sum(n > 1 for n in per_unit.values()),
        "meters_balanced": balanced,
    }  # fmt: skip
    is_balanced = (
        balanced
        and rises == len(every) + noted
        and tasks == result["tasks_expected"]
        and len(every) == len(fed)
        and result["twice"] == refused == 0
    )
    is_soon = max(result["alone_worst_s"], result["flood_worst_s"]) <= OPENED_S
    return {**result, "balanced": is_balanced, "ok": is_balanced and is_soon}


@asynccontextmanager
async def _officer(gateway: Gateway) -> AsyncIterator[httpx.AsyncClient]:
    """Log a safety officer in by the doors."""
    transport = httpx.ASGITransport(make_app(gateway), client=("127.0.0.1", 5))
    async with httpx.AsyncClient(
        transport=transport, base_url="http://127.0.0.1:8080", headers={"X-Fengsui-Request": "1"}, timeout=DRAIN_S
    ) as client:
        await client.get(f"/login/{make_link(gateway.engine, 'bench', 'safety_officer', gateway.clock)}")
        yield client


async def _enter_plans(client: httpx.AsyncClient, site: Site) -> int:
    """Enter a plan for every unit of the plant, one for each of the first units, and one for a condition."""
    scopes: list[dict[str, str]] = [{}, {"condition": "HH", "tier": "RED"}]
    scopes += [{"unit": unit.id} for unit in site.units[:20]]
    for at, scope in enumerate(scopes):
        plan = {
            "code": f"EP-{at}", "name": f"plan {at}", "sort": "site", "accident": "26", "tier": "ORANGE", "grade": "3",
            "steps": STEPS, **scope,
        }  # fmt: skip
        answer = await client.post("/api/v1/register/ledgers/plans", json={"values": plan})
        answer.raise_for_status()
    return len(scopes)


async def _feed(gateway: Gateway, fed: Sequence[Fed], values: NDArray[np.float64], over_s: float) -> int:
    """Deliver a scan of every source within a time, s; give how many were not taken."""
    refused, loop = 0, asyncio.get_running_loop()
    began = loop.time()
    for place, one in enumerate(fed):
        refused += not one.feed(values, gateway.clock.wall_ns())
        await asyncio.sleep(max(0.0, began + over_s * (place + 1) / len(fed) - loop.time()))
    return refused


async def _shown(gateway: Gateway, client: httpx.AsyncClient, had: int, wanted: int) -> list[int]:
    """Ask the door until it shows so many incidents; give when each was seen first, ns."""
    seen: list[int] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + DRAIN_S
    while had + len(seen) < wanted and loop.time() < end:
        total = (await client.get(AT, params={"limit": 1})).json()["total"]
        seen += [gateway.clock.wall_ns()] * (total - had - len(seen))
        await asyncio.sleep(0.005)
    if had + len(seen) < wanted:
        raise TimeoutError(f"{had + len(seen)} of {wanted} incidents after {DRAIN_S:g} s")
    return seen


async def _opened(client: httpx.AsyncClient) -> int:
    """Give the time of the tick that opened the last incident, ns."""
    (last,) = (await client.get(AT, params={"limit": 1})).json()["incidents"]
    return _ns(last["opened"])


def _since(commits: Commits, tick_ns: int, seen_ns: int) -> float:
    """Give how long after the commit of its tick an incident was seen, s."""
    durable_ns = commits.after(tick_ns)
    return 0.0 if durable_ns is None else max(0, seen_ns - durable_ns) / 1e9


def _ns(said: str) -> int:
    """Read a time of the doors, to the millisecond: the beginning of it."""
    return int(np.datetime64(said.removesuffix("Z"), "ns").astype(np.int64))


async def _all(
    client: httpx.AsyncClient, at: str, name: str, by: str, after: Callable[[list[dict[str, Any]]], object]
) -> list[dict[str, Any]]:
    """Give all rows of a list, page by page."""
    found: list[dict[str, Any]] = []
    asked: dict[str, Any] = {"limit": PAGE}
    while True:
        page = (await client.get(at, params=asked)).json()[name]
        found += page
        if len(page) < PAGE:
            return found
        asked[by] = after(page)


async def _after(gateway: Gateway, client: httpx.AsyncClient, units: int) -> tuple[int, int, int]:
    """Wait until every unit rose higher; give lines of rises, tasks, and rises by the doors."""
    loop = asyncio.get_running_loop()
    end = loop.time() + DRAIN_S
    while loop.time() < end:
        told = (await client.get("/api/v1/units")).json()["units"]
        if sum(one["tier"] == Tier.RED.name for one in told) >= units:
            break
        await asyncio.sleep(0.2)
    noted = tasks = 0
    for number in range(1, units + 1):
        story = (await client.get(f"{AT}/{number}")).json()
        noted += sum(line["what"] == What.UNIT_RAISED.value for line in story["timeline"])
        tasks += len(story["tasks"])
    rises, cursor = 0, None
    while True:
        page = (
            await client.get("/api/v1/events", params={"limit": PAGE, **({"cursor": cursor} if cursor else {})})
        ).json()
        rises += sum(
            event["event"] == What.UNIT_RAISED.value
            and event["unit"] != SOURCE
            and Tier[event["tier"]] >= gateway.site.incident.from_tier
            for event in page["events"]
        )
        cursor = page["next"]
        if cursor is None:
            return noted, tasks, rises


def render(result: Mapping[str, Any]) -> str:
    """Give the figures as text, each beside what is asked for."""
    lines = (
        "{units:,} units, {plans} plans of 8 steps; {alone} units alone, the others at once, then all higher",
        "event committed to incident shown, alone: p50 {alone_p50_s} s, p99 {alone_p99_s} s, worst {alone_worst_s} s",
        "event committed to incident shown, flood: p50 {flood_p50_s} s, p99 {flood_p99_s} s, worst {flood_worst_s} s",
        "tick to incident shown, flood: p50 {flood_from_tick_p50_s} s, p99 {flood_from_tick_p99_s} s",
        "asked for: 1 s",
        "rises {rises:,} = opened {opened:,} + noted {noted:,}; tasks {tasks:,} of {tasks_expected:,}; twice: {twice}",
        "scans refused: {refused}",
        "a consequence zone: one weather {one_ms} ms (asked for: 100 ms), fifty {fifty_ms} ms (asked for: 1,000 ms)",
        "books balanced: {balanced}; met: {ok}",
    )
    return "\n".join(line.format(**result) for line in lines)
