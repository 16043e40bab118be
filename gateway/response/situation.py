"""Situation report of an incident at any time: the first report and its continuations, filled in.

Flow: incident, register, picture -> [situation] -> report in one language -> gateway.report.pdf
Source: what a report of an accident holds: unit and its surroundings, time and place, course, casualties, cause as
    far as known, measures taken; the enterprise reports within 1 h, and each day after that (State Council order 493,
    articles 9 and 12; SAWS order 21; unverified). What nobody entered is said to be unknown.
"""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import orjson
from sqlalchemy import Connection, RowMapping, select

from alerting.model.tier import Tier
from alerting.push.words import TIER_ZH, condition_said, quality_zh, state_said
from alerting.register.accident_types import ACCIDENT_TYPES
from alerting.register.field import Words
from alerting.register.ledgers.surroundings import SIDES
from edge.model.quality import describe
from gateway.config import Site
from gateway.live import Picture, iso
from gateway.register.reading import Wanted, page
from gateway.register.record import Record
from gateway.report.blocks import Block, Report
from gateway.response.call_out import shown as calls_shown
from gateway.response.headquarters import called_of
from gateway.response.incident_shown import alarms_of
from gateway.response.incidents import SELF, get, merged_of, timeline
from gateway.response.plans import holdings, of_ledger
from gateway.response.reporting import report_due_ns
from gateway.response.resources import holds_of
from gateway.response.roll_call import roll_shown, rolls_of
from gateway.response.sheets import owner_said
from gateway.response.tasks import CHECKLIST, RESTART, tasks_of
from gateway.response.zone_sheet import zone_blocks
from gateway.store.schema import alarm

NS = 1_000_000_000
#: Neighbours of a hazard unit that a report names, and that are looked through for the nearest.
AROUND_MAX, AROUND_READ_MAX = 12, 500
GRADES = ("–", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ")
#: Facts of a line that are said, in this order.
SAID = (
    "name", "amount", "title", "tier", "person", "from", "to", "into", "incident", "answer", "text", "who", "data",
    "decision", "note", "reason", "due", "zone", "level",
)  # fmt: skip
STATES = {
    "open": Words("open", "待办"), "waiting": Words("waiting", "等待前置"), "done": Words("done", "已完成"),
    "void": Words("does not apply", "不适用"),
}  # fmt: skip
HOLDS = {
    "held": Words("reserved", "调用中"), "released": Words("given back", "已归还"), "used": Words("used up", "已消耗"),
}  # fmt: skip
CALLED = {
    "told": Words("by message", "已发送"), "page": Words("on the page alone", "仅页面"),
    "nobody": Words("nobody there", "无人"),
}  # fmt: skip
REPLIES = {
    "coming": Words("coming", "能到"), "cannot": Words("cannot come", "不能到"),
    "help": Words("needs help", "需要帮助"),
}  # fmt: skip
WAYS = {
    "telephone": Words("by telephone", "电话"), "sms": Words("by SMS", "短信"), "radio": Words("by radio", "对讲机"),
    "spoken": Words("face to face", "当面"),
}  # fmt: skip
FIGURES = {
    "named": Words("inside by access data", "门禁在场"), "inside": Words("known to be inside", "已知在场"),
    "safe": Words("safe", "平安"), "left": Words("left", "已离开"), "help": Words("need help", "需要帮助"),
    "missing": Words("not heard of", "尚无消息"),
    "unheard": Words("on duty or ticket, not heard of, maybe not inside", "值班、作业票人员尚无消息（可能不在场）"),
}  # fmt: skip
HEARD = {
    "missing": Words("not heard of", "尚无消息"), "safe": Words("safe", "平安"),
    "help": Words("needs help", "需要帮助"), "left": Words("left", "已离开"),
}  # fmt: skip
SOURCES = {
    "access": Words("access data", "门禁"), "hand": Words("by hand", "人工登记"), "duty": Words("on duty", "值班"),
    "ticket": Words("work ticket", "作业票"),
}  # fmt: skip
LINES = {
    "planned": Words("to be called", "待召集"), "waiting": Words("waits for answers", "等待答复"),
    "enough": Words("enough come", "人数已满足"), "exhausted": Words("list at its end", "名单已用尽"),
    "over": Words("over", "已结束"),
}  # fmt: skip
WHATS = {
    "opened": Words("opened", "事件启动"), "plan": Words("plan", "启动预案"),
    "no_plan": Words("no plan fits", "没有匹配的预案"),
    "unit_raised": Words("unit raised", "单元预警升级"), "unit_lowered": Words("unit lowered", "单元预警降级"),
    "step_done": Words("step done", "步骤完成"), "graded": Words("response grade", "响应级别调整"),
    "command": Words("command", "指挥人变更"), "planned": Words("plan chosen", "选定预案"),
    "merged": Words("merged", "并入其他事件"), "took_in": Words("took in", "并入事件"),
    "stood_down": Words("stood down", "响应终止"), "action": Words("action", "处置行动"), "call": Words("call", "通话"),
    "consultation": Words("consultation", "会商"), "reported": Words("reported", "信息报告"),
    "accident": Words("judged an accident", "认定为事故"),
    "no_accident": Words("no accident after all", "撤销事故认定"),
    "snapshot": Words("values", "数值快照"),
    "casualties": Words("casualties and losses", "伤亡和损失"),
    "lesson": Words("lesson", "经验教训"),
    "held": Words("unit held until its restart check-list is complete", "单元待复产检查"),
    "returned": Words("unit may return", "批准恢复运行"),
    "called": Words("headquarters called", "召集指挥部"),
    "zone": Words("consequence zone worked out", "计算危害区"),
    "zone_confirmed": Words("consequence zone confirmed for notices", "确认危害区可用于通报"),
    "zone_withdrawn": Words("confirmation of the consequence zone taken back", "撤回危害区确认"),
    "reserved": Words("resource reserved", "调用资源"), "used": Words("resource used up", "消耗物资"),
    "released": Words("resource given back", "归还资源"),
    "post_called": Words("called out", "召集人员"),
    "call_by_hand": Words("called out by hand", "人工召集"),
    "call_answered": Words("answer to the call", "召集答复"),
    "call_unanswered": Words("nobody answered the call", "召集无人答复"),
    "call_exhausted": Words("list of the call is at its end", "召集名单已用尽"),
    "help_asked": Words("help is asked for", "请求支援"),
    "roll_begun": Words("roll-call begun", "开始人员清点"),
    "roll_marked": Words("roll-call", "人员清点登记"),
    "roll_counted": Words("persons counted at a point", "集合点清点人数"),
    "roll_missing": Words("missing in the roll-call", "清点尚无消息"),
    "roll_ended": Words("roll-call ended", "结束人员清点"),
    "access_changed": Words("access data changed", "门禁名单变化"),
    "crowd_offered": Words("crowd action offered", "提出客流措施"),
    "crowd_confirmed": Words("crowd action confirmed", "确认客流措施"),
    "crowd_declined": Words("crowd action declined", "不采取客流措施"),
    "crowd_ended": Words("crowd action ended", "结束客流措施"),
}  # fmt: skip


def snapshot(picture: Picture, unit: str) -> list[dict[str, Any]]:
    """Give what the tags of a unit say now, with quality and time; None for no value."""
    found = []
    for tag in picture.site.tags:
        if tag.unit != unit:
            continue
        row = picture.site.tags.row_of[tag.name]
        value = float(picture.values[row])
        found.append(
            {
                "tag": tag.name,
                "value": None if math.isnan(value) else value,
                "eu": tag.eu,
                "quality": describe(int(picture.quality[row])),
                "time": iso(int(picture.times_ns[row])),
            }
        )
    return found


def situation(connection: Connection, site: Site, picture: Picture, number: int, now_ns: int, language: str) -> Report:
    """Put the report together.

    Raises:
        Refused: There is no such incident.
    """
    zh = language == "zh"
    row = get(connection, number)
    lines = timeline(connection, number)
    times = 1 + sum(line["what"] == "reported" for line in lines)
    if row["state"] == "ended":
        title = f"{number} 号事件处置报告" if zh else f"Incident {number}: report after the response"
    elif times == 1:
        title = f"{number} 号事件信息报告（初报）" if zh else f"Incident {number}: first report"
    else:
        title = (
            f"{number} 号事件信息报告（续报 {times - 1}）"
            if zh
            else f"Incident {number}: continuation report {times - 1}"
        )
    now = clock_said(site, now_ns)
    made = f"{site.title.get(language) or site.id} · {now} ({site.timezone})"
    blocks = [
        Block(
            heading="报告要素" if zh else "What is reported",
            header=("项目", "内容") if zh else ("Item", "Content"),
            rows=tuple(elements(connection, site, row, lines, language)),
            note="由系统按已登记内容预填；未登记的项目标注为“未填报”。"
            if zh
            else "Filled in from what is entered; what nobody entered is said so.",
        ),
        _alarms(connection, site, row, language),
        _values(picture, row["unit"], language),
        *zone_blocks(connection, site, [number, *merged_of(connection, number)], language),
        headquarters_block(connection, site, [number, *merged_of(connection, number)], language),
        calls_block(connection, site, [number, *merged_of(connection, number)], language),
        rolls_block(connection, site, [number, *merged_of(connection, number)], language),
        resources_block(connection, site, [number, *merged_of(connection, number)], language),
        tasks_block(connection, site, number, language),
        timeline_block(site, lines, language),
    ]
    return Report(title=title, lines=(made,), blocks=tuple(block for block in blocks if block.rows), language=language)


def elements(
    connection: Connection, site: Site, row: RowMapping, lines: list[RowMapping], language: str
) -> list[tuple[str, str]]:
    """Give what a report of an accident holds, as heading and content; what nobody entered is said to be unknown."""
    zh = language == "zh"
    unknown = "未填报" if zh else "not entered"
    enterprise = next(iter(of_ledger(connection, "enterprises")), None)
    dossier = next((one for one in of_ledger(connection, "units") if one.unit == row["unit"]), None)
    unit = next((each for each in site.units if each.id == row["unit"]), None)
    held = holdings(connection).get(row["unit"], {})
    kind = next((choice.title for choice in ACCIDENT_TYPES if choice.code == row["kind"]), None)
    opened = orjson.loads(lines[0]["facts"]) if lines else {}
    done = [orjson.loads(line["facts"])["title"] for line in lines if line["what"] == "step_done"]
    done += [orjson.loads(line["facts"])["text"] for line in lines if line["what"] == "action"]
    harmed = next((orjson.loads(one["facts"])["text"] for one in reversed(lines) if one["what"] == "casualties"), "")
    reported = [line["time_ns"] for line in lines if line["what"] == "reported"]
    tier = TIER_ZH[Tier(row["tier"]).name] if zh else Tier(row["tier"]).name
    worst = TIER_ZH[Tier(row["tier_max"]).name] if zh else Tier(row["tier_max"]).name

    def word(en: str, zh_said: str) -> str:
        return zh_said if zh else en

    by = clock_said(site, report_due_ns(row, lines))
    due = [(word("Next report by (unverified)", "下次报告期限（未经核实）"), by)] if row["state"] == "open" else []

    named = row["unit"] if unit is None else f"{unit.title.get(language) or unit.id} ({unit.id})"
    substances = ", ".join(f"{cas} {amount:g} t" for cas, amount in held.items())
    what = row["title"] or opened.get("reason") or ", ".join(_rang(one, language) for one in opened.get("values", []))
    around = ["" if dossier is None else str(dossier.values.get("surroundings", "")), *_around(connection, dossier, zh)]
    revision = f"{word('revision', '版次')} {row['plan_revision']}"
    plan = f"{row['plan']} ({revision})" if row["plan"] else word("none", "无")

    def value(name: str, of: Any) -> str:  # noqa: ANN401 - a record or None
        return unknown if of is None else str(of.values.get(name) or unknown)

    return [
        (word("Enterprise", "单位名称"), unknown if enterprise is None else enterprise.title),
        (word("Address", "单位地址"), value("address", enterprise)),
        (word("Hazard unit", "事发单元"), named),
        (word("Surroundings", "周边环境"), "; ".join(filter(None, around)) or unknown),
        (word("Persons within 500 m", "周边 500 m 内人数"), value("persons_outside", dossier)),
        (word("Substances (CAS, design maximum)", "涉及物质（CAS 号，设计最大量）"), substances or unknown),
        (word("Time", "发生时间"), clock_said(site, row["opened_ns"])),
        (word("Reported at", "已报告时间"), ", ".join(clock_said(site, at) for at in reported) or unknown),
*due,
        (word("Type of accident", "事故类型"), unknown if kind is None else word(kind.en, kind.zh)),
        (word("What happens", "简要经过"), what or unknown),
        (word("Warning tier now, highest", "当前预警、最高预警"), f"{tier}, {worst}"),
        (word("Response grade", "响应级别"), GRADES[row["grade"]]),
        (word("Commander", "指挥人"), row["commander"] or unknown),
        (word("Plan", "执行预案"), plan),
        (word("Casualties and losses", "伤亡和损失情况"), harmed or unknown),
        (word("Measures taken", "已采取的措施"), "; ".join(done) or unknown),
        (word("Merged into it", "并入的事件"), ", ".join(map(str, merged_of(connection, row["number"]))) or "–"),
    ]  # fmt: skip


def _rang(one: dict[str, Any], language: str) -> str:
    """Say what rang as the incident opened: tag, condition, value."""
    condition = condition_said(one["condition"], language)
    value = "" if one.get("value") is None else f"{one['value']:.6g} {one.get('eu', '')}".strip()
    return " ".join(filter(None, (one["tag"], condition, value)))


def _around(connection: Connection, dossier: Record | None, zh: bool) -> list[str]:  # noqa: FBT001
    """Say what the register has around a hazard unit, the nearest first; what is left out is counted."""
    if dossier is None:
        return []
    wanted = Wanted(refers_to=("units", dossier.code))
    found = page(connection, "surroundings", limit=AROUND_READ_MAX, wanted=wanted)
    found.sort(key=lambda one: (float(one.values["distance_m"]), one.code))
    side = {choice.code: choice.title.zh if zh else choice.title.en for choice in SIDES}
    said = []
    for one in found[:AROUND_MAX]:
        persons = one.values.get("persons")
        many = "" if persons is None else f", {persons:g} 人" if zh else f", {persons:g} persons"
        said.append(f"{one.title} ({side[str(one.values['side'])]} {float(one.values['distance_m']):g} m{many})")
    more = len(found) - AROUND_MAX
    return [*said, f"另有 {more} 处" if zh else f"{more} more"] if more > 0 else said


def _alarms(connection: Connection, site: Site, row: RowMapping, language: str) -> Block:
    ids = alarms_of(connection, row)
    found = connection.execute(select(alarm).where(alarm.c.id.in_(ids)).order_by(alarm.c.onset_ns)).mappings()
    rows = []
    for one in found:
        at = site.tags.row_of.get(one["tag"])
        eu = "" if at is None else site.tags[at].eu
        said = "–" if one["value"] is None else f"{one['value']:g} {eu}"
        limit = "–" if one["setpoint"] is None else f"{one['setpoint']:g} {limit_eu(one['condition'], eu)}"
        condition, state = condition_said(one["condition"], language), state_said(one["state"], language)
        rows.append((clock_said(site, one["onset_ns"]), one["tag"], condition, said, limit, state))
    zh = language == "zh"
    header = (
        ("开始", "位号", "条件", "数值", "限值", "状态")
        if zh
        else ("Since", "Tag", "Condition", "Value", "Limit", "State")
    )
    return Block(heading="报警" if zh else "Alarms", header=header, rows=tuple(rows))


def _values(picture: Picture, unit: str, language: str) -> Block:
    rows = tuple(
        (
            one["tag"],
            "–" if one["value"] is None else f"{one['value']:.6g} {one['eu']}",
            quality_zh(one["quality"]) if language == "zh" else one["quality"],
            _time(picture.site, one["time"]),
        )
        for one in snapshot(picture, unit)
    )
    zh = language == "zh"
    header = ("位号", "数值", "质量", "时间") if zh else ("Tag", "Value", "Quality", "Time")
    return Block(heading="当前数值" if zh else "Values now", header=header, rows=rows)


def tasks_block(connection: Connection, site: Site, number: int, language: str, part: str = CHECKLIST) -> Block:
    """Write a checklist of an incident and of what was merged into it, as it stands."""
    zh = language == "zh"
    rows = []
    for one in tasks_of(connection, [number, *merged_of(connection, number)], part):
        state = STATES[one["state"]]
        when = clock_said(site, one["done_ns"] if one["state"] == "done" else one["due_ns"])
        rows.append(
            (
                one["step"],
                orjson.loads(one["title"])[language],
                owner_said(one["owner"], site, language),
                (state.zh if zh else state.en) + (f": {one['answer']}" if one["answer"] else ""),
                when if one["state"] in ("done", "open") else "–",
                one["done_by"] or "–",
            )
        )
    header = (
        ("步骤", "内容", "负责", "状态", "完成/期限", "完成人")
        if zh
        else ("Step", "What", "Owner", "State", "Done or due", "By")
    )
    title = Words("Restart check-list", "复产检查清单") if part == RESTART else Words("Checklist", "处置步骤")
    return Block(heading=title.zh if zh else title.en, header=header, rows=tuple(rows))


def headquarters_block(connection: Connection, site: Site, numbers: Sequence[int], language: str) -> Block:
    """Write who was called for incidents, and who was reached."""
    zh = language == "zh"
    rows = tuple(
        (
            clock_said(site, one["time_ns"]),
            one["titles"][language],
            member["duty"][language],
            ", ".join(member["persons"]) or owner_said(member["who"], site, language),
            CALLED[member["said"]].zh if zh else CALLED[member["said"]].en,
        )
        for one in called_of(connection, numbers)
        for member in one["members"]
    )
    header = ("时间", "指挥部", "职责", "人员", "召集") if zh else ("Time", "Headquarters", "Duty", "Who", "Called")
    return Block(heading="应急指挥部" if zh else "Headquarters", header=header, rows=rows)


def calls_block(connection: Connection, site: Site, numbers: Sequence[int], language: str) -> Block:
    """Write who was called out for incidents, whether the message arrived, and what was answered."""
    zh = language == "zh"
    rows = []
    for line in calls_shown(connection, site, numbers):
        stand = LINES[line["state"]]
        for call in line["calls"]:
            notice, reply = call["notice"], REPLIES.get(call["answer"])
            minutes = "" if call["minutes"] is None else f", {call['minutes']} min"
            said = ("未答复" if zh else "no answer") if reply is None else (reply.zh if zh else reply.en) + minutes
            if call["answered_how"] in WAYS:
                way = WAYS[call["answered_how"]]
                said += f", {way.zh},{call['answered_by']} 登记" if zh else f", {way.en}, by {call['answered_by']}"
            rows.append(
                (
                    _time(site, call["called"]),
                    line["title"][language],
                    call["person"] or owner_said(call["to"], site, language),
                    "–" if notice is None else _time(site, notice["delivered"]),
                    said if call["person"] else (CALLED["nobody"].zh if zh else CALLED["nobody"].en),
                    _time(site, call["answered"]),
                    stand.zh if zh else stand.en,
                )
            )
    header = (
        ("召集时间", "任务", "人员", "送达", "答复", "答复时间", "状态")
        if zh
        else ("Called", "What", "Who", "Delivered", "Answer", "Answered", "State")
    )
    return Block(heading="应急召集" if zh else "Call-out", header=header, rows=tuple(rows))


def rolls_block(connection: Connection, site: Site, numbers: Sequence[int], language: str) -> Block:
    """Write the roll-calls of incidents: figures, counts at points, and by name who is not known to be safe."""
    zh = language == "zh"
    titles = {one.id: one.title.get(language) or one.id for one in site.roll_call.points}
    rows: list[tuple[str, ...]] = []
    for row in rolls_of(connection, numbers):
        one = roll_shown(connection, row)
        figures, heads = one["figures"], one["heads"]
        begun = _time(site, one["begun"])
        counted = ("未知" if zh else "unknown") if heads["persons"] is None else str(heads["persons"])
        counted += "" if heads["is_whole"] else " (部分区域无计数)" if zh else " (some zones not counted)"
        rows.append((begun, "计数在场人数" if zh else "Counted inside when it began", counted, "–"))
        for name in ("inside", "safe", "left", "help", "missing", "unheard"):
            title = FIGURES[name]
            rows.append((begun, title.zh if zh else title.en, str(figures[name]), "–"))
        for each in one["counts"]:
            said = f"{each['persons']} {'人' if zh else 'persons'} {each['note']}".strip()
            rows.append((_time(site, each["time"]), titles.get(each["point"], each["point"]), said, each["by"]))
        for each in one["persons"]:
            if each["state"] in ("help", "missing"):
                heard, source = HEARD[each["state"]], SOURCES[each["source"]]
                parts = [heard.zh if zh else heard.en, titles.get(each["point"], each["point"]), each["note"]]
                who = f"{each['name']} {each['company']}".strip() + f" ({source.zh if zh else source.en})"
                said = "; ".join(part for part in parts if part)
                rows.append((_time(site, each["time"]), who, said, each["by"] or "–"))
    header = ("时间", "人员、集合点", "情况", "登记") if zh else ("Time", "Who or where", "What is known", "By")
    return Block(heading="人员清点" if zh else "Roll-call", header=header, rows=tuple(rows))


def resources_block(connection: Connection, site: Site, numbers: Sequence[int], language: str) -> Block:
    """Write what incidents reserved, what of it was used up, and what was given back."""
    zh = language == "zh"
    rows = tuple(
        (
            one["code"],
            one["name"],
            f"{one['quantity']:g} {one['eu']}" if one["quantity"] else "–",
            f"{one['used']:g} {one['eu']}" if one["quantity"] else "–",
            HOLDS[one["state"]].zh if zh else HOLDS[one["state"]].en,
            f"{clock_said(site, one['held_ns'])} {one['held_by']}",
            f"{clock_said(site, one['ended_ns'])} {one['ended_by']}" if one["ended_ns"] else "–",
        )
        for one in holds_of(connection, numbers)
    )
    header = (
        ("编号", "应急资源", "调用数量", "已消耗", "状态", "调用", "归还")
        if zh
        else ("Code", "Resource", "Reserved", "Used up", "State", "Reserved at", "Given back at")
    )
    return Block(heading="应急资源" if zh else "Resources", header=header, rows=rows)


def timeline_block(site: Site, lines: Sequence[RowMapping], language: str) -> Block:
    """Write lines of a timeline."""
    zh = language == "zh"
    rows = tuple(
        (
            clock_said(site, line["time_ns"]),
            ("系统" if zh else "system") if line["who"] == SELF else line["who"],
            _what(line["what"], zh=zh),
            said_of(orjson.loads(line["facts"]), language),
        )
        for line in lines
    )
    header = ("时间", "人员", "事项", "内容") if zh else ("Time", "Who", "What", "Said")
    return Block(heading="时间线" if zh else "Timeline", header=header, rows=rows)


def limit_eu(condition: str, eu: str) -> str:
    """Give the unit of a limit: that of a rate is one a second."""
    return f"{eu}/s" if condition == "RATE" else eu


def _what(what: str, *, zh: bool) -> str:
    words = WHATS.get(what)
    return what if words is None else (words.zh if zh else words.en)


def said_of(facts: dict[str, Any], language: str) -> str:
    """Write the facts of a line as text."""
    parts = []
    for name in SAID:
        if facts.get(name) not in (None, ""):
            value = GRADES[facts[name]] if name in ("from", "to") and isinstance(facts[name], int) else facts[name]
            if name == "tier" and language == "zh":
                value = TIER_ZH.get(value, value)
            if isinstance(value, dict):  # a title of the configuration, which may have one language alone
                value = value.get(language) or next(iter(value.values()), "")
            parts.append(str(value))
    values = [
        f"{one['tag']} {one['value']:.6g} {one.get('eu', '')}".strip()
        for one in facts.get("values", [])
        if one.get("value") is not None
    ]
    members = [f"{one['duty'][language]} {', '.join(one['persons']) or '–'}" for one in facts.get("members", [])]
    called = [facts["titles"][language]] if "titles" in facts else []
    return "; ".join([*parts, *_call_said(facts, language), *values, *called, *members])


def _call_said(facts: dict[str, Any], language: str) -> list[str]:
    """Write who was called out, and what was answered."""
    if facts.keys().isdisjoint(("reply", "count", "named", "inside")) and not isinstance(facts.get("persons"), list):
        return []
    zh = language == "zh"
    reply, minutes = REPLIES.get(facts.get("reply", "")), facts.get("minutes")
    said = [] if reply is None else [reply.zh if zh else reply.en]
    said += [] if minutes is None else [f"{minutes} min"]
    if facts.get("way") in WAYS:
        way = WAYS[facts["way"]]
        said += [way.zh if zh else way.en]
    if isinstance(facts.get("persons"), list):
        said += [", ".join(facts["persons"]) or (CALLED["nobody"].zh if zh else CALLED["nobody"].en)]
    if "count" in facts:
        said += [f"{facts['at'][language]} {facts['count']} {'人' if zh else 'persons'}"]
    if "heard" in facts:
        heard = HEARD[facts["heard"]]
        said += [heard.zh if zh else heard.en, *([facts["at"][language]] if "at" in facts else [])]
    if "names" in facts:
        said = [f"{facts['missing']}: {', '.join(facts['names'])}", *said]
    said += [
        f"{title.zh if zh else title.en} {facts[name]}"
        for name, title in FIGURES.items()
        if name in facts and "names" not in facts
    ]
    how = CALLED.get(facts.get("said", "")) if facts.get("persons") else None
    return said + ([] if how is None else [how.zh if zh else how.en])


def clock_said(site: Site, at_ns: int) -> str:
    """Write a moment by the site's clock; a dash for none."""
    if not at_ns:
        return "–"
    return datetime.fromtimestamp(at_ns // NS, ZoneInfo(site.timezone)).strftime("%Y-%m-%d %H:%M:%S")


def _time(site: Site, said: str | None) -> str:
    return (
        "–"
        if not said
        else datetime.fromisoformat(said).astimezone(ZoneInfo(site.timezone)).strftime("%Y-%m-%d %H:%M:%S")
    )
