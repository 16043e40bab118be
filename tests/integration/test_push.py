"""Push over real sockets: the webhook against the regulator's own server, and against servers that behave badly."""

import asyncio
import base64
import contextlib
import ipaddress
import json
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Engine, insert, select

from alerting.desk import Outcome
from alerting.model.alarm import digest
from alerting.model.event import Event, What
from alerting.model.rule import RuleTable
from alerting.model.tier import Tier
from edge.clock_system import SystemClock
from edge.disk import MemoryDisk
from edge.model import Nature, TagTable
from gateway.config import Destination, Site
from gateway.meter import Meter, Stage
from gateway.push.address import Address
from gateway.push.channel import Parcel, PushError
from gateway.push.compose import Composer, open_chains
from gateway.push.receipt import ANSWER_MAX
from gateway.push.webhook import Webhook
from gateway.push.worker import PushWorker
from gateway.store import schema
from gateway.store.engine import open_store
from gateway.store.journal import Journal, install_key
from simulators.regulator.ledger import Ledger
from simulators.regulator.mode import Mode
from simulators.regulator.server import Desk, RegulatorServer

pytestmark = pytest.mark.network

T = TypeVar("T")
KEY = b"k" * 32
SECRET = "whsec_" + base64.b64encode(KEY).decode()
PARCEL = Parcel(key=digest("n1"), chain="c", body='{"text":"【测试】液位"}'.encode())


class Regulator:
    """The regulator of the demonstration, in a thread."""

    def __init__(self, folder: Path) -> None:
        self.desk = Desk(KEY, "t" * 16, Ledger(folder / "ledger.jsonl"), SystemClock())
        self.server = RegulatorServer("127.0.0.1", 0, self.desk)
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/notices"

    def keys(self) -> list[str]:
        return [notice["key"] for notice in self.desk.listing()["notices"]]

    def end(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[Regulator]:
    one = Regulator(tmp_path)
    yield one
    one.end()


def to(url: str, **more: Any) -> Destination:  # noqa: ANN401 - any field
    told: dict[str, Any] = {
        "id": "district", "url": url, "secret": SECRET, "timeout_s": 1.0, "is_loopback_allowed": True,
        "natures": (Nature.TEST,),
    }  # fmt: skip
    return Destination(**(told | more))


@contextlib.asynccontextmanager
async def webhook(destination: Destination, **more: Any) -> AsyncIterator[Webhook]:  # noqa: ANN401
    one = Webhook(destination, SystemClock(), **more)
    try:
        yield one
    finally:
        await one.close()


async def failure(destination: Destination, **more: Any) -> PushError:  # noqa: ANN401
    async with webhook(destination, **more) as one:
        with pytest.raises(PushError) as failed:
            await one.send(PARCEL)
    return failed.value


# ------------------------------------------------------------------------------------------------------- the webhook


async def test_the_regulator_believes_the_signature_and_gives_a_receipt(regulator: Regulator) -> None:
    async with webhook(to(regulator.url)) as one:
        first = await one.send(PARCEL)
        again = await one.send(PARCEL)

    notices = regulator.desk.listing()["notices"]
    assert [(n["key"], n["times"], n["body"]) for n in notices] == [(PARCEL.key, 2, {"text": "【测试】液位"})]
    assert (first.status, first.id) == (200, notices[0]["receipt_id"]) == (again.status, again.id)


async def test_the_new_key_works_while_the_old_one_is_still_told(regulator: Regulator) -> None:
    other = "whsec_" + base64.b64encode(b"o" * 32).decode()
    async with webhook(to(regulator.url, secret=f"{other} {SECRET}")) as one:
        assert (await one.send(PARCEL)).status == 200
    error = await failure(to(regulator.url, secret=other))
    assert (error.retry, error.reason) == (True, "status_401")


@pytest.mark.parametrize(
    ("mode", "retry", "reason"),
    [
        (Mode(name="down"), True, "status_503"),
        (Mode(name="down", cuts=True), True, "connection"),
        (Mode(name="slow", delay_s=5.0), True, "timeout"),
        (Mode(name="picky", status=422), False, "status_422"),
        (Mode(name="picky", status=400), False, "status_400"),
        (Mode(name="picky", status=403), True, "status_403"),
        (Mode(name="picky", status=429), True, "status_429"),
    ],
)
async def test_a_bad_day_at_the_authority_is_an_error_that_says_whether_to_go_on(
    regulator: Regulator, mode: Mode, retry: bool, reason: str
) -> None:
    regulator.desk.mode = mode
    error = await failure(to(regulator.url, timeout_s=0.4))

    assert (error.retry, error.reason) == (retry, reason)


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@contextlib.asynccontextmanager
async def server(talk: Talk) -> AsyncIterator[int]:
    """A server that says whatever it likes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def says(*pieces: bytes, pause_s: float = 0.0, heard: list[bytes] | None = None) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.append(head)
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)

    return talk


async def test_a_redirect_is_not_followed(regulator: Regulator) -> None:
    answer = f"HTTP/1.1 307 Go\r\nLocation: {regulator.url}\r\nContent-Length: 0\r\n\r\n".encode()
    async with server(says(answer)) as port:
        error = await failure(to(f"http://127.0.0.1:{port}/x"))

    assert (error.retry, error.reason) == (True, "status_307")
    assert regulator.keys() == []


async def test_an_answer_that_drips_ends_at_the_time_out() -> None:
    drips = [b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", *[b"x"] * 100]
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with server(says(*drips, pause_s=0.1)) as port:
        error = await failure(to(f"http://127.0.0.1:{port}/x", timeout_s=0.5))

    assert error.reason == "timeout"
    assert loop.time() - began < 3.0


async def test_a_huge_answer_is_read_only_at_its_head() -> None:
    async with (
        server(says(b"HTTP/1.1 200 OK\r\n\r\n", b"y" * 5_000_000)) as port,
        webhook(to(f"http://127.0.0.1:{port}/x")) as one,
    ):
        receipt = await one.send(PARCEL)

    assert len(receipt.answer) == ANSWER_MAX


@pytest.mark.parametrize("answer", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"])
async def test_an_answer_cut_in_the_middle_is_no_receipt(answer: bytes) -> None:
    async with server(says(answer)) as port:
        error = await failure(to(f"http://127.0.0.1:{port}/x"))

    assert (error.retry, error.reason) == (True, "connection")


async def test_a_repeat_is_a_receipt() -> None:
    async with (
        server(says(b'HTTP/1.1 409 Conflict\r\nContent-Length: 10\r\n\r\n{"id":"7"}')) as port,
        webhook(to(f"http://127.0.0.1:{port}/x")) as one,
    ):
        receipt = await one.send(PARCEL)

    assert (receipt.is_repeat, receipt.id) == (True, "7")


async def test_the_destination_may_ask_for_patience() -> None:
    answer = b"HTTP/1.1 429 Slow\r\nRetry-After: 9999\r\nContent-Length: 0\r\n\r\n"
    async with server(says(answer)) as port:
        error = await failure(to(f"http://127.0.0.1:{port}/x"))

    assert error.after_s == 60.0


async def test_nobody_at_home_is_trouble(free_port: int) -> None:
    error = await failure(to(f"http://127.0.0.1:{free_port}/x"))

    assert (error.retry, error.reason) == (True, "connection")


async def test_the_connection_goes_to_the_address_that_was_judged_and_the_name_is_told() -> None:
    """DNS rebinding: the second answer would point elsewhere, but there is no second question."""
    asked: list[str] = []
    heard: list[bytes] = []

    async def resolve(host: str, _: int) -> list[Address]:
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1" if len(asked) == 1 else "169.254.169.254")]

    async with (
        server(says(b"HTTP/1.1 204 OK\r\n\r\n", heard=heard)) as port,
        webhook(to(f"http://authority.example:{port}/x?y=1"), resolve=resolve) as one,
    ):
        await one.send(PARCEL)

    assert asked == ["authority.example"]
    assert heard[0].startswith(b"POST /x?y=1 HTTP/1.1\r\n")
    assert f"host: authority.example:{port}\r\n".encode() in heard[0].lower()


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:127.0.0.1"], []])
async def test_an_address_that_must_not_be_is_never_connected_to(addresses: list[str]) -> None:
    async def resolve(_: str, __: int) -> list[Address]:
        return [ipaddress.ip_address(text) for text in addresses]

    error = await failure(to("https://authority.example/x", is_loopback_allowed=False), resolve=resolve)

    assert error.reason in ("address_refused", "dns")


@pytest.mark.parametrize(
    "broken",
    [
        {"url": "http://authority.example/x", "is_loopback_allowed": False},
        {"url": "ftp://authority.example/x"},
        {"url": "https://user:pass@authority.example/x"},
        {"url": "https:///x"},
        {"secret": ""},
    ],
)
def test_a_destination_that_cannot_be_used_is_refused_at_the_start(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - five sentences
        Webhook(to(broken.pop("url", "https://authority.example/x"), **broken), SystemClock())

    assert "pass@" not in str(refused.value)


# --------------------------------------------------------------------------------- from the event to the receipt


def make_site(url: str) -> Site:
    tags = TagTable([])
    return Site(
        id="demo", title={"en": "Demo"}, timezone="Asia/Shanghai", sources=(), tags=tags, units=(),
        rules=RuleTable([], tags), destinations=(to(url, timeout_s=0.5),),
    )  # fmt: skip


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_store(f"sqlite:///{tmp_path}/register.db")
    yield engine
    engine.dispose()


def event(what: What, tier: Tier, n: int, chain: str = "a") -> Event:
    return Event(
        id=digest("event", chain, n), what=what, time_ns=SystemClock().wall_ns(), received_ns=SystemClock().wall_ns(),
        nature=Nature.TEST, unit="U", alarm=digest(chain), alarm_key=digest("key", chain), tag="T", condition="HH",
        tier=tier, state="UNACK", value=1.0, setpoint=0.5,
    )  # fmt: skip


def tick(engine: Engine, composer: Composer, *events: Event, fails: bool = False) -> None:
    """Compose and commit as a tick does; or roll back."""
    with contextlib.suppress(ZeroDivisionError), engine.begin() as connection:
        rows = composer(connection, Outcome(number=1, now_ns=1, events=list(events)))
        if rows:
            connection.execute(insert(schema.outbox), rows)
        if fails:
            raise ZeroDivisionError


def test_chains_are_read_from_the_outbox_so_a_tick_rolled_back_leaves_no_trace(engine: Engine) -> None:
    composer = Composer(make_site("http://127.0.0.1:9/"), Journal(install_key(MemoryDisk())))
    tick(engine, composer, event(What.RAISED, Tier.RED, 1), fails=True)
    tick(engine, composer, event(What.CLEARED, Tier.NONE, 2))
    tick(engine, composer, event(What.RAISED, Tier.RED, 3), event(What.LOWERED, Tier.BLUE, 4))
    with engine.connect() as connection:
        assert open_chains(connection, [digest("a")]).told == {(digest("a"), "district"): 2}
    tick(engine, composer, event(What.CLEARED, Tier.NONE, 5))

    with engine.connect() as connection:
        rows = connection.execute(select(schema.outbox).order_by(schema.outbox.c.seq)).all()
        assert open_chains(connection, [digest("a")]).told == {}
    assert [row.action for row in rows] == ["alert", "update", "cancel"]
    assert [json.loads(row.body)["sequence"] for row in rows] == [1, 2, 3]


async def test_nothing_is_lost_while_the_authority_is_away_and_each_key_counts_once(
    engine: Engine, regulator: Regulator
) -> None:
    site, meter = make_site(regulator.url), Meter()
    composer = Composer(site, Journal(install_key(MemoryDisk())))
    lock = asyncio.Lock()

    async def read(function: Callable[[Connection], T], /) -> T:
        with engine.connect() as connection:
            return function(connection)

    async def write(function: Callable[[Connection], T], /) -> T:
        async with lock:
            with engine.begin() as connection:
                return function(connection)

    worker = PushWorker(site=site, clock=SystemClock(), meter=meter, read=read, write=write, seed=1)
    working = asyncio.create_task(worker.run())
    try:
        for n in range(12):
            regulator.desk.mode = [Mode(), Mode(name="down", cuts=True), Mode(name="down"), Mode()][n % 4]
            tick(
                engine,
                composer,
                event(What.RAISED, Tier.ORANGE, 1, f"c{n}"),
                event(What.ESCALATED, Tier.RED, 2, f"c{n}"),
            )
            worker.wake()
            await asyncio.sleep(0.05)
        regulator.desk.mode = Mode()
        async with asyncio.timeout(20):
            while worker.waiting or meter.snapshot().stages[5].left < 24:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)

    with engine.connect() as connection:
        rows = connection.execute(select(schema.outbox).order_by(schema.outbox.c.seq)).all()
    assert {row.state for row in rows} == {"delivered"}
    assert sorted(regulator.keys()) == sorted(row.key for row in rows)
    arrival = {key: place for place, key in enumerate(regulator.keys())}
    for chain in {row.chain for row in rows}:
        places = [arrival[row.key] for row in rows if row.chain == chain]
        assert places == sorted(places)
    receipts = {notice["key"]: notice["receipt_id"] for notice in regulator.desk.listing()["notices"]}
    assert {row.key: json.loads(row.receipt)["id"] for row in rows} == receipts
    assert meter.balance(Stage.PUSH) == 0
