"""Reporting: by when an incident that is an accident is to be reported to the authority.

Source: the enterprise reports within 1 h, and again at least each day, twice a day of the gravest accidents (State
    Council order 493, article 9; SAWS order 21; unverified). Whether an incident is such an accident a person judges.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import RowMapping

HOUR_NS: Final = 3_600_000_000_000
#: From the opening to the first report, and from each report to the next one, h.
FIRST_H: Final = 1
NEXT_H: Final = 24


def report_due_ns(row: RowMapping, lines: Sequence[RowMapping]) -> int:
    """Give by when an open incident is reported the next time at the latest, ns.

    Args:
        lines: Of its timeline.
    """
    last = max((line["time_ns"] for line in lines if line["what"] == "reported"), default=0)
    return (last + NEXT_H * HOUR_NS) if last else row["opened_ns"] + FIRST_H * HOUR_NS
