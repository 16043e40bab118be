"""Tasks of incidents: the steps of a checklist, opened as what they need is done, each with its own time.

Flow: plan -> [steps_opened] -> tasks;  a task that is done -> [advance] -> what may be begun now, what does not apply
Why: they are response tasks like those of a tier, in one table, done through one door; a step's time runs from when it
    can be begun, so that nobody is late for what he could not do.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import Connection, RowMapping, select, update

from alerting.model.alarm import digest
from alerting.response.checklist import Stand, Step, kept_steps, stands
from gateway.store.schema import response_task

OPEN, WAITING, DONE, VOID = "open", "waiting", "done", "void"
#: Parts: the checklist of the plan, and what is complete before the unit returns.
CHECKLIST, RESTART = "", "restart"


def steps_opened(
    one: Mapping[str, Any] | RowMapping, steps: Sequence[Step], part: str, now_ns: int
) -> list[dict[str, Any]]:
    """Give a task for each step; those that need nothing are open at once.

    Args:
        one: The incident's row, with its plan.
    """
    now = stands(steps, {})
    named = ("incident-task", one["id"], one["plan"], one["plan_revision"], *([part] if part else []))
    return [
        {
            "id": digest(*named, step.id),
            "entry": one["entry"],
            "nature": one["nature"],
            "unit": one["unit"],
            "tier": one["tier"],
            "title": orjson.dumps({"en": step.title, "zh": step.title}).decode(),
            "owner": step.owner,
            "due_ns": now_ns + _ns(step) if now[step.id] is Stand.OPEN else 0,
            "state": OPEN if now[step.id] is Stand.OPEN else WAITING,
            "opened_ns": now_ns if now[step.id] is Stand.OPEN else 0,
            "done_ns": 0,
            "done_by": "",
            "note": "",
            "incident": one["number"],
            "place": place,
            "step": step.id,
            "answer": "",
            "part": part,
        }
        for place, step in enumerate(steps, start=1)
    ]


def _ns(step: Step) -> int:
    return round(step.limit_s * 1e9)


def steps_of(one: RowMapping, part: str = CHECKLIST) -> tuple[Step, ...]:
    """Give the checklist of an incident as it was when its plan opened, or its restart check-list."""
    return kept_steps(one["restart"] if part == RESTART else one["steps"])


def tasks_of(connection: Connection, numbers: Collection[int], part: str = CHECKLIST) -> list[RowMapping]:
    """Give the tasks of a part of incidents, in the order of their checklists."""
    query = select(response_task).where(response_task.c.incident.in_(numbers), response_task.c.part == part)
    return list(
        connection.execute(
            query.order_by(response_task.c.incident, response_task.c.place, response_task.c.id)
        ).mappings()
    )


def advance(connection: Connection, one: RowMapping, part: str, now_ns: int) -> None:
    """Open what may be begun now, and void what is on a branch that was not taken."""
    rows = tasks_of(connection, [one["number"]], part)
    now = stands(steps_of(one, part), {row["step"]: row["answer"] for row in rows if row["state"] == DONE})
    by_id = {step.id: step for step in steps_of(one, part)}
    for row in rows:
        if row["state"] not in (WAITING, OPEN):
            continue
        stand = now[row["step"]]
        values: dict[str, Any] = {}
        if stand is Stand.VOID:
            values = {"state": VOID, "done_ns": now_ns}
        elif stand is Stand.OPEN and row["state"] == WAITING:
            values = {"state": OPEN, "opened_ns": now_ns, "due_ns": now_ns + _ns(by_id[row["step"]])}
        if values:
            connection.execute(update(response_task).where(response_task.c.id == row["id"]).values(**values))


def drop(connection: Connection, number: int, now_ns: int) -> None:
    """Void what is left of a checklist."""
    table = response_task
    connection.execute(
        update(table)
        .where(table.c.incident == number, table.c.state.in_((OPEN, WAITING)))
        .values(state=VOID, done_ns=now_ns)
    )
