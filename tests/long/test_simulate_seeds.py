"""Every story that ships, with twenty seeds drawn at run time and printed: each must come out as it says."""

import secrets
import tempfile
from pathlib import Path

import numpy as np
import pytest

from edge.clock_system import SystemClock
from gateway.config import Site
from gateway.simulate.known import known_of, load_site, site_of
from gateway.simulate.play import play
from simulators.plant.port import PlantKind
from simulators.scenario import Known, find_scenario, read_scenario
from simulators.scenario.read import SCENARIOS

SEEDS = 20


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.toml")))
def test_a_story_comes_out_with_any_seed(name: str) -> None:
    sites: list[Site] = []

    def known(named: Path | None, kind: PlantKind) -> Known:
        tags = kind.make(np.random.default_rng(0)).tags
        sites.append(load_site(site_of(named, kind), kind, tags))
        return known_of(sites[-1], tags)

    scenario = read_scenario(find_scenario(name), known)
    memory = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
    missed: list[tuple[int, str]] = []
    for seed in (secrets.randbelow(2**31) for _ in range(SEEDS)):
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            played = play(scenario, sites[-1], seed, Path(folder), SystemClock())
        slack = {verdict.id: verdict.slack_s for verdict in played.verdicts if verdict.slack_s is not None}
        print(f"{name} seed {seed}: {slack}, {played.pace:.0f} times real time", flush=True)
        missed += [(seed, verdict.why["en"]) for verdict in played.verdicts if not verdict.is_met]
        assert not any(played.balances.values()), seed

    assert missed == []
