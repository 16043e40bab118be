"""Blocks: the figures of a report as tables in one language; workbook, HTML and PDF are made of the same.

Flow: figures of ``gather`` -> [blocks_of] -> title, lines of text, tables
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from alerting.model.tier import Tier
from alerting.register.dynamic import TIER_WORDS
from alerting.register.field import Words
from alerting.register.ledgers.hidden_hazards import HIDDEN_HAZARDS
from gateway.config import Site

EN, ZH = 0, 1
Cell = str | float


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One table under its heading.

    Attributes:
        note: A sentence below the heading: where the figures come from; empty for none.
    """

    heading: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report in one language."""

    title: str
    lines: tuple[str, ...]
    blocks: tuple[Block, ...]
    language: str


LOTS: Final = {
    "exposed": Words("major hidden hazards exposed", "曝光重大隐患"),
    "punished": Words("typical violations punished", "惩处典型违法行为"),
    "blacklisted": Words("units on the black list notified", "通报黑名单企业"),
    "banned": Words("illegal units banned", "取缔非法企业"),
    "closed": Words("unfit units closed", "关闭不具备条件企业"),
}
CAUSES: Final = {
    "real": Words("real", "真实报警"),
    "false": Words("false", "误报"),
    "maintenance": Words("maintenance", "检维修引起"),
    "instrument": Words("instrument", "仪表故障"),
    "": Words("not said", "未处置或未说明"),
}
BY: Final = {
    "class": Words("class", "级别"),
    "source": Words("found by", "来源"),
    "type": Words("type", "类型"),
    "cause_class": Words("class of the cause", "原因类别"),
    "state": Words("state now", "当前状态"),
}


def percent(share: float | None) -> str:
    """Write a share; a dash where there is nothing to share."""
    return "–" if share is None else f"{share * 100:.1f} %"


def blocks_of(told: Mapping[str, Any], site: Site, language: str) -> Report:
    """Put a report together."""
    at = ZH if language == "zh" else EN

    def word(en: str, zh: str) -> str:
        return (en, zh)[at]

    title = word(
        f"Hidden hazards, disposals and effect: {told['title']['en']}",
        f"隐患排查治理与报警处置报告（{told['title']['zh']}）",
    )
    lines = [
        word("Site", "站点") + f": {site.title.get(language) or site.id}",
        word("Days", "统计日期") + f": {told['from']} – {told['to']}",
    ]
    if not told["is_over"]:
        lines.append(word("The period is not over; the figures will change.", "统计期尚未结束，数据仍会变化。"))
    if not told["is_whole"]:
        lines.append(word("There is more than is counted at once: not whole.", "数量超过一次统计上限：不完整。"))
    hazards, patterns = told["hazards"], told["patterns"]
    blocks = (
        _hazards(hazards, at), _by(hazards, at), _lots(told["lots"], at), _disposals(told["disposals"], at),
        _effect(told, at), _hours(patterns, at), _patterns(patterns, site, at), _districts(told["districts"], at),
        _repeats(hazards, at),
    )  # fmt: skip
    return Report(
        title=title, lines=tuple(lines), blocks=tuple(block for block in blocks if block.rows), language=language
    )


def _block(
    at: int, heading: Words, header: Sequence[Words], rows: Sequence[Sequence[Cell]], note: Words | None = None
) -> Block:
    return Block(
        heading=heading[at], header=tuple(one[at] for one in header), rows=tuple(tuple(row) for row in rows),
        note=note[at] if note else "",
    )  # fmt: skip


FIGURE: Final = (Words("Figure", "指标"), Words("Value", "数值"))


def _hazards(told: Mapping[str, Any], at: int) -> Block:
    listed = sum(told["listed"].values())
    rows: list[tuple[Words, Cell]] = [
        (Words("found", "发现隐患"), told["found"]),
        (Words("of these major", "其中重大隐患"), told["found_major"]),
        (Words("opened by rule", "按规则自动登记"), told["by_rule"]),
        (Words("closed", "销号隐患"), told["closed"]),
        (Words("of the found closed by now", "整改率"), percent(told["closed_of_found"])),
        (Words("due", "到期隐患"), told["due"]),
        (Words("of the due accepted in time", "按期验收率"), percent(told["in_time"])),
        (Words("open now", "当前未销号"), told["open"]),
        (Words("overdue now", "当前逾期"), told["overdue"]),
        (Words("listed under supervision now", "当前挂牌督办"), listed),
        (Words("found again", "重复隐患"), told["repeated"]),
    ]
    return _block(at, Words("Hidden hazards", "隐患排查治理"), FIGURE, [(title[at], value) for title, value in rows])


def _by(told: Mapping[str, Any], at: int) -> Block:
    rows: list[tuple[Cell, ...]] = []
    for name, title in BY.items():
        titles = {choice.code: choice.title for choice in HIDDEN_HAZARDS.field(name).choices}
        nothing = Words("not said", "未填写")
        rows += [(title[at], titles.get(code, nothing)[at], count) for code, count in told["by"][name].items()]
    header = (Words("By", "分类"), Words("What", "项目"), Words("Found", "发现"))
    return _block(at, Words("What was found", "隐患分类统计"), header, rows)


def _lots(told: Sequence[Mapping[str, Any]], at: int) -> Block:
    rows = []
    for one in told:
        source = (
            Words("from the register", "台账统计")
            if one["from"] == "register"
            else Words("entered by hand", "人工填报")
        )
        missing = Words(f"; nothing entered for {', '.join(one['missing'])}", f"；{'、'.join(one['missing'])} 未填报")
        cases = "; ".join(one["cases"][:10])
        rows.append((LOTS[one["lot"]][at], one["count"], source[at] + (missing[at] if one["missing"] else ""), cases))
    header = (Words("Lot", "一批"), Words("Count", "数量"), Words("From", "来源"), Words("Typical cases", "典型案例"))
    note = Words("Black-listed units are those of today.", "黑名单企业为当前数。")
    return _block(at, Words("The five lots", "五个一批"), header, rows, note)


def _disposals(told: Mapping[str, Any], at: int) -> Block:
    rows: list[tuple[Cell, ...]] = [
        (Words("opened", "应处置报警")[at], told["opened"]),
        (Words("done", "已处置")[at], told["done"]),
        (Words("done in time", "按时处置率")[at], percent(told["rate"])),
        (Words("open and overdue now", "当前超时未处置")[at], told["overdue"]),
    ]
    rows += [(CAUSES[cause][at], count) for cause, count in told["causes"].items()]
    rows += [(TIER_WORDS[Tier[tier]][at], count) for tier, count in told["by_tier"].items()]
    return _block(at, Words("Disposal of alarms", "报警处置"), FIGURE, rows)


def _effect(told: Mapping[str, Any], at: int) -> Block:
    score, looked = told["effect"], told["inspections"]

    def number(value: float | None) -> str:
        return "–" if value is None else f"{value:.1f}"

    rows = [
        (Words("inspections done / planned", "排查任务 完成/应完成")[at], f"{looked['done']} / {looked['planned']}"),
        (Words("A (inspections, of 50)", "A（排查任务，50分）")[at], number(score["tasks"])),
        (Words("B (hidden hazards, of 50)", "B（隐患治理，50分）")[at], number(score["hazards"])),
        ("α", "0" if score["is_vetoed"] else "1"),
        ("E = (A + B)·α", number(score["score"])),
    ]
    note = Words(
        "Unverified: a provincial rule as it is quoted publicly. Where one half has nothing to judge, "
        "the other counts twice (ours).",
        "未经核实：公开资料引用的地方评分方法；其中一项无数据时另一项加倍计（产品约定）。",
    )
    return _block(at, Words("Effect of dual prevention", "双重预防机制运行效果"), FIGURE, rows, note)


def _hours(told: Mapping[str, Any], at: int) -> Block:
    rows = [
        (
            f"{hour:02d}:00–{hour + 1:02d}:00",
            told["hours"][hour],
            f"{hour + 12:02d}:00–{hour + 13:02d}:00",
            told["hours"][hour + 12],
        )
        for hour in range(12)
    ]
    header = (Words("Hour", "时段"), Words("Alarms", "报警数"), Words("Hour", "时段"), Words("Alarms", "报警数"))
    heading = Words("Patterns: alarms by hour", "规律可循：按时段")
    return _block(at, heading, header, rows if told["alarms"] else [])


def _patterns(told: Mapping[str, Any], site: Site, at: int) -> Block:
    language = ("en", "zh")[at]
    shifts = {one.id: one.title.get(language) or one.id for one in site.roster.shifts}
    units = {one.id: one.title.get(language) or one.id for one in site.units}
    none = Words("outside every shift", "班次以外")[at]
    rows: list[tuple[Cell, ...]] = [
        (Words("shift", "班次")[at], shifts.get(name, name) or none, count) for name, count in told["shifts"].items()
    ]
    rows += [(Words("cause", "原因")[at], CAUSES[cause][at], count) for cause, count in told["causes"].items() if count]
    rows += [
        (Words("unit", "单元")[at], units.get(one["unit"], one["unit"]) or "–", one["alarms"]) for one in told["units"]
    ]
    header = (Words("By", "分类"), Words("What", "项目"), Words("Alarms", "报警数"))
    return _block(at, Words("Patterns: alarms by shift, cause and unit", "规律可循：按班次、原因、单元"), header, rows)


def _districts(told: Sequence[Mapping[str, Any]], at: int) -> Block:
    none = Words("no district said", "未填写区域")[at]
    rows = [
        (
            number,
            one["district"] or none,
            one["found"],
            one["major"],
            one["closed"],
            percent(one["rate"]),
            one["overdue"],
        )
        for number, one in enumerate(told, start=1)
    ]
    header = (
        Words("No.", "序号"), Words("District", "区域"), Words("Found", "发现"), Words("Major", "重大"),
        Words("Closed", "销号"), Words("Closed of found", "整改率"), Words("Overdue", "逾期"),
    )  # fmt: skip
    note = Words("The lowest share of closed ones stands first.", "整改率低者在前。")
    return _block(at, Words("Ranking by district", "区域排名"), header, rows, note)


def _repeats(told: Mapping[str, Any], at: int) -> Block:
    rows = [
        (one["found_on"], f"{one['code']} {one['title']}", one["place"], f"{one['before']['code']}", one["days"])
        for one in told["repeats"]
    ]
    header = (
        Words("Found on", "发现日期"), Words("Hidden hazard", "隐患"), Words("Unit", "单元"),
        Words("Came before", "上一次"), Words("Days between", "相隔天数"),
    )  # fmt: skip
    return _block(at, Words("Found again", "重复隐患"), header, rows)
