"""Reporting: by when an incident that is an accident is to be reported to the authority.

Source: the enterprise reports within 1 h, and again at least each day, twice a day of the gravest accidents (State
    Council order 493, article 9; SAWS order 21; unverified). Whether an incident is such an accident a person judges;
    that the hour begins with that judgement is ours.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping

HOUR_NS: Final = 3_600_000_000_000
#: Lines of the timeline by which a person says that it is an accident, and that it is none after all.
ACCIDENT, NO_ACCIDENT, REPORTED = "accident", "no_accident", "reported"
#: From the judgement, else the opening, to the first report, and from each report to the next one, h.
FIRST_H: Final = 1
NEXT_H: Final = 24


def report_due_ns(row: RowMapping, lines: Sequence[RowMapping]) -> int:
    """Give by when an open incident is reported the next time at the latest, ns.

    Args:
        lines: Of its timeline.
    """
    last = max((line["time_ns"] for line in lines if line["what"] == REPORTED), default=0)
    if last:
        return int(last) + NEXT_H * HOUR_NS
    return (accident_since_ns(lines) or int(row["opened_ns"])) + FIRST_H * HOUR_NS


def accident_since_ns(lines: Sequence[RowMapping]) -> int:
    """Give since when an incident stands as an accident, ns; 0 where nobody said so, or it was taken back.

    Args:
        lines: Of its timeline, the oldest first.
    """
    since = 0
    for line in lines:
        if line["what"] == ACCIDENT:
            since = since or line["time_ns"]
        elif line["what"] == NO_ACCIDENT:
            since = 0
    return since
