"""Overlay: what people changed on top of the files while the gateway ran, rule by rule.

Flow: site file, tag tables, overlay -> [load] -> rules
Why: a changed rule is read and judged by the same reader as one of the files, so nothing enters that ``check`` refuses.

A rule of the overlay is written out whole, as a ``[[rule]]`` of the site file; it takes the place of the rule with its
id, wherever that stands. Nothing in its place means that the rule is removed.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any, Final, TypeAlias

from alerting.core.expression.parser import parse
from alerting.core.expression.tree import Held
from alerting.model.compact import Shape, is_compact
from alerting.model.rationale import TEXTS
from alerting.model.rule import Kind, Rule
from alerting.model.schedule import DAYS, Schedule
from edge.load.entry import Entry
from edge.load.locate import Path as KeyPath
from edge.load.mistake import Mistake, Place, show
from edge.load.reading import Reading

#: A rule as a ``[[rule]]`` of the site file.
Table = Mapping[str, Any]
#: Stands in place of a file where the mistake is in the overlay.
PLACE: Final = "rule changes"
NAMED_MAX: Final = 10

#: Fields of a rule that are not written: the id is made of others, tags are found in the text, a revision is counted.
_MADE: Final = frozenset({"id", "asked", "enable_asked", "revision", "rationale"})
_KEY_OF: Final = {"is_latching": "latching", "is_falling": "direction"}
#: Kinds of which nothing that is written follows from the setpoint but itself.
_ALIKE: Final = (Kind.STALE, Kind.BAD, Kind.LL, Kind.L, Kind.H, Kind.HH)
#: Kinds whose setpoint is not asked for.
_WITHOUT_SETPOINT: Final = (Kind.TREND, Kind.STATE, Kind.EXPRESSION)
_DEFAULT: Final = {
    each.name: each.default if each.default_factory is MISSING else each.default_factory() for each in fields(Rule)
}
_ALWAYS: Final = ("setpoint", "band")
#: Field, default (nothing is the default of what is always written) and key, of all that is written.
_WRITTEN: Final = tuple(
    (each.name, object() if each.name in _ALWAYS else _DEFAULT[each.name], _KEY_OF.get(each.name, each.name))
    for each in fields(Rule)
    if each.name not in _MADE
)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A file that stands otherwise than on the disk.

    Attributes:
        content: What is read in its place.
        base: SHA-256 of the file on the disk when it was replaced, in hex; empty where there was none.
    """

    content: bytes
    base: str


@dataclass(frozen=True, slots=True)
class Overlay:
    """What stands otherwise than on the disk.

    Attributes:
        rules: By id, as the overlay has them; None for removed ones.
        files: Whole files, by path relative to the site file.
    """

    rules: Mapping[str, Table | None] = field(default_factory=dict)
    files: Mapping[str, Replaced] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.rules) or bool(self.files)

    @property
    def contents(self) -> dict[str, bytes]:
        """What is read in place of files."""
        return {name: each.content for name, each in self.files.items()}

    def warnings(self) -> list[Mistake]:
        """Say what stands otherwise than on the disk."""
        told = [self.as_warning()] if self.rules else []
        return told + [
            Mistake(
                file=name,
                line=1,
                path="file",
                sentence=f"{name} was changed while the gateway ran and stands so, not as on the disk.",
                remedy="Nothing, if this is meant; fengsui rules history tells who and why, rules forget lets the disk "
                "count.",
            )
            for name in self.files
        ]

    def as_warning(self) -> Mistake:
        """Say that rules stand otherwise than in the files."""
        names = ", ".join(list(self.rules)[:NAMED_MAX]) + (", …" if len(self.rules) > NAMED_MAX else "")
        return Mistake(
            file=PLACE,
            line=1,
            path="overlay",
            sentence=f"{len(self.rules)} rules were changed while the gateway ran and stand so, not as in the files: "
            f"{names}.",
            remedy="Nothing, if this is meant; fengsui rules history tells who and why.",
        )

    def entries(self, reading: Reading) -> list[Entry]:
        """Give the rules that are written out, as entries of the site file."""
        return [
            _entry(reading, name, table, number)
            for number, (name, table) in enumerate(self.rules.items(), start=1)
            if table is not None
        ]


NOTHING: Final = Overlay()
#: Gives the overlay that a data folder keeps.
ReadOverlay: TypeAlias = Callable[[Path], Overlay]


def no_overlay(_: Path) -> Overlay:
    """Look at the files alone."""
    return NOTHING


def id_of(table: Table) -> str:
    """Give the id that a rule written out has, as far as it says what it is about."""
    name = table.get("name")
    return f"{table.get('tag', '')}.{table.get('kind', '')}" + (f":{name}" if name else "")


class Writer:
    """Writes many rules out: those of one shape differ in tag and setpoint only, and share all else."""

    def __init__(self) -> None:
        self._of: dict[Shape, dict[str, Any]] = {}

    def table(self, rule: Rule) -> dict[str, Any]:
        """Give what ``written`` gives."""
        shape = rule.shape if is_compact(rule) else None
        if shape is None or rule.kind not in _ALIKE:
            return written(rule)
        table = self._of.get(shape)
        if table is None:
            table = self._of[shape] = written(rule)
        return {**table, "tag": rule.tag, "setpoint": _plain(rule.setpoint)}


def written(rule: Rule) -> dict[str, Any]:
    """Write a rule out as a ``[[rule]]``; read again it is the same rule."""
    table: dict[str, Any] = {}
    for name, default, key in _WRITTEN:
        value = getattr(rule, name)
        if value == default:
            continue
        table[key] = _plain(value)
    table |= _rationale(rule)
    if rule.schedule is not None:
        table["schedule"] = _spans(rule.schedule)
    if rule.drift is not None:
        del table["drift"]
        table |= {key: value for key, value in asdict(rule.drift).items() if key != "allowance" or _has_allowance(rule)}
    if rule.kind in _WITHOUT_SETPOINT:
        del table["setpoint"]
    if rule.kind is not Kind.FROZEN:
        table.pop("band", None)
    if rule.kind is Kind.TREND:
        _write_trend(table, rule)
    if rule.kind is Kind.STATE and rule.mask:
        table["pattern"] = rule.pattern
    if rule.kind is Kind.DEVIATION:
        table["reference"] = rule.reference
    if rule.kind is Kind.EXPRESSION and _has_hold(rule):
        table.pop("on_delay_s", None)
    return table


def _rationale(rule: Rule) -> dict[str, Any]:
    if rule.rationale is None:
        return {}
    said = {name: rule.rationale.text(name) for name in TEXTS if rule.rationale.text(name)}
    return said | ({"respond_min": rule.rationale.respond_min} if rule.rationale.respond_min else {})


def _write_trend(table: dict[str, Any], rule: Rule) -> None:
    table.pop("direction", None)
    if not rule.to:
        table |= {"to": rule.setpoint, "direction": "down" if rule.is_falling else "up"}
    if rule.blocks is not None:
        blocks = {"block_s": rule.blocks.block_s, "blocks": rule.blocks.count, "line": rule.blocks.line}
        table |= {"method": "blocks", **blocks}


def _has_allowance(rule: Rule) -> bool:
    return rule.drift is not None and rule.drift.detector == "cusum"


def _has_hold(rule: Rule) -> bool:
    """Tell whether the on-delay stands in the text already."""
    return isinstance(parse(rule.when)[0], Held)


def _spans(schedule: Schedule) -> list[dict[str, Any]]:
    """Write a schedule out; a rule of the overlay has its spans itself, whatever name they have in the files."""

    def clock(seconds: int) -> str:
        return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"

    return [
        {"days": [DAYS[day] for day in span.days], "from": clock(span.from_s), "to": clock(span.to_s)}
        for span in schedule.spans
    ]


def _plain(value: Any) -> Any:  # noqa: ANN401  # what JSON can say
    if isinstance(value, str | int | float) and not isinstance(value, Enum):
        return None if isinstance(value, float) and math.isnan(value) else value
    if isinstance(value, Enum):
        return value.name
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


def _entry(reading: Reading, name: str, table: Table, number: int) -> Entry:
    def place_of(path: KeyPath) -> Place:
        return Place(PLACE, number, f"{name} {path[0]}" if path else name)

    return Entry(reading, f"Rule {show(name)[1:-1]}", dict(table), place_of)
