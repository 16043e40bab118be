"""Holdings: the hazardous chemicals of a unit, by their design maximum."""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.gb18218.tables import BY_CAS, BY_KEY, CLASSES, NAMED_BETA, TABLE_1
from alerting.register.gb18218.worksheet import Holding
from alerting.register.ledger import Ledger

NAMED: Final = tuple(Choice(code=row.key, title=Words(row.en, row.zh)) for row in TABLE_1)
CLASS: Final = tuple(
    Choice(code=row.symbol, title=Words(f"{row.symbol} {row.en}", f"{row.symbol} {row.zh}")) for row in CLASSES
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    named, kind, cas = values.get("named", ""), values.get("hazard_class", ""), values.get("cas", "")
    rows = BY_CAS.get(cas, ())
    if cas and not named and rows:
        return [
            Wrong(
                field="named",
                value=cas,
                rule=Words(
                    f"{cas} stands in table 1, and its Q counts before that of a class",
                    f"{cas} 列于表1，临界量应先按名称确定",
                ),
                remedy=Words(
                    f"Choose: {' or '.join(row.en for row in rows)}.", f"请选择：{'或'.join(row.zh for row in rows)}。"
                ),
            )
        ]
    if cas and named and BY_KEY[named].cas and cas not in BY_KEY[named].cas:
        return [
            Wrong(
                field="cas",
                value=cas,
                rule=Words(
                    f"row {BY_KEY[named].en} of table 1 is {', '.join(BY_KEY[named].cas)}",
                    f"表1“{BY_KEY[named].zh}”的 CAS 号为 {'、'.join(BY_KEY[named].cas)}",
                ),
                remedy=Words("Correct the CAS number or the row.", "请更正 CAS 号或表1名称。"),
            )
        ]
    if not named and not kind:
        return [
            Wrong(
                field="hazard_class",
                rule=Words(
                    "neither a row of table 1 nor a class of table 2: without one there is no critical quantity",
                    "既未选表1名称也未选表2类别，无法确定临界量",
                ),
                remedy=Words(
                    "Choose the row of table 1, or the class from section 2 of the safety data sheet.",
                    "请选表1名称，或按安全技术说明书第2部分选表2类别。",
                ),
            )
        ]
    has_beta = BY_KEY[named].beta > 0 if named else NAMED_BETA.get(cas, 0.0) > 0
    if not has_beta and not kind:
        return [
            Wrong(
                field="hazard_class",
                rule=Words(
                    "the substance is not in table 3, so its beta is that of its class",
                    "该物质不在表3中，校正系数 β 按表4类别确定",
                ),
                remedy=Words(
                    "Choose the class from section 2 of the safety data sheet.", "请按安全技术说明书第2部分选择类别。"
                ),
            )
        ]
    return []


HOLDINGS: Final = Ledger(
    id="holdings",
    title=Words("Holdings", "危险化学品存量"),
    about=Words("Which hazardous chemicals a unit holds at most, in tonnes; what is there now stands beside it.", "单元内危险化学品的设计最大量（吨），并列显示实时存量。"),
    named="substance",
    check=_check,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units", is_required=True, is_listed=True),
        Field(name="substance", title=Words("Substance", "物质名称"), is_required=True, is_listed=True),
        Field(name="cas", title=Words("CAS number", "CAS 号"), kind=Kind.CAS, is_listed=True),
        Field(name="named", title=Words("Name in table 1", "表1名称"), kind=Kind.CHOICE, choices=NAMED, help=Words("GB 18218-2018 table 1; empty where the substance is not in it.", "GB 18218-2018 表1；表1未列的留空。")),
        Field(name="hazard_class", title=Words("Class of table 2", "表2类别"), kind=Kind.CHOICE, choices=CLASS, is_listed=True, help=Words("Of several the one with the lowest critical quantity.", "有多种危险性时，取临界量最低者。")),
        Field(name="vessel", title=Words("Vessel", "设备位置"), is_listed=True),
        Field(name="design_t", title=Words("Design maximum", "设计最大量"), kind=Kind.NUMBER, eu="t", least=1e-6, most=1e7, is_required=True, is_listed=True, help=Words("The legal quantity q: not what is there today.", "法定数量 q，不是当日存量。")),
        Field(name="filed_t", title=Words("Filed quantity", "备案量"), kind=Kind.NUMBER, eu="t", least=0, most=1e7, is_listed=True),
        Field(name="live_tag", title=Words("Tag of the live quantity", "实时存量位号"), kind=Kind.TAG, eu="t", help=Words("A tag in t, e.g. a derived mass.", "单位为 t 的位号，例如派生的质量。")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip


def holding_of(values: Values, live_t: float | None) -> Holding:
    """Make the line of the worksheet of a record whose values are right."""
    return Holding(
        code=values["code"],
        substance=values["substance"],
        design_t=values["design_t"],
        named=values.get("named", ""),
        hazard_class=values.get("hazard_class", ""),
        cas=values.get("cas", ""),
        filed_t=values.get("filed_t"),
        live_t=live_t,
    )
