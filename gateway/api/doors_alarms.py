"""Alarms: list, one, why. What a person may do to them stands in ``doors_acts``."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import Query, Response

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.tier import Tier
from edge.model import Nature
from gateway.api import queries
from gateway.api.answer import Json, not_found
from gateway.api.asked import Cursor, Id, tiers_of
from gateway.api.door import ALL, Doors
from gateway.live import describe_alarm
from gateway.register.around import today_of
from gateway.register.events import notes_for as of_events
from gateway.register.instruments import notes_for
from gateway.why import Language, why

LIMIT_MAX = 10_000


class Which(StrEnum):
    """Which alarms: ``listed`` is what the page's alarm list shows, ``all`` also those at rest."""

    LISTED = "listed"
    ACTIVE = "active"
    UNACKED = "unacked"
    SUPPRESSED = "suppressed"
    SHELVED = "shelved"
    BY_DESIGN = "by_design"
    OUT_OF_SERVICE = "out_of_service"
    ALL = "all"


#: One way of being suppressed each.
QUIET_IN_A_WAY = frozenset({Which.SHELVED, Which.BY_DESIGN, Which.OUT_OF_SERVICE})


def open_alarm_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house
    picture = house.picture

    async def alarms(
        state: Which = Which.LISTED,
        unit: Annotated[str | None, Query(max_length=64)] = None,
        tier: Annotated[list[str] | None, Query(max_length=5)] = None,
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 500,
        cursor: Cursor = None,
    ) -> Response:
        """List alarms: unacknowledged first, then by tier, then the newest; with state=all the last changed first."""
        tiers = tiers_of(tier or [])
        if state is Which.ALL:
            found, total, more = await house.read(lambda c: queries.all_alarms(c, unit, tiers, limit, cursor))
            return Json(
                {"alarms": [describe_alarm(alarm, house.site) for alarm in found], "total": total, "next": more}
            )
        found, total, more = _page(_choose(picture.alarms.values(), state, unit, tiers), limit, cursor)
        return Json({"alarms": [picture.encoded(alarm.key) for alarm in found], "total": total, "next": more})

    async def find(name: str) -> Alarm:
        for alarm in picture.alarms.values():
            if name in (alarm.id, alarm.key):
                return alarm
        found = await house.read(lambda c: queries.find_alarm(c, name))
        if found is None:
            raise not_found("alarm", name)
        return found

    async def one(alarm: Id) -> Response:
        """Give one alarm by its id, or by its key."""
        return Json(describe_alarm(await find(alarm), house.site))

    async def explain(alarm: Id, lang: Language = "en") -> Response:
        """Say in one sentence why an alarm rang, with what is to be said of its instrument and of a large event."""
        facts = await house.read(lambda c: queries.why_facts(c, house.site, alarm))
        if facts is None:
            raise not_found("alarm that rang", alarm)
        today = today_of(house.site, house.clock.wall_ns()).isoformat()
        tag, zone = str(facts.get("tag", "")), ZoneInfo(house.site.timezone)
        notes = await house.read(lambda c: notes_for(c, tag, today) + of_events(c, tag, int(facts["time_ns"]), zone))
        return Json({"sentence": why(facts, lang), "facts": facts, "notes": notes})

    at = "/api/v1/alarms"
    doors.open("GET", at, ALL, alarms, tag="alarms")
    doors.open("GET", f"{at}/{{alarm}}", ALL, one, tag="alarms")
    doors.open("GET", f"{at}/{{alarm}}/why", ALL, explain, tag="alarms")


def _choose(alarms: Iterable[Alarm], which: Which, unit: str | None, tiers: list[Tier]) -> list[Alarm]:
    return [
        alarm
        for alarm in alarms
        if (unit is None or alarm.unit == unit)
        and (not tiers or alarm.tier in tiers)
        and (which is not Which.ACTIVE or alarm.is_active)
        and (which is not Which.UNACKED or alarm.state in (State.UNACK, State.RTN_UNACK))
        and (which is not Which.SUPPRESSED or alarm.suppression is not Suppression.NONE)
        and (which not in QUIET_IN_A_WAY or alarm.suppression.value == which.value)
    ]


def _page(alarms: list[Alarm], limit: int, cursor: str | None) -> tuple[list[Alarm], int, str | None]:
    """Give one page in the page's order; the cursor is a place in that order, not a number of rows.

    So a page after the first neither repeats nor skips an alarm that did not change meanwhile.
    """

    def place(alarm: Alarm) -> tuple[Any, ...]:
        is_answered = int(alarm.state not in (State.UNACK, State.RTN_UNACK))
        is_exercise = int(alarm.nature is Nature.EXERCISE)  # What is real stands above it.
        return is_exercise, is_answered, -int(alarm.tier), -alarm.onset_ns, alarm.key

    ordered = sorted(alarms, key=place)
    if cursor is not None:
        after = queries.unseal(cursor, int, int, int, int, str)
        ordered = [alarm for alarm in ordered if place(alarm) > after]
    more = queries.seal(*place(ordered[limit - 1])) if len(ordered) > limit else None
    return ordered[:limit], len(alarms), more
