"""Period: the shift that runs at a time and the one before it, as the plant's order has them.

Why: people are asked about their shift, not about the last twelve hours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerting.roster.plan import NS, Published, RosterPlan

DAYS_BACK = 8  # A shift of workdays alone may be a holiday of a week away.


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One shift of one day: its id, and from when to when, ns."""

    shift: str
    from_ns: int
    to_ns: int


def turns_around(
    plan: RosterPlan, at_ns: int, zone: ZoneInfo, published: Published, post: str = ""
) -> tuple[Turn | None, Turn | None]:
    """Give the shift that runs at a time, and the last one that was over before that; None where there is none.

    Of several that run, as a day shift beside a shift of the clock, it is the one that began last.

    Args:
        post: Shifts in which this post is manned; empty for all.
    """
    known = sorted(_turns(plan, at_ns, zone, published, post), key=lambda turn: (turn.from_ns, turn.to_ns, turn.shift))
    runs = next((turn for turn in reversed(known) if turn.from_ns <= at_ns < turn.to_ns), None)
    until_ns = at_ns if runs is None else runs.from_ns
    over = [turn for turn in known if turn.to_ns <= until_ns]
    return runs, max(over, key=lambda turn: turn.to_ns, default=None)


def _turns(plan: RosterPlan, at_ns: int, zone: ZoneInfo, published: Published, post: str) -> Iterator[Turn]:
    manned = plan.post(post)
    today = datetime.fromtimestamp(at_ns // NS, zone).date()
    for back in range(DAYS_BACK + 1):
        on = today - timedelta(days=back)
        day = plan.calendar.day(on, published)
        for shift in plan.shifts:
            if shift.is_manned(day) and (manned is None or shift.id in manned.shifts):
                begin_ns, end_ns = shift.span(on, zone)
                yield Turn(shift=shift.id, from_ns=begin_ns, to_ns=end_ns)
