"""Duties through the whole gateway in manual time: a disposal that nobody writes, a start after an absence."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from alerting.duty.plan import DutyPlan
from alerting.model.disposal import DisposalPolicy
from alerting.model.philosophy import Philosophy
from alerting.register.ledgers import LEDGERS
from edge.clock_manual import run_manual
from gateway.app import Gateway
from gateway.register import records
from gateway.register.record import By
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.scripted import small_gateway
from tests.simulation.test_escalation import RISES, Town
from tests.time_matrix import START_NS, S

HAZARD: dict[str, Any] = {
    "code": "H1", "title": "gauge", "state": "rectifying", "source": "daily", "found_on": "2025-12-01",
    "deadline": "2026-01-01", "responsible": "li",
}  # fmt: skip


def steps(gateway: Gateway | Path) -> list[tuple[float, str, str, str]]:
    engine = gateway.engine if isinstance(gateway, Gateway) else open_store(store_url(gateway))
    with engine.connect() as connection:
        rows = connection.execute(select(schema.duty_step).order_by(schema.duty_step.c.seq)).all()
    return [((row.time_ns - START_NS) / S, row.what, row.person, row.said) for row in rows]


def test_a_disposal_that_nobody_writes_is_prompted_warned_of_and_supervised(tmp_path: Path) -> None:
    town = Town(tmp_path)
    policy = Philosophy(disposal=DisposalPolicy(minutes=(5, 5, 5, 5)))
    town.site = replace(town.site, escalations=(), philosophy=policy, duties=DutyPlan(channel="sms"))
    gateway = town.gateway()

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(1_000)
            await gateway.write(lambda c: c.execute(update(schema.disposal).values(state="done")))
            await asyncio.sleep(30)
            with gateway.engine.connect() as connection:
                (duty,) = connection.execute(select(schema.duty)).all()
            assert duty.state == "done"

    run_manual(main(), town.clock)
    # Raised at 2 s, due five minutes on; zhao leads the shift, and nobody is named who answers for it.
    raised = 2
    told = [(at, body) for at, _, body in town.phones["sms"].calls]
    assert [at - raised for at, _ in told] == [300, 900]
    assert [body["to"]["person"] for _, body in told] == ["zhao", "zhao"]
    assert told[-1][1]["text"]["zh"].startswith("督办 1 项:督办 报警处置反馈")
    assert told[-1][1]["to"]["phone"]


def put(folder: Path) -> None:
    """Enter a hazard as if the duties had not been watched yet."""
    engine = open_store(store_url(folder))
    with engine.begin() as connection:
        by = By(who="li", time_ns=START_NS, reason="")
        records.put(connection, LEDGERS["hidden_hazards"], [HAZARD], [], by)
        connection.execute(schema.duty.delete())
    engine.dispose()


def test_a_start_finds_records_that_were_there_and_a_second_start_tells_nothing_twice(tmp_path: Path) -> None:
    town = Town(tmp_path)
    town.site = replace(town.site, escalations=(), duties=DutyPlan(channel="sms"))
    put(town.site.data)

    def run(seconds: float) -> list[tuple[float, str, str, str]]:
        gateway = small_gateway(town.site, town.clock, RISES[:1], channels=town.phones)

        async def main() -> None:
            async with gateway.running():
                await asyncio.sleep(seconds)

        run_manual(main(), town.clock)
        return steps(town.site.data)

    # 08:00 of the last day: the prompt is two days old and comes at once; the day itself is not over.
    first = run(30)
    assert [(what, person, said) for _, what, person, said in first] == [("prompt", "li", "told")]
    assert run(3_600) == first
    assert [body["to"]["person"] for _, _, body in town.phones["sms"].calls] == ["li"]
