"""Emergency plans and post cards: those in force, which one fits a unit now and why, and both as PDF.

They are records of the register's ledgers ``plans`` and ``post_cards``: made, changed, imported and exported there.
"""

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Query, Response
from sqlalchemy import Connection

from alerting.model.hazard_policy import CONDITIONS
from alerting.model.tier import Tier
from alerting.response.match import misfit
from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Id, TierName
from gateway.api.door import ALL, Doors
from gateway.api.doors_register import shown
from gateway.api.house import House
from gateway.register.around import today_of
from gateway.register.reading import of_codes
from gateway.report.blocks import Report
from gateway.report.pdf import NO_FONT, NoFont, face_of, pdf_of
from gateway.response import plans
from gateway.response.sheets import card_sheet, plan_sheet
from gateway.system import main_nature

Language = Annotated[str, Query(pattern="^(en|zh)$")]


def open_response_plan_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed() -> Response:
        """List the plans in force with their checklists, and the post cards."""
        today = today_of(house.site, house.clock.wall_ns()).isoformat()

        def query(c: Connection) -> dict[str, Any]:
            cards = plans.of_ledger(c, "post_cards")
            return {
                "plans": [_shown(plan, today) for plan in plans.known(c)],
                "cards": [shown(card) for card in cards],
            }

        return Json(await house.read(query))

    async def match(
        unit: Annotated[str, Query(max_length=64)],
        tier: Annotated[TierName | None, Query()] = None,
        condition: Annotated[list[str] | None, Query(max_length=20)] = None,
    ) -> Response:
        """Say which plan would open for a unit, and why: with its own tier and alarms, or with those asked for."""
        if unit not in {each.id for each in house.site.units}:
            raise not_found("unit", unit)
        if condition and set(condition) - set(CONDITIONS):
            raise ApiError(422, f"condition: one of {', '.join(CONDITIONS)}.")
        tier_now = Tier[tier] if tier else house.picture.tiers.get(unit, Tier.NONE)
        return Json(await house.read(lambda c: matched(c, house, unit, tier_now, condition)))

    async def print_plan(code: Id, lang: Language = "zh") -> Response:
        """Give a plan with its checklist as PDF; refused where no font has Chinese."""

        def query(c: Connection) -> Report:
            found = of_codes(c, "plans", [code]).get(code)
            if found is None:
                raise not_found("plan", code)
            plan = plans.plan_of(found)
            cards = plans.of_ledger(c, "post_cards")
            mine = plans.cards_of(cards, plan, plan.scope.unit, plan.accident, Tier.RED)
            return plan_sheet(plan, mine, house.site, lang)

        return await printed(house, await house.read(query), code)

    async def print_card(code: Id, lang: Language = "zh") -> Response:
        """Give a post card as PDF; refused where no font has Chinese."""

        def query(c: Connection) -> Report:
            found = of_codes(c, "post_cards", [code]).get(code)
            if found is None:
                raise not_found("post card", code)
            return card_sheet(found, house.site, lang)

        return await printed(house, await house.read(query), code)

    at = "/api/v1/response/plans"
    doors.open("GET", at, ALL, listed, tag="response")
    doors.open("GET", f"{at}/match", ALL, match, tag="response")
    doors.open("GET", f"{at}/{{code}}/print", ALL, print_plan, tag="response")
    doors.open("GET", "/api/v1/response/cards/{code}/print", ALL, print_card, tag="response")


def matched(connection: Connection, house: House, unit: str, tier: Tier, asked: Sequence[str] | None) -> dict[str, Any]:
    """Say which plans fit a unit, the best first, which do not and why, and the post cards for the best.

    Args:
        asked: Conditions; None for those of the unit's alarms as they stand.
    """
    conditions = set(asked or plans.conditions_of(connection, unit, main_nature(house.site).value))
    every = plans.known(connection)
    found, now = plans.fitting(every, plans.holdings_for(connection, every), unit, tier, conditions)
    by_code = {plan.record.code: plan for plan in every}
    best = by_code[found[0].scope.code] if found else None
    cards = [] if best is None else plans.of_ledger(connection, "post_cards")
    return {
        "unit": unit,
        "tier": tier.name,
        "conditions": sorted(conditions),
        "substances": dict(now.substances),
        "fits": [
            {
                "code": fit.scope.code,
                "name": by_code[fit.scope.code].record.title,
                "reasons": [reason.both() for reason in fit.reasons],
            }
            for fit in found
        ],
        "others": [
            {"code": plan.record.code, "name": plan.record.title, "why": why.both()}
            for plan in every
            if (why := misfit(plan.scope, now)) is not None
        ],
        "cards": [shown(card) for card in plans.cards_of(cards, best, unit, best.accident, tier)] if best else [],
    }


async def printed(house: House, sheet: Report, name: str) -> Response:
    """Give a sheet as PDF.

    Raises:
        ApiError: No font here has Chinese.
    """
    try:
        face = await asyncio.to_thread(face_of, house.site.report_font)
    except NoFont:
        raise ApiError(409, NO_FONT.en, code="no_font", details=NO_FONT.both()) from None
    content = await asyncio.to_thread(pdf_of, sheet, face, house.clock.wall_ns())
    headers = {"content-disposition": f"attachment; filename*=UTF-8''{quote(f'{house.site.id}-{name}', safe='')}.pdf"}
    return Response(content, media_type="application/pdf", headers=headers)


def _shown(plan: plans.Plan, today: str) -> dict[str, Any]:
    until = str(plan.record.values.get("valid_until", "9999"))
    return shown(plan.record) | {
        "steps": plans.shown_steps(plan.steps),
        "restart": plans.shown_steps(plan.restart),
        "is_past": until < today,
    }
