"""Exchange: the register's risk units, events, measures, tasks, checks and hidden hazards as an authority's rows.

Flow: facts of records -> [order, rows] -> JSON array of rows of one table, one text a notice
Why: a receiver verifies that the parent of a row is there, so parents come before children, and what is removed goes
    out as ``deleted`` from the leaves inwards. Nothing is ever taken back silently.
Sources: tables, fields, order and enumerations as public code of two senders has them (``unverified`` as a whole: no
    receiver's interface document is public); where the two differ, a profile's code list decides. Fields that the
    register does not know are null, never invented.
Never: does I/O, reads a clock.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from alerting.push.mapped import write_time
from alerting.push.profile import CodeList, ExchangeOptions, Profile

#: Ledgers that have a table, parents before children.
TABLES: Final = (
    "units", "risk_units", "risk_events", "control_measures", "inspections", "checks", "hidden_hazards",
)  # fmt: skip
#: What stands above a table's rows: the fields that may name it and their ledgers, the first that is filled counts.
PARENTS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "units": (),
    "risk_units": (("dossier", "units"),),
    "risk_events": (("risk_unit", "risk_units"),),
    "control_measures": (("event", "risk_events"),),
    "inspections": (("measure", "control_measures"),),
    "checks": (("inspection", "inspections"),),
    "hidden_hazards": (("dossier", "units"), ("measure", "control_measures"), ("check", "checks")),
}
#: Where public senders put each table below the receiver's address; hazard units have none that is public.
PATHS: Final[Mapping[str, str]] = {
    "risk_units": "sec_security_risk_unit",
    "risk_events": "sec_security_risk_events",
    "control_measures": "sec_security_risk_control_measures",
    "inspections": "sec_hidden_check_mission",
    "checks": "sec_hidden_check_record",
    "hidden_hazards": "sec_hidden_danger_info",
}
#: Our words and the codes that public senders give them, by list; a profile's list of the same name goes before.
CODES: Final[Mapping[str, Mapping[str, str]]] = {
    "unit_type": {"production": "1", "storage": "2"},
    "work_day_type": {"all": "0", "workdays": "1", "restdays": "2"},
    "work_type": {"daily": "0", "main": "1", "technical": "2", "operation": "3"},
    "cycle_unit": {"days": "天", "weeks": "天", "months": "月", "years": "年"},
    "check_status": {"normal": "0", "hazard": "1", "not_checked": "2"},
    "danger_level": {"general": "0", "major": "1"},
    "danger_source": {
        "daily": "1", "comprehensive": "2", "professional": "3", "seasonal": "4", "holiday": "5", "analogy": "6",
        "resumption": "7", "expert": "8", "measure": "9", "other": "10", "alarm": "10", "enforcement": "10",
        "patrol": "10", "report": "10", "self": "10",
    },
    "manage_type": {"at_once": "0", "by_deadline": "1"},
    "danger_type": {
        "safety": "1", "process": "2", "electrical": "3", "instrument": "4", "fire": "5", "layout": "6",
        "equipment": "7", "other": "8",
    },
    "danger_category": {"": "0", "daily": "0", "main": "1", "technical": "2", "operation": "3"},
    "danger_state": {"registered": "0", "classed": "0", "rectifying": "0", "awaiting": "1", "closed": "9"},
}  # fmt: skip
DAYS_A_WEEK: Final = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of one record when it is told.

    Attributes:
        id: 32 hexadecimal digits, the same for ever.
        parents: Ids of the records that it names, by field.
        company, hazard: Codes of enterprise and hazard unit in the registration system.
        duty: Whose inspection found it, of a hidden hazard; empty for none.
        created, updated: ISO 8601 with offset, by the site's zone.
    """

    id: str
    revision: int
    values: Mapping[str, Any]
    parents: Mapping[str, str]
    company: str
    hazard: str
    created: str
    created_by: str
    updated: str
    updated_by: str
    duty: str = ""
    is_removed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Give it as JSON values."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pen:
    """Writes codes and times the way a profile wants them."""

    options: ExchangeOptions
    lists: Mapping[str, CodeList]

    def code(self, name: str, word: object) -> str | None:
        """Give the code of a word; None where the word is empty or has none."""
        own = self.lists.get(name)
        said = "" if word is None else str(word)
        if own is not None and said in own.map:
            return own.map[said]
        if said in CODES[name]:
            return CODES[name][said]
        return own.other if own is not None and said else None

    def time(self, text: str) -> str | int:
        """Write an ISO 8601 time."""
        return write_time(text, self.options.form)

    def day(self, day: object, clock: str, of: Facts) -> str | int | None:
        """Write a day at a time of it, in the offset of the record's own times."""
        return None if not day else self.time(f"{day}T{clock}{of.updated[-6:]}")


def rows(profile: Profile, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the rows of a notice of the register, in order.

    Args:
        body: The plain notice: ``table``, and ``rows`` as ``Facts.as_json`` gives them.
    """
    assert profile.exchange is not None, profile.id
    pen = _Pen(options=profile.exchange, lists=profile.codes)
    write = _WRITERS[str(body["table"])]
    return [row_of(write, pen, Facts(**one)) for one in body["rows"]]


def path_of(options: ExchangeOptions, table: str) -> str:
    """Give where a table goes below the receiver's address; empty where it is not told at all."""
    return options.paths.get(table, PATHS.get(table, ""))


def tables_of(options: ExchangeOptions) -> tuple[str, ...]:
    """Give the ledgers that a profile tells, parents before children."""
    return tuple(table for table in TABLES if path_of(options, table))


def order(told: Sequence[tuple[str, Facts]]) -> list[tuple[str, Facts]]:
    """Put records in order: what is there with parents first, then what is removed with children first."""
    place = {table: at for at, table in enumerate(TABLES)}
    there = sorted((one for one in told if not one[1].is_removed), key=lambda one: place[one[0]])
    gone = sorted((one for one in told if one[1].is_removed), key=lambda one: -place[one[0]])
    return there + gone


_Write = Callable[[_Pen, Facts], dict[str, Any]]


def row_of(write: _Write, pen: _Pen, one: Facts) -> dict[str, Any]:
    """Write one row: what every table has, and its own."""
    return {
        "id": one.id,
        "companyCode": one.company,
        **write(pen, one),
        "deleted": "1" if one.is_removed else "0",
        "createDate": pen.time(one.created),
        "createBy": one.created_by,
        "updateDate": pen.time(one.updated),
        "updateBy": one.updated_by,
    }


def _unit(pen: _Pen, one: Facts) -> dict[str, Any]:
    values = one.values
    return {
        "hazardCode": one.hazard,
        "hazardName": values.get("name"),
        "hazardType": pen.code("unit_type", values.get("type")),
        "hazardRank": values.get("filed_grade") if values.get("filed_grade") != "none" else None,
    }


def _risk_unit(_: _Pen, one: Facts) -> dict[str, Any]:
    values = one.values
    return {
        "hazardCode": one.hazard,
        "hazardDep": values.get("department"),
        "hazardLiablePerson": values.get("liable"),
        "riskUnitName": values.get("name"),
    }


def _risk_event(_: _Pen, one: Facts) -> dict[str, Any]:
    return {"riskUnitId": one.parents.get("risk_unit"), "riskEventName": one.values.get("name")}


def _measure(_: _Pen, one: Facts) -> dict[str, Any]:
    values = one.values
    return {
        "riskEventId": one.parents.get("event"),
        "dataSrc": values.get("source"),
        "riskMeasureDesc": values.get("measure"),
        "classify1": values.get("class"),
        "classify2": values.get("kind"),
        "classify3": values.get("free"),
        "troubleshootContent": values.get("check"),
    }


def _inspection(pen: _Pen, one: Facts) -> dict[str, Any]:
    values = one.values
    every = int(values["every"]) * (DAYS_A_WEEK if values.get("cycle") == "weeks" else 1)
    return {
        "riskMeasureId": one.parents.get("measure"),
        "troubleshootContent": values.get("content"),
        "checkCycle": every,
        "checkCycleUnit": pen.code("cycle_unit", values.get("cycle")),
        "taskStartTime": pen.day(values.get("first_due"), "00:00:00", one),
        "workStartTime": None,  # Of hourly tasks, which the register does not have.
        "workEndTime": None,
        "workDayType": pen.code("work_day_type", values.get("on", "all")),
        "workType": pen.code("work_type", values.get("duty", "daily")),
        "taskNum": values.get("task_number"),
    }


def _check(pen: _Pen, one: Facts) -> dict[str, Any]:
    values = one.values
    made_then = one.created[:10] == values.get("on")
    return {
        "checkTaskId": one.parents.get("inspection"),
        "checkTime": pen.time(one.created) if made_then else pen.day(values.get("on"), "00:00:00", one),
        "checkStatus": pen.code("check_status", values.get("result")),
        "mobile": None,
    }


def _hazard(pen: _Pen, one: Facts) -> dict[str, Any]:
    values = one.values
    state = values.get("state")
    accepted = state == "closed"
    return {
        "hazardCode": one.hazard,
        "riskMeasureId": one.parents.get("measure"),
        "checkRecordId": one.parents.get("check"),
        "dangerName": values.get("title"),
        "dangerLevel": pen.code("danger_level", values.get("class")),
        "registTime": pen.time(one.created),
        "registrant": values.get("found_by") or one.created_by,
        "dangerSrc": pen.code("danger_source", values.get("source")),
        "dangerManageType": pen.code("manage_type", values.get("way")),
        "hazardDangerType": pen.code("danger_type", values.get("type")),
        "hazardCategory": pen.code("danger_category", one.duty),
        "dangerDesc": values.get("description") or values.get("title"),
        "dangerReason": values.get("cause"),
        "controlMeasures": values.get("measures"),
        "cost": values.get("cost_yuan", values.get("funds_yuan")),
        "liablePerson": values.get("responsible"),
        "dangerManageDeadline": pen.day(values.get("deadline"), "23:59:59", one),
        "checkAcceptPerson": values.get("accepted_by") if accepted else None,
        "checkAcceptTime": pen.time(one.updated) if accepted else None,
        "checkAcceptComment": values.get("acceptance") if accepted else None,
        "dangerState": pen.code("danger_state", state),
    }


_WRITERS: Final[Mapping[str, _Write]] = {
    "units": _unit,
    "risk_units": _risk_unit,
    "risk_events": _risk_event,
    "control_measures": _measure,
    "inspections": _inspection,
    "checks": _check,
    "hidden_hazards": _hazard,
}
