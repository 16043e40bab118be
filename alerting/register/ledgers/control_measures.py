"""Control measures (管控措施): what keeps a risk event from happening, by the classes of the exchange."""

from typing import Final

from alerting.register.cycle import CYCLES
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger
from alerting.register.ledgers.inspections import ON

SOURCES: Final = (
    Choice(code="1", title=Words("automatic monitoring", "自动化监控")),
    Choice(code="2", title=Words("inspection", "隐患排查")),
)
CLASSES: Final = (
    Choice(code="1", title=Words("engineering", "工程技术")),
    Choice(code="2", title=Words("maintenance", "维护保养")),
    Choice(code="3", title=Words("operation", "操作行为")),
    Choice(code="4", title=Words("emergency", "应急措施")),
)
KINDS: Final = (
    Choice(code="1-1", title=Words("process control", "工艺控制")),
    Choice(code="1-2", title=Words("key equipment", "关键设备/部件")),
    Choice(code="1-3", title=Words("safety accessories", "安全附件")),
    Choice(code="1-4", title=Words("safety instruments", "安全仪表")),
    Choice(code="1-5", title=Words("other engineering", "其他工程技术")),
    Choice(code="2-1", title=Words("rotating equipment", "动设备")),
    Choice(code="2-2", title=Words("static equipment", "静设备")),
    Choice(code="2-3", title=Words("other maintenance", "其他维护保养")),
    Choice(code="3-1", title=Words("qualification of people", "人员资质")),
    Choice(code="3-2", title=Words("operating record", "操作记录")),
    Choice(code="3-3", title=Words("shift handover", "交接班")),
    Choice(code="3-4", title=Words("other operation", "其他操作行为")),
    Choice(code="4-1", title=Words("emergency facilities", "应急设施")),
    Choice(code="4-2", title=Words("protective equipment", "个体防护")),
    Choice(code="4-3", title=Words("fire-fighting", "消防设施")),
    Choice(code="4-4", title=Words("emergency plan", "应急预案")),
    Choice(code="4-5", title=Words("other emergency", "其他应急措施")),
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    wrongs = []
    kind, of = values["kind"], values["class"]
    if not kind.startswith(f"{of}-"):
        own = [choice.title for choice in KINDS if choice.code.startswith(f"{of}-")]
        rule = Words("the kind belongs to another class", "该小类不属于所选大类")
        remedy = Words(f"One of: {', '.join(w.en for w in own)}.", f"可选：{'、'.join(w.zh for w in own)}。")
        wrongs.append(Wrong(field="kind", value=kind, rule=rule, remedy=remedy))
    if values["source"] == "1" and not values.get("tag"):
        rule = Words("a measure that is watched automatically names its tag", "自动化监控的措施应填写位号")
        remedy = Words("Write the tag, or choose inspection.", "请填写位号，或改选“隐患排查”。")
        wrongs.append(Wrong(field="tag", rule=rule, remedy=remedy))
    if values["source"] == "2" and not values.get("check"):
        rule = Words("a measure that people inspect says what they look at", "隐患排查类措施应填写排查内容")
        remedy = Words("Write what is looked at.", "请填写隐患排查内容。")
        wrongs.append(Wrong(field="check", rule=rule, remedy=remedy))
    return wrongs + _schedule(values)


def _schedule(values: Values) -> list[Wrong]:
    """A cycle makes inspection tasks: it is whole, somebody does them, and people inspect the measure."""
    said = next((name for name in ("every", "cycle", "first_due", "on") if values.get(name)), "")
    if not said:
        return []
    if values["source"] != "2":
        rule = Words("a measure that is watched automatically has no inspection cycle", "自动化监控的措施没有排查周期")
        remedy = Words("Choose inspection, or leave the cycle empty.", "请改选“隐患排查”，或留空周期。")
        return [Wrong(field=said, value=str(values[said]), rule=rule, remedy=remedy)]
    rule = Words(
        "a cycle is a number, its unit, a first day and who inspects", "排查周期由数值、单位、首次日期和责任人组成"
    )
    remedy = Words("Fill it in, or leave the whole cycle empty.", "请补充填写，或将排查周期各项全部留空。")
    needed = ("every", "cycle", "first_due", "liable")
    return [Wrong(field=name, rule=rule, remedy=remedy) for name in needed if not values.get(name)]


CONTROL_MEASURES: Final = Ledger(
    id="control_measures",
    title=Words("Control measures", "管控措施"),
    about=Words(
        "What keeps a risk event from happening: watched by a tag, or looked at by people.",
        "防止风险事件发生的管控措施：由仪表自动监控，或由人员排查。",
    ),
    named="measure",
    check=_check,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="event", title=Words("Risk event", "风险事件"), kind=Kind.RECORD, ledger="risk_events", is_required=True, is_listed=True),
        Field(name="measure", title=Words("Measure", "管控措施"), is_required=True, is_listed=True),
        Field(name="source", title=Words("Watched by", "数据来源"), kind=Kind.CHOICE, choices=SOURCES, is_required=True, is_listed=True),
        Field(name="tag", title=Words("Tag", "监控位号"), kind=Kind.TAG),
        Field(name="class", title=Words("Class", "大类"), kind=Kind.CHOICE, choices=CLASSES, is_required=True, is_listed=True),
        Field(name="kind", title=Words("Kind", "小类"), kind=Kind.CHOICE, choices=KINDS, is_required=True, is_listed=True),
        Field(name="free", title=Words("Further class", "自定义分类")),
        Field(name="check", title=Words("What is looked at", "隐患排查内容"), kind=Kind.LONG),
        Field(name="liable", title=Words("Liable person", "责任人"), help=Words("Name of a user, so that the prompt of the inspection reaches the person.", "填写系统用户名，排查提示才能送达本人。")),
        Field(name="every", title=Words("Inspected every", "排查周期"), kind=Kind.WHOLE, least=1, most=1000, help=Words("With a cycle the measure makes its inspection task; empty for none.", "填写周期后自动生成排查任务；留空则不生成。")),
        Field(name="cycle", title=Words("Unit of the cycle", "周期单位"), kind=Kind.CHOICE, choices=CYCLES),
        Field(name="on", title=Words("On which days", "执行日"), kind=Kind.CHOICE, choices=ON, help=Words("By the site's calendar; empty for all days.", "按站点日历；留空为每日。")),
        Field(name="first_due", title=Words("First inspected on", "首次排查日期"), kind=Kind.DATE),
        Field(name="withdrawn_on", title=Words("Withdrawn on", "撤销日期"), kind=Kind.DATE, is_past=True, help=Words("From then on it makes no tasks, and stands on no notice; what is due already is still checked.", "自该日起不再生成排查任务，不再列入告知牌；已到期的任务仍须检查。")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
