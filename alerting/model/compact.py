"""Compact: the rules of a table in a quarter of the memory, and what is found in them without a list of its own.

Flow: rules as read -> [compact] -> RuleTable
Why: a hundred thousand tags have a million rules of a few dozen shapes; what they share stands once.
Never: differs from the ``Rule`` that it was made of; ``replace``, ``fields``, ``asdict`` and ``==`` take both.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any, TypeGuard, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from alerting.model.rule import Rule
from edge.model import TagTable

T = TypeVar("T", bound=np.generic)
#: Fields that each rule has for itself; all others make its shape.
OWN = ("id", "tag", "setpoint", "revision")
SHAPED = tuple(each.name for each in fields(Rule) if each.name not in OWN)
_said, _every = attrgetter(*SHAPED), attrgetter(*Rule.__dataclass_fields__)
_RESPONSE = SHAPED.index("response")


class Shape:
    """What rules share: a rule to read it from, and how their ids usually end after the tag."""

    __slots__ = ("rule", "suffix")

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.suffix = f".{rule.kind.name}:{rule.name}" if rule.name else f".{rule.kind.name}"


class Compact:
    """A rule that keeps only what is its own; it reads like a ``Rule``."""

    __slots__ = ("revision", "setpoint", "shape", "tag", "unusual_id")
    __dataclass_fields__ = Rule.__dataclass_fields__
    revision: int
    setpoint: float
    shape: Shape
    tag: str
    unusual_id: str

    def __new__(cls, **given: Any) -> "Compact":  # noqa: ANN401, PYI034  # the fields of a rule
        """Give a plain rule: this is how ``replace`` makes one that differs."""
        return cast("Compact", Rule(**given))

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: rules do not change."""
        raise AttributeError(f"a rule does not change; {name} of {self.id} was to become {value!r}")

    @property
    def id(self) -> str:
        """Id of the rule; not kept where it follows from tag, kind and name."""
        return self.unusual_id or self.tag + self.shape.suffix

    def __eq__(self, other: object) -> bool:
        """Compare field by field, as rules do."""
        if not isinstance(other, (Rule, Compact)):
            return NotImplemented
        return _every(self) == _every(other)

    __hash__ = None  # type: ignore[assignment]  # A rule holds a dict.

    def __repr__(self) -> str:
        """Say what a rule says."""
        return repr(plain(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel as a plain rule."""
        return _rule, (_every(self),)


for _name in SHAPED:
    setattr(Compact, _name, property(attrgetter(f"shape.rule.{_name}")))
for _name, _member in vars(Rule).items():
    if isinstance(_member, property):  # What follows from the fields.
        setattr(Compact, _name, _member)

_set_own = [getattr(Compact, name).__set__ for name in ("shape", "tag", "setpoint", "revision", "unusual_id")]


def plain(rule: "Rule | Compact") -> Rule:
    """Give the rule that a compact one stands for."""
    return Rule(**{name: getattr(rule, name) for name in Rule.__dataclass_fields__})


def is_compact(rule: Any) -> TypeGuard[Compact]:  # noqa: ANN401  # to the type checker every rule is a ``Rule``
    """Tell whether a rule is compact."""
    return type(rule) is Compact


def like(shape: Shape, tag: str, setpoint: float) -> Any:  # noqa: ANN401  # to the type checker a ``Rule``
    """Give the rule of a shape for a tag, with the id that follows from both and the revision of the shape's rule."""
    return _make(shape, tag, setpoint, shape.rule.revision, "")


def _make(shape: Shape, tag: str, setpoint: float, revision: int, unusual_id: str) -> Any:  # noqa: ANN401
    set_shape, set_tag, set_setpoint, set_revision, set_id = _set_own
    made = object.__new__(Compact)
    set_shape(made, shape)
    set_tag(made, tag)
    set_setpoint(made, setpoint)
    set_revision(made, revision)
    set_id(made, unusual_id)
    return made


def compact(rules: Sequence[Rule]) -> list[Rule]:
    """Make rules compact; those that are already stay as they are."""
    shapes: dict[tuple[Any, ...], Shape] = {}
    done: list[Any] = []
    for rule in rules:
        if is_compact(rule):
            done.append(rule)
            continue
        key = _key(_said(rule))
        shape = shapes.get(key)
        if shape is None:
            shape = shapes[key] = Shape(rule)
        unusual = "" if rule.id == rule.tag + shape.suffix else rule.id
        done.append(_make(shape, rule.tag, rule.setpoint, rule.revision, unusual))
    return done


def _key(said: tuple[Any, ...]) -> tuple[Any, ...]:
    """Give what tells shapes apart; types too, for 1, 1.0 and True are equal and are not told alike."""
    key = (said[:_RESPONSE], *said[_RESPONSE].items(), said[_RESPONSE + 1 :], *map(type, said))
    try:
        hash(key)
    except TypeError:  # A recording gives lists where a configuration gives tuples.
        return (repr(said),)
    return key


def _rule(values: tuple[Any, ...]) -> Rule:
    return Rule(**dict(zip(Rule.__dataclass_fields__, values, strict=True)))


class Columns:
    """Fields of compact rules as columns, read from their shapes.

    Attributes:
        shapes: One rule of each shape.
        of: The shape of each rule, int64 (n,).
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        number_of: dict[Shape, int] = {}
        numbers = (number_of.setdefault(rule.shape, len(number_of)) for rule in cast("Sequence[Compact]", rules))
        self.of: NDArray[np.int64] = np.fromiter(numbers, dtype=np.int64, count=len(rules))
        self.shapes: list[Rule] = [shape.rule for shape in number_of]

    def field(self, name: str, dtype: type[T]) -> NDArray[T]:
        """Give a field that all rules of a shape share, (n,)."""
        return np.array([getattr(rule, name) for rule in self.shapes], dtype=dtype)[self.of]

    def where(self, is_so: Callable[[Rule], bool]) -> list[int]:
        """Give the indexes of the rules whose shape is so, ascending."""
        mask = np.array([bool(is_so(rule)) for rule in self.shapes], dtype=np.bool_)
        found: list[int] = np.flatnonzero(mask[self.of]).tolist()
        return found


class Alarms(Sequence[tuple[str, str]]):
    """(tag name, rule group) of each alarm index, read from the first of its rules."""

    def __init__(self, rules: Sequence[Rule], first: Any) -> None:  # noqa: ANN401  # int32 (alarms + 1,)
        self._rules, self._first = rules, first

    def __len__(self) -> int:
        return len(self._first) - 1

    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401  # an index; slices are not asked for
        rule = self._rules[int(self._first[:-1][place])]
        return rule.tag, rule.group


class IndexOf(Mapping[str, int]):
    """Index of each rule by its id: found through the tag that the id begins with."""

    def __init__(self, rules: Sequence[Rule], tags: TagTable, first: Any) -> None:  # noqa: ANN401  # int32 (tags + 1,)
        self._rules, self._tags, self._first = rules, tags, first
        unusual = attrgetter("unusual_id")
        self._unusual = {name: k for k, name in enumerate(map(unusual, rules)) if name}

    def __getitem__(self, name: str) -> int:
        known = self._unusual.get(name)
        if known is not None:
            return known
        tag = name
        while "." in tag:
            tag = tag[: tag.rindex(".")]
            row = self._tags.row_of.get(tag)
            if row is not None:
                for k in range(int(self._first[row]), int(self._first[row + 1])):
                    if self._rules[k].id == name:
                        return k
        raise KeyError(name)

    def __len__(self) -> int:
        return len(self._rules)

    def __iter__(self) -> Iterator[str]:
        return (rule.id for rule in self._rules)
