"""A story in real time over MQTT: our publisher, a Mosquitto of its own, a gateway process, an authority process."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

STORY = """
title = { en = "Short live over MQTT", zh = "短时 MQTT 实演" }
plant = "demonstration"
lasts_s = 40

[[act]]
at_s = 4
verb = "leak"
unit = "GL-301"
amount = 18 # mm

[[fault]]
at_s = 8
tag = "GD-312.lel"
kind = "nan"

[[fault]]
at_s = 12
source = "crowd"
kind = "dropout"

[[expect]]
id = "gas"
see = "tier"
unit = "GL-301"
tier = "RED"
from_s = 4
until_s = 30

[[expect]]
id = "no number"
see = "alarm"
tag = "GD-312.lel"
condition = "BAD"
from_s = 8
until_s = 40

[[expect]]
id = "the counters are silent"
see = "alarm"
tag = "GT-411.in"
condition = "STALE"
from_s = 12
until_s = 40

[[expect]]
id = "told"
see = "notice"
tag = "GD-311.lel"
condition = "HH"
within_s = 5
"""


@pytest.mark.timeout(600)
def test_a_story_is_played_over_a_real_broker_and_judged(tmp_path: Path) -> None:
    if shutil.which("mosquitto") is None and not Path("/usr/sbin/mosquitto").exists():
        pytest.skip("no Mosquitto here")
    (tmp_path / "short.toml").write_text(STORY, encoding="utf-8")
    command = [sys.executable, "-m", "gateway.cli", "simulate", str(tmp_path / "short.toml"), "--live", "--json"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "out"), "--seed", "3"],
        capture_output=True, text=True, timeout=500, check=False, env={**os.environ, "FENGSUI_DATA": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr + done.stdout
    events = [json.loads(line) for line in (tmp_path / "out" / "events.jsonl").read_text("utf-8").splitlines()]
    silent = {event["tag"][:2] for event in events if event["event"] == "raised" and event["condition"] == "STALE"}
    assert silent <= {"GT", "Z-"}, "before second 0 and after the end devices go on saying what they saw"
