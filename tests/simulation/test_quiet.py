"""What is quiet by design and what waits for a second person, through restarts of a whole gateway and its replay."""

import asyncio
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
from sqlalchemy import select

from alerting.model.by_design import DesignSuppression
from alerting.model.command import Command, Verb
from alerting.model.disposal import DisposalPolicy
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.second_person import SecondPerson
from alerting.model.stop import Plan, StopKind, StopState
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Nature, Scan, Tag, TagTable
from gateway.config import Destination, Site
from gateway.disposal.records import listed
from gateway.record import EventLog
from gateway.replay import replay
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from gateway.store.stops import open_stops
from tests.scripted import events_of, small_gateway, small_site

S = 1_000_000_000
START_NS = 1_780_000_000 * S
SOURCE = Source(id="plc", protocol="modbus-tcp")
TAGS = TagTable([Tag(name=name, source="plc", unit="T", nature=Nature.ACTUAL) for name in ("T.v", "T.mode")])
PHILOSOPHY = Philosophy(
    suppressions=(DesignSuppression(id="clean", when="T.mode == 3", units=("T",), reason={"en": "c", "zh": "清洗"}),),
    second=SecondPerson(minutes=1, tiers={Verb.SHELVE: Tier.BLUE}),
)
RULES = RuleTable(
    [
        Rule(id="T.v.H", tag="T.v", kind=Kind.H, setpoint=8.0, tier=Tier.ORANGE),
        Rule(
            id="@suppression.clean", tag="T.mode", kind=Kind.EXPRESSION, setpoint=float("nan"), tier=Tier.NONE,
            name="@suppression.clean", when="(T.mode == 3) and not is_bad(T.mode)", asked=("T.mode",),
        ),
    ],
    TAGS,
)  # fmt: skip


def story() -> list[Scan]:
    """Cleaning from 5 to 45 s; the level is high from 10 s on."""
    scans = []
    for second in range(1, 70):
        values = np.array([9.0 if second >= 10 else 5.0, 3.0 if 5 <= second < 45 else 1.0])
        at_ns = START_NS + second * S
        scans.append(
            Scan(
                source="plc", epoch=1, number=second, received_ns=at_ns, nature=Nature.ACTUAL,
                rows=np.array([0, 1], np.int32), values=values, quality=np.zeros(2, np.uint8),
                times_ns=np.full(2, at_ns),
            )
        )  # fmt: skip
    return scans


def told(site: Site) -> list[tuple[str, str, float]]:
    return [
        (row.what, row.suppression, (row.received_ns - START_NS) // S) for row in events_of(site) if row.tag == "T.v"
    ]


def test_a_state_keeps_its_alarm_quiet_over_a_restart_and_lets_it_ring_when_it_ends(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(RULES, SOURCE, tmp_path, philosophy=PHILOSOPHY)
    gateways = []
    for number, seconds in enumerate((20.0, 40.0)):
        record, live = tmp_path / f"{number}.rec", io.BytesIO()
        gateway = small_gateway(site, clock, story(), record=record, event_log=EventLog(live, "x"))
        gateways.append((gateway, record, live))

        async def run(gateway=gateway, seconds=seconds) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            async with gateway.running():
                await asyncio.sleep(seconds - 0.5)
                status = gateway.picture.status()
                assert (status["by_design"], status["counts"]["ORANGE"]) == ((1, 0) if seconds == 20.0 else (0, 1))

        run_manual(run(), clock)

    assert told(site) == [("raised", "by_design", 10), ("unsuppressed", "none", 45), ("realarmed", "none", 45)]
    for _, record, live in gateways:
        again = io.BytesIO()
        replay(replace(site, philosophy=Philosophy()), record, EventLog(again, "x"))
        assert again.getvalue() == live.getvalue(), "a replay goes by the philosophy of its recording"


def test_a_request_waits_over_a_restart_and_takes_two(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(RULES, SOURCE, tmp_path, philosophy=PHILOSOPHY)
    first = small_gateway(site, clock, [])
    asked = Command(verb=Verb.SHELVE, alarm="", who="li", reason="valve", received_ns=0)

    async def ask() -> str:
        async with first.running():
            await asyncio.sleep(1.0)
            key = first.desk._key(Nature.ACTUAL, 0)  # noqa: SLF001 - it never rang
            until_ns = clock.wall_ns() + 600 * S
            answer = await first.command(replace(asked, alarm=key, until_ns=until_ns))
            assert answer.request is not None
            await asyncio.sleep(0.5)
            assert first.picture.status()["requests"] == 1
            return answer.request.id

    request = run_manual(ask(), clock)
    second = small_gateway(site, clock, [])
    assert list(second.desk.requests) == [request]

    async def confirm() -> None:
        async with second.running():
            await asyncio.sleep(1.0)
            assert (await second.command(replace(asked, verb=Verb.CONFIRM, alarm=request))).refused is not None
            answer = await second.command(replace(asked, verb=Verb.CONFIRM, alarm=request, who="wang"))
            assert answer.alarm is not None
            assert (answer.alarm.suppressed_by, answer.alarm.suppression.value) == ("li", "shelved")

    run_manual(confirm(), clock)
    assert small_gateway(site, clock, []).desk.requests == {}


def test_a_request_that_nobody_confirmed_expires_while_the_gateway_is_down(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(RULES, SOURCE, tmp_path, philosophy=PHILOSOPHY)
    asked = Command(verb=Verb.SHELVE, alarm="", who="li", reason="valve", received_ns=0)

    async def run(seconds: float, *, asks: bool) -> int:
        gateway = small_gateway(site, clock, [])
        async with gateway.running():
            await asyncio.sleep(1.0)
            if asks:
                key = gateway.desk._key(Nature.ACTUAL, 0)  # noqa: SLF001
                await gateway.command(replace(asked, alarm=key, until_ns=clock.wall_ns() + 600 * S))
            await asyncio.sleep(seconds)
            return len(gateway.desk.requests)

    assert run_manual(run(1.0, asks=True), clock) == 1
    clock = ManualClock(clock.wall_ns() + 120 * S)
    assert run_manual(run(1.0, asks=False), clock) == 0


def test_a_disposal_opens_with_the_tick_that_rings_and_not_while_it_is_quiet(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    philosophy = replace(PHILOSOPHY, disposal=DisposalPolicy(minutes=(0, 0, 30, 10)))
    site = small_site(RULES, SOURCE, tmp_path, philosophy=philosophy)
    gateway = small_gateway(site, clock, story())
    seen: list[list[tuple[str, float]]] = []

    async def run() -> None:
        async with gateway.running():
            for seconds in (20.0, 40.0):
                await asyncio.sleep(seconds)
                found, _ = await gateway.read(
                    lambda c: listed(c, state="open", unit=None, limit=9, offset=0, now_ns=clock.wall_ns())
                )
                seen.append([(one["tag"], one["tier"]) for one in found])

    run_manual(run(), clock)
    assert seen == [[], [("T.v", "ORANGE")]], "born quiet, then let ring"


def test_a_declared_stop_runs_on_over_a_restart_ends_by_itself_and_is_replayed(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    destination = Destination(
        id="d",
        url="https://127.0.0.1:9/x",
        secret="whsec_" + "c2VjcmV0" * 5,
        tier_least=Tier.ORANGE,
        natures=(Nature.ACTUAL,),
    )
    philosophy = Philosophy()
    site = small_site(RuleTable(RULES[:1], TAGS), SOURCE, tmp_path, philosophy=philosophy, destinations=(destination,))
    plan = Plan(kind=StopKind.OVERHAUL, unit="T")
    asked = Command(
        verb=Verb.STOP, alarm="", who="li", reason="gauge", permit="P-1", received_ns=0, plan=plan,
        until_ns=START_NS + 40 * S,
    )  # fmt: skip
    gateways = []
    for number, seconds in enumerate((20.0, 40.0)):
        record, live = tmp_path / f"{number}.rec", io.BytesIO()
        gateway = small_gateway(site, clock, story(), record=record, event_log=EventLog(live, "x"))
        gateways.append((record, live))

        async def run(gateway=gateway, seconds=seconds) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
            async with gateway.running():
                if seconds == 20.0:
                    await asyncio.sleep(5.0)
                    answer = await gateway.command(asked)
                    assert answer.stop is not None
                    seconds -= 5.0
                await asyncio.sleep(seconds - 0.5)

        run_manual(run(), clock)

    assert told(site) == [("raised", "by_design", 10), ("unsuppressed", "none", 40), ("realarmed", "none", 40)]
    engine = open_store(store_url(tmp_path))
    with engine.connect() as connection:
        (stop,) = open_stops(connection)
        sent = [(row.action, json.loads(row.body)["subject"]) for row in connection.execute(select(schema.outbox))]
        audit = [json.loads(row.body) for row in connection.execute(select(schema.journal)) if row.kind == "audit"]
    engine.dispose()
    assert (stop.state, stop.permit, stop.covered) == (StopState.OVERDUE, "P-1", 1)
    assert sent == [("alert", "stop"), ("cancel", "stop"), ("alert", "alarm")]
    assert [(one["who"], one["plan"]["unit"], one["stop"]) for one in audit if one["action"] == "stop"] == [
        ("li", "T", stop.id)
    ]
    for record, live in gateways:
        again = io.BytesIO()
        replay(site, record, EventLog(again, "x"))
        assert again.getvalue() == live.getvalue()
