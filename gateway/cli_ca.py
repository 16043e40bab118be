"""The command line of certificates: ``fengsui ca …``."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gateway.cli_data import FINDING, GOOD, AsJson, hand, refuse

if TYPE_CHECKING:
    from gateway.ca import Authority

certificates = typer.Typer(help="A private certificate authority for a plant that has none.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--dir", help="Folder of the authority; keep a copy where the plant is not.")]
PassphraseEnv = Annotated[
    str, typer.Option("--passphrase-env", help="Variable that holds the passphrase of the authority's key.")
]
HERE = Path("ca")


@certificates.command("init")
def init(
    name: Annotated[str, typer.Argument(help="What people read in it, e.g. 'North terminal CA'.")],
    folder: Folder = HERE,
    years: Annotated[int, typer.Option("--years", help="How long it lasts, 1 to 30 years.")] = 10,
    passphrase_env: PassphraseEnv = "",
) -> None:
    """Found an authority: ca.crt for everybody, ca.key for nobody else."""
    from gateway.ca import CaError, found

    try:
        made = found(folder, name, years=years, now=_now(), passphrase=_passphrase(passphrase_env))
    except CaError as failure:
        refuse(str(failure))
    until = made.certificate.not_valid_after_utc
    typer.echo(f"{folder / 'ca.crt'} is good until {until:%Y-%m-%d}. Whoever has {folder / 'ca.key'} can be anybody.")


@certificates.command("issue")
def issue(
    name: Annotated[str, typer.Argument(help="The machine: gateway, broker, edge-3, plc-7 …")],
    purpose: Annotated[str, typer.Option("--for", help="server, client or both.")] = "client",
    host: Annotated[
        list[str] | None, typer.Option("--host", help="Name or address that a server is reached by; more than once.")
    ] = None,
    days: Annotated[int, typer.Option("--days", help="How long it is good.")] = 397,
    modbus_role: Annotated[str, typer.Option("--modbus-role", help="Role for a device with Modbus/TCP Security.")] = "",
    folder: Folder = HERE,
    passphrase_env: PassphraseEnv = "",
) -> None:
    """Make a key and a certificate for a machine: NAME.key and NAME.crt."""
    from gateway.ca import CaError, Purpose

    if purpose not in list(Purpose):
        refuse(f"--for is {purpose}; it is {', '.join(Purpose)}.")
    authority = _open(folder, passphrase_env)
    try:
        made = authority.issue(
            name,
            purpose=Purpose(purpose),
            hosts=host or [],
            days=days,
            now=_now(),
            by=hand().who,
            modbus_role=modbus_role,
        )
    except CaError as failure:
        refuse(str(failure))
    typer.echo(f"{folder / name}.crt and {folder / name}.key, good until {made.until[:10]}.")


@certificates.command("list")
def list_issued(folder: Folder = HERE, as_json: AsJson = False, passphrase_env: PassphraseEnv = "") -> None:
    """List what was issued and until when; exit 1 where something is over or soon will be."""
    from gateway.ca import CaError

    authority, now = _open(folder, passphrase_env), _now()
    try:
        entries = authority.ledger()
    except CaError as failure:
        refuse(str(failure))
    if as_json:
        typer.echo(json.dumps([asdict(one) | {"state": one.state(now)} for one in entries]))
    else:
        for one in entries:
            typer.echo(f"{one.name}\t{one.purpose}\t{one.state(now)}\tuntil {one.until[:10]}\t{' '.join(one.hosts)}")
    # A machine that has a newer one is served: only its last certificate counts.
    last = {one.name: one.state(now) for one in entries}
    raise typer.Exit(FINDING if {"over", "soon"} & set(last.values()) else GOOD)


@certificates.command("revoke")
def revoke(
    name: str,
    reason: Annotated[str, typer.Option("--reason", help="Why; stands in the ledger.")],
    folder: Folder = HERE,
    passphrase_env: PassphraseEnv = "",
) -> None:
    """Take a machine's certificate back, and write ca.crl anew."""
    from gateway.ca import CaError

    if not reason.strip():
        refuse("--reason is empty; say why.")
    authority = _open(folder, passphrase_env)
    try:
        authority.revoke(name, reason=reason.strip(), now=_now())
    except CaError as failure:
        refuse(str(failure))
    typer.echo(f"{name} is revoked. Give {folder / 'ca.crl'} to every broker and server; they keep the old one else.")


@certificates.command("crl")
def crl(folder: Folder = HERE, passphrase_env: PassphraseEnv = "") -> None:
    """Write the list of the revoked anew: it is good for 30 days."""
    named = _open(folder, passphrase_env).list_revoked(now=_now())
    typer.echo(f"{folder / 'ca.crl'} names {named} revoked certificates and is good for 30 days.")


def _open(folder: Path, passphrase_env: str) -> "Authority":
    from gateway.ca import Authority, CaError

    try:
        return Authority(folder, _passphrase(passphrase_env))
    except CaError as failure:
        refuse(str(failure))


def _passphrase(variable: str) -> str:
    if variable and not os.environ.get(variable):
        refuse(f"Environment variable {variable} is empty or not set.")
    return os.environ.get(variable, "") if variable else ""


def _now() -> datetime:
    from edge.clock_system import SystemClock

    return datetime.fromtimestamp(SystemClock().wall_ns() // 1_000_000_000, UTC)
