"""Occupational hazards (职业危害): measuring points with their limits, signs and notices, and the samples taken there.

Why: a detector protects from an accident, a sample tells what people breathed for years; both stand beside one limit.
Never: converts a unit, judges a sample without a limit, moves the next day by hand: a sample does.
"""

from collections.abc import Mapping
from typing import Any, Final

from alerting.register.cycle import CYCLES
from alerting.register.exposure_limits import EDITION, LIMITS, MASS_EU, NOISE, NOISE_EU, Exposure, named
from alerting.register.exposure_rates import next_due
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


IN_USE, RETIRED = "in_use", "retired"
WITHIN, ABOVE = "within", "above"
STATES: Final = _choices((IN_USE, "in use", "在用"), (RETIRED, "no longer sampled", "已停用"))
SORTS: Final = _choices(
    ("chemical", "chemical", "化学因素"),
    ("dust", "dust", "粉尘"),
    ("noise", "noise", "噪声"),
    ("heat", "heat", "高温"),
    ("vibration", "hand-arm vibration", "手传振动"),
    ("other", "other", "其他"),
)
#: Units that fit a sort; any fits what stands under other.
EUS: Final[dict[str, tuple[str, ...]]] = {
    "chemical": (MASS_EU, "ppm"), "dust": (MASS_EU,), "noise": (NOISE_EU,), "heat": ("°C",), "vibration": ("m/s²",),
}  # fmt: skip
KINDS: Final = _choices(("twa", "TWA (8 h)", "时间加权平均 TWA"), ("stel", "STEL (15 min)", "短时间接触 STEL"), ("mac", "MAC", "最高容许浓度 MAC"))  # fmt: skip
VERDICTS: Final = _choices((WITHIN, "within the limit", "未超限"), (ABOVE, "above the limit", "超限"))
LIMIT_NAMES: Final = ("twa", "stel", "mac")


def published(values: Mapping[str, Any]) -> Exposure | None:
    """Give the limits of the table that fit a point's factor and unit; None where it has none."""
    if values["sort"] == "noise":
        return NOISE if values["eu"] == NOISE_EU else None
    return LIMITS.get(str(values.get("cas", ""))) if values["eu"] == MASS_EU else None


def limits_of(values: Values) -> dict[str, float]:
    """Give the limits that a point's samples are judged by, by kind: its own, else those of the table."""
    table = published(values)
    found = {}
    for name in LIMIT_NAMES:
        own = values.get(f"own_{name}")
        limit = own if own is not None else getattr(table, name, None)
        if limit is not None:
            found[name] = float(limit)
    return found


def _wrong(field: str, en: str, zh: str, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=Words(en, zh), remedy=remedy, value=str(value))


def _check_point(values: Values, around: Surroundings) -> list[Wrong]:
    wrongs = _check_factor(values) or _check_limits(values) or _check_tags(values, around)
    if values["sign"] is False and values.get("sign_due", "9999") == "9999":
        remedy = Words("Write until when it is put up.", "请填写设置期限。")
        wrongs.append(_wrong("sign_due", "a sign that is missing has a day by which it is put up", "未设置警示标识时应填写期限", remedy))  # fmt: skip
    return wrongs


def _check_factor(values: Values) -> list[Wrong]:
    sort, eu, cas = values["sort"], values["eu"], values.get("cas", "")
    fits = EUS.get(sort)
    if fits is not None and eu not in fits:
        en, zh = f"that unit does not fit this factor, which is in {' or '.join(fits)}", f"该单位与危害因素不符，应为 {' 或 '.join(fits)}"  # fmt: skip
        return [_wrong("eu", en, zh, Words("Convert the limits and write the unit.", "请换算后填写该单位。"), eu)]
    if sort == "chemical" and not cas:
        remedy = Words("Write it, e.g. 7664-41-7.", "请填写，例如 7664-41-7。")
        return [_wrong("cas", "a chemical factor has a CAS number", "化学因素应填写 CAS 号", remedy)]
    if cas and sort in {"noise", "heat", "vibration"}:
        remedy = Words("Empty it, or choose another sort.", "请清空，或更正类别。")
        return [_wrong("cas", "a physical factor has no CAS number", "物理因素没有 CAS 号", remedy, cas)]
    meant = named(str(values["factor"]))
    if cas and meant is not None and meant.cas != cas:
        remedy = Words(f"{meant.name.en} is {meant.cas}; correct one of the two.", f"{meant.name.zh}的 CAS 号为 {meant.cas}，请更正其一。")  # fmt: skip
        return [_wrong("cas", "that is the number of another substance than the name says", "CAS 号与危害因素名称不符", remedy, cas)]  # fmt: skip
    return []


def _check_limits(values: Values) -> list[Wrong]:
    own = [name for name in LIMIT_NAMES if values.get(f"own_{name}") is not None]
    if own and not values.get("basis"):
        remedy = Words("Write the standard and its clause, or empty the limit.", "请填写标准及条款，或清空自定限值。")
        return [_wrong("basis", "a limit of the site's own has a basis", "自定限值应填写依据", remedy)]
    limits = limits_of(values)
    if not limits:
        en = f"no limit is known for this factor in {values['eu']}"
        remedy = Words("Write one of the site's own, with its basis.", "请填写自定限值及其依据。")
        return [_wrong("own_twa", en, f"内置限值表中没有该因素（{values['eu']}）的限值", remedy)]
    if limits.get("stel", limits.get("twa", 0.0)) < limits.get("twa", 0.0):
        remedy = Words("Check both.", "请核对两个限值。")
        return [_wrong("own_stel", "the limit of 15 minutes lies below that of 8 hours", "短时间限值低于时间加权平均限值", remedy, f"{limits['stel']:g}")]  # fmt: skip
    return []


def _check_tags(values: Values, around: Surroundings) -> list[Wrong]:
    limits, eu, wrongs = limits_of(values), values["eu"], []
    for name in LIMIT_NAMES:
        tag = values.get(f"{name}_tag")
        if not tag:
            continue
        of_tag = around.tags.get(tag, "")
        if name not in limits:
            remedy = Words("Empty it, or write the limit.", "请清空，或填写该限值。")
            wrongs.append(_wrong(f"{name}_tag", f"the point has no {name.upper()} limit", f"该点没有 {name.upper()} 限值", remedy, tag))  # fmt: skip
        elif of_tag and of_tag != eu:
            remedy = Words(f"Choose a tag in {eu}, e.g. a derived one.", f"请选用单位为 {eu} 的位号（例如派生位号）。")
            wrongs.append(_wrong(f"{name}_tag", f'the tag is in "{of_tag}"', f"该位号单位为“{of_tag}”", remedy, tag))
    return wrongs


def _derive_point(values: Values, _: Surroundings) -> Values:
    limits = limits_of(values)
    is_own = any(values.get(f"own_{name}") is not None for name in LIMIT_NAMES)
    due = next_due(values.get("last_on", ""), values["first_due"], int(values["every"]), values["cycle"])
    return {
        **limits, "limit_basis": values["basis"] if is_own else f"{EDITION.zh} {EDITION.en}", "next_due": due,
    }  # fmt: skip


def sampled(values: Values, last_on: str) -> Values:
    """Give a point's values after its samples changed.

    Args:
        last_on: The day of its last sample, ISO 8601; empty where none is left.
    """
    kept = {name: value for name, value in values.items() if name != "last_on"}
    if last_on:
        kept["last_on"] = last_on
    due = next_due(last_on, values["first_due"], int(values["every"]), values["cycle"])
    return kept | {"next_due": due}


def _later(name: str, had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    if given[name] > max(had.get(name, ""), around.today.isoformat()):
        return []
    remedy = Words("Write the day by which it is to be done next.", "请填写下一次的期限。")
    return [_wrong(name, "the next day lies after today and after the last one", "下次期限应晚于今天和原期限", remedy, given[name])]  # fmt: skip


def _check_sign(had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    return _later("sign_due", had, given, around)


def _check_notice(had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    return _later("notice_due", had, given, around)


def _stands(_: Values, __: Surroundings) -> Values:
    return {"sign": True}


_OPEN: Final = frozenset({IN_USE})
EXPOSURE_POINTS: Final = Ledger(
    id="exposure_points",
    title=Words("Exposure points", "职业危害监测点"),
    about=Words(
        "Where workers are exposed to what, by which limits: how often it is sampled, whether the sign is there, until when workers are to be told anew. Samples move the next day on.",
        "职业危害因素监测点：接触岗位、限值、检测周期、警示标识与告知期限。检测结果录入后自动顺延下次期限。",
    ),
    named="place",
    check=_check_point,
    derive=_derive_point,
    begins=IN_USE,
    shut=frozenset({RETIRED}),
    due="next_due",
    photos=(Choice(code="sign", title=Words("sign", "警示标识")),),
    acts=(
        Act(id="sign", title=Words("The sign is there", "警示标识已设置"), begins=_OPEN, ends=IN_USE, fields=("sign_due",), needed=frozenset({"sign_due"}), check=_check_sign, moves=_stands, signs="sign_by", dates="sign_on", permission="operate"),
        Act(id="notice", title=Words("Workers were told", "已告知劳动者"), begins=_OPEN, ends=IN_USE, fields=("notice_due", "notice_how"), needed=frozenset({"notice_due", "notice_how"}), check=_check_notice, signs="notice_by", dates="notice_on"),
        Act(id="retire", title=Words("No longer sampled", "停用"), begins=_OPEN, ends=RETIRED, fields=("retired_reason",), needed=frozenset({"retired_reason"}), dates="retired_on"),
        Act(id="resume", title=Words("Put into use again", "重新启用"), begins=frozenset({RETIRED}), ends=IN_USE, empties=("retired_reason", "retired_on")),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="place", title=Words("Place", "监测地点"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units"),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="sort", title=Words("Sort", "因素类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True),
        Field(name="factor", title=Words("Hazard factor", "危害因素"), is_required=True, is_listed=True, help=Words("Name, e.g. ammonia.", "名称，例如 氨。")),
        Field(name="cas", title=Words("CAS number", "CAS 号"), kind=Kind.CAS, is_listed=True, help=Words("Of a chemical factor; limits of the table are found by it.", "化学因素填写；按此查找内置限值。")),
        Field(name="eu", title=Words("Unit of measure", "计量单位"), is_required=True, is_listed=True, help=Words("E.g. mg/m³, ppm, dB(A), °C (WBGT), m/s².", "例如 mg/m³、ppm、dB(A)、°C（WBGT）、m/s²。")),
        Field(name="posts", title=Words("Posts exposed", "接触岗位"), is_required=True, is_listed=True),
        Field(name="persons", title=Words("Persons exposed", "接触人数"), kind=Kind.WHOLE, least=0, most=100_000, eu="persons"),
        Field(name="own_twa", title=Words("Own TWA limit", "自定 TWA 限值"), kind=Kind.NUMBER, least=1e-6, most=1e6, help=Words("Empty for that of the table.", "留空则用内置限值。")),
        Field(name="own_stel", title=Words("Own STEL limit", "自定 STEL 限值"), kind=Kind.NUMBER, least=1e-6, most=1e6),
        Field(name="own_mac", title=Words("Own MAC limit", "自定 MAC 限值"), kind=Kind.NUMBER, least=1e-6, most=1e6),
        Field(name="basis", title=Words("Basis of the own limit", "自定限值依据")),
        Field(name="twa", title=Words("TWA limit", "TWA 限值"), kind=Kind.NUMBER, is_derived=True),
        Field(name="stel", title=Words("STEL limit", "STEL 限值"), kind=Kind.NUMBER, is_derived=True),
        Field(name="mac", title=Words("MAC limit", "MAC 限值"), kind=Kind.NUMBER, is_derived=True),
        Field(name="limit_basis", title=Words("Limits by", "限值依据"), is_derived=True),
        Field(name="twa_tag", title=Words("Tag of the TWA", "TWA 位号"), kind=Kind.TAG, help=Words("A derived tag; its value of now stands beside the point.", "派生位号；当前值在监测点旁显示。")),
        Field(name="stel_tag", title=Words("Tag of the STEL", "STEL 位号"), kind=Kind.TAG),
        Field(name="mac_tag", title=Words("Tag of the MAC", "MAC 位号"), kind=Kind.TAG),
        Field(name="first_due", title=Words("First sampled by", "首次检测期限"), kind=Kind.DATE, is_required=True),
        Field(name="every", title=Words("Sampling cycle", "检测周期"), kind=Kind.WHOLE, is_required=True, least=1, most=1000),
        Field(name="cycle", title=Words("Unit of the cycle", "周期单位"), kind=Kind.CHOICE, choices=CYCLES, is_required=True),
        Field(name="last_on", title=Words("Last sampled on", "最近检测日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="next_due", title=Words("Sample by", "下次检测期限"), kind=Kind.DATE, is_listed=True, is_derived=True),
        Field(name="responsible", title=Words("Responsible person", "责任人"), help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="sign", title=Words("Sign is there", "已设警示标识"), kind=Kind.FLAG, is_required=True, is_listed=True),
        Field(name="sign_due", title=Words("Sign to be looked at by", "警示标识检查期限"), kind=Kind.DATE),
        Field(name="sign_on", title=Words("Sign looked at on", "警示标识检查日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="sign_by", title=Words("Sign looked at by", "警示标识检查人"), is_by_act=True),
        Field(name="notice_due", title=Words("Workers to be told by", "告知期限"), kind=Kind.DATE),
        Field(name="notice_how", title=Words("How they were told", "告知方式"), is_by_act=True),
        Field(name="notice_on", title=Words("Told on", "告知日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="notice_by", title=Words("Told by", "告知人"), is_by_act=True),
        Field(name="retired_reason", title=Words("Why it is no longer sampled", "停用原因"), is_by_act=True),
        Field(name="retired_on", title=Words("No longer sampled since", "停用日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip


def _check_sample(values: Values, around: Surroundings) -> list[Wrong]:
    point = around.points[values["point"]]
    eu, limits, kind = point["eu"], limits_of(point), values["kind"]
    if values["eu"] != eu:
        remedy = Words(f"Convert the value to {eu}, or correct the point.", f"请将结果换算为 {eu}，或更正监测点。")
        return [_wrong("eu", f"the point is measured in {eu}", f"该监测点单位为 {eu}", remedy, values["eu"])]
    if kind not in limits:
        there = ", ".join(name.upper() for name in limits)
        remedy = Words(f"It has {there}; correct the kind, or give the point the limit.", f"该点限值为 {there}；请更正类型，或为该点补充限值。")  # fmt: skip
        return [_wrong("kind", f"the point has no {kind.upper()} limit to judge it by", f"该监测点没有 {kind.upper()} 限值，无法判定", remedy, kind.upper())]  # fmt: skip
    if values.get("is_below") and values["value"] > limits[kind]:
        remedy = Words("Ask the institution for a finer method.", "请要求检测机构采用更灵敏的方法。")
        return [_wrong("value", f"a detection limit above the limit of {limits[kind]:g} {eu} tells nothing", f"检出限高于限值 {limits[kind]:g} {eu}，无法判定", remedy, f"{values['value']:g}")]  # fmt: skip
    if values["on"] > point.get("retired_on", "9999"):
        remedy = Words("Check the day, or put the point into use again.", "请核对日期，或重新启用该监测点。")
        return [_wrong("on", f"the point is no longer sampled since {point['retired_on']}", f"该监测点已于 {point['retired_on']} 停用", remedy, values["on"])]  # fmt: skip
    return []


def _derive_sample(values: Values, around: Surroundings) -> Values:
    point = around.points[values["point"]]
    limit = limits_of(point)[values["kind"]]
    found: Values = {
        "factor": point["factor"], "limit": limit, "share_pct": round(100 * values["value"] / limit, 1),
        "verdict": WITHIN if values["value"] <= limit else ABOVE,
    }  # fmt: skip
    return found | {name: point[name] for name in ("cas", "unit") if point.get(name)}


EXPOSURE_SAMPLES: Final = Ledger(
    id="exposure_samples",
    title=Words("Exposure samples", "职业危害检测结果"),
    about=Words(
        "What was measured at a point, when, by whom, and whether it is within the limit that the point had then. They come as a list from the institution.",
        "各监测点的检测结果：日期、数值、检测机构与报告编号，并按录入时的限值判定。通常由检测机构提供的表格导入。",
    ),
    named="report",
    check=_check_sample,
    derive=_derive_sample,
    stage="verdict",
    fields=(
        Field(name="code", title=Words("Sample", "样品编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="point", title=Words("Exposure point", "监测点编号"), kind=Kind.RECORD, ledger="exposure_points", is_required=True, is_listed=True),
        Field(name="on", title=Words("Sampled on", "检测日期"), kind=Kind.DATE, is_required=True, is_past=True, is_listed=True),
        Field(name="kind", title=Words("Kind", "检测类型"), kind=Kind.CHOICE, choices=KINDS, is_required=True, is_listed=True, help=Words("By which limit it is judged; noise by L_EX,8h is TWA.", "按哪种限值判定；噪声 8 h 等效声级填 TWA。")),
        Field(name="value", title=Words("Value", "检测结果"), kind=Kind.NUMBER, is_required=True, is_listed=True, least=0, most=1e9, help=Words("Number alone; where nothing was found, the detection limit.", "只填数字；未检出时填检出限。")),
        Field(name="is_below", title=Words("Below the detection limit", "未检出"), kind=Kind.FLAG),
        Field(name="eu", title=Words("Unit of measure", "计量单位"), is_required=True, is_listed=True, help=Words("That of the point; nothing is converted.", "与监测点一致；系统不换算。")),
        Field(name="institution", title=Words("Institution", "检测机构"), is_required=True),
        Field(name="report", title=Words("Report number", "报告编号"), is_required=True, is_listed=True),
        Field(name="factor", title=Words("Hazard factor", "危害因素"), is_derived=True, is_listed=True),
        Field(name="cas", title=Words("CAS number", "CAS 号"), kind=Kind.CAS, is_derived=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT, is_derived=True),
        Field(name="limit", title=Words("Limit", "限值"), kind=Kind.NUMBER, is_derived=True),
        Field(name="share_pct", title=Words("Share of the limit", "占限值比例"), kind=Kind.NUMBER, eu="%", is_derived=True),
        Field(name="verdict", title=Words("Verdict", "判定"), kind=Kind.CHOICE, choices=VERDICTS, is_derived=True, is_listed=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
