"""Call-out (应急召集): which posts are called for an incident, in which order, and who next when nobody answers.

Why: at two in the morning the order of the telephone list decides, so that it is settled before, and the gateway goes
    through it without waiting for anybody.
Never: does I/O, reads a clock.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from alerting.model.tier import Tier

#: How long an answer is waited for where the site says nothing, s; ours.
ANSWER_S: Final = 300.0


class Answer(StrEnum):
    """What somebody who was called says."""

    COMING = "coming"
    CANNOT = "cannot"
    HELP = "help"


class AnswerWay(StrEnum):
    """How an answer came: on the page by whom it is of; else somebody heard it and enters it."""

    PAGE = "page"
    TELEPHONE = "telephone"
    SMS = "sms"
    RADIO = "radio"
    SPOKEN = "spoken"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallLine:
    """One line of the list: whom it calls for what, and who is called when that comes to nothing.

    Attributes:
        title: What is asked of whoever is called, by language.
        who: ``leader`` for whoever leads the shift, ``post:ID``, or ``person:NAME``.
        from_tier: Highest tier of the incident from which it is called.
        from_grade: It is also called from this response grade on, 4 (IV) to 1; 0: the grade calls nobody.
        accidents: Types of accident that it is for, codes of GB 6441-2025; empty for all.
        after_s: So long after the incident came to tier or grade, s; this is the order of the list.
        answer_s: How long an answer is waited for, s.
        instead: Who is called next, in this order, when too few say that they come.
        persons: So many must come.
        channel: Way by which it is called; empty for that of ``[incident]``.
    """

    id: str
    title: Mapping[str, str]
    who: str
    from_tier: Tier = Tier.ORANGE
    from_grade: int = 0
    accidents: tuple[str, ...] = ()
    after_s: float = 0.0
    answer_s: float = ANSWER_S
    instead: tuple[str, ...] = ()
    persons: int = 1
    channel: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """Whom it calls, one after the other."""
        return (self.who, *self.instead)

    def is_for(self, kind: str, tier: Tier, grade: int) -> bool:
        """Tell whether it is called for an incident of a type, a highest tier and a response grade (0 for none)."""
        if self.accidents and kind not in self.accidents:
            return False
        is_by_tier = tier is not Tier.NONE and tier >= self.from_tier
        return is_by_tier or 0 < grade <= self.from_grade


def meant(lines: Iterable[CallLine], kind: str, tier: Tier, grade: int) -> list[CallLine]:
    """Give the lines that are called for an incident, in their order."""
    return sorted((one for one in lines if one.is_for(kind, tier, grade)), key=lambda one: one.after_s)


def is_enough(line: CallLine, answers: Collection[str]) -> bool:
    """Tell whether so many come as must.

    Args:
        answers: The last answer of each person who was called; empty for none yet.
    """
    return sum(one == Answer.COMING for one in answers) >= line.persons


def is_hopeless(line: CallLine, answers: Collection[str]) -> bool:
    """Tell whether those who have not answered yet are too few, so that the next are called without waiting."""
    return sum(one in ("", Answer.COMING) for one in answers) < line.persons
