"""Risk policy of a site: from which value on a risk has which colour, and what raises it while it lasts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from alerting.model.site_plan import SitePlan
from alerting.model.tier import Tier

#: Lower bounds of general (yellow), larger (orange) and major (red) of D = L·E·C. Published tables write the bound once
#: as "> 320" and once as ">= 320"; ``is_lower_in`` says which.
LEC_BOUNDS: Final = (70.0, 160.0, 320.0)
#: The same of R = L·S, 5 × 5: 9–12 general, 15–16 larger, 20–25 major.
MATRIX_BOUNDS: Final = (9.0, 15.0, 20.0)
#: Grades as the exchange counts them: 1 major (red), 2 larger (orange), 3 general (yellow), 4 low (blue).
MAJOR, LARGER, GENERAL, LOW = 1, 2, 3, 4
#: Special work as the dynamic risk counts it: kinds of GB 30871, hot work by its level.
WORKS: Final = (
    *("hot_special", "hot_first", "hot_second"),
    *("space", "blind", "height", "lifting", "power", "soil", "road"),
)
#: Ours: the kinds that provinces count as of high risk.
TICKET_STEPS: Final = {"hot_special": 1, "hot_first": 1, "space": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPolicy:
    """How this site grades its risks.

    Attributes:
        lec, matrix: Three rising lower bounds: general, larger, major.
        is_lower_in: A bound belongs to the graver grade (``>=``); else to the lighter (``>``).
        alarm_steps: Grades that an active alarm of a tier raises a risk unit by while it is active.
        major_steps: By how many an open major hidden hazard does.
        overdue_steps: By how many an overdue hidden hazard does.
        ticket_steps: By how many special work that goes on there does, by kind; the gravest counts, once.
        plan: The picture that the map lies on; None for none.
    """

    lec: tuple[float, float, float] = LEC_BOUNDS
    matrix: tuple[float, float, float] = MATRIX_BOUNDS
    is_lower_in: bool = True
    alarm_steps: Mapping[Tier, int] = field(default_factory=lambda: {Tier.RED: 2, Tier.ORANGE: 1})
    major_steps: int = 1
    overdue_steps: int = 1
    ticket_steps: Mapping[str, int] = field(default_factory=lambda: dict(TICKET_STEPS))
    plan: SitePlan | None = None

    def grade(self, method: str, value: float) -> int:
        """Give the grade of a value, 1 (major, red) to 4 (low, blue).

        Args:
            method: ``lec`` or ``matrix``.
            value: D = L·E·C, or R = L·S.
        """
        bounds = self.lec if method == "lec" else self.matrix
        return LOW - sum(value >= bound if self.is_lower_in else value > bound for bound in bounds)
