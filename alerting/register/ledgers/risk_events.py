"""Risk events (风险事件): what can happen in a risk unit, graded without and with its measures."""

from typing import Final

from alerting.register.accident_types import ACCIDENT_TYPES
from alerting.register.field import Field, Kind, Words
from alerting.register.grading import CURRENT, INHERENT, check_both, derive_both, grading_fields, method_field
from alerting.register.ledger import Ledger

RISK_EVENTS: Final = Ledger(
    id="risk_events",
    title=Words("Risk events", "风险事件"),
    about=Words(
        "What can happen in a risk unit, and how grave it is: as if no measure were there (inherent), and with the measures that are (current). Value and grade are worked out; each grading stays in the history.",
        "风险分析单元内可能发生的事件及其等级：不考虑管控措施为固有风险，考虑现有措施为现状风险。风险值和等级由系统计算，历次评价保留在历史中。",
    ),
    named="name",
    check=check_both,
    derive=derive_both,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="risk_unit", title=Words("Risk unit", "风险分析单元"), kind=Kind.RECORD, ledger="risk_units", is_required=True, is_listed=True),
        Field(name="name", title=Words("Event", "风险事件名称"), is_required=True, is_listed=True),
        Field(name="accident", title=Words("Type of accident", "事故类型"), kind=Kind.CHOICE, choices=ACCIDENT_TYPES, is_required=True, is_listed=True, help=Words("Basic types of GB 6441-2025.", "按 GB 6441-2025 的基本类型。")),
        Field(name="causes", title=Words("Causes", "原因"), kind=Kind.LONG),
        Field(name="consequences", title=Words("Consequences", "可能后果"), kind=Kind.LONG, is_required=True),
        method_field(),
        *grading_fields(INHERENT, is_required=True),
        *grading_fields(CURRENT, is_required=True),
        Field(name="graded_on", title=Words("Graded on", "评价日期"), kind=Kind.DATE, is_past=True, is_required=True),
        Field(name="graded_by", title=Words("Graded by", "评价人"), is_required=True),
        Field(name="emergency", title=Words("What to do when it happens", "应急处置措施"), kind=Kind.LONG, help=Words("Stands on the notice and on the card.", "用于风险告知牌和明白卡。")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
