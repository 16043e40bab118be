"""Emergency plans (应急预案) and post cards (应急处置卡).

Source: GB/T 29639-2020 (kinds of plans and their sections; response levels are the unit's own and need not equal grades of
    accidents); 应急预案管理办法 (order 88, revised 2019): key posts have a card with procedures, measures, contacts.
"""

from datetime import date
from typing import Final

from alerting.model.hazard_policy import CONDITIONS
from alerting.model.tier import Tier
from alerting.push.words import condition_said
from alerting.register.accident_types import ACCIDENT_TYPES
from alerting.register.dynamic import TIER_WORDS
from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger
from alerting.register.months import plus_months

SORTS: Final = (
    Choice(code="comprehensive", title=Words("comprehensive plan", "综合应急预案")),
    Choice(code="special", title=Words("special plan", "专项应急预案")),
    Choice(code="site", title=Words("on-site disposal scheme", "现场处置方案")),
)
#: 应急响应级别: the unit's own, never a tier of ours and never a grade of an accident.
RESPONSE_GRADES: Final = (
    Choice(code="1", title=Words("response grade I", "Ⅰ级响应")),
    Choice(code="2", title=Words("response grade II", "Ⅱ级响应")),
    Choice(code="3", title=Words("response grade III", "Ⅲ级响应")),
    Choice(code="4", title=Words("response grade IV", "Ⅳ级响应")),
)
TIERS: Final = tuple(
    Choice(code=tier.name, title=TIER_WORDS[tier]) for tier in (Tier.RED, Tier.ORANGE, Tier.YELLOW, Tier.BLUE)
)
CONDITION_CHOICES: Final = tuple(
    Choice(code=name, title=Words(condition_said(name, "en"), condition_said(name, "zh"))) for name in CONDITIONS
)


#: A plan is drilled at least so often, months, by its sort. Special plan once a year, on-site disposal scheme once in six
#: months: 应急预案管理办法 (order 88, revised 2019), article 33, from memory, unverified. That of a comprehensive plan is ours.
DRILL_MONTHS: Final = {"comprehensive": 12, "special": 12, "site": 6}


def drill_due(values: Values) -> Values:
    """Give the day by which a plan is to be drilled again; nothing where it was neither drilled nor approved yet."""
    since = values.get("drilled_on") or values.get("approved_on")
    if not since:
        return {}
    months = int(values.get("drill_months") or DRILL_MONTHS[values["sort"]])
    return {"drill_due": plus_months(date.fromisoformat(since), months).isoformat()}


def _derive(values: Values, _: Surroundings) -> Values:
    return drill_due(values)


def _check(values: Values, _: Surroundings) -> list[Wrong]:
    if values.get("valid_until", "9999") < values.get("approved_on", ""):
        rule = Words("the plan would end before it was approved", "有效期早于批准日期")
        remedy = Words("Check both days.", "请核对两个日期。")
        return [Wrong(field="valid_until", value=values["valid_until"], rule=rule, remedy=remedy)]
    return []


PLANS: Final = Ledger(
    id="plans",
    title=Words("Emergency plans", "应急预案"),
    about=Words(
        "What is done when a tier rises: for which unit, substance, condition and tier, in which steps, by whom, within which time. The plan that fits best opens by itself; every revision stays.",
        "预警升级时做什么：适用的单元、物质、条件和预警级别，以及步骤、负责岗位和时限。匹配度最高的预案自动启动；历次修订全部保留。",
    ),
    named="name",
    check=_check,
    derive=_derive,
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "预案名称"), is_required=True, is_listed=True),
        Field(name="sort", title=Words("Sort", "预案类型"), kind=Kind.CHOICE, choices=SORTS, is_required=True, is_listed=True, help=Words("GB/T 29639-2020.", "按 GB/T 29639-2020。")),
        Field(name="accident", title=Words("Type of accident", "事故类型"), kind=Kind.CHOICE, choices=ACCIDENT_TYPES, is_required=True, is_listed=True, help=Words("Basic types of GB 6441-2025. A unit has one open incident of a type.", "按 GB 6441-2025 的基本类型。同一单元同一类型只有一起未结束事件。")),
        Field(name="unit", title=Words("Hazard unit", "适用单元"), kind=Kind.UNIT, is_listed=True, help=Words("Empty for every unit.", "留空表示所有单元。")),
        Field(name="substance", title=Words("Substance (CAS number)", "适用物质（CAS 号）"), kind=Kind.CAS, is_listed=True, help=Words("One that a unit holds by the ledger Holdings; empty for any.", "须为“危险化学品存量”中登记的物质；留空表示不限。")),
        Field(name="condition", title=Words("Condition", "适用条件"), kind=Kind.CHOICE, choices=CONDITION_CHOICES, is_listed=True, help=Words("Of an alarm of the unit; empty for any.", "单元内报警的条件；留空表示不限。")),
        Field(name="tier", title=Words("From tier", "启动预警级别"), kind=Kind.CHOICE, choices=TIERS, is_required=True, is_listed=True, help=Words("It fits from this tier upwards.", "达到该级别及以上时适用。")),
        Field(name="grade", title=Words("Response grade", "响应级别"), kind=Kind.CHOICE, choices=RESPONSE_GRADES, is_listed=True, help=Words("The grade that the incident begins with; the commander raises and lowers it.", "事件启动时的响应级别，指挥人可升降。")),
        Field(name="steps", title=Words("Checklist", "处置步骤"), kind=Kind.STEPS, is_required=True, help=Words("One line a step: id | what | owner | minutes | after | answers. Owner: leader, post:ID or person:NAME. After: 1, 2=yes for all; 3/4 for one of them.", "每行一步：编号 | 内容 | 负责 | 时限（分钟） | 前置 | 选项。负责：leader、post:岗位 或 person:用户名。前置：“1, 2=是”表示全部，“3/4”表示其一。")),
        Field(name="restart", title=Words("Restart check-list", "复产检查清单"), kind=Kind.STEPS, help=Words("What is complete before the unit returns after stand-down, in the form of the checklist; empty: the unit is not held.", "终止响应后、单元恢复运行前须全部完成的检查，格式同处置步骤；留空则不限制。")),
        Field(name="risks", title=Words("Accident risks", "事故风险描述"), kind=Kind.LONG),
        Field(name="organisation", title=Words("Organisation and duties", "应急组织机构及职责"), kind=Kind.LONG),
        Field(name="reporting", title=Words("Report of information", "信息报告"), kind=Kind.LONG),
        Field(name="warning", title=Words("Warning: start, preparation, lifting", "预警启动、响应准备、预警解除"), kind=Kind.LONG),
        Field(name="starting", title=Words("Start of the response and control of its grade", "响应启动与级别控制"), kind=Kind.LONG),
        Field(name="disposal", title=Words("Disposal", "处置措施"), kind=Kind.LONG),
        Field(name="support", title=Words("Support", "应急支援与保障"), kind=Kind.LONG),
        Field(name="ending", title=Words("End of the response", "响应终止"), kind=Kind.LONG),
        Field(name="approved_by", title=Words("Approved by", "批准人")),
        Field(name="approved_on", title=Words("Approved on", "批准日期"), kind=Kind.DATE, is_past=True),
        Field(name="valid_until", title=Words("Valid until", "有效期至"), kind=Kind.DATE, is_listed=True, help=Words("What is past its day still opens, and says so.", "超过有效期的预案仍会启动，并予以提示。")),
        Field(name="responsible", title=Words("Responsible person", "责任人"), help=Words("Name of a user, so that the prompt of its drill reaches the person.", "填写系统用户名，演练提示才能送达本人。")),
        Field(name="drill_months", title=Words("Cycle of its drills", "演练周期"), kind=Kind.WHOLE, eu="months", least=1, most=36, help=Words("Empty: 12 of a comprehensive or special plan, 6 of an on-site disposal scheme (unverified).", "留空：综合、专项预案 12 个月，现场处置方案 6 个月（待核实）。")),
        Field(name="drilled_on", title=Words("Last drilled on", "最近演练日期"), kind=Kind.DATE, is_past=True, help=Words("Filled in at the end of a drill with this plan; enter one that was held otherwise by hand.", "以本预案进行的演练结束时自动填写；其他形式的演练可手工填写。")),
        Field(name="drill_due", title=Words("Next drill due on", "下次演练期限"), kind=Kind.DATE, is_listed=True, is_derived=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip

POST_CARDS: Final = Ledger(
    id="post_cards",
    title=Words("Post cards", "应急处置卡"),
    about=Words(
        "What one post does when it happens: short enough to carry. A card belongs to a plan, or to a unit, a type of accident and a tier.",
        "某岗位在事故发生时的处置要点，便于携带。卡片属于某一预案，或按单元、事故类型和预警级别适用。",
    ),
    named="name",
    fields=(
        Field(name="code", title=Words("Card number", "卡号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Name", "卡名"), is_required=True, is_listed=True),
        Field(name="post", title=Words("Post", "岗位"), kind=Kind.POST, is_required=True, is_listed=True),
        Field(name="plan", title=Words("Plan", "所属预案"), kind=Kind.RECORD, ledger="plans", is_listed=True),
        Field(name="unit", title=Words("Hazard unit", "适用单元"), kind=Kind.UNIT, is_listed=True, help=Words("Empty for every unit.", "留空表示所有单元。")),
        Field(name="accident", title=Words("Type of accident", "事故类型"), kind=Kind.CHOICE, choices=ACCIDENT_TYPES, is_required=True, is_listed=True),
        Field(name="tier", title=Words("From tier", "适用预警级别"), kind=Kind.CHOICE, choices=TIERS, is_required=True, is_listed=True),
        Field(name="place", title=Words("Place", "场所")),
        Field(name="risk", title=Words("Accident risk", "事故风险"), kind=Kind.LONG),
        Field(name="features", title=Words("How it shows", "事故特征"), kind=Kind.LONG),
        Field(name="harm", title=Words("Harm", "危害描述"), kind=Kind.LONG),
        Field(name="steps", title=Words("Steps", "处置步骤"), kind=Kind.LONG, is_required=True, help=Words("One line a step.", "每行一步。")),
        Field(name="measures", title=Words("Measures", "处置措施"), kind=Kind.LONG),
        Field(name="responsible", title=Words("Responsible person", "主要负责人"), is_required=True),
        Field(name="inside_phone", title=Words("Emergency telephone inside", "内部应急电话"), kind=Kind.PHONE, is_required=True),
        Field(name="outside_phone", title=Words("Emergency telephone outside", "外部应急电话"), is_required=True, help=Words("E.g. 119, 120.", "例如 119、120。")),
        Field(name="note", title=Words("Notes", "注意事项"), kind=Kind.LONG),
    ),
)  # fmt: skip
