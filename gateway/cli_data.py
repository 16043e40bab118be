"""What the commands that work on a data folder share: its place, its register, who works here, how they refuse."""

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from gateway.store.acts import Hand

GOOD, FINDING, WRONG = 0, 1, 2

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", help="The gateway's data folder, the same that `run` has; default FENGSUI_DATA, then ./var."
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def folder_of(data: Path | None) -> Path:
    """Give the data folder that is meant."""
    return data or Path(os.environ.get("FENGSUI_DATA", "var"))


def open_register(data: Path | None, *, make: bool = False) -> "Engine":
    """Open the register of a data folder; only commands that make users make it."""
    from sqlalchemy.exc import DatabaseError

    from gateway.store.engine import open_store, store_url

    folder = folder_of(data)
    if make:
        make_folder(folder)
    elif not (folder / "register.db").exists():
        refuse(f"There is no register in {folder}; give the data folder that `fengsui run` has, with --data.")
    try:
        return open_store(store_url(folder))
    except DatabaseError as failure:
        refuse(f"The register in {folder} cannot be opened: {failure.orig}.")


def make_folder(folder: Path) -> None:
    """Make a data folder that only its owner sees into: it holds the signing key and hashes of passwords."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except (OSError, ValueError) as failure:
        refuse(f"The data folder {folder} cannot be made: {reason_of(failure)}. Give another with --data.")
    if not os.access(folder, os.W_OK | os.X_OK):
        refuse(f"The data folder {folder} cannot be written to. Give another with --data.")


def reason_of(failure: Exception) -> str:
    """Give the reason of a failed read or write, without its path."""
    return failure.strerror if isinstance(failure, OSError) and failure.strerror else str(failure)


def refuse(sentence: str) -> NoReturn:
    """End with one sentence and exit code 2."""
    typer.echo(sentence, err=True)
    raise typer.Exit(WRONG)


def hand() -> "Hand":
    """Say who works here: the account of the operating system, which no user of ours can be mistaken for."""
    from edge.clock_system import SystemClock
    from gateway.store.acts import Hand

    try:
        account = getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in many containers
        account = f"uid {os.getuid()}"
    return Hand(who=f"command line ({account})"[:64], time_ns=SystemClock().wall_ns())
