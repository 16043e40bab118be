"""Headquarters (应急指挥部, 1+N): one general and special ones by type of accident; who has which duty in them.

Why: whose call it is when an incident opens at two in the morning is settled before, not then.
Never: does I/O, reads a clock.
Source: 1+N, one general and N special headquarters, is the form of many Chinese districts and parks; grades and members
    are the site's own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One duty in a headquarters.

    Attributes:
        duty: By language, e.g. commander in chief.
        who: ``leader`` for whoever leads the shift, ``post:ID``, or ``person:NAME``.
    """

    duty: Mapping[str, str]
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Headquarters:
    """One headquarters.

    Attributes:
        accidents: Types of accident that it is for, codes of GB 6441-2025; empty: the general one, for all.
        from_grade: It is called from this response grade on, 4 (IV) for all, 1 for the gravest alone.
    """

    id: str
    title: Mapping[str, str]
    accidents: tuple[str, ...] = ()
    from_grade: int = 4
    members: tuple[Member, ...]

    def is_for(self, kind: str, grade: int) -> bool:
        """Tell whether it is called for an incident: 1 is the gravest grade; one without a grade calls nobody."""
        return 0 < grade <= self.from_grade and (not self.accidents or kind in self.accidents)


def called(every: Iterable[Headquarters], kind: str, grade: int) -> list[Headquarters]:
    """Give who is called for an incident of a type and a grade, the general one first."""
    return sorted((one for one in every if one.is_for(kind, grade)), key=lambda one: bool(one.accidents))
