"""Analysis sheets: HAZOP of a process, JHA of a job, SCL of equipment, as they are written in workshops.

Why: graded risks come out of such sheets, and an inspector asks for the sheet. Each row may name the event it led to.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.grading import CURRENT, check_grading, derive_grading, grading_fields, method_field
from alerting.register.ledger import Ledger

#: IEC 61882:2016 table 1 and table 2.
GUIDE_WORDS: Final = (
    Choice(code="no", title=Words("NO, NOT", "无")),
    Choice(code="more", title=Words("MORE", "多（高）")),
    Choice(code="less", title=Words("LESS", "少（低）")),
    Choice(code="as_well_as", title=Words("AS WELL AS", "伴随")),
    Choice(code="part_of", title=Words("PART OF", "部分")),
    Choice(code="reverse", title=Words("REVERSE", "相反")),
    Choice(code="other_than", title=Words("OTHER THAN", "异常")),
    Choice(code="early", title=Words("EARLY", "早")),
    Choice(code="late", title=Words("LATE", "晚")),
    Choice(code="before", title=Words("BEFORE", "先")),
    Choice(code="after", title=Words("AFTER", "后")),
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    return check_grading(values, CURRENT)


def _derive(values: Values, around: Surroundings) -> Values:
    return derive_grading(values, around.risk, CURRENT)


def _head() -> tuple[Field, ...]:
    return (
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="risk_unit", title=Words("Risk unit", "风险分析单元"), kind=Kind.RECORD, ledger="risk_units", is_required=True, is_listed=True),
    )  # fmt: skip


def _tail() -> tuple[Field, ...]:
    return (
        method_field(is_required=False),
        *grading_fields(CURRENT, is_required=False),
        Field(name="proposed", title=Words("Proposed measures", "建议措施"), kind=Kind.LONG),
        Field(name="liable", title=Words("Liable person", "责任人")),
        Field(name="event", title=Words("Risk event", "对应风险事件"), kind=Kind.RECORD, ledger="risk_events"),
        Field(name="analysed_on", title=Words("Analysed on", "分析日期"), kind=Kind.DATE, is_past=True),
        Field(name="team", title=Words("Team", "分析小组")),
    )


HAZOP: Final = Ledger(
    id="hazop",
    title=Words("HAZOP", "HAZOP 分析"),
    about=Words(
        "Deviations of a process, node by node (IEC 61882, AQ/T 3049): causes, consequences, safeguards, how grave.",
        "按节点分析工艺偏差（IEC 61882、AQ/T 3049）：原因、后果、现有措施与风险等级。",
    ),
    named="deviation",
    check=_check,
    derive=_derive,
    fields=(
        *_head(),
        Field(name="node", title=Words("Node", "节点"), is_required=True, is_listed=True),
        Field(name="parameter", title=Words("Parameter", "参数"), is_required=True, is_listed=True),
        Field(name="guide_word", title=Words("Guide word", "引导词"), kind=Kind.CHOICE, choices=GUIDE_WORDS, is_required=True, is_listed=True),
        Field(name="deviation", title=Words("Deviation", "偏差"), is_required=True, is_listed=True),
        Field(name="causes", title=Words("Causes", "原因"), kind=Kind.LONG, is_required=True),
        Field(name="consequences", title=Words("Consequences", "后果"), kind=Kind.LONG, is_required=True),
        Field(name="safeguards", title=Words("Safeguards", "现有安全措施"), kind=Kind.LONG),
        *_tail(),
    ),
)  # fmt: skip

JHA: Final = Ledger(
    id="jha",
    title=Words("JHA", "工作危害分析 JHA"),
    about=Words("Steps of a job, and what may go wrong in each.", "按作业步骤辨识危害。"),
    named="hazard",
    check=_check,
    derive=_derive,
    fields=(
        *_head(),
        Field(name="job", title=Words("Job", "作业活动"), is_required=True, is_listed=True),
        Field(name="step", title=Words("Step", "作业步骤"), is_required=True, is_listed=True),
        Field(name="hazard", title=Words("Hazard", "危险源或潜在事件"), is_required=True, is_listed=True),
        Field(name="consequences", title=Words("Consequences", "可能后果"), kind=Kind.LONG, is_required=True),
        Field(name="safeguards", title=Words("Measures there are", "现有控制措施"), kind=Kind.LONG),
        *_tail(),
    ),
)  # fmt: skip

SCL: Final = Ledger(
    id="scl",
    title=Words("SCL", "安全检查表分析 SCL"),
    about=Words(
        "Items of equipment, the standard that each must meet, and what follows where it does not.",
        "按设备设施检查项目，对照标准分析不符合时的后果。",
    ),
    named="item",
    check=_check,
    derive=_derive,
    fields=(
        *_head(),
        Field(name="equipment", title=Words("Equipment", "设备设施"), is_required=True, is_listed=True),
        Field(name="item", title=Words("Item", "检查项目"), is_required=True, is_listed=True),
        Field(name="standard", title=Words("Standard", "检查标准"), kind=Kind.LONG, is_required=True),
        Field(name="consequences", title=Words("Where it is not met", "不符合标准的后果"), kind=Kind.LONG, is_required=True),
        Field(name="safeguards", title=Words("Measures there are", "现有控制措施"), kind=Kind.LONG),
        *_tail(),
    ),
)  # fmt: skip
