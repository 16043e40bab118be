"""The command line of who may come in: ``fengsui user``, ``fengsui token``, ``fengsui node``."""

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from gateway.cli_data import AsJson, Data, hand, open_register, refuse

users = typer.Typer(help="Users of the page and the API.", no_args_is_help=True)
tokens = typer.Typer(help="API tokens of programs.", no_args_is_help=True)
nodes = typer.Typer(help="Edge nodes that may send scans.", no_args_is_help=True)


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
        refuse(f"Role {role!r} is unknown; the roles are {', '.join(Role)}.")
    try:
        check_name(name)
        engine = open_register(data, make=True)
        if name in [user.name for user in list_users(engine)]:  # told before a password is asked for
            refuse(f"User {name!r} exists already; choose another name or change the password.")
        add_user(engine, SystemClock(), name, role, _password(from_input=password_stdin), by=hand())
    except UserError as failure:
        refuse(str(failure))
    typer.echo(f"User {name} ({role}) was added.")


@users.command("list")
def user_list(data: Data = None, as_json: AsJson = False) -> None:
    """List the users."""
    from gateway.auth import list_users

    found = list_users(open_register(data))
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

    engine = open_register(data)
    if name not in [user.name for user in list_users(engine)]:
        refuse(f"There is no user {name!r}.")
    try:
        set_password(engine, name, _password(from_input=password_stdin), by=hand())
    except UserError as failure:
        refuse(str(failure))
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
        refuse(f"--url is {url}; it is the address of the page, e.g. http://127.0.0.1:8080.")
    engine = open_register(data, make=role is not None)
    known = {user.name: user.role.value for user in list_users(engine)}
    if role is None and name not in known:
        refuse(f"There is no user {name!r}. {meant(name, tuple(known))} Give --role to make a user who comes by links.")
    try:
        token = make_link(engine, name, role or known[name], SystemClock(), by=hand())
    except UserError as failure:
        refuse(str(failure))
    typer.echo(f"{url.rstrip('/')}/login/{token}")


@users.command("role")
def user_role(
    name: str, role: Annotated[str, typer.Argument(help="viewer, operator, safety_officer, …")], data: Data = None
) -> None:
    """Give a user another role, from his next request on."""
    from gateway.accounts import change_role
    from gateway.auth import UserError
    from gateway.store.acts import note

    try:
        with open_register(data).begin() as connection:
            had = change_role(connection, name, role)
            note(connection, hand(), "role_changed", user=name, role=role)
    except UserError as failure:
        refuse(str(failure))
    typer.echo(f"User {name} is {role}, and was {had}.")


@users.command("end-sessions")
def user_end_sessions(name: str, data: Data = None) -> None:
    """End every session of a user; an open page follows within half a minute."""
    from gateway.auth import UserError, end_sessions, require_user
    from gateway.store.acts import note

    try:
        with open_register(data).begin() as connection:
            require_user(connection, name)
            ended = end_sessions(connection, name)
            note(connection, hand(), "sessions_ended", user=name)
    except UserError as failure:
        refuse(str(failure))
    typer.echo(f"{ended} sessions of {name} ended.")


@tokens.command("add")
def token_add(
    name: str,
    role: Annotated[str, typer.Option("--role", help="viewer, operator, safety_officer, engineer or regulator.")],
    scope: Annotated[str, typer.Option("--scope", help="read: GET only; act: all that the role may.")] = "read",
    days: Annotated[int, typer.Option("--days", help="How long it is good, 1 to 366 days.")] = 90,
    data: Data = None,
) -> None:
    """Make an API token; it is printed once and kept nowhere."""
    from gateway.auth import UserError
    from gateway.store.acts import note
    from gateway.tokens import make_token

    by = hand()
    try:
        with open_register(data, make=True).begin() as connection:
            _, secret = make_token(connection, name, role, scope, by=by.who, now_ns=by.time_ns, days=days)
            note(connection, by, "token_made", token=name, role=role, scope=scope, days=days)
    except UserError as failure:
        refuse(str(failure))
    typer.echo(secret)


@tokens.command("list")
def token_list(data: Data = None, as_json: AsJson = False) -> None:
    """List the API tokens, those that are over too."""
    from gateway.live import iso
    from gateway.tokens import list_tokens

    now_ns = hand().time_ns
    with open_register(data).connect() as connection:
        found = list_tokens(connection)
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found]))
        return
    for one in found:
        stands = "good" if one.is_good(now_ns) else "revoked" if one.revoked_ns else "over"
        used = iso(one.used_ns) or "never used"
        typer.echo(f"{one.id}\t{one.label}\t{one.role}\t{one.scope}\t{stands}\tuntil {iso(one.expires_ns)}\t{used}")


@tokens.command("revoke")
def token_revoke(name: Annotated[str, typer.Argument(help="Name or id.")], data: Data = None) -> None:
    """End an API token at once."""
    from gateway.auth import UserError
    from gateway.store.acts import note
    from gateway.tokens import revoke_token

    by = hand()
    try:
        with open_register(data).begin() as connection:
            label = revoke_token(connection, name, by.time_ns)
            note(connection, by, "token_revoked", token=label)
    except UserError as failure:
        refuse(str(failure))
    typer.echo(f"Token {label} is revoked.")


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
        refuse(f"Environment variable {token_env} is empty or not set.")
    try:
        token = add_node(open_register(data, make=True), SystemClock(), name, given, by=hand())
    except NodeError as failure:
        refuse(str(failure))
    typer.echo(f"Node {name} was added." if given else token)


@nodes.command("list")
def node_list(data: Data = None, as_json: AsJson = False) -> None:
    """List the edge nodes."""
    from gateway.live import iso
    from gateway.nodes.credential import list_nodes

    found = list_nodes(open_register(data))
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
        revoke_node(open_register(data), name, by=hand())
    except NodeError as failure:
        refuse(str(failure))
    typer.echo(f"Node {name} is revoked.")


def _change_user(name: str, data: Path | None, change: str, said: str) -> None:
    from gateway import auth

    try:
        getattr(auth, change)(open_register(data), name, by=hand())
    except auth.UserError as failure:
        refuse(str(failure))
    typer.echo(f"User {name} {said}.")


def _password(*, from_input: bool) -> str:
    if from_input:
        return sys.stdin.readline().rstrip("\n")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
