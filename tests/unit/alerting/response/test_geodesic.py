"""Geodesic distances against published lines."""

import pytest

from alerting.register.coordinates import Corner
from alerting.response.zone.place import metres_between


def distance_m(one: Corner, other: Corner) -> float:
    return float(metres_between(one, [other])[0])


def degrees(whole: int, minutes: int, seconds: float) -> float:
    return whole + minutes / 60 + seconds / 3600


def test_the_line_that_surveyors_publish_comes_out_to_a_millimetre() -> None:
    """Flinders Peak to Buninyon, 54,972.271 m on GRS 80 (GDA94 technical manual, ICSM, chapter 4)."""
    flinders = degrees(144, 25, 29.52440), -degrees(37, 57, 3.72030)
    buninyon = degrees(143, 55, 35.38390), -degrees(37, 39, 10.15610)
    assert distance_m(flinders, buninyon) == pytest.approx(54_972.271, abs=1e-3)
    assert distance_m(buninyon, flinders) == pytest.approx(54_972.271, abs=1e-3)


def test_along_the_equator_along_a_meridian() -> None:
    assert distance_m((0, 0), (1, 0)) == pytest.approx(111_319.491, abs=1e-3)  # a * pi / 180
    assert distance_m((0, 0), (0, 90)) == pytest.approx(10_001_965.729, abs=1e-2)  # quarter meridian of GRS 80
    assert distance_m((120.1, 30.2), (120.1, 30.2)) == 0
