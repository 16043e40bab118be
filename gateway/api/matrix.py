"""Matrix: which role may use which door, as a table for people.

Flow: doors as declared -> [matrix] -> fengsui roles, docs/roles.md
Why: the table in the document is made from what the doors declare, so that it cannot say something else.
"""

from collections.abc import Iterable

from gateway.api.door import NODES, PERMISSIONS, Door
from gateway.auth import Role

#: Heads of the columns; whole names would not fit beside each other.
HEADS = {
    Role.VIEWER: "viewer",
    Role.OPERATOR: "operator",
    Role.SAFETY_OFFICER: "safety officer",
    Role.ENGINEER: "engineer",
    Role.REGULATOR: "regulator",
    Role.ADMINISTRATOR: "administrator",
}

ABOUT = """\
# Who may do what

Made by `fengsui roles` from what the doors of the gateway declare; a test holds this page to it, and another knocks
at each door as each role. A door that names no roles lets nobody in. What a role may not do the page hides too.

A door for *anybody* needs no log-in; one for *nodes* the token of an edge node. An API token has one of the roles but
never administrator; with the scope `read` it passes the doors with GET only.
"""


def matrix(declared: Iterable[Door]) -> str:
    """Write the page ``docs/roles.md``: permissions, then doors, as Markdown."""
    lines = [ABOUT, "## Permissions", "", _row(["permission", *HEADS.values()]), _row(["---"] * (len(Role) + 1))]
    lines += [_row([f"*{name}*", *_marks(holders)]) for name, holders in PERMISSIONS.items()]
    lines += ["", "## Doors", "", _row(["method", "path", *HEADS.values()]), _row(["---"] * (len(Role) + 2))]
    lines += [_row([door.method, f"`{door.path}`", *_cells(door)]) for door in declared]
    return "\n".join(lines) + "\n"


def _cells(door: Door) -> list[str]:
    if door.roles is None:
        return ["anybody"] * len(Role)
    if door.roles is NODES:
        return ["nodes"] * len(Role)
    return _marks(door.roles)


def _marks(holders: frozenset[Role]) -> list[str]:
    return ["yes" if role in holders else "" for role in Role]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
