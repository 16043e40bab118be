"""Figures of hidden hazards over the API."""

from datetime import date, timedelta
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import Query, Response

from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, Doors
from gateway.register.around import today_of
from gateway.register.campaigns import coverage
from gateway.register.campaigns import gather as gather_campaigns
from gateway.register.hazard_figures import figures, gather

DAYS_DEFAULT: Final = 30
DAYS_MOST: Final = 366
Day = Annotated[date | None, Query(description="Day of the site, `YYYY-MM-DD`.")]


def open_hazard_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def told(first: Annotated[date | None, Query(alias="from")] = None, to: Day = None) -> Response:
        """Count hidden hazards found, due and closed on some days, what is open now, and what came again."""
        today = today_of(house.site, house.clock.wall_ns())
        last = to or today
        begin = first or last - timedelta(days=DAYS_DEFAULT - 1)
        if begin > last or (last - begin).days >= DAYS_MOST:
            raise ApiError(
                422, f"from {begin} to {last}: the last day lies not before the first, at most {DAYS_MOST} days.",
                details={
                    "en": f"From {begin} to {last}: at most {DAYS_MOST} days, the last not before the first.",
                    "zh": f"{begin} 至 {last}：结束日期不得早于开始日期，最多 {DAYS_MOST} 天。",
                },
            )  # fmt: skip
        days = house.site.hazards.repeat_days
        gathered = await house.read(lambda c: gather(c, begin, last, days))
        return Json(figures(gathered, begin, last, today) | {"repeat_days": days})

    async def campaigns() -> Response:
        """Count how many hazard units each open campaign has inspected in this round, and name those that are left."""
        zone = ZoneInfo(house.site.timezone)
        return Json(coverage(await house.read(lambda c: gather_campaigns(c, zone))))

    doors.open("GET", "/api/v1/register/campaigns", ALL, campaigns, tag="register")
    doors.open("GET", "/api/v1/register/hazards/figures", ALL, told, tag="register")
