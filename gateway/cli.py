"""The command line: one application, ``fengsui``.

Exit codes: 0 good, 1 a negative finding, 2 a wrong configuration or use. Facts go to standard output, ``--json`` where
a machine reads them; progress goes to standard error. Imports are lazy, so that ``fengsui check`` starts at once.
"""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.config import Site

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

Config = Annotated[Path, typer.Argument(help="The site file (TOML).")]
Data = Annotated[Path | None, typer.Option("--data", help="Data folder; default FENGSUI_DATA, then ./var.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]

GOOD, FINDING, WRONG = 0, 1, 2


@app.command()
def demo(
    headless: Annotated[bool, typer.Option("--headless", help="No page is opened; ends with a JSON summary.")] = False,
    seconds: Annotated[float | None, typer.Option("--seconds", help="End by itself after that long.")] = None,
    port: Annotated[int, typer.Option("--port", help="Port of the page; 0 for any free one.")] = 8080,
    data: Data = None,
    scenario: Annotated[str, typer.Option("--scenario", help="Story of the plant.")] = "first_light",
    seed: Annotated[int, typer.Option("--seed", help="Number that fixes luck.")] = 1,
) -> None:
    """Start a simulated plant, a broker, a regulator and the gateway with its page."""
    from gateway.demo import demo as start

    raise typer.Exit(start(headless=headless, seconds=seconds, port=port, data=data, scenario=scenario, seed=seed))


@app.command()
def run(
    config: Config,
    data: Data = None,
    port: Annotated[int | None, typer.Option("--port", help="Port of the page instead of the site file's.")] = None,
    record: Annotated[Path | None, typer.Option("--record", help="Record what the core meets.")] = None,
    events: Annotated[Path | None, typer.Option("--events", help="Also write events as JSON lines.")] = None,
) -> None:
    """Run the gateway, with its collectors in the same process."""
    from gateway.serve import serve_site

    site = _load(config, data, port)
    raise typer.Exit(serve_site(site, record=record, events=events))


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
    raise typer.Exit(run_node(site if data is None else replace(site, data=data), status=status))


@app.command()
def check(config: Config, as_json: AsJson = False) -> None:
    """Say everything that is wrong with a site file: file, line and remedy; exit 2."""
    from gateway.load import check_json, check_text

    text, code = check_json(config) if as_json else check_text(config)
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
    recording: Annotated[Path, typer.Argument(help="A recording of `run --record`, or CSV or Parquet.")],
    events: Annotated[Path, typer.Option("--events", help="Where the events go, as JSON lines.")],
    until: Annotated[str | None, typer.Option("--until", help="Leave out what came later (ISO 8601).")] = None,
    as_json: AsJson = False,
) -> None:
    """Carry recorded data down the same road, as fast as it goes."""
    from gateway.api.asked import when
    from gateway.record import EventLog
    from gateway.recording import RecordingError
    from gateway.replay import replay as carry

    site = _load(config, None, None)
    try:
        with events.open("wb") as file:
            until_ns = None if until is None else when(until, "until")
            done = carry(site, recording, EventLog(file, f"replay-{recording.name}"), until_ns)
    except (RecordingError, OSError) as failure:
        _refuse(str(failure))
    facts = asdict(done)
    typer.echo(json.dumps(facts) if as_json else " · ".join(f"{value} {name}" for name, value in facts.items()))


@app.command()
def backtest(
    config: Config,
    recording: Annotated[Path, typer.Argument(help="CSV or Parquet, long or wide; times must rise.")],
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
    results = []
    try:
        for site in sites:
            with shown() as progress:
                results.append(carry(site, asked, progress))
        difference = differ(*results) if compare else None
        if report is not None:
            report.write_text(page(results, difference), encoding="utf-8")
    except (RecordingError, OSError) as failure:
        _refuse(str(failure))
    if as_json:
        facts = (
            results[0] if difference is None else {"first": results[0], "second": results[1], "difference": difference}
        )
        typer.echo(json.dumps(facts, ensure_ascii=False, allow_nan=False))
    else:
        typer.echo("\n\n".join(summary(result) for result in results))
    raise typer.Exit(FINDING if results[-1]["detection"]["missed"] else GOOD)


@app.command()
def why(
    alarm: Annotated[str, typer.Argument(help="Alarm id.")],
    data: Data = None,
    lang: Annotated[str, typer.Option("--lang", help="en or zh.")] = "zh",
    config: Annotated[Path | None, typer.Option("--config", help="Site file, for titles and units.")] = None,
    as_json: AsJson = False,
) -> None:
    """Say in one sentence why an alarm rang."""
    from gateway.api.queries import why_facts
    from gateway.why import why as say

    site = _load(config, data, None) if config else None
    with _open(data).connect() as connection:
        facts = why_facts(connection, site, alarm)
    if facts is None:
        typer.echo(f"There is no alarm {alarm!r} in this register.", err=True)
        raise typer.Exit(FINDING)
    sentence = say(facts, "en" if lang == "en" else "zh")
    typer.echo(json.dumps({"sentence": sentence, "facts": facts}, ensure_ascii=False) if as_json else sentence)


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
    from gateway.auth import UserError, add_user

    password = sys.stdin.readline().rstrip("\n") if password_stdin else _ask_password()
    try:
        add_user(_open(data, make=True), SystemClock(), name, role, password)
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
    from gateway.auth import UserError, set_password

    password = sys.stdin.readline().rstrip("\n") if password_stdin else _ask_password()
    try:
        set_password(_open(data), name, password)
    except UserError as failure:
        _refuse(str(failure))
    typer.echo(f"User {name} has a new password.")


@users.command("link")
def user_link(
    name: str,
    role: Annotated[str, typer.Option("--role", help="Role of the user if he is new.")] = "operator",
    data: Data = None,
) -> None:
    """Print the path of a link that logs a user in once."""
    from edge.clock_system import SystemClock
    from gateway.auth import UserError, make_link

    try:
        token = make_link(_open(data, make=True), name, role, SystemClock())
    except UserError as failure:
        _refuse(str(failure))
    typer.echo(f"/login/{token}")


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
        token = add_node(_open(data, make=True), SystemClock(), name, given)
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
        revoke_node(_open(data), name)
    except NodeError as failure:
        _refuse(str(failure))
    typer.echo(f"Node {name} is revoked.")


def _change_user(name: str, data: Path | None, change: str, said: str) -> None:
    from gateway import auth

    try:
        getattr(auth, change)(_open(data), name)
    except auth.UserError as failure:
        _refuse(str(failure))
    typer.echo(f"User {name} {said}.")


def _ask_password() -> str:
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
    from gateway.store.engine import open_store, store_url

    folder = _folder(data)
    if not make and not (folder / "register.db").exists():
        _refuse(f"There is no register in {folder}; give the folder of a gateway with --data.")
    return open_store(store_url(folder))


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG)


if __name__ == "__main__":
    app()
