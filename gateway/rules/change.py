"""Change: what a person asks of the rules, and the overlay that comes of it.

Flow: changes, or a whole text -> [overlay_after, overlay_of_text] -> Overlay -> load
Why: a change names a rule and what is to be otherwise; everything else about the rule stays as it is in force.
Never: changes an identity. Tag, kind and name are what an alarm hangs on; another one is another rule.
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from alerting.model.rule import Rule
from edge.load.mistake import Mistake, Mistakes, Place, meant, show
from edge.load.words import RESERVED
from gateway.load.overlay import PLACE, Overlay, Table, id_of, written

#: Keys that make a rule's id.
IDENTITY: Final = ("tag", "kind", "name")
TEXT_PLACE: Final = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing to be otherwise; exactly one of the four is given.

    Attributes:
        rule: Id of a rule in force; empty where one is added.
        set: Keys of a ``[[rule]]`` and their new values; None takes a key away.
        is_removed: The rule is to be no more.
        is_as_in_files: The rule is to be as the files have it, or gone where they have none.
        add: A whole new ``[[rule]]``.
    """

    rule: str = ""
    set: Mapping[str, Any] = field(default_factory=dict)
    is_removed: bool = False
    is_as_in_files: bool = False
    add: Table | None = None


def overlay_after(
    overlay: Overlay, running: Mapping[str, Rule], changes: Iterable[Change]
) -> tuple[Overlay, list[Mistake]]:
    """Put changes on top of an overlay; give the overlay and what is wrong with the changes themselves.

    Args:
        running: Rules in force by id.
    """
    rules: dict[str, Table | None] = dict(overlay.rules)
    mistakes = Mistakes()
    for number, change in enumerate(changes, start=1):
        name = change.rule if change.add is None else id_of(change.add)
        place = Place(PLACE, number, name)
        is_there = name in running if name not in rules else rules[name] is not None
        if name.startswith(f"{RESERVED}."):
            mistakes.add(place, f"Rule {show(name)} is the gateway's own.", "Change a rule of the site.")
        elif change.add is not None and is_there:
            mistakes.add(place, f"Rule {show(name)} is there already.", "Change it, or give the new one a name.")
        elif not is_storable([change.add, change.set]):
            mistakes.add(place, f"Rule {show(name)} holds what no file could hold.", "Write plain texts and numbers.")
        elif change.add is not None:
            rules[name] = dict(change.add)
        elif change.is_as_in_files:
            if rules.pop(name, MISSING) is MISSING:
                mistakes.add(place, f"Rule {show(name)} is as the files have it.", "Leave it out.")
        elif not is_there:
            mistakes.add(place, f"Rule {show(name)} does not exist.", meant(name, tuple(running)))
        elif change.is_removed:
            rules[name] = None
        else:
            rules[name] = _with(change, rules.get(name) or written(running[name]), place, mistakes)
    return Overlay(rules), list(mistakes)


MISSING: Final = object()


def _with(change: Change, table: Table, place: Place, mistakes: Mistakes) -> Table:
    after = dict(table)
    for key, value in change.set.items():
        if key in IDENTITY:
            mistakes.add(
                place._replace(path=f"{change.rule} {key}"),
                f"Rule {show(change.rule)}: {key} is part of what the rule is; its alarm hangs on it.",
                "Remove this rule and add another.",
            )
        elif value is None:
            after.pop(key, None)
        else:
            after[key] = value
    return after


def overlay_of_text(text: str) -> tuple[Overlay, list[Mistake]]:
    """Read a whole overlay: ``[[rule]]`` tables as in a site file, and ``removed = ["id", …]``."""
    mistakes = Mistakes()
    try:
        values = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError, RecursionError) as error:
        mistakes.add(Place(TEXT_PLACE, 1, "toml"), f"The text is not valid TOML: {error}.", "Put this right first.")
        return Overlay(), list(mistakes)
    rules: dict[str, Table | None] = {}
    tables, removed = values.pop("rule", []), values.pop("removed", [])
    for key in values:
        mistakes.add(Place(TEXT_PLACE, 1, key), f"Key {show(key)} is not known.", "Write [[rule]] and removed only.")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        mistakes.add(Place(TEXT_PLACE, 1, "rule"), "rule is no array of tables.", "Write each as [[rule]].")
        tables = []
    if not isinstance(removed, list) or not all(isinstance(name, str) for name in removed):
        mistakes.add(Place(TEXT_PLACE, 1, "removed"), "removed is no list of ids.", 'Write removed = ["…"].')
        removed = []
    for number, table in enumerate(tables, start=1):
        name = id_of(table)
        if name in rules:
            mistakes.add(Place(TEXT_PLACE, number, name), f"Rule {show(name)} stands twice.", "Write it once.")
        if not is_storable(table):
            mistakes.add(
                Place(TEXT_PLACE, number, name),
                f"Rule {show(name)} holds a date or a number beyond 64 bits.",
                "Write plain texts and numbers.",
            )
        else:
            rules[name] = table
    for name in removed:
        if name in rules:
            mistakes.add(Place(TEXT_PLACE, 1, name), f"Rule {show(name)} is given and removed.", "Write one of them.")
        rules[name] = None
    for name in rules:
        if name.startswith(f"{RESERVED}."):
            mistakes.add(Place(TEXT_PLACE, 1, name), f"Rule {show(name)} is the gateway's own.", "Leave it out.")
    return Overlay(rules), list(mistakes)


def text_of_overlay(overlay: Overlay) -> str:
    """Write an overlay as a text that ``overlay_of_text`` reads."""
    lines: list[str] = []
    removed = [name for name, table in overlay.rules.items() if table is None]
    if removed:
        lines.append(f"removed = {_toml(removed)}\n")
    for table in overlay.rules.values():
        if table is not None:
            lines += ["[[rule]]", *(f"{key} = {_toml(value)}" for key, value in table.items()), ""]
    return "\n".join(lines)


def _toml(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value)
        case list() | tuple():
            return f"[{', '.join(_toml(each) for each in value)}]"
        case Mapping():
            return f"{{ {', '.join(f'{_toml(key)} = {_toml(each)}' for key, each in value.items())} }}"
        case _:
            text = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in text) + '"'


def is_storable(value: object) -> bool:
    """Tell whether a value is plain JSON: no dates, no numbers beyond 64 bits, no halves of characters."""
    try:
        orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except (TypeError, ValueError):
        return False
    return True
