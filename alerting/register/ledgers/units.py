"""Dossiers of hazard units (一源一档)."""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger

TYPES: Final = (
    Choice(code="production", title=Words("production unit", "生产单元")),
    Choice(code="storage", title=Words("storage unit", "储存单元")),
    Choice(code="line", title=Words("line section", "管段")),
    Choice(code="crowd", title=Words("crowd zone", "人员密集区域")),
    Choice(code="other", title=Words("other", "其他")),
)
GRADES: Final = (
    Choice(code="1", title=Words("grade I", "一级")),
    Choice(code="2", title=Words("grade II", "二级")),
    Choice(code="3", title=Words("grade III", "三级")),
    Choice(code="4", title=Words("grade IV", "四级")),
    Choice(code="none", title=Words("no major hazard source", "不构成重大危险源")),
)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    wrongs = []
    if values.get("filed_until", "9999") < values.get("filed_on", ""):
        wrongs.append(
            Wrong(
                field="filed_until",
                value=values["filed_until"],
                rule=Words("the filing would end before it began", "备案有效期早于备案日期"),
                remedy=Words("Check both days.", "请核对两个日期。"),
            )
        )
    if values.get("filing_number") and not values.get("filed_on"):
        wrongs.append(
            Wrong(
                field="filed_on",
                rule=Words("a filing number has a day", "有备案编号时应填写备案日期"),
                remedy=Words("Write the day of the filing.", "请填写备案日期。"),
            )
        )
    if values.get("closed_on") and not values.get("closed_reason"):
        wrongs.append(
            Wrong(
                field="closed_reason",
                rule=Words("a de-registration has a reason", "核销应写明原因"),
                remedy=Words("Write why, e.g. the tank is emptied and cut off.", "请填写原因，例如储罐已清空并隔断。"),
            )
        )
    return wrongs


#: How a position is written.
POSITION: Final = Words(
    "Longitude latitude in degrees: 120.123456 30.123456; kept as CGCS2000. GCJ-02 and BD-09 are converted: choose the system here; in a list, begin the cell with that word.",
    "写作“经度 纬度”（度），例如 120.123456 30.123456，按 CGCS2000 保存。GCJ-02、BD-09 坐标自动转换：在此选择坐标系，导入表中请在最前写明坐标系。",
)

UNITS: Final = Ledger(
    id="units",
    title=Words("Hazard units", "危险源单元档案"),
    about=Words(
        "One dossier a hazard unit: what it is, who answers for it, and how it was filed. Its substances stand in Holdings; from both comes the grade by GB 18218-2018.",
        "一源一档：单元情况、责任人与备案。单元内的物质在“危险化学品存量”中登记，二者得出 GB 18218-2018 分级。",
    ),
    named="name",
    check=_check,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "单元名称"), is_required=True, is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT, is_listed=True, help=Words("Id of the hazard unit in the site's configuration, so that live values and alarms stand beside the dossier.", "站点配置中的单元编号，用于关联实时值和报警。")),
        Field(name="hazard_code", title=Words("Code in the registration system", "登记系统危险源编码"), help=Words("Whoever takes the dual-prevention exchange knows the hazard unit by it.", "双重预防数据交换的接收方以此识别危险源。")),
        Field(name="enterprise", title=Words("Enterprise", "所属企业"), kind=Kind.RECORD, ledger="enterprises", is_listed=True),
        Field(name="type", title=Words("Type", "类型"), kind=Kind.CHOICE, choices=TYPES, is_required=True, is_listed=True, help=Words("GB 18218-2018 4.1: cut-off valves divide production units; a bund or a building is one storage unit.", "GB 18218-2018 4.1：生产单元以切断阀分界；储存单元以防火堤或独立库房分界。")),
        Field(name="persons_outside", title=Words("Persons within 500 m outside the boundary", "厂区边界外 500 m 内常住人数"), kind=Kind.WHOLE, eu="persons", least=0, most=10_000_000, is_required=True, help=Words("Gives alpha (GB 18218-2018 table 5).", "决定暴露人员校正系数 α（GB 18218-2018 表5）。")),
        Field(name="counted_on", title=Words("Persons counted on", "人数统计日期"), kind=Kind.DATE, is_past=True),
        Field(name="address", title=Words("Place", "所在位置")),
        Field(name="position", title=Words("Position", "位置坐标"), kind=Kind.POINT, help=POSITION),
        Field(name="surroundings", title=Words("What lies around it", "周边环境"), kind=Kind.LONG),
        Field(name="cell", title=Words("Grid cell", "所属网格"), kind=Kind.RECORD, ledger="grid_cells"),
        Field(name="stream", title=Words("Camera", "视频地址"), kind=Kind.LINK, help=Words("Address of its still picture or stream; video patrols show it.", "静态画面或视频流地址，视频巡查时显示。")),
        Field(name="contact", title=Words("Contact in an emergency", "应急联系单位"), kind=Kind.RECORD, ledger="contacts"),
        Field(name="main_person", title=Words("Main responsible person", "主要负责人（包保）"), is_listed=True, help=Words("One of the three responsible persons of a major hazard source.", "重大危险源包保责任三类责任人。")),
        Field(name="main_phone", title=Words("Telephone of the main responsible person", "主要负责人电话"), kind=Kind.PHONE),
        Field(name="technical_person", title=Words("Technical responsible person", "技术负责人（包保）")),
        Field(name="technical_phone", title=Words("Telephone of the technical responsible person", "技术负责人电话"), kind=Kind.PHONE),
        Field(name="operation_person", title=Words("Operation responsible person", "操作负责人（包保）")),
        Field(name="operation_phone", title=Words("Telephone of the operation responsible person", "操作负责人电话"), kind=Kind.PHONE),
        Field(name="filing_number", title=Words("Filing number", "备案编号"), is_listed=True),
        Field(name="filed_on", title=Words("Filed on", "备案日期"), kind=Kind.DATE, is_past=True),
        Field(name="filed_until", title=Words("Filing valid until", "备案有效期至"), kind=Kind.DATE, is_listed=True),
        Field(name="filed_grade", title=Words("Filed grade", "备案等级"), kind=Kind.CHOICE, choices=GRADES),
        Field(name="identified_on", title=Words("Identified on", "辨识日期"), kind=Kind.DATE, is_past=True),
        Field(name="closed_on", title=Words("De-registered on", "核销日期"), kind=Kind.DATE, is_past=True),
        Field(name="closed_reason", title=Words("Reason of the de-registration", "核销原因"), kind=Kind.LONG),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
