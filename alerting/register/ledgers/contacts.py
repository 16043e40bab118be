"""Contacts (联系人与单位): persons and organisations that are called on, each with what it is to the site.

Why: the number of the hospital stands in one place; dossiers, documents and surroundings name it.
Never: those who are on duty: the roster has them, with the ways by which they are called.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


SORTS: Final = _choices(("person", "person", "个人"), ("organisation", "organisation", "单位"))
ROLES: Final = _choices(
    ("owner", "owner of the site", "产权单位"),
    ("operator", "operator of the site", "运营单位"),
    ("government", "local government", "属地政府"),
    ("emergency", "emergency management", "应急管理部门"),
    ("fire", "fire and rescue", "消防救援"),
    ("police", "police", "公安"),
    ("medical", "hospital or ambulance", "医疗救护"),
    ("environment", "environment authority", "生态环境部门"),
    ("utility", "power, water, gas", "水电气供应"),
    ("contractor", "contractor", "承包商"),
    ("supplier", "supplier", "供应商"),
    ("inspection", "inspection body", "检验检测机构"),
    ("insurer", "insurer", "保险机构"),
    ("neighbour", "neighbour", "周边单位"),
    ("expert", "expert", "专家"),
    ("other", "other", "其他"),
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values.get("second_phone") == values["phone"]:
        rule = Words("it is the number that stands above", "与上面的电话相同")
        remedy = Words("Write another number, or leave it empty.", "请填写另一个号码，或留空。")
        return [Wrong(field="second_phone", value=values["phone"], rule=rule, remedy=remedy)]
    return []


CONTACTS: Final = Ledger(
    id="contacts",
    title=Words("Contacts", "联系人与单位"),
    about=Words(
        "Persons and organisations outside the roster, with what they are to the site and how they are called. Dossiers, documents and surroundings name them.",
        "值班表以外的联系人和单位：与站点的关系及电话。各档案、证照和周边环境引用此处。",
    ),
    named="name",
    check=_check,
    stage="role",
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "名称"), is_required=True, is_listed=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="role", title=Words("What it is to the site", "与站点的关系"), kind=Kind.CHOICE, choices=ROLES, is_required=True, is_listed=True),
        Field(name="organisation", title=Words("Organisation", "所属单位"), help=Words("Of a person.", "个人填写其单位。")),
        Field(name="post", title=Words("Post", "职务")),
        Field(name="phone", title=Words("Telephone", "电话"), kind=Kind.PHONE, is_required=True, is_listed=True),
        Field(name="second_phone", title=Words("Second telephone", "备用电话"), kind=Kind.PHONE),
        Field(name="address", title=Words("Address", "地址")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
