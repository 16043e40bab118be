"""Alarms: list, one, why, and what a person may do to them."""

import asyncio
from collections.abc import Iterable
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Query, Request, Response

from alerting.model.alarm import Alarm, State, Suppression
from alerting.model.command import Command, Verb
from alerting.model.tier import Tier
from gateway.api import queries
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Acknowledge, Cursor, Id, Nothing, Quieten, Relearn, Shelve, tiers_of, when
from gateway.api.door import ALL, OPERATE, SUPPRESS, Doors, user_of
from gateway.live import describe_alarm
from gateway.why import Language, why

#: A command is answered by the next turn of the core, 250 ms at most; a gateway that takes longer is in trouble.
ANSWER_S_MAX = 10.0

LIMIT_MAX = 10_000


class Which(StrEnum):
    """Which alarms: ``listed`` is what the page's alarm list shows, ``all`` also those at rest."""

    LISTED = "listed"
    ACTIVE = "active"
    UNACKED = "unacked"
    SUPPRESSED = "suppressed"
    ALL = "all"


def open_alarm_doors(doors: Doors) -> None:  # noqa: C901 - a list of routes
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
        """Say in one sentence why an alarm rang, with the facts."""
        facts = await house.read(lambda c: queries.why_facts(c, house.site, alarm))
        if facts is None:
            raise not_found("alarm that rang", alarm)
        return Json({"sentence": why(facts, lang), "facts": facts})

    async def obey(
        request: Request,
        verb: Verb,
        alarm: str,
        reason: str = "",
        until_ns: int = 0,
        seen_tier: Tier | None = None,
        *,
        forget_season: bool = False,
        is_one_shot: bool = False,
    ) -> Response:
        command = Command(
            verb=verb,
            alarm=alarm,
            who=user_of(request).name,
            received_ns=house.clock.wall_ns(),
            reason=reason,
            until_ns=until_ns,
            seen_tier=seen_tier,
            forget_season=forget_season,
            is_one_shot=is_one_shot,
        )
        try:
            answer = await asyncio.wait_for(house.command(command), ANSWER_S_MAX)
        except TimeoutError:
            raise ApiError(503, "The gateway did not answer in time; look whether it was done.") from None
        if answer.refused is not None:
            said = answer.refused
            raise ApiError(409, said.get("en") or next(iter(said.values()), "Refused."), details=said)
        return Json({"alarm": None if answer.alarm is None else describe_alarm(answer.alarm, house.site)})

    async def ack(alarm: Id, asked: Acknowledge, request: Request) -> Response:
        """Acknowledge: I have seen it."""
        seen = None if asked.seen_tier is None else Tier[asked.seen_tier]
        return await obey(request, Verb.ACK, alarm, asked.comment, seen_tier=seen)

    async def reset(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Reset a latched alarm."""
        return await obey(request, Verb.RESET, alarm)

    async def shelve(alarm: Id, asked: Shelve, request: Request) -> Response:
        """Silence an alarm until a time, or until it returns to normal, with a reason; pushes go on."""
        if asked.until is None and not asked.one_shot:
            raise ApiError(422, "until is missing; say when the shelf ends, or one_shot.")
        until_ns = 0 if asked.until is None else when(asked.until, "until")
        return await obey(request, Verb.SHELVE, alarm, asked.reason, until_ns, is_one_shot=asked.one_shot)

    async def unshelve(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """End a shelf."""
        return await obey(request, Verb.UNSHELVE, alarm)

    async def suppress(alarm: Id, asked: Quieten, request: Request) -> Response:
        """Take an alarm out of service until a time, with a reason; its pushes stop."""
        return await obey(request, Verb.SUPPRESS, alarm, asked.reason, when(asked.until, "until"))

    async def unsuppress(alarm: Id, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """Return an alarm to service."""
        return await obey(request, Verb.UNSUPPRESS, alarm)

    async def relearn(rule: Id, asked: Relearn, request: Request) -> Response:
        """Let a DRIFT rule take what comes next for normal; its alarm lets go."""
        return await obey(request, Verb.RELEARN, rule, asked.reason, forget_season=asked.forget_season)

    at = "/api/v1/alarms"
    doors.open("GET", at, ALL, alarms, tag="alarms")
    doors.open("GET", f"{at}/{{alarm}}", ALL, one, tag="alarms")
    doors.open("GET", f"{at}/{{alarm}}/why", ALL, explain, tag="alarms")
    doors.open("POST", f"{at}/{{alarm}}/ack", OPERATE, ack, tag="alarms")
    doors.open("POST", f"{at}/{{alarm}}/reset", OPERATE, reset, tag="alarms")
    doors.open("POST", f"{at}/{{alarm}}/shelve", OPERATE, shelve, tag="alarms")
    doors.open("POST", f"{at}/{{alarm}}/unshelve", OPERATE, unshelve, tag="alarms")
    doors.open("POST", f"{at}/{{alarm}}/suppress", SUPPRESS, suppress, tag="alarms")
    doors.open("POST", f"{at}/{{alarm}}/unsuppress", SUPPRESS, unsuppress, tag="alarms")
    doors.open("POST", "/api/v1/rules/{rule:path}/relearn", SUPPRESS, relearn, tag="alarms")


def _choose(alarms: Iterable[Alarm], which: Which, unit: str | None, tiers: list[Tier]) -> list[Alarm]:
    return [
        alarm
        for alarm in alarms
        if (unit is None or alarm.unit == unit)
        and (not tiers or alarm.tier in tiers)
        and (which is not Which.ACTIVE or alarm.is_active)
        and (which is not Which.UNACKED or alarm.state in (State.UNACK, State.RTN_UNACK))
        and (which is not Which.SUPPRESSED or alarm.suppression is not Suppression.NONE)
    ]


def _page(alarms: list[Alarm], limit: int, cursor: str | None) -> tuple[list[Alarm], int, str | None]:
    """Give one page in the page's order; the cursor is a place in that order, not a number of rows.

    So a page after the first neither repeats nor skips an alarm that did not change meanwhile.
    """

    def place(alarm: Alarm) -> tuple[Any, ...]:
        is_answered = int(alarm.state not in (State.UNACK, State.RTN_UNACK))
        return is_answered, -int(alarm.tier), -alarm.onset_ns, alarm.key

    ordered = sorted(alarms, key=place)
    if cursor is not None:
        after = queries.unseal(cursor, int, int, int, str)
        ordered = [alarm for alarm in ordered if place(alarm) > after]
    more = queries.seal(*place(ordered[limit - 1])) if len(ordered) > limit else None
    return ordered[:limit], len(alarms), more
