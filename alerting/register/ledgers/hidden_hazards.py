"""Hidden hazards (隐患排查治理): found, classed, planned, rectified, accepted by a second person, closed.

Sources: enumerations as public receivers of the dual-prevention data set name them (danger source, type, way of
    rectifying); the 20 criteria of a major hidden hazard: 安监总管三〔2017〕121号. "Five fixed" of a plan: responsibility,
    measures, funds, time limit, emergency plan (安监总局令16号, from memory: high).
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import STATE, Act, Ledger


def _choices(*rows: tuple[str, str, str]) -> tuple[Choice, ...]:
    return tuple(Choice(code=code, title=Words(en, zh)) for code, en, zh in rows)


STATES: Final = _choices(
    ("registered", "registered", "已登记"),
    ("classed", "classed", "已定级"),
    ("rectifying", "rectifying", "整改中"),
    ("awaiting", "awaiting acceptance", "待验收"),
    ("closed", "closed", "已销号"),
)
SOURCES: Final = _choices(
    ("alarm", "alarm", "报警"),
    ("daily", "daily inspection", "日常检查"),
    ("comprehensive", "comprehensive inspection", "综合检查"),
    ("professional", "professional inspection", "专业检查"),
    ("seasonal", "seasonal inspection", "季节性检查"),
    ("holiday", "key period or holiday", "重点时段及节假日检查"),
    ("analogy", "analogy with an accident", "事故类比检查"),
    ("resumption", "before work is resumed", "复产复工检查"),
    ("expert", "external expert", "外聘专家检查"),
    ("measure", "control measure that failed", "管控措施失效"),
    ("enforcement", "enforcement by an authority", "执法检查"),
    ("patrol", "patrol", "巡查"),
    ("self", "self-check", "自查"),
    ("report", "report by a person", "举报"),
    ("other", "other", "其他"),
)
CLASSES: Final = _choices(("general", "general", "一般隐患"), ("major", "major", "重大隐患"))
TYPES: Final = _choices(
    ("safety", "safety", "安全"),
    ("process", "process", "工艺"),
    ("electrical", "electrical", "电气"),
    ("instrument", "instrument", "仪表"),
    ("fire", "fire protection", "消防"),
    ("layout", "general layout", "总图"),
    ("equipment", "equipment", "设备"),
    ("other", "other", "其他"),
)
CAUSES: Final = _choices(
    ("act", "unsafe act of a person", "人的不安全行为"),
    ("condition", "unsafe condition of a thing", "物的不安全状态"),
    ("management", "defect of management", "管理缺陷"),
)
#: Who lists a hidden hazard under supervision (挂牌督办); which tier lists what is said by local rules.
LISTINGS: Final = _choices(("county", "county", "县级"), ("city", "city", "市级"), ("province", "province", "省级"))
WAYS: Final = _choices(("at_once", "fix at once", "即查即改"), ("by_deadline", "fix by a deadline", "限期整改"))
CRITERIA: Final = _choices(
    ("1", "1 managers not certified", "1 主要负责人、安全管理人员未考核合格"),
    ("2", "2 special workers not certified", "2 特种作业人员未持证上岗"),
    ("3", "3 external safety distance not met", "3 外部安全防护距离不符合要求"),
    ("4", "4 key process without automatic control or emergency shutdown in use", "4 重点监管工艺未实现自动化控制或紧急停车未投用"),
    ("5", "5 tank farm of grade I or II without emergency cut-off or independent SIS", "5 一、二级重大危险源罐区无紧急切断或独立SIS"),
    ("6", "6 full-pressure liquefied-hydrocarbon tank without water injection", "6 全压力式液化烃储罐无注水措施"),
    ("7", "7 liquefied gases loaded without swing arms", "7 液化气体充装未使用万向管道"),
    ("8", "8 highly toxic gas line through a public area", "8 剧毒、硫化氢气体管道穿越公共区域"),
    ("9", "9 overhead power line through the plant", "9 架空电力线路穿越生产区"),
    ("10", "10 no proper design or diagnosis", "10 未经正规设计且未诊断"),
    ("11", "11 phased-out technology or equipment", "11 使用淘汰落后工艺设备"),
    ("12", "12 no gas detection where required, or no Ex equipment", "12 未按标准设置气体检测报警或防爆电气"),
    ("13", "13 control room facing the hazard not fire- or blast-proof", "13 面向危险装置的控制室不满足防火防爆"),
    ("14", "14 no dual power supply, or no UPS", "14 未设双重电源或UPS"),
    ("15", "15 relief valve or rupture disc not in service", "15 安全阀、爆破片未正常投用"),
    ("16", "16 no responsibility system or hidden-hazard system", "16 未建立责任制或隐患排查治理制度"),
    ("17", "17 no operating procedures or process limits", "17 未制定操作规程和工艺控制指标"),
    ("18", "18 special work without rules, or rules not followed", "18 未制定或未执行特殊作业管理制度"),
    ("19", "19 new process without trials or reaction risk assessment", "19 新工艺未经试验或未做反应风险评估"),
    ("20", "20 incompatible, too much or too varied storage", "20 超量、超品种储存或禁忌物混存"),
)  # fmt: skip
#: The criteria that telemetry can prove or refute (ours).
PROVEN_BY_TELEMETRY: Final = frozenset({"4", "5", "12", "14", "15", "20"})
OPEN: Final = frozenset({"registered", "classed", "rectifying", "awaiting"})


def _wrong(field: str, rule: Words, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=rule, remedy=remedy, value=str(value))


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values.get("deadline", "9999") < values["found_on"]:
        rule = Words("the deadline lies before the day on which it was found", "整改期限早于发现日期")
        return [_wrong("deadline", rule, Words("Check both days.", "请核对两个日期。"), values["deadline"])]
    return []


def _check_class(_: Values, given: Values, __: Surroundings) -> list[Wrong]:
    if given["class"] == "major" and not given.get("criterion"):
        rule = Words("a major hidden hazard meets one of the 20 criteria", "重大隐患应符合20条判定标准之一")
        return [
            _wrong("criterion", rule, Words("Choose it, or class it as general.", "请选择判定条款，或定为一般隐患。"))
        ]
    if given["class"] == "general" and given.get("criterion"):
        rule = Words("what meets a criterion is a major hidden hazard", "符合判定标准的应定为重大隐患")
        return [
            _wrong(
                "class",
                rule,
                Words("Class it as major, or leave the criterion out.", "请定为重大隐患，或清空判定条款。"),
            )
        ]
    return []


def _check_plan(had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    if had["class"] == "major" and not (given.get("funds_yuan") is not None and given.get("emergency_plan")):
        missing = "funds_yuan" if given.get("funds_yuan") is None else "emergency_plan"
        rule = Words(
            "the plan of a major hidden hazard has five fixed: person, measures, funds, deadline, emergency plan",
            "重大隐患治理方案应“五落实”：责任、措施、资金、时限、预案",
        )
        return [_wrong(missing, rule, Words("Fill it in.", "请填写。"))]
    if given["deadline"] < around.today.isoformat():
        rule = Words("the deadline is over already", "整改期限已过")
        return [
            _wrong("deadline", rule, Words("Set a day that is to come.", "请填写今天或以后的日期。"), given["deadline"])
        ]
    return _check_under_listing(had, given)


def _check_under_listing(had: Values, given: Values) -> list[Wrong]:
    if is_listed(had) and given["deadline"] > had["listing_due"]:
        rule = Words(
            f"it is listed under supervision and is to be rectified by {had['listing_due']}",
            f"该隐患已挂牌督办，须于 {had['listing_due']} 前完成整改",
        )
        remedy = Words("Set an earlier day, or extend the listing first.", "请提前期限，或先办理挂牌延期。")
        return [_wrong("deadline", rule, remedy, given["deadline"])]
    return []


def is_listed(values: Values) -> bool:
    """Tell whether a hidden hazard is under listed supervision now."""
    return bool(values.get("listing")) and not values.get("delisted_on")


def _check_listing(had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    if had.get("class") != "major":
        rule = Words("only a major hidden hazard is listed under supervision", "只有重大隐患可以挂牌督办")
        return [_wrong("listing", rule, Words("Class it as major first.", "请先定为重大隐患。"))]
    if given["listed_on"] < had["found_on"]:
        rule = Words("it was listed before it was found", "挂牌日期早于发现日期")
        return [_wrong("listed_on", rule, Words("Check both days.", "请核对两个日期。"), given["listed_on"])]
    if given["listing_due"] < max(given["listed_on"], around.today.isoformat()):
        rule = Words("the day of the listing is over already", "挂牌督办期限已过")
        remedy = Words("Write the day that the authority set.", "请填写督办单位规定的期限。")
        return [_wrong("listing_due", rule, remedy, given["listing_due"])]
    return []


def _check_listing_extension(had: Values, given: Values, _: Surroundings) -> list[Wrong]:
    if not is_listed(had):
        rule = Words("it is not listed under supervision", "该隐患未挂牌督办")
        return [_wrong("listing_due", rule, Words("List it first.", "请先挂牌。"))]
    if given["listing_due"] <= had["listing_due"]:
        rule = Words(f"an extension ends after {had['listing_due']}", f"延期后的期限应晚于 {had['listing_due']}")
        return [_wrong("listing_due", rule, Words("Set a later day.", "请填写更晚的日期。"), given["listing_due"])]
    number = given["listing_number"]
    if number == had.get("listing_number"):
        rule = Words(f"{number} is the order that listed it", f"“{number}”是原督办文号")
        return [
            _wrong(
                "listing_number",
                rule,
                Words("Give the number of the order that extends it.", "请填写延期文号。"),
                number,
            )
        ]
    return []


def _delist(values: Values, around: Surroundings) -> Values:
    """End the listing with the acceptance."""
    return {"delisted_on": around.today.isoformat()} if is_listed(values) else {}


def _check_second(had: Values, _: Values, around: Surroundings) -> list[Wrong]:
    if around.who == had.get("rectified_by"):
        rule = Words("who rectified it may not accept it", "整改人不得验收自己的整改")
        return [_wrong("accepted_by", rule, Words("A second person accepts.", "应由另一人验收。"), around.who)]
    return []


def _check_extension(had: Values, given: Values, around: Surroundings) -> list[Wrong]:
    if given["deadline"] <= had["deadline"]:
        rule = Words(f"an extension ends after {had['deadline']}", f"延期后的期限应晚于 {had['deadline']}")
        return [_wrong("deadline", rule, Words("Set a later day.", "请填写更晚的日期。"), given["deadline"])]
    if around.who == had.get("responsible"):
        rule = Words("who is to rectify it may not extend the deadline", "整改责任人不得自行批准延期")
        return [_wrong("deadline", rule, Words("A second person approves.", "应由另一人批准。"), around.who)]
    return _check_under_listing(had, given)


_LISTING: Final = ("listing", "listing_by", "listing_number", "listed_on", "listing_due")


def _acts() -> tuple[Act, ...]:
    return (
        Act(id="class", title=Words("Class", "定级"), begins=frozenset({"registered", "classed"}), ends="classed", fields=("class", "criterion"), needed=frozenset({"class"}), check=_check_class, signs="classed_by"),
        Act(id="plan", title=Words("Plan", "下达整改"), begins=frozenset({"classed"}), ends="rectifying", fields=("way", "responsible", "measures", "funds_yuan", "deadline", "emergency_plan"), needed=frozenset({"way", "responsible", "measures", "deadline"}), check=_check_plan),
        Act(id="extend", title=Words("Extend", "延期"), begins=frozenset({"rectifying"}), ends="rectifying", fields=("deadline",), needed=frozenset({"deadline"}), check=_check_extension, signs="extended_by"),
        Act(id="rectify", title=Words("Report as rectified", "整改完成"), begins=frozenset({"rectifying"}), ends="awaiting", fields=("done", "cost_yuan"), needed=frozenset({"done"}), signs="rectified_by", dates="rectified_on", permission="operate"),
        Act(id="accept", title=Words("Accept and close", "验收销号"), begins=frozenset({"awaiting"}), ends="closed", fields=("acceptance",), needed=frozenset({"acceptance"}), check=_check_second, signs="accepted_by", dates="accepted_on", moves=_delist),
        Act(id="reject", title=Words("Reject", "验收不通过"), begins=frozenset({"awaiting"}), ends="rectifying", fields=("acceptance",), needed=frozenset({"acceptance"}), check=_check_second, signs="rejected_by", empties=("rectified_by", "rectified_on")),
        Act(id="list", title=Words("List under supervision", "挂牌督办"), begins=OPEN - {"registered"}, ends="", fields=_LISTING, needed=frozenset({"listing", "listing_by", "listed_on", "listing_due"}), check=_check_listing, signs="listed_by", empties=("delisted_on",)),
        Act(id="extend_list", title=Words("Extend the listing", "挂牌延期"), begins=OPEN - {"registered"}, ends="", fields=("listing_due", "listing_number"), needed=frozenset({"listing_due", "listing_number"}), check=_check_listing_extension, signs="listed_by"),
        Act(id="reopen", title=Words("Re-open", "重新打开"), begins=frozenset({"closed"}), ends="classed", empties=("rectified_by", "rectified_on", "accepted_by", "accepted_on", "acceptance", "done", "deadline")),
    )  # fmt: skip


HIDDEN_HAZARDS: Final = Ledger(
    id="hidden_hazards",
    title=Words("Hidden hazards", "隐患"),
    about=Words(
        "What was found wrong, until a second person has accepted that it is put right. A major one needs its criterion and a plan with five fixed.",
        "从发现到另一人验收销号的闭环。重大隐患须注明判定条款，整改方案须“五落实”。",
    ),
    named="title",
    check=_check,
    acts=_acts(),
    begins="registered",
    shut=frozenset({"closed"}),
    due="deadline",
    photos=_choices(("before", "before", "整改前"), ("after", "after", "整改后")),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="title", title=Words("What is wrong", "隐患名称"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="dossier", title=Words("Hazard unit", "危险源单元"), kind=Kind.RECORD, ledger="units", is_listed=True),
        Field(name="unit", title=Words("Unit of the site", "站点单元"), kind=Kind.UNIT),
        Field(name="source", title=Words("Found by", "来源"), kind=Kind.CHOICE, choices=SOURCES, is_required=True, is_listed=True),
        Field(name="found_on", title=Words("Found on", "发现日期"), kind=Kind.DATE, is_required=True, is_past=True, is_listed=True),
        Field(name="found_by", title=Words("Found by whom", "发现人")),
        Field(name="alarm", title=Words("Alarm", "报警编号"), kind=Kind.ALARM, help=Words("Id of the alarm that led to it.", "引出该隐患的报警编号。")),
        Field(name="check", title=Words("Check", "检查记录"), kind=Kind.RECORD, ledger="checks", help=Words("The check that found it.", "发现该隐患的检查记录。")),
        Field(name="measure", title=Words("Control measure that failed", "失效的管控措施"), kind=Kind.RECORD, ledger="control_measures", help=Words("Its risk unit alone is raised; empty raises all of the hazard unit.", "仅提升该措施所属风险分析单元的动态风险；留空则提升整个危险源单元。")),
        Field(name="type", title=Words("Type", "隐患类型"), kind=Kind.CHOICE, choices=TYPES),
        Field(name="description", title=Words("Description", "隐患描述"), kind=Kind.LONG),
        Field(name="cause_class", title=Words("Class of the cause", "原因类别"), kind=Kind.CHOICE, choices=CAUSES, help=Words("The same unit, type and class again soon is a repeat.", "同一单元、类型、原因类别短期内再次出现即为重复隐患。")),
        Field(name="cause", title=Words("Cause", "原因分析"), kind=Kind.LONG),
        Field(name="class", title=Words("Class", "级别"), kind=Kind.CHOICE, choices=CLASSES, is_listed=True, is_by_act=True),
        Field(name="criterion", title=Words("Criterion of a major one", "重大隐患判定条款"), kind=Kind.CHOICE, choices=CRITERIA, is_by_act=True),
        Field(name="classed_by", title=Words("Classed by", "定级人"), is_by_act=True),
        Field(name="way", title=Words("Way", "治理类型"), kind=Kind.CHOICE, choices=WAYS, is_by_act=True),
        Field(name="responsible", title=Words("Responsible person", "整改责任人"), is_listed=True, is_by_act=True),
        Field(name="measures", title=Words("Measures", "整改措施"), kind=Kind.LONG, is_by_act=True),
        Field(name="funds_yuan", title=Words("Funds", "整改资金"), kind=Kind.NUMBER, eu="CNY", least=0, most=1e12, is_by_act=True),
        Field(name="deadline", title=Words("Deadline", "整改期限"), kind=Kind.DATE, is_listed=True, is_by_act=True),
        Field(name="emergency_plan", title=Words("Emergency plan meanwhile", "应急预案"), kind=Kind.LONG, is_by_act=True),
        Field(name="extended_by", title=Words("Extension approved by", "延期批准人"), is_by_act=True),
        Field(name="done", title=Words("What was done", "整改情况"), kind=Kind.LONG, is_by_act=True),
        Field(name="cost_yuan", title=Words("Cost", "实际费用"), kind=Kind.NUMBER, eu="CNY", least=0, most=1e12, is_by_act=True),
        Field(name="rectified_by", title=Words("Rectified by", "整改人"), is_by_act=True),
        Field(name="rectified_on", title=Words("Rectified on", "整改完成日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="acceptance", title=Words("Finding of the acceptance", "验收意见"), kind=Kind.LONG, is_by_act=True),
        Field(name="accepted_by", title=Words("Accepted by", "验收人"), is_by_act=True),
        Field(name="accepted_on", title=Words("Accepted on", "验收日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="rejected_by", title=Words("Last rejected by", "最近验收不通过人"), is_by_act=True),
        Field(name="listing", title=Words("Listed supervision", "挂牌督办"), kind=Kind.CHOICE, choices=LISTINGS, is_listed=True, is_by_act=True),
        Field(name="listing_by", title=Words("Listed by the authority", "督办单位"), is_by_act=True),
        Field(name="listing_number", title=Words("Number of the order", "督办文号"), is_by_act=True),
        Field(name="listed_on", title=Words("Listed on", "挂牌日期"), kind=Kind.DATE, is_past=True, is_by_act=True),
        Field(name="listing_due", title=Words("To be rectified by, as listed", "督办期限"), kind=Kind.DATE, is_by_act=True),
        Field(name="listed_by", title=Words("Listing entered by", "挂牌登记人"), is_by_act=True),
        Field(name="delisted_on", title=Words("Listing ended on", "摘牌日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
