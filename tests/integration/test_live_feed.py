"""The live feed over a real server and real WebSockets: resume, sessions, a client that never reads."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from alerting.model.rule import RuleTable
from edge.clock_system import SystemClock
from edge.model import Tag, TagTable
from gateway.api import feed, make_app, serve
from gateway.api.server import listen
from gateway.api.small_house import SmallHouse
from gateway.auth import disable_user, make_link
from gateway.config import Site
from gateway.meter import Stage
from gateway.store.engine import open_store

pytestmark = pytest.mark.network

TAGS = 5_000


@dataclass(slots=True)
class Served:
    house: SmallHouse
    port: int
    cookie: str
    running: asyncio.Task[None]

    def open(self, path: str = "/api/v1/live", **headers: str) -> connect:
        asked = {"Cookie": f"fengsui_session={self.cookie}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return connect(f"ws://127.0.0.1:{self.port}{path}", additional_headers=asked, proxy=None, max_size=None)

    def publish(self, turn: int, rows: int = 1) -> None:
        now_ns = self.house.clock.wall_ns()
        columns = (
            np.arange(rows, dtype=np.int32),
            np.full(rows, float(turn)),
            np.zeros(rows, np.uint8),
            np.full(rows, now_ns),
        )
        self.house.picture.publish(turn, now_ns, values=columns)


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    engine = open_store(f"sqlite:///{tmp_path}/register.db")
    clock = SystemClock()
    tags = TagTable([Tag(name=f"T{n}", source="s") for n in range(TAGS)])
    site = Site(id="demo", title={}, timezone="UTC", sources=(), tags=tags, units=(), rules=RuleTable([], tags))
    house = SmallHouse(site=site, engine=engine, clock=clock)
    started: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        serve(make_app(house, dist=tmp_path / "dist"), "127.0.0.1", 0, listening=started.set_result)
    )
    port = await asyncio.wait_for(started, 10)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        await client.get(f"/login/{make_link(engine, 'li', 'viewer', clock)}")
        cookie = client.cookies["fengsui_session"]
    yield Served(house, port, cookie, running)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
    engine.dispose()


async def told(client: ClientConnection) -> dict[str, Any]:
    async with asyncio.timeout(5):
        message = await client.recv()
    assert isinstance(message, str)  # a text frame, so that a page can read it without decoding
    said: dict[str, Any] = json.loads(message)
    return said


async def test_a_page_gets_a_snapshot_then_deltas_and_resumes_where_it_was(served: Served) -> None:
    served.publish(1)
    async with served.open() as client:
        first = await told(client)
        served.publish(2)
        delta = await told(client)
    served.publish(3)
    async with served.open(f"/api/v1/live?since={delta['rev']}") as client:
        resumed = await told(client)

    assert (first["kind"], first["values"]["v"]) == ("snapshot", [1.0])
    assert (delta["kind"], delta["values"]["v"], delta["rev"]) == ("delta", [2.0], first["rev"] + 1)
    assert (resumed["kind"], resumed["values"]["v"]) == ("delta", [3.0])


@pytest.mark.parametrize("since", ["", "-1", "x", "1e9", "9" * 40, "１"])
async def test_an_odd_revision_is_no_revision(served: Served, since: str) -> None:
    async with served.open(f"/api/v1/live?since={since}") as client:
        assert (await told(client))["kind"] == "snapshot"


@pytest.mark.parametrize(
    "headers",
    [{"Cookie": ""}, {"Cookie": "fengsui_session=guess"}, {"Origin": "http://evil.example"}, {"Origin": "null"}],
)
async def test_strangers_and_pages_of_other_sites_are_turned_away(served: Served, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with served.open(**headers):
            pass

    assert refused.value.response.status_code == 403


async def test_the_page_itself_may(served: Served) -> None:
    async with served.open(Origin=f"http://127.0.0.1:{served.port}") as client:
        assert (await told(client))["kind"] == "snapshot"


async def test_no_compression_is_agreed_on_though_browsers_offer_it(served: Served) -> None:
    async with served.open() as client:
        assert client.response is not None
        assert "Sec-WebSocket-Extensions" not in client.response.headers


async def test_a_revoked_session_ends_its_feed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "RECHECK_S", 0.05)
    async with served.open() as client:
        await told(client)
        disable_user(served.house.engine, "li")
        with pytest.raises(ConnectionClosed) as closed:
            async with asyncio.timeout(5):
                await client.recv()

    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 4401


async def test_what_a_client_says_is_dropped_and_much_of_it_ends_the_connection(served: Served) -> None:
    async with served.open() as client:
        await told(client)
        await client.send('{"kind":"command"}')
        served.publish(1)
        assert (await told(client))["kind"] == "delta"
        await client.send("x" * 10_000)
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                await client.recv()


async def stuck(served: Served) -> socket.socket:
    """Open a feed by hand and never read it."""
    client = socket.create_connection(("127.0.0.1", served.port))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(
        (
            f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            f"Cookie: fengsui_session={served.cookie}\r\n\r\n"
        ).encode()
    )
    async with asyncio.timeout(5):
        while served.house.picture.clients == 0:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return client


async def test_a_client_that_never_reads_slows_nobody_and_is_let_go(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "STALL_S_MAX", 4.0)
    monkeypatch.setattr(feed, "CLOSE_S_MAX", 0.2)
    monkeypatch.setattr("gateway.live.BEAT_S", 0.02)
    served.publish(0, TAGS)
    loop = asyncio.get_running_loop()
    client = await stuck(served)
    picture = served.house.picture
    try:
        async with served.open() as good:
            await told(good)
            slowest = 0.0
            for turn in range(1, 120):
                began = loop.time()
                served.publish(turn, TAGS)
                assert (await told(good))["values"]["v"][0] == turn
                slowest = max(slowest, loop.time() - began)
            assert slowest < 3.0
            async with asyncio.timeout(10):
                while picture.clients > 1:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
    finally:
        client.close()

    assert served.house.meter.snapshot().stages[6].noted["stalled_client"] == 1
    assert served.house.meter.snapshot().stages[6].stage is Stage.FEED


async def test_a_taken_port_is_told_before_anything_starts(served: Served) -> None:
    with pytest.raises(OSError, match="in use"):
        listen("127.0.0.1", served.port)


async def test_the_server_gives_way_when_the_gateway_ends(served: Served) -> None:
    """Ending takes moments though a page is open."""
    loop = asyncio.get_running_loop()
    async with served.open() as client:
        await told(client)
        began = loop.time()
        served.running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await served.running
        assert loop.time() - began < 5
        with pytest.raises(ConnectionClosed):
            async with asyncio.timeout(5):
                await client.recv()
