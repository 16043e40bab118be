"""The demonstration: its stage, its past, and its one command."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import tomllib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from alerting.model.tier import Tier
from gateway.demo import DemoError, Stage, seed_past, set_stage
from gateway.load import load

pytestmark = pytest.mark.network

#: 2026-01-02T00:00:00Z
NOW_NS = 1_767_312_000_000_000_000


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return set_stage(tmp_path / "demo")


def test_the_stage_is_a_right_site_with_its_own_ports(stage: Stage) -> None:
    site = load(stage.site, environ={})
    ports = {source.id: (source.modbus or source.mqtt).port for source in site.sources}  # type: ignore[union-attr]

    assert ports == {
        "tankfarm-1": stage.ports["tankfarm-1"],
        "tankfarm-2": stage.ports["tankfarm-2"],
        "gas": stage.ports["broker"],
        "crowd": stage.ports["broker"],
    }
    assert site.destinations[0].url == f"http://127.0.0.1:{stage.ports['regulator']}/notices"
    assert site.port == stage.ports["page"]
    assert site.data.resolve() == stage.data
    assert len(set(stage.ports.values())) == len(stage.ports)


def test_secrets_are_fresh_private_and_not_the_example(tmp_path: Path) -> None:
    one, two = set_stage(tmp_path / "one"), set_stage(tmp_path / "two")
    file = one.data / "site" / "secrets" / "district"
    example = Path("config/demo/secrets/district.example").read_text().strip()

    assert file.read_text().strip() == one.environ["FENGSUI_DISTRICT_SECRET"] != example
    assert file.stat().st_mode & 0o077 == 0
    assert one.data.stat().st_mode & 0o077 == 0
    assert one.environ["FENGSUI_DISTRICT_SECRET"] != two.environ["FENGSUI_DISTRICT_SECRET"]
    assert load(one.site, environ={}).destinations[0].secret == one.environ["FENGSUI_DISTRICT_SECRET"]


def test_the_committed_site_is_right_in_both_languages() -> None:
    site = load(Path("config/demo/site.toml"), environ={})

    assert {len(tag.title) for tag in site.tags} == {2}
    assert {len(unit.title) for unit in site.units} == {2}
    assert {len(rule.response) for rule in site.rules} == {2}
    assert {unit.kind for unit in site.units} == {"tank", "line", "zone"}
    assert {source.nature for source in site.sources} == {"test"}
    assert site.commitment.is_asked, "a newcomer sees the commitment as a duty"
    assert (site.duties.five_lots_day, site.duties.ack_s) == (15, {Tier.RED: 60.0, Tier.ORANGE: 300.0})
    assert [one.after_s for one in site.hazards.openings] == [30.0], "shorter than the story's RED alarms stand"


def test_without_mosquitto_the_site_speaks_what_the_embedded_broker_does(tmp_path: Path) -> None:
    made = set_stage(tmp_path / "demo", is_mosquitto=False)
    versions = {source.get("version") for source in tomllib.loads(made.site.read_text())["source"]}

    assert versions == {None, "3.1.1"}


def test_a_taken_port_is_told(tmp_path: Path) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        with pytest.raises(DemoError, match=r"is taken; choose another with --port"):
            set_stage(tmp_path / "demo", port=door.getsockname()[1])


def test_an_unknown_story_is_told_before_anything_starts(tmp_path: Path) -> None:
    with pytest.raises(DemoError, match=r"There is no story 'nope'. Known stories: first_light"):
        set_stage(tmp_path / "demo", scenario="nope")

    assert not (tmp_path / "demo").exists()


def test_the_past_is_seeded_once_and_ends_now(stage: Stage) -> None:
    began = time.monotonic()
    samples = seed_past(stage, NOW_NS)

    assert samples == (47 * 60 + 720) * 51
    assert time.monotonic() - began < 5
    assert seed_past(stage, NOW_NS) == 0
    with closing(sqlite3.connect(stage.data / "history.db")) as history:
        assert history.execute("pragma integrity_check").fetchone() == ("ok",)


# ------------------------------------------------------------------------------------------------- the whole command


class Demo:
    """The command as a process; ``out`` grows while it runs."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gateway.cli", "demo", "--port", "0", "--data", str(data), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def first_line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def rest(self) -> list[str]:
        assert self.process.stdout is not None
        lines = self.process.stdout.read().splitlines()
        self.process.stdout.close()
        self.process.wait(30)
        return lines

    def wait_for(self, name: str) -> None:
        """Wait until the process of this name has said something."""
        log = self.data / "logs" / f"{name}.log"
        for _ in range(400):
            if log.exists() and "ready" in log.read_text():
                return
            time.sleep(0.05)
        pytest.fail(f"{name} did not get ready")


def processes_of(data: Path) -> list[str]:
    """Give the command lines that name this data folder."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(data) in line and folder.name != str(os.getpid()):
            found.append(line)
    return found


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str], int]:
    """One whole story, told once for the tests below."""
    data = tmp_path_factory.mktemp("demo") / "data"
    run = Demo(data, "--headless", "--seconds", "40")
    lines = [run.first_line(), *run.rest()]
    return data, lines, run.process.returncode


@pytest.mark.slow
def test_the_story_rings_and_is_told(played: tuple[Path, list[str], int]) -> None:
    data, lines, code = played
    assert code == 0, "\n".join(lines)
    summary: dict[str, Any] = json.loads(lines[-1])

    assert lines[0].startswith("Page: http://127.0.0.1:")
    assert set(summary) == {"scans", "events", "alarms_by_tier", "notices_sent", "receipts"}
    assert summary["scans"] > 100
    assert sum(summary["alarms_by_tier"].values()) >= 5
    assert sum(count > 0 for count in summary["alarms_by_tier"].values()) >= 3
    assert summary["notices_sent"] == summary["receipts"] > 0
    assert not [line for line in processes_of(data) if "gateway.cli" in line or "simulators" in line]


@pytest.mark.slow
def test_units_of_three_kinds_are_in_the_register_with_open_tasks(played: tuple[Path, list[str], int]) -> None:
    data, lines, _ = played
    assert lines[-1].startswith("{"), "\n".join(lines)
    with closing(sqlite3.connect(data / "register.db")) as register:
        units = {unit for (unit,) in register.execute("select distinct unit from register_entry")}
        tasks = {unit for (unit,) in register.execute("select unit from response_task where state = 'open'")}
        outbox = [key for (key,) in register.execute("select key from outbox")]

    assert {"TK-103", "GL-301", "Z-401"} <= units
    assert {"TK-103", "GL-301", "Z-401"} <= tasks
    kept = [json.loads(line)["key"] for line in (data / "regulator.jsonl").read_text().splitlines() if '"key"' in line]
    assert sorted(kept) == sorted(outbox)


@pytest.mark.slow
def test_a_signal_ends_everything_cleanly(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run = Demo(data, "--headless")
    run.first_line()
    run.wait_for("plant")
    time.sleep(3)
    run.process.send_signal(signal.SIGINT)
    lines = run.rest()

    assert run.process.returncode == 0, "\n".join(lines)
    assert json.loads(lines[-1])["scans"] >= 0
    assert processes_of(data) == []


@pytest.mark.slow
def test_kill_9_leaves_no_child_behind(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run = Demo(data)
    run.first_line()
    run.wait_for("plant")
    run.process.kill()
    run.rest()
    for _ in range(200):
        if not processes_of(data):
            return
        time.sleep(0.05)

    pytest.fail(f"still there: {processes_of(data)}")


@pytest.mark.slow
def test_two_demonstrations_do_not_share_a_folder(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run = Demo(data)
    run.first_line()
    second = Demo(data)
    said = second.first_line()
    second.rest()
    run.process.terminate()
    run.rest()

    assert second.process.returncode == 2
    assert said.startswith("The demonstration ended: another demonstration runs in ")


@pytest.mark.slow
def test_an_authority_that_ends_is_an_outage_and_comes_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    run = Demo(data)
    lines = [run.first_line()]
    while "Ready after" not in lines[-1]:
        lines.append(run.first_line())
    subprocess.run(["pkill", "-KILL", "-f", f"simulators.regulator.*{data}"], check=True)
    while "is started again" not in lines[-1]:
        lines.append(run.first_line())
        assert lines[-1], lines
    run.process.send_signal(signal.SIGINT)
    run.rest()

    assert any("The regulator ended. The gateway goes on" in line for line in lines), lines
    assert run.process.returncode == 0
