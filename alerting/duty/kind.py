"""Kind: one row of the table of duties: from where it is due, when each step comes, who is told, by which basis.

Why: whoever asks "why was I told on Tuesday?" is answered by one row; a site changes a row, never the code.
Never: does I/O, reads a clock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

from alerting.register.field import Words

#: How a receiver is written: whoever the record names, whoever leads the shift, a post, a person.
HOLDER: Final = "holder"


class Step(StrEnum):
    """How far the telling has come; each is graver than the one before."""

    PROMPT = "prompt"  # 提示: it falls due soon
    WARNING = "warning"  # 警示: it is due and not done
    SUPERVISION = "supervision"  # 督办: it is overdue and nobody has acted


STEPS: Final = (Step.PROMPT, Step.WARNING, Step.SUPERVISION)
STEP_TITLES: Final[Mapping[Step, Words]] = {
    Step.PROMPT: Words("Prompt", "提示"),
    Step.WARNING: Words("Warning", "警示"),
    Step.SUPERVISION: Words("Supervision", "督办"),
}


class Counts(StrEnum):
    """Which days count for the grace and for repeats."""

    WORKDAYS = "workdays"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """That something is to be done by a day, and who answers for it.

    Attributes:
        day: The last day on which it is in time.
        begins: The day from which on it could be done; None where nobody knows.
        holder: Who answers for it, as the record says it; empty for nobody.
    """

    day: date
    begins: date | None = None
    holder: str = ""


#: Reads of a record what is wanted; None where nothing is.
Reads = Callable[[Mapping[str, Any]], Wanted | None]


def _nothing(_: Mapping[str, Any]) -> Wanted | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One row.

    Attributes:
        id: ``ledger.field``, or the name of what is fed from alarms.
        ledger: The ledger whose records feed it; empty where alarms do.
        reads: What a record of the ledger wants.
        lead_days: So long before the end the prompt comes; None for min(3 days, 20 % of the period).
        period_days: The period where a record does not say when it began; None where nobody knows: 3 days' lead.
        grace_days: So many days that count pass between the end and supervision.
        grace_s: The same of a duty that is due at a moment, s.
        repeat_days: Supervision is told again after so many days.
        counts: Which days grace and repeats count.
        to: Receivers by step.
        basis: The clause, or that it is ours.
        is_unverified: The basis is quoted from memory and was not compared with the text.
        is_on: A site may switch a row off.
        is_dated: The clock feeds it, and it is due on a day all the same.
        is_momentary: Its records say the minute; a look feeds it, not the writing of a record.
    """

    id: str
    title: Words
    basis: Words
    ledger: str = ""
    reads: Reads = field(default=_nothing, repr=False)
    lead_days: float | None = None
    period_days: int | None = None
    grace_days: int = 1
    grace_s: float = 600.0
    repeat_days: int = 1
    counts: Counts = Counts.WORKDAYS
    to: Mapping[Step, tuple[str, ...]] = field(default_factory=dict)
    is_unverified: bool = False
    is_on: bool = True
    is_dated: bool = False
    is_momentary: bool = False

    @property
    def is_timed(self) -> bool:
        """Tell whether it is due at a moment rather than on a day."""
        return self.is_momentary or not (self.ledger or self.is_dated)
