"""Risk policy of a site: the bounds of its grades, and what raises a grade while it lasts."""

from itertools import pairwise
from typing import Final

from alerting.model.absence import TIERS
from alerting.model.risk import LEC_BOUNDS, MATRIX_BOUNDS, TICKET_STEPS, WORKS, RiskPolicy
from edge.load.entry import Entry
from edge.load.mistake import show
from edge.load.words import keys_of
from gateway.load.site_plan import read_plan

BOUNDS: Final = 3
LEC_MOST, MATRIX_MOST, STEPS_MOST = 10_000, 25, 3
TIER_NAMES: Final = tuple(tier.name for tier in TIERS)


def read_risk(root: Entry) -> RiskPolicy:
    """Read it; what is not written is as the published tables have it."""
    section = root.section("risk")
    section.who = "Risk"
    section.refuse_unknown(keys_of("risk"))
    given = section.section("alarm_steps")
    given.refuse_unknown(TIER_NAMES)
    plain = RiskPolicy()
    steps = {tier: given.whole(tier.name, plain.alarm_steps.get(tier, 0), 0, STEPS_MOST) for tier in TIERS}
    for lighter, graver in pairwise(sorted(TIERS)):
        if steps[lighter] > steps[graver]:
            given.wrong(
                lighter.name if given.has(lighter.name) else graver.name,
                f"an alarm of {lighter.name} would raise a risk by {steps[lighter]}, one of {graver.name} by "
                f"{steps[graver]}; a graver alarm may not count for less.",
                f"Write at most {steps[graver]}, or give {graver.name} more.",
            )
    tickets = _ticket_steps(section)
    return RiskPolicy(
        lec=_bounds(section, "lec_from", LEC_BOUNDS, LEC_MOST),
        matrix=_bounds(section, "matrix_from", MATRIX_BOUNDS, MATRIX_MOST),
        is_lower_in=section.choice("bound_is", ("graver", "lighter"), "graver") == "graver",
        alarm_steps={tier: count for tier, count in steps.items() if count},
        major_steps=section.whole("major_steps", plain.major_steps, 0, STEPS_MOST),
        overdue_steps=section.whole("overdue_steps", plain.overdue_steps, 0, STEPS_MOST),
        ticket_steps={work: count for work, count in tickets.items() if count},
        plan=read_plan(section),
    )


def _ticket_steps(section: Entry) -> dict[str, int]:
    given = section.section("ticket_steps")
    given.refuse_unknown(keys_of("risk.ticket_steps"))
    steps = {work: given.whole(work, TICKET_STEPS.get(work, 0), 0, STEPS_MOST) for work in WORKS}
    for lighter, graver in (("hot_first", "hot_special"), ("hot_second", "hot_first")):
        if steps[lighter] > steps[graver]:
            given.wrong(
                lighter if given.has(lighter) else graver,
                f"{lighter} would raise a risk by {steps[lighter]}, {graver} by {steps[graver]}; a graver level of hot "
                "work may not count for less.",
                f"Write at most {steps[graver]}, or give {graver} more.",
            )
    return steps


def _bounds(section: Entry, key: str, plain: tuple[float, float, float], most: float) -> tuple[float, float, float]:
    if not section.has(key):
        return plain
    given = section.values[key]
    numbers = [
        float(each) for each in (given if isinstance(given, list) else []) if type(each) in (int, float)
    ]  # True is no bound.
    is_right = isinstance(given, list) and len(numbers) == len(given) == BOUNDS
    if is_right and 0 < numbers[0] < numbers[1] < numbers[2] <= most:
        return numbers[0], numbers[1], numbers[2]
    shown = ", ".join(f"{each:g}" for each in plain)
    section.wrong(
        key,
        f"{key} is {show(given)}; it must be three rising numbers from above 0 to {most:g}: where general, larger and "
        "major risk begin.",
        f"Write {key} = [{shown}], or leave it out for that.",
    )
    return plain
