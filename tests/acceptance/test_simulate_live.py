"""A story in real time: our Modbus servers, a gateway process, an authority process; judged like any other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

STORY = """
title = { en = "Short live", zh = "短时实演" }
plant = "petrol-depot"
lasts_s = 24
step_s = 2

[[act]]
at_s = 4
verb = "level"
unit = "TK-915"
amount = 13.9 # m

[[fault]]
at_s = 6
tag = "TK-912.level"
kind = "nan"

[[expect]]
id = "the switch"
see = "alarm"
tag = "TK-915.hh_switch"
condition = "HH"
from_s = 4
until_s = 16

[[expect]]
id = "no number"
see = "alarm"
tag = "TK-912.level"
condition = "BAD"
from_s = 6
until_s = 24

[[expect]]
id = "told"
see = "notice"
tag = "TK-915.hh_switch"
condition = "HH"
within_s = 5
%s
"""
NEVER = """
[[expect]]
id = "what never comes"
see = "alarm"
tag = "TK-912.hh_switch"
condition = "HH"
until_s = 24
"""


def simulate(folder: Path, story: str, *more: str) -> subprocess.CompletedProcess[str]:
    (folder / "short.toml").write_text(story, encoding="utf-8")
    command = [sys.executable, "-m", "gateway.cli", "simulate", str(folder / "short.toml"), "--live"]
    return subprocess.run(
        [*command, "--out", str(folder / "out"), "--seed", "3", *more],
        capture_output=True, text=True, timeout=240, check=False, env={**os.environ, "FENGSUI_DATA": str(folder)},
    )  # fmt: skip


def test_a_story_is_played_over_the_wire_and_judged(tmp_path: Path) -> None:
    done = simulate(tmp_path, STORY % NEVER, "--json")
    assert done.returncode == 1, done.stderr + done.stdout
    told = json.loads(done.stdout)
    assert {each["id"]: each["passed"] for each in told["expectations"]} == {
        "the switch": True, "no number": True, "told": True, "what never comes": False,
    }, told  # fmt: skip
    assert told["pace"] == pytest.approx(1.0, abs=0.4)
    assert told["notices"] > 0
    assert (tmp_path / "out" / "report.html").stat().st_size > 0
    raised = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text("utf-8").splitlines()]
    assert {"TK-915.hh_switch", "TK-912.level"} <= {line["tag"] for line in raised if line["event"] == "raised"}
    assert (tmp_path / "out" / "recording.jsonl").stat().st_size > 0


def test_what_no_device_on_the_wire_can_have_is_refused(tmp_path: Path) -> None:
    fault = '[[fault]]\nat_s = 6\nsource = "depot-1"\nkind = "shifted_clock"\namount = 3600\n'
    done = simulate(tmp_path, STORY % fault)
    assert done.returncode == 2
    assert "shifted_clock" in done.stderr
    both = simulate(tmp_path, STORY % "", "--suite")
    assert (both.returncode, "--suite" in both.stderr) == (2, True)
