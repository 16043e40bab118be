"""Edited files take over in a running gateway: the command, the signal, a refusal, and a start that no longer fits."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.test_rules_api import SITE, TAGS

FENGSUI = (sys.executable, "-m", "gateway.cli")


class Running:
    def __init__(self, folder: Path) -> None:
        self.config, self.data = folder / "site.toml", folder / "var"
        self.table = folder / "tags.csv"
        self.config.write_text(SITE, encoding="utf-8")
        self.table.write_text(TAGS, encoding="utf-8")
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        command = [*FENGSUI, "run", str(self.config), "--data", str(self.data), "--port", "0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout is not None
        assert self.process.stdout.readline().startswith("http://")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(30)
            assert self.process.stdout is not None
            self.process.stdout.close()
            self.process = None

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*FENGSUI, *words], capture_output=True, text=True, check=False, timeout=60)

    def history(self) -> list[dict[str, object]]:
        found: list[dict[str, object]] = json.loads(
            self.call("rules", "history", "--data", str(self.data), "--json").stdout
        )
        return found

    def apply(self, reason: str = "retuned") -> subprocess.CompletedProcess[str]:
        return self.call("rules", "apply", str(self.config), "--data", str(self.data), "--reason", reason)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path)
    running.start()
    yield running
    running.stop()


def test_edited_files_are_applied_by_command_and_by_signal(running: Running) -> None:
    running.table.write_text(TAGS.replace(",4,5,", ",4.2,5,"), encoding="utf-8")
    done = running.apply()
    told = "rule changed: TK.level.H\nDevices that begin anew: none.\nRevision 2 is in force.\n"
    assert (done.returncode, done.stdout) == (0, told), done.stderr

    running.table.write_text(TAGS.replace(",4,5,", ",4.2,4,"), encoding="utf-8")
    refused = running.apply()
    assert refused.returncode == 2
    assert "HH (4) must be above H (4.2)" in refused.stderr

    running.table.write_text(TAGS.replace(",4,5,", ",4.3,5,"), encoding="utf-8")
    assert running.process is not None
    os.kill(running.process.pid, signal.SIGHUP)
    waited = threading.Event()
    for _ in range(200):
        if len(history := running.history()) == 3:
            break
        waited.wait(0.05)
    assert [(each["number"], each["reason"], each["rules"]) for each in history[:2]] == [
        (3, "SIGHUP", ["TK.level.H"]),
        (2, "retuned", ["TK.level.H"]),
    ]


def test_without_a_gateway_the_command_says_so_and_files_alone_may_count_again(running: Running) -> None:
    running.stop()
    said = running.apply()
    assert running.call(
        "rules", "forget", str(running.config), "--data", str(running.data), "--reason", "r"
    ).stdout == ("Nothing was changed on top of the files.\n")

    assert said.returncode == 2
    assert "No gateway runs on" in said.stderr


COUNTING = """
import gc, os, signal, sys, threading
from gateway.cli import app
from alerting.model.rule import RuleTable

class Out:  # What it serves at is the first line that it writes.
    def write(self, text): threading.Timer(1.0, count).start()
    def flush(self): pass

def count():
    gc.unfreeze()
    print(sum(isinstance(one, RuleTable) for one in gc.get_objects()), file=sys.__stdout__, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

sys.stdout = Out()
app(sys.argv[1:])
"""


def test_a_running_gateway_holds_one_table_of_rules(tmp_path: Path) -> None:
    """That of the files, before the gateway put its own tags in, took 30 MB of a site of 100,000 tags for nothing."""
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    (tmp_path / "tags.csv").write_text(TAGS, encoding="utf-8")
    command = [sys.executable, "-c", COUNTING, "run", str(tmp_path / "site.toml"), "--data", str(tmp_path / "var")]
    told = subprocess.run([*command, "--port", "0"], capture_output=True, text=True, check=False, timeout=60)
    assert told.stdout.split() == ["1"], told.stderr
