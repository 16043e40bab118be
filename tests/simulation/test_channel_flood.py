"""A burst of alarms and the robot of a chat group, through the whole gateway in manual time."""

import asyncio
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest
from sqlalchemy import func, select

from alerting.escalation.plan import Plan, Step
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.model import Scan, Tag, TagTable
from gateway.config import ChannelKind, Destination, Reach, Site
from gateway.push.forms import LIMITS
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.robots import FakeRobot
from tests.scripted import small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, S
from tests.trouble import since_start_s

PLAN = Plan(id="all", tiers=(Tier.RED, Tier.YELLOW), rounds=1, steps=(Step(to="", channel="ding", wait_s=600),))


def plant(
    count: int,
    folder: Path,
    plan: Plan = PLAN,
    kind: ChannelKind = "dingtalk",
    options: Mapping[str, Any] = MappingProxyType({}),
) -> Site:
    """So many tags with a high limit each; every tenth is RED."""
    tags = TagTable([Tag(name=f"P-{n:04d}.v", source=SOURCE.id, unit="T", period_s=60.0) for n in range(count)])
    rules = [
        Rule(id=f"{tag.name}.H", tag=tag.name, kind=Kind.H, setpoint=8.0, tier=Tier.RED if n % 10 == 0 else Tier.YELLOW)
        for n, tag in enumerate(tags)
    ]
    told = Reach(kind=kind, token="t", limits=LIMITS[kind], **options)
    channel = Destination(id="ding", url="https://robot.example", reach=told)
    return small_site(RuleTable(rules, tags), SOURCE, folder, channels=(channel,), escalations=(plan,))


def burst(count: int, steps: int, seconds: float) -> list[Scan]:
    """All tags go above their limits, an equal share with each step."""
    scans = []
    for step, rows in enumerate(np.array_split(np.arange(count, dtype=np.int32), steps)):
        at_ns = START_NS + round((1 + step * seconds / steps) * S)
        scans.append(
            Scan(
                source=SOURCE.id, epoch=1, number=1, received_ns=at_ns, rows=rows,
                values=np.full(rows.size, 9.0), quality=np.zeros(rows.size, dtype=np.uint8),
                times_ns=np.full(rows.size, at_ns, dtype=np.int64),
            )
        )  # fmt: skip
    return scans


def run(site: Site, clock: ManualClock, robot: FakeRobot, items: list[Scan], until_s: int) -> None:
    async def main() -> None:
        gateway = small_gateway(site, clock, items, channels={"ding": robot})
        async with gateway.running():
            for _ in range(until_s):
                await asyncio.sleep(1)
                if since_start_s(clock) > 40 and gateway.push.waiting == 0:
                    break

    run_manual(main(), clock)


@pytest.mark.parametrize("count", [1_500, pytest.param(5_000, marks=pytest.mark.long)])
def test_a_flood_of_ten_seconds_keeps_to_the_quota_and_each_is_named(tmp_path: Path, count: int) -> None:
    clock = ManualClock(START_NS)
    site, robot = plant(count, tmp_path), FakeRobot(clock)
    run(site, clock, robot, burst(count, 20, 10), 400)

    assert robot.refused == 0
    assert robot.most_in(60) <= 20
    named = robot.names(r"P-\d{4}\.v")
    assert set(named) == {f"P-{n:04d}.v" for n in range(count)}, "no alarm is lost"
    assert len(named) == count, "and none is told twice"
    assert max(len(text.encode()) for _, text in robot.said) <= 20_000
    engine = open_store(store_url(site.data))
    with engine.connect() as connection:
        states = dict(connection.execute(
            select(schema.outbox.c.state, func.count()).group_by(schema.outbox.c.state)
        ).all())  # fmt: skip
    engine.dispose()
    assert states == {"delivered": count}
    reds = [place for place, name in enumerate(named) if int(name[2:6]) % 10 == 0]
    assert np.mean(reds) < 0.35 * count, "the gravest stand in front of what waits"


@pytest.mark.parametrize(
    ("kind", "most", "count", "options"),
    [
        ("wecom", 20, 300, {}),
        ("feishu", 100, 300, {}),
        ("mail", 30, 300, {}),
        ("mqtt", 60, 150, {"payload": "text", "characters": 200}),
        ("apprise", 12, 150, {"characters": 4_000}),
        ("sms", 30, 150, {}),
        ("modem", 10, 80, {}),
    ],
)
def test_every_kind_of_channel_keeps_to_its_quota_in_a_burst_and_names_each_alarm(
    tmp_path: Path, kind: ChannelKind, most: int, count: int, options: dict[str, Any]
) -> None:
    clock = ManualClock(START_NS)
    site, robot = plant(count, tmp_path, kind=kind, options=options), FakeRobot(clock, most=most)
    run(site, clock, robot, burst(count, 20, 10), 3_000)

    assert robot.refused == 0
    assert robot.most_in(60) <= most
    named = robot.names(r"P-\d{4}\.v")
    assert sorted(named) == [f"P-{n:04d}.v" for n in range(count)], "none is lost, none is told twice"
    assert len(robot.said) < count / 2, "a digest where many wait"


@pytest.mark.parametrize("killed_s", [1.05, 6.3])
def test_a_kill_in_the_burst_loses_no_alarm_and_keeps_to_the_quota(tmp_path: Path, killed_s: float) -> None:
    count = 300
    clock = ManualClock(START_NS)
    site, robot = plant(count, tmp_path / "before"), FakeRobot(clock)
    after = replace(site, data=tmp_path / "after")
    items = burst(count, 10, 5)

    async def first() -> None:
        gateway = small_gateway(site, clock, items, channels={"ding": robot})
        async with gateway.running():
            await asyncio.sleep(killed_s - since_start_s(clock))
            shutil.copytree(site.data, after.data)
            said = len(robot.said), len(robot.tried)
        del robot.said[said[0] :], robot.tried[said[1] :]  # What a dead process would not have said.

    run_manual(first(), clock)
    run(after, clock, robot, items, 300)

    assert set(robot.names(r"P-\d{4}\.v")) == {f"P-{n:04d}.v" for n in range(count)}
    assert robot.most_in(60) <= 20
    assert robot.refused == 0


def test_few_alarms_come_one_by_one_with_all_that_is_known(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site, robot = plant(3, tmp_path), FakeRobot(clock)
    site = replace(site, page_url="https://gateway.plant.example")
    late = [
        replace(scan, received_ns=scan.received_ns + 30 * S, times_ns=scan.times_ns + 30 * S) for scan in burst(3, 1, 1)
    ]
    run(site, clock, robot, late, 60)

    assert len(robot.said) == 3
    assert robot.said[-1][0] - robot.said[0][0] < 2, "while there is room nobody waits"
    text = robot.said[0][1]
    assert "### 【红色预警】T" in text
    assert "P-0000.v 9 ≥ 高报设定值 8" in text
    assert "始于:2026-01-01 08:00:31" in text
    assert "https://gateway.plant.example/#/alarms?alarm=" in text
