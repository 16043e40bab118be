"""Kinds of derived tags as the configuration knows them: roles, parameters, units, and the formula in words.

What each computes stands in ``alerting.core.derived``; a test holds the two together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.load.entry import ANY, Span

ABOVE_0: Final = Span(above=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What an input is to a kind.

    Attributes:
        dimension: A key of ``gateway.load.derived.units.UNITS``.
        is_list: Any number of tags, at least one; else exactly one.
        is_needed: It must be given.
    """

    dimension: str
    is_list: bool = False
    is_needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A parameter that is a number, in the unit that its name ends with.

    Attributes:
        default: None where it must be given, NaN where it may be left out and then is not there.
    """

    span: Span = ANY
    default: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A parameter that is one of some words; the first is the default where ``is_needed`` is not set."""

    choices: tuple[str, ...]
    is_needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KindSpec:
    """One kind.

    Attributes:
        measures: What the tag then measures, as the column ``kind`` of a measured tag says.
        dimension: Of the tag's own unit.
        others: Keys beside numbers and words that the kind reads itself.
        formula: How it is computed, in words, by language.
    """

    measures: str
    dimension: str
    roles: Mapping[str, Role]
    formula: Mapping[str, str]
    numbers: Mapping[str, Number]
    words: Mapping[str, Word]
    others: tuple[str, ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """All parameters."""
        return (*self.numbers, *self.words, *self.others)


KINDS: Final[Mapping[str, KindSpec]] = {
    "volume": KindSpec(
        measures="volume",
        dimension="volume",
        roles={"level": Role(dimension="level")},
        numbers={},
        words={},
        others=("strapping", "shape", "diameter_m", "length_m", "head", "head_depth_m"),
        formula={
            "en": "volume at this level by the tank's strapping table or geometry",
            "zh": "按罐容表或几何形状由液位换算的体积",
        },
    ),
    "mass": KindSpec(
        measures="mass",
        dimension="mass",
        roles={"volume": Role(dimension="volume"), "temperature": Role(dimension="temperature", is_needed=False)},
        numbers={
            "density_kg_m3": Number(span=Span(above=0, most=25_000)),
            "density_at_c": Number(span=Span(least=-273.15, most=2_000), default=20.0),
            "density_slope": Number(span=Span(least=-100, most=100), default=0.0),
        },
        words={},
        formula={
            "en": "volume × density, the density by temperature along a straight line",
            "zh": "体积 × 密度,密度随温度线性变化",
        },
    ),
}
