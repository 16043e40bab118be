"""Tags, values, history, hazard units."""

import math
from typing import Annotated, Any

import numpy as np
from fastapi import Path, Query, Response

from alerting.core.drift import Drifted, Wait
from alerting.core.trend import Forecast
from alerting.model.derivation import Derivation
from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import Tag
from edge.model.quality import describe
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import When, when
from gateway.api.door import ALL, Doors
from gateway.api.house import House
from gateway.api.why_of import unit_facts
from gateway.config import Site
from gateway.live import iso
from gateway.load.derived.kinds import KINDS
from gateway.system import main_nature
from gateway.why import Language, why

POINTS_MAX = 10_000


def open_plant_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house
    picture = house.picture
    drawn = _Drawn()

    async def tags() -> Response:
        """List all tags with their limits."""
        return Json({"tags": drawn.tags(house.site, house.rules), "layout": picture.layout})

    async def latest(tag: Annotated[list[str] | None, Query(max_length=1000)] = None) -> Response:
        """Give the latest committed value of some tags, or of all."""
        await house.settled()
        names = house.site.tags.names if tag is None else tag
        for name in names:
            if name not in house.site.tags.row_of:
                raise not_found("tag", name)
        now_ns = house.clock.wall_ns()
        return Json({"as_of": iso(now_ns), "values": [value_of(name, now_ns) for name in names]})

    def value_of(name: str, now_ns: int) -> dict[str, Any]:
        row = house.site.tags.row_of[name]
        time_ns = int(picture.times_ns[row])
        return {
            "tag": name,
            "value": _number(float(picture.values[row])),
            "quality": describe(int(picture.quality[row])),
            "time": iso(time_ns),
            "time_ns": str(time_ns) if time_ns else None,
            "age_s": max(0.0, (now_ns - time_ns) / 1e9) if time_ns else None,
            "trends": [
                _trend(house, index) for index in drawn.places(house.site, house.rules, Kind.TREND).get(row, ())
            ],
            "drifts": [
                _drift(house, index) for index in drawn.places(house.site, house.rules, Kind.DRIFT).get(row, ())
            ],
        }

    async def history(
        tag: Annotated[str, Query(max_length=128)],
        begin: Annotated[When, Query(alias="from")] = None,
        end: Annotated[When, Query(alias="to")] = None,
        points: Annotated[int, Query(ge=1, le=POINTS_MAX)] = 500,
    ) -> Response:
        """Give one tag's history; the last hour where no span is asked for."""
        row = house.site.tags.row_of.get(tag)
        if row is None:
            raise not_found("tag", tag)
        to_ns = house.clock.wall_ns() if end is None else when(end, "to")
        from_ns = to_ns - 3_600_000_000_000 if begin is None else when(begin, "from")
        if from_ns >= to_ns:
            raise ApiError(422, "from must be before to.")
        series = await house.historian.range(row, from_ns, to_ns, points)
        return Json(
            {
                "tag": tag,
                "eu": house.site.tags[row].eu,
                "from": iso(from_ns),
                "to": iso(to_ns),
                # As strings: JavaScript has no 64-bit integers.
                "times_ns": series.times_ns.astype(np.int64).astype(str).tolist(),
                "values": np.ascontiguousarray(series.values),
                "min": np.ascontiguousarray(series.min),
                "max": np.ascontiguousarray(series.max),
                "quality": np.ascontiguousarray(series.quality),
                "is_rolled_up": bool(series.is_rolled_up),
            }
        )

    async def units() -> Response:
        """List hazard units with their worst tier and active alarms, and the titles of posts."""
        state = {row["id"]: row for row in picture.unit_rows()}
        tags_of = drawn.tags_of(house.site, house.rules)
        return Json(
            {
                "units": [
                    {
                        "id": unit.id,
                        "title": unit.title,
                        "kind": unit.kind,
                        "grade": unit.grade,
                        "area": unit.area,
                        "area_title": unit.area_title,
                        "links": [{"title": link.title, "url": link.url} for link in unit.links],
                        "tier": state[unit.id]["tier"],
                        "alarms": state[unit.id]["alarms"],
                        "tags": tags_of.get(unit.id, []),
                    }
                    for unit in house.site.units
                ],
                "posts": {post.id: dict(post.title) for post in house.site.roster.posts},
            }
        )

    doors.open("GET", "/api/v1/tags", ALL, tags, tag="plant")
    doors.open("GET", "/api/v1/values/latest", ALL, latest, tag="plant")
    doors.open("GET", "/api/v1/history", ALL, history, tag="plant")
    doors.open("GET", "/api/v1/units", ALL, units, tag="plant")
    _open_unit_why(doors)


def _open_unit_why(doors: Doors) -> None:
    house = doors.house
    nature = main_nature(house.site)

    async def unit_why(unit: Annotated[str, Path(max_length=64)], lang: Language = "en") -> Response:
        """Say in one sentence why a unit has its tier and what the clock will do to it, with the facts."""
        if unit not in {each.id for each in house.site.units}:
            raise not_found("unit", unit)
        now_ns = house.clock.wall_ns()
        facts = await house.read(lambda c: unit_facts(c, unit, now_ns, nature, house.site.tags))
        return Json({"sentence": why(facts, lang) if facts else "", "facts": facts})

    doors.open("GET", "/api/v1/units/{unit}/why", ALL, unit_why, tag="plant")


class _Drawn:
    """Tags as they are shown, and which TREND and DRIFT rules they have; drawn anew when other rules are in force."""

    def __init__(self) -> None:
        self._rules: RuleTable | None = None
        self._tags: list[dict[str, Any]] = []
        self._tags_of: dict[str, list[str]] = {}
        self._places: dict[Kind, dict[int, list[int]]] = {}

    def tags(self, site: Site, rules: RuleTable) -> list[dict[str, Any]]:
        """Give all tags with their limits."""
        self._follow(site, rules)
        return self._tags

    def tags_of(self, site: Site, rules: RuleTable) -> dict[str, list[str]]:
        """Give the names of the tags of each unit that has some."""
        self._follow(site, rules)
        return self._tags_of

    def places(self, site: Site, rules: RuleTable, kind: Kind) -> dict[int, list[int]]:
        """Give the indexes of the rules of a kind of each tag row that has some."""
        self._follow(site, rules)
        return self._places[kind]

    def _follow(self, site: Site, rules: RuleTable) -> None:
        """Draw anew where other rules are in force; another site has another table of rules."""
        if rules is self._rules:
            return
        self._rules = rules
        derived = {each.tag: each for each in site.derived}
        self._tags = [_tag(rules, row, tag, derived.get(tag.name)) for row, tag in enumerate(rules.tags)]
        self._tags_of = {}
        for tag in rules.tags:
            self._tags_of.setdefault(tag.unit, []).append(tag.name)
        self._places = {Kind.TREND: {}, Kind.DRIFT: {}}
        for kind, places in self._places.items():
            for index in np.flatnonzero(rules.kind == kind).tolist():
                places.setdefault(int(rules.row[index]), []).append(index)


def _tag(rules: RuleTable, row: int, tag: Tag, derivation: Derivation | None) -> dict[str, Any]:
    mine = range(int(rules.first[row]), int(rules.first[row + 1]))
    return {
        "row": row,
        "name": tag.name,
        "title": dict(tag.title),
        "unit": tag.unit,
        "source": tag.source,
        "eu": tag.eu,
        "kind": tag.kind,
        "range_lo": _number(tag.range_lo),
        "range_hi": _number(tag.range_hi),
        "resolution": tag.resolution,
        "period_s": tag.period_s,
        "nature": tag.nature,
        "limits": [_limit(rules[index]) for index in mine if not rules[index].is_hidden],
        "derived": None if derivation is None else _derived(derivation),
    }


def _derived(derivation: Derivation) -> dict[str, Any]:
    """Say how a derived tag is computed, for people."""
    return {
        "kind": derivation.kind,
        "inputs": [{"role": role, "tag": tag} for role, tags in derivation.inputs.items() for tag in tags],
        "formula": KINDS[derivation.kind].formula,
        "parameters": {**derivation.words, **derivation.numbers},
    }


def _trend(house: House, index: int) -> dict[str, Any]:
    """Say where a tag runs to: an estimate of this moment, not an event."""
    table = house.rules
    rule = table[index]
    now = Forecast(table, house.memory(table.tags[table.tags.row_of[rule.tag]].nature), np.array([index]))
    is_ready, time_ns = bool(now.is_ready[0]), int(now.time_ns[0])
    return {
        "rule": rule.id,
        "to": rule.to,
        "limit": rule.setpoint,
        "horizon_s": rule.horizon_s,
        "method": "kalman" if rule.blocks is None else "blocks",
        "is_ready": is_ready,
        "time_ns": str(time_ns) if time_ns else None,
        "level": _number(float(now.level[0])) if time_ns else None,
        "slope": _number(float(now.slope[0])) if is_ready else None,
        "slope_error": _number(float(now.slope_error[0])) if is_ready else None,
        "time_to_limit_s": _number(float(now.time_to_limit_s[0])) if is_ready else None,
    }


#: Why a DRIFT is not judged, by language.
WAITS = {
    Wait.WARM_UP: {"en": "It is learning what is usual here.", "zh": "正在学习常态,预热期内不判定。"},
    Wait.BASE: {
        "en": "It is learning its baseline after a pause or as asked.",
        "zh": "中断或重新学习后,正在学习基线。",
    },
    Wait.SEASON: {"en": "It has never seen this time of the day.", "zh": "尚未见过该时段的数据。"},
    Wait.START: {"en": "Its average has just started anew.", "zh": "平均值刚重新开始计算。"},
}


def _drift(house: House, index: int) -> dict[str, Any]:
    """Say where a tag usually is and how far it is from there, or why that is not judged."""
    table = house.rules
    rule = table[index]
    now = Drifted(table, house.memory(table.tags[table.tags.row_of[rule.tag]].nature), np.array([index]))
    wait, time_ns = Wait(int(now.waits[0])), int(now.time_ns[0])
    return {
        "rule": rule.id,
        "limit": rule.setpoint,
        "is_ready": wait is Wait.NO,
        "waits": None if wait is Wait.NO else {"for": wait.name.lower(), **WAITS[wait]},
        "ready_in_s": _number(float(now.ready_in_s[0])),
        "time_ns": str(time_ns) if time_ns else None,
        "usual": _number(float(now.usual[0])) if time_ns else None,
        "away": _number(float(now.away[0])) if time_ns else None,
        "sigma": _number(float(now.sigma[0])) if time_ns else None,
        "score": _number(float(now.score[0])) if wait is Wait.NO else None,
    }


def _limit(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.id,
        "kind": Kind(rule.kind).name,
        "setpoint": rule.setpoint,
        "deadband": rule.deadband,
        "on_delay_s": rule.on_delay_s,
        "off_delay_s": rule.off_delay_s,
        "window_s": rule.window_s,
        "to": rule.to,
        "horizon_s": rule.horizon_s,
        "tier": rule.tier.name,
        "enable": rule.enable,
        "schedule": "" if rule.schedule is None else rule.schedule.words(),
        "is_latching": rule.is_latching,
        "revision": rule.revision,
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
