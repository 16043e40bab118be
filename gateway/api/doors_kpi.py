"""Figures of the alarm system over the API: of a period and a post, beside their targets; as HTML and XLSX."""

from datetime import timedelta
from typing import Annotated, Final, Literal
from zoneinfo import ZoneInfo

from fastapi import Query, Response

from alerting.kpi_period import Figures
from alerting.roster.period import Turn, turns_around
from edge.model import Nature
from gateway.api.answer import ApiError, Json
from gateway.api.asked import When, when
from gateway.api.door import ALL, Doors
from gateway.api.doors_alarm_list import Counted
from gateway.config import Site
from gateway.figures import NS, read_figures
from gateway.live import iso
from gateway.nuisances import read_nuisances, shown_nuisance
from gateway.report_mail.sheet import MEDIA, nuisance_lines, report_lines, shown, written
from gateway.report_mail.words import WORDS
from gateway.roster.china import published
from gateway.system import main_nature

Span = Literal["shift", "last_shift", "day", "month"]
Language = Annotated[str, Query(pattern="^(en|zh)$")]
DAYS_MAX: Final = 366
LENGTH: Final = {
    "shift": timedelta(hours=12),
    "last_shift": timedelta(hours=12),
    "day": timedelta(days=1),
    "month": timedelta(days=30),
}


def open_kpi_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house
    counted = Counted()

    def place(
        first: str | None, last: str | None, span: Span, post: str | None, nature: str | None
    ) -> tuple[frozenset[str], tuple[int, int], Nature]:  # fmt: skip
        site, now_ns = house.site, house.clock.wall_ns()
        end_ns = now_ns if last is None else when(last, "to")
        turn = None if first is not None else _turn(site, span, end_ns, post or "")
        period = _span(first, last, span, now_ns) if turn is None else (turn.from_ns, min(turn.to_ns, end_ns))
        units = frozenset[str]()
        if post:
            found = site.roster.post(post)
            if found is None:
                raise ApiError(422, f"post: there is no post {post[:64]!r}.")
            units = frozenset(found.units)
        return units, period, main_nature(site) if nature is None else Nature(nature)

    async def read(
        first: str | None, last: str | None, span: Span, post: str | None, nature: str | None
    ) -> tuple[Figures, tuple[int, int], Nature]:  # fmt: skip
        units, period, of = place(first, last, span, post, nature)
        zone = ZoneInfo(house.site.timezone)
        return await house.read(lambda c: read_figures(c, of, period, zone, units)), period, of

    async def figures(
        first: Annotated[When, Query(alias="from")] = None,
        last: Annotated[When, Query(alias="to")] = None,
        span: Span = "day",
        post: Annotated[str | None, Query(max_length=64)] = None,
        nature: Annotated[str | None, Query(pattern="^(actual|exercise|test)$")] = None,
    ) -> Response:
        """Give the figures of a period: the shift that runs, the last one, a day, a month, from and to; of a post."""
        got, (begin_ns, end_ns), of = await read(first, last, span, post, nature)
        turn = None if first is not None else _turn(house.site, span, end_ns - 1, post or "", is_last=False)
        shift = None if turn is None else house.site.roster.shift(turn.shift)
        named = None if shift is None else {"id": shift.id, "title": dict(shift.title)}
        counts = await counted.of(house.rules)
        stated = {"alarms": counts.alarms, "without": counts.without}
        span_shown = {"from": iso(begin_ns), "to": iso(end_ns), "nature": of.value, "shift": named}
        return Json({**span_shown, **shown(got), "stated": stated})

    async def report(
        form: Annotated[str, Query(pattern="^(html|xlsx)$")] = "html",
        lang: Language = "en",
        first: Annotated[When, Query(alias="from")] = None,
        last: Annotated[When, Query(alias="to")] = None,
        span: Span = "day",
        post: Annotated[str | None, Query(max_length=64)] = None,
        nature: Annotated[str | None, Query(pattern="^(actual|exercise|test)$")] = None,
    ) -> Response:
        """Give the same as a report: a page of HTML to print, or a workbook."""
        got, period, of = await read(first, last, span, post, nature)
        lines = report_lines(got, house.site, period, of, lang, post or "")
        counts, words = await counted.of(house.rules), WORDS[lang]
        bare = counts.without.get("response", 0)
        lines.append([words["listed"], counts.alarms, "", "", ""])
        lines.append([words["without_response"], bare, "0", words["no"] if bare else words["yes"], words["ours"]])
        units, *_ = place(first, last, span, post, nature)
        lines += nuisance_lines(
            await house.read(lambda c: read_nuisances(c, house.site, of, period, units)), house.site, lang
        )
        name = f"alarms-{str(iso(period[0]))[:10]}-{span}.{form}"
        headers = {"content-disposition": f'attachment; filename="{name}"'}
        return Response(written(lines, form, lang), media_type=MEDIA[form], headers=headers)

    async def nuisances(
        first: Annotated[When, Query(alias="from")] = None,
        last: Annotated[When, Query(alias="to")] = None,
        span: Span = "day",
        post: Annotated[str | None, Query(max_length=64)] = None,
        nature: Annotated[str | None, Query(pattern="^(actual|exercise|test)$")] = None,
    ) -> Response:
        """Give the alarms of a period that chatter or are fleeting, the worst first, with what would quiet them."""
        units, (begin_ns, end_ns), of = place(first, last, span, post, nature)
        found = await house.read(lambda c: read_nuisances(c, house.site, of, (begin_ns, end_ns), units))
        shown = [shown_nuisance(one) for one in found]
        return Json({"from": iso(begin_ns), "to": iso(end_ns), "nature": of.value, "nuisances": shown})

    doors.open("GET", "/api/v1/kpi/nuisances", ALL, nuisances, tag="kpi")
    doors.open("GET", "/api/v1/kpi/figures", ALL, figures, tag="kpi")
    doors.open("GET", "/api/v1/kpi/export", ALL, report, tag="kpi")


def _turn(site: Site, span: Span, at_ns: int, post: str, *, is_last: bool | None = None) -> Turn | None:
    """Give the shift that is asked for, by the plant's own order; None where it has none, or another span is asked for.

    Args:
        is_last: That before the one that runs; None for as ``span`` says.
    """
    if span not in ("shift", "last_shift"):
        return None
    runs, before = turns_around(site.roster, at_ns, ZoneInfo(site.timezone), published, post)
    return before if (span == "last_shift" if is_last is None else is_last) else runs


def _span(first: str | None, last: str | None, span: Span, now_ns: int) -> tuple[int, int]:
    end_ns = now_ns if last is None else when(last, "to")
    length_ns = round(LENGTH[span].total_seconds()) * NS
    if span == "last_shift" and first is None:  # Without an order of shifts: the twelve hours before these.
        end_ns -= length_ns
    begin_ns = end_ns - length_ns if first is None else when(first, "from")
    if not begin_ns < end_ns:
        raise ApiError(422, "from: it must be before to.")
    if end_ns - begin_ns > DAYS_MAX * 86_400 * NS:
        raise ApiError(422, f"from: a period has at most {DAYS_MAX} days.")
    return begin_ns, end_ns
