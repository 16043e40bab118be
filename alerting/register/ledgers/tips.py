"""Reports by persons (举报, 12350): what was reported, whether it was so, and what became of it.

Never: who reported. The record is read by everybody, searched, exported and kept under revisions; whoever reported is kept
    apart, sealed, and opened by few with a reason (``gateway.register.reporter``).
Sources: telephone 12350 and 60 days to deal with a report: 生产经营单位从业人员安全生产举报处理规定 (应急〔2020〕69号), from
    memory and unverified.
"""

from datetime import date, timedelta
from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger, Opened

#: Days from the receipt within which a report is dealt with; unverified.
DAYS: Final = 60


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


STATES: Final = _choices(
    ("received", "received", "已接报"),
    ("checking", "being checked", "核查中"),
    ("founded", "it was so", "属实"),
    ("unfounded", "it was not so", "不属实"),
    ("closed", "answered and closed", "已答复办结"),
    ("refused", "not taken up", "不予受理"),
)
WAYS: Final = _choices(
    ("hotline", "telephone 12350", "12350 电话"),
    ("phone", "another telephone", "其他电话"),
    ("web", "web page or app", "网站、小程序"),
    ("letter", "letter or box", "来信、意见箱"),
    ("visit", "in person", "来访"),
    ("passed_on", "passed on by an authority", "上级转办"),
)
SORTS: Final = _choices(
    ("hazard", "hidden hazard", "事故隐患"),
    ("violation", "violation of rules", "违法违规行为"),
    ("illegal", "unlicensed operation", "非法生产经营"),
    ("concealed", "accident that was concealed", "瞒报谎报事故"),
    ("reprisal", "reprisal against who reported", "打击报复举报人"),
    ("other", "other", "其他"),
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values["received_on"] < values.get("seen_on", ""):
        rule = Words("it would be seen after it was reported", "发现日期晚于接报日期")
        remedy = Words("Check both days.", "请核对两个日期。")
        return [Wrong(field="seen_on", rule=rule, remedy=remedy, value=values["seen_on"])]
    return []


def _derive(values: Values, _: Surroundings) -> Values:
    return {"due": (date.fromisoformat(values["received_on"]) + timedelta(days=DAYS)).isoformat()}


def _opens(_: Values, values: Values, around: Surroundings) -> list[Opened]:
    hazard = {
        "code": f"HH-{values['code'][:52]}",
        "title": values["hazard"],
        "description": values.get("finding", ""),
        "source": "report",
        "found_on": around.today.isoformat(),
        "found_by": around.who,
        "dossier": values.get("dossier", ""),
        "unit": values.get("unit", ""),
    }
    return [Opened(ledger="hidden_hazards", values=hazard)]


_CHECKING: Final = frozenset({"checking"})
NOBODY: Final = Words(
    "Nothing of who reported: everybody reads this. That is entered apart, below the record.",
    "不得写入举报人信息：此处所有人可见。举报人信息在记录下方单独登记。",
)
TIPS: Final = Ledger(
    id="tips",
    title=Words("Reports by persons", "举报"),
    about=Words(
        "What persons report (12350): taken up, checked, answered. What is so becomes a hidden hazard. Who reported is kept apart and sealed.",
        "群众和从业人员举报（12350）：受理、核查、答复；属实的转为隐患。举报人信息单独加密保存。",
    ),
    named="title",
    check=_check,
    derive=_derive,
    begins="received",
    shut=frozenset({"closed", "refused"}),
    due="due",
    acts=(
        Act(id="take_up", title=Words("Take up", "受理"), begins=frozenset({"received"}), ends="checking", fields=("responsible",), needed=frozenset({"responsible"}), signs="taken_by", dates="taken_on"),
        Act(id="refuse", title=Words("Do not take up", "不予受理"), begins=frozenset({"received"}), ends="refused", fields=("finding",), needed=frozenset({"finding"}), signs="taken_by", dates="taken_on"),
        Act(id="founded", title=Words("It is so", "核查属实"), begins=_CHECKING, ends="founded", fields=("hazard", "finding"), needed=frozenset({"hazard", "finding"}), signs="checked_by", dates="checked_on", opens=_opens),
        Act(id="unfounded", title=Words("It is not so", "核查不属实"), begins=_CHECKING, ends="unfounded", fields=("finding",), needed=frozenset({"finding"}), signs="checked_by", dates="checked_on"),
        Act(id="answer", title=Words("Answer and close", "答复办结"), begins=frozenset({"founded", "unfounded"}), ends="closed", fields=("answer",), needed=frozenset({"answer"}), signs="answered_by", dates="answered_on"),
        Act(id="reopen", title=Words("Re-open", "重新打开"), begins=frozenset({"closed", "refused"}), ends="checking", empties=("hazard", "finding", "checked_by", "checked_on", "answer", "answered_by", "answered_on")),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("What was reported", "举报事项"), is_required=True, is_listed=True, help=NOBODY),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="way", title=Words("How it came", "举报方式"), kind=Kind.CHOICE, choices=WAYS, is_required=True),
        Field(name="received_on", title=Words("Received on", "接报日期"), kind=Kind.DATE, is_required=True, is_past=True, is_listed=True),
        Field(name="seen_on", title=Words("Seen on", "发现日期"), kind=Kind.DATE, is_past=True),
        Field(name="content", title=Words("Content", "举报内容"), kind=Kind.LONG, is_required=True, help=NOBODY),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units", is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="place", title=Words("Place", "地点")),
        Field(name="due", title=Words("To be closed by", "办结期限"), kind=Kind.DATE, is_listed=True, is_derived=True, help=Words("60 days after the receipt.", "接报后 60 日内。")),
        Field(name="responsible", title=Words("Checked by", "核查责任人"), is_listed=True, is_by_act=True, help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="taken_by", title=Words("Taken up by", "受理人"), is_by_act=True),
        Field(name="taken_on", title=Words("Taken up on", "受理日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="hazard", title=Words("What is wrong", "隐患名称"), is_by_act=True),
        Field(name="finding", title=Words("Finding", "核查情况"), kind=Kind.LONG, is_by_act=True, help=NOBODY),
        Field(name="checked_by", title=Words("Finding entered by", "核查人"), is_by_act=True),
        Field(name="checked_on", title=Words("Finding entered on", "核查日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="answer", title=Words("Answer", "答复情况"), kind=Kind.LONG, is_by_act=True, help=NOBODY),
        Field(name="answered_by", title=Words("Answered by", "答复人"), is_by_act=True),
        Field(name="answered_on", title=Words("Answered on", "答复日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG, help=NOBODY),
    ),
)  # fmt: skip
