"""Delivery: completeness and latency by source, node and hour; as JSON and as CSV."""

import asyncio
import csv
import io
from collections.abc import Iterable
from typing import Annotated, Any, Final, TypeAlias

from fastapi import Query, Response

from gateway.api.answer import ApiError, Json
from gateway.api.asked import When, when
from gateway.api.door import ALL, Doors
from gateway.api.house import House
from gateway.delivery import ledger
from gateway.delivery.books import HOUR_NS, Hour, rates
from gateway.delivery.ledger import Delivered
from gateway.live import iso

HOURS_MAX: Final = 31 * 24
HOURS: Final = 24
#: Expected samples and what came of one hour; None where the source was not known.
Cell: TypeAlias = tuple[float, Hour] | None
HEAD: Final = (
    "kind", "name", "hour", "expected", "good", "bad", "completeness_percent", "p50_s", "p99_s", "late",
)  # fmt: skip


def open_delivery_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def shown(begin: str | None, end: str | None) -> dict[str, Any]:
        now_ns = house.clock.wall_ns()
        to_ns = now_ns if end is None else min(when(end, "to"), now_ns)
        last_ns = (to_ns - 1) // HOUR_NS * HOUR_NS
        from_ns = last_ns - (HOURS - 1) * HOUR_NS if begin is None else when(begin, "from") // HOUR_NS * HOUR_NS
        if from_ns > last_ns:
            raise ApiError(422, "from must be before to.")
        if (last_ns - from_ns) // HOUR_NS >= HOURS_MAX:
            raise ApiError(422, f"A span has at most {HOURS_MAX} hours.")
        found, since = await house.read(lambda c: ledger.read(c, from_ns, last_ns + HOUR_NS))
        return await asyncio.to_thread(_shown, house, found, since, (from_ns, last_ns, now_ns))

    async def delivered(
        begin: Annotated[When, Query(alias="from")] = None, end: Annotated[When, Query(alias="to")] = None
    ) -> Response:
        """Give what each source and edge node was to give and gave, hour by hour; the last 24 hours if not asked."""
        return Json(await shown(begin, end))

    async def export(
        begin: Annotated[When, Query(alias="from")] = None, end: Annotated[When, Query(alias="to")] = None
    ) -> Response:
        """Give the same as CSV, one row a source or node and hour."""
        told = await shown(begin, end)
        named = {"content-disposition": 'attachment; filename="delivery.csv"'}
        text = await asyncio.to_thread(csv_of, told)
        return Response(text.encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=named)

    doors.open("GET", "/api/v1/delivery", ALL, delivered, tag="field")
    doors.open("GET", "/api/v1/delivery/export", ALL, export, tag="field")


def _shown(house: House, found: list[Delivered], since: dict[str, int], span: tuple[int, int, int]) -> dict[str, Any]:
    from_ns, last_ns, now_ns = span
    hours = list(range(from_ns, last_ns + 1, HOUR_NS))
    rate_of = rates(house.site.sources, house.site.tags)
    of_source: dict[str, dict[int, Delivered]] = {}
    for one in found:
        of_source.setdefault(one.source, {})[one.hour_ns] = one
    sources: list[dict[str, Any]] = []
    nodes: dict[str, list[list[Cell]]] = {}
    for source in house.site.sources:
        if source.id not in rate_of:
            continue
        rows = of_source.get(source.id, {})
        cells = [_filled(hour, rows.get(hour), since.get(source.id), rate_of[source.id], now_ns) for hour in hours]
        by = ", ".join(source.nodes)
        sources.append({"id": source.id, "protocol": source.protocol, "node": by, **_row(cells)})
        if source.node and not source.is_merged:  # Of one that several bring, nobody knows what each was dealt.
            nodes.setdefault(source.node, []).append(cells)
    joined = {node: [_joined(column) for column in zip(*many, strict=True)] for node, many in nodes.items()}
    return {
        "from": iso(from_ns),
        "to": iso(last_ns + HOUR_NS),
        "hours": [iso(hour) for hour in hours],
        "sources": sources,
        "nodes": [{"id": node, **_row(cells)} for node, cells in joined.items()],
    }


def _filled(hour_ns: int, row: Delivered | None, since_ns: int | None, rate: float, now_ns: int) -> Cell:
    """Give expected and came of one hour; an hour without a row in which the source was known gave nothing."""
    if row is not None:
        return row.expected, row.came
    if since_ns is None or hour_ns < since_ns or hour_ns + HOUR_NS > now_ns:
        return None
    return rate, Hour()


def _joined(cells: Iterable[Cell]) -> Cell:
    """Add the sources of a node."""
    known = [cell for cell in cells if cell is not None]
    if not known:
        return None
    total = Hour()
    for _, came in known:
        total.add(came)
    return sum(expected for expected, _ in known), total


def _row(cells: list[Cell]) -> dict[str, Any]:
    total = _joined(cells)
    return {"total": _cell(total), "hours": [_cell(cell) for cell in cells]}


def _cell(cell: Cell) -> dict[str, Any] | None:
    if cell is None:
        return None
    expected, came = cell
    return {
        "expected": round(expected),
        "good": came.good,
        "bad": came.bad,
        "completeness": None if expected < 1 else round(min(1.0, came.good / expected), 5),
        "p50_s": came.quantile_s(0.5),
        "p99_s": came.quantile_s(0.99),
        "late": came.late,
    }


def csv_of(told: dict[str, Any]) -> str:
    """Write sources and nodes as CSV."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEAD)
    for kind, rows in (("source", told["sources"]), ("node", told["nodes"])):
        for row in rows:
            for hour, cell in zip(told["hours"], row["hours"], strict=True):
                if cell is None:
                    continue
                share = cell["completeness"]
                percent = "" if share is None else f"{100 * share:.3f}"
                told_of = (
                    cell["expected"],
                    cell["good"],
                    cell["bad"],
                    percent,
                    cell["p50_s"],
                    cell["p99_s"],
                    cell["late"],
                )
                writer.writerow((kind, row["id"], hour, *told_of))
    return out.getvalue()
