"""Monthly and quarterly reports over the API: figures for the page, and the same as HTML, workbook and PDF."""

import asyncio
from typing import Annotated, Any

from fastapi import Query, Response

from gateway.api.answer import ApiError, Json
from gateway.api.door import ALL, Doors
from gateway.register.around import today_of
from gateway.report.blocks import blocks_of
from gateway.report.forms import html_of, workbook_of
from gateway.report.gather import gather
from gateway.report.pdf import NO_FONT, NoFont, face_of, pdf_of
from gateway.report.period import Period, period_of

Name = Annotated[str, Query(alias="period", max_length=8, description="A month `2026-10` or a quarter `2026-Q4`.")]
TYPE_OF = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}


def open_report_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def told(period: Period) -> dict[str, Any]:
        site, now_ns = house.site, house.clock.wall_ns()
        return await house.read(lambda c: gather(c, site, period, now_ns, today_of(site, now_ns)))

    async def report(period: Name) -> Response:
        """Give the figures of a month or a quarter: hazards, five lots, disposals, effect, patterns, districts."""
        return Json(await told(_period(period)))

    async def export(
        period: Name,
        form: Annotated[str, Query(pattern="^(html|xlsx|pdf)$")] = "pdf",
        lang: Annotated[str, Query(pattern="^(en|zh)$")] = "zh",
    ) -> Response:
        """Give the same as a page of HTML, a workbook, or a PDF; a PDF is refused where no font has Chinese."""
        asked, site = _period(period), house.site
        found = blocks_of(await told(asked), site, lang)
        name = f"{site.id}-{asked.name}.{form}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        if form == "html":
            return Response(html_of(found), media_type=TYPE_OF[form], headers=headers)
        if form == "xlsx":
            return Response(await asyncio.to_thread(workbook_of, found), media_type=TYPE_OF[form], headers=headers)
        try:
            face = await asyncio.to_thread(face_of, site.report_font)
        except NoFont:
            raise ApiError(409, NO_FONT.en, code="no_font", details=NO_FONT.both()) from None
        content = await asyncio.to_thread(pdf_of, found, face, house.clock.wall_ns())
        return Response(content, media_type=TYPE_OF[form], headers=headers)

    at = "/api/v1/register/report"
    doors.open("GET", at, ALL, report, tag="register")
    doors.open("GET", f"{at}/export", ALL, export, tag="register")


def _period(name: str) -> Period:
    found = period_of(name)
    if found is None:
        raise ApiError(
            422, f"period: {name!r} is neither a month, e.g. 2026-10, nor a quarter, e.g. 2026-Q4.",
            details={
                "en": f"{name} is neither a month (2026-10) nor a quarter (2026-Q4).",
                "zh": f"{name} 既不是月份（2026-10）也不是季度（2026-Q4）。",
            },
        )  # fmt: skip
    return found
