"""Zone sheet: the consequence zones of an incident as a report prints them.

Flow: last revision of each zone, what persons said of it -> [zone_blocks] -> situation and after-action report
Why: a distance on paper outlives the screen that it was read from; unit, source and what is doubtful go with it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, func, select

from alerting.push.words import quality_zh
from alerting.register.field import Words
from gateway.config import Site
from gateway.report.blocks import Block
from gateway.response.incidents import SELF
from gateway.response.zones import CONFIRMED, acts_of, last_of
from gateway.store.schema import zone_revision

#: From here on the models no longer hold, and a distance is at least that, m (docs/zones.md).
FAR_M: Final = 10_000
ROLES: Final = {
    "temperature": Words("temperature", "温度"), "pressure": Words("pressure", "压力"), "level": Words("level", "液位"),
    "stock": Words("stock", "存量"), "rate": Words("measured rate", "实测泄漏速率"),
    "wind_speed": Words("wind speed", "风速"), "wind_from": Words("wind from", "风向（来向）"),
    "sun": Words("solar radiation", "太阳辐射"), "sigma_theta": Words("σθ of the wind", "风向标准差 σθ"),
    "air_temperature": Words("air temperature", "气温"),
}  # fmt: skip
STATES: Final = {
    "live": Words("live", "实时"), "fixed": Words("fixed in the configuration", "配置固定值"),
    "asked": Words("set by a person", "人工设定"), "old": Words("old: last known value", "过期：最后已知值"),
    "unknown": Words("not known", "未知"),
}  # fmt: skip
MODELS: Final = {"gaussian": Words("Gaussian", "高斯"), "heavy": Words("heavy gas", "重气")}
SCREENING: Final = Words(
    "Screening, not prediction; heat and blast are not in it. Up to 10 km the models hold.",
    "筛查结果，不是预测；不含热辐射和爆炸冲击波。模型适用至 10 km。",
)


def zone_blocks(connection: Connection, site: Site, numbers: Sequence[int], language: str) -> list[Block]:
    """Write the last revision of each zone of incidents: its levels, and what they were worked out with."""
    found: list[Block] = []
    for _, row in sorted(last_of(connection, numbers).items()):
        body = orjson.loads(row["body"])
        title = body["title"].get(language) or body["zone"]
        if not body["refused"]:
            found.append(_levels(body, title, zh=language == "zh"))
        found.append(_facts(connection, site, row, body, title, language))
    return found


def _levels(body: dict[str, Any], title: str, *, zh: bool) -> Block:
    rows = tuple(
        (
            one["name"],
            f"{one['value']:g} {one['eu']}",
            _metres(one, zh=zh),
            _persons(one, zh=zh),
            f"{_holds(one, zh=zh)} ({_word(MODELS, one['model'], zh=zh)})",
        )
        for one in body["levels"]
    )
    header = (
        ("限值", "浓度", "影响距离", "区内人数", "是否适用（模型）")
        if zh
        else ("Level", "Amount", "Distance", "Persons inside", "Holds (model)")
    )
    heading = f"危害区：{title}" if zh else f"Consequence zone: {title}"
    return Block(heading=heading, header=header, rows=rows, note=SCREENING.zh if zh else SCREENING.en)


def _facts(
    connection: Connection, site: Site, row: RowMapping, body: dict[str, Any], title: str, language: str
) -> Block:
    zh = language == "zh"

    def word(en: str, zh_said: str) -> str:
        return zh_said if zh else en

    table = zone_revision.c
    count = connection.scalar(select(func.count()).where(table.incident == row["incident"], table.zone == row["zone"]))
    by = word("by itself", "自动") if row["who"] == SELF else row["who"]
    substance = body["substance"]
    rows = [
        (word("Worked out", "计算时间"), f"{_clock(site, row['time_ns'])} ({by})"),
        (word("Revision, of so many", "修订号，共"), f"{row['number']}, {count}"),
        (word("Substance", "物质"), f"{substance[language]} (CAS {substance['cas']})"),
    ]
    if body["refused"]:
        rows.append((word("No zone", "无法计算"), _said(body["refused"], zh=zh)))
    release = body["release"]
    if release:
        hole = word(f"round hole of {body['hole_mm']} mm", f"圆孔 {body['hole_mm']} mm")
        basis = word("by the balance", "按物料或管线平衡") if release["basis"] == "measured" else hole
        rate = f"{release['rate_kg_s']:.4g} kg/s, {word('airborne', '进入空气')} {release['airborne_kg_s']:.4g} kg/s"
        rows.append((word("Release", "泄漏"), f"{rate}, {release['duration_s'] / 60:.3g} min ({basis})"))
    rows.append((word("Weather", "气象"), "; ".join(_wind(one, zh=zh) for one in body["weather"])))
    rows.append((word("Inputs", "输入"), "; ".join(_input(one, zh=zh) for one in body["inputs"])))
    rows.append((word("Assumed", "假定"), " ".join(_said(one, zh=zh) for one in body.get("assumed", []))))
    doubts = [_said(one, zh=zh) for level in body["levels"] for one in (*level["doubts"], *level["unverified"])]
    rows.append((word("Doubtful or unverified", "疑点与未核实"), " ".join(dict.fromkeys(doubts)) or "–"))
    rows.append((word("Sources of the levels", "限值出处"), "; ".join(_sources(body, zh=zh)) or "–"))
    rows.append((word("Confirmed for notices", "确认用于通报"), _confirmed(connection, site, row, zh=zh)))
    heading = f"危害区计算依据：{title}" if zh else f"Behind the zone: {title}"
    return Block(heading=heading, header=(word("Item", "项目"), word("Content", "内容")), rows=tuple(rows))


def _confirmed(connection: Connection, site: Site, row: RowMapping, *, zh: bool) -> str:
    acts = acts_of(connection, row["incident"])
    if not acts or acts[-1]["what"] != CONFIRMED:
        return "无人确认，通报中不含危害区" if zh else "by nobody; notices carry no zone"
    last = acts[-1]
    said = f"{last['level']}, {last['who']}, {_clock(site, last['time_ns'])}, {last['reason']}"
    return f"{said}（修订 {last['revision']}）" if zh else f"{said} (revision {last['revision']})"


def _metres(one: dict[str, Any], *, zh: bool) -> str:
    if not one["outline"] or one["distance_m"] is None:
        return "无范围" if zh else "nowhere"
    return f"{'≥ ' if one['distance_m'] >= FAR_M else ''}{one['distance_m']:.0f} m"


def _persons(one: dict[str, Any], *, zh: bool) -> str:
    people = one["people"]
    if not one["outline"]:
        return "–"
    if not people["counted"] and not people["neighbours"] and not people["unplaced"]:
        return "无计数" if zh else "not counted"
    least = "" if people["is_whole"] else ("（至少）" if zh else " (at least)")
    return f"{people['persons']:g}{least}"


def _holds(one: dict[str, Any], *, zh: bool) -> str:
    if one["is_valid"]:
        return "适用" if zh else "yes"
    if one["doubts"]:
        return "不适用" if zh else "no"
    return "未经核实" if zh else "unverified"


def _wind(one: dict[str, Any], *, zh: bool) -> str:
    letter = f"稳定度 {one['stability']}" if zh else f"stability {one['stability']}"
    if one["from_deg"] is None:
        way = "所有风向" if zh else "all directions"
    else:
        way = f"来向 {one['from_deg']:.0f}°" if zh else f"from {one['from_deg']:.0f}°"
    return f"{one['wind_m_s']:.1f} m/s, {letter}, {way}"


def _input(one: dict[str, Any], *, zh: bool) -> str:
    value = "–" if one["value"] is None else f"{one['value']:g} {one['eu']}"
    quality = quality_zh(one["quality"]) if zh else one["quality"]
    about = ", ".join(filter(None, (one["tag"], _word(STATES, one["state"], zh=zh), quality)))
    return f"{_word(ROLES, one['role'], zh=zh)} {value} ({about})"


def _sources(body: dict[str, Any], *, zh: bool) -> list[str]:
    return list(dict.fromkeys(_said(one["source"], zh=zh) for one in body["levels"]))


def _said(one: dict[str, str], *, zh: bool) -> str:
    return one["zh"] if zh else one["en"]


def _word(words: dict[str, Words], code: str, *, zh: bool) -> str:
    found = words.get(code)
    return code if found is None else (found.zh if zh else found.en)


def _clock(site: Site, at_ns: int) -> str:
    at = datetime.fromtimestamp(at_ns // 1_000_000_000, ZoneInfo(site.timezone))
    return at.strftime("%Y-%m-%d %H:%M:%S")
