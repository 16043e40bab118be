"""Retest: gas tests of special work: which one it stands on, when the next is due, what a break in the work asks for.

Flow: a ticket's times, its tests -> [newest, next_due, is_long_break] -> refusal, moment of the next test
Why: a test of eight o'clock says nothing of noon; who works on it is told before anybody falls.
Sources: GB 30871-2022 as found: hot work is tested 30 min before it begins at most, and anew after a break of more than
    30 min (special, first class) or 60 min (second class); a confined space is watched all the time, written down every
    2 h, and tested anew after more than 60 min. Hot work of the special class is watched all the time too; that it is
    written down every 2 h is ours.
Never: reads a clock; moments are minutes of the site's clock, ``2026-01-01T08:00``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

#: Kinds that need a gas test, and a guardian; GB 30871-2022.
TESTED: Final = frozenset({"hot", "space"})
#: A test is no older than this when the work begins, or goes on after a long break; min.
FRESH_MINUTES: Final = 30
#: Oxygen of a confined space, %VOL: from 19.5, up to 23.5 where it is enriched.
OXYGEN_PCT: Final = (19.5, 23.5)
#: Combustible gas of hot work, %VOL at most: where its lower explosive limit is 4 %VOL or more, and where it is less.
COMBUSTIBLE_PCT: Final = (0.5, 0.2)
LEL_PCT: Final = 4.0
#: Between two tests while work goes on, min, by kind and level; what is not named has none of its own.
INTERVAL_MINUTES: Final = {("space", ""): 120, ("hot", "special"): 120}
#: A longer break needs another test, min, by kind and level.
BREAK_MINUTES: Final = {("space", ""): 60, ("hot", "special"): 30, ("hot", "first"): 30, ("hot", "second"): 60}


@dataclass(frozen=True, slots=True, order=True)
class GasTest:
    """One gas test.

    Attributes:
        at: Minute by the site's clock.
        is_ok: It was passed.
        oxygen_pct: %VOL; None where it was not measured.
    """

    at: str
    is_ok: bool
    oxygen_pct: float | None = None


def tests_of(ticket: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> list[GasTest]:
    """Give the tests of a ticket, the oldest first: its own first one, and those of the ledger of gas tests."""
    own = (
        [GasTest(ticket["gas_at"], ticket.get("gas_ok") is True, ticket.get("oxygen_pct"))]
        if ticket.get("gas_at")
        else []
    )
    return sorted(
        [*own, *(GasTest(row["at"], row["gas_ok"] is True, row.get("oxygen_pct")) for row in rows)],
        key=lambda one: one.at,
    )


def newest(tests: Iterable[GasTest], until: str = "9999") -> GasTest | None:
    """Give the newest test up to a minute; of two in one minute the one that was not passed. None for none."""
    return max((one for one in tests if one.at <= until), key=lambda one: (one.at, not one.is_ok), default=None)


def minutes_between(first: str, second: str) -> float:
    """Give how long after the first minute the second is, min."""
    return (datetime.fromisoformat(second) - datetime.fromisoformat(first)) / timedelta(minutes=1)


def interval_of(ticket: Mapping[str, Any]) -> int | None:
    """Give how often a ticket is tested while work goes on, min: as it says, else as its kind; None for never."""
    said = ticket.get("retest_minutes")
    return int(said) if said is not None else INTERVAL_MINUTES.get((ticket["kind"], ticket.get("level", "")))


def is_long_break(ticket: Mapping[str, Any]) -> bool:
    """Tell whether work went on after a break that needs another test."""
    if not (ticket.get("paused_at") and ticket.get("resumed_at")):
        return False
    longest = BREAK_MINUTES.get((ticket["kind"], ticket.get("level", "")))
    return longest is not None and minutes_between(ticket["paused_at"], ticket["resumed_at"]) > longest


def next_due(ticket: Mapping[str, Any], tests: Iterable[GasTest]) -> str:
    """Give the minute by which work that goes on is tested anew; that of a failed test at once. Empty for none."""
    last = newest(tests)
    if ticket["stage"] != "working" or ticket["kind"] not in TESTED or last is None:
        return ""
    if not last.is_ok:
        return last.at
    interval = interval_of(ticket)
    if interval is None:
        return ""
    return (datetime.fromisoformat(last.at) + timedelta(minutes=interval)).isoformat(timespec="minutes")
