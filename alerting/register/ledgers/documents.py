"""Dated documents (证照与文件): licences, certificates, insurances, contracts and plans, each with its end.

Why: what ends on a day is a duty, whichever drawer it lies in. What never ends says so, so that an end is not forgotten.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


STATES: Final = _choices(("in_force", "in force", "有效"), ("withdrawn", "no longer in force", "已作废"))
SORTS: Final = _choices(
    ("licence", "licence", "许可证"),
    ("certificate", "certificate", "证书"),
    ("insurance", "insurance", "保险"),
    ("contract", "contract with the owner", "与产权单位的合同"),
    ("agreement", "safety agreement with a contractor", "承包商安全协议"),
    ("plan", "emergency plan", "应急预案"),
    ("assessment", "safety assessment", "安全评价报告"),
    ("acceptance", "acceptance, e.g. fire protection", "验收文件（如消防）"),
    ("person", "qualification of a person", "人员资格证"),
    ("drawing", "drawing", "图纸"),
    ("other", "other", "其他"),
)
#: Of the site as a whole or of a part; one of them is named, so that it is found where it is needed.
OF: Final = ("enterprise", "dossier", "equipment")


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if not any(values.get(name) for name in OF):
        rule = Words("it belongs to nothing", "未注明所属对象")
        remedy = Words("Name the enterprise, the hazard unit or the equipment.", "请填写企业、危险源单元或设备。")
        return [Wrong(field="enterprise", rule=rule, remedy=remedy)]
    until = values.get("valid_until")
    if bool(until) == bool(values.get("is_endless")):
        rule = Words("it has an end, or says that it has none", "应填写有效期，或注明长期有效")
        remedy = Words("Write the last day, or choose that it never ends.", "请填写有效期至，或选择“长期有效”。")
        return [Wrong(field="valid_until", rule=rule, remedy=remedy, value=str(until or ""))]
    if until and until < values.get("issued_on", ""):
        rule = Words("it would end before it was issued", "有效期早于签发日期")
        return [
            Wrong(field="valid_until", rule=rule, remedy=Words("Check both days.", "请核对两个日期。"), value=until)
        ]
    if values["sort"] == "contract" and not values.get("party"):
        rule = Words("a contract has another party", "合同应注明对方")
        remedy = Words("Name it; enter it in Contacts before.", "请填写，并先在“联系人与单位”中登记。")
        return [Wrong(field="party", rule=rule, remedy=remedy)]
    return []


def _check_renewal(had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    until = given["valid_until"]
    if until <= max(had.get("valid_until", ""), around.today.isoformat()):
        rule = Words("a renewal ends later than what it renews, and after today", "续期后的有效期应晚于原有效期和今天")
        remedy = Words("Write the last day of the new one.", "请填写新的有效期至。")
        return [Wrong(field="valid_until", rule=rule, remedy=remedy, value=until)]
    return []


def _count(values: Values, _: Surroundings) -> Values:
    return {"renewals": int(values.get("renewals", 0)) + 1}


_IN_FORCE: Final = frozenset({"in_force"})
DOCUMENTS: Final = Ledger(
    id="documents",
    title=Words("Dated documents", "证照与文件"),
    about=Words(
        "Whatever is valid until a day: licences, certificates, insurances, contracts, plans. The end is a duty: prompt, warning, supervision.",
        "有有效期的各类文件：许可证、证书、保险、合同、预案等。到期前提示、到期警示、逾期督办。",
    ),
    named="title",
    check=_check,
    begins="in_force",
    shut=frozenset({"withdrawn"}),
    due="valid_until",
    photos=(Choice(code="page", title=Words("page", "扫描页")),),
    acts=(
        Act(id="renew", title=Words("Renew", "续期"), begins=_IN_FORCE, ends="in_force", fields=("valid_until", "number", "issued_on", "link"), needed=frozenset({"valid_until"}), check=_check_renewal, moves=_count, signs="renewed_by", dates="renewed_on"),
        Act(id="withdraw", title=Words("No longer in force", "作废"), begins=_IN_FORCE, ends="withdrawn", fields=("withdrawn_reason",), needed=frozenset({"withdrawn_reason"})),
        Act(id="reopen", title=Words("Re-open", "重新打开"), begins=frozenset({"withdrawn"}), ends="in_force", empties=("withdrawn_reason",)),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("Document", "文件名称"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="number", title=Words("Number", "文号/证号"), is_listed=True),
        Field(name="issuer", title=Words("Issued by", "签发单位")),
        Field(name="enterprise", title=Words("Enterprise", "所属企业"), kind=Kind.RECORD, ledger="enterprises"),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units"),
        Field(name="equipment", title=Words("Equipment", "设备"), kind=Kind.RECORD, ledger="equipment"),
        Field(name="party", title=Words("Other party", "对方单位"), kind=Kind.RECORD, ledger="contacts"),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="issued_on", title=Words("Issued on", "签发日期"), kind=Kind.DATE, is_past=True),
        Field(name="valid_until", title=Words("Valid until", "有效期至"), kind=Kind.DATE, is_listed=True),
        Field(name="is_endless", title=Words("Never ends", "长期有效"), kind=Kind.FLAG),
        Field(name="link", title=Words("Where the file lies", "文件地址"), kind=Kind.LINK, help=Words("Address of the file; pages may be kept here as pictures too.", "文件地址；也可在下方上传扫描页图片。")),
        Field(name="responsible", title=Words("Responsible person", "责任人"), is_listed=True, help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="renewals", title=Words("Renewed so far", "续期次数"), kind=Kind.WHOLE, least=0, most=10_000, is_by_act=True),
        Field(name="renewed_by", title=Words("Renewed by", "续期经办人"), is_by_act=True),
        Field(name="renewed_on", title=Words("Renewal entered on", "续期登记日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="withdrawn_reason", title=Words("Why it is no longer in force", "作废原因"), kind=Kind.LONG, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
