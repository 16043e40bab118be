"""Gas tests (气体分析记录) of special work: one row a test, so that a ticket says when it is to be tested next.

Why: the first test stands on the ticket; those that follow it while work goes on, and after a break, are what saves
    people. One that was not passed is entered like any other: work that goes on with it is a duty at once.
Never: calls a test passed whose values say otherwise.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger
from alerting.register.retest import COMBUSTIBLE_PCT, FRESH_MINUTES, LEL_PCT, OXYGEN_PCT, TESTED, minutes_between

RESULTS: Final = (
    Choice(code="passed", title=Words("passed", "合格")),
    Choice(code="failed", title=Words("not passed", "不合格")),
)


def _wrong(field: str, en: str, zh: str, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=Words(en, zh), remedy=remedy, value=str(value))


def _check(values: Values, around: Surroundings) -> list[Wrong]:
    ticket = around.work[values["ticket"]]
    wrongs = _check_ticket(values, ticket) or _check_time(values, ticket)
    return wrongs or (_check_values(values, ticket) if values["gas_ok"] else [])


def _check_ticket(values: Values, ticket: Values) -> list[Wrong]:
    remedy = Words("Check the number of the ticket.", "请核对作业票编号。")
    if ticket["kind"] not in TESTED:
        en, zh = "work of this kind has no gas test", "该类作业无需气体分析"
        return [_wrong("ticket", en, zh, remedy, values["ticket"])]
    if ticket["stage"] == "cancelled":
        return [_wrong("ticket", "this ticket was cancelled", "该作业票已取消", remedy, values["ticket"])]
    return []


def _check_time(values: Values, ticket: Values) -> list[Wrong]:
    remedy = Words("Check the time, or the ticket.", "请核对时间或作业票。")
    if minutes_between(values["at"], ticket["from"]) > FRESH_MINUTES:
        en = f"it lies more than {FRESH_MINUTES} min before the time of the ticket"
        return [_wrong("at", en, f"早于作业票有效期起 {FRESH_MINUTES} min 以上", remedy, values["at"])]
    if ticket["stage"] == "closed" and values["at"] > ticket.get("ended_at", "9999"):
        return [_wrong("at", "the work had ended by then", "该时间作业已结束", remedy, values["at"])]
    return []


def _check_values(values: Values, ticket: Values) -> list[Wrong]:
    """Refuse a test that is called passed against its own values."""
    name = "oxygen_pct" if ticket["kind"] == "space" else "combustible_pct"
    if values.get(name) is None:
        measured = ("a confined space has its oxygen measured", "受限空间应测氧含量")
        if name == "combustible_pct":
            measured = ("hot work has the combustible gas measured", "动火作业应测可燃气体浓度")
        return [_wrong(name, *measured, Words("Fill it in.", "请填写。"))]
    remedy = Words("Say that it was not passed; stop the work.", "应填“否”，并立即停止作业。")
    oxygen, gas = values.get("oxygen_pct"), values.get("combustible_pct")
    if ticket["kind"] == "space" and oxygen is not None and not OXYGEN_PCT[0] <= oxygen <= OXYGEN_PCT[1]:
        en, zh = "oxygen outside 19.5 … 23.5 % does not pass", "氧含量超出 19.5%–23.5%，不合格"
        return [_wrong("oxygen_pct", en, zh, remedy, oxygen)]
    most = COMBUSTIBLE_PCT[0] if values.get("lel_pct", 0.0) >= LEL_PCT else COMBUSTIBLE_PCT[1]
    if gas is not None and gas > most:
        en = f"more than {most:g} %VOL of combustible gas does not pass"
        return [_wrong("combustible_pct", en, f"可燃气体超过 {most:g} %VOL，不合格", remedy, gas)]
    return []


def _derive(values: Values, around: Surroundings) -> Values:
    ticket = around.work[values["ticket"]]
    work = f"{ticket['title']} {values['at'].replace('T', ' ')}"
    found: Values = {"result": "passed" if values["gas_ok"] else "failed", "work": work}
    return found | ({"unit": ticket["unit"]} if ticket.get("unit") else {})


GAS_TESTS: Final = Ledger(
    id="gas_tests",
    title=Words("Gas tests", "气体分析记录"),
    about=Words(
        "Gas tests of hot work and confined spaces while work goes on and after a break. Each moves the next one of its ticket on; one that was not passed is told at once.",
        "动火、受限空间作业期间及中断后的气体分析，每次一条。录入后自动顺延作业票的下次分析时间；不合格立即提醒停止作业。",
    ),
    named="work",
    check=_check,
    derive=_derive,
    stage="result",
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="ticket", title=Words("Work ticket", "作业票编号"), kind=Kind.RECORD, ledger="tickets", is_required=True, is_listed=True),
        Field(name="work", title=Words("Work and time", "作业内容与时间"), is_derived=True, is_listed=True),
        Field(name="at", title=Words("Tested at", "分析时间"), kind=Kind.MOMENT, is_required=True, is_past=True),
        Field(name="by", title=Words("Tested by", "分析人"), is_required=True, is_listed=True),
        Field(name="point", title=Words("Sampling points", "取样部位"), help=Words("E.g. top, middle and bottom of the vessel.", "例如 容器上、中、下部。")),
        Field(name="oxygen_pct", title=Words("Oxygen", "氧含量"), kind=Kind.NUMBER, eu="%VOL", least=0, most=100, is_listed=True),
        Field(name="combustible_pct", title=Words("Combustible gas", "可燃气体"), kind=Kind.NUMBER, eu="%VOL", least=0, most=100, is_listed=True, help=Words("In %VOL, not in %LEL.", "单位为 %VOL，不是 %LEL。")),
        Field(name="lel_pct", title=Words("Lower explosive limit of that gas", "该气体爆炸下限"), kind=Kind.NUMBER, eu="%VOL", least=0.1, most=30, help=Words("From 4 %VOL on 0.5 %VOL passes; below it, or where it is empty, 0.2 %VOL.", "爆炸下限不低于 4 %VOL 时合格值为 0.5 %VOL，低于 4 %VOL 或未填写时为 0.2 %VOL。")),
        Field(name="toxic", title=Words("Toxic gases", "有毒气体"), help=Words("Each with value and unit, e.g. H2S 2 mg/m³.", "逐项填写数值与单位，例如 H2S 2 mg/m³。")),
        Field(name="gas_ok", title=Words("Gas test passed", "气体分析合格"), kind=Kind.FLAG, is_required=True),
        Field(name="result", title=Words("Result", "结果"), kind=Kind.CHOICE, choices=RESULTS, is_derived=True, is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT, is_derived=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
