"""Worksheet of a hazard unit: its records and live values put into GB 18218-2018, with what does not fit together.

Flow: dossier and holdings (store), live values (picture) -> [work out] -> sheet with findings -> page, print
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from alerting.register.field import Words
from alerting.register.gb18218.tables import EDITION, SOURCE
from alerting.register.gb18218.worksheet import Holding, Line, Worksheet, work_out
from alerting.register.ledgers.holdings import holding_of
from alerting.register.ledgers.surroundings import COUNTED_M, SURROUNDINGS
from alerting.register.ledgers.units import UNITS
from edge.model import quality
from gateway.live import Picture, iso
from gateway.register.reading import Wanted, of_codes, page
from gateway.register.record import NotDone, Record

HOLDINGS_MAX: Final = 500
ROMAN: Final = ("–", "I", "II", "III", "IV")
HAN: Final = ("–", "一", "二", "三", "四")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the store says of a hazard unit."""

    dossier: Record
    holdings: Sequence[Record]
    around: Sequence[Record] = ()


def gather(connection: Connection, code: str) -> Gathered:
    """Read the dossier of a hazard unit and its holdings.

    Raises:
        NotDone: There is no such dossier.
    """
    dossier = of_codes(connection, UNITS.id, [code]).get(code)
    if dossier is None:
        raise NotDone(
            "not_there", Words(f"There is no hazard unit {code} in the register.", f"台账中没有单元 {code}。")
        )
    return Gathered(
        dossier=dossier,
        holdings=page(connection, "holdings", limit=HOLDINGS_MAX, wanted=Wanted(refers_to=(UNITS.id, code))),
        around=page(connection, SURROUNDINGS.id, limit=HOLDINGS_MAX, wanted=Wanted(refers_to=(UNITS.id, code))),
    )


def live_of(picture: Picture, tag: str) -> tuple[float | None, int]:
    """Give a tag's live value, None where it is not known now, and its time in ns."""
    row = picture.site.tags.row_of.get(tag)
    if row is None or quality.is_bad(picture.quality[row : row + 1])[0]:
        return None, 0
    return float(picture.values[row]), int(picture.times_ns[row])


def put_together(gathered: Gathered, picture: Picture, today: date) -> dict[str, Any]:
    """Work out the sheet, with live values beside it and what does not fit together; on the event loop."""
    dossier = gathered.dossier
    lines: list[Holding] = []
    times: dict[str, int] = {}
    for one in gathered.holdings:
        live_t, time_ns = live_of(picture, str(one.values.get("live_tag", "")))
        times[one.code] = time_ns
        lines.append(holding_of(one.values, live_t))
    sheet = work_out(lines, int(dossier.values["persons_outside"]))
    tags = {one.code: str(one.values.get("live_tag", "")) for one in gathered.holdings}
    found = _findings(dossier, sheet, picture, today, tags) + _around(gathered, sheet.persons_outside)
    return {
        "edition": EDITION,
        "source": SOURCE,
        "unit": {"code": dossier.code, "name": dossier.title, "id": dossier.id, "site_unit": dossier.unit},
        "persons_outside": sheet.persons_outside,
        "lines": [_line(line, tags[line.holding.code], times[line.holding.code]) for line in sheet.lines],
        "s": sheet.s,
        "is_major": sheet.is_major,
        "alpha": sheet.alpha,
        "r": sheet.r,
        "grade": sheet.grade,
        "r_live": sheet.r_live,
        "live_known": sheet.live_known,
        "findings": [{"what": what, "said": said.both()} for what, said in found],
    }


def _line(line: Line, tag: str, time_ns: int) -> dict[str, Any]:
    return {
        "code": line.holding.code,
        "substance": line.holding.substance,
        "cas": line.holding.cas,
        "design_t": line.holding.design_t,
        "filed_t": line.holding.filed_t,
        "critical_t": line.critical_t,
        "critical_from": line.critical_from,
        "ratio": line.ratio,
        "beta": line.beta,
        "beta_from": line.beta_from,
        "part": line.part,
        "live_tag": tag,
        "live_t": line.holding.live_t,
        "live_part": line.live_part,
        "live_time": iso(time_ns),
    }


def _around(gathered: Gathered, persons: int) -> list[tuple[str, Words]]:
    """Say where the surroundings hold more persons than the count that gives alpha; fewer are no finding."""
    near = [one for one in gathered.around if one.values["distance_m"] <= COUNTED_M]
    there = sum(int(one.values.get("persons", 0)) for one in near)
    if there <= persons:
        return []
    said = Words(
        f"The surroundings name {there} persons within {COUNTED_M} m, the dossier counts {persons}; "
        "alpha may be higher.",
        f"周边环境中 {COUNTED_M} m 内共 {there} 人，档案填写 {persons} 人，α 可能偏低。",
    )
    return [("surroundings", said)]


def _findings(
    dossier: Record, sheet: Worksheet, picture: Picture, today: date, tags: dict[str, str]
) -> list[tuple[str, Words]]:
    """Say what does not fit together, the gravest first. Upwards only: less than filed is no finding."""
    found: list[tuple[str, Words]] = []
    for line in sheet.lines:
        one = line.holding
        if one.live_t is not None and one.live_t > one.design_t:
            found.append(
                (
                    "live_above_design",
                    Words(
                        f"{one.substance}: {one.live_t:.4g} t are there now, "
                        f"above the design maximum of {one.design_t:g} t.",
                        f"{one.substance}：实时存量 {one.live_t:.4g} t，超过设计最大量 {one.design_t:g} t。",
                    ),
                )
            )
        elif one.filed_t is not None and one.live_t is not None and one.live_t > one.filed_t:
            found.append(
                (
                    "live_above_filed",
                    Words(
                        f"{one.substance}: {one.live_t:.4g} t are there now, above the filed {one.filed_t:g} t.",
                        f"{one.substance}：实时存量 {one.live_t:.4g} t，超过备案量 {one.filed_t:g} t。",
                    ),
                )
            )
        if one.filed_t is not None and one.design_t > one.filed_t:
            found.append(
                (
                    "design_above_filed",
                    Words(
                        f"{one.substance}: the design maximum of {one.design_t:g} t is above the {one.filed_t:g} t "
                        "that were filed.",
                        f"{one.substance}：设计最大量 {one.design_t:g} t 超过备案量 {one.filed_t:g} t。",
                    ),
                )
            )
        elif one.filed_t is None and dossier.values.get("filing_number"):
            found.append(
                (
                    "not_filed",
                    Words(f"{one.substance} is not among what was filed.", f"{one.substance} 未列入备案物质。"),
                )
            )
        if tags[one.code] and one.live_t is None:
            found.append(
                (
                    "live_unknown",
                    Words(
                        f"{one.substance}: {tags[one.code]} has no good value; what is there now is unknown.",
                        f"{one.substance}：{tags[one.code]} 无有效值，实时存量未知。",
                    ),
                )
            )
    found += _of_dossier(dossier, sheet, picture, today)
    return found


def _of_dossier(dossier: Record, sheet: Worksheet, picture: Picture, today: date) -> list[tuple[str, Words]]:
    found: list[tuple[str, Words]] = []
    values = dossier.values
    filed = str(values.get("filed_grade", ""))
    worked_out = str(sheet.grade) if sheet.grade else "none"
    if filed and filed != worked_out:
        found.append(
            (
                "grade_differs",
                Words(
                    f"Filed as {_grade(filed).en}, worked out as {_grade(worked_out).en}.",
                    f"备案为{_grade(filed).zh}，计算结果为{_grade(worked_out).zh}。",
                ),
            )
        )
    site_unit = next((unit for unit in picture.site.units if unit.id == dossier.unit), None)
    if site_unit is not None and site_unit.grade != sheet.grade:
        said = _grade(str(site_unit.grade or "none"))
        found.append(
            (
                "site_grade_differs",
                Words(
                    f"The site's configuration says {said.en} of unit {site_unit.id}.",
                    f"站点配置中单元 {site_unit.id} 为{said.zh}。",
                ),
            )
        )
    if sheet.is_major and not values.get("filing_number") and not values.get("closed_on"):
        found.append(
            (
                "not_registered",
                Words(
                    "A major hazard source is filed with the authority; no filing number stands here.",
                    "重大危险源应向主管部门备案，档案中没有备案编号。",
                ),
            )
        )
    until = str(values.get("filed_until", ""))
    if until and until < today.isoformat():
        found.append(("filing_over", Words(f"The filing was valid until {until}.", f"备案有效期至 {until}，已过期。")))
    if sheet.is_major and not all(values.get(f"{who}_person") for who in ("main", "technical", "operation")):
        found.append(
            (
                "persons_missing",
                Words("Not all three responsible persons are named.", "包保责任人（主要、技术、操作）未全部填写。"),
            )
        )
    return found


def _grade(code: str) -> Words:
    if code == "none":
        return Words("no major hazard source", "不构成重大危险源")
    return Words(f"grade {ROMAN[int(code)]}", f"{HAN[int(code)]}级重大危险源")
