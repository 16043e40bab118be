"""Grid cells (网格) with their owners, and campaigns (专项检查): every hazard unit of a cell once in each month, quarter or year.

Why: who is responsible for a unit nobody inspected is a question that a list of inspections does not answer.
"""

from datetime import date, timedelta
from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger
from alerting.register.months import plus_months


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


STATES: Final = _choices(("open", "in force", "进行中"), ("finished", "finished", "已结束"))
SPANS: Final = _choices(("month", "month", "每月"), ("quarter", "quarter", "每季度"), ("year", "year", "每年"))
MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}


def span_of(on: date, span: str) -> tuple[date, date]:
    """Give the first and the last day of the month, quarter or year that a day lies in."""
    months = MONTHS[span]
    first = date(on.year, (on.month - 1) // months * months + 1, 1)
    return first, plus_months(first, months) - timedelta(days=1)


def _derive(values: Values, _: Surroundings) -> Values:
    last = span_of(date.fromisoformat(values["from"]), values["span"])[1].isoformat()
    return {"due": max(values.get("due", ""), last)}


def _next(values: Values, _: Surroundings) -> Values:
    after = date.fromisoformat(values["due"]) + timedelta(days=1)
    return {"due": span_of(after, values["span"])[1].isoformat(), "rounds": int(values.get("rounds", 0)) + 1}


def _check_over(had: Values, _: Values, around: Surroundings) -> list[Wrong]:
    first, _last = span_of(date.fromisoformat(had["due"]), had["span"])
    if around.today >= first:
        return []
    rule = Words(f"this round begins on {first}", f"本轮 {first} 才开始")
    return [Wrong(field="due", rule=rule, remedy=Words("Wait for it.", "请等待本轮开始。"), value=had["due"])]


GRID_CELLS: Final = Ledger(
    id="grid_cells",
    title=Words("Grid cells", "网格"),
    about=Words(
        "Parts of the site or district, each with one owner. A hazard unit lies in one cell; campaigns and coverage go by them.",
        "站点或辖区划分的网格，每格一名网格长。危险源单元归属网格，专项检查与覆盖率按网格统计。",
    ),
    named="name",
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Cell", "网格名称"), is_required=True, is_listed=True),
        Field(name="owner", title=Words("Owner", "网格长"), is_required=True, is_listed=True, help=Words("Name of a user.", "填写系统用户名。")),
        Field(name="phone", title=Words("Telephone of the owner", "网格长电话"), kind=Kind.PHONE, is_listed=True),
        Field(name="deputy", title=Words("Deputy", "网格员")),
        Field(name="area", title=Words("What belongs to it", "网格范围"), kind=Kind.LONG),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip

_OPEN: Final = frozenset({"open"})
CAMPAIGNS: Final = Ledger(
    id="campaigns",
    title=Words("Campaigns", "专项检查"),
    about=Words(
        "Every hazard unit of a cell, or of all, is inspected once in each month, quarter or year. Which were, and which were not, is counted from the checks.",
        "网格内（或全部）危险源单元每月、每季度或每年至少检查一次。已查与未查由检查记录统计。",
    ),
    named="title",
    derive=_derive,
    begins="open",
    shut=frozenset({"finished"}),
    due="due",
    acts=(
        Act(id="next", title=Words("Close this round", "完成本轮"), begins=_OPEN, ends="open", fields=("result",), needed=frozenset({"result"}), check=_check_over, moves=_next, signs="last_by", dates="last_on"),
        Act(id="finish", title=Words("Finish for good", "结束"), begins=_OPEN, ends="finished", fields=("result",), needed=frozenset({"result"}), signs="last_by", dates="last_on"),
        Act(id="reopen", title=Words("Re-open", "重新打开"), begins=frozenset({"finished"}), ends="open"),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("Campaign", "专项检查名称"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="cell", title=Words("Grid cell", "网格"), kind=Kind.RECORD, ledger="grid_cells", is_listed=True, help=Words("Empty for all hazard units.", "留空为全部危险源单元。")),
        Field(name="span", title=Words("Once in each", "检查频次"), kind=Kind.CHOICE, choices=SPANS, is_required=True, is_listed=True),
        Field(name="from", title=Words("From", "开始日期"), kind=Kind.DATE, is_required=True),
        Field(name="due", title=Words("This round ends on", "本轮截止"), kind=Kind.DATE, is_listed=True, is_by_act=True),
        Field(name="responsible", title=Words("Responsible person", "责任人"), is_listed=True, help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="basis", title=Words("Basis", "依据")),
        Field(name="rounds", title=Words("Rounds closed", "已完成轮次"), kind=Kind.WHOLE, least=0, most=10_000, is_by_act=True),
        Field(name="last_on", title=Words("Last closed on", "上轮完成日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="last_by", title=Words("Last closed by", "上轮完成人"), is_by_act=True),
        Field(name="result", title=Words("Result", "完成情况"), kind=Kind.LONG, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
