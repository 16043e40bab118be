"""Work tickets (特殊作业票): the eight kinds of special work, with approval, gas test, guardian and times.

Why: tickets come from a system of their own as often as from a form, so that they are records that say how they stand, and
    what does not fit together is refused: work that began before it was approved, or on a gas test of an hour ago, or
    that went on after a long break without another. Work beyond its ticket is a duty, and closing it needs the reason:
    what was so is never refused.
Sources: kinds and levels of hot work as public receivers name them; longest times: GB 30871-2022, from memory and
    unverified; gas tests and breaks: ``alerting.register.retest``.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger
from alerting.register.retest import (
    BREAK_MINUTES,
    FRESH_MINUTES,
    INTERVAL_MINUTES,
    OXYGEN_PCT,
    TESTED,
    GasTest,
    is_long_break,
    minutes_between,
    newest,
    next_due,
    tests_of,
)


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


KINDS: Final = _choices(
    ("hot", "hot work", "动火作业"),
    ("space", "confined space", "受限空间作业"),
    ("blind", "blind plate", "盲板抽堵作业"),
    ("height", "work at height", "高处作业"),
    ("lifting", "lifting", "吊装作业"),
    ("power", "temporary power", "临时用电作业"),
    ("soil", "earthwork", "动土作业"),
    ("road", "closing a road", "断路作业"),
)
LEVELS: Final = _choices(
    ("special", "special", "特级动火"), ("first", "first class", "一级动火"), ("second", "second class", "二级动火")
)
STAGES: Final = _choices(
    ("applied", "applied for", "已申请"),
    ("approved", "approved", "已审批"),
    ("working", "work goes on", "作业中"),
    ("paused", "interrupted", "作业中断"),
    ("closed", "closed", "已关闭"),
    ("cancelled", "cancelled", "已取消"),
)
#: Longest time of a ticket by kind and level of hot work, h; GB 30871-2022, unverified. Kinds that are not named have none.
LONGEST_H: Final = {
    ("hot", "special"): 8,
    ("hot", "first"): 8,
    ("hot", "second"): 72,
    ("space", ""): 24,
    ("height", ""): 7 * 24,
    ("power", ""): 15 * 24,
}
#: Stages in which the work has begun and not ended.
UNDER_WAY: Final = ("working", "paused")
BEGUN: Final = frozenset({*UNDER_WAY, "closed"})
MISSING: Final = Words("Fill it in.", "请填写。")


def _check(values: Values, around: Surroundings) -> list[Wrong]:
    wrongs = [*_check_span(values), *_check_approval(values), *_check_interval(values)]
    if values["stage"] in BEGUN and not wrongs:
        wrongs = _check_begin(values) or _check_end(values) or _check_break(values)
        if not wrongs and values["kind"] in TESTED:
            tests = tests_of(values, around.tests.get(values["code"], ()))
            wrongs = _check_gas(values, tests) or _check_after_break(values, tests)
    return wrongs


def _moment(values: Values, name: str) -> datetime:
    return datetime.fromisoformat(values[name])


def _wrong(field: str, en: str, zh: str, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=Words(en, zh), remedy=remedy, value=str(value))


def _check_span(values: Values) -> list[Wrong]:
    kind, level = values["kind"], values.get("level", "")
    if kind == "hot" and not level:
        return [_wrong("level", "hot work has a level", "动火作业应注明级别", Words("Choose it.", "请选择级别。"))]
    if kind != "hot" and level:
        remedy = Words("Leave the level out.", "请清空级别。")
        return [_wrong("level", "only hot work has this level", "该级别仅用于动火作业", remedy, level)]
    length = _moment(values, "until") - _moment(values, "from")
    if length <= timedelta(0):
        remedy = Words("Check both times.", "请核对两个时间。")
        return [_wrong("until", "it would end before it began", "结束时间不晚于开始时间", remedy, values["until"])]
    longest_h = LONGEST_H.get((kind, level))
    if longest_h is not None and length > timedelta(hours=longest_h):
        remedy = Words("Shorten it, and issue another ticket after it.", "请缩短，期满后重新办理。")
        en = f"a ticket of this kind is for {longest_h} h at most (GB 30871-2022)"
        return [_wrong("until", en, f"该类作业票有效期最长 {longest_h} h（GB 30871-2022）", remedy, values["until"])]
    return []


def _check_approval(values: Values) -> list[Wrong]:
    if values["stage"] in {"applied", "cancelled"}:
        return []
    if not values.get("approved_by"):
        return [_wrong("approved_by", "nobody has approved it", "尚无审批人", MISSING)]
    if values["approved_by"] == values["applicant"]:
        remedy = Words("A second person approves.", "应由另一人审批。")
        return [
            _wrong("approved_by", "who applies may not approve", "申请人不得自行审批", remedy, values["approved_by"])
        ]
    return []


def _check_begin(values: Values) -> list[Wrong]:
    if not values.get("begun_at"):
        return [_wrong("begun_at", "work that goes on has begun", "作业中应填写实际开始时间", MISSING)]
    if not values["from"] <= values["begun_at"] <= values["until"]:
        remedy = Words("Check the times, or issue another ticket.", "请核对时间，或重新办理作业票。")
        en, zh = "it began outside the time of the ticket", "实际开始时间不在作业票有效期内"
        return [_wrong("begun_at", en, zh, remedy, values["begun_at"])]
    if values["kind"] in TESTED and not values.get("guardian"):
        return [_wrong("guardian", "such work has a guardian", "该类作业应有监护人", MISSING)]
    return []


def _check_end(values: Values) -> list[Wrong]:
    ended = values.get("ended_at")
    if values["stage"] == "closed" and not ended:
        return [_wrong("ended_at", "a closed ticket has ended", "已关闭的作业票应填写实际结束时间", MISSING)]
    if ended and ended < values["begun_at"]:
        remedy = Words("Check both times.", "请核对两个时间。")
        return [_wrong("ended_at", "it ended before it began", "结束早于开始", remedy, ended)]
    if ended and ended > values["until"] and not values.get("overrun"):
        remedy = Words("Write why; the time stays as it was.", "请说明原因，时间如实填写。")
        en, zh = "the work went on beyond its ticket", "作业超出作业票有效期"
        return [_wrong("overrun", en, zh, remedy)]
    return []


def _check_interval(values: Values) -> list[Wrong]:
    said = values.get("retest_minutes")
    if said is None:
        return []
    remedy = Words("Leave it empty.", "请清空。")
    if values["kind"] not in TESTED:
        en, zh = "work of this kind has no gas test", "该类作业无需气体分析"
        return [_wrong("retest_minutes", en, zh, remedy, said)]
    longest = INTERVAL_MINUTES.get((values["kind"], values.get("level", "")))
    if longest is not None and said > longest:
        remedy = Words("Shorten it, or leave it empty.", "请缩短，或清空。")
        en, zh = f"such work is tested every {longest} min at least", f"该类作业至少每 {longest} min 分析一次"
        return [_wrong("retest_minutes", en, zh, remedy, said)]
    return []


def _check_break(values: Values) -> list[Wrong]:
    paused, resumed = values.get("paused_at"), values.get("resumed_at")
    stage, remedy = values["stage"], Words("Check the times.", "请核对时间。")
    if stage == "paused" and not paused:
        return [_wrong("paused_at", "a break has begun", "作业中断应填写中断时间", MISSING)]
    if paused and paused < values["begun_at"]:
        return [_wrong("paused_at", "it was interrupted before it began", "中断早于开始", remedy, paused)]
    if resumed and not paused:
        return [_wrong("paused_at", "work that goes on again was interrupted before", "恢复作业前应填写中断时间", MISSING)]  # fmt: skip
    if resumed and paused and resumed < paused:
        return [_wrong("resumed_at", "it went on before it was interrupted", "恢复早于中断", remedy, resumed)]
    if stage == "paused" and resumed:
        remedy = Words("Empty it; the last break stays in the history.", "请清空；上一次中断保留在历史中。")
        return [_wrong("resumed_at", "the work rests still", "作业仍在中断", remedy, resumed)]
    if stage == "working" and paused and not resumed:
        return [_wrong("resumed_at", "work that goes on again says since when", "恢复作业应填写恢复时间", MISSING)]
    ended = values.get("ended_at")
    if ended and ended < max(paused or "", resumed or ""):
        return [_wrong("ended_at", "it ended before its last break", "结束早于最近一次中断", remedy, ended)]
    return []


def _check_gas(values: Values, tests: list[GasTest]) -> list[Wrong]:
    """Refuse work that began without a passed test of the last 30 minutes, its own or one of the ledger of tests."""
    begun = values["begun_at"]
    test = newest(tests, begun) or (tests[0] if tests else None)
    if test is None:
        return [_wrong("gas_at", "such work begins with a gas test", "该类作业开始前应进行气体分析", MISSING)]
    before = minutes_between(test.at, begun)
    if not 0 <= before <= FRESH_MINUTES:
        remedy = Words("Test again before the work begins.", "请在作业开始前重新分析。")
        en = f"the gas test lies {before:.0f} min before the beginning; {FRESH_MINUTES} at most, and not after it"
        zh = f"气体分析距作业开始 {before:.0f} min，应在开始前 {FRESH_MINUTES} min 内"
        return [_wrong("gas_at", en, zh, remedy, test.at)]
    if not test.is_ok:
        remedy = Words("Ventilate and test again; no work begins on it.", "应通风置换后重新分析，不得作业。")
        return [_wrong("gas_ok", "the gas test was not passed", "气体分析不合格", remedy)]
    if values["kind"] != "space":
        return []
    oxygen = test.oxygen_pct
    if oxygen is None:
        return [_wrong("oxygen_pct", "a confined space has its oxygen measured", "受限空间应测氧含量", MISSING)]
    if not OXYGEN_PCT[0] <= oxygen <= OXYGEN_PCT[1]:
        remedy = Words("Ventilate and test again; nobody enters.", "应通风后重新分析，不得进入。")
        en, zh = "oxygen lies outside 19.5 … 23.5 %", "氧含量超出 19.5%–23.5%"
        return [_wrong("oxygen_pct", en, zh, remedy, oxygen)]
    return []


def _check_after_break(values: Values, tests: list[GasTest]) -> list[Wrong]:
    """Refuse work that went on after a long break without a passed test between, no older than 30 minutes."""
    if not is_long_break(values):
        return []
    paused, resumed = values["paused_at"], values["resumed_at"]
    test = newest(tests, resumed)
    if test is not None and test.at >= paused and test.is_ok and minutes_between(test.at, resumed) <= FRESH_MINUTES:
        return []
    longest, was = BREAK_MINUTES[values["kind"], values.get("level", "")], minutes_between(paused, resumed)
    remedy = Words(
        f"Test within {FRESH_MINUTES} min before it goes on, and enter it under Gas tests.",
        f"请在恢复作业前 {FRESH_MINUTES} min 内重新分析合格，并录入“气体分析记录”。",
    )
    en = f"after a break of {was:.0f} min (more than {longest}) such work is tested anew"
    zh = f"中断 {was:.0f} min（超过 {longest} min）应重新进行气体分析"
    return [_wrong("resumed_at", en, zh, remedy, resumed)]


DERIVED: Final = ("tested_at", "tested_ok", "retest_by")


def tested(values: Values, rows: Iterable[Mapping[str, Any]]) -> Values:
    """Give a ticket's values after its gas tests changed.

    Args:
        rows: Values of its records in the ledger of gas tests.
    """
    kept = {name: value for name, value in values.items() if name not in DERIVED}
    tests = tests_of(kept, rows)
    last, due = newest(tests), next_due(kept, tests)
    found: Values = {} if last is None else {"tested_at": last.at, "tested_ok": last.is_ok}
    return kept | found | ({"retest_by": due} if due else {})


def _derive(values: Values, around: Surroundings) -> Values:
    return tested(values, around.tests.get(values["code"], ()))


TICKETS: Final = Ledger(
    id="tickets",
    title=Words("Work tickets", "作业票"),
    about=Words(
        "Special work of the eight kinds of GB 30871, from a form, a list or another system: who applied and approved, gas test, guardian, from when until when.",
        "GB 30871 八大特殊作业：申请、审批、气体分析、监护与起止时间；可填写、导入或由其他系统写入。",
    ),
    named="title",
    check=_check,
    derive=_derive,
    stage="stage",
    photos=(Choice(code="site", title=Words("on the spot", "现场")),),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("What is done", "作业内容"), is_required=True, is_listed=True),
        Field(name="kind", title=Words("Kind", "作业类型"), kind=Kind.CHOICE, choices=KINDS, is_required=True, is_listed=True),
        Field(name="level", title=Words("Level of hot work", "动火级别"), kind=Kind.CHOICE, choices=LEVELS),
        Field(name="stage", title=Words("Stage", "状态"), kind=Kind.CHOICE, choices=STAGES, is_required=True, is_listed=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units", is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="place", title=Words("Place", "作业地点"), is_required=True),
        Field(name="applicant", title=Words("Applied for by", "申请人"), is_required=True, is_listed=True),
        Field(name="contractor", title=Words("Contractor", "承包商")),
        Field(name="from", title=Words("From", "有效期起"), kind=Kind.MOMENT, is_required=True, is_listed=True),
        Field(name="until", title=Words("Until", "有效期止"), kind=Kind.MOMENT, is_required=True, is_listed=True),
        Field(name="approved_by", title=Words("Approved by", "审批人")),
        Field(name="guardian", title=Words("Guardian", "监护人")),
        Field(name="gas_at", title=Words("Gas tested at", "气体分析时间"), kind=Kind.MOMENT, is_past=True, help=Words("Within 30 minutes before hot work or work in a confined space begins.", "动火、受限空间作业开始前 30 分钟内。")),
        Field(name="gas_by", title=Words("Gas tested by", "分析人")),
        Field(name="gas_ok", title=Words("Gas test passed", "气体分析合格"), kind=Kind.FLAG),
        Field(name="oxygen_pct", title=Words("Oxygen", "氧含量"), kind=Kind.NUMBER, eu="%", least=0, most=100),
        Field(name="gas_values", title=Words("Values of the gas test", "气体分析结果"), kind=Kind.LONG),
        Field(name="retest_minutes", title=Words("Tested anew every", "复测间隔"), kind=Kind.WHOLE, eu="min", least=5, most=1440, help=Words("Empty for what the standard says: 120 min in a confined space and of special hot work.", "留空按标准：受限空间、特级动火 120 min。")),
        Field(name="begun_at", title=Words("Begun at", "实际开始时间"), kind=Kind.MOMENT, is_past=True),
        Field(name="paused_at", title=Words("Last interrupted at", "最近中断时间"), kind=Kind.MOMENT, is_past=True),
        Field(name="resumed_at", title=Words("Went on at", "恢复作业时间"), kind=Kind.MOMENT, is_past=True, help=Words("After a break of more than 30 min (special and first class) or 60 min it is tested anew first.", "中断超过 30 min（特级、一级）或 60 min 的，恢复前应重新分析。")),
        Field(name="ended_at", title=Words("Ended at", "实际结束时间"), kind=Kind.MOMENT, is_past=True),
        Field(name="overrun", title=Words("Why it went on beyond its ticket", "超期作业原因"), kind=Kind.LONG),
        Field(name="tested_at", title=Words("Last gas test", "最近一次分析"), kind=Kind.MOMENT, is_derived=True),
        Field(name="tested_ok", title=Words("Last gas test passed", "最近一次分析合格"), kind=Kind.FLAG, is_derived=True),
        Field(name="retest_by", title=Words("Next gas test by", "下次分析时限"), kind=Kind.MOMENT, is_derived=True, is_listed=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
