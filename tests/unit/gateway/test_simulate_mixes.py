"""Mixes of faults and kept runs: drawn by the seed alone, about what may fail; what is kept comes back as it was."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gateway.config import Site
from gateway.simulate.kept import Ledger, digest_of
from gateway.simulate.known import known_of, load_site, site_of
from gateway.simulate.mix import LIES, LINES, Mix, touched, with_mix
from gateway.simulate.run import Run
from gateway.simulate.score import Lead, Score
from gateway.simulate.suite import Story, suite_facts
from gateway.simulate.suite_page import suite_page
from simulators.instrument import Fault
from simulators.plant.port import PlantKind
from simulators.scenario import Known, Scenario, find_scenario, read_scenario


@pytest.fixture(scope="module")
def bay() -> tuple[Scenario, Site, tuple[str, ...]]:
    sites: list[Site] = []
    tags: list[tuple[str, ...]] = []

    def known(named: Path | None, kind: PlantKind) -> Known:
        tags.append(kind.make(np.random.default_rng(0)).tags)
        sites.append(load_site(site_of(named, kind), kind, tags[-1]))
        return known_of(sites[-1], tags[-1])

    return read_scenario(find_scenario("lpg_hose"), known), sites[-1], tags[-1]


def test_a_mix_is_drawn_by_the_seed_and_adds_one_fault_that_can_be(
    bay: tuple[Scenario, Site, tuple[str, ...]],
) -> None:
    scenario, site, tags = bay
    drawn = [with_mix(scenario, site, tags, Mix.ONE_LIES, seed).faults for seed in range(60)]

    assert with_mix(scenario, site, tags, Mix.AS_WRITTEN, 1) is scenario
    assert drawn[7] == with_mix(scenario, site, tags, Mix.ONE_LIES, 7).faults
    assert all(faults[:-1] == scenario.faults for faults in drawn)
    own = [faults[-1] for faults in drawn]
    assert {fault.kind for fault in own} == {kind for kind, _ in LIES}
    assert len({fault.target for fault in own}) > 6
    assert not {fault.target for fault in own} & {fault.target for fault in scenario.faults}, "one is at fault already"
    assert all(0 <= fault.from_s <= scenario.lasts_s / 2 for fault in own)
    assert {np.sign(fault.amount) for fault in own if fault.kind == "bias"} == {-1.0, 1.0}
    assert all(fault.amount > 0 for fault in own if fault.kind == "noise")


def test_a_poor_line_is_a_source_s_and_ends(bay: tuple[Scenario, Site, tuple[str, ...]]) -> None:
    scenario, site, tags = bay
    own = [with_mix(scenario, site, tags, Mix.POOR_LINE, seed).faults[-1] for seed in range(60)]

    assert {fault.kind for fault in own} == {kind for kind, _, _ in LINES}
    assert {fault.target for fault in own} == {source.id for source in site.sources}
    assert all(fault.is_of_line and np.isfinite(fault.until_s) for fault in own)


def test_alarms_about_what_was_made_wrong_are_not_false(bay: tuple[Scenario, Site, tuple[str, ...]]) -> None:
    scenario, site, _ = bay
    liar = replace(scenario, faults=(Fault(kind="frozen", target="GD-502.lel", from_s=0.0),))
    line = replace(scenario, faults=(Fault(kind="dropout", target="lpg-plc", from_s=0.0),))

    assert touched(liar, site) == {"GD-502.lel", "bay-gas"}, "the vote that it votes in"
    assert {"V-501.level", "H-501.flow", "fengsui.link.lpg-plc"} <= touched(line, site)
    assert "GD-501.lel" not in touched(line, site)
    assert touched(replace(scenario, faults=()), site) == frozenset()


def run(seed: int = 3, mix: Mix = Mix.AS_WRITTEN, lead_s: float | None = 20.5, limits_s: float | None = None) -> Run:
    lead = Lead(milestone="cloud", unit="V-501", at_s=80.0, lead_s=lead_s, limits_s=limits_s)
    score = Score(leads=(lead,), missed=1, false_alarms=2, lasts_s=120.0, alarms_10min=3, told_s=None)
    why = {"en": "It never came.", "zh": "始终未出现。"}
    return Run(seed=seed, mix=mix, is_passed=False, score=score, pace=99.5, missed=(why,))


def test_what_is_kept_comes_back_and_other_files_runs_do_not(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "story.jsonl"
    first = Ledger(path, "one")
    first.keep(run())
    first.keep(run(4, Mix.ONE_LIES))
    path.write_text(path.read_text(encoding="utf-8") + '{"digest": "one", "ru', encoding="utf-8")  # a power cut
    again = Ledger(path, "one")

    assert again.runs == [run(), run(4, Mix.ONE_LIES)]
    assert again.find(4, Mix.ONE_LIES) == run(4, Mix.ONE_LIES)
    assert again.find(4, Mix.AS_WRITTEN) is None
    assert Ledger(path, "other").runs == [], "runs of other rules do not pass for runs of these"
    again.forget()
    assert not path.exists()
    assert again.runs == []


def test_a_ledger_goes_on_behind_a_line_that_was_cut(tmp_path: Path) -> None:
    path = tmp_path / "story.jsonl"
    path.write_text('{"digest": "one", "ru', encoding="utf-8")
    Ledger(path, "one").keep(run())

    assert Ledger(path, "one").runs == [run()]


def test_the_digest_changes_with_a_story_and_with_a_rule(tmp_path: Path) -> None:
    told = (("simulators", "story.toml"), ("alerting", "limit.py"), ("gateway", "note.md"), ("config/demo", "tags.csv"))
    for room, name in told:
        (tmp_path / room).mkdir(parents=True)
        (tmp_path / room / name).write_text("1", encoding="utf-8")
    was = digest_of(tmp_path)
    (tmp_path / "gateway" / "note.md").write_text("2", encoding="utf-8")
    assert digest_of(tmp_path) == was
    (tmp_path / "alerting" / "limit.py").write_text("2", encoding="utf-8")
    changed = digest_of(tmp_path)
    (tmp_path / "simulators" / "story.toml").write_text("2", encoding="utf-8")
    story = digest_of(tmp_path)
    (tmp_path / "config" / "demo" / "tags.csv").write_text("2", encoding="utf-8")

    assert len({was, changed, story, digest_of(tmp_path)}) == 4


def test_the_table_says_what_a_drawn_fault_costs_and_judges_the_story_as_written(
    bay: tuple[Scenario, Site, tuple[str, ...]],
) -> None:
    good = replace(run(), is_passed=True, missed=())
    lost = run(3, Mix.ONE_LIES, lead_s=None, limits_s=4.0)
    told = suite_facts([Story(scenario=bay[0], runs=(good, lost, run(3, Mix.POOR_LINE, 5.0, 5.0)))], [3])
    story = told["stories"][0]

    assert told["passed"] is True
    assert story["beside_limits"] == {"earlier": 1, "same": 0, "later": 0, "neither": 0}
    assert story["with_faults"]["one_lies"]["beside_limits"]["later"] == 1
    assert story["with_faults"]["poor_line"]["beside_limits"]["same"] == 1
    assert (story["with_faults"]["one_lies"]["passed"], story["with_faults"]["one_lies"]["runs"]) == (0, 1)
    page = suite_page(told)
    assert "一台仪表失实" in page
    assert "a poor line" in page
    assert "Not as expected" not in page, "what a drawn fault costs is no verdict"
    alone = suite_page(suite_facts([Story(scenario=bay[0], runs=(good,))], [3]))
    assert "With a fault drawn by chance" not in alone
