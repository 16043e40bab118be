"""Capacity of a crowd zone by LB/T 034-2014: how many persons at once, and how many in a day.

    C1 = Σ Xi / Yi            space, at once: effective area by basic space a person
    C2 = C1 · Z, Z = Int(T/t) space, in a day: by turnover, opening hours by mean stay

The maximum is the smaller of space and facility capacity; a deck or a bridge also bears only so many (its load limit).
Sources: LB/T 034-2014 (formulas from memory: high, ``unverified``); that the limiting one counts, and that load is
    checked: published calculations of scenic areas. Ecological, psychological and social capacity are not worked out.
Never: does I/O, reads a clock, rounds up: half a person is nobody.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

Limit: TypeAlias = Literal["space", "facility", "load"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """What a zone takes.

    Attributes:
        space: Persons at once by area.
        at_once: Persons at once, of what limits most.
        limit: What that is.
        turns: Int(T/t); 1 at least, for who stays longer than it is open comes once.
        in_day: Persons in a day.
    """

    space: int
    at_once: int
    limit: Limit
    turns: int
    in_day: int


def capacity_of(values: Mapping[str, Any]) -> Capacity:
    """Work out a zone.

    Args:
        values: ``area_m2`` (m²), ``space_m2`` (m² a person), ``open_h`` (h a day), ``stay_h`` (h), and
            where it has them ``facility_persons`` and ``load_persons``.
    """
    space = _whole(values["area_m2"] / values["space_m2"])
    limits: list[tuple[int, Limit]] = [(space, "space")]
    if values.get("facility_persons") is not None:
        limits.append((int(values["facility_persons"]), "facility"))
    if values.get("load_persons") is not None:
        limits.append((int(values["load_persons"]), "load"))
    at_once, limit = min(limits, key=lambda one: one[0])
    turns = max(1, _whole(values["open_h"] / values["stay_h"]))
    return Capacity(space=space, at_once=at_once, limit=limit, turns=turns, in_day=at_once * turns)


def _whole(number: float) -> int:
    """Round down, but 0.3 / 0.1 is 3."""
    return math.floor(round(number, 9))
