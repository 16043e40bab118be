"""Resources (应急资源): teams, experts, vehicles, materials, shelters, hospitals: where, in which state, whom to call.

Flow: row -> [check, derive] -> record;  act of a person -> away, out of order, back;  incident -> reserved, used, released
Why: what is away or expired must not be counted on in the hour in which it is needed.
Never: is reserved by a form; an incident reserves it (``gateway.response.resources``).
"""

from datetime import date, timedelta
from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger
from alerting.register.ledgers.units import POSITION


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


AVAILABLE, RESERVED, AWAY, BROKEN = "available", "reserved", "away", "out_of_order"
MATERIAL: Final = "material"
STATES: Final = _choices(
    (AVAILABLE, "available", "可用"), (RESERVED, "reserved", "已调用"), (AWAY, "away", "外出"),
    (BROKEN, "out of order", "停用"),
)  # fmt: skip
SORTS: Final = _choices(
    ("team", "team", "救援队伍"), ("expert", "expert", "专家"), ("vehicle", "vehicle", "车辆装备"),
    (MATERIAL, "material", "物资"), ("shelter", "shelter", "避难场所"), ("hospital", "hospital", "医疗机构"),
)  # fmt: skip
#: Days in which what is below its minimum is filled up; ours.
RESTOCK_DAYS: Final = 7
_OF_MATERIAL: Final = ("stock", "stock_eu", "minimum", "counted_on")
#: So small a difference is the rounding of a sum, not a shortage.
ROUNDING: Final = 1e-9


def free_of(values: Values) -> float:
    """Give how much of a material no incident has reserved, in its own unit."""
    left: float = values.get("stock", 0.0) - values.get("held", 0.0)
    return round(max(left, 0.0), 9)


def is_expired(values: Values, today: str) -> bool:
    """Tell whether its last day is past; the day itself still counts."""
    return bool(values.get("expires_on", "9999-12-31") < today)


def restock_by(values: Values) -> str:
    """Give the day by which a material below its minimum is filled up; empty for none."""
    if values.get("minimum") is None or values.get("stock", 0.0) >= values["minimum"]:
        return ""
    return (date.fromisoformat(values["counted_on"]) + timedelta(days=RESTOCK_DAYS)).isoformat()


def with_stock(values: Values, *, stock: float, held: float, today: str) -> Values:
    """Give a material's values with another stock and another reserved amount.

    Args:
        stock, held: In its own unit; neither is below zero, and no more is reserved than is there.
        today: From when the stock is known, ISO 8601.
    """
    assert 0 <= held <= stock + ROUNDING, "no more is reserved than is there"
    counted = today if stock != values["stock"] else values["counted_on"]
    fresh = values | {"stock": round(stock, 9), "held": round(held, 9), "counted_on": counted}
    return _derived(fresh)


def _derived(values: Values) -> Values:
    by = restock_by(values) if values["sort"] == MATERIAL else ""
    return {name: value for name, value in values.items() if name != "restock_by"} | ({"restock_by": by} if by else {})


def _derive(values: Values, _: Surroundings) -> Values:
    by = restock_by(values) if values["sort"] == MATERIAL else ""
    return {"restock_by": by} if by else {}


def _wrong(field: str, en: str, zh: str, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=Words(en, zh), remedy=remedy, value=str(value))


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values["sort"] != MATERIAL:
        given = next((name for name in _OF_MATERIAL if values.get(name) is not None), "")
        if given:
            remedy = Words("Choose material, or leave it empty.", "请将类别选为物资，或清空该项。")
            return [_wrong(given, "only a material has a stock", "只有物资填写库存", remedy, values[given])]
        return _check_held(values)
    fill = Words("Fill it in.", "请填写。")
    for name in ("stock", "stock_eu", "counted_on"):
        if values.get(name) is None:
            return [
                _wrong(name, "a material has a stock, its unit and its day", "物资应填写库存、单位和盘点日期", fill)
            ]
    return _check_held(values)


def _check_held(values: Values) -> list[Wrong]:
    is_material = values["sort"] == MATERIAL
    held = values.get("held", 0.0)
    if not is_material and held:
        remedy = Words("Release it at the incident first.", "请先在应急事件中归还。")
        return [_wrong("sort", "an incident has reserved some of it", "应急事件已调用其中一部分", remedy)]
    if is_material and values.get(STATE) == RESERVED:
        remedy = Words("Release it at the incident first.", "请先在应急事件中归还。")
        return [_wrong("sort", "an incident has reserved it", "应急事件已调用该资源", remedy)]
    if is_material and held > values["stock"] + ROUNDING:
        remedy = Words("Release the rest at the incident first.", "请先在应急事件中归还多余部分。")
        eu = values["stock_eu"]
        en, zh = f"incidents have reserved {held:g} {eu} of it", f"应急事件已调用 {held:g} {eu}"
        return [_wrong("stock", en, zh, remedy, values["stock"])]
    return []


RESOURCES: Final = Ledger(
    id="resources",
    title=Words("Emergency resources", "应急资源"),
    about=Words(
        "Teams, experts, vehicles, materials, shelters and hospitals: where they are, in which state, whom to call. They are reserved and used up at an incident; stock below its minimum and expiry are duties.",
        "救援队伍、专家、车辆装备、物资、避难场所和医疗机构：位置、状态和联系方式。在应急事件中调用和消耗；库存不足和到期列入督办。",
    ),
    named="name",
    check=_check,
    derive=_derive,
    begins=AVAILABLE,
    is_tied=lambda values: bool(values.get("held")) or values.get(STATE) == RESERVED,
    acts=(
        Act(id="away", title=Words("Away", "外出"), begins=frozenset({AVAILABLE}), ends=AWAY, fields=("note",)),
        Act(id="fault", title=Words("Out of order", "停用"), begins=frozenset({AVAILABLE, AWAY}), ends=BROKEN, fields=("note",)),
        Act(id="back", title=Words("Available again", "恢复可用"), begins=frozenset({AWAY, BROKEN}), ends=AVAILABLE, fields=("note",)),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "名称"), is_required=True, is_listed=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="can", title=Words("What it can do", "能力说明"), kind=Kind.LONG),
        Field(name="position", title=Words("Position", "位置坐标"), kind=Kind.POINT, help=POSITION),
        Field(name="address", title=Words("Address", "存放地点、地址")),
        Field(name="person", title=Words("Whom to call", "联系人"), is_required=True, is_listed=True),
        Field(name="phone", title=Words("Telephone", "联系电话"), kind=Kind.PHONE, is_required=True, is_listed=True),
        Field(name="contact", title=Words("Organisation", "所属单位"), kind=Kind.RECORD, ledger="contacts"),
        Field(name="persons", title=Words("Persons or places", "人数、可容纳人数"), kind=Kind.WHOLE, eu="persons", least=0, most=1_000_000),
        Field(name="stock", title=Words("Stock", "库存"), kind=Kind.NUMBER, least=0, most=1e9, is_listed=True, help=Words("Of a material, in its own unit. What incidents have reserved is part of it.", "物资填写，按其计量单位；含应急事件已调用未消耗的数量。")),
        Field(name="stock_eu", title=Words("Unit of the stock", "计量单位"), is_listed=True),
        Field(name="minimum", title=Words("Minimum stock", "最低库存"), kind=Kind.NUMBER, least=0, most=1e9, help=Words("Below it filling up is a duty, within 7 days after the count (ours).", "低于最低库存时列入督办，盘点后 7 日内补足（产品默认）。")),
        Field(name="counted_on", title=Words("Stock counted on", "盘点日期"), kind=Kind.DATE, is_past=True),
        Field(name="held", title=Words("Reserved of it", "已调用数量"), kind=Kind.NUMBER, is_by_act=True),
        Field(name="restock_by", title=Words("Fill up by", "补足期限"), kind=Kind.DATE, is_derived=True),
        Field(name="expires_on", title=Words("Usable until", "有效期至"), kind=Kind.DATE, is_listed=True, help=Words("A duty 30 days before; what is past it cannot be reserved.", "到期前 30 日列入督办；过期的不能调用。")),
        Field(name="incident", title=Words("Reserved for incident", "调用事件编号"), kind=Kind.WHOLE, is_by_act=True),
        Field(name="responsible", title=Words("Responsible person", "责任人"), help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
