"""A drill on a whole gateway in manual time: exercise from sensor to authority, and nothing actual is touched by it."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from sqlalchemy import select

from edge.clock import Clock
from edge.clock_manual import ManualClock, run_manual
from edge.config import Source
from edge.disk import SystemDisk
from edge.model import Nature, TagTable
from gateway.api import make_app
from gateway.app import Gateway, Parts
from gateway.auth import make_link
from gateway.config import Site
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.meter import Stage
from gateway.simulate.authority import Authority
from gateway.simulate.field import Staged
from gateway.simulate.known import load_site, site_of
from gateway.store import schema
from gateway.store.engine import open_store, store_url
from gateway.store.verify import verify
from simulators.plant.kinds import PLANTS

START_NS = 1_767_225_600_000_000_000
NS = 1_000_000_000
TAG = "TK-912.level"
PLAN = {
    "code": "EP-1", "name": "Overfill", "sort": "special", "accident": "26", "tier": "YELLOW", "unit": "TK-912",
    "steps": "1 | stop the pump | leader | 5\n2 | count the people | leader | 5 | 1",
}  # fmt: skip


def site_in(folder: Path) -> Site:
    kind = PLANTS["petrol-depot"]
    site = load_site(site_of(None, kind), kind, kind.make(np.random.default_rng(0)).tags)
    natures = (Nature.TEST, Nature.EXERCISE)
    told = tuple(replace(each, natures=natures) for each in site.destinations)
    return replace(site, data=folder, destinations=told)


class Plant:
    """The plant itself, which stands still: each tag keeps its value, until a test says otherwise."""

    def __init__(self, gateway_site: Site) -> None:
        self.mouths: list[Staged] = []
        works = PLANTS["petrol-depot"].make(np.random.default_rng(0))
        self.values = dict.fromkeys(gateway_site.tags.names, 1.0) | dict(zip(works.tags, works.shown(), strict=True))
        self.values[TAG] = self.at_rest = float(works.shown()[works.tags.index(TAG)])

    def make(self, source: Source, tags: TagTable, at: Clock, epoch: int, deliver: Any) -> Staged:  # noqa: ANN401
        self.mouths.append(Staged(source, tags, at, epoch, deliver))
        return self.mouths[-1]

    async def run(self, gateway: Gateway) -> None:
        for mouth in self.mouths:
            mouth.link(is_up=True)
        while True:
            for mouth in self.mouths:
                rows = gateway.site.tags.rows_of_source(mouth.source.id)
                values = np.array([self.values[gateway.site.tags.names[row]] for row in rows])
                mouth.scan(rows, values, np.full(len(rows), gateway.clock.wall_ns()))
            await asyncio.sleep(4.0)


class Desk:
    def __init__(self, client: httpx.AsyncClient, gateway: Gateway, plant: Plant) -> None:
        self.client, self.gateway, self.plant = client, gateway, plant

    async def get(self, path: str) -> Any:  # noqa: ANN401
        answer = await self.client.get(f"/api/v1/{path}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def post(self, path: str, status: int = 200, **body: Any) -> Any:  # noqa: ANN401
        answer = await self.client.post(f"/api/v1/{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


Story = Callable[[Desk], Awaitable[None]]
pytestmark = pytest.mark.timeout(240)  # About 8 s of an idle processor each; more is no slowness, something spins.


def played(folder: Path, story: Story, *, role: str = "safety_officer", start_ns: int = START_NS) -> ManualClock:
    clock = ManualClock(start_ns)
    site = site_in(folder)
    plant = Plant(site)
    authorities = {each.id: Authority(each, clock, folder / "authority") for each in site.destinations}
    gateway = Gateway(
        site,
        clock,
        Parts(
            historian=MemoryHistorian(site.tags),
            writer=InlineExecutor(),
            reader=InlineExecutor(),
            compiler=InlineExecutor(),
            drills=InlineExecutor(),
            make_collector=plant.make,
            jitter_seed=1,
            channels=authorities,
        ),
    )

    async def main() -> None:
        async with gateway.running():
            feeding = asyncio.create_task(plant.run(gateway))
            transport = httpx.ASGITransport(make_app(gateway, dist=folder / "dist"), client=("10.1.2.3", 5))
            async with httpx.AsyncClient(
                transport=transport, base_url="http://g", headers={"X-Fengsui-Request": "1"}
            ) as client:
                await client.get(f"/login/{make_link(gateway.engine, 'chen', role, clock)}")
                await asyncio.sleep(3)
                try:
                    await story(Desk(client, gateway, plant))
                finally:
                    feeding.cancel()
        assert {stage: gateway.meter.balance(stage) for stage in Stage} == dict.fromkeys(Stage, 0)

    run_manual(main(), clock)
    return clock


def rows(desk: Desk, table: Any) -> list[Any]:  # noqa: ANN401
    with desk.gateway.engine.connect() as connection:
        return list(connection.execute(select(table)).all())


def doubts(folder: Path) -> list[str]:
    engine = open_store(store_url(folder))
    with engine.connect() as connection:
        report = verify(connection, SystemDisk(folder))
    engine.dispose()
    return [finding.sentence for finding in report.findings]


async def settled(desk: Desk) -> dict[str, Any]:
    """Wait until the drill is over; give its record."""
    for _ in range(400):
        if (await desk.get("response/drills/current"))["drill"] is None:
            break
        await asyncio.sleep(10)
    found: dict[str, Any] = await desk.get("response/drills/1")
    return found


def test_a_drill_is_exercise_from_sensor_to_authority_and_touches_nothing_actual(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        answer = await desk.client.post("/api/v1/register/ledgers/plans", json={"values": PLAN, "reason": "x"})
        assert answer.status_code == 200, answer.text
        asked = {"story": "buncefield", "reason": "yearly drill", "seed": 7}
        await desk.post("response/drills/start", 404, **asked, plan="EP-9")
        begun = await desk.post("response/drills/start", **asked, plan="EP-1")
        assert (begun["number"], begun["state"], begun["seed"], begun["begun_by"]) == (1, "running", 7, "chen")
        assert desk.gateway.picture.status()["drill"]["title"]["zh"], "every page says so"
        await asyncio.sleep(60)
        waiting = (await desk.get("response/drills/current"))["drill"]
        assert {each["standing"] for each in waiting["expectations"]} == {"waiting"}
        assert waiting["happened"][0]["at_s"] <= 60
        await asyncio.sleep(500)  # The gauge froze at 300 s; what stands still while the tank fills rings 3 min later.
        going = (await desk.get("response/drills/current"))["drill"]
        (alarm, *_) = (await desk.get("alarms"))["alarms"]
        assert (alarm["nature"], alarm["tag"]) == ("exercise", TAG)
        assert desk.gateway.picture.status()["unacked"] == 0, "an exercise alarm is in no count of the page"
        assert desk.gateway.picture.tiers["TK-912"].name == "NONE"
        kpi = await desk.get("kpi")
        assert (kpi["active"], kpi["rings_10_min"]) == (0, 0)
        await desk.post(f"alarms/{alarm['key']}/ack", comment="we see it")
        assert going["score"]["steps"][0]["stand"] == "open", "its plan opened with the alarm"
        await desk.post("response/drills/1/step", step="1", note="pump stopped")
        assert "met" in {each["standing"] for each in going["expectations"]}
        over = await settled(desk)
        assert (over["state"], over["passed"]) == ("finished", True), over["verdict"]
        (rang,) = [each for each in over["alarms"] if each["id"] == alarm["id"]]
        assert (rang["acked_by"], rang["ended"] is not None) == ("chen", True)
        assert rang["acked_after_s"] > 0
        score = over["score"]
        assert [(one["mark"], one["by"]) for one in score["steps"]] == [("in_time", "chen"), ("skipped", "")]
        assert (score["percent"], score["kept"]) == (50.0, False)
        assert rows(desk, schema.incident) == [], "a drill opens no incident"
        plan = (await desk.get("register/ledgers/plans"))["records"][0]["values"]
        assert (plan["drilled_on"], plan["drill_due"]) == ("2026-01-01", "2027-01-01")
        assert over["verdict"]["milestones"]["TK-912 runs over"] > 8_000
        assert {each["state"] for each in over["notices"]} == {"delivered"}
        assert [each["action"] for each in over["notices"]][-1] == "cancel", "the authority knows that it is over"
        natures = {row.nature for row in rows(desk, schema.event)}
        assert natures == {"exercise"}, "the plant itself was quiet"
        assert {row.nature for row in rows(desk, schema.journal) if row.kind == "event"} == {"exercise"}
        assert {row.nature for row in rows(desk, schema.outbox)} == {"exercise"}
        bodies = [json.loads(row.body) for row in rows(desk, schema.outbox)]
        assert all(body["nature"] == "exercise" for body in bodies)
        assert all("【演练】" in json.dumps(body, ensure_ascii=False) for body in bodies)
        assert {row.nature for row in rows(desk, schema.register_entry)} == {"exercise"}
        assert all(row.closed_ns for row in rows(desk, schema.register_entry))
        assert {row.state for row in rows(desk, schema.response_task)} <= {"void"}
        assert rows(desk, schema.unit_tier) == []
        assert (await desk.get("alarms"))["alarms"] == []
        acts = [act["act"] for act in (await desk.get("audit"))["acts"]]
        assert [(a["action"], a["who"]) for a in acts if str(a["action"]).startswith("drill")] == [
            ("drill_finished", "fengsui"), ("drill_step_done", "chen"), ("drill_begun", "chen"),
        ]  # fmt: skip
        row = desk.gateway.site.tags.row_of[TAG]
        kept = await desk.gateway.historian.range(row, 0, 2**62, 100_000, Nature.EXERCISE)
        own = await desk.gateway.historian.range(row, 0, 2**62, 100_000)
        assert len(kept.values) > 200
        assert set(own.values) == {desk.plant.at_rest}, "values of both natures are kept apart"

    played(tmp_path, story)
    assert doubts(tmp_path) == []


def test_a_real_alarm_pauses_a_drill_and_nothing_is_lost_by_it(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.post("response/drills/start", story="buncefield", reason="drill", seed=7)
        await asyncio.sleep(100)
        desk.plant.values["TK-915.hh_switch"] = 1.0
        await asyncio.sleep(30)
        paused = (await desk.get("response/drills/current"))["drill"]
        assert paused["state"] == "paused"
        assert "TK-915" in paused["pauses"][0]["why"]
        at_s = paused["at_s"]
        refused = await desk.post("response/drills/resume", 409, reason="go on")
        assert "TK-915" in refused["error"]["details"]["zh"]
        await asyncio.sleep(120)
        assert (await desk.get("response/drills/current"))["drill"]["at_s"] == at_s, "the drill's time stands still"
        listed = (await desk.get("alarms"))["alarms"]
        assert {each["nature"] for each in listed} == {"test"}, "no instrument of the drill fell silent meanwhile"
        desk.plant.values["TK-915.hh_switch"] = 0.0
        await asyncio.sleep(330)  # A tier stays for a while after its conditions.
        assert (await desk.get("response/drills/current"))["drill"]["state"] == "paused", "it never goes on by itself"
        await desk.post("response/drills/resume", reason="the real alarm is over")
        over = await settled(desk)
        assert over["passed"] is True, over["verdict"]
        assert over["pauses"][0]["to"] is not None
        (first,) = [each for each in over["timeline"] if each["event"] == "raised"][:1]
        assert first["time"] > over["pauses"][0]["to"], "what rang after the pause is told by the wall"

    played(tmp_path, story)


def test_what_is_refused(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        listed = {each["name"]: each for each in (await desk.get("response/drills/stories"))["stories"]}
        assert listed["buncefield"]["playable"]
        assert not listed["lpg_hose"]["playable"]
        assert (await desk.post("response/drills/start", 404, story="nowhere", reason="r"))["error"]["details"]["zh"]
        lacks = await desk.post("response/drills/start", 409, story="lpg_hose", reason="r")
        assert "GD-501" in lacks["error"]["message"]
        await desk.post("response/drills/start", 422, story="buncefield", reason="")
        await desk.post("response/drills/stop", 409, reason="none goes on")
        await desk.post("response/drills/start", story="buncefield", reason="r")
        second = await desk.post("response/drills/start", 409, story="buncefield", reason="r")
        assert "goes on already" in second["error"]["message"]
        await desk.post("response/drills/pause", reason="a visitor")
        await desk.post("response/drills/pause", 409, reason="again")
        stopped = await desk.post("response/drills/stop", reason="enough")
        assert (stopped["state"], stopped["passed"], stopped["ended_by"]) == ("stopped", None, "chen")
        desk.plant.values["TK-915.hh_switch"] = 1.0
        await asyncio.sleep(30)
        rings = await desk.post("response/drills/start", 409, story="buncefield", reason="r")
        assert "真实报警" in rings["error"]["details"]["zh"]

    played(tmp_path, story)


@pytest.mark.parametrize(("role", "may_start", "may_stop"), [("operator", False, True), ("viewer", False, False)])
def test_who_may_lead_one(tmp_path: Path, role: str, may_start: bool, may_stop: bool) -> None:
    async def story(desk: Desk) -> None:
        await desk.post("response/drills/start", 200 if may_start else 403, story="buncefield", reason="r")
        await desk.post("response/drills/stop", 409 if may_stop else 403, reason="r")

    played(tmp_path, story, role=role)


def test_a_restart_breaks_a_drill_off_and_says_so(tmp_path: Path) -> None:
    state: dict[str, Any] = {}

    async def first(desk: Desk) -> None:
        await desk.post("response/drills/start", story="buncefield", reason="drill", seed=7)
        await asyncio.sleep(600)
        state["rang"] = (await desk.get("alarms"))["alarms"]
        assert [each["nature"] for each in state["rang"]] == ["exercise"]
        (task,) = [task for task in asyncio.all_tasks() if task.get_name() == "drill"]
        task.cancel()  # As kill -9: nothing is written on the way out.
        await asyncio.wait({task})

    async def second(desk: Desk) -> None:
        record = await desk.get("response/drills/1")
        assert (record["state"], record["passed"], record["ended_by"]) == ("broken_off", None, "fengsui")
        assert "stopped in the middle" in record["ended_why"]
        assert (await desk.get("alarms"))["alarms"] == [], "no exercise alarm outlives its drill"
        assert all(row.closed_ns for row in rows(desk, schema.register_entry))
        assert [row.action for row in rows(desk, schema.outbox)][-1] == "cancel"
        assert desk.gateway.picture.status()["drill"] is None
        await desk.post("response/drills/start", story="buncefield", reason="again", seed=7)
        await desk.post("response/drills/stop", reason="r")

    clock = played(tmp_path, first)
    played(tmp_path, second, start_ns=clock.wall_ns() + 60 * NS)
    assert doubts(tmp_path) == []
