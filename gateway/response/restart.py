"""Restart: a unit whose plan says so is held at stand-down, and returns when its restart check-list is complete.

Flow: stand-down -> [hold] -> tasks of the check-list;  all done -> [let_return, by whom it is allowed] -> returned
      word that a device is back -> [held_by] -> refused while an incident holds its unit
Why: a unit that was stopped in an emergency is started by hurry unless something stands in the way.
Never: acts on the plant; it refuses the word that the unit is back, so that its alarms stay what a stop makes them.
"""

from sqlalchemy import Connection, RowMapping, insert, select, update

from alerting.register.field import Words
from edge.model import Nature
from gateway.response.incidents import MERGED, OPEN, Leading, Refused, check_seen, get, merged_of, say
from gateway.response.tasks import DONE, RESTART, VOID, steps_of, steps_opened, tasks_of
from gateway.store.schema import incident, response_task

NAMED_MAX = 5


def hold(connection: Connection, number: int, now_ns: int) -> int:
    """Open the restart check-lists of an incident that ends, and of those merged into it; give how many steps."""
    steps = 0
    for each in [number, *merged_of(connection, number)]:
        one = get(connection, each)
        tasks = steps_opened(one, steps_of(one, RESTART), RESTART, now_ns) if one["restart"] else []
        if tasks:
            connection.execute(insert(response_task), tasks)
        steps += len(tasks)
    return steps


def check_held(root: RowMapping) -> None:
    """Refuse a step of a check-list before the stand-down, or after the return.

    Raises:
        Refused: The incident is open, or the unit returned.
    """
    number = root["number"]
    if root["state"] == OPEN:
        said = Words(f"Incident {number} is still open.", f"{number} 号事件尚未终止响应。")
        raise Refused("open", said)
    if root["returned_ns"]:
        by = root["returned_by"]
        raise Refused("returned", Words(f"{by} let the unit return already.", f"{by} 已批准恢复运行。"))


def let_return(connection: Connection, by: Leading, reason: str) -> None:
    """Let the units of an incident return.

    Raises:
        Refused: It is open or merged, holds no unit, the list is not complete, the unit returned already, or somebody
            changed the incident meanwhile.
    """
    one = get(connection, by.number)
    if one["state"] == MERGED:
        into = one["merged_into"]
        said = Words(f"It was merged into {into}; act there.", f"该事件已并入 {into} 号，请在该事件中操作。")
        raise Refused("merged", said)
    numbers = [by.number, *merged_of(connection, by.number)]
    tasks = tasks_of(connection, numbers, RESTART)
    if not tasks and one["state"] != OPEN:
        raise Refused("not_held", Words("Its plan holds no unit.", "预案没有复产检查清单，无需批准。"))
    check_held(one)
    left = [f"{task['incident']}/{task['step']}" for task in tasks if task["state"] not in (DONE, VOID)]
    if left:
        named = ", ".join(left[:NAMED_MAX]) + (" …" if len(left) > NAMED_MAX else "")
        en = f"The restart check-list is not complete; {len(left)} steps are left: {named}."
        raise Refused("not_complete", Words(en, f"复产检查清单尚未完成，还有 {len(left)} 项：{named}。"))
    check_seen(one, by)
    changed = {"returned_ns": by.time_ns, "returned_by": by.who}
    connection.execute(update(incident).where(incident.c.number.in_(numbers)).values(**changed))
    led = {"revision": by.expected + 1, "changed_ns": by.time_ns, "changed_by": by.who}
    connection.execute(update(incident).where(incident.c.number == by.number).values(**led))
    say(connection, by.number, by.who, "returned", by.time_ns, {"reason": reason})


def held_by(connection: Connection, unit: str, nature: Nature) -> Words | None:
    """Say which incident holds a unit; None where none does."""
    query = (
        select(incident.c.number, incident.c.state)
        .where(
            incident.c.unit == unit, incident.c.nature == nature.value, incident.c.restart != "",
            incident.c.returned_ns == 0,
        )
        .order_by(incident.c.number)
    )  # fmt: skip
    row = connection.execute(query).first()
    if row is None:
        return None
    if row.state == OPEN:
        en = f"Incident {row.number} of the unit is open, and its plan asks for a restart check-list."
        return Words(en, f"该单元的 {row.number} 号事件尚未终止，预案要求完成复产检查清单后方可恢复运行。")
    en = f"Incident {row.number} holds the unit until its restart check-list is complete and the return is allowed."
    return Words(en, f"{row.number} 号事件要求先完成复产检查清单并获批准，该单元方可恢复运行。")
