"""``fengsui learn`` with models: from a recording to a site that judges by them, and what is refused on the way."""

import io
import json
from pathlib import Path

import numpy as np
import orjson
import pytest
from typer.testing import CliRunner

from gateway.cli import app
from gateway.load import ConfigError, load
from gateway.record import EventLog
from gateway.replay import replay

START_S = 1_767_225_600
NAMES = ("P-7.flow", "P-7.pressure", "P-7.power")
SITE = """\
[site]
id = "plant"
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
{learn}
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"

[[unit]]
id = "P-7"

[[derived]]
tag = "P-7.pca_q"
kind = "pca"
unit = "P-7"
model = "pump"
inputs = {{ tags = ["P-7.flow", "P-7.pressure", "P-7.power"] }}
lags = 1
weight = 0.5
H = 2
tier_H = "BLUE"
deadband = 0.7
{more}
"""
LEARN = '\n[learn]\nartefact = "learned.json"\n'
DRIFT = """
[[rule]]
tag = "P-7.flow"
kind = "DRIFT"
setpoint = "learned"
season = "none"
span_s = 300
base_s = 14400
"""


def site_in(folder: Path, learn: str = "", more: str = "", names: tuple[str, ...] = NAMES) -> Path:
    folder.mkdir(exist_ok=True)
    rows = [f"{name},plc,P-7,60,{2 * place},float32\n" for place, name in enumerate(names)]
    (folder / "tags.csv").write_text("tag,source,unit,period_s,register,type\n" + "".join(rows), encoding="utf-8")
    (folder / "site.toml").write_text(SITE.format(learn=learn, more=more), encoding="utf-8")
    return folder / "site.toml"


def recording(file: Path, minutes: int, *, seed: int = 1, stuck: bool = False) -> Path:
    """A pump of which flow, pressure and power go together; ``stuck``: flow stands still in the second half."""
    dice = np.random.default_rng(seed)
    course = np.sin(np.arange(minutes) / 11)[:, None] * np.array([1.0, -2.0, 3.0])
    values = 20 + course + 0.05 * dice.normal(size=(minutes, 3))
    if stuck:
        values[minutes // 2 :, 0] = 20.0
    lines = [f"{START_S + 60 * k}," + ",".join(f"{cell:.4f}" for cell in row) for k, row in enumerate(values)]
    file.write_text("\n".join(["time," + ",".join(NAMES), *lines]) + "\n", encoding="utf-8")
    return file


def events_of(site: Path, file: Path) -> list[tuple[str, str]]:
    log = io.BytesIO()
    replay(load(site, environ={}), file, EventLog(log, "r"))
    facts = [orjson.loads(line) for line in log.getvalue().splitlines()]
    return [(fact["tag"], fact["condition"]) for fact in facts if fact["event"] == "raised"]


def test_learn_check_and_replay_with_a_model_alone(tmp_path: Path) -> None:
    """No DRIFT and no TREND; learned on one course, the tag judges another, and finds the meter that sticks."""
    path, out = site_in(tmp_path / "site"), tmp_path / "site" / "learned.json"
    told = CliRunner().invoke(app, ["learn", str(path), str(recording(tmp_path / "june.csv", 600)), "--out", str(out)])
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines()[-1].split() == ["pump", "3", "1", "600"]  # one course moves all three
    facts = json.loads(out.read_text("utf-8"))
    assert facts["rules"] == []
    assert [model["name"] for model in facts["models"]] == ["pump"]
    assert facts["from_ns"] == START_S * 10**9
    assert facts["to_ns"] == (START_S + 599 * 60) * 10**9

    fault = recording(tmp_path / "july.csv", 400, seed=2, stuck=True)
    assert ("P-7.pca_q", "BAD") in events_of(path, fault)  # without a model there is no value
    site_in(tmp_path / "site", LEARN)
    checked = CliRunner().invoke(app, ["check", str(path)])
    assert checked.exit_code == 0, checked.output
    assert "not learnt" not in checked.output
    assert ("P-7.pca_q", "H") in events_of(path, fault)
    assert ("P-7.pca_q", "BAD") not in events_of(path, fault)
    quiet = events_of(path, recording(tmp_path / "quiet.csv", 400, seed=3))
    assert {condition for _, condition in quiet} == {"STALE"}  # the clock goes on beyond the file's end


def test_a_changed_tag_list_is_refused_with_its_sentence(tmp_path: Path) -> None:
    path, out = site_in(tmp_path / "site"), tmp_path / "site" / "learned.json"
    CliRunner().invoke(app, ["learn", str(path), str(recording(tmp_path / "june.csv", 600)), "--out", str(out)])
    site_in(tmp_path / "site", LEARN, names=(*NAMES, "P-7.heat"))
    checked = CliRunner().invoke(app, ["check", str(path)])
    assert checked.exit_code != 0
    assert "artefact learned.json was learnt with another tag list" in checked.output


def test_thresholds_and_models_stand_in_one_artefact(tmp_path: Path) -> None:
    """And the same recording gives the same file."""
    path = site_in(tmp_path / "site", more=DRIFT)
    file = recording(tmp_path / "june.csv", 9 * 1440)
    written = []
    for name in ("a.json", "b.json"):
        told = CliRunner().invoke(app, ["learn", str(path), str(file), "--out", str(tmp_path / "site" / name)])
        assert told.exit_code == 0, told.output
        written.append((tmp_path / "site" / name).read_bytes())
    facts = json.loads(written[0])
    assert [each["rule"] for each in facts["rules"]] == ["P-7.flow.DRIFT"]
    assert [model["name"] for model in facts["models"]] == ["pump"]
    assert written[0] == written[1]
    site_in(tmp_path / "site", LEARN.replace("learned", "a"), DRIFT)
    site = load(path, environ={})
    assert site.derived[0].model is not None
    assert site.rules[site.rules.index_of["P-7.flow.DRIFT"]].setpoint == facts["rules"][0]["value"]


def test_a_model_that_is_refused_is_told_in_the_artefact_and_by_check(tmp_path: Path) -> None:
    path, out = site_in(tmp_path / "site"), tmp_path / "site" / "learned.json"
    told = CliRunner().invoke(app, ["learn", str(path), str(recording(tmp_path / "short.csv", 9)), "--out", str(out)])
    assert told.exit_code == 1
    assert "Only 9 rows of normal operation; 6 features need 15 at least." in told.stdout
    (model,) = json.loads(out.read_text("utf-8"))["models"]
    assert model["name"] == "pump"
    assert set(model["refused"]) == {"en", "zh"}
    site_in(tmp_path / "site", LEARN)
    checked = CliRunner().invoke(app, ["check", str(path)])
    assert checked.exit_code == 0
    assert 'model "pump" could not be learnt (Only 9 rows of normal operation' in checked.output


def test_an_input_that_the_recording_does_not_have_is_named(tmp_path: Path) -> None:
    file = recording(tmp_path / "june.csv", 300)
    short = [line.rpartition(",")[0] for line in file.read_text("utf-8").splitlines()]
    file.write_text("\n".join(short) + "\n", encoding="utf-8")
    told = CliRunner().invoke(app, ["learn", str(site_in(tmp_path / "site")), str(file)])
    assert told.exit_code == 1
    assert "P-7.power has no good sample in this recording." in told.stdout


def test_a_model_of_computed_tags_is_refused(tmp_path: Path) -> None:
    spread = (
        '[[derived]]\ntag = "P-7.u"\nkind = "unusual"\nunit = "P-7"\ninputs = { tag = "P-7.flow" }\n'
        '[[derived]]\ntag = "P-7.p"\nkind = "pca"\nunit = "P-7"\nmodel = "two"\n'
        'inputs = { tags = ["P-7.flow", "P-7.u"] }\n'
    )
    path = site_in(tmp_path / "site", more=spread)
    told = CliRunner().invoke(app, ["learn", str(path), str(recording(tmp_path / "june.csv", 600))])
    assert told.exit_code == 1
    assert "P-7.u is computed" in told.stdout
    assert "pump" in told.stdout


@pytest.mark.parametrize("change", ["lags = 2", "weight = 0.4"])
def test_another_setting_of_the_tag_is_refused(change: str, tmp_path: Path) -> None:
    path, out = site_in(tmp_path / "site"), tmp_path / "site" / "learned.json"
    CliRunner().invoke(app, ["learn", str(path), str(recording(tmp_path / "june.csv", 600)), "--out", str(out)])
    key = change.split(" ", 1)[0]
    site_in(tmp_path / "site", LEARN)
    lines = [change if line.startswith(f"{key} =") else line for line in path.read_text("utf-8").splitlines()]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(ConfigError, match="other lags or another weight"):
        load(path, environ={})
