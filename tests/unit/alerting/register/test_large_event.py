"""Which large event is in force in a minute, and what a zone takes meanwhile."""

from typing import Any

import pytest

from alerting.register.large_event import Filing, event_in, filing_of, running, takes_in

VALUES: dict[str, Any] = {
    "code": "EV-1", "name": "Lantern", "zones": "Z1; Z2", "from": "2026-01-01T18:00", "until": "2026-01-01T22:00",
    "approved": 1001, "filed_at": "2025-12-20T09:00", "filing_number": "X-7", "roster": "festival", "escalation": "f",
}  # fmt: skip
TAKES = {"Z1": 200, "Z2": 300}


def filing(**more: Any) -> Filing:  # noqa: ANN401 - values of a record
    found = filing_of("id", {**VALUES, **more})
    assert found is not None
    return found


def test_an_event_that_was_never_filed_is_none() -> None:
    assert filing_of("id", {**VALUES, "filed_at": ""}) is None


@pytest.mark.parametrize(
    ("now", "is_it"),
    [("17:59", False), ("18:00", True), ("21:59", True), ("22:00", False)],
)
def test_it_begins_and_ends_with_its_minutes(now: str, is_it: bool) -> None:
    assert filing().is_in_force(f"2026-01-01T{now}") is is_it


def test_one_filed_late_begins_with_its_filing_and_one_ended_early_ends_then() -> None:
    late = filing(filed_at="2026-01-01T19:30")
    assert [late.is_in_force(f"2026-01-01T{at}") for at in ("19:29", "19:30")] == [False, True]
    early = filing(ended_at="2026-01-01T20:00")
    assert [early.is_in_force(f"2026-01-01T{at}") for at in ("19:59", "20:00")] == [True, False]


def test_the_approved_head_count_is_parted_by_what_zones_take_and_rounded_down() -> None:
    assert [takes_in(filing(), zone, TAKES) for zone in ("Z1", "Z2", "Z3")] == [400, 600, 0]
    assert takes_in(filing(zones="Z1"), "Z1", TAKES) == 1001
    assert takes_in(filing(zones="Z9"), "Z9", TAKES) == 0


def test_it_holds_in_its_zones_alone() -> None:
    now = "2026-01-01T19:00"
    other = filing(code="EV-2", zones="Z3", **{"from": "2026-01-01T17:00"})
    assert [one.code for one in running([filing(), other], now)] == ["EV-2", "EV-1"]
    found = [event_in([filing(), other], zone, now) for zone in ("Z2", "Z3", "Z4")]
    assert [one.code if one else "" for one in found] == ["EV-1", "EV-2", ""]
