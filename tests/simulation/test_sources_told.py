"""What is told of each source: its tags, rules on them, and an alarm of its own when it stops, which hides nothing."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alerting.model.alarm import State
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.model import Link, Scan, Tag, TagTable
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.load import ConfigError, load
from gateway.system import with_system
from tests.scripted import Scripted, small_site

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
PLC, GAS = Source(id="plc", protocol="mqtt", silent_after_s=5.0), Source(id="gas", protocol="mqtt", silent_after_s=5.0)


def site_in(folder: Path) -> Site:
    tags = TagTable([Tag(name="T.v", source="plc", unit="T", eu="m"), Tag(name="G.v", source="gas", unit="T")])
    rules = [
        Rule(id="T.v.H", tag="T.v", kind=Kind.H, setpoint=8.0, tier=Tier.ORANGE),
        Rule(id="T.v.STALE", tag="T.v", kind=Kind.STALE, setpoint=5.0, tier=Tier.BLUE),
        Rule(id="G.v.H", tag="G.v", kind=Kind.H, setpoint=20.0, tier=Tier.RED),
    ]
    own = Rule(id="fengsui.errors.plc.H", tag="fengsui.errors.plc", kind=Kind.H, setpoint=30.0, tier=Tier.YELLOW)
    made = small_site(RuleTable(rules, tags), PLC, folder, own_rules=(own,))

    return replace(made, sources=(PLC, GAS))


def scans(source: str, row: int, value_of: Callable[[int], float], last_s: int) -> list[Scan | Link]:
    return [
        Scan(
            source=source, epoch=1, number=at, received_ns=START_NS + at * S, rows=np.array([row], dtype=np.int32),
            values=np.array([value_of(at)]), quality=np.zeros(1, dtype=np.uint8),
            times_ns=np.array([START_NS + at * S], dtype=np.int64), nature=PLC.nature,
        )
        for at in range(1, last_s)
    ]  # fmt: skip


class Counting(Scripted):
    """A scripted source that counts a request and an answer a second, and an error a second from the 20th on."""

    async def run(self) -> None:
        """Deliver and count."""
        counting = asyncio.create_task(self.count())
        try:
            await super().run()
        finally:
            counting.cancel()

    async def count(self) -> None:
        await asyncio.sleep(0.5)  # Never at the instant at which the gateway looks.
        for at in range(10_000):
            await asyncio.sleep(1)
            self.counters.requests += 2
            self.counters.sent_bytes += 12
            self.counters.received_bytes += 100
            self.counters.failures["timeout"] += at >= 20
            self.counters.last_success_ns = self.clock.wall_ns()


def run_with(site: Site, clock: ManualClock, story: Callable[[Gateway], object]) -> None:
    stream = {
        "plc": scans("plc", 0, lambda at: 9.0 if at > 10 else 5.0, 30),  # trips at the 11th second, ends at the 30th
        "gas": [
            Link(source="gas", is_up=True, received_ns=START_NS + S // 2),
            *scans("gas", 1, lambda at: 50.0 if at > 60 else 0.0, 200),
        ],
    }

    def make(source: Source, _: TagTable, at: Clock, epoch: int, deliver: object) -> Scripted:
        kind = Scripted if source.id == "gas" else Counting
        return kind(stream[source.id], at, epoch, deliver)  # type: ignore[arg-type]

    parts = Parts(
        historian=MemoryHistorian(site.tags), writer=InlineExecutor(), reader=InlineExecutor(),
        compiler=InlineExecutor(), make_collector=make, jitter_seed=1,  # type: ignore[arg-type]
    )  # fmt: skip
    gateway = Gateway(site, clock, parts)

    async def main() -> None:
        async with gateway.running():
            await story(gateway)  # type: ignore[misc]

    run_manual(main(), clock)


def value_of(gateway: Gateway, name: str) -> float:
    return float(gateway.picture.values[gateway.site.tags.row_of[name]])


def active(gateway: Gateway) -> set[str]:
    return {f"{alarm.tag}.{alarm.group}" for alarm in gateway.picture.alarms.values() if alarm.is_active}


def test_a_source_that_stops_raises_an_alarm_of_its_own_and_hides_none(tmp_path: Path) -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(25)
        assert active(gateway) == {"T.v.high"}
        assert gateway.picture.tiers["T"] is Tier.ORANGE
        await asyncio.sleep(30)  # plc has been silent for 25 s
        assert {"T.v.high", "T.v.stale", "fengsui.link.plc.low"} <= active(gateway)
        high = next(alarm for alarm in gateway.picture.alarms.values() if alarm.group == "high" and alarm.tag == "T.v")
        assert (high.state, high.tier) == (State.UNACK, Tier.ORANGE), "what was true when it stopped is not taken back"
        assert gateway.picture.tiers["T"] is Tier.ORANGE
        link = next(alarm for alarm in gateway.picture.alarms.values() if alarm.tag == "fengsui.link.plc")
        assert link.unit == "fengsui", "the gateway's own unit, not the plant's"
        await asyncio.sleep(20)  # a new process alarm beside it, on another source
        assert "G.v.high" in active(gateway)
        assert gateway.picture.tiers["T"] is Tier.RED
        assert next(iter(gateway.picture.unit_rows(["fengsui"])))["tier"] == "YELLOW"

    run_with(site_in(tmp_path), ManualClock(START_NS), story)


def test_requests_errors_bytes_and_silence_are_tags_that_a_sites_own_rule_judges(tmp_path: Path) -> None:
    async def story(gateway: Gateway) -> None:
        await asyncio.sleep(19)
        assert value_of(gateway, "fengsui.errors.plc") == 0.0
        assert value_of(gateway, "fengsui.silence.plc") <= 1.0
        assert value_of(gateway, "fengsui.silence.gas") == 10.0, "told each 10 s; it counts no success"
        await asyncio.sleep(72)
        assert value_of(gateway, "fengsui.requests.plc") == 120.0
        assert value_of(gateway, "fengsui.bytes.plc") == 60 * 112.0
        assert value_of(gateway, "fengsui.errors.plc") == 60.0
        assert "fengsui.errors.plc.high" in active(gateway)
        (told,) = [one for one in gateway.sources() if one.id == "plc"]
        assert (told.requests, told.failures["timeout"] > 60, told.sent_bytes) == (180, True, 90 * 12)

    run_with(site_in(tmp_path), ManualClock(START_NS), story)


SITE = """
[site]
id = "site"
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "127.0.0.1"
[[unit]]
id = "TK"
kind = "tank"
[[rule]]
"""


def loaded(folder: Path, rule: str) -> Site:
    (folder / "tags.csv").write_text("tag,source,unit,register,type\nTK.v,plc,TK,0,float32\n", encoding="utf-8")
    (folder / "site.toml").write_text(SITE + rule, encoding="utf-8")
    return with_system(load(folder / "site.toml", environ={}))


def test_a_sites_rule_about_a_source_is_read_and_joins_the_table(tmp_path: Path) -> None:
    rule = 'tag = "fengsui.errors.plc"\nkind = "HH"\nsetpoint = 10\ntier = "ORANGE"\non_delay_s = 60'
    site = loaded(tmp_path, rule)

    found = site.rules[site.rules.index_of["fengsui.errors.plc.HH"]]
    assert (found.setpoint, found.tier, found.on_delay_s) == (10.0, Tier.ORANGE, 60.0)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('tag = "fengsui.errors.plx"\nkind = "H"\nsetpoint = 1', "fengsui.errors.plc"),
        ('tag = "fengsui.errors.plc"\nkind = "RATE"\nsetpoint = 1\nwindow_s = 5', "limits only"),
        ('tag = "fengsui.link.plc"\nkind = "L"\nsetpoint = 1', "gateway's own"),
        ('tag = "fengsui.store_waiting"\nkind = "HH"\nsetpoint = 9', "gateway's own"),
        ('tag = "fengsui.errors.plc"\nkind = "H"\nsetpoint = 1\nenable = "TK.v > 1"', "always judged"),
        ('tag = "fengsui.errors.plc"\nkind = "H"', "setpoint is missing"),
    ],
)
def test_a_wrong_rule_about_a_source_is_refused_with_its_line(tmp_path: Path, rule: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        loaded(tmp_path, rule)
    (mistake,) = refused.value.mistakes
    assert said in str(mistake)
    assert mistake.line >= 13
