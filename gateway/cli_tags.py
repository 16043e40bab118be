"""``fengsui tags``: tag tables out of a site, blank ones, and lists of tags into a site."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from gateway.tables import Imported

tags = typer.Typer(help="Tag tables: export, blank ones, import.", no_args_is_help=True)

WRONG = 2
SHOWN = 20  # Changed tags that are shown one by one; all are in --json.

Site = Annotated[Path, typer.Argument(metavar="CONFIG", help="The site file (TOML).")]
Table = Annotated[Path, typer.Argument(metavar="FILE", help="A .csv or .xlsx file.")]
Lang = Annotated[str, typer.Option("--lang", help="Language of the headings: en or zh.")]


def _refuse(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG)


def _check(file: Path, lang: str) -> None:
    if lang not in ("en", "zh"):
        _refuse(f"--lang is {lang}; it is en or zh.")
    if file.suffix.lower() not in (".csv", ".xlsx"):
        _refuse(f"{file} is neither .csv nor .xlsx; name the file after what it is to be.")
    if file.is_dir() or not file.parent.is_dir():
        _refuse(f"{file} cannot be written; give a file in a folder that is there.")


@tags.command("export")
def export_tags(config: Site, file: Table, lang: Lang = "en") -> None:
    """Write all tags of a site into one table, those of templates filled in."""
    from edge.load import ConfigError
    from gateway.tables import export

    _check(file, lang)
    try:
        count = export(config, file, lang)
    except ConfigError as error:
        _refuse(str(error))
    typer.echo(f"{file}: {count} tags.")


@tags.command("template")
def template(
    file: Table,
    lang: Lang = "en",
    of: Annotated[
        str,
        typer.Option("--object", help="Put the device template of an object into FILE, a site folder."),
    ] = "",
) -> None:
    """Write a blank table: every column, in a workbook with the words that its cells may be."""
    from gateway.tables import blank, objects, write_object

    if of:
        known = objects()
        if of not in known:
            _refuse(f"--object is {of}; it is one of {', '.join(known)}.")
        if not file.is_dir() or (file / of).exists():
            _refuse(f"{file} must be the folder of a site file, without a folder {of} in it.")
        typer.echo(write_object(file, of))
        return
    _check(file, lang)
    if file.exists():
        _refuse(f"{file} is there already; name a new file.")
    blank(file, lang)
    typer.echo(f"{file}: fill it in, name it in tags of the site file, and run fengsui check.")


@tags.command("import")
def import_tags(
    config: Site,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV, XLSX, or modbus.json of a ThingsBoard gateway.")],
    into: Annotated[str, typer.Option("--into", help="The site's tag table to import into, e.g. tags/plc.csv.")],
    form: Annotated[
        str, typer.Option("--form", help="fengsui, registers, kepware or thingsboard; told by the headings otherwise.")
    ] = "",
    sheet: Annotated[str, typer.Option("--sheet", help="Sheet of a workbook; the first one otherwise.")] = "",
    source: Annotated[
        str, typer.Option("--source", help="Source of the tags where the list has none; {station} or {device} in it.")
    ] = "",
    unit: Annotated[str, typer.Option("--unit", help="Hazard unit where the list has none.")] = "",
    order: Annotated[
        str, typer.Option("--order", help="Byte order where the list has none: ABCD, CDAB, BADC, DCBA.")
    ] = "",
    first: Annotated[int, typer.Option("--first", min=0, max=1, help="What plain addresses count from: 0 or 1.")] = 0,
    prefix: Annotated[str, typer.Option("--prefix", help="Goes before each name, e.g. TK-101.")] = "",
    replace: Annotated[bool, typer.Option("--replace", help="Remove rows that the list does not name.")] = False,
    apply: Annotated[bool, typer.Option("--apply", help="Write the table; without it nothing is changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a list of tags would change in a site, and with --apply change it; exit 2 at a mistake."""
    from edge.decode.wordtype import ORDERS
    from edge.load import ConfigError
    from edge.tables.opened import FORMS, Asked
    from gateway import tables

    if form not in ("", *FORMS):
        _refuse(f"--form is {form}; it is one of {', '.join(FORMS)}.")
    if order not in ("", *ORDERS):
        _refuse(f"--order is {order}; it is one of {', '.join(ORDERS)}.")
    asked = Asked(form=form, sheet=sheet, source=source, unit=unit, order=order, first=first, prefix=prefix)
    try:
        found = tables.bring_in(config, file, into, asked, is_whole=replace)
    except ConfigError as error:
        _refuse(str(error))
    is_applied = apply and not found.mistakes and not found.difference.is_empty
    kept = tables.apply(config, found) if is_applied else None
    if as_json:
        typer.echo(json.dumps(_facts(found, is_applied=is_applied), ensure_ascii=False))
    else:
        typer.echo(_text(found))
        if is_applied:
            before = f" The table before is {kept}." if kept else ""
            typer.echo(f"Written to {config.parent / into}.{before} A running gateway takes it with fengsui reload.")
        elif not found.mistakes and not found.difference.is_empty:
            typer.echo("Nothing was written; --apply writes it.")
    raise typer.Exit(WRONG if found.mistakes else 0)


def _facts(found: "Imported", *, is_applied: bool) -> dict[str, object]:
    difference = found.difference
    return {
        "ok": not found.mistakes,
        "form": found.foreign.form,
        "table": found.table,
        "rows": len(found.foreign.lines),
        "added": difference.added,
        "changed": [
            {"tag": change.tag, "cells": {column: list(cells) for column, cells in change.cells.items()}}
            for change in difference.changed
        ],
        "removed": difference.removed,
        "unchanged": difference.unchanged,
        "assumed": found.foreign.notes,
        "left_out": found.foreign.left_out,
        "mistakes": [asdict(mistake) for mistake in found.mistakes],
        "warnings": [asdict(warning) for warning in found.warnings],
        "applied": is_applied,
    }


def _text(found: "Imported") -> str:
    foreign, difference = found.foreign, found.difference
    lines = [str(mistake) for mistake in found.mistakes]
    if found.warnings:
        lines += ["Warnings (nothing has to be changed):", *map(str, found.warnings)]
    lines += [f"Assumed for {count} row{'s' if count > 1 else ''}: {said}." for said, count in foreign.notes.items()]
    lines += [
        f"Left out: {said}" + (f" ({count} rows)." if count > 1 else ".") for said, count in foreign.left_out.items()
    ]
    if found.mistakes:
        count = len(found.mistakes)
        lines.append(f"{foreign.file}: {count} mistake{'s' if count > 1 else ''}; nothing was written.")
        return "\n".join(lines)
    for sign, names in (("+", difference.added), ("-", difference.removed)):
        lines += [f"{sign} {name}" for name in names[:SHOWN]]
        lines += [f"{sign} … and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    for change in difference.changed[:SHOWN]:
        cells = ", ".join(
            f"{column} {old or '(empty)'} → {new or '(empty)'}" for column, (old, new) in change.cells.items()
        )
        lines.append(f"~ {change.tag}: {cells}")
    if len(difference.changed) > SHOWN:
        lines.append(f"~ … and {len(difference.changed) - SHOWN} more")
    counts = {
        "added": len(difference.added),
        "changed": len(difference.changed),
        "removed": len(difference.removed),
        "unchanged": difference.unchanged,
    }
    said = ", ".join(f"{count} {word}" for word, count in counts.items())
    lines.append(f"{foreign.file} ({foreign.form}, {len(foreign.lines)} rows) into {found.table}: {said}.")
    return "\n".join(lines)
