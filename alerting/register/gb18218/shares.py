"""Shares: what is there now against the design maximum and the filed quantity, the worst of a unit's substances.

Why: the legal grade uses the design maximum and what was filed; more than either, or a substance that nobody filed, is
    what the grade does not cover. Upwards only: less than filed is no finding.
Never: takes a quantity that is not known for none. A share that known lines alone put beyond 100 % is told; below, it
    is not known while a line is not.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from alerting.register.gb18218.worksheet import Holding, critical_of

#: From this part of its critical quantity Q on a substance that is not filed counts as there; ours, for a gauge's zero.
PRESENT: Final = 1e-3
FULL_PCT: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """The worst of a unit's substances; not a number where it is not known.

    Attributes:
        design_pct: Live quantity in percent of the design maximum.
        filed_pct: Live quantity in percent of the filed one, of the substances that were filed.
        unfiled: How many substances are there that were not filed.
    """

    design_pct: float
    filed_pct: float
    unfiled: float


def shares_of(holdings: Sequence[Holding], measured: Mapping[str, bool], *, is_filed: bool) -> Shares:
    """Give the shares of a unit's holdings.

    Args:
        measured: Whether a holding has a live tag, by code; one without says nothing.
        is_filed: The unit is filed: a substance without a filed quantity was not.
    """
    mine = [one for one in holdings if measured.get(one.code)]
    filed = [one for one in mine if one.filed_t]
    absent = [one for one in mine if one.filed_t == 0 or (one.filed_t is None and is_filed)]
    return Shares(
        design_pct=_worst((_percent(one.live_t, one.design_t) for one in mine), FULL_PCT),
        filed_pct=_worst((_percent(one.live_t, one.filed_t or math.inf) for one in filed), FULL_PCT),
        unfiled=_count([None if one.live_t is None else one.live_t > PRESENT * critical_of(one)[0] for one in absent]),
    )


def _percent(live_t: float | None, of_t: float) -> float | None:
    return None if live_t is None else FULL_PCT * live_t / of_t


def _worst(percents: Iterable[float | None], bound: float) -> float:
    """Give the highest; below the bound it is known only when all are."""
    every = list(percents)
    known = [one for one in every if one is not None]
    worst = max(known, default=math.nan)
    return worst if len(known) == len(every) or worst > bound else math.nan


def _count(there: Sequence[bool | None]) -> float:
    """Count those that are there; none is known only when all are."""
    found = sum(one is True for one in there)
    return float(found) if found or None not in there else math.nan
