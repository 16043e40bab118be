"""Coverage and pass rates of occupational hazards, against cases reckoned by hand."""

import pytest

from alerting.register.exposure_limits import LIMITS
from alerting.register.exposure_rates import Point, Sample, is_due, rates_of


def point(
    code: str = "A", *, first_due: str = "2026-03-31", cycle: str = "years", every: int = 1, gone: str = ""
) -> Point:
    return Point(
        code=code, unit="U-1", factor="氨", first_due=first_due, every=every, cycle=cycle, retired_on=gone
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "before", "is_owed"),
    [
        (point(), "", True),
        (point(first_due="2027-01-01"), "", False),
        (point(first_due="2026-12-31"), "", True),  # The last day of the period is in it.
        (point(), "2025-12-31", True),
        (point(every=3), "2024-05-01", False),
        (point(every=6, cycle="months"), "2025-12-31", True),
        (point(), "2019-01-01", True),  # Missed for years is still due.
        (point(gone="2026-03-30"), "", False),  # Retired before it fell due,
        (point(gone="2026-03-31"), "", True),  # and on the day.
        (point(gone="2025-12-31"), "2019-01-01", False),
    ],
)
def test_a_point_is_due_by_its_last_sample_before_the_period(one: Point, before: str, is_owed: bool) -> None:
    assert is_due(one, before, "2026-01-01", "2026-12-31") is is_owed


def test_what_nobody_owed_covers_nothing_and_passes_all_the_same() -> None:
    points = [point("A"), point("B"), point("C"), point("D", first_due="2030-01-01")]
    taken = [("A", True), ("A", True), ("A", False), ("D", True)]
    samples = [Sample(point=code, unit="U-1", factor="氨", is_within=fits) for code, fits in taken]
    found = rates_of(points, samples, {"C": "2025-06-01"}, "2026-01-01", "2026-12-31")
    assert (found.total.due, found.total.sampled, found.total.beyond) == (3, 1, 1)
    assert found.total.coverage_pct == pytest.approx(100 / 3), "D was not due and must not cover for B"
    assert (found.total.samples, found.total.within, found.total.pass_pct) == (4, 3, 75)
    assert found.missing == ["B", "C"]
    assert found.units == {"U-1": found.total}
    assert found.factors == {"氨": found.total}
    none = rates_of([], [], {}, "2026-01-01", "2026-12-31").total
    assert (none.coverage_pct, none.pass_pct) == (None, None), "nothing due is not covered to 100 %"


def test_limits_are_those_of_the_documentation() -> None:
    """As docs/derived.md lists them for detectors; a MAC excludes averages."""
    said = {
        "7783-06-4": (None, None, 10), "7782-50-5": (None, None, 1), "7664-39-3": (None, None, 2),
        "74-90-8": (None, None, 1), "7647-01-0": (None, None, 7.5), "630-08-0": (20, 30, None),
        "10102-44-0": (5, 10, None), "7446-09-5": (5, 10, None), "7664-41-7": (20, 30, None), "67-56-1": (25, 50, None),
        "108-88-3": (50, 100, None),
    }  # fmt: skip
    assert {cas: (LIMITS[cas].twa, LIMITS[cas].stel, LIMITS[cas].mac) for cas in said} == said
    assert all((one.mac is None) == (one.twa is not None) for one in LIMITS.values())
