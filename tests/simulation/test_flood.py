"""A flood on a whole gateway: begun, counted on over a restart, ended; with the right first-out."""

import asyncio
from pathlib import Path

import numpy as np
from sqlalchemy import create_engine, select

from alerting.model.flood import FloodPolicy
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Nature, Scan, Tag, TagTable
from gateway.store import schema
from gateway.store.floods import floods
from tests.scripted import small_gateway, small_site

S = 1_000_000_000
START_NS = 1_780_000_000 * S
COUNT = 14
TAGS = TagTable([Tag(name=f"T.{n}", source="plc", unit="T", nature=Nature.ACTUAL) for n in range(COUNT)])
RULES = RuleTable(
    [Rule(id=f"T.{n}.H", tag=f"T.{n}", kind=Kind.H, setpoint=8.0, tier=Tier.YELLOW) for n in range(COUNT)], TAGS
)


def story() -> list[Scan]:
    """From 10 s on one tag more each second is high; the last one was so first, and says so in its own time."""
    scans = []
    for second in range(1, 120):
        at_ns = START_NS + second * S
        values = np.array([9.0 if second >= 10 + n else 5.0 for n in range(COUNT)])
        times_ns = np.full(COUNT, at_ns)
        values[-1] = 9.0 if second >= 22 else 5.0
        times_ns[-1] = at_ns - 15 * S  # A slow source: what it says at 22 s was so at 7 s.
        scans.append(
            Scan(
                source="plc", epoch=1, number=second, received_ns=at_ns, nature=Nature.ACTUAL,
                rows=np.arange(COUNT, dtype=np.int32), values=values, quality=np.zeros(COUNT, np.uint8),
                times_ns=times_ns,
            )
        )  # fmt: skip
    return scans


def test_a_trip_floods_and_the_first_out_is_what_was_first_in_the_plant(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    philosophy = Philosophy(flood=FloodPolicy(window_s=60.0))
    site = small_site(RULES, Source(id="plc", protocol="modbus-tcp"), tmp_path, philosophy=philosophy)
    told: list[object] = []

    async def run(seconds: float) -> None:
        gateway = small_gateway(site, clock, story())
        async with gateway.running():
            await asyncio.sleep(seconds)
            told.append(gateway.picture.status()["flood"])

    run_manual(run(21.5), clock)
    first = told[-1]
    assert isinstance(first, dict)
    assert (first["count"], first["first"]["tag"]) == (12, "T.0")
    run_manual(run(5.0), clock)
    again = told[-1]
    assert isinstance(again, dict)
    assert (again["id"], again["count"], again["first"]["tag"]) == (first["id"], COUNT, "T.13")
    run_manual(run(60.0), clock)
    assert told[-1] is None

    engine = create_engine(f"sqlite:///{tmp_path / 'register.db'}")
    with engine.connect() as connection:
        (state,) = floods(connection, is_open=False)
        assert state.ended_ns > 0
        assert (state.count, state.told["first"]["tag"], state.told["by_tier"]) == (COUNT, "T.13", {"YELLOW": COUNT})
        assert floods(connection, is_open=True) == []
        remarks = connection.scalars(select(schema.journal.c.body).where(schema.journal.c.kind == "system")).all()
    assert [kind for kind in ("flood_began", "flood_ended") if sum(kind in body for body in remarks) == 1] == [
        "flood_began", "flood_ended",
    ]  # fmt: skip
    engine.dispose()
