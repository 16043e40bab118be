"""Enterprises (一企一档): who runs the hazard units."""

from typing import Final

from alerting.register.credit_code import LENGTH, is_credit_code
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger
from alerting.register.ledgers.units import POSITION

CLASSES: Final = (
    Choice(code="1", title=Words("class 1", "一级")),
    Choice(code="2", title=Words("class 2", "二级")),
    Choice(code="3", title=Words("class 3", "三级")),
    Choice(code="none", title=Words("none", "未达标")),
)
#: ``companyCode`` of public senders of the dual-prevention data set; unverified.
COMPANY_DIGITS: Final = 9


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    wrongs = []
    credit = values.get("credit_code", "")
    if credit and not is_credit_code(credit):
        wrongs.append(
            Wrong(
                field="credit_code",
                value=credit,
                rule=Words(
                    f"it is no unified social credit code: {LENGTH} signs, the last checks the others (GB 32100-2015)",
                    f"不是有效的统一社会信用代码：共 {LENGTH} 位，末位为校验码（GB 32100-2015）",
                ),
                remedy=Words("Compare it with the licence, sign by sign.", "请与营业执照逐位核对。"),
            )
        )
    company = values.get("company_code", "")
    if company and not (company.isascii() and company.isdigit() and len(company) == COMPANY_DIGITS):
        wrongs.append(
            Wrong(
                field="company_code",
                value=company,
                rule=Words(
                    f"a code of the registration system has {COMPANY_DIGITS} digits",
                    f"登记系统企业编码为 {COMPANY_DIGITS} 位数字",
                ),
                remedy=Words("Take it from the registration of hazardous chemicals.", "请按危险化学品登记系统填写。"),
            )
        )
    if values.get("is_blacklisted") and not values.get("blacklist_reason"):
        wrongs.append(
            Wrong(
                field="blacklist_reason",
                rule=Words("a black-listed enterprise has a reason", "列入黑名单应写明原因"),
                remedy=Words("Write why, and by which decision.", "请填写原因和决定文号。"),
            )
        )
    return wrongs


ENTERPRISES: Final = Ledger(
    id="enterprises",
    title=Words("Enterprises", "企业档案"),
    about=Words("One dossier an enterprise: who runs the hazard units, with licences and insurance.", "一企一档：危险源单元由谁经营，证照与保险。"),
    named="name",
    check=_check,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "企业名称"), is_required=True, is_listed=True),
        Field(name="credit_code", title=Words("Unified social credit code", "统一社会信用代码"), is_listed=True, help=Words("18 signs as on the business licence (GB 32100-2015).", "营业执照上的 18 位代码（GB 32100-2015）。")),
        Field(name="company_code", title=Words("Code in the registration system", "登记系统企业编码"), help=Words("9 digits; whoever takes the dual-prevention exchange knows the enterprise by it.", "9 位数字；双重预防数据交换的接收方以此识别企业。")),
        Field(name="industry", title=Words("Industry", "行业")),
        Field(name="address", title=Words("Address", "地址")),
        Field(name="position", title=Words("Position", "位置坐标"), kind=Kind.POINT, help=POSITION),
        Field(name="district", title=Words("District", "所属区域"), help=Words("Reports rank by it.", "报表按此排名。")),
        Field(name="head", title=Words("Main person in charge", "主要负责人"), is_listed=True),
        Field(name="head_phone", title=Words("Telephone of the main person in charge", "主要负责人电话"), kind=Kind.PHONE),
        Field(name="safety_head", title=Words("Head of safety", "安全负责人")),
        Field(name="duty_phone", title=Words("24-hour duty telephone", "24小时值班电话"), kind=Kind.PHONE, is_listed=True),
        Field(name="contact", title=Words("Contact in an emergency", "应急联系单位"), kind=Kind.RECORD, ledger="contacts"),
        Field(name="standard_class", title=Words("Work safety standardisation", "安全生产标准化等级"), kind=Kind.CHOICE, choices=CLASSES),
        Field(name="licence", title=Words("Safety licence number", "安全生产许可证编号")),
        Field(name="licence_until", title=Words("Safety licence valid until", "安全生产许可证有效期至"), kind=Kind.DATE, is_listed=True),
        Field(name="insurance", title=Words("Liability insurance policy", "安全生产责任保险单号")),
        Field(name="insurance_until", title=Words("Insurance valid until", "保险有效期至"), kind=Kind.DATE),
        Field(name="is_blacklisted", title=Words("On the black list", "列入黑名单"), kind=Kind.FLAG),
        Field(name="blacklist_reason", title=Words("Reason of the black-listing", "列入黑名单原因"), kind=Kind.LONG),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
