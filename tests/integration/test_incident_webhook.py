"""An incident calls its headquarters over a real socket: signed, once, also when the receiver was away at first."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

import orjson
import pytest
from sqlalchemy import Connection, select

from alerting.model.event import What
from alerting.model.incident_policy import IncidentPolicy
from alerting.model.tier import Tier
from edge.clock_system import SystemClock
from edge.model import Nature
from gateway.meter import Meter
from gateway.push.worker import PushWorker
from gateway.store import schema
from simulators.regulator.mode import Mode
from tests.integration.test_headquarters_api import CROWD, GENERAL, LEAK, calling
from tests.integration.test_incidents_api import DOOR, Tick, fill
from tests.integration.test_push import SECRET, Regulator, regulator, to
from tests.integration.test_register_api import Desk, desk

__all__ = ["calling", "desk", "regulator"]
pytestmark = pytest.mark.network
T = TypeVar("T")


@asynccontextmanager
async def pushing(desk: Desk) -> AsyncIterator[PushWorker]:
    """Let the desk's outbox be carried by the real worker."""

    async def read(function: Callable[[Connection], T], /) -> T:
        with desk.engine.connect() as connection:
            return function(connection)

    async def write(function: Callable[[Connection], T], /) -> T:
        with desk.engine.begin() as connection:
            return function(connection)

    worker = PushWorker(site=desk.house.site, clock=SystemClock(), meter=Meter(), read=read, write=write, seed=1)
    working = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def carried(desk: Desk, worker: PushWorker, least: int) -> list[tuple[str, int]]:
    """Wait until nothing waits in the outbox; give state and attempts of each message."""
    worker.wake()
    async with asyncio.timeout(20):
        while True:
            with desk.engine.connect() as connection:
                rows = connection.execute(select(schema.outbox.c.state, schema.outbox.c.attempts)).all()
            if len(rows) >= least and not any(row.state == "waiting" for row in rows):
                return [(row.state, row.attempts) for row in rows]
            await asyncio.sleep(0.02)


async def test_headquarters_are_called_over_a_webhook_whose_receiver_was_away(
    calling: Desk, regulator: Regulator
) -> None:
    channel = to(regulator.url, id="calls", natures=(Nature.ACTUAL,))
    calling.house.site = replace(
        calling.house.site, channels=(channel,), headquarters=(CROWD, LEAK, GENERAL),
        incident=IncidentPolicy(channel="calls"),
    )  # fmt: skip
    assert channel.secret == SECRET, "what the receiver checks each signature by"
    li = await calling.come("li")
    await fill(li)
    regulator.desk.mode = Mode(name="down")
    async with pushing(calling) as worker:
        Tick(calling)(What.UNIT_RAISED, Tier.ORANGE)
        worker.wake()
        async with asyncio.timeout(10):
            while not regulator.desk.counts["away"]:  # noqa: ASYNC110 - what a socket does tells no event of ours
                await asyncio.sleep(0.02)
        assert regulator.keys() == []
        regulator.desk.mode = Mode()
        sent = await carried(calling, worker, 2)

    assert [state for state, _ in sent] == ["delivered", "delivered"]
    assert max(attempts for _, attempts in sent) > 1, "tried again after the outage"
    kept = regulator.desk.listing()["notices"]
    assert [one["times"] for one in kept] == [1, 1]
    assert regulator.desk.counts["unsigned"] == 0
    bodies = sorted((one["body"] for one in kept), key=lambda body: str(body["to"]["person"]))
    about = [(body["subject"], body["to"]["person"], body["incidents"][0]["incident"]) for body in bodies]
    assert about == [("headquarters", "li", 1), ("headquarters", "op", 1)]
    assert "1 号事件" in bodies[0]["text"]["zh"]
    with calling.engine.connect() as connection:
        receipts = {orjson.loads(text)["id"] for text in connection.scalars(select(schema.outbox.c.receipt))}
        texts = [orjson.loads(text) for text in connection.scalars(select(schema.outbox.c.body))]
    assert receipts == {one["receipt_id"] for one in kept}
    assert {body["key"] for body in bodies} == {body["key"] for body in texts}
    (general,) = (await li.get(f"{DOOR}/1")).json()["headquarters"]
    assert [one["said"] for one in general["members"]] == ["told", "told"]
