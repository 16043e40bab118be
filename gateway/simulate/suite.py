"""Suite: stories times seeds times mixes of faults, each run scored, beside limits only.

Flow: story, seed -> [play] -> Played -> [limits only: replay of its samples] -> [score] -> table as JSON and HTML
Why: one story that comes out well proves little; rules are chosen by a table of all, beside what plain limits do.
"""

import io
import math
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from alerting.model.rule import Kind, RuleTable
from edge.clock import Clock
from gateway.config import Site
from gateway.record import EventLog
from gateway.replay import replay
from gateway.simulate.kept import Ledger
from gateway.simulate.mix import Mix, touched, with_mix
from gateway.simulate.play import Played, events_of, play
from gateway.simulate.result import samples_csv
from gateway.simulate.run import Run
from gateway.simulate.score import Score, score, worst
from simulators.scenario import Event, Scenario

LIMITS: Final = frozenset({Kind.LL, Kind.L, Kind.H, Kind.HH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All runs of one story."""

    scenario: Scenario
    runs: tuple[Run, ...]

    @property
    def is_passed(self) -> bool:
        """Tell whether every run as written came out as the story says; a drawn fault's cost is told, not judged."""
        return all(run.is_passed for run in self.of(Mix.AS_WRITTEN))

    def of(self, mix: Mix) -> tuple[Run, ...]:
        """Give the runs of one mix."""
        return tuple(run for run in self.runs if run.mix is mix)


def run_story(
    scenario: Scenario,
    site: Site,
    seeds: Sequence[int],
    watch: Clock,
    *,
    mixes: Sequence[Mix] = (Mix.AS_WRITTEN,),
    kept: Ledger | None = None,
    tell: Callable[[Run], None] = lambda _: None,
) -> Story:
    """Play a story with each seed and each mix of faults.

    Args:
        kept: Runs that are done already, and where new ones are kept.
        tell: Called after each run that was played now.

    Raises:
        OSError: There is no room for the gateway's data, or a run cannot be kept.
    """
    runs = []
    for seed in seeds:
        for mix in mixes:
            done = None if kept is None else kept.find(seed, mix)
            if done is None:
                done = _one(scenario, site, seed, mix, watch)
                if kept is not None:
                    kept.keep(done)
                tell(done)
            runs.append(done)
    return Story(scenario=scenario, runs=tuple(runs))


def _one(scenario: Scenario, site: Site, seed: int, mix: Mix, watch: Clock) -> Run:
    measured = scenario.kind.make(np.random.default_rng(0)).tags
    scenario = with_mix(scenario, site, measured, mix, seed)
    memory = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
    folder = Path(tempfile.mkdtemp(prefix="fengsui-", dir=memory if memory.is_dir() else None))
    try:
        (folder / "data").mkdir()
        played = play(scenario, site, seed, folder / "data", watch)
        # Where nothing can be too late, limits alone need not be asked.
        limits = limits_only(played, site, folder) if any(each.before for each in scenario.expectations) else []
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    wrong = frozenset[str]() if mix is Mix.AS_WRITTEN else touched(scenario, site)
    return Run(
        seed=seed,
        mix=mix,
        is_passed=played.is_passed,
        score=score(scenario, played.seen, played.verdicts, limits, wrong),
        pace=played.pace,
        missed=tuple(dict(verdict.why) for verdict in played.verdicts if not verdict.is_met),
    )


def limits_only(played: Played, site: Site, folder: Path) -> list[Event]:
    """Judge the samples of a run with the site's own LL, L, H and HH alone: no votes, trends, expressions, tiering.

    Args:
        folder: For the samples' file.
    """
    kept = [rule for rule in site.rules if rule.kind in LIMITS]
    plain = replace(site, rules=RuleTable(kept, site.tags))
    path = folder / "samples.csv"
    path.write_text(samples_csv(played), encoding="utf-8")
    log = io.BytesIO()
    replay(plain, path, EventLog(log, "limits"))
    return events_of(log.getvalue(), played.scenario.begins_ns)


def suite_facts(stories: Sequence[Story], seeds: Sequence[int]) -> dict[str, Any]:
    """Give the table as JSON values; a number that is not known is null."""
    return {
        "passed": all(story.is_passed for story in stories),
        "seeds": list(seeds),
        "stories": [
            {
                "name": story.scenario.name,
                "title": dict(story.scenario.title),
                "plant": story.scenario.kind.name,
                "passed": story.is_passed,
                **_numbers(worst([run.score for run in story.of(Mix.AS_WRITTEN)])),
                "beside_limits": _beside(story.of(Mix.AS_WRITTEN)),
                "with_faults": {
                    mix.value: {
                        "runs": len(story.of(mix)),
                        "passed": sum(run.is_passed for run in story.of(mix)),
                        **_numbers(worst([run.score for run in story.of(mix)])),
                        "beside_limits": _beside(story.of(mix)),
                    }
                    for mix in Mix
                    if mix is not Mix.AS_WRITTEN and story.of(mix)
                },
                "runs": [
                    {
                        "seed": run.seed,
                        "mix": run.mix.value,
                        "passed": run.is_passed,
                        "pace": round(run.pace, 1),
                        **_numbers(run.score),
                        "not_as_expected": list(run.missed),
                    }
                    for run in story.runs
                ],
            }
            for story in stories
        ],
    }


def _beside(runs: Sequence[Run]) -> dict[str, int]:
    """Count consequences by whether their warning was earlier or later than by limits only; neither is no warning."""
    found = dict.fromkeys(("earlier", "same", "later", "neither"), 0)
    for lead in (lead for run in runs for lead in run.score.leads):
        ours, limits = (-math.inf if each is None else each for each in (lead.lead_s, lead.limits_s))
        word = "earlier" if ours > limits else "later" if ours < limits else "same"
        found["neither" if ours == limits == -math.inf else word] += 1
    return found


def _numbers(of: Score) -> dict[str, Any]:
    return {
        "consequences": [
            {
                "milestone": lead.milestone,
                "unit": lead.unit,
                "at_s": _round(lead.at_s),
                "lead_s": _round(lead.lead_s),
                "lead_limits_only_s": _round(lead.limits_s),
            }
            for lead in of.leads
        ],
        "missed": of.missed,
        "false_alarms": of.false_alarms,
        "false_alarms_per_day": round(of.false_per_day, 3),
        "alarms_per_10_min": of.alarms_10min,
        "cause_to_notice_s": _round(of.told_s),
        "lasts_s": of.lasts_s,
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
