"""Shares of a unit's live quantities: the worst counts, and what is not known is never none."""

import math

import pytest

from alerting.register.gb18218.shares import shares_of
from alerting.register.gb18218.worksheet import Holding

NAN = math.nan


def holding(code: str, live_t: float | None, *, design_t: float = 50.0, filed_t: float | None = 40.0) -> Holding:
    """Methanol: Q is 500 t (GB 18218-2018, table 1), so less than 0.5 t counts as an empty gauge."""
    return Holding(
        code=code, substance="methanol", design_t=design_t, named="methanol", hazard_class="W5.3",
        live_t=live_t, filed_t=filed_t,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("holdings", "is_filed", "expected"),
    [
        ([holding("A", 20.0), holding("B", 45.0)], True, (90.0, 112.5, 0.0)),
        ([holding("A", 20.0), holding("B", None)], True, (NAN, NAN, 0.0)),
        ([holding("A", 51.0), holding("B", None)], True, (102.0, 127.5, 0.0)),
        ([holding("A", 41.0), holding("B", None)], True, (NAN, 102.5, 0.0)),
        ([holding("A", 20.0), holding("B", 3.0, filed_t=None)], True, (40.0, 50.0, 1.0)),
        ([holding("A", 20.0), holding("B", 3.0, filed_t=None)], False, (40.0, 50.0, 0.0)),
        ([holding("B", 3.0, filed_t=0.0)], False, (6.0, NAN, 1.0)),
        ([holding("B", 0.49, filed_t=0.0)], True, (0.98, NAN, 0.0)),
        ([holding("B", None, filed_t=0.0)], True, (NAN, NAN, NAN)),
        ([holding("B", None, filed_t=0.0), holding("C", 9.0, filed_t=0.0)], True, (NAN, NAN, 1.0)),
        ([], True, (NAN, NAN, 0.0)),
    ],
)
def test_the_worst_counts_and_what_is_not_known_is_never_none(
    holdings: list[Holding], *, is_filed: bool, expected: tuple[float, float, float]
) -> None:
    found = shares_of(holdings, dict.fromkeys("ABC", True), is_filed=is_filed)
    assert (found.design_pct, found.filed_pct, found.unfiled) == pytest.approx(expected, nan_ok=True)


def test_a_holding_without_a_live_tag_says_nothing() -> None:
    found = shares_of([holding("A", 20.0), holding("B", None, filed_t=None)], {"A": True}, is_filed=True)
    assert (found.design_pct, found.filed_pct, found.unfiled) == (40.0, 50.0, 0.0)
