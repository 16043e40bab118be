"""The embedded broker: loopback only, heard by mosquitto's own tools."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from simulators.child import Child
from tests.conftest import need_program

pytestmark = pytest.mark.network


@pytest.fixture
def broker(tmp_path: Path, free_port: int) -> Iterator[Child]:
    child = Child("broker", [sys.executable, "-m", "simulators.broker", "--port", str(free_port)], logs=tmp_path)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", free_port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.02)
    yield child
    child.stop()


@pytest.mark.service
def test_it_carries_qos_1_between_mosquitto_clients(broker: Child, free_port: int) -> None:
    to = ["-p", str(free_port), "-q", "1", "-t"]
    subprocess.run([need_program("mosquitto_pub"), *to, "plant/x", "-r", "-m", "7"], check=True)
    heard = subprocess.run(
        [need_program("mosquitto_sub"), *to, "plant/#", "-C", "1", "-W", "10", "-v"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert heard.stdout == "plant/x 7\n"
    assert "For demonstration only" in broker.last_words()


def test_a_taken_port_is_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = str(door.getsockname()[1])
        made = subprocess.run(
            [sys.executable, "-m", "simulators.broker", "--port", port], capture_output=True, text=True, check=False
        )

    assert made.returncode == 2
    assert made.stderr.startswith("The broker cannot start: ")
