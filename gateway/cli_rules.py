"""The command line of what changes while a gateway or edge node runs: ``fengsui reload`` and ``fengsui rules …``."""

import getpass
import json
import os
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

rule_commands = typer.Typer(help="Rules that change while the gateway runs, and every revision.", no_args_is_help=True)

GOOD, FINDING, WRONG = 0, 1, 2
NAMED_MAX = 12
Config = Annotated[Path, typer.Argument(help="The site file (TOML): docs/configuration.md.")]
Data = Annotated[
    Path | None, typer.Option("--data", help="Data folder; default FENGSUI_DATA, then `data` of the file.")
]
Folder = Annotated[Path | None, typer.Option("--data", help="Data folder; default FENGSUI_DATA, then ./var.")]
Reason = Annotated[str, typer.Option("--reason", help="Why; stands in the history and in the journal.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG)


def _data(config: Path, data: Path | None) -> Path:
    """Give the data folder, and end with 2 where the files have mistakes."""
    from gateway.load import ConfigError, check_text, load

    try:
        site = load(config)
    except ConfigError:
        text, code = check_text(config)
        typer.echo(text, err=True)
        raise typer.Exit(code) from None
    return data or site.data


@rule_commands.command()
def apply(
    config: Config,
    reason: Reason,
    data: Data = None,
    approved_by: Annotated[str, typer.Option("--approved-by", help="Who agreed.")] = "",
    as_json: AsJson = False,
) -> None:
    """Let the edited files take over in the running gateway, as ``fengsui reload`` does; exit 1 if refused."""
    _ask(config, data, {"reason": reason, "approved_by": approved_by, "mode": ""}, as_json=as_json)


def reload_files(
    config: Config,
    reason: Annotated[str, typer.Option("--reason", help="Why; stands in the history and in the journal.")] = "",
    data: Data = None,
    approved_by: Annotated[str, typer.Option("--approved-by", help="Who agreed.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change; change nothing.")] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Let the files alone count; what was changed on top of them goes.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let the edited files take over in the running gateway or edge node: only changed devices begin anew.

    Exit 1 if refused.
    """
    if dry_run and forget:
        _refuse("--dry-run looks at the files on top of what stands; leave --forget out.")
    mode = "look" if dry_run else "forget" if forget else ""
    reason = reason or ("dry run" if dry_run else "")
    _ask(config, data, {"reason": reason, "approved_by": approved_by, "mode": mode}, as_json=as_json)


def _ask(config: Path, data: Path | None, said: dict[str, str], *, as_json: bool) -> NoReturn:
    """Ask the running gateway or edge node, and say what it answered."""
    from edge.load.node import data_of, is_node_file

    is_node = is_node_file(config)
    if is_node:
        from edge.reload import BOX

        folder = data or data_of(config)
        if said["mode"] == "forget" or said["approved_by"]:
            _refuse("An edge node keeps no history: leave --forget and --approved-by out.")
    else:
        from gateway.rules.files import BOX

        folder = _data(config, data)
        if not said["reason"].strip():
            _refuse("--reason is empty; say why.")
    try:
        answer = BOX.ask(folder, {**said, "who": _user(), "reason": said["reason"].strip()})
    except TimeoutError as failure:
        _refuse(str(failure))
    if answer is None:
        _refuse(f"No {'edge node' if is_node else 'gateway'} runs on {folder}; the files come in force when it starts.")
    if as_json:
        typer.echo(json.dumps(answer, ensure_ascii=False))
    else:
        _tell(answer)
    raise typer.Exit(GOOD if answer["ok"] else FINDING)


def _tell(answer: dict[str, Any]) -> None:
    if answer["code"] in ("applied", "looked"):
        for part, by_how in answer["changes"]["parts"].items():
            for how, names in by_how.items():
                shown = ", ".join(names[:NAMED_MAX]) + (
                    f" and {len(names) - NAMED_MAX} more" if names[NAMED_MAX:] else ""
                )
                typer.echo(f"{part} {how}: {shown}")
        again = answer["changes"]["restarted"]
        typer.echo(f"Devices that begin anew: {', '.join(again) if again else 'none'}.")
        in_force = f"Revision {answer['revision']} is in force."
        typer.echo(in_force if answer["code"] == "applied" else f"{in_force} Nothing was changed.")
        return
    for mistake in answer["mistakes"]:
        place = f"{mistake['file']}:{mistake['line']}: {mistake['path']}"
        typer.echo(f"{place}: {mistake['sentence']}\n    Remedy: {mistake['remedy']}", err=True)
    typer.echo(answer["message"], err=True)


@rule_commands.command()
def history(
    data: Folder = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="How many, the newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Say who changed the configuration, when and why."""
    from gateway.live import iso
    from gateway.rules import revision as kept
    from gateway.store.engine import open_store, store_url

    folder = data or Path(os.environ.get("FENGSUI_DATA", "var"))
    if not (folder / "register.db").exists():
        _refuse(f"{folder} holds no register; name the gateway's data folder with --data.")
    with open_store(store_url(folder)).connect() as connection:
        found = kept.listed(connection, limit)
    facts = [
        {
            "number": each.number,
            "time": iso(each.time_ns),
            "who": each.who,
            "origin": each.origin.value,
            "reason": each.reason,
            "approved_by": each.approved_by,
            "undoes": each.undoes or None,
            "rules": [change.rule for change in each.changes],
            "others": [f"{other.part} {other.name}" for other in each.others],
        }
        for each in found
    ]
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for each in found:
        names = [*(f"{other.part} {other.name}" for other in each.others), *(one.rule for one in each.changes)]
        rules = ", ".join(names[:5])
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004 - as shown
        what = f"undo to {each.undoes}" if each.undoes else each.origin.value
        line = f"{each.number}  {iso(each.time_ns)}  {each.who}  {what}  {each.reason}  {rules}{more}"
        typer.echo(line.rstrip() if line.isprintable() else json.dumps(line, ensure_ascii=True))


@rule_commands.command()
def forget(config: Config, reason: Reason, data: Data = None) -> None:
    """Let the files alone count again, while no gateway runs; what was changed on top stays in the history."""
    from gateway.rules.files import BOX
    from gateway.rules.files import forget as do_forget

    folder = _data(config, data)
    if BOX.is_running(folder):
        _refuse(f"A gateway runs on {folder}; change its rules there, or stop it first.")
    if not reason.strip():
        _refuse("--reason is empty; say why.")
    number = do_forget(config, folder, _user(), reason.strip())
    said = (
        "Nothing was changed on top of the files." if number is None else f"Revision {number}: the files alone count."
    )
    typer.echo(said)


def _user() -> str:
    """Name who sits at this machine."""
    try:
        return getpass.getuser()[:64]
    except (KeyError, OSError):  # a container without a name for its user
        return f"uid {os.getuid()}"
