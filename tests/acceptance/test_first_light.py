"""First light: the whole demonstration on real protocols, looked at through public doors only."""

import json
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from paho.mqtt import publish

from edge.clock_system import SystemClock
from gateway.auth import make_link
from gateway.demo import Stage, await_port, await_ready, set_stage
from gateway.live import iso
from gateway.store.engine import open_store, store_url
from simulators.regulator.ledger import Ledger
from tests.scripted import NS

STORY_S = 42.0

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(200)]


@dataclass(slots=True)
class Seen:
    """What the doors said at the end of the story, and what was left behind after it."""

    stage: Stage
    alarms: list[dict[str, Any]]
    units: list[dict[str, Any]]
    entries: list[dict[str, Any]]
    tasks: list[dict[str, Any]]
    notices: list[dict[str, Any]]
    flow: dict[str, Any]
    why: dict[str, Any]
    history: dict[str, Any]
    metrics: str
    refused: httpx.Response
    acked: httpx.Response


def fengsui(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway.cli", *arguments], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Play the story once and look."""
    data = tmp_path_factory.mktemp("first_light")
    stage = set_stage(data, seed=1)
    clock = SystemClock()
    engine = open_store(store_url(stage.data))
    token = make_link(engine, "zhang", "safety_officer", clock)
    with ExitStack() as ending:
        children = [stage.start_broker(), stage.start_regulator()]
        await_port(stage.ports["broker"], children, threading.Event())
        children.append(stage.start_plant())
        began = time.monotonic()
        gateway = stage.start_gateway("--record", str(data / "live.rec"), "--events", str(data / "live.jsonl"))
        for child in (*children, gateway):
            ending.callback(child.stop)
        await_ready(stage, [gateway], threading.Event())
        for payload in ("<script>alert(1)</script>", b"\x00\xff" * 40, "x" * 300_000):
            publish.single("plant/gas/GD-311", payload, qos=1, hostname="127.0.0.1", port=stage.ports["broker"])
        time.sleep(max(0.0, began + STORY_S - time.monotonic()))
        with httpx.Client(base_url=stage.page, trust_env=False, headers={"X-Fengsui-Request": "1"}) as client:
            client.get(f"/login/{token}")
            api = "/api/v1"
            alarms = client.get(f"{api}/alarms?state=all").json()["alarms"]
            one = next(a for a in alarms if a["tag"] == "TK-103.level" and a["group"] == "high")
            acked = client.post(f"{api}/alarms/{one['id']}/ack", json={"comment": "<b>到现场</b>"})
            refused = client.post(f"{api}/alarms/{one['id']}/reset", json={})
            to_ns = clock.wall_ns()
            looked = Seen(
                stage=stage,
                alarms=client.get(f"{api}/alarms?state=all").json()["alarms"],
                units=client.get(f"{api}/units").json()["units"],
                entries=client.get(f"{api}/register/entries").json()["entries"],
                tasks=client.get(f"{api}/response/tasks?state=open").json()["tasks"],
                notices=client.get(f"{api}/push/outbox").json()["notices"],
                flow=client.get(f"{api}/flow").json(),
                why=client.get(f"{api}/alarms/{one['id']}/why?lang=en").json(),
                history=client.get(
                    f"{api}/history",
                    params={"tag": "TK-103.level", "from": iso(to_ns - 60 * NS), "to": iso(to_ns), "points": 500},
                ).json(),
                metrics=client.get("/metrics").text,
                refused=refused,
                acked=acked,
            )
        time.sleep(1.0)  # the last notice is under way
        assert gateway.stop() == 0, gateway.last_words()
    engine.dispose()
    return looked


def test_five_alarms_over_three_kinds_and_three_tiers(seen: Seen) -> None:
    kinds = {unit["id"]: unit["kind"] for unit in seen.units}
    rang = [a for a in seen.alarms if a["tier_max"] != "NONE"]

    assert len(rang) >= 5
    assert len({kinds[a["unit"]] for a in rang}) >= 3
    assert len({a["tier_max"] for a in rang}) >= 3


def test_the_tank_is_warned_of_before_it_is_at_its_highest_limit(seen: Seen) -> None:
    lines = [json.loads(line) for line in (seen.stage.data / "live.jsonl").read_text("utf-8").splitlines()]
    mine = [e for e in lines if e["tag"] == "TK-103.level"]
    warned = next(e for e in mine if e["condition"] == "TREND" and e["event"] == "raised")
    reached = next(e for e in mine if e["condition"] == "HH")

    assert warned["time"] < reached["time"]
    assert warned["cause"]["to"] == "HH"
    assert 0 < warned["cause"]["time_to_limit_s"] <= 60


def test_the_register_holds_their_entries_and_tasks_are_open(seen: Seen) -> None:
    listed = {alarm for entry in seen.entries for alarm in entry["alarms"]}

    assert {a["id"] for a in seen.alarms if a["tier_max"] != "NONE"} <= listed
    assert {task["entry"] for task in seen.tasks} <= {entry["id"] for entry in seen.entries}
    assert len(seen.tasks) >= 5


def test_the_authority_holds_one_key_per_notice(seen: Seen) -> None:
    kept = Ledger(seen.stage.ledger).kept

    assert {notice["key"] for notice in seen.notices} <= set(kept)
    assert len(seen.notices) >= 5
    assert all(notice["receipt"] for notice in seen.notices if notice["state"] == "delivered")


def test_one_sentence_says_why(seen: Seen) -> None:
    sentence = seen.why["sentence"]

    assert "TK-103.level" in sentence
    assert "≥ HH 5.100 m" in sentence
    assert "tankfarm-1/" in sentence
    said = fengsui("why", seen.why["facts"]["alarm"], "--data", str(seen.stage.data), "--lang", "zh")
    assert said.returncode == 0, said.stderr
    assert "TK-103.level" in said.stdout


def test_an_acknowledgement_carries_its_name_and_a_refusal_its_sentence(seen: Seen) -> None:
    assert seen.acked.json()["alarm"]["acked_by"] == "zhang"
    assert seen.acked.json()["alarm"]["comment"] == "<b>到现场</b>"
    assert seen.refused.status_code == 409
    assert seen.refused.json()["error"]["code"] == "refused"


def test_every_stage_balances(seen: Seen) -> None:
    assert {stage["stage"]: stage["balance"] for stage in seen.flow["stages"]} == {
        stage["stage"]: 0 for stage in seen.flow["stages"]
    }
    assert all(source["is_up"] for source in seen.flow["sources"])
    assert "fengsui_stage_balance" in seen.metrics


def test_refused_payloads_are_counted_and_the_first_of_each_kind_is_kept(seen: Seen) -> None:
    gas = next(source for source in seen.flow["sources"] if source["id"] == "gas")

    assert gas["refused_by"] == {"malformed": 2, "oversized": 1}
    kept = {each["reason"]: each for each in gas["kept"]}
    assert kept["malformed"]["text"] == "<script>alert(1)</script>"
    assert (kept["oversized"]["origin"], kept["oversized"]["size"]) == ("plant/gas/GD-311", 300_000)


def test_the_trend_has_the_minute_that_just_passed(seen: Seen) -> None:
    values = [value for value in seen.history["values"] if value is not None]

    assert len(values) >= 30
    assert max(values) > 5.1


def test_the_recording_replays_to_lives_events(seen: Seen) -> None:
    """In every field but ``run``, from real Modbus and MQTT."""
    data = seen.stage.data
    done = fengsui(
        "replay", str(seen.stage.site), str(data / "live.rec"), "--events", str(data / "again.jsonl"), "--json"
    )

    assert done.returncode == 0, done.stderr
    live, again = (
        [{k: v for k, v in json.loads(line).items() if k != "run"} for line in (data / name).read_text().splitlines()]
        for name in ("live.jsonl", "again.jsonl")
    )
    assert len(live) >= 15
    assert again == live


def test_verify_finds_nothing_and_then_finds_one_changed_byte(seen: Seen, tmp_path: Path) -> None:
    data = str(seen.stage.data)
    assert fengsui("verify", "--data", data).returncode == 0

    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("register.db", "head.json", "install.key"):
        (copy / name).write_bytes((seen.stage.data / name).read_bytes())
    raw = (copy / "register.db").read_bytes()
    place = raw.rfind(b'"event":') if b'"what":"raised"' not in raw else raw.find(b'"what":"raised"')
    (copy / "register.db").write_bytes(raw[: place + 8] + b"R" + raw[place + 9 :])
    found = fengsui("verify", "--data", str(copy), "--json")

    assert found.returncode == 1, found.stdout
    assert json.loads(found.stdout)["findings"][0]["what"] == "changed"
