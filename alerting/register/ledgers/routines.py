"""Routines (周期性工作): drills, calibrations, reports and the like, due on a day, once or again and again.

Why: what comes again is entered once; doing it moves the day on by its cycle, counted from the first day and not from
    the day on which it was done, so that a monthly report stays on the 15th whoever is late.
"""

from datetime import date
from typing import Final

from alerting.register.cycle import CYCLES, after
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger

STATES: Final = (
    Choice(code="open", title=Words("open", "进行中")),
    Choice(code="finished", title=Words("finished", "已结束")),
)
SORTS: Final = (
    Choice(code="drill", title=Words("emergency drill", "应急演练")),
    Choice(code="calibration", title=Words("calibration", "检定校准")),
    Choice(code="proof_test", title=Words("proof test", "功能测试")),
    Choice(code="training", title=Words("training", "安全培训")),
    Choice(code="report", title=Words("report to an authority", "报表报送")),
    Choice(code="five_lots", title=Words("monthly report of the five lots", "五个一批月报")),
    Choice(code="review", title=Words("review of a system or plan", "制度预案评审")),
    Choice(code="document", title=Words("document that ends", "证件到期")),
    Choice(code="other", title=Words("other", "其他")),
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if bool(values.get("every")) != bool(values.get("cycle")):
        missing = "cycle" if values.get("every") else "every"
        rule = Words("a cycle is a number and its unit, e.g. 1 months", "周期由数值和单位组成，例如 1 月")
        return [Wrong(field=missing, rule=rule, remedy=Words("Fill in both, or neither.", "请同时填写或同时留空。"))]
    return []


def _derive(values: Values, _: Surroundings) -> Values:
    return {"due": max(values.get("due", ""), values["first_due"])}


def _next(values: Values, _: Surroundings) -> Values:
    """Give the first day of the cycle after the one that was due."""
    first, had = date.fromisoformat(values["first_due"]), date.fromisoformat(values["due"])
    return {"due": next(after(first, values["every"], values["cycle"], had)).isoformat()}


def _check_again(had: Values, _: Values, __: Surroundings) -> list[Wrong]:
    if had.get("every"):
        return []
    rule = Words("it has no cycle, so there is no next time", "该项没有周期，不会再次到期")
    return [Wrong(field="every", rule=rule, remedy=Words("Finish it, or give it a cycle.", "请“结束”，或填写周期。"))]


ROUTINES: Final = Ledger(
    id="routines",
    title=Words("Routines", "周期性工作"),
    about=Words(
        "What must be done by a day, once or again and again: drills, calibrations, reports, training. Doing it moves the day on by the cycle.",
        "按期完成的事项：演练、检定、报表、培训等。完成后按周期顺延下一次期限。",
    ),
    named="title",
    check=_check,
    derive=_derive,
    begins="open",
    shut=frozenset({"finished"}),
    due="due",
    acts=(
        Act(id="done", title=Words("Done, next time", "完成本次"), begins=frozenset({"open"}), ends="open", fields=("result",), needed=frozenset({"result"}), check=_check_again, moves=_next, signs="last_by", dates="last_on", permission="operate"),
        Act(id="finish", title=Words("Finish for good", "结束"), begins=frozenset({"open"}), ends="finished", fields=("result",), needed=frozenset({"result"}), signs="last_by", dates="last_on"),
        Act(id="reopen", title=Words("Re-open", "重新打开"), begins=frozenset({"finished"}), ends="open"),
    ),
    photos=(Choice(code="proof", title=Words("proof", "佐证")),),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("What is to be done", "事项"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units"),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="responsible", title=Words("Responsible person", "责任人"), is_listed=True, help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="first_due", title=Words("First due on", "首次期限"), kind=Kind.DATE, is_required=True),
        Field(name="every", title=Words("Cycle", "周期"), kind=Kind.WHOLE, least=1, most=1000, help=Words("Empty for what is done once.", "一次性事项留空。")),
        Field(name="cycle", title=Words("Unit of the cycle", "周期单位"), kind=Kind.CHOICE, choices=CYCLES),
        Field(name="basis", title=Words("Basis", "依据"), help=Words("Which rule asks for it.", "要求该事项的法规或制度条款。")),
        Field(name="due", title=Words("Due on", "本次期限"), kind=Kind.DATE, is_listed=True, is_by_act=True),
        Field(name="last_on", title=Words("Last done on", "上次完成日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="last_by", title=Words("Last done by", "上次完成人"), is_by_act=True),
        Field(name="result", title=Words("Result", "完成情况"), kind=Kind.LONG, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
