"""Killed while a backlog comes: the rest of it is judged late as without the kill, by the rules of its time."""

import io
import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from sqlalchemy import select

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from edge.model import Link, Scan
from gateway.app import Gateway
from gateway.config import Site
from gateway.load import load
from gateway.record import EventLog
from gateway.replay import replay
from gateway.rules.files import disk_of
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from tests.scripted import events_of, live, run_for, small_gateway, small_site
from tests.simulation.test_kill_outlasts import kill_at, system_remarks
from tests.simulation.test_rule_swap import SITE, TAGS, apply, change
from tests.time_matrix import SOURCE, START_NS, S, tag_table
from tests.trouble import H0, scan

DOWN_S, UP_S, END_S = 11, 130, 200
NAN = math.nan
RULES = (
    replace(H0, on_delay_s=4.0, off_delay_s=3.0),
    replace(H0, id="T.v.HH", kind=Kind.HH, setpoint=9.5, tier=Tier.RED),
    Rule(id="T.v.RATE", tag="T.v", kind=Kind.RATE, setpoint=0.6, window_s=3.0, tier=Tier.YELLOW),
    Rule(id="T.v.FROZEN", tag="T.v", kind=Kind.FROZEN, setpoint=6.0, band=0.1, tier=Tier.BLUE),
    Rule(
        id="T.v.EXPRESSION:often", tag="T.v", kind=Kind.EXPRESSION, setpoint=NAN, asked=("T.v",), name="often",
        tier=Tier.ORANGE, when="count(T.v > 8, 30 s) >= 2 or (T.v > 7 for 9 s) or rate(T.v, 4 s) > 1.2",
    ),
    Rule(
        id="T.v.TREND", tag="T.v", kind=Kind.TREND, setpoint=9.5, horizon_s=20.0, alpha=0.4, samples_min=5,
        tier=Tier.YELLOW,
    ),
)  # fmt: skip


def course(second: float) -> float:
    """What the tag said while nobody heard it: waves that pass every limit, and a stretch in which it stands still."""
    if 70 <= second < 82:
        return 6.0
    return round(7.0 + 3.0 * math.sin(second / 4.0) + 0.2 * math.sin(second * 1.7), 3)


def backlog(first_s: int, last_s: int, from_s: float, each_s: float) -> list[Scan | Link]:
    """Ten seconds of quiet, an outage, and then one second of the past after the other, with live samples between."""
    count = last_s - first_s
    items: list[Scan | Link] = [
        *(scan(t, [t], [5.0 + 0.1 * (t % 2)]) for t in range(1, 11)),
        Link(source="plc", is_up=False, received_ns=START_NS + DOWN_S * S),
        Link(source="plc", is_up=True, received_ns=START_NS + UP_S * S),
        *(scan(from_s + each_s * i, [first_s + i], [course(first_s + i)]) for i in range(count)),
        *(scan(UP_S + 1.3 + i, [UP_S + 1.3 + i], [5.0 + 0.1 * (i % 2)]) for i in range(END_S - UP_S)),
    ]
    return sorted(items, key=lambda item: item.received_ns)


def late_events(site: Site) -> list[dict[str, Any]]:
    """Every late event in every field, but for the scan's number, which counts from the start of a collector."""
    found = []
    for row in events_of(site):
        if row.is_late:
            cause = {name: each for name, each in orjson.loads(row.cause).items() if name != "scan"}
            found.append({**row._asdict(), "cause": cause, "seq": 0})
    return found


def late_entries(site: Site) -> list[tuple[Any, ...]]:
    engine = open_store(store_url(site.data))
    with engine.connect() as connection:
        late = schema.register_entry.c.is_late.is_(True)
        rows = connection.execute(select(schema.register_entry).where(late).order_by(schema.register_entry.c.opened_ns))
        found = [tuple(row) for row in rows]
    engine.dispose()
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A life without a kill."""
    site = small_site(RuleTable(list(RULES), tag_table()), SOURCE, tmp_path_factory.mktemp("whole"))
    clock = ManualClock(START_NS)
    live(small_gateway(site, clock, backlog(20, 120, UP_S + 0.8, 0.6)), END_S, clock)
    return site


def test_the_story_has_late_events_of_every_rule(whole: Site) -> None:
    conditions = {event["condition"] for event in late_events(whole)}
    assert {"H", "HH", "RATE", "FROZEN", "EXPRESSION", "TREND"} <= conditions


@pytest.mark.parametrize("killed_s", [UP_S + 1.0, UP_S + 9.1, UP_S + 23.5, UP_S + 37.7, UP_S + 52.2])
def test_the_rest_of_a_backlog_is_judged_as_without_the_kill(killed_s: float, whole: Site, tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    items = backlog(20, 120, UP_S + 0.8, 0.6)
    site = small_site(RuleTable(list(RULES), tag_table()), SOURCE, tmp_path / "before")
    after = kill_at(site, clock, items, killed_s)
    record, told, again = tmp_path / "r.rec", io.BytesIO(), io.BytesIO()
    gateway = small_gateway(after, clock, items, record=record, event_log=EventLog(told, "run"))
    live(gateway, START_NS / S + END_S - clock.wall_ns() / S, clock)

    assert late_events(after) == late_events(whole)
    assert late_entries(after) == late_entries(whole)
    assert b"late_not_judged" not in b"".join(system_remarks(after))
    replay(after, record, EventLog(again, "run"))
    assert again.getvalue() == told.getvalue()


class FilesSite:
    """The site of files of the rule swaps, with a backlog of its first tag."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "site.toml"
        folder.mkdir()
        self.file.write_text(SITE, encoding="utf-8")
        (folder / "tags.csv").write_text(TAGS, encoding="utf-8")
        self.clock = ManualClock(START_NS)
        self.site = replace(load(self.file, environ={}), data=folder / "var")

    def gateway(self, data: Path, items: Sequence[Scan | Link], *, has_files: bool = True) -> Gateway:
        site = replace(load(self.file, environ={}), data=data)
        more: dict[str, Any] = {"on_disk": disk_of(self.file)} if has_files else {}
        if has_files:
            more["compile"] = lambda overlay, warnings: replace(
                load(self.file, environ={}, overlay=overlay, warnings=warnings), data=data
            )
        return small_gateway(site, self.clock, items, **more)

    def run(self, data: Path, items: Sequence[Scan | Link], until_s: float, **acts: Any) -> None:  # noqa: ANN401
        gateway = self.gateway(data, items, has_files=acts.pop("has_files", True))

        async def main() -> None:
            async with run_for(gateway, START_NS / S + until_s - self.clock.wall_ns() / S):
                for act in acts.values():
                    await act(gateway)

        run_manual(main(), self.clock)


def by_files(tmp_path: Path, change_it: Callable[[FilesSite], Any] | None, *, has_files: bool = True) -> Site:
    """The backlog passes 7.2 and 9.2 in turn; the rules change after a second of it, and the gateway is killed then."""
    plant = FilesSite(tmp_path / "plant")
    shape = backlog(20, 90, UP_S + 2.0, 0.7)
    items = [
        item if isinstance(item, Link)
        else replace(item, rows=np.zeros(1, np.int32), values=np.where(item.values > 6, item.values + 0.5, item.values))
        for item in shape
    ]  # fmt: skip
    before, after = tmp_path / "before", tmp_path / "after"
    acts: dict[str, Any] = {"swap": apply(change("T.v.HH", setpoint=8.0))}

    async def copy(_: Gateway) -> None:
        shutil.copytree(before, after)

    plant.run(before, items, UP_S + 3.2, **acts, kill=copy)
    if change_it is not None:
        change_it(plant)
    plant.run(after, items, END_S, has_files=has_files)
    return replace(plant.site, data=after)


def edit(plant: FilesSite) -> None:
    """Other rules, and a tag more before the one that is late."""
    text = plant.file.read_text(encoding="utf-8")
    plant.file.write_text(text.replace("setpoint = 5\n", "setpoint = 50\n"), encoding="utf-8")
    tags = plant.file.with_name("tags.csv")
    head, *rows = tags.read_text(encoding="utf-8").splitlines()
    tags.write_text("\n".join([head, rows[0].replace(",7,9,", ",4,5,"), *rows[1:]]) + "\n", encoding="utf-8")


@pytest.mark.parametrize("change_it", [None, edit], ids=["swapped", "swapped, and files edited while down"])
def test_the_rest_is_judged_by_the_rules_of_its_time(
    change_it: Callable[[FilesSite], Any] | None, tmp_path: Path
) -> None:
    told = [event for event in late_events(by_files(tmp_path, change_it)) if event["rule_group"] == "high"]

    assert {(event["cause"]["revision"], event["setpoint"]) for event in told} == {(1, 7.0)}
    assert [event["what"] for event in told] == ["raised", "returned"] * 2


def test_a_gap_whose_rules_cannot_be_had_is_lost_and_that_is_said(tmp_path: Path) -> None:
    """Started without files, as the rules of the first revision stood in them."""
    site = by_files(tmp_path, None, has_files=False)
    said = b"".join(system_remarks(site)).decode()

    assert said.count("late_gap_lost") == 1
    assert "the gateway was started without files" in said
    assert said.count("late_not_judged") == 1
