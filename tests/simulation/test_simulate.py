"""Simulated plants against the whole gateway: a story comes out as it says, and a worse gateway is caught."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from alerting.model.rule import Kind, Rule, RuleTable
from edge.clock_system import SystemClock
from edge.load.mistake import ConfigError
from gateway.backtest.labels import read_labels
from gateway.config import Site
from gateway.record import EventLog
from gateway.replay import replay
from gateway.simulate.known import known_of, load_site, site_of
from gateway.simulate.play import Played, play
from gateway.simulate.report import FAULTS_ZH
from gateway.simulate.result import facts, write
from simulators.instrument import Fault
from simulators.instrument.fault import LINE_KINDS, VALUE_KINDS
from simulators.plant.port import PlantKind
from simulators.scenario import Expectation, Known, Scenario, See, find_scenario, read_scenario
from simulators.scenario.read import SCENARIOS

SVG = "{http://www.w3.org/2000/svg}"


def read(name: str) -> tuple[Scenario, Site]:
    sites: list[Site] = []

    def known(named: Path | None, kind: PlantKind) -> Known:
        tags = kind.make(np.random.default_rng(0)).tags
        sites.append(load_site(site_of(named, kind), kind, tags))
        return known_of(sites[-1], tags)

    return read_scenario(find_scenario(name), known), sites[-1]


def run(scenario: Scenario, site: Site, folder: Path, seed: int = 1, record: Path | None = None) -> Played:
    return play(scenario, site, seed, folder, SystemClock(), record)


@pytest.fixture(scope="module")
def lpg() -> tuple[Scenario, Site]:
    return read("lpg_hose")


@pytest.fixture(scope="module")
def leak(lpg: tuple[Scenario, Site], tmp_path_factory: pytest.TempPathFactory) -> tuple[Played, Path]:
    """The LPG story, once, with all its files."""
    out = tmp_path_factory.mktemp("out")
    played = run(*lpg, tmp_path_factory.mktemp("data"), record=out / "recording.jsonl")
    write(played, out)
    return played, out


@pytest.mark.parametrize("path", sorted(SCENARIOS.rglob("*.toml")), ids=lambda path: path.stem)
def test_every_scenario_that_ships_is_right_and_speaks_both_languages(path: Path) -> None:
    scenario, site = read(path.stem)

    assert site.is_demonstration
    assert set(scenario.title) == {"en", "zh"}
    assert all(set(said) == {"en", "zh"} for said in (m.say for m in scenario.moments))
    assert all(set(each.say) == {"en", "zh"} for each in scenario.expectations)


def test_the_leak_is_found_in_time_though_a_detector_lies(leak: tuple[Played, Path]) -> None:
    played, _ = leak

    assert [verdict.why["en"] for verdict in played.verdicts if not verdict.is_met] == []
    assert set(played.balances.values()) == {0}
    assert played.is_passed


def short(lpg: tuple[Scenario, Site]) -> tuple[Scenario, Site]:
    return replace(lpg[0], lasts_s=72.0), lpg[1]


def test_one_seed_is_one_run_to_the_last_byte(lpg: tuple[Scenario, Site], tmp_path: Path) -> None:
    one, same, other = (run(*short(lpg), tmp_path / name, seed) for name, seed in (("a", 5), ("b", 5), ("c", 6)))

    assert one.log
    assert one.log == same.log
    assert one.log != other.log
    assert (np.array(one.trace.sent) == np.array(same.trace.sent)).all()


def without(*dropped: Callable[[Rule], bool]) -> Callable[[Site], Site]:
    def change(site: Site) -> Site:
        kept = [rule for rule in site.rules if not any(drop(rule) for drop in dropped)]
        return replace(site, rules=RuleTable(kept, site.tags))

    return change


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        (
            without(lambda rule: rule.kind is Kind.VOTE),
            {"two of three", "red before the fence", "authority told"},
        ),
        (lambda site: replace(site, destinations=()), {"authority told"}),
        (without(lambda rule: rule.id == "GD-502.lel.H"), {"first detector"}),
    ],
    ids=["no vote", "nobody told", "a limit forgotten"],
)
def test_a_worse_gateway_is_caught(
    change: Callable[[Site], Site], missed: set[str], lpg: tuple[Scenario, Site], tmp_path: Path
) -> None:
    scenario, site = short(lpg)
    played = run(scenario, change(site), tmp_path)

    assert {verdict.id for verdict in played.verdicts if not verdict.is_met} == missed
    assert not played.is_passed


def test_faults_reach_the_gateway_as_what_they_are(lpg: tuple[Scenario, Site], tmp_path: Path) -> None:
    """A cut wire is BAD, a silent source STALE, a dropped link an alarm of the gateway's own; each says so."""
    scenario, site = lpg
    faults = (
        Fault(kind="cut", target="V-501.pressure", from_s=5.0),
        Fault(kind="silent", target="gas-plc", from_s=10.0, until_s=25.0),
        Fault(kind="dropout", target="lpg-plc", from_s=20.0, until_s=30.0),
    )
    played = run(replace(scenario, lasts_s=40.0, moments=(), faults=faults, expectations=()), site, tmp_path)
    rang = {(event.tag, event.condition) for event in played.seen.events if event.what == "raised"}

    assert ("V-501.pressure", "BAD") in rang or ("V-501.pressure", "RANGE") in rang
    assert ("GD-501.lel", "STALE") in rang
    assert any(tag == "fengsui.link.lpg-plc" for tag, _ in rang)
    assert set(played.balances.values()) == {0}


def test_the_files_of_a_run_are_what_other_commands_read(leak: tuple[Played, Path], lpg: tuple[Scenario, Site]) -> None:
    played, out = leak
    _, site = lpg

    again = io.BytesIO()
    replay(site, out / "recording.jsonl", EventLog(again, "lpg_hose-1"))
    assert again.getvalue() == played.log, "a recording of ours gives live's events"

    named = {(label.tag, label.name) for label in read_labels(out / "labels.csv", site.tags)}
    assert {("GD-501.lel", "GD-501's bead is poisoned."), ("", "cloud at GD-510")} <= named

    done = replay(site, out / "samples.csv", EventLog(io.BytesIO(), "x"))
    assert done.refused == 0
    assert done.samples == played.samples


def test_the_report_says_it_in_both_languages_and_needs_nothing_else(leak: tuple[Played, Path]) -> None:
    played, out = leak
    text = (out / "report.html").read_text(encoding="utf-8")

    assert all(verdict.why["zh"].replace("'", "&#x27;") in text for verdict in played.verdicts)
    assert "全部符合" in text
    assert "故障:GD-501.lel 灵敏度下降" in text
    assert set(FAULTS_ZH) == set(VALUE_KINDS) | set(LINE_KINDS)
    assert text.count("<svg") >= 4
    assert "http" not in text
    assert "<script" not in text
    told = facts(played)
    assert told["passed"] is True
    assert len(told["expectations"]) == 6


def test_the_picture_is_whole_xml_with_every_series(leak: tuple[Played, Path]) -> None:
    _, out = leak
    root = ET.fromstring((out / "picture.svg").read_text(encoding="utf-8"))  # noqa: S314  # our own file
    names = [text.text for text in root.iter(f"{SVG}text") if text.get("class") == "name"]

    assert names == ["GD-501.lel", "GD-502.lel", "GD-503.lel", "GD-504.lel"]
    assert len([path for path in root.iter(f"{SVG}path") if path.get("class") == "true"]) == len(names)
    assert [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "fault"], "the poisoned bead is shaded"


def test_names_in_a_report_are_escaped(leak: tuple[Played, Path], tmp_path: Path) -> None:
    played, _ = leak
    evil = Expectation(id="<b>x</b>", see=See.QUIET, unit="V-501", say={"en": "<i>", "zh": "<i>"})
    scenario = replace(played.scenario, title={"en": "<u>", "zh": "<u>"}, expectations=(evil,))
    write(replace(played, scenario=scenario, verdicts=played.verdicts[:1]), tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert not [tag for tag in ("<b>x", '<i>"', "<u>") if tag in text]
    assert "&lt;u&gt;" in text


def test_a_site_that_lacks_a_tag_or_is_real_is_refused(lpg: tuple[Scenario, Site], tmp_path: Path) -> None:
    kind = lpg[0].kind
    folder = Path("simulators/sites/lpg-bay")
    for name in ("site.toml", "tags.csv", "authority.example"):
        (tmp_path / name).write_text((folder / name).read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"measures X-1\.level"):
        load_site(tmp_path / "site.toml", kind, ["X-1.level"])
    text = (tmp_path / "site.toml").read_text(encoding="utf-8")
    real = text.replace("demonstration = true\n", "").replace('nature = "test"\n', "").replace('["test"]', '["actual"]')
    (tmp_path / "site.toml").write_text(real, encoding="utf-8")
    with pytest.raises(ConfigError, match="on a site that says so"):
        load_site(tmp_path / "site.toml", kind, [])
