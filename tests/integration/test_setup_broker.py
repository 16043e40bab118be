"""The broker of docker-compose.yml lets in whom it should: a real mosquitto reads the very files of deploy/."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Server, need_program, take_free_port

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse"  # Of a broker that lives for one test.


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[tuple[Server, int]]:
    """The broker with its two doors: the server's port asks for a password, the other is the plant's."""
    folder = tmp_path / "broker"
    folder.mkdir()
    port, plant_port = take_free_port(), take_free_port()
    for name in ("acl", "acl-plant"):
        shutil.copy(ROOT / f"deploy/mosquitto-{name}", folder / name)
    text = (ROOT / "deploy/mosquitto.conf").read_text(encoding="utf-8")
    for theirs, ours in {
        "/mosquitto/data/": f"{folder}/",
        "/mosquitto/config/": f"{folder}/",
        "listener 1883\n": f"listener {port} 127.0.0.1\n",
        "listener 18830\n": f"listener {plant_port} 127.0.0.1\n",
    }.items():
        assert theirs in text
        text = text.replace(theirs, ours)
    user = "root" if os.geteuid() == 0 else "mosquitto"
    (folder / "mosquitto.conf").write_text(f"{text}\nuser {user}\n", encoding="utf-8")
    program = need_program("mosquitto")
    arguments = [need_program("mosquitto_passwd"), "-b", "-c", str(folder / "passwords"), "fengsui", PASSWORD]
    subprocess.run(arguments, check=True, capture_output=True, timeout=20)
    server = Server(arguments=[program, "-c", str(folder / "mosquitto.conf")], folder=folder, port=port)
    server.start()
    yield server, plant_port
    server.stop()


def read_as_gateway(port: int, *, password: str = PASSWORD) -> subprocess.Popen[str]:
    program = need_program("mosquitto_sub")
    arguments = [program, "-p", str(port), "-u", "fengsui", "-P", password, "-t", "plant/#", "-t", "other/#", "-W", "3"]
    return subprocess.Popen([*arguments, "-F", "%t %p"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def write_as_plant(port: int, topic: str, *more: str) -> subprocess.CompletedProcess[str]:
    arguments = [need_program("mosquitto_pub"), "-p", str(port), "-t", topic, "-m", "1", "-q", "1", "-r", *more]
    return subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=10)


@pytest.mark.service
@pytest.mark.slow
def test_plant_writes_below_plant_and_gateway_reads_there(broker: tuple[Server, int]) -> None:
    server, plant_port = broker
    assert write_as_plant(plant_port, "plant/gas/1").returncode == 0
    write_as_plant(plant_port, "other/1")
    heard, _ = read_as_gateway(server.port).communicate(timeout=10)
    assert heard.splitlines() == ["plant/gas/1 1"]


@pytest.mark.service
def test_gateway_door_asks_for_the_password(broker: tuple[Server, int]) -> None:
    server, _ = broker
    assert "not authorised" in write_as_plant(server.port, "plant/gas/1").stderr
    reader = read_as_gateway(server.port, password="wrong")
    _, words = reader.communicate(timeout=10)
    assert "not authorised" in words
