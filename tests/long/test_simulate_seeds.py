"""Every story that ships with twenty seeds drawn at run time and printed, and one of each quiet week; resumable.

What is done is kept in ``var/long/simulate`` and not played again while no file of the product has changed; remove the
folder to begin anew with other seeds. Weeks come first: they take longest, so who plays side by side ends sooner.
"""

import json
import secrets
from pathlib import Path
from typing import Final

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.clock_system import SystemClock
from gateway.cli import app
from gateway.config import Site
from gateway.simulate.kept import Ledger, digest_of
from gateway.simulate.known import known_of, load_site, site_of
from gateway.simulate.mix import Mix
from gateway.simulate.run import Run
from gateway.simulate.suite import run_story
from simulators.plant.port import PlantKind
from simulators.scenario import Known, Scenario, find_scenario, read_scenario
from simulators.scenario.read import SCENARIOS, WEEKS

SEEDS: Final = 20
KEPT: Final = Path("var/long/simulate")


@pytest.fixture(scope="module")
def digest() -> str:
    return digest_of(Path())


def read(name: str) -> tuple[Scenario, Site]:
    sites: list[Site] = []

    def known(named: Path | None, kind: PlantKind) -> Known:
        tags = kind.make(np.random.default_rng(0)).tags
        sites.append(load_site(site_of(named, kind), kind, tags))
        return known_of(sites[-1], tags)

    return read_scenario(find_scenario(name), known), sites[-1]


def play(name: str, digest: str, count: int) -> tuple[Run, ...]:
    """Give so many runs as written, those that are done already first."""
    scenario, site = read(name)
    kept = Ledger(KEPT / f"{name}.jsonl", digest)
    done = [run.seed for run in kept.runs if run.mix is Mix.AS_WRITTEN][:count]
    seeds = [*done, *(secrets.randbelow(2**31) for _ in range(count - len(done)))]
    print(f"{name}: {len(done)} runs are done, seeds {seeds}", flush=True)
    return run_story(
        scenario,
        site,
        seeds,
        SystemClock(),
        kept=kept,
        tell=lambda run: print(
            f"{name} seed {run.seed}: {'as expected' if run.is_passed else run.missed}, false alarms "
            f"{run.score.false_per_day:g} a day, {run.pace:.0f} times real time",
            flush=True,
        ),
    ).runs


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("name", sorted(path.stem for path in WEEKS.glob("*.toml")))
def test_a_quiet_week_has_no_false_alarm(name: str, digest: str) -> None:
    (run,) = play(name, digest, 1)

    assert run.score.false_per_day == 0.0, run.missed
    assert run.is_passed, run.missed


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.toml")))
def test_a_story_comes_out_with_any_seed_and_no_warning_is_later_than_limits(name: str, digest: str) -> None:
    runs = play(name, digest, SEEDS)

    assert [(run.seed, run.missed) for run in runs if not run.is_passed] == []
    later = [
        (run.seed, lead)
        for run in runs
        for lead in run.score.leads
        if lead.limits_s is not None and (lead.lead_s is None or lead.lead_s < lead.limits_s)
    ]
    assert later == []


@pytest.mark.timeout(600)
@pytest.mark.parametrize("tag", ["GL-701.inlet_flow", "GL-701.outlet_flow"])
def test_a_pin_hole_behind_a_meter_that_stands_still_is_warned_of(tag: str, tmp_path: Path) -> None:
    text = (SCENARIOS / "gas_pinhole.toml").read_text("utf-8")
    head, mark, rest = text.partition("[[expect]]")
    say = 'say = { en = "It stands still.", zh = "示值不变。" }'
    fault = f'[[fault]]\nat_s = 1_700\ntag = "{tag}"\nkind = "frozen"\n{say}\n\n'
    story = tmp_path / "gas_pinhole_blind.toml"
    story.write_text(head + fault + mark + rest, "utf-8")
    said = CliRunner().invoke(app, ["simulate", str(story), "--out", str(tmp_path / "out"), "--json"])
    told = {one["id"]: one for one in json.loads(said.stdout[said.stdout.index("{") :])["expectations"]}

    assert told["two hours ahead"]["passed"], "YELLOW, for the balance is blind"
    assert 2_000 - 10 <= told["two hours ahead"]["seen_s"] <= 2_000 + 10, "five minutes after it stood still"
    assert told["demand is no leak"]["passed"]
