"""The command ``fengsui simulate``: a plant made of code, the whole gateway, and a verdict on each expectation."""

import json
import math
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli_data import FINDING, GOOD, AsJson, reason_of, refuse

if TYPE_CHECKING:
    from gateway.config import Site
    from gateway.simulate.play import Played
    from simulators.plant.port import PlantKind
    from simulators.scenario import Known, Scenario

SEED_MAX = 2**31


def simulate(
    scenario: Annotated[str, typer.Argument(help="Name of a scenario that ships, or the path of a file.")],
    seed: Annotated[int | None, typer.Option("--seed", help="Number that fixes luck; default the scenario's.")] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder for the results; default var/simulate/<name>-<seed>.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play a scenario on the whole gateway in manual time, and judge its expectations."""
    from edge.clock_system import SystemClock
    from edge.load.mistake import ConfigError
    from gateway.simulate.play import play
    from gateway.simulate.result import facts, write

    if seed is not None and not 0 <= seed <= SEED_MAX:
        refuse(f"--seed is {seed}; it is a whole number from 0 to {SEED_MAX}.")
    _be_quiet()
    try:
        one, site = _read(scenario)
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
        played = play(one, site, chosen, data, SystemClock(), record=folder / "recording.jsonl")
        write(played, folder)
    except OSError as failure:
        refuse(f"--out {folder}: {reason_of(failure)}. Give a folder that can be written to.")
    finally:
        shutil.rmtree(data, ignore_errors=True)
    typer.echo(json.dumps(facts(played), ensure_ascii=False) if as_json else _text(played, folder))
    raise typer.Exit(GOOD if played.is_passed else FINDING)


def _read(name: str) -> "tuple[Scenario, Site]":
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
    spent = ", ".join(f"{stage} {seconds:.2f} s" for stage, seconds in played.spent_s.items())
    pace = f"{played.pace:.0f}" if math.isfinite(played.pace) else "–"
    lines += [
        f"{met} of {len(played.verdicts)} expectations met. {scenario.lasts_s:g} s at {pace} times real time: {spent}.",
        f"Results: {folder}",
    ]
    return "\n".join(lines)


def _be_quiet() -> None:
    """Let the gateway's log speak of trouble only, to standard error."""
    import logging
    import sys

    import structlog

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
