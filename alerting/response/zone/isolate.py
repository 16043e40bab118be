"""Isolate: first distances of isolation and protection by substance, before anything is computed.

Source: Emergency Response Guidebook 2020/2024, tables 1 and 3 (large spill: rail tank car, low wind) and guide 115, all
from memory: none was compared with the printed table, so each carries its confidence, and what is not of high
confidence is ``unverified``. A small spill is up to 208 L; day is from sunrise to sunset; the distances are for about
the first 30 minutes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from alerting.register.field import Words

SOURCE: Final = Words("ERG 2020/2024, not compared with the book", "ERG 2020/2024，未与原书核对")
#: What the table prints as 11+ km; at least that.
BEYOND_M: Final = 11_000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Distances:
    """Of one size of spill, m: isolate all around, protect downwind by day and by night; None where there is none."""

    isolate_m: float
    day_m: float | None
    night_m: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Isolation:
    """A row of the table."""

    un: str
    small: Distances
    large: Distances
    confidence: Literal["high", "medium", "medium-low", "low"]
    source: Words = SOURCE

    @property
    def is_unverified(self) -> bool:
        """Tell whether the row must be compared with the book before it may leave the house."""
        return self.confidence != "high"


def _row(
    un: str,
    small: tuple[float, float | None, float | None],
    large: tuple[float, float | None, float | None],
    confidence: Literal["high", "medium", "medium-low", "low"],
) -> Isolation:
    one, other = (Distances(isolate_m=near, day_m=day, night_m=night) for near, day, night in (small, large))
    return Isolation(un=un, small=one, large=other, confidence=confidence)


#: By CAS number. Propane and butane are liquefied petroleum gas: its downwind distance holds day and night.
ISOLATION: Final[Mapping[str, Isolation]] = MappingProxyType(
    {
        "7782-50-5": _row("1017", (60, 300, 1_100), (1_000, 9_900, BEYOND_M), "medium"),
        "7664-41-7": _row("1005", (30, 100, 200), (300, 1_900, 4_500), "medium"),
        "7446-09-5": _row("1079", (100, 700, 2_200), (1_000, BEYOND_M, BEYOND_M), "medium"),
        "7783-06-4": _row("1053", (30, 100, 400), (400, 2_100, 5_400), "medium-low"),
        "7664-39-3": _row("1052", (30, 100, 400), (400, 3_100, 6_100), "low"),
        "7647-01-0": _row("1050", (30, 100, 300), (500, 3_700, 9_900), "low"),
        "74-98-6": _row("1075", (100, None, None), (100, 800, 800), "high"),
        "106-97-8": _row("1075", (100, None, None), (100, 800, 800), "high"),
    }
)
