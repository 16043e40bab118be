"""The lane of calls in manual time: digests, refusals, vendors that say no, the next channel."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, delete, insert, select
from sqlalchemy.pool import StaticPool

from alerting.duty.kind import STEPS
from alerting.model.alarm import Alarm, State
from alerting.model.rule import RuleTable
from alerting.push.duty_call import Told, duty_body
from alerting.register.field import Words
from edge.clock_manual import DEFAULT_START_NS, ManualClock, run_manual
from edge.model import Nature, TagTable
from gateway.auth import Role, User, insert_user
from gateway.config import Destination, Reach, Site
from gateway.meter import Meter, Stage
from gateway.push.channel import Parcel, PushError
from gateway.push.forms import LIMITS
from gateway.push.worker import PushWorker
from gateway.roster.book import Contact, put_contact
from gateway.store import schema
from gateway.store.rows import alarm_row
from tests.robots import FakeRobot

T = TypeVar("T")
NOW = DEFAULT_START_NS
DOWN = PushError(retry=True, reason="connection", detail="refused")


def channel(name: str, **more: Any) -> Destination:  # noqa: ANN401 - any field of Reach
    reach: dict[str, Any] = {"kind": "dingtalk", "token": name, "limits": LIMITS["dingtalk"]}
    return Destination(id=name, url="https://robot.example", reach=Reach(**(reach | more)))


def body(name: str, **more: Any) -> str:  # noqa: ANN401 - any member
    told: dict[str, Any] = {
        "key": name, "subject": "call", "kind": "call", "nature": "actual", "alarm": name, "tier": "ORANGE",
        "unit": {"id": "T", "title": {}},
        "clause": {"zh": f"<{name}>", "en": f"<{name}>"}, "since": "2026-01-01T00:00:00.000Z", "minutes": 0, "to": None,
        "text": {"zh": "", "en": ""},
    }  # fmt: skip
    return json.dumps(told | more)


@dataclass
class Bench:
    """A worker with robots."""

    channels: tuple[Destination, ...]
    clock: ManualClock = field(default_factory=lambda: ManualClock(NOW))
    meter: Meter = field(default_factory=Meter)

    def __post_init__(self) -> None:
        self.engine: Engine = create_engine(
            "sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False}
        )  # fmt: skip
        schema.metadata.create_all(self.engine)
        self.robots = {each.id: FakeRobot(self.clock) for each in self.channels}
        tags = TagTable([])
        self.site = Site(
            id="demo", title={}, timezone="UTC", sources=(), tags=tags, units=(), rules=RuleTable([], tags),
            channels=self.channels,
        )  # fmt: skip
        self.worker = self.make()

    def make(self) -> PushWorker:
        self.meter = Meter()
        return PushWorker(
            site=self.site, clock=self.clock, meter=self.meter, read=self.read, write=self.write, seed=7,
            channels=self.robots,
        )  # fmt: skip

    async def read(self, function: Any, /) -> Any:  # noqa: ANN401 - the port's shape
        await asyncio.sleep(0)
        with self.engine.connect() as connection:
            return function(connection)

    async def write(self, function: Any, /) -> Any:  # noqa: ANN401 - the port's shape
        await asyncio.sleep(0)
        with self.engine.begin() as connection:
            return function(connection)

    def put(self, name: str, at: str = "ding", tier: int = 3, kind: str = "notice", **more: Any) -> None:  # noqa: ANN401
        text = more.pop("whole", None) or body(name, **more)
        row = {
            "key": name, "destination": at, "chain": name, "event": "", "nature": more.get("nature", "actual"),
            "action": "call", "tier": tier, "is_late": False, "created_ns": self.clock.wall_ns(),
            "body": text, "state": "waiting", "attempts": 0, "next_ns": self.clock.wall_ns(),
            "last_error": "", "delivered_ns": 0, "receipt": "", "kind": kind,
        }  # fmt: skip
        with self.engine.begin() as connection:
            connection.execute(insert(schema.outbox).values(row))
        self.worker.wake()

    def rows(self) -> list[Any]:
        with self.engine.connect() as connection:
            return list(connection.execute(select(schema.outbox).order_by(schema.outbox.c.seq)))

    def states(self) -> dict[str, str]:
        return {f"{row.destination}:{row.key}"[:12]: row.state for row in self.rows()}

    def play(self, story: Coroutine[Any, Any, None]) -> None:
        async def main() -> None:
            run = asyncio.create_task(self.worker.run())
            try:
                await story
            finally:
                run.cancel()
                await asyncio.gather(run, return_exceptions=True)

        run_manual(main(), self.clock)

    def balances(self) -> None:
        assert self.meter.balance(Stage.PUSH) == 0


def contact(connection: Connection, person: str, **more: Any) -> None:  # noqa: ANN401 - any field
    insert_user(connection, User(name=person, role=Role.OPERATOR, created_ns=1), "")
    put_contact(connection, Contact(person=person, **more), "root", 1)


def test_one_alone_goes_at_once_and_many_go_together() -> None:
    bench = Bench((channel("ding"),))

    async def story() -> None:
        await asyncio.sleep(60)
        bench.put("one")
        await asyncio.sleep(1)
        assert [text.count("<") for _, text in bench.robots["ding"].said] == [1]
        for n in range(40):
            bench.put(f"n{n}")
        await asyncio.sleep(30)

    bench.play(story())
    assert [text.count("<") for _, text in bench.robots["ding"].said] == [1, 40]
    assert {row.state for row in bench.rows()} == {"delivered"}
    receipts = {row.receipt for row in bench.rows()}
    assert len(receipts) == 1
    assert json.loads(receipts.pop())["answer"] == '{"errcode":0}'


def test_a_refusal_within_a_good_answer_is_a_failure_and_is_tried_again() -> None:
    bench = Bench((channel("ding"),))
    refusals = [PushError(retry=True, reason="code_310000", detail="sign not match", status=200)] * 3

    bench.robots["ding"].answer = lambda _: refusals.pop() if refusals else None

    async def story() -> None:
        await asyncio.sleep(60)
        bench.put("one")
        await asyncio.sleep(2)
        assert bench.rows()[0].state == "waiting"
        assert bench.rows()[0].last_error == "code_310000: sign not match"
        await asyncio.sleep(60)

    bench.play(story())
    assert bench.rows()[0].state == "delivered"
    assert bench.rows()[0].attempts == 4


def test_a_robot_that_was_used_too_often_is_left_alone_though_new_calls_come() -> None:
    """Somebody else uses the same robot."""
    bench = Bench((channel("ding"),))
    robot = bench.robots["ding"]
    robot.most = 2

    async def story() -> None:
        await asyncio.sleep(60)
        for n in range(60):
            bench.put(f"n{n}")
            await asyncio.sleep(5)
        await asyncio.sleep(3_000)

    bench.play(story())
    assert 1 <= robot.refused <= 8, "it is left alone longer and longer"
    assert {f"<n{n}>" for n in range(60)} == set(robot.names(r"<n\d+>"))


def test_one_unwanted_text_does_not_take_a_digest_with_it() -> None:
    bench = Bench((channel("ding"),))

    def picky(parcel: Parcel) -> PushError | None:
        if b"<bad>" in parcel.body:
            return PushError(retry=False, reason="code_430102", detail="not suitable", is_final=True, status=200)
        return None

    bench.robots["ding"].answer = picky

    async def story() -> None:
        for name in ("a", "b", "bad", "c"):
            bench.put(name)
        await asyncio.sleep(300)

    bench.play(story())
    assert bench.states() == {
        "ding:a": "delivered",
        "ding:b": "delivered",
        "ding:bad": "quarantined",
        "ding:c": "delivered",
    }
    bench.balances()


def test_the_next_channel_takes_over_what_waits_too_long_at_one_in_trouble() -> None:
    bench = Bench((channel("ding", fallback="two", fallback_s=60.0), channel("two")))
    bench.robots["ding"].answer = lambda _: DOWN
    with bench.engine.begin() as connection:
        contact(connection, "li", phone="13800000000", addresses={"two": "li@two"})
    to = {"person": "li", "title": "", "phone": "13800000000", "email": "", "address": "li@ding"}

    async def story() -> None:
        await asyncio.sleep(60)
        bench.put("one", to=to)
        await asyncio.sleep(50)
        assert bench.robots["two"].said == []
        await asyncio.sleep(20)
        assert len(bench.robots["two"].said) == 1
        await asyncio.sleep(600)

    bench.play(story())
    assert len(bench.robots["two"].said) == 1, "once"
    assert "<one>" in bench.robots["two"].group
    assert bench.robots["two"].messages[0].reader.address == "li@two"
    assert [row.state for row in bench.rows()] == ["moved", "delivered"]
    told = json.loads(bench.rows()[0].receipt)
    assert (told["moved_to"], told["key"]) == ("two", bench.rows()[1].key)
    bench.balances()


def test_the_next_channel_takes_over_after_a_restart_too() -> None:
    bench = Bench((channel("ding", fallback="two", fallback_s=60.0), channel("two")))
    bench.robots["ding"].answer = lambda _: DOWN

    async def first() -> None:
        await asyncio.sleep(60)
        bench.put("one")
        await asyncio.sleep(30)

    async def second() -> None:
        await asyncio.sleep(60)

    bench.play(first())
    bench.worker = bench.make()
    bench.play(second())
    assert [row.state for row in bench.rows()] == ["moved", "delivered"]
    assert len(bench.robots["two"].said) == 1


def test_a_backlog_alone_moves_nothing() -> None:
    bench = Bench((channel("ding", fallback="two", fallback_s=10.0), channel("two")))

    async def story() -> None:
        for n in range(900):
            bench.put(f"n{n}", clause={"zh": f"<n{n}>" + "x" * 200, "en": ""})
        await asyncio.sleep(300)

    bench.play(story())
    assert bench.robots["two"].said == []
    assert {row.state for row in bench.rows()} == {"delivered"}
    assert bench.robots["ding"].most_in(60) <= 20
    named = bench.robots["ding"].names(r"<n\d+>")
    assert sorted(named) == sorted(f"<n{n}>" for n in range(900)), "what a digest does not hold waits for the next"


def test_a_trial_goes_alone_and_by_no_other_channel() -> None:
    bench = Bench((channel("ding", fallback="two", fallback_s=10.0), channel("two")))
    bench.robots["ding"].answer = lambda _: DOWN

    async def story() -> None:
        await asyncio.sleep(60)
        bench.put("try", kind="test", nature="test", tier=0, text={"zh": "试", "en": "try"})
        await asyncio.sleep(120)

    bench.play(story())
    assert bench.robots["two"].said == []
    assert bench.rows()[0].state == "waiting"


def test_a_channel_that_does_not_take_exercises_gets_none_from_another() -> None:
    ding = replace(channel("ding", fallback="two", fallback_s=10.0), natures=(Nature.ACTUAL, Nature.EXERCISE))
    bench = Bench((ding, channel("two")))
    bench.robots["ding"].answer = lambda _: DOWN

    async def story() -> None:
        await asyncio.sleep(60)
        bench.put("drill", nature="exercise")
        await asyncio.sleep(120)

    bench.play(story())
    assert bench.robots["two"].said == []
    assert bench.rows()[0].state == "waiting"


def test_exercises_and_the_real_thing_never_stand_in_one_message() -> None:
    bench = Bench((replace(channel("ding"), natures=(Nature.ACTUAL, Nature.EXERCISE)),))

    async def story() -> None:
        for n in range(12):
            bench.put(f"n{n}", nature="exercise" if n % 2 else "actual")
        await asyncio.sleep(60)

    bench.play(story())
    said = [text for _, text in bench.robots["ding"].said]
    assert len(said) == 2
    assert "【演练】" not in said[0]
    assert said[1].startswith("### 【演练】")


def test_what_is_about_no_alarm_is_told_by_its_own_words() -> None:
    bench = Bench((channel("ding"),))
    duty = Told(
        duty="d", kind="k", step=STEPS[0], number=1, title=Words(en="Licence", zh="许可证"), code="L-1",
        about="罐区", unit="T", due="2026-02-01", holder="li", holder_said=Words(en="li", zh="li"),
        basis=Words(en="law", zh="法规"),
    )  # fmt: skip
    told = duty_body([duty], None, key="duty", site={"id": "demo", "title": {"zh": "厂区"}}, nature="actual", prefix="",
                     time="2026-01-01T08:00:00+08:00")  # fmt: skip

    async def story() -> None:
        for n in range(9):
            bench.put(f"n{n}")
        bench.put("duty", tier=0, whole=told)
        await asyncio.sleep(60)

    bench.play(story())
    assert len(bench.robots["ding"].said) == 2
    text = bench.robots["ding"].said[1][1]
    assert text.startswith("### 【通知】厂区")
    assert "许可证 L-1 罐区,期限 2026-02-01" in text


def alarm_stands(bench: Bench, name: str, state: State) -> None:
    """An alarm of the register, as the desk leaves it."""
    alarm = Alarm(key=f"key-{name}", nature=Nature.ACTUAL, tag="T.v", unit="T", group="high", id=name, state=state)
    with bench.engine.begin() as connection:
        connection.execute(delete(schema.alarm).where(schema.alarm.c.key == alarm.key))
        connection.execute(insert(schema.alarm).values(alarm_row(alarm)))


def test_a_call_that_could_not_be_delivered_is_withdrawn_when_the_alarm_is_acknowledged() -> None:
    """Only where somebody answered: what returned unanswered is told, a reminder as long as the alarm stands."""
    bench = Bench((channel("ding"),))
    bench.robots["ding"].answer = lambda _: DOWN

    async def story() -> None:
        for name in ("acked", "unacked", "returned", "reset", "drill"):
            bench.put(name)
        bench.put("reminder", whole=body("reminder", kind="reminder", alarm="acked"))
        bench.put("late", whole=body("late", kind="reminder", alarm="returned"))
        for name, state in (("acked", "UNACK"), ("unacked", "UNACK"), ("returned", "RTN_UNACK"), ("reset", "NORMAL")):
            alarm_stands(bench, name, State(state))
        await asyncio.sleep(30)
        alarm_stands(bench, "acked", State.ACKED)
        await asyncio.sleep(120)
        bench.robots["ding"].answer = lambda _: None
        await asyncio.sleep(1200)

    bench.play(story())
    assert bench.states() == {
        "ding:acked": "withdrawn",
        "ding:unacked": "delivered",
        "ding:returned"[:12]: "delivered",
        "ding:reset": "withdrawn",
        "ding:drill": "delivered",
        "ding:reminder"[:12]: "delivered",
        "ding:late": "withdrawn",
    }
    assert bench.meter.snapshot().stages[5].refused["withdrawn"] == 3
    bench.balances()
