"""Inspections (隐患排查任务) and their checks (检查记录): what is looked at how often by whom, and what was found.

Why: each check is a record of its own, made by the act on the inspection, with who, when, where and pictures; what was
    found is a hidden hazard in the same transaction, so that no finding is left on a phone.
Sources: kind of duty of the three responsible persons, working days or not, and the results of a check as public
    receivers of the dual-prevention data set name them (workType, workDayType, checkStatus).
"""

from datetime import date
from typing import Final

from alerting.register.cycle import CYCLES, after
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger, Opened


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


STATES: Final = _choices(("open", "in force", "执行中"), ("stopped", "stopped", "已停用"))
SORTS: Final = _choices(
    ("daily", "daily inspection", "日常检查"),
    ("comprehensive", "comprehensive inspection", "综合检查"),
    ("professional", "professional inspection", "专业检查"),
    ("seasonal", "seasonal inspection", "季节性检查"),
    ("holiday", "key period or holiday", "重点时段及节假日检查"),
    ("patrol", "patrol", "巡查"),
    ("video", "video patrol", "视频巡查"),
)
DUTIES: Final = _choices(
    ("daily", "daily inspection", "日常排查"),
    ("main", "main responsible person", "主要负责人"),
    ("technical", "technical responsible person", "技术负责人"),
    ("operation", "operation responsible person", "操作负责人"),
)
ON: Final = _choices(
    ("all", "all days", "每日"), ("workdays", "working days", "工作日"), ("restdays", "days of rest", "非工作日")
)
RESULTS: Final = _choices(
    ("normal", "normal", "正常"),
    ("hazard", "hidden hazard found", "发现隐患"),
    ("not_checked", "not inspected", "未排查"),
)
#: How many tasks each of the three responsible persons has (``taskNum`` of public senders; unverified).
TASKS: Final = {"main": 9, "technical": 9, "operation": 10}
#: Field that says that a task is its control measure's: it changes and ends with it.
OF_MEASURE: Final = "of_measure"
#: What a task that is its measure's takes from it.
FROM_MEASURE: Final = frozenset(
    {"title", "content", "measure", "responsible", "dossier", "unit", "first_due", "every", "cycle", "on"}
)
#: A slot on a day that does not count is left out; the search for the next ends.
SLOTS_MAX: Final = 1_000


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if bool(values.get("every")) != bool(values.get("cycle")):
        missing = "cycle" if values.get("every") else "every"
        rule = Words("a cycle is a number and its unit, e.g. 1 days", "周期由数值和单位组成，例如 1 天")
        return [Wrong(field=missing, rule=rule, remedy=Words("Fill in both.", "请同时填写。"))]
    if values.get("sort") == "video" and not values.get("stream") and not values.get("dossier"):
        rule = Words("a video patrol has a camera", "视频巡查应有视频地址")
        remedy = Words(
            "Write its address, or name the hazard unit whose dossier has one.",
            "请填写地址，或填写档案中有视频地址的单元。",
        )
        return [Wrong(field="stream", rule=rule, remedy=remedy)]
    number, most = values.get("task_number"), TASKS.get(values.get("duty", ""), 0)
    if number is not None and number > most:
        rule = Words(f"tasks of that duty are numbered 1 to {most}", f"该任务类别的包保任务编号为 1–{most}")
        if not most:
            rule = Words("only tasks of the three responsible persons are numbered", "仅包保责任人的任务有编号")
        remedy = Words("Correct the number, or choose whose duty it is.", "请更正编号，或选择任务类别。")
        return [Wrong(field="task_number", value=str(number), rule=rule, remedy=remedy)]
    return []


def counts(on: date, which: str, around: Surroundings) -> bool:
    """Tell whether an inspection of these days (``all``, ``workdays``, ``restdays``) is done on a day of the site."""
    return which == "all" or around.is_workday(on) is (which == "workdays")


def _derive(values: Values, _: Surroundings) -> Values:
    return {"due": max(values.get("due", ""), values["first_due"])}


def _next(values: Values, around: Surroundings) -> Values:
    """Give the next day, after today too: what was missed is counted, not made up for."""
    first, had = date.fromisoformat(values["first_due"]), date.fromisoformat(values["due"])
    missed = 0
    for place, day in enumerate(after(first, values["every"], values["cycle"], had)):
        if place >= SLOTS_MAX:
            break
        if not counts(day, values.get("on", "all"), around):
            continue
        if day > around.today:
            return {"due": day.isoformat(), "missed": missed}
        missed += 1
    return {}  # No day of the cycle counts: it stays due.


def _resume(values: Values, around: Surroundings) -> Values:
    """Give the next day; what would have been due meanwhile was not missed."""
    return {name: value for name, value in _next(values, around).items() if name == "due"}


def _record(result: str, values: Values, around: Surroundings) -> Opened:
    said = {
        "code": f"{values['code'][:48]}-{around.today:%Y%m%d}",
        "inspection": values["code"],
        "on": around.today.isoformat(),
        "by": around.who,
        "result": result,
        "place": values.get("place", ""),
        "finding": values.get("finding", ""),
        "missed": values.get("missed", 0),
    }
    return Opened(ledger="checks", values=said)


def _opens_normal(_: Values, values: Values, around: Surroundings) -> list[Opened]:
    return [_record("normal", values, around)]


def _opens_skipped(_: Values, values: Values, around: Surroundings) -> list[Opened]:
    return [_record("not_checked", values, around)]


def _opens_hazard(_: Values, values: Values, around: Surroundings) -> list[Opened]:
    hazard = {
        "code": f"HH-{values['code'][:44]}-{around.today:%Y%m%d}",
        "title": values["hazard"],
        "description": values.get("finding", ""),
        "source": "patrol" if values.get("sort") == "video" else values.get("sort", "daily"),
        "found_on": around.today.isoformat(),
        "found_by": around.who,
        "dossier": values.get("dossier", ""),
        "unit": values.get("unit", ""),
        "check": "{checks}",
        "measure": values.get("measure", ""),
    }
    return [_record("hazard", values, around), Opened(ledger="hidden_hazards", values=hazard)]


def _follows(had: Values) -> frozenset[str]:
    return FROM_MEASURE if had.get(OF_MEASURE) else frozenset()


def _is_own(had: Values, _: Values, __: Surroundings) -> list[Wrong]:
    """Refuse to stop or resume what its control measure rules."""
    if not had.get(OF_MEASURE):
        return []
    rule = Words("the control measure decides whether it is inspected", "该任务由管控措施决定是否执行")
    remedy = Words(
        f"Withdraw or change the control measure {had['measure']}.", f"请撤销或修改管控措施 {had['measure']}。"
    )
    return [Wrong(field=STATE, rule=rule, remedy=remedy)]


_OPEN: Final = frozenset({"open"})
INSPECTIONS: Final = Ledger(
    id="inspections",
    title=Words("Inspections", "排查任务"),
    about=Words(
        "What is looked at, how often and by whom. A check is done on the spot, with a phone: what was found becomes a hidden hazard at once.",
        "查什么、多久查一次、由谁查。用手机现场检查；发现问题即登记为隐患。",
    ),
    named="title",
    check=_check,
    derive=_derive,
    follows=_follows,
    begins="open",
    shut=frozenset({"stopped"}),
    due="due",
    acts=(
        Act(id="normal", title=Words("Nothing found", "检查正常"), begins=_OPEN, ends="open", fields=("place", "finding"), needed=frozenset({"place"}), signs="last_by", dates="last_on", empties=("finding", "hazard", "place"), moves=_next, opens=_opens_normal, permission="operate"),
        Act(id="found", title=Words("Something found", "发现隐患"), begins=_OPEN, ends="open", fields=("hazard", "place", "finding"), needed=frozenset({"hazard", "place"}), signs="last_by", dates="last_on", empties=("finding", "hazard", "place"), moves=_next, opens=_opens_hazard, permission="operate"),
        Act(id="skip", title=Words("Not inspected, with reason", "未排查并说明"), begins=_OPEN, ends="open", fields=("finding",), needed=frozenset({"finding"}), signs="last_by", dates="last_on", empties=("finding", "hazard", "place"), moves=_next, opens=_opens_skipped),
        Act(id="stop", title=Words("Stop", "停用"), begins=_OPEN, ends="stopped", unless=OF_MEASURE, check=_is_own),
        Act(id="resume", title=Words("Resume", "恢复"), begins=frozenset({"stopped"}), ends="open", unless=OF_MEASURE, check=_is_own, moves=_resume),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("Inspection", "任务名称"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="content", title=Words("What is looked at", "排查内容"), kind=Kind.LONG, is_required=True),
        Field(name="sort", title=Words("Sort", "检查类型"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="duty", title=Words("Whose duty", "任务类别"), kind=Kind.CHOICE, choices=DUTIES, help=Words("One of the three responsible persons, or a daily inspection.", "包保责任人任务或日常排查。")),
        Field(name="task_number", title=Words("Number of the task", "包保任务编号"), kind=Kind.WHOLE, least=1, most=10, help=Words("Of the tasks of a responsible person: 1 to 9, of the operation one 1 to 10.", "主要、技术负责人任务 1–9，操作负责人任务 1–10。")),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units", is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="stream", title=Words("Camera", "视频地址"), kind=Kind.LINK, help=Words("Of a video patrol; empty for that of the hazard unit.", "视频巡查用；留空则用危险源单元的视频地址。")),
        Field(name="measure", title=Words("Control measure", "对应管控措施"), kind=Kind.RECORD, ledger="control_measures", help=Words("What is inspected because of it; a finding names it as the measure that failed, and raises the risk of its risk unit.", "排查所针对的管控措施；发现隐患时记为失效的管控措施，并提升其风险分析单元的动态风险。")),
        Field(name=OF_MEASURE, title=Words("Made from its control measure", "由管控措施生成"), kind=Kind.FLAG, is_by_act=True, help=Words("What is looked at, when and by whom is changed in the control measure.", "排查内容、周期和执行人请在管控措施中修改。")),
        Field(name="responsible", title=Words("Assigned to", "执行人"), is_listed=True, help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="first_due", title=Words("First on", "首次日期"), kind=Kind.DATE, is_required=True),
        Field(name="every", title=Words("Cycle", "周期"), kind=Kind.WHOLE, least=1, most=1000, is_required=True),
        Field(name="cycle", title=Words("Unit of the cycle", "周期单位"), kind=Kind.CHOICE, choices=CYCLES, is_required=True),
        Field(name="on", title=Words("On which days", "执行日"), kind=Kind.CHOICE, choices=ON, help=Words("By the site's calendar; empty for all days.", "按站点日历；留空为每日。")),
        Field(name="basis", title=Words("Basis", "依据")),
        Field(name="due", title=Words("Due on", "本次期限"), kind=Kind.DATE, is_listed=True, is_by_act=True),
        Field(name="last_on", title=Words("Last on", "上次检查日期"), kind=Kind.DATE, is_listed=True, is_by_act=True),
        Field(name="last_by", title=Words("Last by", "上次检查人"), is_by_act=True),
        Field(name="missed", title=Words("Missed before it", "此前漏查次数"), kind=Kind.WHOLE, least=0, most=SLOTS_MAX, is_by_act=True),
        Field(name="place", title=Words("Place", "检查位置"), is_by_act=True),
        Field(name="hazard", title=Words("What is wrong", "隐患名称"), is_by_act=True),
        Field(name="finding", title=Words("Remarks", "检查说明"), kind=Kind.LONG, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip

CHECKS: Final = Ledger(
    id="checks",
    title=Words("Checks", "检查记录"),
    about=Words("One record a check: who looked where on which day, and what came of it, with pictures.", "每次检查一条记录：何人何日在何处检查，结果如何，附照片。"),
    named="inspection",
    photos=(Choice(code="seen", title=Words("on the spot", "现场")),),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="inspection", title=Words("Inspection", "排查任务"), kind=Kind.RECORD, ledger="inspections", is_required=True, is_listed=True),
        Field(name="on", title=Words("On", "检查日期"), kind=Kind.DATE, is_required=True, is_past=True, is_listed=True),
        Field(name="by", title=Words("By whom", "检查人"), is_required=True, is_listed=True),
        Field(name="result", title=Words("Result", "检查结果"), kind=Kind.CHOICE, choices=RESULTS, is_required=True, is_listed=True),
        Field(name="place", title=Words("Place", "检查位置"), is_listed=True),
        Field(name="finding", title=Words("Remarks", "检查说明"), kind=Kind.LONG),
        Field(name="missed", title=Words("Missed before it", "此前漏查次数"), kind=Kind.WHOLE, least=0, most=SLOTS_MAX),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
