"""Capacity of crowd zones, against numbers worked out by hand."""

from typing import Any

import pytest

from alerting.register.capacity import capacity_of

ZONE: dict[str, Any] = {"area_m2": 2000.0, "space_m2": 4.0, "open_h": 9.0, "stay_h": 2.0}


@pytest.mark.parametrize(
    ("more", "at_once", "limit", "turns", "in_day"),
    [
        ({}, 500, "space", 4, 2000),  # 2000 / 4 = 500; Int(9 / 2) = 4
        ({"load_persons": 200}, 200, "load", 4, 800),  # a deck of 2000 m² that bears 200
        ({"facility_persons": 300, "load_persons": 400}, 300, "facility", 4, 1200),
        ({"area_m2": 1999.0}, 499, "space", 4, 1996),  # half a person is nobody
        ({"open_h": 8.9, "stay_h": 3.0}, 500, "space", 2, 1000),
        ({"open_h": 1.0, "stay_h": 2.0}, 500, "space", 1, 500),  # who stays longer than it is open comes once
        ({"area_m2": 0.3, "space_m2": 0.1}, 3, "space", 4, 12),  # 0.3 / 0.1 is 2.9999999999999996 to a computer
    ],
)
def test_a_zone(more: dict[str, float], at_once: int, limit: str, turns: int, in_day: int) -> None:
    found = capacity_of({**ZONE, **more})
    assert (found.at_once, found.limit, found.turns, found.in_day) == (at_once, limit, turns, in_day)
