"""The regulator as a process, spoken to by curl and by a plain client."""

import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import need_program

pytestmark = pytest.mark.network

TOKEN = secrets.token_hex(16)
KEY = secrets.token_bytes(24)
SECRET = "whsec_" + b64encode(KEY).decode()


@dataclass
class Regulator:
    ledger: Path
    process: subprocess.Popen[str] | None = None
    port: int = 0

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "simulators.regulator", "--port", "0", "--ledger", str(self.ledger)],
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"FENGSUI_DISTRICT_SECRET": SECRET, "FENGSUI_REGULATOR_TOKEN": TOKEN},
        )
        assert self.process.stdout is not None
        self.port = json.loads(self.process.stdout.readline())["port"]

    def end(self, *, kill: bool = False) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        code = self.process.wait(10)
        self.process.stdout.close()
        return code

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{path}",
            data=body,
            method=method,
            headers={name.replace("_", "-"): value for name, value in headers.items()},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)

    def send(self, key: str, content: object) -> tuple[int, Any]:
        body = json.dumps(content).encode()
        stamp = str(int(time.time()))
        return self.call(
            "POST", "/notices", body, webhook_id=key, webhook_timestamp=stamp, webhook_signature=seal(key, stamp, body)
        )

    def set_mode(self, **mode: object) -> None:
        status, shown = self.call("PUT", "/control", json.dumps(mode).encode(), authorization=f"Bearer {TOKEN}")
        assert (status, shown["mode"]) == (200, mode["mode"])


def seal(key: str, stamp: str, body: bytes) -> str:
    """Sign with openssl, which neither end of our wire uses."""
    made = subprocess.run(
        [need_program("openssl"), "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{KEY.hex()}", "-binary"],
        input=f"{key}.{stamp}.".encode() + body,
        capture_output=True,
        check=True,
    )
    return "v1," + b64encode(made.stdout).decode()


@pytest.fixture
def regulator(tmp_path: Path) -> Iterator[Regulator]:
    at = Regulator(tmp_path / "received.jsonl")
    at.start()
    yield at
    if at.process is not None and at.process.poll() is None:
        at.end()


def test_a_signed_notice_gets_a_receipt(regulator: Regulator) -> None:
    status, receipt = regulator.send("n-1", {"text": "【测试】TK-103"})

    assert status == 200
    assert receipt["key"] == "n-1"
    assert regulator.call("GET", "/notices")[1]["notices"][0]["body"] == {"text": "【测试】TK-103"}
    assert regulator.end() == 0


def test_kill_9_loses_no_receipt(regulator: Regulator) -> None:
    receipts = [regulator.send(f"n-{number}", {"n": number})[1] for number in range(5)]
    regulator.end(kill=True)
    regulator.start()

    assert [regulator.send(f"n-{number}", {"n": number})[1] for number in range(5)] == receipts
    assert regulator.call("GET", "/notices")[1]["distinct"] == 5


def test_modes_change_while_it_runs(regulator: Regulator) -> None:
    regulator.set_mode(mode="down")
    assert regulator.send("n-1", {})[0] == 503

    regulator.set_mode(mode="down", cuts=True)
    with pytest.raises(OSError, match=r"reset|closed|Remote end|refused"):
        regulator.send("n-1", {})

    regulator.set_mode(mode="slow", delay_s=0.4)
    began = time.monotonic()
    assert regulator.send("n-1", {})[0] == 200
    assert time.monotonic() - began >= 0.4

    regulator.set_mode(mode="picky", status=422, match={"tier": "RED"})
    assert regulator.send("n-2", {"tier": "RED"})[0] == 422

    regulator.set_mode(mode="good")
    assert regulator.send("n-2", {"tier": "RED"})[0] == 200
    counts = regulator.call("GET", "/notices")[1]["counts"]
    assert counts == {"away": 2, "accepted": 2, "refused": 1}


def test_control_without_the_token_is_refused(regulator: Regulator) -> None:
    assert regulator.call("PUT", "/control", b'{"mode": "down"}')[0] == 401
    assert regulator.call("GET", "/control", authorization="Bearer no")[0] == 401
    assert regulator.send("n-1", {})[0] == 200


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["-X", "POST", "-H", "Transfer-Encoding: chunked", "-d", "x"], "411"),
        (["-X", "POST", "-H", "Content-Length: 99999999"], "413"),
        (["-X", "POST", "-d", "{}"], "401"),
        (["-X", "DELETE"], "501"),
    ],
)
def test_odd_requests_are_answered_not_hung(regulator: Regulator, arguments: list[str], status: str) -> None:
    """curl is the independent client."""
    curl = need_program("curl")
    made = subprocess.run(
        [curl, "-s", "-m", "5", "-o", "/dev/null", "-w", "%{http_code}", *arguments,
         f"http://127.0.0.1:{regulator.port}/notices"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert made.stdout == status


def test_without_a_secret_it_does_not_start(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FENGSUI_")}
    made = subprocess.run(
        [sys.executable, "-m", "simulators.regulator", "--port", "0", "--ledger", str(tmp_path / "x")],
        capture_output=True, text=True, check=False, env=environment,
    )  # fmt: skip

    assert made.returncode == 2
    assert made.stderr == "The regulator cannot start: The secret must begin with whsec_.\n"
