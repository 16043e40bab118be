"""The command line: one application, ``fengsui``.

Exit codes: 0 good, 1 a negative finding, 2 a wrong configuration or use. Facts go to standard output, ``--json`` where
a machine reads them; progress goes to standard error. Imports are lazy, so that ``fengsui check`` starts at once.
"""

import json
import math
import os
import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from gateway.cli_bench import benches
from gateway.cli_ca import certificates
from gateway.cli_channel import channels
from gateway.cli_data import FINDING, GOOD, AsJson, Data, folder_of, make_folder, open_register, reason_of, refuse
from gateway.cli_devices import devices
from gateway.cli_drill import drills
from gateway.cli_ledger import ledgers
from gateway.cli_opcua import opcua
from gateway.cli_people import nodes, tokens, users
from gateway.cli_probe import probe
from gateway.cli_register import register
from gateway.cli_rules import reload_files, rule_commands
from gateway.cli_simulate import simulate
from gateway.cli_tags import tags

if TYPE_CHECKING:
    from gateway.config import Site

app = typer.Typer(
    name="fengsui",
    help="烽燧 · monitoring and early warning for major hazard sources.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(users, name="user")
app.add_typer(tokens, name="token")
app.add_typer(nodes, name="node")
app.add_typer(certificates, name="ca")
app.add_typer(tags, name="tags")
app.add_typer(benches, name="bench")
app.add_typer(rule_commands, name="rules")
app.add_typer(opcua, name="opcua")
app.add_typer(ledgers, name="ledger")
app.add_typer(channels, name="channel")
app.add_typer(drills, name="drill")
app.add_typer(register, name="register")
app.command("reload")(reload_files)
app.command()(simulate)
app.command()(devices)
app.command("probe")(probe)

PORT_MAX = 65535


def _check_port(port: int | None) -> int | None:
    if port is not None and not 0 <= port <= PORT_MAX:
        refuse(f"--port is {port}; a port is 1 to {PORT_MAX}, or 0 for any free one.")
    return port


def _check_seconds(seconds: float | None) -> float | None:
    if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
        refuse(f"--seconds is {seconds:g}; it is a time above 0.")
    return seconds


def _check_seed(seed: int) -> int:
    if seed < 0:
        refuse(f"--seed is {seed}; it is a whole number from 0.")
    return seed


def _check_language(lang: str | None) -> str:
    """Take the language of the locale where none is given."""
    if lang is None:
        given = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        return "zh" if next(filter(None, given), "").startswith("zh") else "en"
    if lang not in ("en", "zh"):
        refuse(f"--lang is {lang}; it is en or zh.")
    return lang


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"fengsui {version('fengsui')}")
        raise typer.Exit


Config = Annotated[Path, typer.Argument(help="The site file (TOML): docs/configuration.md.")]
SiteData = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder; default FENGSUI_DATA, then `data` of the site file, relative to it."),
]


@app.callback()
def fengsui(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_say_version, help="Print the version.")
    ] = False,
) -> None:
    """烽燧 · monitoring and early warning for major hazard sources."""


@app.command()
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="No page is opened; ends with a JSON summary.")] = False,
    seconds: Annotated[
        float | None, typer.Option("--seconds", callback=_check_seconds, help="End by itself after that long.")
    ] = None,
    port: Annotated[
        int, typer.Option("--port", callback=_check_port, help="Port of the page; 0 for any free one.")
    ] = 8080,
    data: Annotated[
        Path | None, typer.Option("--data", help="Data folder; default FENGSUI_DATA, then var/demo.")
    ] = None,
    scenario: Annotated[str, typer.Option("--scenario", help="Story of the plant.")] = "first_light",
    seed: Annotated[int, typer.Option("--seed", callback=_check_seed, help="Number that fixes luck.")] = 1,
) -> None:
    """Start a simulated plant, a broker, a regulator and the gateway with its page."""
    from gateway.demo import demo as start

    make_folder(data or Path(os.environ.get("FENGSUI_DATA") or "var/demo"))
    raise typer.Exit(start(headless=headless, seconds=seconds, port=port, data=data, scenario=scenario, seed=seed))


@app.command()
def run(
    config: Config,
    data: SiteData = None,
    port: Annotated[
        int | None,
        typer.Option("--port", callback=_check_port, help="Port of the page instead of the site file's; 0 for any."),
    ] = None,
    record: Annotated[Path | None, typer.Option("--record", help="Record what the core meets.")] = None,
    events: Annotated[Path | None, typer.Option("--events", help="Also write events as JSON lines.")] = None,
) -> None:
    """Run the gateway, with its collectors in the same process."""
    from gateway.heap import hold

    hold()
    from gateway.serve import serve_site

    for path, option in ((record, "--record"), (events, "--events")):
        _check_writable(path, option, config)
    given = [name for name, said in (("data", data), ("port", port)) if said is not None]
    # Handed over and not kept here: the gateway makes its own of it, and two of 100,000 tags take 30 MB more.
    code = serve_site(_site_to_run(config, data, port), config=config, record=record, events=events, given=given)
    raise typer.Exit(code)


def _site_to_run(config: Path, data: Path | None, port: int | None) -> "Site":
    from gateway.auth import list_users

    site = _load(config, data, port)
    engine = open_register(site.data, make=True)
    if not list_users(engine):
        command = shlex.join(["fengsui", "user", "add", "NAME", "--data", str(site.data)])
        typer.echo(f"There is no user yet, so nobody can log in. Make one: {command}", err=True)
    engine.dispose()
    return site


@app.command()
def edge(
    config: Config,
    data: Data = None,
    status: Annotated[
        Path | None, typer.Option("--status", help="File that is kept up to date with the node's state, as JSON.")
    ] = None,
) -> None:
    """Run an edge node: collectors, a spool on disk, and an uplink to the gateway.

    SIGUSR1 prints its state; SIGHUP, as fengsui reload does, lets edited files take over.
    """
    from dataclasses import replace

    from edge.load import ConfigError
    from edge.load.node import NodeSite, load_node
    from edge.node import run_node

    def load() -> NodeSite:
        site = load_node(config)
        return site if data is None else replace(site, data=data)

    try:
        site = load()
    except ConfigError as error:
        refuse(str(error))
    make_folder(site.data)
    if status is not None and (status.is_dir() or not status.parent.is_dir()):
        refuse(f"--status: {status} cannot be written; give a file in a folder that is there.")
    raise typer.Exit(run_node(site, load, status=status))


@app.command()
def check(
    config: Config,
    as_json: AsJson = False,
    language: Annotated[
        Literal["en", "zh"], typer.Option("--language", envvar="FENGSUI_LANGUAGE", help="Of sentences and remedies.")
    ] = "en",
) -> None:
    """Say everything that is wrong with a site file: file, line and remedy; exit 2."""
    from gateway.load import check_json, check_text
    from gateway.rules.folder import overlay_of

    if as_json:
        text, code = check_json(config, kept=overlay_of)
    else:
        text, code = check_text(config, kept=overlay_of, language=language)
    typer.echo(text)
    raise typer.Exit(code)


@app.command()
def plan(config: Config, as_json: AsJson = False) -> None:
    """Say what the collectors will ask and hear, and what it will cost, before deployment."""
    from gateway.plan import plan as make
    from gateway.plan import render

    made = make(_load(config, None, None))
    typer.echo(json.dumps(asdict(made), ensure_ascii=False, indent=2) if as_json else render(made))


@app.command()
def replay(
    config: Config,
    recording: Annotated[
        Path, typer.Argument(help="Of `run --record`, or CSV or Parquet: docs/backtest.md#recordings.")
    ],
    events: Annotated[Path, typer.Option("--events", help="Where the events go, as JSON lines.")],
    until: Annotated[str | None, typer.Option("--until", help="Leave out what came later (ISO 8601).")] = None,
    as_json: AsJson = False,
) -> None:
    """Carry recorded data down the same road, as fast as it goes."""
    from gateway.record import EventLog
    from gateway.recording import RecordingError, parse_time_ns
    from gateway.replay import replay as carry

    until_ns = None
    if until is not None:
        try:
            until_ns = parse_time_ns(until)
        except ValueError as failure:
            refuse(f"--until: {failure} Write a time such as 2026-01-01T08:00:00+08:00.")
    site = _load(config, None, None)
    _check_readable(recording, "The recording")
    _check_writable(events, "--events", config, recording)
    try:
        with events.open("wb") as file:
            done = carry(site, recording, EventLog(file, f"replay-{recording.name}"), until_ns)
    except (RecordingError, OSError) as failure:
        refuse(_sentence(failure))
    facts = asdict(done)
    typer.echo(json.dumps(facts) if as_json else " · ".join(f"{value} {name}" for name, value in facts.items()))


@app.command()
def backtest(
    config: Config,
    recording: Annotated[
        Path, typer.Argument(help="CSV or Parquet, long or wide, times rising: docs/backtest.md#recordings.")
    ],
    labels: Annotated[
        Path | None, typer.Option("--labels", help="When something was wrong: start,end[,tag][,name].")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option("--compare", help="Another site file, tried on the same data.")
    ] = None,
    report: Annotated[Path | None, typer.Option("--report", help="Write a report with pictures (HTML).")] = None,
    no_advice: Annotated[bool, typer.Option("--no-advice", help="No tuning advice: half the time.")] = False,
    as_json: AsJson = False,
) -> None:
    """Try a site's rules on recorded data: delay, misses, false alarms, alarm load; exit 1 where a label was missed."""
    from gateway.backtest.page import page
    from gateway.backtest.progress import shown
    from gateway.backtest.run import Asked
    from gateway.backtest.run import backtest as carry
    from gateway.backtest.run import compare as differ
    from gateway.backtest.summary import comparison, summary
    from gateway.recording import RecordingError

    asked = Asked(recording=recording, labels=labels, with_advice=not no_advice)
    sites = [_load(path, None, None) for path in (config, compare) if path is not None]
    _check_readable(recording, "The recording")
    _check_readable(labels, "The table of labels")
    _check_writable(report, "--report", config, compare, recording, labels)
    results = []
    try:
        for site in sites:
            with shown() as progress:
                results.append(carry(site, asked, progress))
        difference = differ(*results) if compare else None
        if report is not None:
            report.write_text(page(results, difference), encoding="utf-8")
    except (RecordingError, OSError) as failure:
        refuse(_sentence(failure))
    if as_json:
        facts = (
            results[0] if difference is None else {"first": results[0], "second": results[1], "difference": difference}
        )
        typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False))
    else:
        told = [summary(result) for result in results]
        typer.echo("\n\n".join(told if difference is None else [*told, comparison(results, difference)]))
    raise typer.Exit(FINDING if results[-1]["detection"]["missed"] else GOOD)


@app.command()
def learn(
    config: Config,
    recording: Annotated[
        Path, typer.Argument(help="CSV or Parquet of normal operation, long or wide: docs/backtest.md#recordings.")
    ],
    out: Annotated[Path | None, typer.Option("--out", help="Write the artefact here; default: only print.")] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="When something was wrong: start,end[,tag][,name]; left out.")
    ] = None,
    per_year: Annotated[
        float, typer.Option("--per-year", min=0.01, max=100, help="False alarms a tag and year.")
    ] = 1.0,
    operators: Annotated[int, typer.Option("--operators", min=1, max=1000, help="Who share the alarms.")] = 1,
    middle: Annotated[bool, typer.Option("--middle", help="The estimate, not the quiet end of its interval.")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn thresholds of DRIFT and TREND rules, and models of pca tags; exit 1 where one could not be learnt."""
    from alerting.model.learned import as_json as artefact_json
    from gateway.backtest.progress import shown
    from gateway.learn.artefact import write
    from gateway.learn.run import Asked, is_whole, summary
    from gateway.learn.run import learn as carry
    from gateway.load import ConfigError
    from gateway.load import load as read
    from gateway.recording import RecordingError

    try:
        site = read(config, is_learning=True)
    except ConfigError as failure:
        refuse(str(failure))
    _check_readable(recording, "The recording")
    _check_readable(labels, "The table of labels")
    _check_writable(out, "--out", config, recording, labels)
    asked = Asked(recording=recording, labels=labels, per_year=per_year, operators=operators, takes_middle=middle)
    try:
        with shown() as progress:
            learned = carry(site, asked, progress)
        if out is not None:
            write(out, learned)
    except (RecordingError, OSError) as failure:
        refuse(_sentence(failure))
    facts = artefact_json(learned)
    typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False) if as_json else summary(learned))
    raise typer.Exit(GOOD if is_whole(learned) else FINDING)


@app.command()
def alarms(data: Data = None, as_json: AsJson = False) -> None:
    """List the alarms that ring, wait for an answer or are kept quiet; the gravest first."""
    from gateway.find import current
    from gateway.live import iso

    with open_register(data).connect() as connection:
        found = current(connection)
    facts = [
        {
            "id": alarm.id,
            "since": iso(alarm.onset_ns),
            "tier": (alarm.tier or alarm.tier_max).name,
            "state": alarm.state.value,
            "tag": alarm.tag,
            "condition": alarm.condition,
            "value": alarm.value,
            "nature": alarm.nature.value,
            "suppression": alarm.suppression.value,
        }
        for alarm in found
    ]
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    if not facts:
        typer.echo("There is no current alarm.")
        return
    head = ("id", "since", "tier", "state", "tag", "condition", "value")
    lines = [head, *(tuple("" if one[name] is None else f"{one[name]}" for name in head) for one in facts)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        typer.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


@app.command()
def why(
    alarm: Annotated[str, typer.Argument(help="An alarm's id, a tag, a rule's id, an event's id or a unit.")],
    data: Data = None,
    lang: Annotated[
        str | None, typer.Option("--lang", callback=_check_language, help="en or zh; default: the locale's.")
    ] = None,
    config: Annotated[Path | None, typer.Option("--config", help="Site file, for titles, units and --data.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say in one sentence why an alarm rang, a unit has its tier or an event came to be; of a tag each alarm."""
    from edge.clock_system import SystemClock
    from gateway.api.queries import why_facts
    from gateway.api.why_of import event_facts, unit_facts
    from gateway.find import find
    from gateway.why import why as say

    site = _load(config, data, None) if config else None
    tags = site.tags if site else None
    with open_register(data or (site.data if site else None)).connect() as connection:
        one = event_facts(connection, alarm, tags)  # An event says of itself why it came to be, also of a return.
        names = [] if one else find(connection, alarm)
        told = [facts for name in names if (facts := why_facts(connection, site, name)) is not None]
        if not told:
            one = one or unit_facts(connection, alarm, SystemClock().wall_ns(), tags=tags)
            told = [] if one is None else [one]
    if not told:
        typer.echo(
            f"Nothing rang by the name of {alarm!r} in this register; give an alarm, a tag, a rule or an event. "
            "`fengsui alarms` lists what rings now.",
            err=True,
        )
        raise typer.Exit(FINDING)
    sentences = [say(facts, "zh" if lang == "zh" else "en") for facts in told]
    if len(told) == 1:
        facts, sentence = told[0], sentences[0]
        typer.echo(json.dumps({"sentence": sentence, "facts": facts}, ensure_ascii=False) if as_json else sentence)
        return
    each = [
        {"alarm": facts["alarm"], "sentence": sentence, "facts": facts}
        for facts, sentence in zip(told, sentences, strict=True)
    ]
    if as_json:
        typer.echo(json.dumps({"alarms": each}, ensure_ascii=False))
        return
    for one in each:
        typer.echo(f"{one['alarm']}  {one['sentence']}")


@app.command()
def verify(data: Data = None, as_json: AsJson = False) -> None:
    """Check the journal off-line: a changed, dropped or truncated row is found and named; exit 1."""
    from edge.disk import SystemDisk
    from gateway.store.verify import verify as walk

    with open_register(data).connect() as connection:
        report = walk(connection, SystemDisk(folder_of(data)))
    if as_json:
        typer.echo(json.dumps(asdict(report), indent=2))
    else:
        rows = ", ".join(f"{count} {nature}" for nature, count in report.rows.items()) or "no rows"
        typer.echo(f"Journal: {rows}.")
        for finding in report.findings:
            typer.echo(f"! {finding.what}: {finding.sentence}")
        if not report.findings:
            typer.echo("Nothing was changed, dropped or cut.")
    raise typer.Exit(FINDING if report.findings else GOOD)


@app.command()
def roles() -> None:
    """Print who may do what, as the doors declare it: the page docs/roles.md."""
    from gateway.serve import describe_roles

    typer.echo(describe_roles(), nl=False)


@app.command()
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API."""
    from gateway.serve import describe_api

    typer.echo(json.dumps(describe_api(), ensure_ascii=False, indent=2))


def _load(config: Path, data: Path | None, port: int | None) -> "Site":
    """Load a site, or list its mistakes and end with 2."""
    from dataclasses import replace

    from gateway.load import ConfigError, check_text, load

    try:
        site = load(config)
    except ConfigError:
        text, code = check_text(config)
        typer.echo(text, err=True)
        raise typer.Exit(code) from None
    if data is not None:
        site = replace(site, data=data)
    return site if port is None else replace(site, port=port)


def _check_readable(path: Path | None, what: str) -> None:
    """Refuse a file that is not there; what is wrong inside is told by who reads it."""
    if path is None:
        return
    if path.is_dir():
        refuse(f"{what} {path} is a folder; give a file.")
    try:
        with path.open("rb"):
            return
    except (OSError, ValueError) as failure:
        refuse(f"{what} {path} cannot be read: {reason_of(failure)}.")


def _check_writable(path: Path | None, option: str, *inputs: Path | None) -> None:
    """Refuse a place for output that cannot be one, before the work and not after it."""
    if path is None:
        return
    if path.is_dir():
        refuse(f"{option}: {path} is a folder; give a file.")
    if any(one is not None and path.exists() and path.samefile(one) for one in inputs):
        refuse(f"{option}: {path} is what is read here, and would be lost; give another file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            return
    except (OSError, ValueError) as failure:
        refuse(f"{option}: {path} cannot be written: {reason_of(failure)}.")


def _sentence(failure: Exception) -> str:
    """Give what a failed read or write says to a person."""
    if isinstance(failure, OSError) and failure.filename is not None:
        return f"{failure.filename}: {reason_of(failure)}."
    return str(failure)


if __name__ == "__main__":
    app()
