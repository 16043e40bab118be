"""The command line of the hazard register: ``fengsui register``."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli_data import FINDING, AsJson, Data, hand, open_register, reason_of, refuse

if TYPE_CHECKING:
    from alerting.register.ledger import Ledger
    from gateway.config import Site

register = typer.Typer(help="The ledgers of the hazard register, out and in.", no_args_is_help=True)

Which = Annotated[str, typer.Argument(help="A ledger; `fengsui register list` names them.")]


@register.command("list")
def register_list(as_json: AsJson = False) -> None:
    """Name the ledgers, in the order in which a site is entered."""
    from alerting.register.ledgers import LEDGERS

    if as_json:
        typer.echo(json.dumps([{"id": one.id, "title": one.title.both()} for one in LEDGERS.values()]))
        return
    for one in LEDGERS.values():
        typer.echo(f"{one.id}\t{one.title.en}\t{one.title.zh}\t{len(one.fields)} fields")


@register.command("export")
def register_export(
    ledger: Which,
    file: Path,
    data: Data = None,
    language: Annotated[str, typer.Option("--lang", help="Headings: en or zh.")] = "en",
    blank: Annotated[bool, typer.Option("--blank", help="The empty form.")] = False,
) -> None:
    """Write a ledger as .xlsx or .csv, to be read in again."""
    from gateway.register import reading, sheets
    from gateway.register.record import Record

    of = _ledger(ledger)
    found: list[Record] = []
    if not blank:
        with open_register(data).connect() as connection:
            found = reading.page(connection, of.id, limit=200_000)
    try:
        file.write_bytes(sheets.write(of, found, file.name, language))
    except OSError as failure:
        refuse(f"{file} cannot be written: {reason_of(failure)}.")
    typer.echo(f"{len(found)} records were written to {file}.")


@register.command("import")
def register_import(
    config: Annotated[Path, typer.Argument(help="The site file: its units and tags are what records may name.")],
    ledger: Which,
    file: Path,
    reason: Annotated[str, typer.Option("--reason", help="Why; it stands in the history.")],
    data: Data = None,
    look: Annotated[bool, typer.Option("--look", help="Say what it would do, and write nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take a list over into a ledger: all of it, or nothing with every mistake by row."""
    from edge.clock_system import SystemClock
    from gateway.register import sheets
    from gateway.register.around import around
    from gateway.register.record import By, NotDone
    from gateway.store.acts import note

    of, site = _ledger(ledger), _site(config)
    if not reason.strip():
        refuse("--reason is empty; an inspector will ask why.")
    try:
        lines = sheets.lines_of(file.read_bytes(), file.name)
    except OSError as failure:
        refuse(f"{file} cannot be read: {reason_of(failure)}.")
    by_hand = hand()
    engine = open_register(data)
    try:
        with engine.begin() as connection:
            here = around(site, SystemClock().wall_ns())
            found = sheets.look(connection, of, lines, here)
            if not found.mistakes and not look and (found.new or found.changed):
                by = By(who=by_hand.who, time_ns=by_hand.time_ns, reason=reason, here=here)
                sheets.take(connection, of, found, by)
                counted = {"ledger": of.id, "made": len(found.new), "changed": len(found.changed), "reason": reason}
                note(connection, by_hand, "records_imported", **counted)
    except NotDone as refusal:
        refuse(str(refusal))
    finally:
        engine.dispose()
    told = {"made": len(found.new), "changed": len(found.changed), "unchanged": found.unchanged}
    if as_json:
        typer.echo(json.dumps(told | {"mistakes": [asdict(one) for one in found.mistakes]}, ensure_ascii=False))
    else:
        for one in found.mistakes:
            where = f"{file.name}:{one.row}: {one.column}" if one.row else file.name
            typer.echo(f"{where}: {one.value!r}: {one.rule.en}.\n    Remedy: {one.remedy.en}", err=True)
        done = "would be" if look or found.mistakes else "are"
        typer.echo(f"{told['made']} {done} new, {told['changed']} changed, {told['unchanged']} the same already.")
    if found.mistakes:
        raise typer.Exit(FINDING)


def _ledger(name: str) -> "Ledger":
    from alerting.register.ledgers import LEDGERS

    if name not in LEDGERS:
        refuse(f"There is no ledger {name!r}; there are {', '.join(LEDGERS)}.")
    return LEDGERS[name]


def _site(config: Path) -> "Site":
    from edge.load import ConfigError
    from gateway.load import load
    from gateway.system import with_system

    try:
        return with_system(load(config, environ={}))
    except ConfigError as error:
        refuse(str(error))
