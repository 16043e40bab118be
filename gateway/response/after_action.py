"""After-action report of an incident: what rang, what was measured, who did what and when, what was learned.

Flow: incident, events, history -> [rang, measured] -> [after_action] -> report in one language -> PDF or HTML
Why: whoever judges a response a week later has alarms, values and timeline in one paper, not three screens.
Source: that a response is summed up and assessed after its end: 生产安全事故应急条例 (State Council order 708), from
    memory, unverified; which sections it has is ours.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from sqlalchemy import Connection, RowMapping, and_, or_, select

from alerting.model.event import What
from alerting.model.tier import Tier
from alerting.push.words import TIER_ZH, condition_said
from alerting.register.field import Words
from alerting.register.ledgers.lessons import STATES as LESSON_STATES
from gateway.api.house import Past
from gateway.config import Site
from gateway.report.blocks import Block, Report
from gateway.response.incident_shown import alarms_of
from gateway.response.incidents import ENDED, MERGED, OPEN, Refused, get, merged_of, timeline
from gateway.response.lessons import lessons_of
from gateway.response.situation import (
    calls_block,
    clock_said,
    elements,
    headquarters_block,
    limit_eu,
    resources_block,
    rolls_block,
    tasks_block,
    timeline_block,
)
from gateway.response.tasks import RESTART, tasks_of
from gateway.response.zone_sheet import zone_blocks
from gateway.store.schema import event

MINUTE_NS: Final = 60_000_000_000
#: Before the incident opened, so that it is seen how it came.
BEFORE_NS: Final = 10 * MINUTE_NS
#: Alarms and tags that a report holds; what is more is said.
ALARMS_MAX: Final = 500
TAGS_MAX: Final = 60
POINTS: Final = 500
CHUNK: Final = 500


@dataclass(slots=True, kw_only=True)
class Rang:
    """One alarm of an incident, as its events tell it.

    Attributes:
        value, setpoint: When it rang first, or None.
    """

    alarm: str
    tag: str
    condition: str
    value: float | None
    setpoint: float | None
    tier: Tier
    since_ns: int
    acked_ns: int = 0
    over_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a tag did while the incident lasted; None where it has no value that is not BAD.

    Attributes:
        samples: Behind it.
    """

    tag: str
    eu: str
    first: float | None = None
    least: float | None = None
    most: float | None = None
    most_ns: int = 0
    last: float | None = None
    samples: int = 0


def over(connection: Connection, number: int) -> RowMapping:
    """Give an incident that is over.

    Raises:
        Refused: There is none, it is open, or it went on in another one.
    """
    one = get(connection, number)
    if one["state"] == OPEN:
        en = f"Incident {number} is open; its after-action report comes after stand-down."
        raise Refused("not_over", Words(en, f"{number} 号事件尚未终止响应，终止后才能生成总结报告。"))
    if one["state"] == MERGED:
        into = one["merged_into"]
        en = f"Incident {number} was merged into {into}; its report is there."
        raise Refused("merged", Words(en, f"{number} 号事件已并入 {into} 号，请查看该事件的总结报告。"))
    assert one["state"] == ENDED, one["state"]
    return one


def rang(connection: Connection, one: RowMapping) -> list[Rang]:
    """Give the alarms of an incident and of what was merged into it, from when they rang on, the first first.

    They are those of its register entry, and those that rang in its unit while it lasted.
    """
    rows = [one, *(get(connection, each) for each in merged_of(connection, one["number"]))]
    found: dict[str, Rang] = {}
    for row in rows:
        known = alarms_of(connection, row)
        until_ns = one["ended_ns"] or row["ended_ns"]
        c = event.c
        while_it_lasted = and_(
            c.unit == row["unit"], c.nature == row["nature"], c.received_ns >= row["opened_ns"],
            *([c.received_ns <= until_ns] if until_ns else []),
        )  # fmt: skip
        for at in range(0, max(len(known), 1), CHUNK):
            query = select(event).where(
                c.alarm != "", c.is_late.is_(False), or_(while_it_lasted, c.alarm.in_(known[at : at + CHUNK]))
            )
            _take(found, connection.execute(query.order_by(c.seq)).mappings())
    return sorted((each for each in found.values() if each.since_ns), key=lambda each: (each.since_ns, each.alarm))


def _take(found: dict[str, Rang], events: Iterable[RowMapping]) -> None:
    for row in events:
        one = found.setdefault(
            row["alarm"],
            Rang(
                alarm=row["alarm"], tag=row["tag"], condition=row["condition"], value=None, setpoint=None,
                tier=Tier.NONE, since_ns=0,
            ),
        )  # fmt: skip
        what = What(row["what"])
        one.tier = max(one.tier, Tier(row["tier"]))
        if what is What.RAISED and not one.since_ns:
            one.since_ns, one.value, one.setpoint = row["time_ns"], row["value"], row["setpoint"]
        elif what is What.REALARMED:
            one.over_ns = 0
            one.since_ns = one.since_ns or row["time_ns"]
        elif what is What.ACKNOWLEDGED and not one.acked_ns:
            one.acked_ns = row["received_ns"]
        elif what is What.RETURNED:
            one.over_ns = row["time_ns"]


async def measured(
    past: Past, site: Site, units: Sequence[str], first: Sequence[str], from_ns: int, to_ns: int
) -> list[Measured]:
    """Give what the tags of units did over a span, at most so many; those that rang come first."""
    names = [tag.name for tag in site.tags if tag.unit in units]
    there = set(names)
    order = [name for name in dict.fromkeys([*first, *names]) if name in there][:TAGS_MAX]
    found = []
    for name in order:
        row = site.tags.row_of[name]
        series = await past.range(row, from_ns, max(to_ns, from_ns + 1), POINTS)
        sound = np.isfinite(series.values) & (series.count > 0)
        if not sound.any():
            found.append(Measured(tag=name, eu=site.tags[row].eu))
            continue
        most = int(np.nanargmax(np.where(sound, series.max, -np.inf)))
        values = series.values[sound]
        found.append(
            Measured(
                tag=name, eu=site.tags[row].eu, first=float(values[0]), least=float(series.min[sound].min()),
                most=float(series.max[most]), most_ns=int(series.times_ns[most]), last=float(values[-1]),
                samples=int(series.count.sum()),
            )
        )  # fmt: skip
    return found


def after_action(
    connection: Connection, site: Site, number: int, values: Sequence[Measured], now_ns: int, language: str
) -> Report:
    """Put the report together.

    Args:
        values: Of ``measured``.

    Raises:
        Refused: There is no such incident, or it is not over.
    """
    zh = language == "zh"
    one = over(connection, number)
    merged = merged_of(connection, number)
    lines = timeline(connection, number)
    every = sorted(
        [*lines, *(line for each in merged for line in timeline(connection, each))],
        key=lambda line: (line["time_ns"], line["incident"], line["place"]),
    )
    blocks = (
        Block(
            heading="事件概况" if zh else "What happened",
            header=("项目", "内容") if zh else ("Item", "Content"),
            rows=(*_ended(site, one, language), *elements(connection, site, one, lines, language)),
            note="由系统按登记内容、报警和历史数据生成；未登记的项目标注为“未填报”。"
            if zh
            else "Made of what was entered, the alarms and the history; what nobody entered is said so.",
        ),
        _course(connection, one, [number, *merged], every, language),
        _alarms(site, rang(connection, one), language),
        _values(site, one, values, language),
        *zone_blocks(connection, site, [number, *merged], language),
        headquarters_block(connection, site, [number, *merged], language),
        calls_block(connection, site, [number, *merged], language),
        rolls_block(connection, site, [number, *merged], language),
        resources_block(connection, site, [number, *merged], language),
        tasks_block(connection, site, number, language),
        tasks_block(connection, site, number, language, RESTART),
        timeline_block(site, every, language),
        _lessons(connection, one, language),
    )
    title = f"{number} 号事件应急处置总结报告" if zh else f"Incident {number}: after-action report"
    made = f"{site.title.get(language) or site.id} · {clock_said(site, now_ns)} ({site.timezone})"
    return Report(title=title, lines=(made,), blocks=tuple(block for block in blocks if block.rows), language=language)


def _ended(site: Site, one: RowMapping, language: str) -> list[tuple[str, str]]:
    zh = language == "zh"
    lasted = (one["ended_ns"] - one["opened_ns"]) / MINUTE_NS
    return [
        ("响应终止" if zh else "Stand-down", f"{clock_said(site, one['ended_ns'])} ({one['ended_by']})"),
        ("持续时间" if zh else "It lasted", f"{lasted:.1f} min"),
        *([("恢复运行" if zh else "Return of the unit", _returned(site, one, zh=zh))] if one["restart"] else []),
    ]


def _returned(site: Site, one: RowMapping, *, zh: bool) -> str:
    if not one["returned_ns"]:
        return "尚未批准" if zh else "not allowed yet"
    return f"{clock_said(site, one['returned_ns'])} ({one['returned_by']})"


def _course(
    connection: Connection,
    one: RowMapping,
    numbers: Sequence[int],
    lines: Sequence[RowMapping],
    language: str,
) -> Block:
    """Say how soon things came, counted from the opening, and what was done, late or left."""
    zh = language == "zh"
    tasks = tasks_of(connection, numbers)
    done = [task for task in tasks if task["state"] == "done"]
    late = sum(task["done_ns"] > task["due_ns"] for task in done)
    count = {what: sum(line["what"] == what for line in lines) for what in ("consultation", "call", "reported")}

    def first(*what: str) -> str:
        times = [line["time_ns"] for line in lines if line["what"] in what]
        return "–" if not times else f"{(min(times) - one['opened_ns']) / MINUTE_NS:.1f} min"

    rows = [
        ("首次指定指挥人" if zh else "A commander, first", first("command")),
        ("首个步骤或行动完成" if zh else "The first step or action done", first("step_done", "action")),
        ("首次信息报告" if zh else "Reported, first", first("reported")),
        (
            "步骤完成 / 其中超时 / 总数" if zh else "Steps done / of these late / of all",
            f"{len(done)} / {late} / {len(tasks)}",
        ),
        ("会商、通话、信息报告次数" if zh else "Consultations, calls, reports", ", ".join(map(str, count.values()))),
    ]  # fmt: skip
    note = "自事件启动起计时。" if zh else "Counted from the opening."
    header = ("项目", "数值") if zh else ("Item", "Value")
    return Block(heading="响应过程" if zh else "Course", header=header, rows=tuple(rows), note=note)


def _said(value: float | None, eu: str) -> str:
    return "–" if value is None else f"{value + 0.0:.6g} {eu}".strip()  # A zero has no sign.


def _alarms(site: Site, found: Sequence[Rang], language: str) -> Block:
    zh = language == "zh"
    rows = []
    for one in found[:ALARMS_MAX]:
        at = site.tags.row_of.get(one.tag)
        eu = "" if at is None else site.tags[at].eu
        tier, limit = TIER_ZH[one.tier.name] if zh else one.tier.name, limit_eu(one.condition, eu)
        rows.append(
            (
                clock_said(site, one.since_ns), one.tag, condition_said(one.condition, language), _said(one.value, eu),
                _said(one.setpoint, limit), tier, clock_said(site, one.acked_ns), clock_said(site, one.over_ns),
            )
        )  # fmt: skip
    header = (
        ("开始", "位号", "条件", "数值", "限值", "最高级别", "确认", "恢复")
        if zh
        else ("Since", "Tag", "Condition", "Value", "Limit", "Highest", "Acknowledged", "Back")
    )
    note = "事件持续期间本单元的报警。" if zh else "Alarms of the unit while the incident lasted."
    if len(found) > ALARMS_MAX:
        more = len(found) - ALARMS_MAX
        note += f"另有 {more} 条未列出。" if zh else f" {more} more are not listed."
    return Block(heading="报警" if zh else "Alarms", header=header, rows=tuple(rows), note=note)


def _values(site: Site, one: RowMapping, values: Sequence[Measured], language: str) -> Block:
    zh = language == "zh"
    rows = tuple(
        (
            each.tag, _said(each.first, each.eu), _said(each.least, each.eu), _said(each.most, each.eu),
            clock_said(site, each.most_ns), _said(each.last, each.eu), each.samples,
        )
        for each in values
    )  # fmt: skip
    header = (
        ("位号", "起始值", "最小值", "最大值", "最大值时间", "结束值", "采样数")
        if zh
        else ("Tag", "First", "Least", "Greatest", "at", "Last", "Samples")
    )
    begins, ends = clock_said(site, one["opened_ns"] - BEFORE_NS), clock_said(site, one["ended_ns"])
    note = (
        f"历史数据，{begins} 至 {ends}（启动前 10 分钟起），不含坏值；最多 {TAGS_MAX} 个位号，报警位号在前。"
        if zh
        else f"From the history, {begins} to {ends} (10 minutes before it opened), without BAD values; "
        f"at most {TAGS_MAX} tags, those that rang first."
    )
    return Block(heading="数值" if zh else "Values", header=header, rows=rows, note=note)


def _lessons(connection: Connection, one: RowMapping, language: str) -> Block:
    zh = language == "zh"
    states = {choice.code: choice.title for choice in LESSON_STATES}
    rows = tuple(
        (
            each.code, each.title, str(each.values["measure"]), str(each.values["responsible"]),
            str(each.values["due"]), states[each.values["state"]].zh if zh else states[each.values["state"]].en,
        )
        for each in lessons_of(connection, one["number"])
    )  # fmt: skip
    header = (
        ("编号", "经验教训", "改进措施", "责任人", "期限", "状态")
        if zh
        else ("Code", "Lesson", "What is done about it", "Owner", "Due", "State")
    )
    return Block(heading="经验教训" if zh else "Lessons", header=header, rows=rows)
