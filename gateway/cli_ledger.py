"""The command line of the ledger: ``fengsui ledger export`` and, for an inspector, ``fengsui ledger verify``."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli_data import FINDING, GOOD, AsJson, Data, folder_of, hand, open_register, refuse

ledgers = typer.Typer(help="What authorities were told, and what they answered.", no_args_is_help=True)


@ledgers.command("export")
def ledger_export(
    file: Annotated[Path, typer.Argument(help="Where to write it, e.g. ledger.zip.")],
    data: Data = None,
    lang: Annotated[str, typer.Option("--lang", help="Headings: zh or en.")] = "zh",
) -> None:
    """Write the whole ledger into one signed file."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    from edge.clock_system import SystemClock
    from edge.disk import SystemDisk
    from gateway.live import iso
    from gateway.push.export import HEAD, export
    from gateway.push.ledger import Asked
    from gateway.store.journal import install_key

    if lang not in HEAD:
        refuse(f"--lang is {lang!r}; it is one of {', '.join(HEAD)}.")
    engine = open_register(data)
    key = install_key(SystemDisk(folder_of(data)))
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
    facts = {"site": "", "made_by": hand().who, "made_at": iso(SystemClock().wall_ns())}
    with engine.connect() as connection:
        content = export(connection, Asked(), facts, lang, lambda text: (public, key.sign(text).hex()))
    try:
        file.write_bytes(content)
    except OSError as failure:
        refuse(f"{file} cannot be written: {failure.strerror}.")
    typer.echo(f"{file}: {len(content)} bytes. Signed by the key {public}; hand this key over by another way.")


@ledgers.command("verify")
def ledger_verify(
    file: Annotated[Path, typer.Argument(help="The file that the gateway exported.")],
    key: Annotated[str, typer.Option("--key", help="The plant's public key, 64 hexadecimal digits.")] = "",
    as_json: AsJson = False,
) -> None:
    """Check an exported ledger, without the gateway; exit 1 where it was changed."""
    from gateway.push.inspection import inspect

    try:
        content = file.read_bytes()
    except OSError as failure:
        refuse(f"{file} cannot be read: {failure.strerror}.")
    found = inspect(content, key)
    if as_json:
        typer.echo(json.dumps({**asdict(found), "ok": not found.findings}, ensure_ascii=False))
    else:
        typer.echo(f"{found.notices} notices, {found.answers} answers of site {found.site or '-'}.")
        for one in found.findings:
            typer.echo(f"! {one}")
        if not found.findings:
            said = (
                "the key that you gave"
                if key
                else f"the key {found.public_key} in the file; compare it with the plant's"
            )
            typer.echo(f"Nothing was changed since it was exported, by {said}.")
    raise typer.Exit(FINDING if found.findings else GOOD)
