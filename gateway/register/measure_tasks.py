"""Measure tasks in the store: inspections that follow the control measures of the risk ledger.

Flow: control measures that change, tasks that were checked -> [follow, in their transaction] -> tasks, a line of audit
Never: decides what a task says; ``alerting.register.measure_task`` does.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, select

from alerting.register.field import Values
from alerting.register.ledger import STATE
from alerting.register.ledgers.control_measures import CONTROL_MEASURES
from alerting.register.ledgers.inspections import INSPECTIONS, OF_MEASURE
from alerting.register.measure_task import STOPPED, followed, wants_task
from gateway.register.reading import of_codes
from gateway.register.record import By, Record, as_record
from gateway.store.acts import Hand, note
from gateway.store.schema import record, record_reference

CHUNK: Final = 500
#: A task is called as its measure, with this before it.
BEGINS: Final = "T-"
CODE_MAX: Final = 64
#: Codes that the audit names of one change; all are counted.
NAMED_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """Inspections to be made and to be changed, with what they were."""

    new: Sequence[Values] = ()
    changed: Sequence[tuple[Record, Values]] = field(default=())


def follow(connection: Connection, ledger: str, kept: Sequence[Record], had: Sequence[Record], by: By) -> Tasks:
    """Give the inspections that are other ones because control measures, or inspections by a check, have changed.

    Args:
        kept: Records of one ledger as they are now.
        had: Those that were there before, as they were.
    """
    if ledger == INSPECTIONS.id:
        before = {one.id for one in had}
        mine = [one for one in kept if one.values.get(OF_MEASURE) and one.id in before and not one.is_removed]
        measures = of_codes(connection, CONTROL_MEASURES.id, sorted({one.values["measure"] for one in mine}))
        tasks = {one.values["measure"]: one for one in mine}
    elif ledger == CONTROL_MEASURES.id:
        measures = {one.code: one for one in kept if not one.is_removed}
        tasks = _tasks_of(connection, sorted(measures))
    else:
        return Tasks()
    wanted = [code for code in {*tasks, *measures} if code in tasks or wants_task(measures[code].values)]
    if not wanted:
        return Tasks()
    here = by.here
    assert here is not None, "who writes control measures or checks says where and on which day"
    places = _places(connection, measures.values())
    new: list[Values] = []
    changed: list[tuple[Record, Values]] = []
    for code in sorted(wanted):
        measure, task = measures.get(code), tasks.get(code)
        place = {name: value for name, value in places.get(code, {}).items() if name != "unit" or value in here.units}
        values = followed(measure.values if measure else None, task.values if task else None, place, here)
        if values is None:
            continue
        if task is None:
            new.append(values)
        else:
            changed.append((task, values))
    return Tasks(new=_called(connection, new), changed=changed)


def noted(connection: Connection, tasks: Tasks, by: By) -> None:
    """Write into the audit chain which tasks were made, changed or stopped."""
    codes = [str(values["code"]) for values in (*tasks.new, *(values for _, values in tasks.changed))]
    stopped = sum(values[STATE] == STOPPED for _, values in tasks.changed)
    facts = {"made": len(tasks.new), "changed": len(tasks.changed) - stopped, "stopped": stopped}
    hand = Hand(who=by.who, time_ns=by.time_ns)
    note(connection, hand, "measure_tasks", codes=codes[:NAMED_MAX], reason=by.reason, **facts)


def _tasks_of(connection: Connection, measures: Sequence[str]) -> dict[str, Record]:
    """Give the task that each control measure has made, by the measure's code."""
    found: dict[str, Record] = {}
    for at in range(0, len(measures), CHUNK):
        query = (
            select(record)
            .join(record_reference, record_reference.c.id == record.c.id)
            .where(
                record_reference.c.ledger == CONTROL_MEASURES.id,
                record_reference.c.code.in_(measures[at : at + CHUNK]),
                record.c.ledger == INSPECTIONS.id,
                record.c.is_removed.is_(False),
            )
            .order_by(record.c.seq)
        )
        for one in map(as_record, connection.execute(query)):
            if one.values.get(OF_MEASURE):
                found[one.values["measure"]] = one
    return found


def _places(connection: Connection, measures: Iterable[Record]) -> dict[str, Values]:
    """Give dossier and unit of the hazard unit that each measure belongs to, by the measure's code."""
    event_of = {one.code: str(one.values["event"]) for one in measures}
    events = of_codes(connection, "risk_events", sorted(set(event_of.values())))
    risk_units = of_codes(connection, "risk_units", sorted({str(one.values["risk_unit"]) for one in events.values()}))
    named = {str(one.values["dossier"]) for one in risk_units.values() if one.values.get("dossier")}
    dossiers = of_codes(connection, "units", sorted(named))
    return {code: _place(event, events, risk_units, dossiers) for code, event in event_of.items()}


def _place(
    event: str, events: Mapping[str, Record], risk_units: Mapping[str, Record], dossiers: Mapping[str, Record]
) -> Values:
    risk_unit = risk_units.get(str(events[event].values["risk_unit"])) if event in events else None
    dossier = dossiers.get(str(risk_unit.values.get("dossier", ""))) if risk_unit else None
    if dossier is None:
        return {}
    return {"dossier": dossier.code} | ({"unit": dossier.unit} if dossier.unit else {})


def _called(connection: Connection, new: Sequence[Values]) -> list[Values]:
    """Give new tasks their codes: that of the measure, with a number behind it where somebody has it."""
    asked = [f"{BEGINS}{values['measure']}"[:CODE_MAX] for values in new]
    taken = set(of_codes(connection, INSPECTIONS.id, sorted(set(asked))))
    called: list[Values] = []
    for values, code in zip(new, asked, strict=True):
        free, number = code, 1
        while free in taken:
            number += 1
            free = f"{code[: CODE_MAX - 5]}-{number}"
            if free not in taken and of_codes(connection, INSPECTIONS.id, [free]):
                taken.add(free)
        taken.add(free)
        called.append({"code": free, **values})
    return called
