"""``fengsui opcua``: look at a server before it is configured."""

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from edge.collect.opcua.browse import Found

opcua = typer.Typer(help="OPC UA servers: look at one before it is configured.", no_args_is_help=True)

FINDING, WRONG = 1, 2


def _refuse(sentence: str, code: int = WRONG) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


@opcua.callback()
def opcua_root() -> None:
    """Keep the word "browse": a group of one command would lose it."""


@opcua.command("browse")
def browse_server(
    url: Annotated[str, typer.Argument(help="Endpoint, e.g. opc.tcp://10.0.1.5:4840.")],
    out: Annotated[Path | None, typer.Option("--out", help="Write a tag table (CSV); else it is printed.")] = None,
    source: Annotated[str, typer.Option("--source", help="Source that the rows name.")] = "dcs",
    root: Annotated[str, typer.Option("--root", help="Node to begin at.")] = "i=85",
    security: Annotated[str, typer.Option("--security", help="sign-and-encrypt, sign or none.")] = "sign-and-encrypt",
    policy: Annotated[str, typer.Option("--policy", help="Security policy.")] = "Basic256Sha256",
    cert: Annotated[Path | None, typer.Option("--cert", help="Our certificate.")] = None,
    key: Annotated[Path | None, typer.Option("--key", help="Its key.")] = None,
    ca: Annotated[Path | None, typer.Option("--ca", help="The server's certificate, or its signers (PEM).")] = None,
    username: Annotated[str, typer.Option("--username", help="Name at the server.")] = "",
    password_env: Annotated[str, typer.Option("--password-env", help="Variable with the password.")] = "",
    lang: Annotated[str, typer.Option("--lang", help="Language of the headings: en or zh.")] = "en",
) -> None:
    """Write a server's variables as a tag table; exit 1 where it cannot be read."""
    from edge.clock_system import SystemClock
    from edge.config import OpcuaOptions
    from edge.decode.opcua import read_node
    from edge.load.opcua import POLICIES, SECURITY, is_url

    if not is_url(url):
        _refuse(f"{url} is no endpoint; write e.g. opc.tcp://10.0.1.5:4840, without a password.")
    if security not in SECURITY or policy not in POLICIES:
        _refuse(f"--security is one of {', '.join(SECURITY)}; --policy one of {', '.join(POLICIES)}.")
    files = [cert, key, ca]
    if security != "none" and not all(file is not None and file.is_file() for file in files):
        _refuse("--cert, --key and --ca must be files; or, on a line of your own, --security none.")
    if read_node(root) is None:
        _refuse(f"--root is {root}; write e.g. i=85 or ns=2;s=Plant.")
    if lang not in ("en", "zh"):
        _refuse(f"--lang is {lang}; it is en or zh.")
    try:
        from edge.collect.opcua.browse import browse
        from edge.collect.opcua.link import LostError
    except ImportError:
        _refuse('OPC UA needs the library asyncua; install it: pip install "fengsui[opcua]".')
    options = OpcuaOptions(
        url=url,
        security=security,  # type: ignore[arg-type]  # one of SECURITY
        policy=policy,  # type: ignore[arg-type]  # one of POLICIES
        cert_file=cert,
        key_file=key,
        ca_file=ca,
        username=username,
        password=os.environ.get(password_env, "") if password_env else "",
    )
    try:
        found = asyncio.run(browse(options, SystemClock(), root))
    except LostError as why:
        _refuse(f"{url}: {why}.", FINDING)
    text = table_of(found, source, lang)
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, "utf-8")
        typer.echo(f"{out}: {len(found)} variables; remove what is not needed, add limits, run fengsui check.")


def table_of(found: "list[Found]", source: str, lang: str = "en") -> str:
    """Write variables as a tag table; names that stand twice get a number."""
    from edge.tables.own import csv_of

    names: dict[str, int] = {}
    rows = []
    for one in found:
        count = names[one.name] = names.get(one.name, 0) + 1
        row = {
            "tag": one.name if count == 1 else f"{one.name[:120]}-{count}",
            "title_en": one.title,
            "source": source,
            "eu": one.eu,
            "range_lo": one.range_lo,
            "range_hi": one.range_hi,
            "node_id": one.node_id,
        }
        rows.append({column: cell for column, cell in row.items() if cell})
    return csv_of(rows, lang)
