"""Occupational hazards over the API: rates of a period, points with their live values."""

import re
from datetime import date
from typing import Annotated, Final

from fastapi import Query, Response

from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, Doors
from gateway.register.around import today_of
from gateway.register.exposure_sheet import gather, sheet
from gateway.report.period import period_of

_YEAR: Final = re.compile(r"(19[7-9]\d|2[01]\d\d)")
Name = Annotated[
    str, Query(alias="period", max_length=8, description="A year `2026`, a quarter `2026-Q4` or a month `2026-10`.")
]


def open_exposure_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def told(period: Name = "") -> Response:
        """Give coverage and pass rate of a period, by unit and factor, and the points with what is there now."""
        today = today_of(house.site, house.clock.wall_ns())
        first, last = _days(period or str(today.year))
        found = await house.read(lambda c: gather(c, first, last))
        return Json({"period": period or str(today.year), **sheet(found, house.picture, today)})

    doors.open("GET", "/api/v1/register/exposure", ALL, told, tag="register")


def _days(name: str) -> tuple[date, date]:
    if _YEAR.fullmatch(name):
        return date(int(name), 1, 1), date(int(name), 12, 31)
    found = period_of(name)
    if found is None:
        raise ApiError(
            422, f"period: {name!r} is neither a year (2026), nor a quarter (2026-Q4), nor a month (2026-10).",
            details={
                "en": "Write a year, e.g. 2026, a quarter, e.g. 2026-Q4, or a month, e.g. 2026-10.",
                "zh": "请填写年份（如 2026）、季度（如 2026-Q4）或月份（如 2026-10）。",
            },
        )  # fmt: skip
    return found.first, found.last
