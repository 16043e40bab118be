"""Risk units (风险分析单元): what a hazard unit is parted into before its risks are told one by one."""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Words
from alerting.register.ledger import Ledger

PLACES: Final = (
    Choice(code="installation", title=Words("installation", "装置设施")),
    Choice(code="storage", title=Words("storage", "储存设施")),
    Choice(code="loading", title=Words("loading", "装卸设施")),
    Choice(code="utility", title=Words("utilities", "公用工程")),
    Choice(code="crowd", title=Words("place of many people", "人员密集场所")),
    Choice(code="activity", title=Words("work activity", "作业活动")),
    Choice(code="other", title=Words("other", "其他")),
)

RISK_UNITS: Final = Ledger(
    id="risk_units",
    title=Words("Risk units", "风险分析单元"),
    about=Words(
        "A hazard unit parted into what can be graded: an installation, a tank group, a loading bay, a kind of work. Its risks stand in Risk events; the gravest of them is the grade of the unit.",
        "将危险源单元划分为可评价的风险分析单元（装置、罐组、装卸区、作业活动等）。风险登记在“风险事件”中，单元等级取其中最高者。",
    ),
    named="name",
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "单元名称"), is_required=True, is_listed=True),
        Field(name="dossier", title=Words("Hazard unit", "所属危险源单元"), kind=Kind.RECORD, ledger="units", is_required=True, is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT, help=Words("Id of the hazard unit in the site's configuration: its alarms raise the dynamic risk.", "站点配置中的单元编号：该单元的报警会提升动态风险。")),
        Field(name="place", title=Words("Kind", "类别"), kind=Kind.CHOICE, choices=PLACES, is_required=True, is_listed=True),
        Field(name="department", title=Words("Department", "责任部门"), is_required=True, is_listed=True),
        Field(name="liable", title=Words("Liable person", "责任人"), is_required=True, is_listed=True),
        Field(name="phone", title=Words("Telephone", "联系电话"), kind=Kind.PHONE),
        Field(name="post", title=Words("Post", "岗位"), help=Words("Whose card it stands on.", "用于岗位明白卡。")),
        Field(name="outline", title=Words("Outline on the map", "四色图边界"), kind=Kind.OUTLINE, help=Words("At least three corners as longitude latitude, parted by semicolons: 120.1 30.2; 120.2 30.2; 120.2 30.3. CGCS2000 or WGS 84; what comes as GCJ-02 or BD-09 begins with that word and is converted.", "至少三个角点，写作“经度 纬度”，以分号分隔，例如 120.1 30.2; 120.2 30.2; 120.2 30.3。坐标系为 CGCS2000 或 WGS 84；GCJ-02、BD-09 坐标请在最前写明坐标系，系统自动转换。")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
