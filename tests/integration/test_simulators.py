"""The plant's devices on their real protocols, read by programs that share nothing with us."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Server, need_program

pytestmark = pytest.mark.network

DEMO = Path("config/demo")


@dataclass
class Devices:
    process: subprocess.Popen[str]
    site: Path
    ports: tuple[int, int]
    truth: Path

    def hear(self, event: str) -> dict[str, Any]:
        """Read its lines until it tells this event."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            told: dict[str, Any] = json.loads(line)
            if told["event"] == event:
                return told
        pytest.fail(f"the plant ended without telling {event!r}")


def copy_site(folder: Path, numbers: dict[int, int]) -> Path:
    shutil.copytree(DEMO, folder)
    site = folder / "site.toml"
    text = site.read_text(encoding="utf-8")
    for old, new in numbers.items():
        text = re.sub(rf"\b{old}\b", str(new), text)
    site.write_text(text, encoding="utf-8")
    return site


@pytest.fixture
def devices(tmp_path: Path, free_ports: Callable[[], int], mosquitto: Server) -> Iterator[Devices]:
    ports = (free_ports(), free_ports())
    site = copy_site(tmp_path / "site", {15021: ports[0], 15022: ports[1], 18830: mosquitto.port})
    truth = tmp_path / "truth.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "simulators.devices", "--site", str(site), "--truth", str(truth)],
        stdout=subprocess.PIPE,
        text=True,
    )
    at = Devices(process, site, ports, truth)
    at.hear("ready")
    yield at
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    process.stdout.read()
    process.stdout.close()

    assert process.wait(10) == 0


def poll(port: int, device_id: int, table: str, address: int, count: int = 1, *, big_words: bool = False) -> list[str]:
    """Read with mbpoll; ``table`` in its own words, e.g. ``4:float``."""
    arguments = ["-m", "tcp", "-p", str(port), "-a", str(device_id), "-0", "-1", "-q", "-t", table]
    if big_words:
        arguments.append("-B")
    made = subprocess.run(
        [need_program("mbpoll"), *arguments, "-r", str(address), "-c", str(count), "127.0.0.1"],
        capture_output=True,
        text=True,
        check=False,
    )
    return re.findall(r"^\[\d+\]:\s+(\S+)", made.stdout, re.MULTILINE)


@pytest.mark.service
def test_mbpoll_reads_every_type_of_both_devices(devices: Devices) -> None:
    one, two = devices.ports

    assert float(poll(one, 1, "4:float", 0, big_words=True)[0]) == pytest.approx(3.10, abs=0.02)
    assert [int(word) for word in poll(one, 1, "4", 2, 2)] == pytest.approx([240, 40], abs=5)
    assert int(poll(one, 1, "4:int", 4, big_words=True)[0]) == pytest.approx(6000, rel=0.2)
    assert [int(word) & 1 for word in poll(one, 1, "4", 6)] == [1]
    assert poll(one, 1, "1", 0, 3) == ["0", "0", "0"]
    assert float(poll(two, 7, "3:float", 100)[0]) == pytest.approx(3.70, abs=0.02)
    assert int(poll(two, 7, "3:int", 124)[0]) == pytest.approx(4000, rel=0.2)
    assert poll(two, 7, "1", 0, 3) == ["0", "0", "0"]


@pytest.mark.service
def test_a_device_refuses_what_it_does_not_have(devices: Devices) -> None:
    one, two = devices.ports

    assert poll(one, 1, "4", 500) == []
    assert poll(one, 9, "4", 0) == []
    assert poll(two, 7, "4", 100) == []


@pytest.mark.service
def test_subscribers_hear_detectors_and_counters(devices: Devices, mosquitto: Server) -> None:
    """mosquitto_sub is the independent client."""
    made = subprocess.run(
        [need_program("mosquitto_sub"), "-p", str(mosquitto.port), "-q", "1", "-t", "plant/#", "-v", "-C", "14",
         "-W", "10"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    heard: dict[str, Any] = {}
    for line in made.stdout.splitlines():
        topic, payload = line.split(" ", 1)
        heard[topic] = json.loads(payload)

    assert set(heard) == {
        *(f"plant/gas/GD-31{number}" for number in (1, 2, 3)),
        "plant/line/pressure",
        "plant/line/flow",
        "plant/crowd/gates",
        "plant/crowd/zones",
    }
    assert abs(heard["plant/gas/GD-311"]["v"]) < 3
    assert heard["plant/gas/GD-311"]["ts"].endswith("+08:00")
    assert heard["plant/line/pressure"]["v"] == pytest.approx(1.0, abs=0.05)
    assert len(heard["plant/crowd/gates"]["v"]) == 6
    assert heard["plant/crowd/zones"]["v"]["Z-401.density"] == pytest.approx(1.4, abs=0.4)


def test_the_story_is_told_and_its_truth_written(devices: Devices) -> None:
    """Eleven seconds in, the leak has passed the first detector's limit, and the plant has written it down."""
    assert devices.hear("act")["at_s"] == 3
    seen = []
    for _ in range(150):
        seen = [json.loads(line) for line in devices.truth.read_text().splitlines()]
        if seen:
            break
        time.sleep(0.1)

    assert seen[0]["tag"] == "GD-311.lel"
    assert seen[0]["is_beyond"] is True
    assert seen[0]["value"] >= seen[0]["setpoint"] == 25.0


def test_a_taken_port_is_one_sentence(devices: Devices) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "simulators.devices", "--site", str(devices.site)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert made.returncode == 2
    assert made.stderr == (
        f"The plant cannot start: 127.0.0.1:{devices.ports[0]} (tankfarm-1) cannot be listened on.\n"
    )
