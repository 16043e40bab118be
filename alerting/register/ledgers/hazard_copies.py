"""Copies of hidden hazards (隐患抄告): told to another department, with a deadline of its own and what it answers.

Why: what another department must do about a hazard is forgotten where nobody asks for the answer; the deadline is a duty.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger

STATES: Final = (
    Choice(code="sent", title=Words("waits for the answer", "待反馈")),
    Choice(code="answered", title=Words("answered", "已反馈")),
    Choice(code="closed", title=Words("closed", "已办结")),
    Choice(code="withdrawn", title=Words("withdrawn", "已撤回")),
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values["due"] < values["sent_on"]:
        rule = Words("the answer would be due before it was asked for", "反馈期限早于抄告日期")
        remedy = Words("Check both days.", "请核对两个日期。")
        return [Wrong(field="due", rule=rule, remedy=remedy, value=values["due"])]
    return []


def _check_answer(had: Values, given: Values, _: Surroundings) -> list[Wrong]:
    if given["answered_on"] < had["sent_on"]:
        rule = Words("the answer lies before the day on which it was asked for", "反馈日期早于抄告日期")
        remedy = Words("Check the day.", "请核对日期。")
        return [Wrong(field="answered_on", rule=rule, remedy=remedy, value=given["answered_on"])]
    return []


_SENT: Final = frozenset({"sent"})
_ANSWER: Final = ("answer", "answered_by", "answered_on")
HAZARD_COPIES: Final = Ledger(
    id="hazard_copies",
    title=Words("Copies of hidden hazards", "隐患抄告"),
    about=Words(
        "A hidden hazard that another department was told of: what it is asked to do by when, and what it answered.",
        "抄告其他部门的隐患：要求对方何时办理、反馈了什么。",
    ),
    named="asked",
    check=_check,
    begins="sent",
    shut=frozenset({"closed", "withdrawn"}),
    due="due",
    in_time=frozenset({"answered"}),
    acts=(
        Act(id="answer", title=Words("Write the answer down", "登记反馈"), begins=_SENT, ends="answered", fields=_ANSWER, needed=frozenset(_ANSWER), check=_check_answer),
        Act(id="again", title=Words("Ask again", "再次抄告"), begins=frozenset({"answered"}), ends="sent", fields=("due",), needed=frozenset({"due"}), empties=_ANSWER),
        Act(id="close", title=Words("Close", "办结"), begins=frozenset({"answered"}), ends="closed", signs="closed_by", dates="closed_on"),
        Act(id="withdraw", title=Words("Withdraw", "撤回"), begins=_SENT, ends="withdrawn", signs="closed_by", dates="closed_on"),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="hazard", title=Words("Hidden hazard", "隐患"), kind=Kind.RECORD, ledger="hidden_hazards", is_required=True, is_listed=True),
        Field(name="asked", title=Words("What is asked for", "抄告事项"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="department", title=Words("Department", "抄告部门"), is_required=True, is_listed=True),
        Field(name="contact", title=Words("Contact there", "联系人")),
        Field(name="phone", title=Words("Telephone", "联系电话"), kind=Kind.PHONE),
        Field(name="responsible", title=Words("Who asks for the answer here", "本单位跟办人"), help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="sent_on", title=Words("Told on", "抄告日期"), kind=Kind.DATE, is_required=True, is_past=True, is_listed=True),
        Field(name="due", title=Words("Answer due on", "反馈期限"), kind=Kind.DATE, is_required=True, is_listed=True),
        Field(name="answer", title=Words("Answer", "反馈内容"), kind=Kind.LONG, is_by_act=True),
        Field(name="answered_by", title=Words("Answered by", "反馈人"), is_by_act=True),
        Field(name="answered_on", title=Words("Answered on", "反馈日期"), kind=Kind.DATE, is_past=True, is_by_act=True),
        Field(name="closed_by", title=Words("Closed by", "办结人"), is_by_act=True),
        Field(name="closed_on", title=Words("Closed on", "办结日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
