"""Measure task: the inspection that a control measure of the risk ledger makes, and how it follows the measure.

Flow: control measure with a cycle, its task as it is -> [followed] -> the task's values, or None where nothing changes
Why: what keeps a risk event from happening is looked at again and again, or it is a sentence on paper. Who changes a
    measure rewrites neither what was checked nor what is due today: only what comes after.
Never: does I/O, reads a clock.
"""

from datetime import date, timedelta
from itertools import chain, islice
from typing import Final

from alerting.register.cycle import after
from alerting.register.field import Surroundings, Values
from alerting.register.ledger import STATE
from alerting.register.ledgers.inspections import FROM_MEASURE, OF_MEASURE, SLOTS_MAX, counts

#: Fields of a measure that say when its task comes.
SCHEDULE: Final = ("first_due", "every", "cycle", "on")
STOPPED: Final = "stopped"
ONE_DAY: Final = timedelta(days=1)


def wants_task(measure: Values) -> bool:
    """Tell whether a control measure is one that people inspect again and again, and is in force."""
    return bool(measure.get("every")) and measure["source"] == "2" and not measure.get("withdrawn_on")


def said_by(measure: Values) -> Values:
    """Give what a measure says of its task; empty fields are left out."""
    said = {
        "title": measure["measure"],
        "content": measure.get("check"),
        "measure": measure["code"],
        "responsible": measure.get("liable"),
    } | {name: measure.get(name) for name in SCHEDULE}
    return {name: value for name, value in said.items() if value not in (None, "")}


def followed(measure: Values | None, task: Values | None, place: Values, around: Surroundings) -> Values | None:
    """Give the values of a measure's task after a change of either; None where nothing is to be written.

    Args:
        measure: None where it is removed.
        task: As it is; without a code and a state where there is none yet.
        place: ``dossier`` and ``unit`` of the hazard unit that the measure's risk unit lies in; empty for none.
        around: Day and calendar of the site.

    Returns:
        All values but, of a new one, its code. What is due today or overdue stays as it is until it was checked.
    """
    if measure is None or not wants_task(measure):
        if task is None or task[STATE] == STOPPED or task["due"] <= around.today.isoformat():
            return None
        return {**task, STATE: STOPPED}
    said = {**said_by(measure), **place}
    if task is None:
        fresh = {STATE: "open", OF_MEASURE: True, "sort": "daily", **said}
        return {**fresh, "due": _slot(fresh, around)}
    if task[STATE] != STOPPED and task["due"] <= around.today.isoformat():
        return None
    fresh = {name: value for name, value in task.items() if name not in FROM_MEASURE} | said | {STATE: "open"}
    if task[STATE] == STOPPED or any(task.get(name) != fresh.get(name) for name in SCHEDULE):
        fresh["due"] = _slot(fresh, around)
    return fresh if fresh != task else None


def _slot(task: Values, around: Surroundings) -> str:
    """Give the first day of the cycle that is not over, on a day that counts, and after the last check."""
    first, least = date.fromisoformat(task["first_due"]), around.today
    if task.get("last_on"):
        least = max(least, date.fromisoformat(task["last_on"]) + ONE_DAY)
    days = chain([first], after(first, task["every"], task["cycle"], max(first, least - ONE_DAY)))
    for day in islice(days, SLOTS_MAX):
        if day >= least and counts(day, task.get("on", "all"), around):
            return day.isoformat()
    return max(first, least).isoformat()  # No day of the cycle counts: it is due, and stays so.
