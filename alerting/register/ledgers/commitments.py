"""Safety commitments (安全承诺公告): one a day, assembled from register and live state, signed by the person in charge.

Source: 应急〔2018〕74号 (from memory: high): risk judged each day, the person in charge commits, the public reads it. Fields as public
    receivers of the data set name them; the deadline of 10:00 is that of provincial rules.
"""

from typing import Final

from alerting.register.commitment import COUNTED, WORK, contradictions
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger

STATES: Final = (
    Choice(code="draft", title=Words("not signed", "未签署")),
    Choice(code="signed", title=Words("signed", "已承诺")),
)
GRADES: Final = (
    Choice(code="1", title=Words("major (red)", "重大（红）")),
    Choice(code="2", title=Words("larger (orange)", "较大（橙）")),
    Choice(code="3", title=Words("general (yellow)", "一般（黄）")),
    Choice(code="4", title=Words("low (blue)", "低（蓝）")),
)
_MOST: Final = 10_000
_SIGNED: Final = ("signed_by", "signed_at", "differs", "reason")


def code_of(day: str) -> str:
    """Give the code of a day's commitment: there is one a day."""
    return f"SC-{day.replace('-', '')}"


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    total, running, stopped = (values.get(name, 0) for name in ("units_total", "units_running", "units_stopped"))
    if running + stopped > total:
        rule = Words(
            f"{running} run and {stopped} are stopped, of {total} units",
            f"运行 {running} 套、停用 {stopped} 套，超过总数 {total} 套",
        )
        remedy = Words("Check the three numbers.", "请核对三个数字。")
        return [Wrong(field="units_running", rule=rule, remedy=remedy, value=str(running))]
    if values["code"] != code_of(values["day"]):
        rule = Words(
            f"a day has one commitment; that of {values['day']} is {code_of(values['day'])}",
            f"每天只有一份承诺，{values['day']} 的编号为 {code_of(values['day'])}",
        )
        return [
            Wrong(field="code", rule=rule, remedy=Words("Write that code.", "请填写该编号。"), value=values["code"])
        ]
    return []


def _check_sign(had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    if had["day"] != around.today.isoformat():
        rule = Words(f"it is of {had['day']}, not of today", f"该承诺日期为 {had['day']}，不是今天")
        remedy = Words("Sign today's; another day's stays unsigned.", "只能签署当天的承诺；过期不补签。")
        return [Wrong(field="day", rule=rule, remedy=remedy, value=had["day"])]
    if around.signers and around.who not in around.signers:
        rule = Words("only who is named by the site may sign", "仅站点指定的负责人可以签署")
        remedy = Words(f"Ask {', '.join(sorted(around.signers))}.", f"请由 {'、'.join(sorted(around.signers))} 签署。")
        return [Wrong(field="signed_by", rule=rule, remedy=remedy, value=around.who)]
    told = contradictions(had, around.found)
    if told and not given.get("reason"):
        said = Words("; ".join(one.en for one in told), "；".join(one.zh for one in told))
        rule = Words(f"it contradicts what was found: {said.en}", f"与系统数据不一致：{said.zh}")
        remedy = Words("Put the numbers right, or write the reason.", "请更正数字，或填写原因。")
        return [Wrong(field="reason", rule=rule, remedy=remedy)]
    return []


def _sign(values: Values, around: Surroundings) -> Values:
    told = contradictions(values, around.found)
    differs = "\n".join(f"{one.zh} / {one.en}" for one in told)
    return {"signed_at": around.now, **({"differs": differs} if told else {})}


def _count(name: str, title: Words, *, is_listed: bool = False) -> Field:
    return Field(name=name, title=title, kind=Kind.WHOLE, least=0, most=_MOST, is_listed=is_listed)


COMMITMENTS: Final = Ledger(
    id="commitments",
    title=Words("Safety commitments", "安全承诺公告"),
    about=Words(
        "The day's safety commitment: what runs, which special work is done, which hazards and alarms are open, signed by the person in charge.",
        "每日安全承诺公告：装置运行、特殊作业、隐患与报警情况，由负责人签署。",
    ),
    named="title",
    check=_check,
    begins="draft",
    shut=frozenset({"signed"}),
    acts=(
        Act(id="sign", title=Words("Sign", "签署承诺"), begins=frozenset({"draft"}), ends="signed", fields=("reason",), check=_check_sign, moves=_sign, signs="signed_by"),
        Act(id="redo", title=Words("Take back to correct", "撤回更正"), begins=frozenset({"signed"}), ends="draft", empties=_SIGNED),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="day", title=Words("Day", "承诺日期"), kind=Kind.DATE, is_required=True, is_past=True, is_listed=True),
        Field(name="title", title=Words("Title", "标题"), is_required=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="enterprise", title=Words("Enterprise", "企业"), kind=Kind.RECORD, ledger="enterprises"),
        Field(name="head", title=Words("Person in charge", "主要负责人"), is_required=True, is_listed=True),
        Field(name="duty_lead", title=Words("Leads the shift", "带班领导")),
        Field(name="duty_phone", title=Words("Telephone of the shift", "值班电话"), kind=Kind.PHONE),
        _count("units_total", Words("Units", "装置总数（套）")),
        _count("units_running", Words("Units that run", "运行（套）"), is_listed=True),
        _count("units_stopped", Words("Units that are stopped", "停用（套）")),
        Field(name="trial", title=Words("Trial production", "试生产"), kind=Kind.FLAG),
        Field(name="start_stop", title=Words("Units are started or stopped today", "开停车"), kind=Kind.FLAG),
        _count("overhauls", Words("Overhauls", "检维修（处）")),
        _count("contractors", Words("Contractors' jobs", "承包商作业（处）")),
        *(_count(name, title) for name, (_, _, title) in WORK.items()),
        *(_count(name, title) for name, title in COUNTED.items()),
        Field(name="risk_grade", title=Words("Gravest risk today", "当日最高风险等级"), kind=Kind.CHOICE, choices=GRADES),
        Field(name="guaranteed", title=Words("Responsible persons are at their posts", "包保责任已落实"), kind=Kind.FLAG),
        Field(name="text", title=Words("What is committed", "承诺内容"), kind=Kind.LONG, is_required=True),
        Field(name="signed_by", title=Words("Signed by", "签署人"), is_listed=True, is_by_act=True),
        Field(name="signed_at", title=Words("Signed at", "签署时间"), kind=Kind.MOMENT, is_listed=True, is_by_act=True),
        Field(name="differs", title=Words("Differs from what was found", "与系统数据不一致"), kind=Kind.LONG, is_by_act=True),
        Field(name="reason", title=Words("Reason of the difference", "不一致原因"), kind=Kind.LONG, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
