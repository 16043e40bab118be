"""Exercise: the emergency plan that a drill goes through: chosen at its begin, its steps done by people, its score.

Flow: plan of the register -> [planned, at the begin] -> kept with the record;  step, person -> [do_step] -> drill_step
      events, steps, pauses -> [scored] -> times beside their limits, as JSON
Why: a drill opens no incident, so that no exercise stands among what really happened; its steps are its own.
Never: counts a second in which the drill was paused.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Row, RowMapping, insert, select

from alerting.duty.plan import DutyPlan
from alerting.model.event import What
from alerting.model.tier import Tier
from alerting.push.words import TIER_ZH
from alerting.register.field import Words
from alerting.register.ledgers.plans import PLANS, drill_due
from alerting.response.checklist import Stand, Step, kept_steps, stands
from alerting.response.score import Done, Mark, Score, score
from gateway.config import Site
from gateway.drill import records
from gateway.drill.records import FINISHED, HELD, RUNNING, Record
from gateway.drill.refused import DrillRefused
from gateway.live import iso
from gateway.register.around import today_of
from gateway.register.reading import of_ids
from gateway.register.record import By
from gateway.register.record import Record as Kept
from gateway.register.records import put
from gateway.response.finish import reached
from gateway.response.incidents import Refused
from gateway.response.lessons import Learned, keep
from gateway.response.plans import known
from gateway.store.schema import drill_step

NS: Final = 1_000_000_000


def planned(connection: Connection, site: Site, fed: Collection[str], code: str) -> dict[str, Any]:
    """Give what a drill keeps of a plan, in the revision in force; nothing where no plan is asked for.

    Args:
        fed: Units in which the story can ring.

    Raises:
        DrillRefused: There is no such plan, or it is for a unit in which nothing of the story rings.
    """
    if not code:
        return {}
    plan = next((one for one in known(connection) if one.record.code == code), None)
    if plan is None:
        shown = code[:64]
        raise DrillRefused(f"There is no plan {shown}.", f"没有预案 {shown}。", code="not_found")
    unit = plan.scope.unit
    if unit and unit not in fed:
        some = ", ".join(sorted(fed)) or "–"
        raise DrillRefused(
            f"Plan {code} is for unit {unit}, and this story rings in {some}.",
            f"预案 {code} 适用于单元 {unit}，而该脚本只在 {some} 产生报警。",
        )
    return {
        "id": plan.record.id,
        "code": code,
        "title": plan.record.title,
        "revision": plan.record.revision,
        "unit": unit,
        "condition": plan.scope.condition,
        "tier": plan.scope.tier.name,
        "steps": str(plan.record.values["steps"]),
        "ack_s": _ack_s(site.duties),
    }


def _ack_s(duties: DutyPlan) -> dict[str, float]:
    return {tier.name: limit_s for tier, limit_s in duties.ack_s.items()}


def steps_of(record: Record) -> tuple[Step, ...]:
    """Give the checklist that a drill goes through; none without a plan."""
    return kept_steps(record.plan["steps"]) if record.plan else ()


def opened_ns(record: Record, events: Sequence[Row[Any]]) -> int:
    """Tell when the plan opened: its tier was reached in its unit, and its condition rang there; 0 for not yet."""
    plan = record.plan
    if not plan:
        return 0
    inside = [row for row in events if row.alarm and plan["unit"] in ("", row.unit)]
    at_tier = next((row.time_ns for row in inside if row.tier >= Tier[plan["tier"]]), 0)
    wanted = plan["condition"]
    of_condition = next((row.time_ns for row in inside if wanted in ("", row.condition)), 0)
    return max(at_tier, of_condition) if at_tier and of_condition else 0


def lasted_s(record: Record, from_ns: int, to_ns: int) -> float:
    """Give the seconds of a drill between two moments of the wall, pauses left out, to the ms."""
    held_ns = 0
    for pause in record.pauses:
        begins = max(_ns(pause["from"]), from_ns)
        ends = min(_ns(pause["to"]) if pause["to"] else to_ns, to_ns)
        held_ns += max(ends - begins, 0)
    return round(max(to_ns - from_ns - held_ns, 0) / NS, 3)


def _ns(said: str) -> int:
    return round(datetime.fromisoformat(said).timestamp() * 1000) * 1_000_000


def done_of(connection: Connection, number: int) -> list[RowMapping]:
    """Give the steps of a drill that were done, the first first."""
    query = select(drill_step).where(drill_step.c.drill == number).order_by(drill_step.c.done_ns, drill_step.c.step)
    return list(connection.execute(query).mappings())


def do_step(
    connection: Connection, site: Site, number: int, step: str, answer: str, note: str, by: By
) -> dict[str, Any]:
    """Write down that a person did a step of the plan; gives what the audit says.

    Raises:
        Refused: There is no such drill or step; it is over, paused, or its plan has not opened; the step is done, void
            or waits; it belongs to somebody else; no answer.
    """
    record = records.one(connection, number)
    if record is None:
        raise Refused("not_there", Words(f"There is no drill {number}.", f"没有第 {number} 次演练。"))
    own = next((each for each in steps_of(record) if each.id == step), None)
    if own is None:
        shown = step[:12]
        raise Refused("not_there", Words(f"This drill has no step {shown}.", f"本次演练没有步骤 {shown}。"))
    _check_goes(record)
    _check_open(connection, record)
    rows = {row["step"]: row for row in done_of(connection, number)}
    _check_turn(own, steps_of(record), rows)
    owners = reached(connection, site, own.owner, by.time_ns)
    if owners and by.who not in owners and by.who != record.begun_by:
        names = ", ".join(owners)
        en = f"Step {step} belongs to {names}; they or who leads the drill say that it is done."
        raise Refused("not_yours", Words(en, f"步骤 {step} 由 {names} 负责，须由其本人或演练负责人确认完成。"))
    if own.answers and answer not in own.answers:
        shown = " / ".join(own.answers)
        raise Refused("answer", Words(f"Say which: {shown}.", f"请选择其一：{shown}。"))
    if answer and not own.answers:
        raise Refused("answer", Words("This step asks for no answer.", "该步骤没有选项。"))
    connection.execute(
        insert(drill_step).values(
            drill=number, step=step, done_ns=by.time_ns, done_by=by.who, answer=answer, note=note,
            is_nobody_there=not owners,
        )
    )  # fmt: skip
    return {"step": step, "title": own.title, "answer": answer}


def _check_goes(record: Record) -> None:
    if record.state == HELD:
        raise Refused("paused", Words("The drill is paused.", "演练已暂停。"))
    if record.state != RUNNING:
        raise Refused("ended", Words("The drill is over.", "演练已结束。"))


def _check_open(connection: Connection, record: Record) -> None:
    if opened_ns(record, records.events(connection, record)):
        return
    plan = record.plan
    tier = Tier[plan["tier"]]
    where_en, where_zh = (f" of {plan['unit']}", f"单元 {plan['unit']} ") if plan["unit"] else ("", "")
    en = f"The plan has not opened: no alarm{where_en} has reached {tier.name}."
    raise Refused("not_open", Words(en, f"预案尚未启动：{where_zh}还没有达到{TIER_ZH[tier.name]}的报警。"))


def _check_turn(own: Step, steps: Sequence[Step], rows: dict[str, RowMapping]) -> None:
    step, stand = own.id, stands(steps, {name: row["answer"] for name, row in rows.items()})[own.id]
    if stand is Stand.DONE:
        by = rows[step]["done_by"]
        raise Refused("done_already", Words(f"{by} did step {step} already.", f"步骤 {step} 已由 {by} 完成。"))
    if stand is Stand.VOID:
        raise Refused("void", Words(f"Step {step} does not apply any more.", f"步骤 {step} 已不适用。"))
    if stand is Stand.WAITING:
        said = Words(f"Step {step} waits for others that come before it.", f"步骤 {step} 的前置步骤尚未完成。")
        raise Refused("waiting", said)


def evaluate(connection: Connection, number: int, text: str, by: By) -> None:
    """Write down what people found of a drill, once, after its end.

    Raises:
        Refused: There is no such drill, it goes on, or somebody evaluated it already.
    """
    record = over(connection, number)
    if record.evaluation:
        who = record.evaluation["by"]
        raise Refused("done_already", Words(f"{who} evaluated this drill already.", f"{who} 已评估本次演练。"))
    records.evaluate(connection, number, {"text": text, "by": by.who, "at": iso(by.time_ns)})


def improve(connection: Connection, site: Site, number: int, learned: Learned, by: By) -> Kept:
    """Keep an improvement that a drill asks for: a record of the ledger ``lessons``, a duty with owner and day.

    Raises:
        Refused: There is no such drill, it goes on, or nobody is called so.
        NotRight: A field is wrong, or the day is past.
    """
    unit = over(connection, number).plan.get("unit", "")
    return keep(connection, site, learned, by, begins=f"D-{number}", unit=unit, of={"drill": number})


def over(connection: Connection, number: int) -> Record:
    """Give the record of a drill that is over.

    Raises:
        Refused: There is none, or it goes on.
    """
    record = records.one(connection, number)
    if record is None:
        raise Refused("not_there", Words(f"There is no drill {number}.", f"没有第 {number} 次演练。"))
    if not record.ended_ns:
        raise Refused(
            "not_over", Words("The drill goes on; that is for after its end.", "演练尚在进行，请在结束后操作。")
        )
    return record


def keep_day(connection: Connection, site: Site, record: Record, now_ns: int) -> None:
    """Write into the plan's record that it was drilled, so that its next drill is due a cycle later.

    Only a drill that was played to its end and in which the plan opened counts.
    """
    if record.state != FINISHED or not opened_ns(record, records.events(connection, record)):
        return
    had = of_ids(connection, [record.plan["id"]]).get(record.plan["id"])
    if had is None or had.is_removed:
        return
    values = had.values | {"drilled_on": today_of(site, now_ns).isoformat()}
    by = By(who=record.begun_by, time_ns=now_ns, reason=f"drill {record.number}")
    put(connection, PLANS, [], [(had, values | drill_due(values))], by, what="drilled")


def scored(
    connection: Connection, site: Site, record: Record, events: Sequence[Row[Any]], now_ns: int
) -> dict[str, Any] | None:
    """Score a drill by its plan, as JSON; None where it exercises none.

    Args:
        now_ns: What the times of a drill that goes on are measured to.
    """
    if not record.plan:
        return None
    opened = opened_ns(record, events)
    until_ns = record.ended_ns or now_ns
    rows = {row["step"]: row for row in done_of(connection, record.number)}
    done = {
        name: Done(at_s=lasted_s(record, opened, row["done_ns"]), by=row["done_by"], answer=row["answer"])
        for name, row in rows.items()
    }
    found = score(steps_of(record), done, lasted_s(record, opened, until_ns) if opened else 0.0)
    stand = stands(steps_of(record), {name: each.answer for name, each in done.items()})
    acks = _acks(record, events, until_ns)
    return {
        "plan": {name: record.plan[name] for name in ("code", "title", "revision", "unit", "condition", "tier")},
        "opened": iso(opened),
        "elapsed_s": lasted_s(record, opened, until_ns) if opened else None,
        "acknowledged": acks,
        "first_action_s": found.first_s,
        "first_action_target_s": found.first_target_s,
        "complete_s": found.complete_s,
        "complete_target_s": found.complete_target_s,
        "percent": found.percent if opened else None,
        "counts": {mark.value: found.count(mark) if opened else 0 for mark in Mark},
        "kept": _is_kept(record, found, acks) if opened else None,
        "people": sorted({row["done_by"] for row in rows.values()} | {one["by"] for one in acks if one["by"]}),
        "steps": [
            {
                "id": one.step.id,
                "title": one.step.title,
                "owner": one.step.owner,
                "owners": reached(connection, site, one.step.owner, now_ns) if not record.ended_ns else [],
                "answers": list(one.step.answers),
                "limit_s": one.step.limit_s,
                "stand": stand[one.step.id].value if opened else Stand.WAITING.value,
                "mark": one.mark.value if opened else Mark.UNREACHED.value,
                "begun_s": one.begun_s if opened else None,
                "due_s": one.due_s,
                "took_s": one.took_s,
                "by": one.by,
                "answer": one.answer,
                "note": rows[one.step.id]["note"] if one.step.id in rows else "",
                "is_nobody_there": bool(one.step.id in rows and rows[one.step.id]["is_nobody_there"]),
            }
            for one in found.steps
        ],
    }


def _acks(record: Record, events: Sequence[Row[Any]], until_ns: int) -> list[dict[str, Any]]:
    """Give of each alarm how long it waited for its acknowledgement, beside the site's limit of its first tier."""
    rang: dict[str, Row[Any]] = {}
    acked: dict[str, Row[Any]] = {}
    for row in events:
        if row.alarm and row.what == What.RAISED:
            rang.setdefault(row.alarm, row)
        if row.alarm in rang and row.what == What.ACKNOWLEDGED:
            acked.setdefault(row.alarm, row)
    found = []
    for alarm, row in rang.items():
        target = record.plan["ack_s"].get(Tier(row.tier).name)
        own = acked.get(alarm)
        waited = lasted_s(record, row.time_ns, own.time_ns if own else until_ns)
        mark = (Mark.IN_TIME if own else Mark.UNREACHED) if target is None or waited <= target else Mark.LATE
        if own is None and mark is Mark.LATE:
            mark = Mark.SKIPPED
        found.append(
            {
                "alarm": alarm, "unit": row.unit, "tag": row.tag, "condition": row.condition,
                "tier": Tier(row.tier).name, "rang": iso(row.time_ns), "after_s": waited if own else None,
                "target_s": target, "mark": mark.value, "by": records.who_of(own) if own else "",
            }
        )  # fmt: skip
    return found


def _is_kept(record: Record, found: Score, acks: Sequence[dict[str, Any]]) -> bool | None:
    """Tell whether all was in time; None where the drill was not played to its end, or ended before it could be."""
    bad = (Mark.LATE.value, Mark.SKIPPED.value)
    if found.count(Mark.LATE) or found.count(Mark.SKIPPED) or any(one["mark"] in bad for one in acks):
        return False
    return True if record.state == FINISHED and not found.count(Mark.UNREACHED) else None
