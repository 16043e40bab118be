"""The command ``fengsui simulate``: a plant made of code, the whole gateway, and a verdict on each expectation."""

import contextlib
import json
import math
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from gateway.cli_data import FINDING, GOOD, AsJson, reason_of, refuse

if TYPE_CHECKING:
    from gateway.config import Site
    from gateway.simulate.play import Played
    from simulators.plant.port import PlantKind
    from simulators.scenario import Known, Scenario

SEED_MAX = 2**31


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which runs a suite is of; ``only`` names one story, ``seed`` is the one seed where it is given."""

    only: str | None
    seed: int | None
    seeds: int
    mixes: bool
    weeks: bool
    resume: bool


def simulate(  # noqa: PLR0913, PLR0917  # one argument per option
    scenario: Annotated[
        str | None, typer.Argument(help="Name of a scenario that ships, or the path of a file; --suite: default all.")
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", help="Number that fixes luck; default the scenario's.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; default var/simulate/<name>-<seed>.")
    ] = None,
    as_json: AsJson = False,
    suite: Annotated[
        bool, typer.Option("--suite", help="Score all stories that ship, each with --seeds seeds.")
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="In real time, over Modbus TCP and MQTT, against a gateway process.")
    ] = False,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="--suite: seeds drawn now and printed.")] = 1,
    mixes: Annotated[
        bool, typer.Option("--mixes", help="--suite: also with one instrument that lies, and with a poor line.")
    ] = False,
    weeks: Annotated[bool, typer.Option("--weeks", help="--suite: also the quiet weeks; they take hours.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="--suite: go on with the seeds and the runs that lie in --out.")
    ] = False,
) -> None:
    """Play a scenario on the whole gateway, in manual time or live, and judge its expectations."""
    if seed is not None and not 0 <= seed <= SEED_MAX:
        refuse(f"--seed is {seed}; it is a whole number from 0 to {SEED_MAX}.")
    if not suite and (mixes or weeks or resume):
        refuse("--mixes, --weeks and --resume belong to --suite.")
    if live and suite:
        refuse("--live plays one story in real time; leave out --suite.")
    with _quiet():
        if suite:
            wanted = Wanted(only=scenario, seed=seed, seeds=seeds, mixes=mixes, weeks=weeks, resume=resume)
            _suite(wanted, out or Path("var/simulate/suite"), as_json=as_json)
        _simulate(scenario, seed, out, as_json=as_json, live=live)


def _simulate(scenario: str | None, seed: int | None, out: Path | None, *, as_json: bool, live: bool) -> NoReturn:
    """Play one."""
    from edge.clock_system import SystemClock
    from edge.load.mistake import ConfigError
    from gateway.simulate.live import LiveError, play_live
    from gateway.simulate.play import play
    from gateway.simulate.result import facts, write

    if scenario is None:
        refuse("Which scenario? Name one that ships or give the path of a file; --suite plays all that ship.")
    try:
        one, site = read_story(scenario)
    except ConfigError as wrong:
        refuse("\n".join(str(mistake) for mistake in wrong.mistakes))
    chosen = one.seed if seed is None else seed
    folder = out or Path("var/simulate") / f"{one.name}-{chosen}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        memory = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
        data = Path(tempfile.mkdtemp(prefix="fengsui-", dir=memory if memory.is_dir() else None))
    except OSError as failure:
        refuse(f"--out {folder}: {reason_of(failure)}. Give a folder that can be written to.")
    try:
        record = folder / "recording.jsonl"
        if live:
            tell = partial(typer.echo, err=True)
            played = play_live(one, site, chosen, data, SystemClock(), record=record, tell=tell)
        else:
            played = play(one, site, chosen, data, SystemClock(), record=record)
        write(played, folder)
    except ConfigError as wrong:  # Of the lists beside the site file, which are read as they are entered.
        refuse("\n".join(str(mistake) for mistake in wrong.mistakes))
    except LiveError as failure:
        refuse(str(failure))
    except OSError as failure:
        refuse(f"--out {folder}: {reason_of(failure)}. Give a folder that can be written to.")
    finally:
        shutil.rmtree(data, ignore_errors=True)
    typer.echo(json.dumps(facts(played), ensure_ascii=False) if as_json else _text(played, folder))
    raise typer.Exit(GOOD if played.is_passed else FINDING)


def _suite(wanted: Wanted, folder: Path, *, as_json: bool) -> NoReturn:
    """Score stories; all are read before the first is played, so that a mistake costs no run."""
    from edge.clock_system import SystemClock
    from edge.load.mistake import ConfigError
    from gateway.simulate.kept import Ledger, digest_of
    from gateway.simulate.mix import Mix
    from gateway.simulate.suite import run_story, suite_facts
    from gateway.simulate.suite_page import suite_page
    from simulators.scenario.read import SCENARIOS, WEEKS

    folders = [SCENARIOS, WEEKS] if wanted.weeks else [SCENARIOS]
    ships = [path.stem for each in folders for path in sorted(each.glob("*.toml"))]
    try:
        read = [read_story(name) for name in ([wanted.only] if wanted.only else ships)]
    except ConfigError as wrong:
        refuse("\n".join(str(mistake) for mistake in wrong.mistakes))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        seeds = _seeds(wanted, folder)
        digest = digest_of(Path(__file__).parents[1])
        stories = []
        for one, site in read:
            kept = Ledger(folder / "runs" / f"{one.name}.jsonl", digest)
            if not wanted.resume:
                kept.forget()
            stories.append(
                run_story(
                    one, site, seeds, SystemClock(), mixes=tuple(Mix) if wanted.mixes else (Mix.AS_WRITTEN,), kept=kept
                )
            )
            typer.echo(f"{one.name}: {'as expected' if stories[-1].is_passed else 'NOT as expected'}", err=True)
        told = suite_facts(stories, seeds)
        (folder / "suite.json").write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        (folder / "suite.html").write_text(suite_page(told), encoding="utf-8")
    except ConfigError as wrong:
        refuse("\n".join(str(mistake) for mistake in wrong.mistakes))
    except OSError as failure:
        refuse(f"--out {folder}: {reason_of(failure)}. Give a folder that can be written to.")
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else _suite_text(told, folder))
    raise typer.Exit(GOOD if told["passed"] else FINDING)


def _seeds(wanted: Wanted, folder: Path) -> list[int]:
    """Draw the seeds, or take those of the suite that is gone on with."""
    path = folder / "seeds.json"
    if wanted.resume and path.is_file():
        try:
            return [int(seed) for seed in json.loads(path.read_text(encoding="utf-8"))]
        except (ValueError, TypeError):
            refuse(f"{path} is no list of seeds. Remove it, or leave --resume out.")
    drawn = [secrets.randbelow(SEED_MAX) for _ in range(wanted.seeds)] if wanted.seed is None else [wanted.seed]
    path.write_text(json.dumps(drawn) + "\n", encoding="utf-8")
    return drawn


def _suite_text(told: dict[str, Any], folder: Path) -> str:
    def n(value: float | None) -> str:
        return "-" if value is None else f"{value:g}"

    lines = [f"Seeds: {', '.join(map(str, told['seeds']))}"]
    for story in told["stories"]:
        lines.append(
            f"  {'ok    ' if story['passed'] else 'MISSED'}  {story['name']}: missed {story['missed']}, false alarms "
            f"{story['false_alarms']}, most in 10 min {story['alarms_per_10_min']}, cause to notice "
            f"{n(story['cause_to_notice_s'])} s"
        )
        lines += [
            f"          {each['milestone']}: lead {n(each['lead_s'])} s, limits only {n(each['lead_limits_only_s'])} s"
            for each in story["consequences"]
        ]
        lines += [
            f"          {mix}: {each['passed']} of {each['runs']} as expected, missed {each['missed']}, false alarms "
            f"{each['false_alarms']}"
            for mix, each in story["with_faults"].items()
        ]
    return "\n".join([*lines, f"Results: {folder}/suite.json, {folder}/suite.html"])


def read_story(name: str) -> "tuple[Scenario, Site]":
    """Read a story by its name or path, and the site of its plant."""
    import numpy as np

    from gateway.simulate.known import known_of, load_site, site_of
    from simulators.scenario import find_scenario, read_scenario

    sites: list[Site] = []

    def known(named: Path | None, kind: "PlantKind") -> "Known":
        measured = kind.make(np.random.default_rng(0)).tags
        sites.append(load_site(site_of(named, kind), kind, measured))
        return known_of(sites[-1], measured)

    return read_scenario(find_scenario(name), known), sites[-1]


def _text(played: "Played", folder: Path) -> str:
    scenario = played.scenario
    lines = [f"{scenario.title.get('en', scenario.name)} ({scenario.kind.name}), seed {played.seed}."]
    for each, verdict in zip(scenario.expectations, played.verdicts, strict=True):
        lines.append(f"  {'met   ' if verdict.is_met else 'MISSED'}  {each.id}: {verdict.why['en']}")
    lines += [
        f"  BOOKS   {stage} is out of balance by {off} samples; report this."
        for stage, off in played.balances.items()
        if off
    ]
    met = sum(verdict.is_met for verdict in played.verdicts)
    pace = f"{played.pace:.0f}" if math.isfinite(played.pace) else "–"
    lines += [
        f"{met} of {len(played.verdicts)} expectations met. {scenario.lasts_s:g} s at {pace} times real time.",
        *_spent(played),
        f"Results: {folder}",
    ]
    return "\n".join(lines)


def _spent(played: "Played") -> list[str]:
    """Tell the real time of each stage, and what a second of the story took of it."""
    from gateway.simulate.play import ALONE

    story_s, width = played.scenario.lasts_s, max(map(len, played.spent_s))
    return [
        f"  {stage:<{width}}  {seconds:8.3f} s"
        + ("" if stage == ALONE else f"  {seconds / story_s * 1e6:8.0f} µs a second")
        for stage, seconds in played.spent_s.items()
    ]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Let the gateway's log speak of trouble only, to standard error, for as long as the command runs."""
    import logging
    import sys

    import structlog

    before = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**before)
