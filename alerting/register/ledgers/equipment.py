"""Equipment (设备台账) of a hazard unit: what it is, what it bears, its certificate as special equipment, its tags.

Sources: sorts of special equipment: 特种设备目录; its registration before or within 30 days after it is put into use and the
    inspection asked for one month before the last one ends: 特种设备安全法 art. 33 and 40; from memory and unverified.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


STATES: Final = _choices(
    ("in_use", "in use", "在用"), ("stopped", "out of use", "停用"), ("scrapped", "scrapped", "报废")
)
SORTS: Final = _choices(
    ("tank", "tank", "储罐"),
    ("vessel", "vessel or reactor", "容器、反应器"),
    ("tower", "column", "塔器"),
    ("exchanger", "heat exchanger", "换热器"),
    ("furnace", "furnace or boiler", "加热炉、锅炉"),
    ("pump", "pump", "泵"),
    ("compressor", "compressor", "压缩机"),
    ("pipe", "pipeline", "管道"),
    ("valve", "safety or cut-off valve", "安全阀、切断阀"),
    ("loading", "loading arm or hose", "装卸设施"),
    ("lifting", "lift or crane", "电梯、起重机械"),
    ("amusement", "amusement ride", "游乐设施"),
    ("ropeway", "ropeway", "客运索道"),
    ("fire", "fire fighting", "消防设施"),
    ("power", "power supply", "供配电设备"),
    ("other", "other", "其他"),
)
#: Sorts of special equipment (特种设备目录).
SPECIAL: Final = _choices(
    ("none", "none", "非特种设备"),
    ("boiler", "boiler", "锅炉"),
    ("vessel", "pressure vessel", "压力容器"),
    ("pipe", "pressure pipe", "压力管道"),
    ("lift", "lift", "电梯"),
    ("crane", "crane", "起重机械"),
    ("ropeway", "passenger ropeway", "客运索道"),
    ("amusement", "large amusement ride", "大型游乐设施"),
    ("vehicle", "special vehicle", "场（厂）内专用机动车辆"),
)
_OF_SPECIAL: Final = ("certificate", "inspected_on", "inspected_until")


def _wrong(field: str, en: str, zh: str, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=Words(en, zh), remedy=remedy, value=str(value))


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    return _check_special(values) or _check_pressure(values) or _check_tags(values)


def _check_special(values: Values) -> list[Wrong]:
    missing = Words("Write it as the certificate has it.", "请按使用登记证填写。")
    if values.get("special", "none") == "none":
        given = next((name for name in _OF_SPECIAL if values.get(name)), "")
        if given:
            remedy = Words(
                "Choose the sort of special equipment, or leave this empty.", "请选择特种设备类别，或清空该项。"
            )
            return [
                _wrong(
                    "special",
                    "what has a certificate is special equipment",
                    "有使用登记或检验信息的应注明特种设备类别",
                    remedy,
                )
            ]
        return []
    if not values.get("certificate"):
        return [_wrong("certificate", "special equipment is registered", "特种设备应办理使用登记", missing)]
    if not values.get("inspected_until"):
        return [
            _wrong(
                "inspected_until", "special equipment is inspected again by a day", "特种设备应有下次检验日期", missing
            )
        ]
    if values["inspected_until"] < values.get("inspected_on", ""):
        remedy = Words("Check both days.", "请核对两个日期。")
        return [
            _wrong(
                "inspected_until",
                "it would end before it began",
                "检验有效期早于检验日期",
                remedy,
                values["inspected_until"],
            )
        ]
    return []


def _check_pressure(values: Values) -> list[Wrong]:
    design, work = values.get("design_mpa"), values.get("work_mpa")
    if work is not None and design is not None and work > design:
        remedy = Words("Check both numbers and their unit.", "请核对两个数值和单位。")
        return [
            _wrong(
                "work_mpa",
                f"it works above what it is designed for, {design:g} MPa",
                f"工作压力高于设计压力 {design:g} MPa",
                remedy,
                work,
            )
        ]
    return []


def _check_tags(values: Values) -> list[Wrong]:
    names = [values.get(name) for name in ("tag", "second_tag", "third_tag") if values.get(name)]
    if len(set(names)) < len(names):
        remedy = Words("Name each tag once.", "每个位号只填一次。")
        return [_wrong("second_tag", "a tag stands twice", "位号重复", remedy)]
    return []


_IN_USE: Final = frozenset({"in_use"})
EQUIPMENT: Final = Ledger(
    id="equipment",
    title=Words("Equipment", "设备台账"),
    about=Words(
        "Tanks, vessels, pumps, lifts and rides of a hazard unit: maker, what they bear, their certificate as special equipment and until when they are inspected. Instruments and documents name them.",
        "危险源单元的储罐、容器、机泵、电梯、游乐设施等：厂家、参数、特种设备使用登记与检验有效期。仪表和证照引用此处。",
    ),
    named="name",
    check=_check,
    begins="in_use",
    shut=frozenset({"scrapped"}),
    due="inspected_until",
    photos=(Choice(code="plate", title=Words("name plate", "铭牌")), Choice(code="proof", title=Words("certificate", "证书"))),
    acts=(
        Act(id="stop", title=Words("Take out of use", "停用"), begins=_IN_USE, ends="stopped", fields=("stop_reason",), needed=frozenset({"stop_reason"}), signs="stopped_by", dates="stopped_on"),
        Act(id="resume", title=Words("Put into use again", "恢复使用"), begins=frozenset({"stopped"}), ends="in_use", empties=("stop_reason", "stopped_by", "stopped_on")),
        Act(id="scrap", title=Words("Scrap", "报废"), begins=frozenset({"in_use", "stopped"}), ends="scrapped", fields=("stop_reason",), needed=frozenset({"stop_reason"}), signs="stopped_by", dates="stopped_on"),
        Act(id="reopen", title=Words("Re-open", "重新打开"), begins=frozenset({"scrapped"}), ends="stopped"),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Equipment", "设备名称"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="sort", title=Words("Sort", "类别"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units", is_required=True, is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="maker", title=Words("Maker", "制造单位")),
        Field(name="model", title=Words("Model", "型号")),
        Field(name="serial", title=Words("Serial number", "出厂编号")),
        Field(name="made_on", title=Words("Made on", "制造日期"), kind=Kind.DATE, is_past=True),
        Field(name="commissioned_on", title=Words("Put into use on", "投用日期"), kind=Kind.DATE, is_past=True),
        Field(name="medium", title=Words("What is in it", "介质")),
        Field(name="volume_m3", title=Words("Volume", "容积"), kind=Kind.NUMBER, eu="m3", least=0, most=1_000_000),
        Field(name="design_mpa", title=Words("Design pressure", "设计压力"), kind=Kind.NUMBER, eu="MPa", least=-0.1, most=400),
        Field(name="work_mpa", title=Words("Working pressure", "工作压力"), kind=Kind.NUMBER, eu="MPa", least=-0.1, most=400),
        Field(name="design_c", title=Words("Design temperature", "设计温度"), kind=Kind.NUMBER, eu="°C", least=-273.15, most=2_000),
        Field(name="special", title=Words("Special equipment", "特种设备类别"), kind=Kind.CHOICE, choices=SPECIAL, help=Words("Empty for none.", "非特种设备可留空。")),
        Field(name="certificate", title=Words("Registration of use", "使用登记证编号")),
        Field(name="inspected_on", title=Words("Inspected on", "检验日期"), kind=Kind.DATE, is_past=True),
        Field(name="inspected_until", title=Words("Inspection valid until", "检验有效期至"), kind=Kind.DATE, is_listed=True, help=Words("A duty: the next inspection is asked for a month before.", "到期前一个月应申请定期检验，列入督办。")),
        Field(name="tag", title=Words("Tag", "位号"), kind=Kind.TAG, help=Words("A tag that shows how it stands.", "反映其状态的位号。")),
        Field(name="second_tag", title=Words("Second tag", "第二位号"), kind=Kind.TAG),
        Field(name="third_tag", title=Words("Third tag", "第三位号"), kind=Kind.TAG),
        Field(name="responsible", title=Words("Responsible person", "责任人"), help=Words("Name of a user, so that the prompt reaches the person.", "填写系统用户名，提示才能送达本人。")),
        Field(name="stop_reason", title=Words("Why it is out of use", "停用原因"), is_by_act=True),
        Field(name="stopped_by", title=Words("Taken out of use by", "停用人"), is_by_act=True),
        Field(name="stopped_on", title=Words("Taken out of use on", "停用日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
