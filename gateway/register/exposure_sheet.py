"""Exposure sheet: points with last samples and live values, coverage and pass rate of a period, what is to be done.

Flow: ledgers of points and samples (store), live values (picture) -> [gather, sheet] -> page
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from alerting.register.exposure_rates import FORMULA, Grouped, Point, Rates, Sample, rates_of
from alerting.register.field import Words
from alerting.register.ledgers.exposure import ABOVE, EXPOSURE_POINTS, IN_USE, limits_of, published
from gateway.live import Picture
from gateway.register import exposure
from gateway.register.reading import Wanted, of_ids, page
from gateway.register.record import Record
from gateway.register.worksheet import live_of

#: Points that are counted; a site with more is told that not all are.
POINTS_MAX: Final = 5_000
#: Points with their values and samples; the rest is in the ledger.
SHOWN_MAX: Final = 300
MISSING_SHOWN: Final = 100
FINDINGS_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the store says.

    Attributes:
        points: All of them, also those that are no longer sampled.
        before: The day of the last sample before the period, by point.
        latest: The samples of the last day, by point; of points that are shown.
    """

    first: date
    last: date
    points: Sequence[Record]
    samples: Sequence[Sample]
    before: Mapping[str, str]
    latest: Mapping[str, Sequence[Record]]


def gather(connection: Connection, first: date, last: date) -> Gathered:
    """Read points, the samples of a period, and the last ones."""
    points = page(connection, EXPOSURE_POINTS.id, limit=POINTS_MAX + 1)
    shown = page(connection, EXPOSURE_POINTS.id, limit=SHOWN_MAX, wanted=Wanted(states=[IN_USE]))
    ids = exposure.latest(connection, [one.code for one in shown])
    found = of_ids(connection, [which for each in ids.values() for which in each])
    return Gathered(
        first=first,
        last=last,
        points=points,
        samples=exposure.in_days(connection, first.isoformat(), last.isoformat()),
        before=exposure.last_before(connection, first.isoformat()),
        latest={code: [found[which] for which in each] for code, each in ids.items()},
    )


def sheet(found: Gathered, picture: Picture, today: date) -> dict[str, Any]:
    """Put the sheet together."""
    points = found.points[:POINTS_MAX]
    rates = rates_of(
        [_point(one) for one in points], found.samples, found.before, found.first.isoformat(), found.last.isoformat()
    )
    in_use = [one for one in points if one.values["state"] == IN_USE]
    told = [_told(one, found.latest.get(one.code, ()), picture, today) for one in in_use[:SHOWN_MAX]]
    findings = [finding for one in told for finding in one["findings"]]
    return {
        "formula": FORMULA.both(),
        "from": found.first.isoformat(),
        "until": found.last.isoformat(),
        "is_over": found.last < today,
        "is_whole": len(found.points) <= POINTS_MAX and len(in_use) <= SHOWN_MAX,
        "count": len(in_use),
        "points": told,
        "findings": findings[:FINDINGS_MAX],
        **_rates(rates, {one.code: one for one in points}),
    }


def _point(one: Record) -> Point:
    values = one.values
    return Point(
        code=one.code,
        unit=one.unit,
        factor=values["factor"],
        first_due=values["first_due"],
        every=int(values["every"]),
        cycle=values["cycle"],
        retired_on=values.get("retired_on", ""),
    )


def _rates(found: Grouped, points: Mapping[str, Record]) -> dict[str, Any]:
    missing = [points[code] for code in found.missing[:MISSING_SHOWN]]
    return {
        "total": _said(found.total),
        "units": [{"unit": unit, **_said(rates)} for unit, rates in found.units.items()],
        "factors": [{"factor": factor, **_said(rates)} for factor, rates in found.factors.items()],
        "missing": [{"id": one.id, "code": one.code, "place": one.title} for one in missing],
    }


def _said(rates: Rates) -> dict[str, Any]:
    return {
        "due": rates.due, "sampled": rates.sampled, "beyond": rates.beyond, "samples": rates.samples,
        "within": rates.within, "coverage_pct": rates.coverage_pct, "pass_pct": rates.pass_pct,
    }  # fmt: skip


def _told(one: Record, latest: Sequence[Record], picture: Picture, today: date) -> dict[str, Any]:
    values, limits = one.values, limits_of(one.values)
    kinds = []
    for name, limit in limits.items():
        tag = str(values.get(f"{name}_tag", ""))
        live, live_ns = live_of(picture, tag) if tag else (None, 0)
        of_kind = [each.values for each in latest if each.values["kind"] == name]
        worst = max(of_kind, key=lambda each: float(each["value"]), default=None)
        kinds.append(
            {
                "kind": name, "limit": limit, "tag": tag, "live": live, "live_ns": live_ns,
                "live_pct": None if live is None else round(100 * live / limit, 1),
                "value": None if worst is None else worst["value"],
                "is_below": bool(worst and worst.get("is_below")),
                "verdict": "" if worst is None else worst["verdict"],
            }
        )  # fmt: skip
    return {
        "id": one.id,
        "code": one.code,
        "place": one.title,
        "unit": one.unit,
        "factor": values["factor"],
        "cas": values.get("cas", ""),
        "eu": values["eu"],
        "posts": values["posts"],
        "sign": values["sign"],
        "last_on": values.get("last_on", ""),
        "next_due": values["next_due"],
        "kinds": kinds,
        "findings": [words.both() for words in _findings(one, kinds, latest, today)],
    }


def _findings(one: Record, kinds: list[dict[str, Any]], latest: Sequence[Record], today: date) -> list[Words]:
    values, at, day = one.values, f"{one.title} ({one.code})", today.isoformat()
    found = []
    if not values["sign"]:
        found.append(Words(f"{at}: no warning sign", f"{at}：未设警示标识"))
    if values["next_due"] < day:
        due = values["next_due"]
        found.append(Words(f"{at}: not sampled by {due}", f"{at}：超期未检测（期限 {due}）"))
    if values.get("notice_due", "9999") < day:
        due = values["notice_due"]
        found.append(Words(f"{at}: workers were to be told by {due}", f"{at}：告知已超期（期限 {due}）"))
    for each in (sample.values for sample in latest if sample.values["verdict"] == ABOVE):
        on, value, limit, eu = each["on"], f"{each['value']:g}", f"{each['limit']:g}", each["eu"]
        found.append(
            Words(f"{at}: {value} {eu} on {on}, above {limit}", f"{at}：{on} 检测 {value} {eu}，超过限值 {limit}")
        )
    return found + [words for kind in kinds for words in _live_findings(at, values, kind)]


def _live_findings(at: str, values: Mapping[str, Any], kind: Mapping[str, Any]) -> list[Words]:
    """Say what is to be looked at of one limit: its tag, and whether it is laxer than the table."""
    name, live, limit, eu, found = kind["kind"].upper(), kind["live"], kind["limit"], values["eu"], []
    if kind["tag"] and live is None:
        found.append(Words(f"{at}: {name} is not known now", f"{at}：{name} 当前值未知"))
    elif live is not None and live > limit:
        en = f"{at}: {name} is {live:g} {eu} now, above {limit:g}"
        found.append(Words(en, f"{at}：{name} 当前 {live:g} {eu}，超过限值 {limit:g}"))
    of_table = getattr(published(values), kind["kind"], None)
    if of_table is not None and limit > of_table:
        en = f"{at}: own {name} limit {limit:g} is laxer than {of_table:g} of the table"
        found.append(Words(en, f"{at}：自定 {name} 限值 {limit:g} 宽于内置限值 {of_table:g}"))
    return found
