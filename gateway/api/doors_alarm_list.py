"""The alarm list: every alarm with why it is there and what to do; read, given out and taken in as a spreadsheet."""

import asyncio
from collections import OrderedDict
from hashlib import sha256
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from alerting.model.rule import Rule, RuleTable
from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, ENGINEER, Doors, user_of
from gateway.api.doors_config import TYPE_OF
from gateway.api.doors_rules import checked_shown, put_in_force, refused, rule_shown
from gateway.api.house import House
from gateway.config import Site
from gateway.load.overlay import Overlay
from gateway.register.sheets import SheetMistake
from gateway.rules.alarm_list import STATED, Counts, count, listed, look, missing, stated, write
from gateway.rules.book import Asked, By, NotApplied
from gateway.rules.change import Change

LIMIT_MAX: Final = 1_000
LOOKED_MAX: Final = 8  # Lists that were looked at and may still be applied; the oldest is forgotten.
MISTAKES_MAX: Final = 2_000
Missing = Literal["", "response", "cause", "consequence", "basis", "respond_min", "any"]


class ApplyList(BaseModel):
    """Which list to apply, as the look named it; why, and the revision that was seen."""

    model_config = ConfigDict(extra="forbid")
    ticket: str = Field(min_length=1, max_length=64)
    reason: str = Field(min_length=1, max_length=2000)
    approved_by: str = Field(default="", max_length=64)
    expected: int = Field(ge=1, le=2**31)


class Counted:
    """What is missing in the rules in force, counted once for each state of them."""

    def __init__(self) -> None:
        self._table: RuleTable | None = None
        self._counts = Counts()

    async def of(self, table: RuleTable) -> Counts:
        """Count, unless these very rules are counted already."""
        if self._table is not table:
            self._counts = await asyncio.to_thread(count, table)
            self._table = table
        return self._counts


def open_alarm_list_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house
    counted = Counted()

    async def alarm_list(
        q: Annotated[str, Query(max_length=200, description="Part of a rule's id, its tag's title or unit.")] = "",
        unit: Annotated[str | None, Query(max_length=64)] = None,
        without: Annotated[Missing, Query(alias="missing", description="Only those where this is not stated.")] = "",
        no_data: Annotated[str, Query(pattern="^(true|false)$", description="Also STALE and BAD.")] = "false",
        limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 200,
        offset: Annotated[int, Query(ge=0, le=10**7)] = 0,
    ) -> Response:
        """List the alarms with cause, consequence, response, time to respond and basis of the tier."""
        site, table, overlay, number = house.site, house.rules, house.rulebook.overlay, house.rulebook.number
        found = await asyncio.to_thread(_search, site, table, q, unit, without, with_no_data=no_data == "true")
        counts = await counted.of(table)
        rows = [_row(table, overlay, rule) for rule in found[offset : offset + limit]]
        return Json(
            {
                "revision": number,
                "can_change": house.rulebook.compile is not None,
                "needs_approval": site.approval.is_needed,
                "total": len(found),
                "next": offset + limit if offset + limit < len(found) else None,
                "counts": {"alarms": counts.alarms, "without": counts.without},
                "alarms": rows,
            }
        )

    async def export(
        form: Annotated[str, Query(pattern="^(csv|xlsx)$")] = "xlsx",
        lang: Annotated[str, Query(pattern="^(en|zh)$")] = "en",
        no_data: Annotated[str, Query(pattern="^(true|false)$")] = "false",
    ) -> Response:
        """Give the list as a spreadsheet that can be filled in and taken back."""
        table, name = house.rules, f"alarm-list-{house.site.id}-{house.rulebook.number}.{form}"
        content = await asyncio.to_thread(write, table, name, lang, with_no_data=no_data == "true")
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(content, media_type=TYPE_OF[form], headers=headers)

    doors.open("GET", "/api/v1/alarm-list", ALL, alarm_list, tag="rules")
    doors.open("GET", "/api/v1/alarm-list/export", ALL, export, tag="rules")
    _open_taking_doors(doors, house)


def _open_taking_doors(doors: Doors, house: House) -> None:
    looked: OrderedDict[str, tuple[Change, ...]] = OrderedDict()

    async def look_at(name: Annotated[str, Query(max_length=200)], request: Request) -> Response:
        """Look at a list that comes back, the body of the request: every mistake by row, or what it would change."""
        content, table = await request.body(), house.rules
        found = await asyncio.to_thread(look, table, content, name)
        told: dict[str, Any] = {
            "rows": found.rows,
            "unchanged": found.unchanged,
            "changed": len(found.changes),
            "mistakes": [_mistake(each) for each in found.mistakes[:MISTAKES_MAX]],
            "mistakes_total": len(found.mistakes),
        }
        if found.mistakes or not found.changes:
            return Json({"ok": False, "revision": house.rulebook.number, "ticket": None, "checked": None, **told})
        changes = tuple(found.changes)
        try:
            checked = await house.rulebook.check(Asked(changes=changes))
        except NotApplied as refusal:
            raise refused(refusal) from None
        ticket = sha256(content).hexdigest()[:32]
        looked[ticket] = changes
        looked.move_to_end(ticket)
        while len(looked) > LOOKED_MAX:
            looked.popitem(last=False)
        shown = checked_shown(checked)
        return Json({"ok": shown["ok"], "revision": checked.revision, "ticket": ticket, "checked": shown, **told})

    async def apply(asked: ApplyList, request: Request) -> Response:
        """Put a list that was looked at in force, between two ticks; it is a revision like any other."""
        if not asked.reason.strip():
            raise ApiError(422, "reason: give a reason.")
        changes = looked.get(asked.ticket)
        if changes is None:
            raise ApiError(409, "This list was looked at too long ago; look at it again.", code="stale")
        by = By(who=user_of(request).name, reason=asked.reason.strip(), approved_by=asked.approved_by.strip())
        return await put_in_force(house, Asked(changes=changes), by, asked.expected)

    doors.open("POST", "/api/v1/alarm-list/look", ENGINEER, look_at, tag="rules")
    doors.open("POST", "/api/v1/alarm-list/apply", ENGINEER, apply, tag="rules")


def _search(
    site: Site, table: RuleTable, q: str, unit: str | None, without: Missing, *, with_no_data: bool
) -> list[Rule]:
    words = q.casefold().split()
    found = []
    for rule in listed(table, with_no_data=with_no_data):
        own = site.tags[site.tags.row_of[rule.tag]]
        if unit is not None and own.unit != unit:
            continue
        if words:
            said = " ".join((rule.id, own.unit, *own.title.values())).casefold()
            if not all(word in said for word in words):
                continue
        if without and not (lacks := missing(rule)):
            continue
        if without not in ("", "any") and without not in lacks:
            continue
        found.append(rule)
    return found


def _row(table: RuleTable, overlay: Overlay, rule: Rule) -> dict[str, Any]:
    minutes = rule.rationale.respond_min if rule.rationale else 0.0
    return {
        **rule_shown(table, overlay, rule),
        **{name: stated(rule, name) for name in STATED},
        "respond_min": minutes or None,
        "missing": missing(rule),
    }


def _mistake(mistake: SheetMistake) -> dict[str, Any]:
    return {
        "row": mistake.row,
        "column": mistake.column,
        "value": mistake.value,
        "rule": mistake.rule.both(),
        "remedy": mistake.remedy.both(),
    }
