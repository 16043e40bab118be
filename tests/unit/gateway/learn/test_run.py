"""Thresholds from a history: tails with a known answer, a site's own noise, and what is refused."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import genextreme, genpareto
from typer.testing import CliRunner

from gateway.cli import app
from gateway.learn.artefact import write
from gateway.learn.run import Asked, learn
from gateway.learn.tail import level_of, pareto_of
from gateway.load import ConfigError, load
from gateway.recording import RecordingError

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
id = "G-1"
kind = "area"

[[rule]]
tag = "G-1.gas"
kind = "DRIFT"
setpoint = "learned"
season = "none"
span_s = {span}
base_s = 14400

[[rule]]
tag = "G-1.gas"
kind = "TREND"
to = "HH"
horizon_s = 3600
"""
TAGS = "tag,source,unit,kind,eu,period_s,register,type,HH\nG-1.gas,plc,G-1,gas,%LEL,120,0,float32,20\n"


def site_of(folder: Path, *, artefact: bool = False, span: int = 300) -> Path:
    folder.mkdir(exist_ok=True)
    named = '\n[learn]\nartefact = "learned.json"\n' if artefact else ""
    (folder / "site.toml").write_text(SITE.format(learn=named, span=span), encoding="utf-8")
    (folder / "tags.csv").write_text(TAGS, encoding="utf-8")
    return folder / "site.toml"


def history(file: Path, days: float, *, phi: float = 0.9, seed: int = 1) -> Path:
    """Correlated noise about 2 %LEL, a sample in two minutes."""
    dice, rest, lines = np.random.default_rng(seed), 0.0, ["time,G-1.gas"]
    for number in range(round(days * 720)):
        rest = phi * rest + float(dice.normal(0, 0.3)) * np.sqrt(1 - phi**2)
        lines.append(f"{1_767_225_600 + 120 * number},{2 + rest:.4f}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.2])
def test_the_fit_finds_a_known_tail(shape: float) -> None:
    """Against scipy's distribution, which draws the excesses."""
    excess = np.sort(genpareto.rvs(shape, scale=2.0, size=20_000, random_state=3))
    scale, found = pareto_of(excess)

    assert (scale, found) == pytest.approx((2.0, shape), abs=0.08)


def test_the_level_is_the_true_one_within_its_interval() -> None:
    """Maxima of a known law (scipy's GEV): most intervals of 80 % of 40 histories hold the level of once a year."""
    law, chance, held = genextreme(0.05, loc=2.0, scale=0.4), 1 / 8766, 0
    truth = float(law.isf(chance))
    for seed in range(40):
        maxima = law.rvs(24 * 60, random_state=seed)
        level = level_of(maxima, chance, np.random.default_rng(seed))
        held += level.low <= truth <= level.high

    assert held >= 26


def test_a_history_gives_thresholds_that_the_site_takes(tmp_path: Path) -> None:
    path = site_of(tmp_path / "a")
    recording = history(tmp_path / "june.csv", 9)
    learned = learn(load(path, environ={}, is_learning=True), Asked(recording=recording))
    drift, trend = sorted(learned.rules, key=lambda each: each.kind)

    assert drift.value is not None
    assert 4.0 < drift.value < 12.0
    assert drift.low is not None
    assert drift.low <= drift.value
    assert drift.alarms_then == 0
    assert drift.days == pytest.approx(9, abs=0.6)
    assert (trend.kind, trend.now) == ("TREND", 3600.0)
    again = learn(load(path, environ={}, is_learning=True), Asked(recording=recording))
    assert again == learned

    site_of(tmp_path / "a", artefact=True)
    write(tmp_path / "a" / "learned.json", learned)
    site = load(path, environ={})
    rule = site.rules[site.rules.index_of["G-1.gas.DRIFT"]]
    assert rule.setpoint == drift.value
    assert site.learned == learned

    site_of(tmp_path / "a", artefact=True, span=600)
    with pytest.raises(ConfigError, match="its settings have changed since"):
        load(path, environ={})


def test_too_short_a_history_is_refused_with_a_sentence(tmp_path: Path) -> None:
    site = load(site_of(tmp_path / "a"), environ={}, is_learning=True)
    learned = learn(site, Asked(recording=history(tmp_path / "short.csv", 3)))

    assert all(each.value is None for each in learned.rules)
    assert all("at least 7" in (each.refused or {})["en"] for each in learned.rules)


def test_labelled_windows_are_left_out(tmp_path: Path) -> None:
    recording = history(tmp_path / "june.csv", 8.5, phi=0.8)
    lines = recording.read_text("utf-8").splitlines()
    lines[5_000:5_150] = [f"{line.split(',')[0]},14.0" for line in lines[5_000:5_150]]
    recording.write_text("\n".join(lines) + "\n", encoding="utf-8")
    start, end = lines[4_999].split(",")[0], lines[5_151].split(",")[0]
    labels = tmp_path / "labels.csv"
    labels.write_text(f"start,end\n{start},{end}\n", encoding="utf-8")
    site = load(site_of(tmp_path / "a"), environ={}, is_learning=True)
    with_it = learn(site, Asked(recording=recording))
    without = learn(site, Asked(recording=recording, labels=labels))
    drifts = [next(each for each in learned.rules if each.kind == "DRIFT") for learned in (with_it, without)]

    assert drifts[0].value is not None
    assert drifts[1].value is not None
    assert drifts[1].value < drifts[0].value


def test_a_site_without_such_rules_has_nothing_to_learn(tmp_path: Path) -> None:
    path = site_of(tmp_path / "a")
    path.write_text(path.read_text("utf-8").split("[[rule]]")[0], encoding="utf-8")
    with pytest.raises(RecordingError, match="no pca tag; there is nothing to learn"):
        learn(load(path, environ={}, is_learning=True), Asked(recording=history(tmp_path / "june.csv", 1)))


def test_the_command_writes_what_the_site_takes(tmp_path: Path) -> None:
    path, out = site_of(tmp_path / "a"), tmp_path / "a" / "learned.json"
    recording = history(tmp_path / "june.csv", 8)
    told = CliRunner().invoke(app, ["learn", str(path), str(recording), "--out", str(out), "--json"])
    facts = json.loads(told.stdout)

    assert told.exit_code == (0 if all(each["value"] for each in facts["rules"]) else 1)
    assert json.loads(out.read_text("utf-8")) == facts
    short = CliRunner().invoke(app, ["learn", str(path), str(history(tmp_path / "short.csv", 2))])
    assert short.exit_code == 1
    assert "at least 7 are needed" in short.stdout
    nothing = CliRunner().invoke(app, ["learn", str(path), str(tmp_path / "absent.csv")])
    assert nothing.exit_code == 2


TEMPLATE = """
[site]
id = "plant"
timezone = "Asia/Shanghai"
{learn}
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"

[[template]]
id = "detector"
tags = "detector.csv"
devices = "detectors.csv"

[template.unit]
id = "{{area}}"

[[template.rule]]
tag = "{{area}}.gas"
kind = "DRIFT"
setpoint = "{{drift}}"
season = "none"
"""


def test_learned_numbers_in_rules_and_rows_of_a_template(tmp_path: Path) -> None:
    """Of each device its own, in ``[[template.rule]]`` and in the template's table; a device may also say a number."""
    path = tmp_path / "site.toml"
    path.write_text(TEMPLATE.format(learn=""), encoding="utf-8")
    (tmp_path / "detector.csv").write_text(
        "tag,source,unit,kind,eu,period_s,register,type,HH,trend_to,trend_horizon_s\n"
        "{area}.gas,plc,{area},gas,%LEL,60,{base},float32,3.2,HH,{horizon}\n",
        encoding="utf-8",
    )
    devices = "area,base,drift,horizon\nG-1,0,learned,learned\nG-2,2,learned,learned\nG-3,4,7,1800\n"
    (tmp_path / "detectors.csv").write_text(devices, encoding="utf-8")
    rows = history(tmp_path / "one.csv", 8).read_text(encoding="utf-8").splitlines()[1:]
    others = history(tmp_path / "two.csv", 8, phi=0.5, seed=2).read_text(encoding="utf-8").splitlines()[1:]
    lines = [f"{row},{other.split(',')[1]},2" for row, other in zip(rows, others, strict=True)]
    (tmp_path / "r.csv").write_text("\n".join(["time,G-1.gas,G-2.gas,G-3.gas", *lines]), encoding="utf-8")

    with pytest.raises(ConfigError) as told:
        load(path, environ={})
    for rule in ("G-1.gas.DRIFT", "G-2.gas.DRIFT", "G-1.gas.TREND", "G-2.gas.TREND"):
        assert f"rule {rule}: " in str(told.value)
    assert "G-3.gas.DRIFT" not in str(told.value)

    learned = learn(load(path, environ={}, is_learning=True), Asked(recording=tmp_path / "r.csv"))
    # In this quiet history nothing runs to its limit, and that is said; a horizon as another history might give it:
    assert {each.rule for each in learned.rules if each.value is None} == {f"G-{n}.gas.TREND" for n in (1, 2, 3)}
    learned = replace(
        learned,
        rules=tuple(
            replace(each, value=900.0 + n, refused=None) if each.value is None else each
            for n, each in enumerate(learned.rules)
        ),
    )
    write(tmp_path / "learned.json", learned)
    path.write_text(TEMPLATE.format(learn='[learn]\nartefact = "learned.json"\n'), encoding="utf-8")
    rules = load(path, environ={}).rules
    found = {name: rules[rules.index_of[f"{name}.gas.DRIFT"]].setpoint for name in ("G-1", "G-2", "G-3")}

    assert found["G-3"] == 7.0
    assert found["G-1"] == learned.threshold("G-1.gas.DRIFT").value  # type: ignore[union-attr]
    assert found["G-2"] == learned.threshold("G-2.gas.DRIFT").value  # type: ignore[union-attr]
    assert found["G-1"] != found["G-2"]
    for name in ("G-1.gas.TREND", "G-2.gas.TREND"):
        assert rules[rules.index_of[name]].horizon_s == learned.threshold(name).value  # type: ignore[union-attr]
    assert rules[rules.index_of["G-3.gas.TREND"]].horizon_s == 1800
