"""Control measures (管控措施): what keeps a risk event from happening, by the classes of the exchange."""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger

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
    return wrongs


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
        Field(name="liable", title=Words("Liable person", "责任人")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
