"""Finish: a task of an incident is done by whom it belongs to, once, while the incident goes on.

Flow: task, person, answer -> [finish, in the act's transaction] -> done, what comes next, a line of the timeline
"""

from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, RowMapping, select, update

from alerting.escalation.plan import LEADER, PERSON, POST
from alerting.register.field import Words
from gateway.config import Site
from gateway.response.incidents import Refused, get, root_of, say
from gateway.response.incidents import check_open as check_incident
from gateway.response.restart import check_held
from gateway.response.tasks import DONE, RESTART, VOID, WAITING, advance, steps_of
from gateway.roster.book import on_duty, people
from gateway.store.schema import response_task


def reached(connection: Connection, site: Site, owner: str, now_ns: int) -> list[str]:
    """Give the users whom a step belongs to now: who is at the post, who leads the shift, or the person."""
    if owner.startswith(PERSON):
        names = [owner.removeprefix(PERSON)]
    else:
        leaders = {post.id for post in site.roster.posts if post.is_leader}
        posts = leaders if owner == LEADER else {owner.removeprefix(POST)}
        there = on_duty(connection, site.roster, now_ns, ZoneInfo(site.timezone))
        names = [each.watch.on_duty for each in there if each.watch.post in posts]
    known = people(connection)
    return [name for name in dict.fromkeys(names) if name in known]


def finish(
    connection: Connection, site: Site, row: RowMapping, who: str, note: str, answer: str, now_ns: int
) -> dict[str, Any]:
    """Mark a task of an incident as done; gives what the timeline says.

    Raises:
        Refused: The incident is over; the task is done, void or waits; it belongs to somebody else; no answer.
    """
    one = get(connection, row["incident"])
    root = root_of(connection, one)
    if row["part"] == RESTART:
        check_held(root)
    else:
        check_incident(root)
    _check_state(row)
    owners = reached(connection, site, row["owner"], now_ns)
    if owners and who not in owners and (who != root["commander"] or row["part"] == RESTART):
        raise Refused("not_yours", _not_yours(row, ", ".join(owners)))
    step = next(step for step in steps_of(one, row["part"]) if step.id == row["step"])
    if step.answers and answer not in step.answers:
        shown = " / ".join(step.answers)
        raise Refused("answer", Words(f"Say which: {shown}.", f"请选择其一：{shown}。"))
    if answer and not step.answers:
        raise Refused("answer", Words("This step asks for no answer.", "该步骤没有选项。"))
    connection.execute(
        update(response_task)
        .where(response_task.c.id == row["id"])
        .values(state=DONE, done_ns=now_ns, done_by=who, note=note, answer=answer)
    )
    facts = {
        "step": step.id,
        "title": step.title,
        "answer": answer,
        "note": note,
        "is_late": now_ns > row["due_ns"],
        "is_nobody_there": not owners,
        **({"part": RESTART} if row["part"] else {}),
    }
    say(connection, one["number"], who, "step_done", now_ns, facts)
    advance(connection, one, row["part"], now_ns)
    return facts


def _not_yours(row: RowMapping, names: str) -> Words:
    step = row["step"]
    if row["part"] == RESTART:  # Nobody says it for another: it is what lets the unit return.
        en = f"Step {step} belongs to {names}; they say that it is done."
        return Words(en, f"步骤 {step} 由 {names} 负责，须由其本人确认完成。")
    en = f"Step {step} belongs to {names}; they or the commander say that it is done."
    return Words(en, f"步骤 {step} 由 {names} 负责，须由其本人或指挥人确认完成。")


def _check_state(row: RowMapping) -> None:
    step = row["step"]
    if row["state"] == DONE:
        by = row["done_by"]
        raise Refused("done_already", Words(f"{by} did step {step} already.", f"步骤 {step} 已由 {by} 完成。"))
    if row["state"] == VOID:
        said = Words(f"Step {step} does not apply any more.", f"步骤 {step} 已不适用。")
        raise Refused("void", said)
    if row["state"] == WAITING:
        said = Words(f"Step {step} waits for others that come before it.", f"步骤 {step} 的前置步骤尚未完成。")
        raise Refused("waiting", said)


def task_of(connection: Connection, task: str) -> RowMapping | None:
    """Give a task of an incident; None where it is none."""
    query = select(response_task).where(response_task.c.id == task, response_task.c.incident > 0)
    return connection.execute(query).mappings().first()
