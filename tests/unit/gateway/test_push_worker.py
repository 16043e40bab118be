"""The push worker in the manual clock's time, with a fake channel and a store in memory: order, patience, restarts."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, TypeVar

import pytest
from sqlalchemy import Connection, Engine, create_engine, insert, select, update
from sqlalchemy.exc import OperationalError

from alerting.model.alarm import digest
from alerting.model.rule import RuleTable
from alerting.push.profile import Profile, ReceiptRule
from edge.clock_manual import DEFAULT_START_NS, ManualClock, run_manual
from edge.model import TagTable
from gateway.config import Destination, Site
from gateway.meter import Meter, Stage
from gateway.push.acks import Verdict
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.lane import KNOCK_S, REFUSED_S_MAX, TROUBLE_S_MAX
from gateway.push.worker import PushWorker
from gateway.store import schema

T = TypeVar("T")
NOW, S = DEFAULT_START_NS, 1_000_000_000
RED, ORANGE, YELLOW = 4, 3, 2
SECRET = "whsec_" + "c2VjcmV0" * 5


@dataclass
class FakeChannel:
    """An authority that answers as told: the documented seam of ``gateway.push.channel``.

    Attributes:
        answer: Asked for each parcel; raises PushError or gives a receipt.
        sent: (time s, key) of each attempt.
    """

    clock: ManualClock
    answer: Callable[[Parcel], Receipt] = field(default=lambda parcel: Receipt(status=200, id=f"r-{parcel.key}"))
    takes_s: float = 0.0
    sent: list[tuple[float, str]] = field(default_factory=list)
    is_closed: bool = False

    async def send(self, parcel: Parcel) -> Receipt:
        self.sent.append((self.clock.monotonic_ns() / 1e9, parcel.key))
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        return self.answer(parcel)

    async def close(self) -> None:
        self.is_closed = True

    def keys(self) -> list[str]:
        return [key for _, key in self.sent]


def make_site(*names: str) -> Site:
    tags = TagTable([])
    return Site(
        id="demo", title={}, timezone="UTC", sources=(), tags=tags, units=(), rules=RuleTable([], tags),
        destinations=tuple(Destination(id=name, url="http://127.0.0.1:9/") for name in names),
    )  # fmt: skip


@dataclass
class Bench:
    """A worker, its store and its authorities."""

    engine: Engine
    clock: ManualClock
    channels: dict[str, FakeChannel]
    meter: Meter = field(default_factory=Meter)
    broken: bool = False
    writes_s: float = 0.0

    def __post_init__(self) -> None:
        self.worker = PushWorker(
            site=make_site(*self.channels),
            clock=self.clock,
            meter=self.meter,
            read=self.read,
            write=self.write,
            seed=7,
            channels=self.channels,
        )

    async def read(self, function: Callable[[Connection], T], /) -> T:
        await asyncio.sleep(0)
        self._check()
        with self.engine.connect() as connection:
            return function(connection)

    async def write(self, function: Callable[[Connection], T], /) -> T:
        await asyncio.sleep(self.writes_s)
        self._check()
        with self.engine.begin() as connection:
            return function(connection)

    def _check(self) -> None:
        if self.broken:
            raise OperationalError("commit", {}, Exception("database is locked"))

    def put(self, name: str, chain: str = "", tier: int = ORANGE, **more: Any) -> None:  # noqa: ANN401
        """Commit a notice, and wake the worker as the road does."""
        row = {
            "key": name, "destination": "district", "chain": chain or name, "event": digest(name), "nature": "test",
            "action": "alert", "tier": tier, "is_late": False, "created_ns": self.clock.wall_ns(), "body": "{}",
            "state": "waiting", "attempts": 0, "next_ns": self.clock.wall_ns(), "last_error": "", "delivered_ns": 0,
            "receipt": "",
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(schema.outbox).values(row | more))
        self.worker.wake()

    def rows(self) -> dict[str, Any]:
        with self.engine.connect() as connection:
            return {row.key: row for row in connection.execute(select(schema.outbox))}

    def run(self, story: Callable[["Bench"], Coroutine[Any, Any, None]]) -> None:
        """Play a story while the worker runs; the books must balance at its end."""

        async def main() -> None:
            working = asyncio.create_task(self.worker.run())
            await story(self)
            assert not working.done(), working
            working.cancel()
            await asyncio.gather(working, return_exceptions=True)

        run_manual(main(), self.clock)
        assert self.meter.balance(Stage.PUSH) == 0
        assert self.worker.waiting == sum(row.state == "waiting" for row in self.rows().values())
        assert all(channel.is_closed for channel in self.channels.values())


@pytest.fixture
def bench() -> Bench:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    clock = ManualClock()
    return Bench(engine, clock, {"district": FakeChannel(clock)})


def trouble(_: Parcel) -> Receipt:
    raise PushError(retry=True, reason="connection", detail="refused")


def refuse(_: Parcel) -> Receipt:
    raise PushError(retry=False, reason="status_422", detail="no")


def test_a_notice_is_delivered_and_its_receipt_kept(bench: Bench) -> None:
    async def story(bench: Bench) -> None:
        await asyncio.sleep(1)
        bench.put("a")
        await asyncio.sleep(1)

    bench.run(story)
    row = bench.rows()["a"]
    assert (row.state, row.attempts, row.last_error) == ("delivered", 1, "")
    assert json.loads(row.receipt) == {"status": 200, "id": "r-a", "is_repeat": False, "answer": ""}
    assert row.delivered_ns == pytest.approx(NOW + S, abs=S // 10)


def test_red_goes_first_then_live_then_the_oldest(bench: Bench) -> None:
    for name, tier, late in (
        ("y1", YELLOW, 0),
        ("r-late", RED, 1),
        ("o1", ORANGE, 0),
        ("r1", RED, 0),
        ("o2", ORANGE, 0),
    ):
        bench.put(name, tier=tier, is_late=bool(late))

    async def story(_: Bench) -> None:
        await asyncio.sleep(1)

    bench.run(story)
    assert bench.channels["district"].keys() == ["r1", "r-late", "o1", "o2", "y1"]


def test_what_is_real_goes_before_a_drill(bench: Bench) -> None:
    bench.put("drill", tier=RED, nature="exercise")
    bench.put("real", tier=YELLOW)

    async def story(_: Bench) -> None:
        await asyncio.sleep(1)

    bench.run(story)
    assert bench.channels["district"].keys() == ["real", "drill"]


def test_a_fresh_red_overtakes_a_backlog(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.takes_s = 0.1
    for n in range(50):
        bench.put(f"y{n}", tier=YELLOW)

    async def story(bench: Bench) -> None:
        await asyncio.sleep(1.05)
        bench.put("red", tier=RED)
        await asyncio.sleep(1)

    bench.run(story)
    assert channel.keys().index("red") <= 12


def test_a_red_update_pulls_the_notices_before_it_in_its_chain(bench: Bench) -> None:
    for n in range(5):
        bench.put(f"o{n}", tier=ORANGE)
    bench.put("a1", "a", YELLOW)
    bench.put("a2", "a", RED)

    async def story(_: Bench) -> None:
        await asyncio.sleep(1)

    bench.run(story)
    assert bench.channels["district"].keys()[:2] == ["a1", "a2"]


def test_within_a_chain_nothing_overtakes(bench: Bench) -> None:
    bench.put("a1", "a", YELLOW)
    bench.put("a2", "a", RED)
    bench.put("a3", "a", 0, action="cancel")
    bench.put("b1", "b", ORANGE)
    channel = bench.channels["district"]
    refused = {"a1"}
    channel.answer = lambda parcel: refuse(parcel) if parcel.key in refused else Receipt(status=200)

    async def story(_: Bench) -> None:
        await asyncio.sleep(100)
        assert set(channel.keys()) == {"a1", "b1"}  # the chain waits, its neighbour does not
        refused.clear()
        await asyncio.sleep(1000)

    bench.run(story)
    assert [key for key in dict.fromkeys(channel.keys()) if key != "b1"] == ["a1", "a2", "a3"]
    assert channel.keys().count("a2") == channel.keys().count("a3") == 1


def test_trouble_backs_off_to_a_minute_and_tries_nothing_else(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.answer = trouble
    for n in range(20):
        bench.put(f"n{n}")

    async def story(_: Bench) -> None:
        await asyncio.sleep(1800)
        channel.answer = lambda _: Receipt(status=200)
        tried = len(channel.sent)
        await asyncio.sleep(TROUBLE_S_MAX + 1)
        assert len(set(channel.keys()[tried:])) == 20  # all is told as soon as it is back

    bench.run(story)
    first = [at for at, _ in channel.sent if at < 1800]
    gaps = [after - before for before, after in pairwise(first)]
    assert 30 <= len(first) <= 75
    assert all(0.4 <= gap <= TROUBLE_S_MAX + 0.1 for gap in gaps)
    assert max(gaps[-10:]) > 31
    assert len({round(gap, 3) for gap in gaps[-10:]}) > 5  # jitter
    assert bench.meter.snapshot().stages[5].noted["connection"] == len(first)
    assert bench.meter.snapshot().stages[5].last_error == "district: connection: refused"


def test_a_fresh_warning_knocks_before_the_pause_is_over_but_not_in_a_storm(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.answer = trouble
    bench.put("a")

    async def story(bench: Bench) -> None:
        await asyncio.sleep(900)
        before = len(channel.sent)
        for n in range(100):
            bench.put(f"storm{n}", tier=RED)
            await asyncio.sleep(0.2)
        knocks = len(channel.sent) - before
        assert 2 <= knocks <= 20 / KNOCK_S + 2

    bench.run(story)


def test_when_the_authority_is_back_nothing_waits_out_its_pause(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.answer = trouble
    bench.put("a")

    async def story(bench: Bench) -> None:
        await asyncio.sleep(900)
        while bench.rows()["a"].next_ns < bench.clock.wall_ns() + 25 * S:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        channel.answer = lambda _: Receipt(status=200)
        bench.put("red", tier=RED)
        await asyncio.sleep(KNOCK_S + 1)
        assert bench.worker.waiting == 0

    bench.run(story)


def test_a_refused_notice_is_asked_again_slowly_and_never_given_up(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.answer = refuse
    bench.put("a")

    async def story(bench: Bench) -> None:
        await asyncio.sleep(5 * 3600)
        assert bench.rows()["a"].state == "waiting"
        channel.answer = lambda _: Receipt(status=200)
        await asyncio.sleep(REFUSED_S_MAX + 31)

    bench.run(story)
    times = [at for at, _ in channel.sent]
    gaps = [after - before for before, after in pairwise(times)]
    assert max(gaps) <= REFUSED_S_MAX + 1
    assert min(gaps[-15:]) >= REFUSED_S_MAX / 2
    assert bench.meter.snapshot().stages[5].noted["refused_by_receiver"] == len(times) - 1
    assert bench.rows()["a"].state == "delivered"


def test_one_dead_authority_does_not_delay_another() -> None:
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    clock = ManualClock()
    dead = FakeChannel(clock, trouble, takes_s=10.0)
    bench = Bench(engine, clock, {"dead": dead, "district": FakeChannel(clock)})

    async def story(bench: Bench) -> None:
        for n in range(10):
            bench.put(f"d{n}", destination="dead")
            bench.put(f"a{n}")
            await asyncio.sleep(1)

    bench.run(story)
    delays = [row.delivered_ns - row.created_ns for row in bench.rows().values() if row.destination == "district"]
    assert len(delays) == 10
    assert max(delays) < S // 10


def test_a_restart_goes_on_where_the_last_run_stopped(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.answer = trouble
    bench.put("a")

    async def wait(_: Bench) -> None:
        await asyncio.sleep(600)

    bench.run(wait)
    attempts = bench.rows()["a"].attempts
    again = Bench(bench.engine, bench.clock, {"district": FakeChannel(bench.clock)})
    again.run(wait)

    assert again.rows()["a"].attempts == attempts + 1
    assert again.channels["district"].keys() == ["a"]


def test_a_receipt_that_could_not_be_kept_means_the_same_key_again(bench: Bench) -> None:
    channel = bench.channels["district"]

    def deliver_and_break(_: Parcel) -> Receipt:
        bench.broken = True
        return Receipt(status=200)

    channel.answer = deliver_and_break

    async def story(bench: Bench) -> None:
        bench.put("a")
        await asyncio.sleep(60)
        assert channel.keys() == ["a"]  # the store is away: nothing to look at, nothing is sent
        channel.answer = lambda _: Receipt(status=409, is_repeat=True)
        bench.broken = False
        await asyncio.sleep(60)

    bench.run(story)
    assert channel.keys() == ["a", "a"]
    assert json.loads(bench.rows()["a"].receipt)["is_repeat"] is True
    assert bench.meter.snapshot().stages[5].noted["repeat"] == 1


def test_a_clock_that_went_back_does_not_hold_a_warning(bench: Bench) -> None:
    bench.put("a")
    with bench.engine.begin() as connection:
        connection.execute(update(schema.outbox).values(next_ns=NOW + 3 * 3600 * S))

    async def story(_: Bench) -> None:
        await asyncio.sleep(1)

    bench.run(story)
    assert bench.rows()["a"].state == "delivered"


def test_what_waits_for_a_destination_that_is_gone_is_still_counted(bench: Bench) -> None:
    bench.put("old", destination="former")

    async def story(bench: Bench) -> None:
        await asyncio.sleep(1)
        assert bench.worker.waiting == 1

    bench.run(story)


def test_a_long_backlog_of_one_chain_keeps_its_order(bench: Bench) -> None:
    names = [f"n{n:03d}" for n in range(150)]
    for name in names:
        bench.put(name, "one")

    async def story(_: Bench) -> None:
        await asyncio.sleep(5)

    bench.run(story)
    assert bench.channels["district"].keys() == names


def test_the_same_seed_gives_the_same_run() -> None:
    runs = []
    for _ in range(2):
        engine = create_engine("sqlite://")
        schema.metadata.create_all(engine)
        clock = ManualClock()
        bench = Bench(engine, clock, {"district": FakeChannel(clock, trouble)})
        bench.put("a")

        async def story(_: Bench) -> None:
            await asyncio.sleep(600)

        bench.run(story)
        runs.append([(round(at, 6), key) for at, key in bench.channels["district"].sent])

    assert runs[0] == runs[1]


# ---- receipts that come later, quarantine, what expires, outages


def profiled(*, destination: Destination | None = None, **rule: Any) -> Bench:  # noqa: ANN401 - any field
    """Make a bench whose district answers by a rule of its own."""
    engine = create_engine("sqlite://")
    schema.metadata.create_all(engine)
    clock = ManualClock()
    made = Bench(engine, clock, {"district": FakeChannel(clock), "city": FakeChannel(clock)})
    profile = Profile(id="p", receipt=ReceiptRule(**rule))
    one = destination or Destination(id="district", url="", profile=profile, secret=SECRET)
    made.worker = PushWorker(
        site=replace(make_site("city"), destinations=(one, Destination(id="city", url=""))),
        clock=clock,
        meter=made.meter,
        read=made.read,
        write=made.write,
        seed=7,
        channels=made.channels,
    )
    return made


def told(bench: Bench) -> list[tuple[str, str]]:
    with bench.engine.connect() as connection:
        rows = connection.execute(select(schema.push_answer).order_by(schema.push_answer.c.number))
        return [(row.key, row.what) for row in rows]


def only_handed(_: Parcel) -> Receipt:
    return Receipt(status=202, is_proof=False)


def test_what_was_handed_over_is_no_receipt_until_the_authority_says_so() -> None:
    bench = profiled(by="later", resend_s=300.0)
    channel = bench.channels["district"]
    channel.answer = only_handed

    async def story(bench: Bench) -> None:
        bench.put("a1", "a", RED)
        bench.put("a2", "a", ORANGE)
        bench.put("b1", "b", ORANGE)
        await asyncio.sleep(10)
        assert channel.keys() == ["a1", "b1"]  # a2 waits for the acknowledgement of a1
        assert bench.rows()["a1"].state == "waiting"
        assert await bench.worker.take_ack("district", b'{"key": "a1", "receipt": "R1"}') is Verdict.TAKEN
        await asyncio.sleep(1)
        assert channel.keys() == ["a1", "b1", "a2"]
        assert await bench.worker.take_ack("district", b'{"key": "a1", "receipt": "R9"}') is Verdict.AGAIN
        await asyncio.sleep(310)
        assert channel.keys().count("b1") == 2  # forgotten there: it goes again, under its key
        assert channel.keys().count("a1") == 1
        for key in ("b1", "a2"):
            await bench.worker.take_ack("district", json.dumps({"key": key}).encode())

    bench.run(story)
    assert {row.state for row in bench.rows().values()} == {"delivered"}
    assert json.loads(bench.rows()["a1"].receipt)["id"] == "R1"


def test_where_no_receipt_will_ever_come_it_is_not_called_one() -> None:
    bench = profiled(by="none")
    bench.channels["district"].answer = only_handed

    async def story(bench: Bench) -> None:
        bench.put("a1", "a")
        bench.put("a2", "a")
        await asyncio.sleep(1)

    bench.run(story)
    assert [row.state for row in bench.rows().values()] == ["handed", "handed"]
    assert json.loads(bench.rows()["a1"].receipt)["is_proof"] is False


def test_a_forged_or_a_strangers_acknowledgement_confirms_nothing() -> None:
    bench = profiled(by="later", is_signed=True)
    bench.channels["district"].answer = only_handed

    async def story(bench: Bench) -> None:
        bench.put("a")
        bench.put("c", destination="city")
        await asyncio.sleep(1)
        assert await bench.worker.take_ack("district", b'{"key": "a", "signature": "v1,eA=="}') is Verdict.FALSE
        assert await bench.worker.take_ack("city", b'{"key": "a"}') is Verdict.UNKNOWN

    bench.run(story)
    assert bench.rows()["a"].state == "waiting"
    assert ("", "false_ack") in told(bench)
    assert bench.meter.snapshot().stages[5].noted["ack_false"] == 1


def test_what_is_refused_for_ever_is_put_aside_with_its_chain_and_the_rest_goes_on() -> None:
    one = Destination(id="district", url="", quarantine_min=60.0)
    bench = profiled(destination=one)
    channel = bench.channels["district"]
    channel.answer = lambda parcel: refuse(parcel) if parcel.key == "a1" else Receipt(status=200)

    async def story(bench: Bench) -> None:
        bench.put("a1", "a", RED)
        bench.put("a2", "a", RED)
        bench.put("b1", "b", YELLOW)
        bench.put("c1", "c", YELLOW, destination="city")
        await asyncio.sleep(30)
        states = {key: row.state for key, row in bench.rows().items()}
        assert states == {"a1": "waiting", "a2": "waiting", "b1": "delivered", "c1": "delivered"}
        await asyncio.sleep(3600 + REFUSED_S_MAX)
        assert {key: row.state for key, row in bench.rows().items() if key[0] == "a"} == {
            "a1": "quarantined", "a2": "quarantined",
        }  # fmt: skip
        assert bench.worker.standings["district"].quarantined == 2
        tried = len(channel.sent)
        await asyncio.sleep(3600)
        assert len(channel.sent) == tried

    bench.run(story)
    assert told(bench).count(("a1", "refused")) == 1  # not one row an attempt
    assert [one for one in told(bench) if one[1] == "quarantined"] == [("a1", "quarantined"), ("a2", "quarantined")]
    assert bench.meter.snapshot().stages[5].refused["quarantined"] == 2


def test_a_final_refusal_is_put_aside_at_once(bench: Bench) -> None:
    def never(_: Parcel) -> Receipt:
        raise PushError(retry=False, reason="refused", detail="500", is_final=True)

    bench.channels["district"].answer = never

    async def story(bench: Bench) -> None:
        bench.put("a")
        await asyncio.sleep(1)

    bench.run(story)
    assert bench.rows()["a"].state == "quarantined"


def test_data_goes_last_and_expires_but_a_warning_never_does(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.answer = trouble

    async def story(bench: Bench) -> None:
        expires_ns = bench.clock.wall_ns() + 60 * S
        bench.put("values", tier=0, kind="data", expires_ns=expires_ns)
        bench.put("warning", tier=YELLOW)
        await asyncio.sleep(1)
        assert channel.keys()[0] == "warning"
        await asyncio.sleep(600)
        channel.answer = lambda _: Receipt(status=200)
        bench.put("fresh", tier=0, kind="data", expires_ns=bench.clock.wall_ns() + 600 * S)
        await asyncio.sleep(120)

    bench.run(story)
    states = {key: row.state for key, row in bench.rows().items()}
    assert states == {"values": "expired", "warning": "delivered", "fresh": "delivered"}
    assert bench.meter.snapshot().stages[5].refused["expired"] == 1


def test_reds_go_on_while_new_notices_keep_coming(bench: Bench) -> None:
    """In a flood something new is there at each turn; nothing new can overtake a RED that is real and live."""

    async def story(bench: Bench) -> None:
        for n in range(60):
            bench.put(f"red{n}", tier=RED)
        for n in range(60):
            bench.put(f"late{n}", tier=YELLOW)
            await asyncio.sleep(0.01)
        await asyncio.sleep(30)

    bench.run(story)
    keys = bench.channels["district"].keys()
    assert keys[:60] == [f"red{n}" for n in range(60)]
    assert len(keys) == 120


def test_a_busy_writer_holds_up_no_other_chain_and_nothing_goes_twice(bench: Bench) -> None:
    """A tick of a flood keeps the writer for seconds; the next chain waits for no receipt but its own chain's."""
    bench.writes_s = 2.0
    bench.channels["district"].takes_s = 0.01

    async def story(bench: Bench) -> None:
        for n in range(300):
            bench.put(f"x{n}", tier=RED)
        bench.put("x0b", "x0", RED)
        await asyncio.sleep(40)

    bench.run(story)
    times = {key: at for at, key in bench.channels["district"].sent}
    assert len(bench.channels["district"].sent) == len(times) == 301
    first = min(times.values())
    assert sum(at - first < 4.5 for at in times.values()) > 200, "not one a write"
    assert times["x0b"] >= times["x0"] + 2.0, "a chain's next waits until the receipt before it is durable"
    assert {row.state for row in bench.rows().values()} == {"delivered"}
    assert bench.meter.balance(Stage.PUSH) == 0


def test_receipts_that_are_on_their_way_into_the_store_at_the_end_are_kept(bench: Bench) -> None:
    bench.writes_s = 0.5

    async def story(bench: Bench) -> None:
        for n in range(20):
            bench.put(f"x{n}", tier=RED)
        await asyncio.sleep(0.2)

    bench.run(story)
    assert len(bench.channels["district"].sent) == 20
    assert {row.state for row in bench.rows().values()} == {"delivered"}


def test_thirteen_hours_down_drain_red_then_live_then_late_with_each_chain_in_order(bench: Bench) -> None:
    channel = bench.channels["district"]
    channel.answer = trouble
    names: list[tuple[str, int, bool]] = []

    async def story(bench: Bench) -> None:
        for hour in range(13):
            for n, (tier, late) in enumerate(
                ((YELLOW, False), (ORANGE, True), (RED, False), (ORANGE, False), (RED, True))
            ):
                names.append((f"h{hour:02d}-{n}", tier, late))
                bench.put(f"h{hour:02d}-{n}-1", f"h{hour:02d}-{n}", tier, is_late=late)
                bench.put(f"h{hour:02d}-{n}-2", f"h{hour:02d}-{n}", 0, is_late=late, action="cancel")
            await asyncio.sleep(3600)
        assert bench.worker.unconfirmed_s("district", bench.clock.wall_ns()) == pytest.approx(13 * 3600, abs=40)
        channel.sent.clear()
        channel.answer = lambda _: Receipt(status=200)
        await asyncio.sleep(TROUBLE_S_MAX + 10)

    bench.run(story)
    keys = channel.keys()
    assert sorted(keys) == sorted(row.key for row in bench.rows().values())  # each once, none lost
    order = sorted(names, key=lambda one: (one[1] != RED, one[2], -one[1], one[0]))
    assert [key for key in keys[1:] if key.endswith("-1")] == [
        f"{name}-1" for name, _, _ in order if f"{name}-1" != keys[0]
    ]
    assert all(keys.index(f"{name}-1") < keys.index(f"{name}-2") for name, _, _ in names)
    assert len([one for one in told(bench) if one[1] == "trouble"]) < 60  # 13 hours of attempts do not bury the rest


def test_receipts_of_several_connections_that_cannot_be_kept_end_nothing() -> None:
    bench = profiled(destination=Destination(id="district", url="", connections=4))
    channel = bench.channels["district"]
    channel.takes_s = 1.0

    async def story(bench: Bench) -> None:
        for n in range(4):
            bench.put(f"x{n}", tier=RED)
        await asyncio.sleep(0.5)
        bench.broken = True
        await asyncio.sleep(60)
        bench.broken = False
        await asyncio.sleep(60)

    bench.run(story)
    assert {row.state for row in bench.rows().values()} == {"delivered"}


def test_several_chains_are_under_way_at_a_time_where_the_destination_allows_it() -> None:
    bench = profiled(destination=Destination(id="district", url="", connections=4))
    bench.channels["district"].takes_s = 1.0

    async def story(bench: Bench) -> None:
        for n in range(8):
            bench.put(f"x{n}", f"x{n % 6}", RED)
        await asyncio.sleep(4.5)

    bench.run(story)
    times = {key: at for at, key in bench.channels["district"].sent}
    assert len(times) == 8
    assert sum(at < 0.5 for at in times.values()) == 4
    assert times["x6"] >= times["x0"] + 1  # the same chain
    assert {row.state for row in bench.rows().values()} == {"delivered"}
