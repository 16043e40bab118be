"""Crowd zones (人员密集区域): where many people are, how many it takes, and by what that was worked out."""

from typing import Final

from alerting.register.capacity import capacity_of
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


SORTS: Final = _choices(
    ("spot", "spot to look at", "景点"),
    ("path", "path", "步道"),
    ("deck", "deck or bridge", "栈道、桥梁、玻璃平台"),
    ("square", "square", "广场"),
    ("hall", "hall", "室内场馆"),
    ("queue", "queue", "排队区"),
    ("gate", "gate", "出入口"),
    ("stairs", "stairs", "台阶、扶梯"),
    ("transport", "stop of a shuttle, cable car or boat", "摆渡、索道、码头候乘区"),
    ("other", "other", "其他"),
)
LIMITS: Final = _choices(
    ("space", "space", "空间"), ("facility", "facilities", "设施"), ("load", "load of the structure", "结构荷载")
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    wrongs = []
    if values["sort"] == "deck" and values.get("load_persons") is None:
        rule = Words("a deck or a bridge bears only so many persons", "栈道、桥梁、玻璃平台应填写结构限载人数")
        remedy = Words("Write the limit of its design.", "请按设计荷载填写。")
        wrongs.append(Wrong(field="load_persons", rule=rule, remedy=remedy))
    if values["space_m2"] > values["area_m2"]:
        rule = Words("one person needs more than the whole area", "人均面积大于有效面积")
        remedy = Words("Check both, and their units.", "请核对两项及其单位。")
        wrongs.append(Wrong(field="space_m2", rule=rule, remedy=remedy, value=f"{values['space_m2']:g}"))
    return wrongs


def _derive(values: Values, _: Surroundings) -> Values:
    found = capacity_of(values)
    return {"at_once": found.at_once, "in_day": found.in_day, "limited_by": found.limit}


CROWD_ZONES: Final = Ledger(
    id="crowd_zones",
    title=Words("Crowd zones", "人员密集区域"),
    about=Words(
        "Where many people are: area, space a person, opening hours and stay give how many it takes at once and in a day (LB/T 034-2014, unverified).",
        "人员密集区域：由有效面积、人均面积、开放时间与平均停留时间核定瞬时与日承载量（LB/T 034-2014，未经核实）。",
    ),
    named="name",
    check=_check,
    derive=_derive,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Zone", "区域名称"), is_required=True, is_listed=True),
        Field(name="sort", title=Words("Kind", "区域类型"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units"),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT, is_listed=True),
        Field(name="tag", title=Words("Tag of the head count", "在园人数位号"), kind=Kind.TAG, help=Words("A tag that gives persons, so that the live count stands beside the capacity.", "以人数为单位的位号，用于与承载量对照。")),
        Field(name="area_m2", title=Words("Effective area", "有效面积"), kind=Kind.NUMBER, eu="m²", least=1, most=1e8, is_required=True, help=Words("Where people can stand or walk, without water, plants and buildings.", "游人可进入的面积，不含水面、绿地和建筑。")),
        Field(name="space_m2", title=Words("Basic space a person", "人均基本空间"), kind=Kind.NUMBER, eu="m²", least=0.1, most=1e4, is_required=True, help=Words("As the site's own rule has it; published examples: relics 1 to 2, mountains 3 to 4, paths 5 to 10 (GB/T 50298-2018).", "按本景区核定标准；公开示例：文物古迹 1–2，山岳 3–4，步道 5–10（GB/T 50298-2018）。")),
        Field(name="space_basis", title=Words("Where that comes from", "人均空间依据"), is_required=True),
        Field(name="open_h", title=Words("Open a day", "每日开放时间"), kind=Kind.NUMBER, eu="h", least=0.25, most=24, is_required=True),
        Field(name="stay_h", title=Words("Mean stay", "平均停留时间"), kind=Kind.NUMBER, eu="h", least=0.01, most=24, is_required=True),
        Field(name="facility_persons", title=Words("Capacity of its facilities at once", "瞬时设施承载量"), kind=Kind.WHOLE, eu="persons", least=1, most=10_000_000),
        Field(name="load_persons", title=Words("Load limit of the structure", "结构限载人数"), kind=Kind.WHOLE, eu="persons", least=1, most=10_000_000),
        Field(name="at_once", title=Words("Capacity at once", "瞬时承载量"), kind=Kind.WHOLE, eu="persons", is_listed=True, is_derived=True),
        Field(name="in_day", title=Words("Capacity in a day", "日承载量"), kind=Kind.WHOLE, eu="persons", is_listed=True, is_derived=True),
        Field(name="limited_by", title=Words("Limited by", "限制因素"), kind=Kind.CHOICE, choices=LIMITS, is_derived=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
