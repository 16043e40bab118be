"""Risks of a site: risk units with their inherent, current and dynamic grade, the map in four colours, and the notice.

Flow: risk units, events, measures, hidden hazards (store), active alarms (picture) -> [put together] -> page, GeoJSON
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from alerting.model.alarm import Suppression
from alerting.model.risk import LARGER, RiskPolicy
from alerting.model.tier import Tier
from alerting.register.coordinates import read_outline
from alerting.register.dynamic import TIER_WORDS, WORK_WORDS, Dynamic, Live, dynamic_of
from alerting.register.field import Words
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from alerting.register.ledgers.tickets import TICKETS
from edge.model import Nature
from gateway.live import Picture
from gateway.register.reading import Wanted, of_codes, page, revisions
from gateway.register.record import NotDone, Record, Revision

UNITS_MAX: Final = 2_000
EVENTS_MAX: Final = 20_000
MEASURES_MAX: Final = 60_000
HAZARDS_MAX: Final = 5_000
PAGE: Final = 5_000
#: Colours of the four-colour map, by grade; 0 for what was never graded.
COLOURS: Final = {1: "red", 2: "orange", 3: "yellow", 4: "blue", 0: ""}
#: What of an event a grading is.
GRADING: Final = (
    *("method", "likelihood_inherent", "exposure_inherent", "severity_inherent", "risk_inherent", "grade_inherent"),
    *("likelihood", "exposure", "severity", "risk", "grade", "graded_on", "graded_by"),
)
NOTICE_OF_UNIT: Final = ("name", "department", "liable", "phone", "post")
NOTICE_OF_EVENT: Final = ("name", "accident", "consequences", "emergency", "grade", "grade_inherent")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the store says.

    Attributes:
        tickets: Those that are worked on.
        is_whole: False where a ledger holds more than is read at once.
    """

    units: Sequence[Record]
    events: Mapping[str, Sequence[Record]]
    measures: Mapping[str, Sequence[Record]]
    hazards: Sequence[Record]
    site_units: Mapping[str, str] = field(default_factory=dict)
    tickets: Sequence[Record] = ()
    is_whole: bool = True


def gather(connection: Connection) -> Gathered:
    """Read what the risks of a site are worked out of."""
    units = _all(connection, "risk_units", UNITS_MAX)
    events = _all(connection, "risk_events", EVENTS_MAX)
    measures = _all(connection, "control_measures", MEASURES_MAX)
    in_force = [one for one in measures if not one.values.get("withdrawn_on")]
    open_states = [choice.code for choice in HIDDEN_HAZARDS.states if choice.code not in HIDDEN_HAZARDS.shut]
    hazards = page(connection, HIDDEN_HAZARDS.id, limit=HAZARDS_MAX, wanted=Wanted(states=open_states))
    tickets = page(connection, TICKETS.id, limit=HAZARDS_MAX, wanted=Wanted(states=["working"]))
    named = {str(one.values["dossier"]) for one in (*units, *tickets) if one.values.get("dossier")}
    dossiers = of_codes(connection, "units", sorted(named))
    return Gathered(
        units=units,
        events=_by(events, "risk_unit"),
        measures=_by(in_force, "event"),
        hazards=hazards,
        site_units={code: one.unit for code, one in dossiers.items()},
        tickets=tickets,
        is_whole=len(units) < UNITS_MAX and len(events) < EVENTS_MAX and len(measures) < MEASURES_MAX,
    )


def _all(connection: Connection, ledger: str, most: int) -> list[Record]:
    found: list[Record] = []
    after: tuple[str, int] | None = None
    while len(found) < most:
        part = page(connection, ledger, limit=min(PAGE, most - len(found)), after=after)
        found += part
        if len(part) < PAGE:
            break
        after = (part[-1].code, part[-1].seq)
    return found


def _by(records: Iterable[Record], name: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = defaultdict(list)
    for one in records:
        found[str(one.values[name])].append(one)
    return found


def put_together(found: Gathered, picture: Picture, today: date) -> dict[str, Any]:
    """Work out every risk unit, the gravest first; on the event loop."""
    policy = picture.site.risk
    alarms = _alarms(picture)
    hazards = _hazards(found, today)
    tickets = _tickets(found)
    units = [_unit(one, found, alarms, hazards, tickets, policy) for one in found.units]
    units.sort(key=lambda each: (each["dynamic"]["grade"] or 9, each["current"]["grade"] or 9, each["code"]))
    counts = Counter(each["current"]["grade"] for each in units)
    return {
        "bounds": {"lec": list(policy.lec), "matrix": list(policy.matrix), "is_lower_in": policy.is_lower_in},
        "formula": _formula(policy),
        "plan": _plan(policy),
        "units": units,
        "counts": {COLOURS[grade] or "none": counts.get(grade, 0) for grade in COLOURS},
        "findings": _findings(found, units, policy),
        "is_whole": found.is_whole,
    }


def _plan(policy: RiskPolicy) -> dict[str, Any] | None:
    plan = policy.plan
    if plan is None:
        return None
    corners = [list(corner) for corner in plan.corners]
    return {"digest": plan.digest, "width": plan.width, "height": plan.height, "corners": corners}


def features(found: Gathered, picture: Picture, today: date) -> dict[str, Any]:
    """Give the four-colour map as GeoJSON (RFC 7946: WGS 84, rings closed and counter-clockwise)."""
    told = {each["code"]: each for each in put_together(found, picture, today)["units"]}
    made = []
    for one in found.units:
        unit = told[one.code]
        ring = [list(corner) for corner in unit["outline"]]
        if not ring:
            continue
        if sum((b[0] - a[0]) * (b[1] + a[1]) for a, b in zip(ring, [*ring[1:], ring[0]], strict=True)) > 0:
            ring.reverse()
        properties = {
            "code": unit["code"], "name": unit["name"], "department": unit["department"], "liable": unit["liable"],
            "inherent": COLOURS[unit["inherent"]["grade"]], "current": COLOURS[unit["current"]["grade"]],
            "dynamic": COLOURS[unit["dynamic"]["grade"]],
            "reasons": [step["said"] for step in unit["dynamic"]["steps"]],
        }  # fmt: skip
        geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
        made.append({"type": "Feature", "id": unit["code"], "properties": properties, "geometry": geometry})
    return {"type": "FeatureCollection", "features": made}


def notice(found: Gathered, code: str) -> dict[str, Any]:
    """Give what stands on the notice of a risk unit (风险告知牌), and on the card of its post (明白卡).

    Raises:
        NotDone: There is no such risk unit.
    """
    unit = next((one for one in found.units if one.code == code), None)
    if unit is None:
        raise NotDone("not_there", Words(f"There is no risk unit {code}.", f"没有风险分析单元 {code}。"))
    events = sorted(found.events.get(code, ()), key=lambda one: (one.values["grade"], one.code))
    return {
        "unit": {"code": unit.code, **{name: unit.values.get(name, "") for name in NOTICE_OF_UNIT}},
        "grade": _worst(events, "grade")["grade"],
        "events": [
            {
                "code": one.code,
                **{name: one.values.get(name, "") for name in NOTICE_OF_EVENT},
                "measures": [str(each.values["measure"]) for each in found.measures.get(one.code, ())],
            }
            for one in events
        ],
    }  # fmt: skip


def gradings(connection: Connection, record: str) -> list[dict[str, Any]]:
    """Give each grading that an event ever had, the newest first."""
    found: list[dict[str, Any]] = []
    kept: Revision | None = None
    for one in reversed(revisions(connection, record)):  # The oldest first.
        graded = {name: one.values.get(name) for name in GRADING}
        if kept is None or graded != {name: kept.values.get(name) for name in GRADING}:
            found.append(
                {"revision": one.revision, "time_ns": one.time_ns, "who": one.who, "reason": one.reason, **graded}
            )
        kept = one
    return found[::-1]


def _alarms(picture: Picture) -> dict[str, Counter[Tier]]:
    """Count active alarms of the plant by unit and tier; what is suppressed does not count, an exercise neither."""
    found: dict[str, Counter[Tier]] = defaultdict(Counter)
    for alarm in picture.alarms.values():
        is_of_plant = alarm.nature in (Nature.ACTUAL, Nature.TEST) and not picture.is_exercise(alarm)
        if alarm.is_active and is_of_plant and alarm.suppression == Suppression.NONE:
            found[alarm.unit][alarm.tier] += 1
    return found


def _hazards(found: Gathered, today: date) -> dict[str, tuple[list[str], list[str]]]:
    """Give the open major and the overdue hidden hazards by risk unit."""
    unit_of_event = {one.code: unit for unit, events in found.events.items() for one in events}
    unit_of_measure = {
        one.code: unit_of_event.get(event, "") for event, all_of in found.measures.items() for one in all_of
    }
    of_dossier = _by(found.units, "dossier")
    of_site = defaultdict(list)
    for one in found.units:
        of_site[_site_unit(one, found)].append(one)
    told: dict[str, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for hazard in found.hazards:
        named = unit_of_measure.get(str(hazard.values.get("measure", "")), "")
        near = of_dossier.get(str(hazard.values.get("dossier", "")), ()) or (
            of_site[hazard.unit] if hazard.unit else ()
        )
        for code in [named] if named else [one.code for one in near]:
            if hazard.values.get("class") == "major":
                told[code][0].append(hazard.code)
            if HIDDEN_HAZARDS.is_overdue(hazard.values, today.isoformat()):
                told[code][1].append(hazard.code)
    return told


def _tickets(found: Gathered) -> dict[str, dict[str, list[str]]]:
    """Give the tickets that are worked on by risk unit and kind of work: by its dossier, else by its unit of the site.

    Work that goes on beyond its ticket counts as before: it is not less dangerous.
    """
    of_dossier = _by(found.units, "dossier")
    told: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for ticket in found.tickets:
        values = ticket.values
        work = f"hot_{values['level']}" if values["kind"] == "hot" else str(values["kind"])
        near = of_dossier.get(str(values.get("dossier", "")), ())
        unit = _site_unit(ticket, found)
        for one in near or [each for each in found.units if unit and _site_unit(each, found) == unit]:
            told[one.code][work].append(ticket.code)
    return told


def _site_unit(one: Record, found: Gathered) -> str:
    return one.unit or found.site_units.get(str(one.values.get("dossier", "")), "")


def _worst(events: Sequence[Record], name: str) -> dict[str, Any]:
    """Give the gravest event of a unit by one of its grades; among equals the one with the highest value."""
    graded = [one for one in events if one.values.get(name)]
    if not graded:
        return {"grade": 0, "event": "", "value": None, "method": ""}
    risk = name.replace("grade", "risk")
    worst = min(graded, key=lambda one: (one.values[name], -one.values[risk], one.code))
    grade, value, method = int(worst.values[name]), worst.values[risk], worst.values["method"]
    return {"grade": grade, "event": worst.code, "value": value, "method": method}


def _unit(
    one: Record,
    found: Gathered,
    alarms: Mapping[str, Counter[Tier]],
    hazards: Mapping[str, tuple[list[str], list[str]]],
    tickets: Mapping[str, Mapping[str, list[str]]],
    policy: RiskPolicy,
) -> dict[str, Any]:
    events = found.events.get(one.code, ())
    current = _worst(events, "grade")
    major, overdue = hazards.get(one.code, ([], []))
    site_unit = _site_unit(one, found)
    live = Live(alarms=alarms.get(site_unit, {}), major=major, overdue=overdue, tickets=tickets.get(one.code, {}))
    outline = one.values.get("outline")
    return {
        "id": one.id,
        "code": one.code,
        **{name: one.values.get(name, "") for name in ("name", "place", "department", "liable", "phone", "dossier")},
        "site_unit": site_unit,
        "inherent": _worst(events, "grade_inherent"),
        "current": current,
        "dynamic": _dynamic(dynamic_of(current["grade"], live, policy)),
        "events": len(events),
        "measures": sum(len(found.measures.get(each.code, ())) for each in events),
        "outline": [list(corner) for corner in read_outline(outline)] if outline else [],
    }


def _dynamic(found: Dynamic) -> dict[str, Any]:
    steps = [{"what": step.what, "steps": step.steps, "said": step.said.both()} for step in found.steps]
    return {"grade": found.grade, "steps": steps}


def _formula(policy: RiskPolicy) -> dict[str, str]:
    tiers = sorted(policy.alarm_steps.items(), key=lambda item: -item[0])
    in_en = ", ".join(f"{TIER_WORDS[tier].en} {steps}" for tier, steps in tiers) or "0"
    in_zh = "、".join(f"{TIER_WORDS[tier].zh} {steps}" for tier, steps in tiers) or "0"
    works = [(WORK_WORDS[work], steps) for work, steps in policy.ticket_steps.items() if steps]
    works_en = ", ".join(f"{words.en} {steps}" for words, steps in works) or "0"
    works_zh = "、".join(f"{words.zh} {steps}" for words, steps in works) or "0"
    return Words(
        f"dynamic = current, raised by grades: active alarm ({in_en}), open major hidden hazard "
        f"{policy.major_steps}, overdue hidden hazard {policy.overdue_steps}, special work under a ticket "
        f"({works_en}); at most major. "
        "Unverified: the national formula is not public.",
        f"动态风险 = 现状等级，按级提升：未恢复报警（{in_zh}）、未销号重大隐患 {policy.major_steps}、"
        f"逾期隐患 {policy.overdue_steps}、特殊作业进行中（{works_zh}），最高为重大。未经核实：国家算法未公开。",
    ).both()


def _findings(found: Gathered, units: Sequence[Mapping[str, Any]], policy: RiskPolicy) -> list[dict[str, Any]]:
    """Say what is not whole, the gravest first."""
    told: list[tuple[str, Words]] = []
    for one in (each for events in found.events.values() for each in events):
        values = one.values
        if int(values["grade"]) <= LARGER and not found.measures.get(one.code):
            said = Words(f"{one.code} {one.title}: no control measure.", f"{one.code} {one.title}：没有管控措施。")
            told.append(("no_measure", said))
        now = str(policy.grade(values["method"], values["risk"]))
        if now != values["grade"]:
            said = Words(
                f"{one.code} {one.title}: by today's bounds its grade is {now}, the record says {values['grade']}; "
                "grade it again.",
                f"{one.code} {one.title}：按现行分级界限应为 {now} 级，记录为 {values['grade']} 级，请重新评价。",
            )
            told.append(("other_bounds", said))
    for unit in units:
        name = f"{unit['code']} {unit['name']}"
        if not unit["events"]:
            said = Words(f"{name}: no risk event; it is not graded.", f"{name}：没有风险事件，尚未评价。")
            told.append(("no_event", said))
        if not unit["outline"]:
            said = Words(f"{name}: no outline; it is not on the map.", f"{name}：未填写边界，四色图上不显示。")
            told.append(("no_outline", said))
        elif policy.plan is not None and not any(policy.plan.holds((lon, lat)) for lon, lat in unit["outline"]):
            said = Words(
                f"{name}: its outline lies off the site plan; check its corners and their system (GCJ-02, BD-09).",
                f"{name}：边界不在总平面图范围内，请核对角点及坐标系（GCJ-02、BD-09）。",
            )
            told.append(("off_plan", said))
    return [{"what": what, "said": said.both()} for what, said in told[:200]]
