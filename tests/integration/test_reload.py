"""A running gateway and five devices on real sockets: a reload that changes one device calls one device anew."""

import json
import socketserver
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tests.integration.test_rules_files import Running

DEVICES = 5
HEAD = "tag,source,unit,eu,register,type,period_s,H,stale_s\n"


class Counting(socketserver.ThreadingTCPServer):
    """A Modbus TCP device, by hand: answers each read of registers with zeros, and counts who called."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.accepted = 0
        self.requests = 0

    @property
    def port(self) -> int:
        return int(self.server_address[1])


class Answering(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        assert isinstance(self.server, Counting)
        self.server.accepted += 1
        while True:
            head = self.request.recv(12, 256)  # all of it, or what came before the end: socket.MSG_WAITALL
            if len(head) < 12:
                return
            number, _, _, unit, function, _, count = struct.unpack(">HHHBBHH", head)
            self.server.requests += 1
            self.request.sendall(struct.pack(">HHHBBB", number, 0, 3 + 2 * count, unit, function, 2 * count))
            self.request.sendall(bytes(2 * count))


@pytest.fixture
def devices() -> Iterator[list[Counting]]:
    with ExitStack() as stack:
        found = [stack.enter_context(closing_server(Counting())) for _ in range(DEVICES)]
        for device in found:
            threading.Thread(target=device.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield found
        for device in found:
            device.shutdown()


def closing_server(server: Counting) -> "closing[Counting]":
    server.close = server.server_close  # type: ignore[attr-defined]
    return closing(server)


class Farm(Running):
    """A gateway on a site of such devices."""

    def __init__(self, folder: Path, devices: list[Counting]) -> None:
        super().__init__(folder)
        self.devices = devices
        self.rows = [f"T{n}.v,d{n},T,m,0,float32,0.2,7,5" for n in range(len(devices))]
        self.write()

    def write(self, more: str = "") -> None:
        site = '[site]\nid = "site"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[[unit]]\nid = "T"\nkind = "tank"\n'
        site += "".join(
            f'[[source]]\nid = "d{n}"\nprotocol = "modbus-tcp"\nhost = "127.0.0.1"\nport = {device.port}\n'
            for n, device in enumerate(self.devices)
        )
        self.config.write_text(site + more, encoding="utf-8")
        self.table.write_text(HEAD + "\n".join(self.rows) + "\n", encoding="utf-8")

    def reload(self, *words: str) -> dict[str, object]:
        done = self.call("reload", str(self.config), "--data", str(self.data), "--json", *words)
        assert done.stdout, done.stderr
        answer: dict[str, object] = json.loads(done.stdout)
        return answer | {"exit": done.returncode}


@pytest.fixture
def farm(tmp_path: Path, devices: list[Counting]) -> Iterator[Farm]:
    farm = Farm(tmp_path, devices)
    farm.start()
    yield farm
    farm.stop()


def wait_for_requests(devices: list[Counting]) -> None:
    """Wait until each device has been asked three times more."""
    goal = [device.requests + 3 for device in devices]
    waited = threading.Event()
    for _ in range(400):
        if all(device.requests >= least for device, least in zip(devices, goal, strict=True)):
            return
        waited.wait(0.05)
    raise AssertionError([device.requests for device in devices])


def test_one_changed_device_is_called_anew_and_no_other(farm: Farm, devices: list[Counting]) -> None:
    wait_for_requests(devices)
    assert [device.accepted for device in devices] == [1] * DEVICES

    farm.rows.insert(0, "T2.w,d2,T,m,10,float32,0.2,,5")
    farm.write()
    looked = farm.reload("--dry-run")
    assert (looked["code"], looked["revision"], looked["exit"]) == ("looked", 1, 0)
    changes = looked["changes"]
    assert isinstance(changes, dict)
    assert changes["restarted"] == ["d2"]
    assert changes["parts"]["tag"] == {"added": ["T2.w"]}
    assert [device.accepted for device in devices] == [1] * DEVICES

    done = farm.reload("--reason", "a second level in T2")
    assert (done["code"], done["revision"], done["exit"]) == ("applied", 2, 0)
    wait_for_requests(devices)
    assert [device.accepted for device in devices] == [1, 1, 2, 1, 1]

    farm.write("[history]\nraw_days = 100\n")
    refused = farm.reload("--reason", "a new page")
    assert (refused["code"], refused["exit"]) == ("needs_restart", 1)
    assert refused["message"] == "This needs a restart: raw_days."
    wait_for_requests(devices)
    assert [device.accepted for device in devices] == [1, 1, 2, 1, 1]
    newest = farm.history()[0]
    assert (newest["number"], newest["reason"], newest["others"]) == (2, "a second level in T2", ["tag T2.w"])
