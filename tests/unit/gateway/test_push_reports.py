"""What the network says later of a short message: a receipt, nothing yet, or the next channel; in manual time."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from sqlalchemy import select

from gateway.config import Destination, ModemOptions
from gateway.push.acks import Verdict
from gateway.push.channel import Parcel, Receipt
from gateway.store import schema
from tests.robots import FakeRobot
from tests.unit.gateway.test_push_calls import Bench, channel

PHONE = "+86 13800000000"
TO = {"person": "li", "title": "", "phone": PHONE, "email": "", "address": ""}


@dataclass
class Handing:
    """A modem that hands every text over in two segments."""

    references: list[str] = field(default_factory=lambda: ["7 8", "9 10", "7 8"])

    async def send(self, parcel: Parcel) -> Receipt:
        assert parcel.message is not None
        return Receipt(status=0, id=self.references.pop(0), answer="2 segments with the network", is_proof=False)

    async def close(self) -> None:
        """Nothing is open."""


def modem(**more: Any) -> Destination:  # noqa: ANN401 - any field of Reach
    return channel("gsm", kind="modem", token="", modem=ModemOptions(serial="/dev/none"), **more)


def bench(**more: Any) -> Bench:  # noqa: ANN401 - any field of Reach
    one = Bench((modem(**more), channel("ding")))
    one.robots["gsm"] = cast(FakeRobot, Handing())
    return one


async def report(one: Bench, reference: int, status: int, number: str = "8613800000000") -> Verdict:
    told = {"reference": reference, "number": f"+{number}", "status": status}
    return await one.worker.take_ack("gsm", json.dumps(told).encode())


@dataclass
class Stored(Handing):
    """A modem that stored a report while nobody listened.

    Attributes:
        kept: Whether what it handed in was written down, once it is.
    """

    told: dict[str, Any] = field(default_factory=dict)
    take: Any = None
    kept: list[bool] = field(default_factory=list)

    async def listen(self) -> None:
        self.kept.append(await self.take("gsm", json.dumps(self.told).encode()))
        await asyncio.Event().wait()


def test_a_report_that_came_while_the_gateway_was_down_is_the_receipt_of_then() -> None:
    one = bench()
    cast(Handing, one.robots["gsm"]).references = ["7"]

    async def before() -> None:
        await asyncio.sleep(60)
        one.put("a", at="gsm", to=TO)
        await asyncio.sleep(1)

    one.play(before())
    assert one.states() == {"gsm:a": "handed"}
    told = {"reference": 7, "number": "+8613800000000", "status": 0, "is_earlier": True}
    modem = Stored(told=told)
    one.robots["gsm"] = cast(FakeRobot, modem)
    one.worker = one.make()
    modem.take = one.worker._hear_ack  # noqa: SLF001 - what the route gives a modem

    async def after() -> None:
        await asyncio.sleep(0.5)
        assert one.states() == {"gsm:a": "delivered"}

    one.play(after())
    assert modem.kept == [True], "and only then it may be taken out of the modem"


def whats(one: Bench) -> list[str]:
    with one.engine.connect() as connection:
        rows = connection.execute(select(schema.push_answer).order_by(schema.push_answer.c.number))
        return [f"{row.destination} {row.what}" for row in rows]


def test_with_the_report_of_the_last_segment_a_call_has_its_receipt() -> None:
    one = bench()

    async def story() -> None:
        await asyncio.sleep(60)
        one.put("a", at="gsm", to=TO)
        await asyncio.sleep(1)
        assert one.states() == {"gsm:a": "handed"}
        assert await report(one, 7, 0x00) is Verdict.TAKEN
        assert one.states() == {"gsm:a": "handed"}, "half a text is none"
        assert await report(one, 7, 0x00) is Verdict.TAKEN
        assert await report(one, 8, 0x30) is Verdict.TAKEN
        assert one.states() == {"gsm:a": "handed"}, "the network still tries"
        assert await report(one, 8, 0x00) is Verdict.TAKEN

    one.play(story())
    (row,) = one.rows()
    assert row.state == "delivered"
    assert json.loads(row.receipt)["answer"] == "the network says that the telephone has it"
    assert "is_proof" not in json.loads(row.receipt)
    assert whats(one) == ["gsm handed", "gsm receipt"]
    one.balances()


def test_a_report_of_another_number_or_of_an_older_text_is_nobodys() -> None:
    one = bench()

    async def story() -> None:
        await asyncio.sleep(60)
        one.put("a", at="gsm", to=TO)
        await asyncio.sleep(30)
        one.put("b", at="gsm", to=TO)
        await asyncio.sleep(30)
        one.put("c", at="gsm", to=TO)  # the references came round
        await asyncio.sleep(30)
        assert await report(one, 7, 0x00, "8613911111111") is Verdict.UNKNOWN
        assert await report(one, 99, 0x00) is Verdict.UNKNOWN
        for reference in (7, 8):
            await report(one, reference, 0x00)

    one.play(story())
    assert one.states() == {"gsm:a": "handed", "gsm:b": "handed", "gsm:c": "delivered"}


@pytest.mark.parametrize(("fallback", "states"), [
    ("ding", {"gsm:a": "moved", "ding": "delivered"}),
    ("", {"gsm:a": "quarantined"}),
])  # fmt: skip
def test_what_the_network_gave_up_goes_by_the_next_channel_at_once(fallback: str, states: dict[str, str]) -> None:
    one = bench(fallback=fallback)

    async def story() -> None:
        await asyncio.sleep(60)
        one.put("a", at="gsm", to=TO)
        await asyncio.sleep(1)
        assert await report(one, 7, 0x00) is Verdict.TAKEN
        assert await report(one, 8, 0x46) is Verdict.REFUSED, "9.2.3.15: the time of validity is over"
        await asyncio.sleep(10)

    one.play(story())
    assert {
        row.destination if row.destination == "ding" else f"gsm:{row.key}": row.state for row in one.rows()
    } == states
    assert whats(one)[:2] == ["gsm handed", "gsm refused"]
    with one.engine.connect() as connection:
        texts = " ".join(connection.scalars(select(schema.push_answer.c.text)))
    assert "****0000" in texts
    assert "13800000000" not in texts, "numbers are for those who may see them"
    one.balances()


def test_a_trial_never_goes_by_another_channel() -> None:
    one = bench(fallback="ding")

    async def story() -> None:
        await asyncio.sleep(60)
        one.put("a", at="gsm", kind="test", to=TO, clause=None)
        await asyncio.sleep(1)
        await report(one, 7, 0x41)

    one.play(story())
    assert one.states() == {"gsm:a": "quarantined"}


def test_a_report_that_is_quicker_than_our_own_book_is_taken_a_moment_later() -> None:
    one = bench()

    async def story() -> None:
        await asyncio.sleep(60)
        early = [asyncio.create_task(report(one, reference, 0x00)) for reference in (7, 8)]
        await asyncio.sleep(0.5)
        one.put("a", at="gsm", to=TO)
        assert await asyncio.gather(*early) == [Verdict.TAKEN, Verdict.TAKEN]

    one.play(story())
    assert one.states() == {"gsm:a": "delivered"}
