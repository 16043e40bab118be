"""The command line: one application, ``fengsui``.

Exit codes: 0 good, 1 a negative finding, 2 a wrong configuration or use. Facts go to standard output, ``--json`` where
a machine reads them; progress goes to standard error. Imports are lazy, so that ``fengsui check`` starts at once.
"""

import getpass
import json
import math
import os
import shlex
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gateway.cli_bench import benches
from gateway.cli_probe import probe
from gateway.cli_rules import rule_commands
from gateway.cli_tags import tags

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.config import Site
    from gateway.store.acts import Hand

app = typer.Typer(
    name="fengsui",
    help="烽燧 · monitoring and early warning for major hazard sources.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
users = typer.Typer(help="Users of the page and the API.", no_args_is_help=True)
app.add_typer(users, name="user")
nodes = typer.Typer(help="Edge nodes that may send scans.", no_args_is_help=True)
app.add_typer(nodes, name="node")
app.add_typer(tags, name="tags")
app.add_typer(benches, name="bench")
app.add_typer(rule_commands, name="rules")
app.command("probe")(probe)

GOOD, FINDING, WRONG = 0, 1, 2
PORT_MAX = 65535


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG)


def _check_port(port: int | None) -> int | None:
    if port is not None and not 0 <= port <= PORT_MAX:
        _refuse(f"--port is {port}; a port is 1 to {PORT_MAX}, or 0 for any free one.")
    return port


def _check_seconds(seconds: float | None) -> float | None:
    if seconds is not None and not (seconds > 0 and math.isfinite(seconds)):
        _refuse(f"--seconds is {seconds:g}; it is a time above 0.")
    return seconds


def _check_seed(seed: int) -> int:
    if seed < 0:
        _refuse(f"--seed is {seed}; it is a whole number from 0.")
    return seed


def _check_language(lang: str | None) -> str:
    """Take the language of the locale where none is given."""
    if lang is None:
        given = (os.environ.get(name) for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
        return "zh" if next(filter(None, given), "").startswith("zh") else "en"
    if lang not in ("en", "zh"):
        _refuse(f"--lang is {lang}; it is en or zh.")
    return lang


def _say_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"fengsui {version('fengsui')}")
        raise typer.Exit


Config = Annotated[Path, typer.Argument(help="The site file (TOML): docs/configuration.md.")]
Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="The gateway's data folder, the same that `run` has; default FENGSUI_DATA, then ./var."
    ),
]
SiteData = Annotated[
    Path | None,
    typer.Option("--data", help="Data folder; default FENGSUI_DATA, then `data` of the site file, relative to it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


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

    _make_folder(data or Path(os.environ.get("FENGSUI_DATA") or "var/demo"))
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
    from gateway.auth import list_users
    from gateway.serve import serve_site

    site = _load(config, data, port)
    for path, option in ((record, "--record"), (events, "--events")):
        _check_writable(path, option, config)
    engine = _open(site.data, make=True)
    if not list_users(engine):
        command = shlex.join(["fengsui", "user", "add", "NAME", "--data", str(site.data)])
        typer.echo(f"There is no user yet, so nobody can log in. Make one: {command}", err=True)
    engine.dispose()
    raise typer.Exit(serve_site(site, config=config, record=record, events=events))


@app.command()
def edge(
    config: Config,
    data: Data = None,
    status: Annotated[
        Path | None, typer.Option("--status", help="File that is kept up to date with the node's state, as JSON.")
    ] = None,
) -> None:
    """Run an edge node: collectors, a spool on disk, and an uplink to the gateway. SIGUSR1 prints its state."""
    from dataclasses import replace

    from edge.load import ConfigError
    from edge.load.node import load_node
    from edge.node import run_node

    try:
        site = load_node(config)
    except ConfigError as error:
        _refuse(str(error))
    site = site if data is None else replace(site, data=data)
    _make_folder(site.data)
    if status is not None and (status.is_dir() or not status.parent.is_dir()):
        _refuse(f"--status: {status} cannot be written; give a file in a folder that is there.")
    raise typer.Exit(run_node(site, status=status))


@app.command()
def check(config: Config, as_json: AsJson = False) -> None:
    """Say everything that is wrong with a site file: file, line and remedy; exit 2."""
    from gateway.load import check_json, check_text
    from gateway.rules.folder import overlay_of

    text, code = check_json(config, kept=overlay_of) if as_json else check_text(config, kept=overlay_of)
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
            _refuse(f"--until: {failure} Write a time such as 2026-01-01T08:00:00+08:00.")
    site = _load(config, None, None)
    _check_readable(recording, "The recording")
    _check_writable(events, "--events", config, recording)
    try:
        with events.open("wb") as file:
            done = carry(site, recording, EventLog(file, f"replay-{recording.name}"), until_ns)
    except (RecordingError, OSError) as failure:
        _refuse(_sentence(failure))
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
    from gateway.backtest.summary import summary
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
        _refuse(_sentence(failure))
    if as_json:
        facts = (
            results[0] if difference is None else {"first": results[0], "second": results[1], "difference": difference}
        )
        typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo("\n\n".join(summary(result) for result in results))
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
        _refuse(str(failure))
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
        _refuse(_sentence(failure))
    facts = artefact_json(learned)
    typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False) if as_json else summary(learned))
    raise typer.Exit(GOOD if is_whole(learned) else FINDING)


@app.command()
def alarms(data: Data = None, as_json: AsJson = False) -> None:
    """List the alarms that ring, wait for an answer or are kept quiet; the gravest first."""
    from gateway.find import current
    from gateway.live import iso

    with _open(data).connect() as connection:
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
    """Say in one sentence why an alarm rang or a unit has its tier: the latest time, or each alarm of a tag."""
    from edge.clock_system import SystemClock
    from gateway.api.queries import why_facts
    from gateway.api.why_of import event_facts, unit_facts
    from gateway.find import find
    from gateway.why import why as say

    site = _load(config, data, None) if config else None
    with _open(data or (site.data if site else None)).connect() as connection:
        names = find(connection, alarm)
        told = [facts for name in names if (facts := why_facts(connection, site, name)) is not None]
        if not told:
            unit = unit_facts(connection, alarm, SystemClock().wall_ns()) or event_facts(connection, alarm)
            told = [] if unit is None else [unit]
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

    with _open(data).connect() as connection:
        report = walk(connection, SystemDisk(_folder(data)))
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
def openapi() -> None:
    """Print the OpenAPI 3.1 document of the HTTP API."""
    from gateway.serve import describe_api

    typer.echo(json.dumps(describe_api(), ensure_ascii=False, indent=2))


@users.command("add")
def user_add(
    name: str,
    role: Annotated[str, typer.Option("--role", help="viewer, operator, safety_officer, engineer, …")] = "operator",
    data: Data = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from input.")] = False,
) -> None:
    """Add a user; the password is asked for, never given as an argument."""
    from edge.clock_system import SystemClock
    from gateway.auth import Role, UserError, add_user, check_name, list_users

    if role not in list(Role):
        _refuse(f"Role {role!r} is unknown; the roles are {', '.join(Role)}.")
    try:
        check_name(name)
        engine = _open(data, make=True)
        if name in [user.name for user in list_users(engine)]:  # told before a password is asked for
            _refuse(f"User {name!r} exists already; choose another name or change the password.")
        add_user(engine, SystemClock(), name, role, _password(from_input=password_stdin), by=_hand())
    except UserError as failure:
        _refuse(str(failure))
    typer.echo(f"User {name} ({role}) was added.")


@users.command("list")
def user_list(data: Data = None, as_json: AsJson = False) -> None:
    """List the users."""
    from gateway.auth import list_users

    found = list_users(_open(data))
    if as_json:
        typer.echo(json.dumps([asdict(user) for user in found]))
        return
    for user in found:
        typer.echo(f"{user.name}\t{user.role}\t{'active' if user.is_active else 'disabled'}")


@users.command("disable")
def user_disable(name: str, data: Data = None) -> None:
    """Keep a user out; sessions end at once."""
    _change_user(name, data, "disable_user", "is disabled")


@users.command("enable")
def user_enable(name: str, data: Data = None) -> None:
    """Let a user in again."""
    _change_user(name, data, "enable_user", "is enabled")


@users.command("password")
def user_password(
    name: str,
    data: Data = None,
    password_stdin: Annotated[bool, typer.Option("--password-stdin", help="Read the password from input.")] = False,
) -> None:
    """Give a user a new password; sessions end at once."""
    from gateway.auth import UserError, list_users, set_password

    engine = _open(data)
    if name not in [user.name for user in list_users(engine)]:
        _refuse(f"There is no user {name!r}.")
    try:
        set_password(engine, name, _password(from_input=password_stdin), by=_hand())
    except UserError as failure:
        _refuse(str(failure))
    typer.echo(f"User {name} has a new password.")


@users.command("link")
def user_link(
    name: str,
    role: Annotated[
        str | None, typer.Option("--role", help="Makes the user, without a password, where he does not exist yet.")
    ] = None,
    url: Annotated[
        str, typer.Option("--url", help="Address of the page, e.g. http://127.0.0.1:8080, to print the whole link.")
    ] = "",
    data: Data = None,
) -> None:
    """Print a link that logs a user in once: its path, or with --url the whole of it."""
    from urllib.parse import urlsplit

    from edge.clock_system import SystemClock
    from edge.load.mistake import meant
    from gateway.auth import UserError, list_users, make_link

    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        _refuse(f"--url is {url}; it is the address of the page, e.g. http://127.0.0.1:8080.")
    engine = _open(data, make=role is not None)
    known = {user.name: user.role.value for user in list_users(engine)}
    if role is None and name not in known:
        _refuse(
            f"There is no user {name!r}. {meant(name, tuple(known))} Give --role to make a user who comes by links."
        )
    try:
        token = make_link(engine, name, role or known[name], SystemClock(), by=_hand())
    except UserError as failure:
        _refuse(str(failure))
    typer.echo(f"{url.rstrip('/')}/login/{token}")


@nodes.command("add")
def node_add(
    name: str,
    data: Data = None,
    token_env: Annotated[
        str, typer.Option("--token-env", help="Take the token from this variable instead of making one.")
    ] = "",
) -> None:
    """Let an edge node in; its token is printed once and kept nowhere."""
    from edge.clock_system import SystemClock
    from gateway.nodes.credential import NodeError, add_node

    given = os.environ.get(token_env, "") if token_env else ""
    if token_env and not given:
        _refuse(f"Environment variable {token_env} is empty or not set.")
    try:
        token = add_node(_open(data, make=True), SystemClock(), name, given, by=_hand())
    except NodeError as failure:
        _refuse(str(failure))
    typer.echo(f"Node {name} was added." if given else token)


@nodes.command("list")
def node_list(data: Data = None, as_json: AsJson = False) -> None:
    """List the edge nodes."""
    from gateway.live import iso
    from gateway.nodes.credential import list_nodes

    found = list_nodes(_open(data))
    if as_json:
        typer.echo(json.dumps([asdict(node) for node in found]))
        return
    for node in found:
        contact = iso(node.last_contact_ns) or "never heard"
        typer.echo(f"{node.name}\t{'active' if node.is_active else 'revoked'}\t{contact}")


@nodes.command("revoke")
def node_revoke(name: str, data: Data = None) -> None:
    """Keep an edge node out from its next request on."""
    from gateway.nodes.credential import NodeError, revoke_node

    try:
        revoke_node(_open(data), name, by=_hand())
    except NodeError as failure:
        _refuse(str(failure))
    typer.echo(f"Node {name} is revoked.")


def _change_user(name: str, data: Path | None, change: str, said: str) -> None:
    from gateway import auth

    try:
        getattr(auth, change)(_open(data), name, by=_hand())
    except auth.UserError as failure:
        _refuse(str(failure))
    typer.echo(f"User {name} {said}.")


def _hand() -> "Hand":
    """Say who works here: the account of the operating system, which no user of ours can be mistaken for."""
    from edge.clock_system import SystemClock
    from gateway.store.acts import Hand

    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        account = f"uid {os.getuid()}"
    return Hand(who=f"command line ({account})"[:64], time_ns=SystemClock().wall_ns())


def _password(*, from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


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


def _folder(data: Path | None) -> Path:
    return data or Path(os.environ.get("FENGSUI_DATA", "var"))


def _open(data: Path | None, *, make: bool = False) -> "Engine":
    """Open the register of a data folder; only commands that make users make it."""
    from sqlalchemy.exc import DatabaseError

    from gateway.store.engine import open_store, store_url

    folder = _folder(data)
    if make:
        _make_folder(folder)
    elif not (folder / "register.db").exists():
        _refuse(f"There is no register in {folder}; give the data folder that `fengsui run` has, with --data.")
    try:
        return open_store(store_url(folder))
    except DatabaseError as failure:
        _refuse(f"The register in {folder} cannot be opened: {failure.orig}.")


def _make_folder(folder: Path) -> None:
    """Make a data folder that only its owner sees into: it holds the signing key and hashes of passwords."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, ValueError) as failure:
        _refuse(f"The data folder {folder} cannot be made: {_reason(failure)}. Give another with --data.")
    if not os.access(folder, os.W_OK | os.X_OK):
        _refuse(f"The data folder {folder} cannot be written to. Give another with --data.")


def _check_readable(path: Path | None, what: str) -> None:
    """Refuse a file that is not there; what is wrong inside is told by who reads it."""
    if path is None:
        return
    if path.is_dir():
        _refuse(f"{what} {path} is a folder; give a file.")
    try:
        with path.open("rb"):
            return
    except (OSError, ValueError) as failure:
        _refuse(f"{what} {path} cannot be read: {_reason(failure)}.")


def _check_writable(path: Path | None, option: str, *inputs: Path | None) -> None:
    """Refuse a place for output that cannot be one, before the work and not after it."""
    if path is None:
        return
    if path.is_dir():
        _refuse(f"{option}: {path} is a folder; give a file.")
    if any(one is not None and path.exists() and path.samefile(one) for one in inputs):
        _refuse(f"{option}: {path} is what is read here, and would be lost; give another file.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab"):
            return
    except (OSError, ValueError) as failure:
        _refuse(f"{option}: {path} cannot be written: {_reason(failure)}.")


def _reason(failure: Exception) -> str:
    return failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)


def _sentence(failure: Exception) -> str:
    """Give what a failed read or write says to a person."""
    if isinstance(failure, OSError) and failure.filename is not None:
        return f"{failure.filename}: {_reason(failure)}."
    return str(failure)


if __name__ == "__main__":
    app()
