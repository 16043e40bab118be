"""Lessons (应急总结经验教训): what an incident or a drill taught, what is done about it, by whom, by when.

Why: a lesson that is no duty with an owner and a day is written twice: after this incident and after the next.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger

STATES: Final = (
    Choice(code="open", title=Words("to be done", "待落实")),
    Choice(code="done", title=Words("done, to be accepted", "已落实待验收")),
    Choice(code="accepted", title=Words("accepted", "已验收")),
)


def _check_other(had: Values, _: Values, around: Surroundings) -> list[Wrong]:
    if had.get("done_by") != around.who:
        return []
    rule = Words("who did it does not accept it", "落实人不能验收本人落实的事项")
    return [
        Wrong(field="done_by", rule=rule, remedy=Words("Ask another person.", "请由另一人验收。"), value=around.who)
    ]


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values["due"] < values["learned_on"]:
        rule = Words("it would be due before it was learned", "期限早于提出日期")
        remedy = Words("Check both days.", "请核对两个日期。")
        return [Wrong(field="due", rule=rule, remedy=remedy, value=values["due"])]
    return []


LESSONS: Final = Ledger(
    id="lessons",
    title=Words("Lessons of incidents and drills", "应急与演练改进措施"),
    about=Words(
        "What an incident or a drill taught and what is done about it: each with an owner and a day, told through the duties until another person accepts it. They are entered at the incident or the drill.",
        "应急事件与演练的经验教训及改进措施：每条有责任人和期限，按职责提示督办，由他人验收。在应急事件或演练页面提出。",
    ),
    named="title",
    check=_check,
    begins="open",
    shut=frozenset({"accepted"}),
    due="due",
    in_time=frozenset({"done"}),
    acts=(
        Act(id="done", title=Words("Done", "已落实"), begins=frozenset({"open"}), ends="done", fields=("result",), needed=frozenset({"result"}), signs="done_by", dates="done_on", permission="operate"),
        Act(id="accept", title=Words("Accept", "验收"), begins=frozenset({"done"}), ends="accepted", signs="accepted_by", dates="accepted_on", check=_check_other),
        Act(id="reopen", title=Words("Send back", "退回"), begins=frozenset({"done", "accepted"}), ends="open", empties=("result", "done_by", "done_on", "accepted_by", "accepted_on")),
    ),
    photos=(Choice(code="proof", title=Words("proof", "佐证")),),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("What was learned", "经验教训"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="incident", title=Words("Incident", "应急事件"), kind=Kind.WHOLE, least=1, is_listed=True, is_by_act=True, help=Words("Its number; filled in at the incident.", "事件编号，在应急事件页面提出时填写。")),
        Field(name="drill", title=Words("Drill", "演练"), kind=Kind.WHOLE, least=1, is_listed=True, is_by_act=True, help=Words("Its number; filled in at the drill.", "演练编号，在演练页面提出时填写。")),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT, is_listed=True),
        Field(name="measure", title=Words("What is done about it", "改进措施"), kind=Kind.LONG, is_required=True),
        Field(name="responsible", title=Words("Responsible person", "责任人"), is_required=True, is_listed=True, help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="learned_on", title=Words("Learned on", "提出日期"), kind=Kind.DATE, is_required=True, is_past=True),
        Field(name="due", title=Words("Due on", "期限"), kind=Kind.DATE, is_required=True, is_listed=True),
        Field(name="result", title=Words("Result", "落实情况"), kind=Kind.LONG, is_by_act=True),
        Field(name="done_by", title=Words("Done by", "落实人"), is_by_act=True),
        Field(name="done_on", title=Words("Done on", "落实日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="accepted_by", title=Words("Accepted by", "验收人"), is_by_act=True),
        Field(name="accepted_on", title=Words("Accepted on", "验收日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
