"""A running edge node and devices on real sockets: a reload that changes one device calls one device anew."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from simulators.child import Child
from tests.integration.test_node import BASE_ONLY
from tests.integration.test_reload import Counting, closing_server

SITE = """
[site]
id = "plant"
timezone = "UTC"
data = "var"
tags = ["tags.csv"]

[uplink]
node = "north"
url = "http://127.0.0.1:9"
token_env = "FENGSUI_NODE_TOKEN"
"""
HEAD = "tag,source,eu,register,type,period_s\n"


class Running:
    """An edge node whose gateway is never there: everything stays in its spool."""

    def __init__(self, folder: Path, devices: list[Counting]) -> None:
        self.folder, self.config, self.devices = folder, folder / "node.toml", devices
        self.rows = [f"T{n}.v,d{n},m,0,float32,0.1" for n in range(len(devices))]
        self.write()
        environ = {**os.environ, "FENGSUI_NODE_TOKEN": "t" * 43}
        arguments = [sys.executable, "-c", BASE_ONLY, "edge", str(self.config), "--status", str(folder / "node.json")]
        self.child = Child("node", arguments, logs=folder, environ=environ)
        self.environ = environ

    def write(self, more: str = "") -> None:
        sources = "".join(
            f'[[source]]\nid = "d{n}"\nprotocol = "modbus-tcp"\nhost = "127.0.0.1"\nport = {device.port}\n'
            for n, device in enumerate(self.devices)
        )
        self.config.write_text(SITE + more + sources, encoding="utf-8")
        (self.folder / "tags.csv").write_text(HEAD + "\n".join(self.rows) + "\n", encoding="utf-8")

    def reload(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Reload as somebody who does not know the node's token."""
        command = [sys.executable, "-m", "gateway.cli", "reload", str(self.config), "--json", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, json.loads(done.stdout) if done.stdout else {"said": done.stderr}

    def status(self, wanted: str, value: object) -> dict[str, Any]:
        """Wait until the status file says so."""
        give_up = time.monotonic() + 20
        while time.monotonic() < give_up:
            try:
                told = json.loads((self.folder / "node.json").read_bytes())
            except (OSError, ValueError):
                told = {}
            if told.get(wanted) == value:
                assert isinstance(told, dict)
                return told
            time.sleep(0.05)
        pytest.fail(f"{wanted} is not {value}: {self.child.last_words()}")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Running]:
    with ExitStack() as stack:
        devices = [stack.enter_context(closing_server(Counting())) for _ in range(3)]
        for device in devices:
            threading.Thread(target=device.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        node = Running(tmp_path, devices)
        stack.enter_context(closing(_Ending(node)))
        yield node
        for device in devices:
            device.shutdown()


class _Ending:
    def __init__(self, node: Running) -> None:
        self.close = lambda: node.child.kill() if node.child.is_running else None


def test_one_device_of_three_begins_anew_and_refusals_are_listed(node: Running) -> None:
    first = node.status("starts", {"d0": 1, "d1": 1, "d2": 1})["revision"]
    deadline = time.monotonic() + 20
    while not all(device.requests for device in node.devices) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [device.accepted for device in node.devices] == [1, 1, 1]

    node.rows.reverse()  # Every row is another.
    node.rows[0] = "T2.w,d2,m,4,float32,0.1"
    node.write()
    code, answer = node.reload("--reason", "one more tag")
    assert (code, answer["code"], answer["changes"]["restarted"]) == (0, "applied", ["d2"])
    assert answer["changes"]["parts"]["tag"] == {"added": ["T2.w"], "removed": ["T2.v"]}
    told = node.status("starts", {"d0": 1, "d1": 1, "d2": 2})
    assert told["revision"] == answer["revision"] != first
    assert told["reload"]["reason"] == "one more tag"
    assert told["spool"]["dropped"] == {}
    deadline = time.monotonic() + 20
    while node.devices[2].accepted < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert [device.accepted for device in node.devices] == [1, 1, 2], "the others keep their connection"

    node.rows.append("T9.v,nobody,m,0,float32,1")
    node.write()
    code, refused = node.reload()
    assert (code, refused["code"], refused["revision"]) == (1, "mistakes", answer["revision"])
    assert [mistake["line"] for mistake in refused["mistakes"]] == [5]
    node.rows.pop()
    node.write("[spool]\nsync_s = 0.1\n")
    code, refused = node.reload("--dry-run")
    assert (code, refused["code"]) == (1, "restart")
    assert node.reload("--forget")[0] == 2
    os.kill(int((node.folder / "var/node.pid").read_text()), signal.SIGHUP)
    assert "[spool]" in node.status("reload_error", refused["message"])["reload"]["message"]


def test_a_second_node_on_one_folder_and_a_reload_without_a_node_are_refused(node: Running) -> None:
    node.status("starts", {"d0": 1, "d1": 1, "d2": 1})
    again = [sys.executable, "-m", "gateway.cli", "edge", str(node.config)]
    done = subprocess.run(again, capture_output=True, text=True, check=False, timeout=60, env=node.environ)
    assert (done.returncode, "Another edge node runs on" in done.stderr) == (2, True)
    assert node.child.stop() == 0
    code, said = node.reload()
    assert (code, "No edge node runs on" in said["said"]) == (2, True)
