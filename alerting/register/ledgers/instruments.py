"""Instruments (仪表台账): range, calibration, proof test, interlock and bypass of what measures or trips.

Why: a value from an instrument whose calibration has ended is a value with a note, not a bad one; a bypassed trip is no
    trip. Both are said beside the value, by the tag that the instrument gives.
Never: makes a value BAD; only the instrument and its line do that.
"""

from datetime import date
from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger
from alerting.register.months import plus_months


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


IN_USE, BYPASSED, RETIRED = "in_use", "bypassed", "retired"
STATES: Final = _choices((IN_USE, "in use", "在用"), (BYPASSED, "bypassed", "已旁路"), (RETIRED, "retired", "已停用"))
SORTS: Final = _choices(
    ("level", "level", "液位"),
    ("pressure", "pressure", "压力"),
    ("temperature", "temperature", "温度"),
    ("flow", "flow", "流量"),
    ("gas", "gas detector", "气体探测器"),
    ("fire", "fire detector", "火灾探测器"),
    ("crowd", "people counter", "客流计数"),
    ("valve", "shut-off valve", "切断阀"),
    ("other", "other", "其他"),
)
LEVELS: Final = _choices(("sil1", "SIL 1", "SIL 1 级"), ("sil2", "SIL 2", "SIL 2 级"), ("sil3", "SIL 3", "SIL 3 级"))


def _wrong(field: str, en: str, zh: str, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=Words(en, zh), remedy=remedy, value=str(value))


def _check(values: Values, around: Surroundings) -> list[Wrong]:
    wrongs = [*_check_range(values, around), *_check_days(values)]
    if values.get("interlock_tag") and not values.get("interlock"):
        remedy = Words("Write what it trips.", "请填写联锁动作。")
        wrongs.append(_wrong("interlock", "an interlock says what it trips", "填写联锁位号时应写明联锁内容", remedy))
    if values.get("level") and not values.get("interlock"):
        remedy = Words("Write what it trips, or leave the level out.", "请填写联锁内容，或清空 SIL 等级。")
        wrongs.append(
            _wrong("interlock", "a safety level is one of an interlock", "填写 SIL 等级时应写明联锁内容", remedy)
        )
    return wrongs


def _check_range(values: Values, around: Surroundings) -> list[Wrong]:
    low, high, eu = values.get("range_lo"), values.get("range_hi"), values.get("eu", "")
    if (low is None) != (high is None):
        missing = "range_lo" if low is None else "range_hi"
        return [_wrong(missing, "a range has two ends", "量程应有上下限", Words("Fill in both.", "请同时填写。"))]
    if low is not None and high <= low:
        remedy = Words("Check both.", "请核对上下限。")
        return [_wrong("range_hi", "the range ends below its beginning", "量程上限应高于下限", remedy, f"{high:g}")]
    if low is not None and not eu:
        return [_wrong("eu", "a range has a unit", "量程应有单位", Words("Write it, e.g. m.", "请填写单位，例如 m。"))]
    of_tag = around.tags.get(values.get("tag", ""), "")
    if eu and of_tag and eu != of_tag:
        remedy = Words(f"Write the range in {of_tag}, or correct the tag.", f"请按 {of_tag} 填写量程，或更正位号。")
        return [_wrong("eu", f'the tag is in "{of_tag}"', f"该位号单位为“{of_tag}”", remedy, eu)]
    return []


def _check_days(values: Values) -> list[Wrong]:
    wrongs = []
    if values.get("calibrated_until") and not values.get("calibrated_on"):
        remedy = Words("Write the day on the certificate.", "请填写证书上的检定日期。")
        wrongs.append(_wrong("calibrated_on", "a calibration has a day", "应填写检定日期", remedy))
    elif values.get("calibrated_until", "9999") < values.get("calibrated_on", ""):
        remedy = Words("Check both days.", "请核对两个日期。")
        said = values["calibrated_until"]
        wrongs.append(_wrong("calibrated_until", "it would end before it began", "有效期早于检定日期", remedy, said))
    if values.get("proof_months") and not values.get("proofed_on"):
        remedy = Words("Write when it was tested last, or put into use.", "请填写上次测试或投用日期。")
        wrongs.append(_wrong("proofed_on", "an interval is counted from a day", "测试周期应有起算日期", remedy))
    return wrongs


def _derive(values: Values, _: Surroundings) -> Values:
    """Work out when the next proof test and whatever comes first is due."""
    found: Values = {}
    if values.get("proof_months"):
        due = plus_months(date.fromisoformat(values["proofed_on"]), int(values["proof_months"]))
        found["proof_due"] = due.isoformat()
    days = [day for day in (values.get("calibrated_until"), found.get("proof_due")) if day]
    if days:
        found["next_due"] = min(days)
    return found


def _check_bypass(_: Values, given: Values, around: Surroundings) -> list[Wrong]:
    if given["bypass_until"] < around.today.isoformat():
        remedy = Words("Set a day that is to come.", "请填写今天或以后的日期。")
        return [
            _wrong("bypass_until", "the bypass would be over already", "旁路期限已过", remedy, given["bypass_until"])
        ]
    if given["bypass_approver"] == around.who:
        remedy = Words("A second person approves.", "应由另一人批准。")
        en, zh = "who bypasses may not approve it", "旁路执行人不得自行批准"
        return [_wrong("bypass_approver", en, zh, remedy, around.who)]
    return []


def _count(values: Values, _: Surroundings) -> Values:
    return {"bypasses": int(values.get("bypasses", 0)) + 1}


_BYPASS: Final = ("bypass_reason", "bypass_measures", "bypass_until", "bypass_approver")
INSTRUMENTS: Final = Ledger(
    id="instruments",
    title=Words("Instruments", "仪表台账"),
    about=Words(
        "What measures or trips: its range, until when its calibration holds, how often it is proof-tested, what it trips, and whether it is bypassed. What is overdue or bypassed is said beside the value of its tag.",
        "测量与联锁仪表：量程、检定有效期、功能测试周期、联锁关系与旁路状态。超期或旁路会在该位号的数值旁注明。",
    ),
    named="name",
    check=_check,
    derive=_derive,
    begins=IN_USE,
    shut=frozenset({RETIRED}),
    due="next_due",
    photos=(Choice(code="proof", title=Words("certificate", "证书")),),
    acts=(
        Act(id="bypass", title=Words("Bypass", "旁路"), begins=frozenset({IN_USE}), ends=BYPASSED, fields=_BYPASS, needed=frozenset(_BYPASS), check=_check_bypass, moves=_count, signs="bypass_by", dates="bypass_on", empties=("restored",)),
        Act(id="restore", title=Words("End the bypass", "恢复投用"), begins=frozenset({BYPASSED}), ends=IN_USE, fields=("restored",), needed=frozenset({"restored"}), signs="restored_by", dates="restored_on", empties=(*_BYPASS, "bypass_by", "bypass_on")),
        Act(id="retire", title=Words("Retire", "停用"), begins=frozenset({IN_USE}), ends=RETIRED),
        Act(id="resume", title=Words("Put into use again", "重新启用"), begins=frozenset({RETIRED}), ends=IN_USE),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Instrument", "仪表名称"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="tag", title=Words("Tag", "位号"), kind=Kind.TAG, is_listed=True, help=Words("The tag that it gives; what is overdue or bypassed is said beside its value.", "仪表对应的位号；超期或旁路会在其数值旁注明。")),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units"),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="equipment", title=Words("Equipment", "所属设备"), kind=Kind.RECORD, ledger="equipment", help=Words("What it stands on.", "仪表所在的设备。")),
        Field(name="maker", title=Words("Maker and model", "厂家型号")),
        Field(name="serial", title=Words("Serial number", "出厂编号")),
        Field(name="range_lo", title=Words("Range from", "量程下限"), kind=Kind.NUMBER, least=-1e12, most=1e12),
        Field(name="range_hi", title=Words("Range to", "量程上限"), kind=Kind.NUMBER, least=-1e12, most=1e12),
        Field(name="eu", title=Words("Unit of the range", "量程单位")),
        Field(name="certificate", title=Words("Calibration certificate", "检定证书编号")),
        Field(name="calibrated_on", title=Words("Calibrated on", "检定日期"), kind=Kind.DATE, is_past=True),
        Field(name="calibrated_until", title=Words("Calibration valid until", "检定有效期至"), kind=Kind.DATE, is_listed=True),
        Field(name="proof_months", title=Words("Proof test every", "功能测试周期"), kind=Kind.WHOLE, eu="months", least=1, most=240),
        Field(name="proofed_on", title=Words("Proof-tested on", "上次功能测试日期"), kind=Kind.DATE, is_past=True),
        Field(name="proof_due", title=Words("Proof test due on", "功能测试期限"), kind=Kind.DATE, is_derived=True),
        Field(name="next_due", title=Words("Next due on", "最近到期日"), kind=Kind.DATE, is_listed=True, is_derived=True),
        Field(name="interlock", title=Words("What it trips", "联锁内容"), help=Words("Empty where it trips nothing.", "无联锁时留空。")),
        Field(name="interlock_tag", title=Words("Tag of the trip", "联锁位号"), kind=Kind.TAG),
        Field(name="level", title=Words("Safety integrity level", "SIL 等级"), kind=Kind.CHOICE, choices=LEVELS),
        Field(name="responsible", title=Words("Responsible person", "责任人"), help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="bypass_reason", title=Words("Why it is bypassed", "旁路原因"), kind=Kind.LONG, is_by_act=True),
        Field(name="bypass_measures", title=Words("Measures meanwhile", "旁路期间措施"), kind=Kind.LONG, is_by_act=True),
        Field(name="bypass_until", title=Words("Bypassed until", "旁路期限"), kind=Kind.DATE, is_by_act=True),
        Field(name="bypass_approver", title=Words("Bypass approved by", "旁路批准人"), is_by_act=True),
        Field(name="bypass_by", title=Words("Bypassed by", "旁路执行人"), is_by_act=True),
        Field(name="bypass_on", title=Words("Bypassed on", "旁路日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="bypasses", title=Words("Bypasses so far", "累计旁路次数"), kind=Kind.WHOLE, least=0, most=100_000, is_by_act=True),
        Field(name="restored", title=Words("Finding at the end of the bypass", "恢复投用确认"), is_by_act=True),
        Field(name="restored_by", title=Words("Bypass ended by", "恢复投用人"), is_by_act=True),
        Field(name="restored_on", title=Words("Bypass ended on", "恢复投用日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
