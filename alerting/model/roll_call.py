"""Roll-call (人员清点): who should be there, who was heard of where, who is missing; head counts beside it.

Why: whoever stands at the gate with a list must not mix who is known to be inside with who is only expected.
Never: does I/O, reads a clock; takes a name from a head count.
Source: names come from access data or from the roll-call itself. Who is on the roster or on a work ticket may be
    inside; nobody knows it, so that such names stand apart and are never counted as missing (ours).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from alerting.model.site_plan import Corner

#: Access data that is older says so, s; who was not heard of so long after the beginning is told to who leads, s; ours.
ACCESS_STALE_S: Final = 600.0
OVERDUE_S: Final = 900.0


class Source(StrEnum):
    """Why somebody stands on the list."""

    ACCESS = "access"
    HAND = "hand"
    DUTY = "duty"
    TICKET = "ticket"


class Heard(StrEnum):
    """What is known of somebody."""

    MISSING = "missing"
    SAFE = "safe"
    HELP = "help"
    LEFT = "left"


#: Those of whom it is known that they were inside.
KNOWN_INSIDE: Final = frozenset({Source.ACCESS, Source.HAND})


@dataclass(frozen=True, slots=True, kw_only=True)
class AssemblyPoint:
    """Where people gather (集合点).

    Attributes:
        place: Longitude and latitude, degrees; None where nobody said.
    """

    id: str
    title: Mapping[str, str]
    place: Corner | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RollPolicy:
    """What a site lays down about roll-calls.

    Attributes:
        access_stale_s: Access data that is older says so, s.
        overdue_s: Who was not heard of so long after the beginning is told to who leads, s.
    """

    points: tuple[AssemblyPoint, ...] = field(default_factory=tuple)
    access_stale_s: float = ACCESS_STALE_S
    overdue_s: float = OVERDUE_S


def name_key(name: str) -> str:
    """Give what two spellings of one name have in common: letters without spaces and case."""
    return "".join(name.split()).casefold()


def figures(persons: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Count the list.

    Args:
        persons: Source and state of each.

    Returns:
        ``inside``: known to be inside when it began or added since; of them ``safe``, ``help``, ``left``, ``missing``.
        ``expected``: on the roster or a ticket alone; of them ``unheard``.
    """
    known = dict.fromkeys(("safe", "help", "left", "missing"), 0)
    expected = unheard = 0
    for source, state in persons:
        if source in KNOWN_INSIDE or state in (Heard.SAFE, Heard.HELP):
            known[state] += 1
        elif state == Heard.MISSING:
            expected, unheard = expected + 1, unheard + 1
        else:
            expected += 1
    return {"inside": sum(known.values()), **known, "expected": expected, "unheard": unheard}
