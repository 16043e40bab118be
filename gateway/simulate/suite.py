"""Suite: stories times seeds, each run scored, beside the same samples judged by well-set limits only.

Flow: story, seed -> [play] -> Played -> [limits only: replay of its samples] -> [score] -> table as JSON and HTML
Why: one story that comes out well proves little; rules are chosen by a table of all, beside what plain limits do.
"""

import io
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from alerting.model.rule import Kind, RuleTable
from edge.clock import Clock
from gateway.config import Site
from gateway.record import EventLog
from gateway.replay import replay
from gateway.simulate.play import Played, events_of, play
from gateway.simulate.result import samples_csv
from gateway.simulate.score import Score, score, worst
from simulators.scenario import Event, Scenario

LIMITS: Final = frozenset({Kind.LL, Kind.L, Kind.H, Kind.HH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One story with one seed; ``missed`` are the sentences of what was not as expected, by language."""

    seed: int
    is_passed: bool
    score: Score
    pace: float
    missed: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """All runs of one story."""

    scenario: Scenario
    runs: tuple[Run, ...]

    @property
    def is_passed(self) -> bool:
        """Tell whether every run came out as the story says."""
        return all(run.is_passed for run in self.runs)


def run_story(
    scenario: Scenario, site: Site, seeds: Sequence[int], watch: Clock, tell: Callable[[Run], None] = lambda _: None
) -> Story:
    """Play a story with each seed.

    Args:
        tell: Called after each run.

    Raises:
        OSError: There is no room for the gateway's data.
    """
    runs = []
    for seed in seeds:
        memory = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
        folder = Path(tempfile.mkdtemp(prefix="fengsui-", dir=memory if memory.is_dir() else None))
        try:
            (folder / "data").mkdir()
            played = play(scenario, site, seed, folder / "data", watch)
            limits = limits_only(played, site, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        runs.append(
            Run(
                seed=seed,
                is_passed=played.is_passed,
                score=score(scenario, played.seen, played.verdicts, limits),
                pace=played.pace,
                missed=tuple(dict(verdict.why) for verdict in played.verdicts if not verdict.is_met),
            )
        )
        tell(runs[-1])
    return Story(scenario=scenario, runs=tuple(runs))


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
                **_numbers(worst([run.score for run in story.runs])),
                "runs": [
                    {
                        "seed": run.seed,
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
