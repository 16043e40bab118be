"""Tags, devices and units change while a gateway runs: what changed begins anew, and nothing else is touched."""

import asyncio
import io
import math
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from sqlalchemy import select

from alerting.desk import TAG_GONE
from alerting.model.alarm import State, Suppression
from alerting.model.command import Command, Verb
from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.collect.door import Counters
from edge.config import Source
from edge.model import Link, Scan, TagTable
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.load import load
from gateway.record import EventLog
from gateway.replay import replay
from gateway.rules import revision as kept
from gateway.rules.book import Asked, By, NotApplied
from gateway.rules.change import Change
from gateway.rules.files import compile_from, disk_of
from gateway.store.schema import journal
from gateway.system import with_system
from tests.scripted import Deliver, events_of

S = 1_000_000_000
PICTURES = Path(__file__).parents[1] / "golden" / "pictures"
START_NS = 1_767_225_600 * S
BY = By(who="li", reason="the tank farm grew")
SITE = """
[site]
id = "site"
title = { en = "Site", zh = "站点" }
timezone = "Asia/Shanghai"
tags = ["tags.csv"]

[[tiering]]
lower_after_s = 3
"""
SOURCE = """
[[source]]
id = "{0}"
protocol = "modbus-tcp"
host = "127.0.0.1"
port = {1}

[[unit]]
id = "{0}-unit"
kind = "tank"
"""
HEAD = "tag,source,unit,eu,register,type,period_s,H,HH,deadband,on_delay_s,stale_s\n"


def row(name: str, source: str, *, register: int = 0, high: str = "7", on_delay_s: int = 0, eu: str = "m") -> str:
    return f"{name},{source},{source}-unit,{eu},{register},float32,1,{high},,0.5,{on_delay_s},5\n"


class Devices:
    """The devices behind the sources: what each tag says at each second, and how often each device was called.

    Attributes:
        says: Value of a tag at a second since the start.
        calls: How often a collector of each source began to run.
        lives: Collectors that run now, by source; never two of one.
        parting_s: How long each takes to let go of its connection.
    """

    def __init__(self, says: Callable[[str, int], float]) -> None:
        self.says = says
        self.calls: Counter[str] = Counter()
        self.lives: Counter[str] = Counter()
        self.most: Counter[str] = Counter()
        self.parting_s = 0.0

    def make(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> "Device":
        return Device(self, source, tags, clock, epoch, deliver)


class Device:
    """One collector: asks its device each second for all tags that it was made with."""

    def __init__(
        self, devices: Devices, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver
    ) -> None:
        self.counters = Counters()
        self._devices, self._source, self._clock, self._epoch, self._deliver = devices, source, clock, epoch, deliver
        self._rows = tags.rows_of_source(source.id)
        self._names = [tags.names[row] for row in self._rows.tolist()]

    async def run(self) -> None:
        name, devices = self._source.id, self._devices
        devices.calls[name] += 1
        devices.lives[name] += 1
        devices.most[name] = max(devices.most[name], devices.lives[name])
        try:
            self._deliver(Link(source=name, is_up=True, received_ns=self._clock.wall_ns()), None)
            number = 0
            while True:
                at_s = (self._clock.wall_ns() - START_NS) // S + 1
                await asyncio.sleep((START_NS + at_s * S - self._clock.wall_ns()) / S)
                number += 1
                n, now_ns = len(self._rows), self._clock.wall_ns()
                self.counters.samples += n
                self._deliver(
                    Scan(
                        source=name,
                        epoch=self._epoch,
                        number=number,
                        received_ns=now_ns,
                        rows=self._rows,
                        values=np.array([devices.says(tag, at_s) for tag in self._names], dtype=np.float64),
                        quality=np.zeros(n, np.uint8),
                        times_ns=np.full(n, now_ns, np.int64),
                        nature=self._source.nature,
                    ),
                    None,
                )
        finally:
            await asyncio.sleep(devices.parting_s)
            devices.lives[name] -= 1


class Plant:
    """A site of files, and gateways on it under the manual clock, one life after the other."""

    def __init__(self, folder: Path, says: Callable[[str, int], float]) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.config = folder / "site.toml"
        self.devices = Devices(says)
        self.clock = ManualClock(START_NS)

    def write(self, sources: dict[str, int], rows: str, more: str = "") -> None:
        """Put the files there: port of each source, rows of the table, more of the site file."""
        blocks = "".join(SOURCE.format(name, port) for name, port in sources.items())
        self.config.write_text(SITE + blocks + more, encoding="utf-8")
        (self.folder / "tags.csv").write_text(HEAD + rows, encoding="utf-8")

    def load(self) -> Site:
        return load(self.config, environ={})

    def gateway(self, **more: Any) -> Gateway:  # noqa: ANN401
        site = self.load()
        return Gateway(
            site,
            self.clock,
            Parts(
                historian=MemoryHistorian(with_system(site).tags),
                writer=InlineExecutor(),
                reader=InlineExecutor(),
                compiler=InlineExecutor(),
                make_collector=self.devices.make,
                compile=compile_from(self.config, site, ()),
                on_disk=disk_of(self.config),
                jitter_seed=1,
                **more,
            ),
        )

    def run(self, until_s: float, acts: dict[float, Callable[[Gateway], Awaitable[None]]], **more: Any) -> Gateway:  # noqa: ANN401
        """Live until a second since the first start; ``acts`` are done at their seconds."""
        gateway = self.gateway(**more)

        async def sleep_until(at_s: float) -> None:
            await asyncio.sleep(max(0.0, at_s - (self.clock.wall_ns() - START_NS) / S))

        async def main() -> None:
            async with gateway.running():
                for due_s, act in sorted(acts.items()):
                    await sleep_until(due_s)
                    await act(gateway)
                await sleep_until(until_s)

        run_manual(main(), self.clock)
        return gateway

    def told(self, site: Site, tag: str) -> list[tuple[str, str, float]]:
        """What happened to a tag's alarms: event, condition, second."""
        return [
            (row.what, row.condition, round((row.time_ns - START_NS) / S, 2))
            for row in events_of(site)
            if row.tag == tag
        ]


def reload(asked: Asked | None = None) -> Callable[[Gateway], Awaitable[None]]:
    async def act(gateway: Gateway) -> None:
        await gateway.rulebook.apply(asked or Asked(is_files=True), BY, None)

    return act


def order(verb: Verb, tag: str, **more: Any) -> Callable[[Gateway], Awaitable[None]]:  # noqa: ANN401
    """A person's command about the alarm of a tag."""

    async def act(gateway: Gateway) -> None:
        key = next(alarm.key for alarm in gateway.desk.alarms.values() if alarm.tag == tag)
        answer = await gateway.command(
            Command(verb=verb, alarm=key, who="wang", received_ns=gateway.clock.now_ns(), reason="seen", **more)
        )
        assert answer.refused is None, answer.refused

    return act


def alarm_of(gateway: Gateway, tag: str) -> Any:  # noqa: ANN401
    return next(alarm for alarm in gateway.desk.alarms.values() if alarm.tag == tag)


THREE = {"a": 5001, "b": 5002, "c": 5003}
ROWS = row("A.x", "a") + row("B.x", "b", on_delay_s=10) + row("C.x", "c")


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """Three devices; A and C are beyond their limit from the fourth second on, B from the second."""
    since = {"A": 4, "B": 2, "C": 4, "N": 1}
    plant = Plant(tmp_path / "plant", lambda tag, at_s: 8.0 if at_s >= since.get(tag[0], 10**6) else 1.0)
    plant.write(THREE, ROWS)
    return plant


def change_one(plant: Plant) -> Callable[[Gateway], Awaitable[None]]:
    """Another register of C, and a new tag of C above all others, so that all rows move."""

    async def act(gateway: Gateway) -> None:
        plant.write(THREE, row("C.0", "c", register=8) + ROWS.replace("C.x,c,c-unit,m,0", "C.x,c,c-unit,m,2"))
        await reload()(gateway)

    return act


def test_a_reload_that_changes_one_device_restarts_one_device(plant: Plant) -> None:
    gateway = plant.run(20, {6.5: change_one(plant)})

    assert plant.devices.calls == {"a": 1, "b": 1, "c": 2}
    assert set(plant.devices.most.values()) == {1}, "a new collector waits for the old one to let go"
    marks = {name: (state.epoch, state.number) for name, state in gateway.intake.state.items()}
    assert marks["a"][1] in (19, 20)
    assert marks["b"] == marks["a"]
    assert marks["c"][0] == marks["a"][0] + 1
    assert marks["c"][1] < 15
    assert gateway.intake.refused == dict.fromkeys(gateway.intake.refused, 0)
    assert [tag.name for tag in gateway.site.tags][:4] == ["C.0", "A.x", "B.x", "C.x"]


def test_a_second_reload_waits_for_a_device_that_is_still_letting_go(plant: Plant) -> None:
    """Two clients of one broker session, one port or one serial line would throw each other out."""
    plant.devices.parting_s = 3.0

    async def again(gateway: Gateway) -> None:
        plant.write(THREE, ROWS.replace("C.x,c,c-unit,m,0", "C.x,c,c-unit,m,4"))
        await reload()(gateway)

    gateway = plant.run(12, {4.5: change_one(plant), 5.5: again})
    assert plant.devices.most == {"a": 1, "b": 1, "c": 1}
    assert gateway.collecting.started == {"a": 1, "b": 1, "c": 2}
    assert {status.id: status.is_up for status in gateway.sources()} == {"a": True, "b": True, "c": True}
    assert plant.devices.lives == {"a": 0, "b": 0, "c": 0}


def test_a_delay_under_way_on_another_device_goes_on_counting(plant: Plant) -> None:
    gateway = plant.run(16, {6.5: change_one(plant)})

    assert plant.told(gateway.site, "B.x") == [("raised", "H", 12.0)]


def test_alarms_of_the_rest_stay_as_they_are(plant: Plant) -> None:
    acts = {5.2: order(Verb.ACK, "A.x"), 6.5: change_one(plant)}
    gateway = plant.run(12, acts)

    alarm = alarm_of(gateway, "A.x")
    assert (alarm.state, alarm.acked_by, alarm.onset_ns) == (State.ACKED, "wang", START_NS + 4 * S)
    assert [what for what, *_ in plant.told(gateway.site, "A.x")] == ["raised", "acknowledged"]


def test_values_come_under_their_own_name_after_all_rows_have_moved(plant: Plant) -> None:
    says = {"A.x": 1.5, "B.x": 2.5, "C.x": 3.5, "C.0": 4.5}
    plant.devices.says = lambda tag, _: says[tag]
    gateway = plant.run(12, {6.5: change_one(plant)})

    shown = {name: gateway.picture.values[row] for name, row in gateway.site.tags.row_of.items() if name in says}
    assert shown == says
    memory = gateway.desk.memory(gateway.site.tags[0].nature)
    assert {name: memory.value[gateway.site.tags.row_of[name]] for name in says} == says

    async def kept_values(name: str) -> set[float]:
        series = await gateway.historian.range(gateway.site.tags.row_of[name], START_NS, START_NS + 99 * S, 999)
        return set(series.values[series.count > 0].tolist())

    for name, value in says.items():
        assert asyncio.run(kept_values(name)) == {value}, name


def test_a_device_that_is_removed_closes_its_alarms_and_one_that_comes_is_asked(plant: Plant) -> None:
    async def act(gateway: Gateway) -> None:
        plant.write({"a": 5001, "b": 5002, "n": 5004}, row("A.x", "a") + row("B.x", "b") + row("N.x", "n"))
        await reload()(gateway)

    gateway = plant.run(14, {7.5: act})

    assert plant.devices.calls == {"a": 1, "b": 1, "c": 1, "n": 1}
    assert plant.devices.lives["c"] == 0
    alarm = alarm_of(gateway, "C.x")
    assert (alarm.state, alarm.is_active) == (State.NORMAL, False)
    told = [event for event in events_of(gateway.site) if event.tag == "C.x"]
    assert [event.what for event in told] == ["raised", "cleared"]
    assert orjson.loads(told[-1].cause)["reason"] == TAG_GONE
    assert plant.told(gateway.site, "N.x") == [("raised", "H", 8.0)]
    assert "fengsui.link.c" not in gateway.site.tags.row_of
    assert not gateway.desk.entries.keys() & {(alarm.nature, "c-unit")}, "no entry waits for a unit that is no more"
    assert {status.id for status in gateway.sources()} == {"a", "b", "n"}


def test_a_reload_shortens_the_shelves_to_come_and_leaves_those_that_stand(plant: Plant) -> None:
    async def act(gateway: Gateway) -> None:
        text = plant.config.read_text("utf-8")
        plant.config.write_text(text + "\n[shelving]\nmax_minutes = { BLUE = 5 }\n", "utf-8")
        await reload()(gateway)

    refused: list[dict[str, str] | None] = []

    async def too_long(gateway: Gateway) -> None:
        key = alarm_of(gateway, "A.x").key
        until_ns = START_NS + 900 * S
        answer = await gateway.command(
            Command(verb=Verb.SHELVE, alarm=key, who="wang", reason="r", received_ns=0, until_ns=until_ns)
        )
        refused.append(answer.refused)

    shelf = order(Verb.SHELVE, "C.x", until_ns=START_NS + 900 * S)
    gateway = plant.run(12, {5.5: shelf, 7.5: act, 9.5: too_long})

    alarm = alarm_of(gateway, "C.x")
    assert (alarm.suppression, alarm.suppressed_until_ns) == (Suppression.SHELVED, START_NS + 900 * S)
    assert refused[0] is not None
    assert refused[0]["en"].endswith("may be shelved for at most 5 minutes.")
    assert gateway.site.philosophy.shelving.named() == {"BLUE": 5, "YELLOW": 5, "ORANGE": 5, "RED": 5}


def test_a_shelf_on_a_removed_tag_ends_with_it(plant: Plant) -> None:
    async def act(gateway: Gateway) -> None:
        plant.write(THREE, ROWS.replace("C.x", "C.y"))
        await reload()(gateway)

    acts = {5.5: order(Verb.SHELVE, "C.x", until_ns=START_NS + 900 * S), 7.5: act}
    gateway = plant.run(12, acts)

    alarm = alarm_of(gateway, "C.x")
    assert (alarm.state, alarm.suppression) == (State.NORMAL, Suppression.NONE)
    assert [what for what, *_ in plant.told(gateway.site, "C.x")] == ["raised", "shelved", "unshelved", "cleared"]


def test_a_new_tag_is_stale_when_it_says_nothing_from_now_on_and_not_before(plant: Plant) -> None:
    """The device behind it gives no sample of it; 5 s after the reload at 20.5 it rings, not at once."""
    plant.write({**THREE, "n": 5004}, ROWS + row("N.y", "n"))

    def make(source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Device:
        device = Device(plant.devices, source, tags, clock, epoch, deliver)
        if source.id == "n":
            device._rows = np.empty(0, np.int32)  # noqa: SLF001 - a device that answers and says nothing
            device._names = []  # noqa: SLF001
        return device

    plant.devices.make = make  # type: ignore[method-assign]

    async def act(gateway: Gateway) -> None:
        plant.write({**THREE, "n": 5004}, ROWS + row("N.y", "n") + row("N.x", "n", register=4))
        await reload()(gateway)

    gateway = plant.run(30, {20.5: act})

    told = plant.told(gateway.site, "N.x")
    assert [(what, condition) for what, condition, _ in told] == [("raised", "STALE")]
    assert told[0][2] == pytest.approx(25.5, abs=0.6)


def test_what_a_tag_said_at_another_address_does_not_count(plant: Plant) -> None:
    """B waits in its on-delay when its register changes: what was beyond the limit was another value."""
    seen: list[float] = []

    async def act(gateway: Gateway) -> None:
        plant.devices.says = lambda tag, at_s: 1.0 if tag == "B.x" else 8.0
        plant.write(THREE, ROWS.replace("B.x,b,b-unit,m,0", "B.x,b,b-unit,m,6"))
        await reload()(gateway)
        memory = gateway.desk.memory(gateway.site.tags[0].nature)
        seen.append(float(memory.value[gateway.site.tags.row_of["B.x"]]))

    gateway = plant.run(20, {10.5: act})

    assert np.isnan(seen[0])
    assert plant.told(gateway.site, "B.x") == []


def test_titles_and_units_move_without_a_restart_of_any_device(plant: Plant) -> None:
    async def act(gateway: Gateway) -> None:
        moved = ROWS.replace("A.x,a,a-unit", "A.x,a,b-unit")
        plant.write(THREE, moved, more='\n[[unit]]\nid = "spare"\nkind = "room"\n')
        await reload()(gateway)

    gateway = plant.run(12, {6.5: act})

    assert set(plant.devices.calls.values()) == {1}
    assert alarm_of(gateway, "A.x").unit == "b-unit"
    assert {unit for _, unit in gateway.desk.entries} == {"b-unit", "c-unit"}
    assert "spare" in gateway.picture.tiers


def test_all_mistakes_are_told_and_nothing_is_touched(plant: Plant) -> None:
    found: list[NotApplied] = []

    async def act(gateway: Gateway) -> None:
        wrong = ROWS.replace("A.x,a,a-unit,m,0,float32", "A.x,a,a-unit,m,0,float31").replace("C.x,c", "C.x,d")
        plant.write(THREE, wrong)
        with pytest.raises(NotApplied) as refused:
            await reload()(gateway)
        found.append(refused.value)

    gateway = plant.run(10, {6.5: act})

    mistakes = {(mistake.line, mistake.path) for mistake in found[0].checked.mistakes}
    assert {(2, "type"), (4, "source")} <= mistakes
    assert set(plant.devices.calls.values()) == {1}
    assert gateway.rulebook.number == 1


def test_a_recording_over_reloads_replays_to_the_same_events(plant: Plant, tmp_path: Path) -> None:
    record, live, again = tmp_path / "r.rec", io.BytesIO(), io.BytesIO()
    site = plant.load()

    async def remove(gateway: Gateway) -> None:
        plant.write({"a": 5001, "n": 5004}, row("N.x", "n") + row("A.x", "a", high="9"))
        await reload()(gateway)

    acts = {6.5: change_one(plant), 9.5: remove, 12.5: reload(Asked(undo=2)), 15.5: reload(Asked(undo=1))}
    plant.run(20, acts, record=record, event_log=EventLog(live, "live"))
    replay(site, record, EventLog(again, "replay"))

    def lines(raw: bytes) -> list[dict[str, Any]]:
        return [{k: v for k, v in orjson.loads(line).items() if k != "run"} for line in raw.splitlines()]

    assert lines(again.getvalue()) == lines(live.getvalue())
    assert len(lines(live.getvalue())) >= 8
    assert b"127.0.0.1" not in record.read_bytes(), "a recording holds no addresses"


# ------------------------------------------------------------------------------------------------- revisions, restart


def revisions(gateway: Gateway) -> list[kept.Revision]:
    with gateway.engine.connect() as connection:
        return kept.listed(connection, 100)


def table(gateway: Gateway, rows: str) -> Asked:
    assert "tags.csv" in gateway.site.files
    return Asked(tables={"tags.csv": (HEAD + rows).encode()})


def test_a_table_that_was_uploaded_holds_over_a_restart_and_undo_brings_the_old_one_back(plant: Plant) -> None:
    async def upload(gateway: Gateway) -> None:
        await gateway.rulebook.apply(table(gateway, ROWS + row("A.y", "a", register=4)), BY, 1)

    first = plant.run(6, {3.5: upload})
    assert "A.y" in first.site.tags.row_of
    assert "A.y" not in plant.load().tags.row_of, "the disk is as it was"

    second = plant.run(12, {9.5: reload(Asked(undo=1))})
    assert plant.devices.calls == {"a": 2 + 2, "b": 2, "c": 2}
    assert "A.y" not in second.site.tags.row_of
    assert not second.rulebook.overlay
    newest, before, _ = revisions(second)
    assert (newest.undoes, newest.who, newest.reason) == (1, "li", "the tank farm grew")
    assert [(each.part, each.name, each.after is None) for each in newest.others] == [("tag", "A.y", True)]
    assert [(each.part, each.name, each.before is None) for each in before.others] == [("tag", "A.y", True)]


def test_a_file_changed_here_and_on_the_disk_is_asked_about(plant: Plant) -> None:
    found: list[NotApplied] = []

    async def both(gateway: Gateway) -> None:
        await gateway.rulebook.apply(table(gateway, ROWS + row("A.y", "a", register=4)), BY, 1)
        plant.write(THREE, ROWS + row("A.z", "a", register=6))
        with pytest.raises(NotApplied) as refused:
            await reload()(gateway)
        found.append(refused.value)
        await reload(Asked(is_forgotten=True))(gateway)

    gateway = plant.run(6, {3.5: both})

    assert (found[0].code, "which of the two counts" in str(found[0])) == ("mistakes", True)
    assert "A.z" in gateway.site.tags.row_of
    assert "A.y" not in gateway.site.tags.row_of
    assert not gateway.rulebook.overlay


def test_tags_changed_while_the_gateway_was_down_are_a_revision(plant: Plant) -> None:
    plant.run(3, {})
    plant.write(THREE, ROWS + row("A.y", "a", register=4))
    gateway = plant.run(6, {})

    newest = revisions(gateway)[0]
    assert (newest.number, newest.origin, [each.name for each in newest.others]) == (2, "files", ["A.y"])


def test_rules_changed_on_top_stay_when_the_tables_change(plant: Plant) -> None:
    acts = {3.5: reload(Asked(changes=(Change(rule="A.x.H", set={"setpoint": 9.0}),))), 6.5: change_one(plant)}
    gateway = plant.run(10, acts)

    rules = {rule.id: (rule.setpoint, rule.revision) for rule in gateway.desk.table}
    assert rules["A.x.H"] == (9.0, 2)
    assert rules["C.x.H"] == (7.0, 1)
    assert rules["C.0.H"] == (7.0, 3)


# ----------------------------------------------------------------------------------------------------- kill, oracle


class KilledError(Exception):
    """The machine lost its power."""


@pytest.mark.parametrize("is_before", [True, False])
def test_killed_while_applying_it_is_all_there_or_not_at_all(plant: Plant, is_before: bool) -> None:
    """The power goes in the swap's transaction: before its commit, or right after it."""

    async def killed(gateway: Gateway) -> None:
        write = gateway.store.write

        async def dying(fn: Callable[[Any], Any], **more: Any) -> Any:  # noqa: ANN401
            if gateway.rulebook.number == 1:
                return await write(fn, **more)
            if not is_before:
                await write(fn, **more)
            raise KilledError

        gateway.store.write = dying  # type: ignore[method-assign]
        asked = table(gateway, ROWS.replace("C.x,c,c-unit,m,0", "C.x,c,c-unit,m,2") + row("A.y", "a", register=4))
        await gateway.rulebook.apply(asked, BY, 1)

    with pytest.raises(BaseException) as died:  # noqa: PT011 - what comes first through the task group
        plant.run(12, {6.5: killed})
    assert died.type is KilledError or died.type is asyncio.CancelledError

    gateway = plant.run(16, {})
    number = 1 if is_before else 2
    assert gateway.rulebook.number == number
    assert ("A.y" in gateway.site.tags.row_of) is (number == 2)
    assert [each.number for each in revisions(gateway)] == list(range(number, 0, -1))
    assert plant.told(gateway.site, "B.x") == [("raised", "H", 12.0)]
    with gateway.engine.connect() as connection:
        actions = [orjson.loads(r.body)["action"] for r in connection.execute(select(journal)) if r.kind == "audit"]
    assert actions.count("configuration_changed") == number - 1


def wave(tag: str, at_s: int) -> float:
    """A value that goes through its limits at its own times, the same in every life."""
    seed = sum(map(ord, tag))
    return 5.0 + 4.0 * math.sin(0.37 * at_s + seed) + 2.0 * math.sin(0.11 * at_s * (1 + seed % 3))


def random_rows(rng: np.random.Generator) -> tuple[dict[str, int], str]:
    """Give some devices, at one of two ports each, and some tags: these come, go and move to other rows.

    Limits and addresses stay: what a changed one does at once a restart does with the next sample.
    """
    chosen = rng.permutation(9)[: rng.integers(4, 9)].tolist()
    rows = [row(f"{'ABC'[n % 3]}.{n}", "abc"[n % 3], register=2 * n, on_delay_s=(0, 3, 8)[n // 3]) for n in chosen]
    names = sorted({each.split(",")[1] for each in rows})
    return {name: 5001 + int(rng.integers(0, 2)) * 10 for name in names}, "".join(rows)


def edited(plant: Plant, files: tuple[dict[str, int], str]) -> Callable[[Gateway], Awaitable[None]]:
    async def act(gateway: Gateway) -> None:
        plant.write(*files)
        await reload()(gateway)

    return act


@pytest.mark.parametrize("seed", range(3))
def test_random_reloads_come_to_what_a_restart_comes_to(tmp_path: Path, seed: int) -> None:
    """The oracle: the gateway is stopped at the same seconds and started on the same files and the same state."""
    told: list[dict[str, list[tuple[str, str, float]]]] = []
    stand: list[dict[str, tuple[Any, ...]]] = []
    for is_hot in (True, False):
        rng = np.random.default_rng(seed)
        plant = Plant(tmp_path / ("hot" if is_hot else "cold"), wave)
        plant.write(*random_rows(rng))
        edits = {at_s: random_rows(rng) for at_s in (9.5, 21.5, 30.5)}

        if is_hot:
            gateway = plant.run(45, {at_s: edited(plant, files) for at_s, files in edits.items()})
        else:
            for at_s, files in edits.items():
                plant.run(at_s, {})
                plant.write(*files)
            gateway = plant.run(45, {})
        assert gateway.rulebook.number == 4
        site = gateway.site
        tags = {event.tag for event in events_of(site) if not event.tag.startswith("fengsui")} - {""}
        told.append({tag: plant.told(site, tag) for tag in sorted(tags)})
        alarms = [alarm for alarm in gateway.desk.alarms.values() if not alarm.tag.startswith("fengsui")]
        stand.append(
            {each.key: (each.tag, each.state, each.tier, each.rule, each.onset_ns, each.ordinal) for each in alarms}
        )
    hot, cold = told
    assert sum(map(len, hot.values())) >= 8
    assert hot == cold
    assert stand[0] == stand[1]


def test_a_reload_brings_posts_and_a_site_plan_and_touches_no_alarm(plant: Plant) -> None:
    added = '\n[[shift]]\nid = "day"\nfrom = "08:00"\nto = "20:00"\n\n[[post]]\nid = "board"\nshifts = ["day"]\n'

    corners = "120.0000 30.001; 120.0020 30.001; 120.0000 30.000132"
    added += f'\n[risk.plan]\nfile = "plan.bin"\ncorners = "{corners}"\n'
    seen: list[tuple[str, bytes]] = []

    def draw(name: str) -> Callable[[Gateway], Awaitable[None]]:
        async def act(gateway: Gateway) -> None:
            (plant.folder / "plan.bin").write_bytes((PICTURES / name).read_bytes())
            await reload()(gateway)
            plan = gateway.picture.site.risk.plan
            assert plan is not None
            seen.append((plan.type, gateway.site.files[plan.file]))

        return act

    async def act(gateway: Gateway) -> None:
        plant.config.write_text(plant.config.read_text("utf-8") + added, "utf-8")
        await draw("plan.png")(gateway)

    gateway = plant.run(12, {7.5: act, 8.5: draw("plan.jpg")})

    assert [post.id for post in gateway.site.roster.posts] == ["board"]
    pictures = [(PICTURES / name).read_bytes() for name in ("plan.png", "plan.jpg")]
    assert seen == list(zip(("image/png", "image/jpeg"), pictures, strict=True)), "the picture alone is a change too"
    assert alarm_of(gateway, "A.x").ordinal == 1
