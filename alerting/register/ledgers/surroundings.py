"""Surroundings (周边环境): who and what lies around a hazard unit, where, how far, how many persons.

Why: alpha of GB 18218-2018 counts the persons within 500 m outside the boundary; here stands who they are and who is called.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


#: Within which persons count for alpha, GB 18218-2018 table 5, m.
COUNTED_M: Final = 500
#: Sorts of places in which people are.
PEOPLED: Final = frozenset({"homes", "school", "hospital", "care", "market", "crowd"})
SORTS: Final = _choices(
    ("homes", "homes", "居民区"),
    ("school", "school or kindergarten", "学校、幼儿园"),
    ("hospital", "hospital", "医院"),
    ("care", "home for the aged", "养老机构"),
    ("market", "market or shop", "商场、市场"),
    ("crowd", "stadium, park, station", "体育场馆、公园、车站"),
    ("plant", "plant or store", "企业、仓库"),
    ("source", "another major hazard source", "其他重大危险源"),
    ("road", "road", "道路"),
    ("railway", "railway", "铁路"),
    ("water", "water or its source", "水体、水源地"),
    ("line", "overhead line or pipeline", "架空线路、管线"),
    ("nature", "protected area", "保护区"),
    ("other", "other", "其他"),
)
SIDES: Final = _choices(
    ("n", "north", "北"), ("ne", "north-east", "东北"), ("e", "east", "东"), ("se", "south-east", "东南"),
    ("s", "south", "南"), ("sw", "south-west", "西南"), ("w", "west", "西"), ("nw", "north-west", "西北"),
)  # fmt: skip


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values["sort"] in PEOPLED and values.get("persons") is None:
        rule = Words("people are there, and nobody says how many", "人员场所应填写人数")
        remedy = Words("Count them, 0 where nobody lives there any more.", "请填写人数，已无人时填 0。")
        return [Wrong(field="persons", rule=rule, remedy=remedy)]
    if values.get("persons") and not values.get("counted_on"):
        rule = Words("a count has a day", "人数应有统计日期")
        remedy = Words("Write when they were counted.", "请填写统计日期。")
        return [Wrong(field="counted_on", rule=rule, remedy=remedy)]
    return []


SURROUNDINGS: Final = Ledger(
    id="surroundings",
    title=Words("Surroundings", "周边环境"),
    about=Words(
        "What lies around a hazard unit: sort, direction, distance, persons, and who is called there. Those within 500 m stand beside the count that gives alpha.",
        "危险源单元周边情况：类别、方位、距离、人数和联系人。500 m 内人数与决定 α 的人数对照。",
    ),
    named="name",
    check=_check,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "名称"), is_required=True, is_listed=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units", is_required=True, is_listed=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="side", title=Words("Direction", "方位"), kind=Kind.CHOICE, choices=SIDES, is_required=True, is_listed=True),
        Field(name="distance_m", title=Words("Distance from the boundary", "距厂界距离"), kind=Kind.NUMBER, eu="m", least=0, most=100_000, is_required=True, is_listed=True),
        Field(name="persons", title=Words("Persons", "人数"), kind=Kind.WHOLE, eu="persons", least=0, most=10_000_000, is_listed=True),
        Field(name="counted_on", title=Words("Counted on", "统计日期"), kind=Kind.DATE, is_past=True),
        Field(name="contact", title=Words("Whom to call", "联系人"), kind=Kind.RECORD, ledger="contacts"),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
