"""Derived tags over restarts of the whole gateway: a clean end, and kill -9 as the disk has it at that moment."""

import asyncio
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alerting.model.command import Command, Verb
from alerting.model.derivation import Derivation
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Scan, Tag, TagTable
from gateway.app import Gateway
from gateway.config import Site
from tests.scripted import live, run_for, small_gateway, small_site
from tests.time_matrix import START_NS, S
from tests.unit.alerting.core.derived.scene import derivation

PERSONS = derivation(
    "Z.n", "occupancy", {"in": ["Z.in"], "out": ["Z.out"]},
    words={"counting": "total", "reset_at": "", "timezone": "Asia/Shanghai"},
)  # fmt: skip
AVERAGE = derivation("Z.twa", "twa", {"concentration": "Z.c"}, numbers={"gap_s": 10.0})
SUM = derivation("Z.sum", "room_load", {"persons": ["Z.n"]}, numbers={"persons_most": 100.0})
DERIVED = (PERSONS, AVERAGE, SUM)


def site_of(folder: Path, derived: tuple[Derivation, ...] = DERIVED) -> Site:
    names = ["Z.in", "Z.out", "Z.c"]
    tags = [Tag(name=name, source="plc", unit="T") for name in names]
    tags += [Tag(name=each.tag, source="derived:plc", unit="T") for each in derived]
    rules = [Rule(id=f"{t.name}.STALE", tag=t.name, kind=Kind.STALE, setpoint=4.0, tier=Tier.BLUE) for t in tags]
    rules.append(Rule(id="Z.sum.H", tag="Z.sum", kind=Kind.H, setpoint=60.0, tier=Tier.RED))
    source = Source(id="plc", protocol="mqtt", silent_after_s=5.0)
    return small_site(RuleTable(rules, TagTable(tags)), source, folder, derived=derived)


def scans(until_s: int) -> list[Scan]:
    """Two persons a second come in, one goes out; the air holds 60 mg/m³."""
    return [
        Scan(
            source="plc",
            epoch=1,
            number=second,
            received_ns=START_NS + second * S,
            rows=np.array([0, 1, 2], dtype=np.int32),
            values=np.array([500.0 + 2 * second, 300.0 + second, 60.0]),
            quality=np.zeros(3, dtype=np.uint8),
            times_ns=np.full(3, START_NS + second * S, dtype=np.int64),
        )
        for second in range(1, until_s + 1)
    ]


def value(gateway: Gateway, tag: str) -> float:
    return float(gateway.picture.values[gateway.site.tags.row_of[tag]])


def alarms_of(gateway: Gateway) -> set[tuple[str, str]]:
    return {(alarm.tag, alarm.condition) for alarm in gateway.desk.alarms.values() if alarm.is_active}


def test_a_clean_end_loses_nothing(tmp_path: Path) -> None:
    site, clock = site_of(tmp_path), ManualClock(START_NS)
    live(small_gateway(site, clock, scans(20)), 20.5, clock)
    again = small_gateway(site, clock, scans(30))
    live(again, 9.0, clock)

    assert value(again, "Z.n") == 28.0
    assert value(again, "Z.twa") == pytest.approx(60 * 28 / 28_800, rel=0.1)


@pytest.mark.parametrize("killed_s", [14.2, 19.8])
def test_after_kill_9_totals_have_lost_nobody(killed_s: float, tmp_path: Path) -> None:
    """Ten seconds of the average may be gone; of the persons nobody, because their counters went on."""
    site, clock = site_of(tmp_path / "one"), ManualClock(START_NS)

    async def main() -> None:
        async with run_for(small_gateway(site, clock, scans(60)), killed_s):
            shutil.copytree(tmp_path / "one", tmp_path / "killed")

    run_manual(main(), clock)
    clock = ManualClock(START_NS + round((killed_s + 5) * S))
    again = small_gateway(replace(site, data=tmp_path / "killed"), clock, scans(60))
    live(again, 6.0, clock)

    second = int(killed_s + 5 + 6)
    assert value(again, "Z.n") == second - 1
    assert value(again, "Z.twa") > 0.5 * 60 * (killed_s - 10) / 28_800
    assert ("Z.sum", "STALE") not in alarms_of(again)


def test_a_derived_tag_falls_silent_after_a_long_time_away(tmp_path: Path) -> None:
    """A day down: the mark of yesterday must not make its silence count for a day first."""
    site, clock = site_of(tmp_path), ManualClock(START_NS)
    live(small_gateway(site, clock, scans(20)), 20.5, clock)
    later = ManualClock(START_NS + 86_400 * S)
    again = small_gateway(site, later, [])
    live(again, 6.0, later)

    assert {("Z.n", "STALE"), ("Z.sum", "STALE"), ("Z.in", "STALE")} <= alarms_of(again)


def test_an_emptied_zone_is_empty_after_kill_9(tmp_path: Path) -> None:
    site, clock = site_of(tmp_path / "one"), ManualClock(START_NS)

    async def main() -> None:
        gateway = small_gateway(site, clock, scans(60))
        async with run_for(gateway, 14.2):
            asked = Command(verb=Verb.EMPTY, alarm="Z.n", who="li", received_ns=clock.wall_ns(), reason="searched")
            assert (await gateway.command(asked)).refused is None
            shutil.copytree(tmp_path / "one", tmp_path / "killed")
            await asyncio.sleep(2)
            assert value(gateway, "Z.n") <= 2.0

    run_manual(main(), clock)
    clock = ManualClock(START_NS + 15 * S)
    again = small_gateway(replace(site, data=tmp_path / "killed"), clock, scans(60))
    live(again, 5.5, clock)

    assert value(again, "Z.n") == 20 - 14


def test_one_that_is_computed_otherwise_begins_anew(tmp_path: Path) -> None:
    site, clock = site_of(tmp_path), ManualClock(START_NS)
    live(small_gateway(site, clock, scans(20)), 20.5, clock)
    other = replace(PERSONS, words={**PERSONS.words, "reset_at": "04:00"})
    again = small_gateway(site_of(tmp_path, (other, AVERAGE, SUM)), clock, scans(30))
    live(again, 9.0, clock)

    assert value(again, "Z.n") == 8.0
    assert value(again, "Z.twa") > 0.9 * 60 * 26 / 28_800
