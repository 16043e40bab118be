"""Worksheet: S, R and the grade of one hazard unit, each step shown.

Source: GB 18218-2018, 4.2 (S) and 4.3 (R, alpha, grade). S = sum of q/Q; a unit with S >= 1 is a major hazard
    source, and only then R = alpha * sum of beta * q/Q is worked out.
Why: an inspector follows the sum line by line. The legal grade uses the design maximum; the live R beside it says how
    much of that is there now, never what the grade is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from alerting.register.gb18218.tables import BY_CLASS, BY_KEY, NAMED_BETA

#: Alpha by the persons who live or work within 500 m of the plant's boundary: from so many on.
ALPHAS: Final = ((100, 2.0), (50, 1.5), (30, 1.2), (1, 1.0), (0, 0.5))
#: Grade by R: I from so much on.
GRADES: Final = ((100.0, 1), (50.0, 2), (10.0, 3), (0.0, 4))


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A substance in a unit.

    Attributes:
        code: Of the holding in the ledger.
        named: Key of the row of table 1; empty where the class decides.
        hazard_class: Symbol of table 2; gives Q where ``named`` is empty, and beta where table 3 has none.
        cas: CAS number; empty where it is not known.
        design_t: Design maximum q, t. The legal quantity.
        live_t: What is there now, t; None where it is not measured or not known now.
        filed_t: What was filed with the authority, t; None where nothing is filed.
    """

    code: str
    substance: str
    design_t: float
    named: str = ""
    hazard_class: str = ""
    cas: str = ""
    live_t: float | None = None
    filed_t: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the sheet.

    Attributes:
        critical_t: Q, t, by ``critical_from`` (``table 1`` or the class of table 2).
        ratio: q/Q.
        beta: By ``beta_from`` (``table 3`` or the class of table 4).
        part: beta * q/Q.
        live_part: The same with what is there now; None where that is not known.
    """

    holding: Holding
    critical_t: float
    critical_from: str
    ratio: float
    beta: float
    beta_from: str
    part: float
    live_part: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Worksheet:
    """The whole sheet.

    Attributes:
        s: Sum of q/Q.
        is_major: S >= 1.
        alpha: By the persons outside.
        r: None where the unit is no major hazard source.
        grade: 1 to 4; 0 where the unit is no major hazard source.
        r_live: alpha * sum of beta * q/Q of what is there now, over the lines where that is known; None where no line
            is known, or the unit is no major hazard source.
        live_known: In how many lines it is known.
    """

    lines: tuple[Line, ...]
    persons_outside: int
    s: float
    is_major: bool
    alpha: float
    r: float | None
    grade: int
    r_live: float | None
    live_known: int


def alpha_of(persons_outside: int) -> float:
    """Give alpha (GB 18218-2018 table 5) for the persons within 500 m outside the boundary."""
    return next(alpha for least, alpha in ALPHAS if persons_outside >= least)


def grade_of(r: float) -> int:
    """Give the grade (GB 18218-2018 table 6), 1 the most severe."""
    return next(grade for least, grade in GRADES if r >= least)


def critical_of(holding: Holding) -> tuple[float, str]:
    """Give Q in t and where it is from: table 1 by name first, else table 2 by class.

    Raises:
        KeyError: Neither a row of table 1 nor a class of table 2 is named; the ledger refuses that.
    """
    if holding.named:
        return BY_KEY[holding.named].critical_t, "table 1"
    return BY_CLASS[holding.hazard_class].critical_t, holding.hazard_class


def beta_of(holding: Holding) -> tuple[float, str]:
    """Give beta and where it is from: table 3 by name first, else table 4 by class.

    Raises:
        KeyError: The substance stands not in table 3 and no class is named; the ledger refuses that.
    """
    named = BY_KEY[holding.named].beta if holding.named else NAMED_BETA.get(holding.cas, 0.0)
    if named:
        return named, "table 3"
    return BY_CLASS[holding.hazard_class].beta, holding.hazard_class


def work_out(holdings: Sequence[Holding], persons_outside: int) -> Worksheet:
    """Work out the sheet of one unit."""
    lines = []
    for holding in holdings:
        critical_t, critical_from = critical_of(holding)
        beta, beta_from = beta_of(holding)
        ratio = holding.design_t / critical_t
        lines.append(
            Line(
                holding=holding,
                critical_t=critical_t,
                critical_from=critical_from,
                ratio=ratio,
                beta=beta,
                beta_from=beta_from,
                part=beta * ratio,
                live_part=None if holding.live_t is None else beta * holding.live_t / critical_t,
            )
        )
    s = sum(line.ratio for line in lines)
    is_major = s >= 1.0
    alpha = alpha_of(persons_outside)
    r = alpha * sum(line.part for line in lines) if is_major else None
    live = [line.live_part for line in lines if line.live_part is not None]
    return Worksheet(
        lines=tuple(lines),
        persons_outside=persons_outside,
        s=s,
        is_major=is_major,
        alpha=alpha,
        r=r,
        grade=0 if r is None else grade_of(r),
        r_live=alpha * sum(live) if live and is_major else None,
        live_known=len(live),
    )
