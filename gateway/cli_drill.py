"""The command line of drills: ``fengsui drill …``: records from the store, acts through the running gateway's API.

Why: the running gateway leads the drill, so whoever begins or ends one speaks to it, with a token of a role that may.
"""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gateway.cli_data import FINDING, GOOD, AsJson, Data, open_register, reason_of, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping

drills = typer.Typer(help="Drills: stories played beside the running gateway.", no_args_is_help=True)

TOKEN_ENV = "FENGSUI_TOKEN"  # noqa: S105  # a name
LOOK_S = 2.0
Url = Annotated[str, typer.Option("--url", help="Address of the page, e.g. http://127.0.0.1:8080.")]
TokenFile = Annotated[
    Path | None, typer.Option("--token-file", help=f"File with an API token that may act; default {TOKEN_ENV}.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the record and in the journal.")]


@drills.command("stories")
def stories(config: Annotated[Path, typer.Argument(help="The site file (TOML).")], as_json: AsJson = False) -> None:
    """List stories with what this site lacks for each; exit 1 where none can be played."""
    from gateway.drill.stories import listed
    from gateway.load import ConfigError, check_text, load
    from gateway.system import with_system

    try:
        site = with_system(load(config))
    except ConfigError:
        text, code = check_text(config)
        typer.echo(text, err=True)
        raise typer.Exit(code) from None
    found = listed(site)
    if as_json:
        told = [
            {"name": each.name, "title": each.title, "plant": each.plant, "lasts_s": each.lasts_s, "own": each.is_own,
             "missing": list(each.missing), "mistake": each.mistake}
            for each in found
        ]  # fmt: skip
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        for each in found:
            lacks = each.mistake or (f"lacks {', '.join(each.missing[:6])}" if each.missing else "can be played")
            typer.echo(f"{each.name}\t{each.plant}\t{each.lasts_s:g} s\t{lacks}")
    raise typer.Exit(GOOD if any(not each.missing and not each.mistake for each in found) else FINDING)


@drills.command("list")
def list_records(data: Data = None, as_json: AsJson = False) -> None:
    """List the records, the newest first."""
    from gateway.drill import records
    from gateway.drill.account import described

    with open_register(data).connect() as connection:
        found = [described(record) for record in records.page(connection, 10_000)]
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        typer.echo("No drill was held yet.")
    for each in found:
        typer.echo(
            f"{each['number']}\t{each['begun']}\t{each['story']}\t{_result(each)}\t{each['begun_by']}\t{each['reason']}"
        )


@drills.command("show")
def show(
    number: Annotated[int, typer.Argument(min=1, help="Number of the drill.")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Print one record with what rang and who answered; exit 1 where it was not as expected."""
    from gateway.drill import records
    from gateway.drill.account import alarms_of, described, notices_of, timeline

    with open_register(data).connect() as connection:
        record = records.one(connection, number)
        if record is None:
            refuse(f"There is no drill {number}; `fengsui drill list` names those there are.")
        events = records.events(connection, record)
        told = {
            **described(record),
            "alarms": alarms_of(events),
            "timeline": timeline(events),
            "notices": notices_of(records.notices(connection, record)),
        }
    typer.echo(json.dumps(told, ensure_ascii=False) if as_json else _text(told))
    raise typer.Exit(FINDING if told["passed"] is False else GOOD)


@drills.command("start")
def start(
    story: Annotated[str, typer.Argument(help="Name of a story; `fengsui drill stories CONFIG` lists them.")],
    reason: Reason,
    url: Url,
    token_file: TokenFile = None,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Number that fixes luck; default drawn.")] = None,
    plan: Annotated[str, typer.Option("--plan", help="Code of the emergency plan that is exercised.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for its end; exit 1 if not as expected.")] = False,
    as_json: AsJson = False,
) -> None:
    """Begin a drill on the running gateway; exit 1 if it is refused."""
    body = (
        {"story": story, "reason": reason} | ({} if seed is None else {"seed": seed}) | ({"plan": plan} if plan else {})
    )
    begun = _ask(url, token_file, "POST", "response/drills/start", body)
    if wait:
        begun = _await_end(url, token_file, int(begun["number"]))
    typer.echo(json.dumps(begun, ensure_ascii=False) if as_json else f"Drill {begun['number']}: {_result(begun)}.")
    raise typer.Exit(GOOD if not wait or begun["passed"] else FINDING)


@drills.command("pause")
def pause(reason: Reason, url: Url, token_file: TokenFile = None) -> None:
    """Hold the drill; exit 1 if none runs."""
    _act("pause", reason, url, token_file)


@drills.command("resume")
def resume(reason: Reason, url: Url, token_file: TokenFile = None) -> None:
    """Let the drill go on; exit 1 while a real ORANGE or RED rings."""
    _act("resume", reason, url, token_file)


@drills.command("stop")
def stop(reason: Reason, url: Url, token_file: TokenFile = None) -> None:
    """End the drill; its record stays."""
    _act("stop", reason, url, token_file)


def _act(act: str, reason: str, url: str, token_file: Path | None) -> None:
    done = _ask(url, token_file, "POST", f"response/drills/{act}", {"reason": reason})
    typer.echo(f"Drill {done['number']}: {_result(done)}.")


def _await_end(url: str, token_file: Path | None, number: int) -> dict[str, Any]:
    import threading

    patience = threading.Event()
    while True:
        found = _ask(url, token_file, "GET", f"response/drills/{number}", None)
        if found["ended"] is not None:
            return found
        patience.wait(LOOK_S)


def _ask(url: str, token_file: Path | None, method: str, path: str, body: "Mapping[str, Any] | None") -> dict[str, Any]:
    """Ask the gateway; end with 1 where it refuses, and with 2 where it cannot be asked."""
    import httpx

    try:
        token = os.environ.get(TOKEN_ENV, "") if token_file is None else token_file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as failure:
        refuse(f"--token-file {token_file}: {reason_of(failure)}.")
    if not token:
        refuse(f"No token: set {TOKEN_ENV} or give --token-file; `fengsui token add` makes one.")
    headers = {"authorization": f"Bearer {token}", "x-fengsui-request": "1"}
    try:
        with httpx.Client(base_url=f"{url.rstrip('/')}/api/v1/", trust_env=False, timeout=60.0) as client:
            answer = client.request(method, path, headers=headers, json=body)
    except (httpx.TransportError, httpx.InvalidURL, ValueError) as failure:
        refuse(f"--url {url}: the gateway does not answer ({failure}).")
    try:
        told: dict[str, Any] = answer.json()
    except ValueError:
        refuse(f"--url {url}: no gateway of ours answers there.")
    if answer.is_success:
        return told
    typer.echo(told.get("error", {}).get("message", f"The gateway answered {answer.status_code}."), err=True)
    raise typer.Exit(FINDING)


def _result(drill: "Mapping[str, Any]") -> str:
    if drill["passed"] is None:
        return str(drill["state"]).replace("_", " ")
    return "as expected" if drill["passed"] else "NOT as expected"


def _text(told: "Mapping[str, Any]") -> str:
    title = told["title"].get("en", told["story"])
    lines = [
        f"Drill {told['number']}: {title} ({told['story']}, seed {told['seed']}): {_result(told)}",
        f"  begun {told['begun']} by {told['begun_by']}: {told['reason']}",
        f"  ended {told['ended'] or '-'} {told['ended_by']} {told['ended_why']}".rstrip(),
        *(f"  paused {one['from']} to {one['to'] or '-'} by {one['by']}: {one['why']}" for one in told["pauses"]),
        *(f"  {one['standing']:7}  {one['id']}: {one['why']['en']}" for one in told["verdict"].get("expectations", ())),
    ]
    for one in told["alarms"]:
        answered = f"{one['acked_by']} after {one['acked_after_s']} s" if one["acked"] else "not acknowledged"
        lines.append(f"  rang {one['raised']} {one['unit']} {one['tag']} {one['condition']} {one['tier']}: {answered}")
    lines += [f"  told {one['destination']}: {one['action']} {one['state']}" for one in told["notices"]]
    return "\n".join(lines)
