"""Table: the duties that the system watches, as it ships; a site's file changes rows of it.

Source: the basis stands in each row. What is quoted from memory is marked unverified; what is nobody's rule is ours.
"""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from alerting.duty.kind import Kind, Reads, Wanted
from alerting.register.field import Words
from alerting.register.ledger import STATE
from alerting.register.ledgers.plans import drill_due
from alerting.register.months import plus_months

DISPOSAL: Final = "alarms.disposal"
ACK: Final = "alarms.acknowledge"
COMMIT: Final = "commitments.sign"
LOTS: Final = "monthly.five_lots"
RESPONSE: Final = "incidents.task"
TICKET_END: Final = "tickets.until"
TICKET_TEST: Final = "tickets.retest_by"
REPORT: Final = "incidents.report"
YEARS_3: Final = 36  # months
OURS: Final = Words("ours", "产品默认")


def _day(values: Mapping[str, Any], name: str) -> date | None:
    said = values.get(name)
    return date.fromisoformat(said) if said else None


def _ends(name: str, holder: str, *, begins: str = "", months: int = 0, unless: str = "") -> Reads:
    """Give what reads a field with a last day.

    Args:
        begins: Field with the day from which on it could be done.
        months: So many are added to the field's day.
        unless: Field that, once filled, says that nothing is wanted any more.
    """

    def read(values: Mapping[str, Any]) -> Wanted | None:
        day = _day(values, name)
        if day is None or (unless and values.get(unless)):
            return None
        first = day if months else _day(values, begins)
        last = plus_months(day, months) if months else day
        return Wanted(day=last, begins=first, holder=str(values.get(holder, "")))

    return read


def _while(reads: Reads, shut: frozenset[str]) -> Reads:
    """Want it only while a record's loop is not shut."""
    return lambda values: None if values.get(STATE) in shut else reads(values)


def _drill(values: Mapping[str, Any]) -> Wanted | None:
    """Read by when a plan is drilled; worked out anew, for records of before that day was kept have none."""
    return _ends("drill_due", "responsible")({**values, **drill_due(dict(values))})


KINDS: Final = (
    Kind(
        id="hidden_hazards.deadline",
        title=Words("Rectify a hidden hazard", "隐患整改"),
        ledger="hidden_hazards",
        reads=_while(_ends("deadline", "responsible", begins="found_on"), frozenset({"closed"})),
        basis=Words("deadline of its plan (SAWS order 16)", "整改方案期限（原安监总局令第16号）"),
        is_unverified=True,
    ),
    Kind(
        id="hidden_hazards.listing_due",
        title=Words("Rectify what is listed under supervision", "挂牌督办隐患整改"),
        ledger="hidden_hazards",
        reads=_while(_ends("listing_due", "responsible", begins="listed_on", unless="delisted_on"), frozenset({"closed"})),
        basis=Words("day that the authority set", "督办单位规定的期限"),
    ),
    Kind(
        id="hazard_copies.due",
        title=Words("Ask a department for its answer", "隐患抄告反馈"),
        ledger="hazard_copies",
        reads=_while(_ends("due", "responsible", begins="sent_on"), frozenset({"answered", "closed", "withdrawn"})),
        basis=Words("day asked for", "抄告要求的反馈期限"),
    ),
    Kind(
        id="routines.due",
        title=Words("Do a routine", "完成周期性工作"),
        ledger="routines",
        reads=_while(_ends("due", "responsible", begins="last_on"), frozenset({"finished"})),
        basis=Words("as its record says", "见该记录“依据”"),
    ),
    Kind(
        id="inspections.due",
        title=Words("Carry out an inspection", "完成排查任务"),
        ledger="inspections",
        reads=_while(_ends("due", "responsible", begins="last_on"), frozenset({"stopped"})),
        basis=Words("as its record says", "见该记录“依据”"),
    ),
    Kind(
        id="units.identified_on",
        title=Words("Identify and grade a hazard unit anew", "重大危险源重新辨识评估"),
        ledger="units",
        reads=_ends("identified_on", "main_person", months=YEARS_3, unless="closed_on"),
        lead_days=30,
        basis=Words("every three years (SAWS order 40, article 11)", "满三年应重新辨识、评估、分级（原安监总局令第40号第十一条）"),
        is_unverified=True,
    ),
    Kind(
        id="units.filed_until",
        title=Words("Renew the filing of a hazard unit", "重大危险源备案续期"),
        ledger="units",
        reads=_ends("filed_until", "main_person", begins="filed_on", unless="closed_on"),
        lead_days=30,
        basis=Words("end of the filing; the lead is ours", "备案有效期；提前量为产品默认"),
    ),
    Kind(
        id="enterprises.licence_until",
        title=Words("Renew the safety licence", "安全生产许可证延期"),
        ledger="enterprises",
        reads=_ends("licence_until", "head"),
        lead_days=90,
        basis=Words("three months before it ends (Safety Licence Regulation, article 9)", "期满前3个月申请延期（安全生产许可证条例第九条）"),
        is_unverified=True,
    ),
    Kind(
        id="enterprises.insurance_until",
        title=Words("Renew the liability insurance", "安全生产责任保险续保"),
        ledger="enterprises",
        reads=_ends("insurance_until", "safety_head"),
        lead_days=30,
        basis=Words("Work Safety Law (2021), article 51; the lead is ours", "安全生产法（2021）第五十一条；提前量为产品默认"),
        is_unverified=True,
    ),
    Kind(
        id="instruments.calibrated_until",
        title=Words("Calibrate an instrument", "仪表检定校准"),
        ledger="instruments",
        reads=_while(_ends("calibrated_until", "responsible", begins="calibrated_on"), frozenset({"retired"})),
        lead_days=30,
        basis=Words("end of the certificate (Metrology Law, article 9); the lead is ours", "检定证书有效期（计量法第九条）；提前量为产品默认"),
        is_unverified=True,
    ),
    Kind(
        id="instruments.proof_due",
        title=Words("Proof-test an instrument", "仪表功能测试"),
        ledger="instruments",
        reads=_while(_ends("proof_due", "responsible", begins="proofed_on"), frozenset({"retired"})),
        lead_days=30,
        basis=Words("interval of its record (IEC 61511-1, 16.3); the lead is ours", "台账中的测试周期（IEC 61511-1 第16.3条）；提前量为产品默认"),
        is_unverified=True,
    ),
    Kind(
        id="instruments.bypass_until",
        title=Words("End a bypass", "恢复旁路仪表"),
        ledger="instruments",
        reads=_ends("bypass_until", "responsible", begins="bypass_on"),
        basis=Words("day of the approval", "旁路批准的期限"),
    ),
    Kind(
        id="equipment.inspected_until",
        title=Words("Have special equipment inspected", "特种设备定期检验"),
        ledger="equipment",
        reads=_while(_ends("inspected_until", "responsible", begins="inspected_on"), frozenset({"scrapped"})),
        lead_days=30,
        basis=Words("asked for one month before the last one ends (Special Equipment Safety Law, article 40)", "检验有效期届满前一个月提出定期检验要求（特种设备安全法第四十条）"),
        is_unverified=True,
    ),
    Kind(
        id="documents.valid_until",
        title=Words("Renew a document", "证照与文件续期"),
        ledger="documents",
        reads=_while(_ends("valid_until", "responsible", begins="issued_on"), frozenset({"withdrawn"})),
        lead_days=30,
        basis=Words("end of the document; the lead is ours", "文件有效期；提前量为产品默认"),
    ),
    Kind(
        id="tips.due",
        title=Words("Deal with a report by a person", "举报办结"),
        ledger="tips",
        reads=_while(_ends("due", "responsible", begins="received_on"), frozenset({"closed", "refused"})),
        basis=Words("60 days after the receipt (notice 2020-69)", "接报后60日内办结（应急〔2020〕69号）"),
        is_unverified=True,
    ),
    Kind(
        id="campaigns.due",
        title=Words("Finish a round of a campaign", "完成本轮专项检查"),
        ledger="campaigns",
        reads=_while(_ends("due", "responsible"), frozenset({"finished"})),
        basis=Words("as its record says", "见该记录“依据”"),
    ),
    Kind(
        id="lessons.due",
        title=Words("Do what an incident or a drill taught", "落实应急与演练改进措施"),
        ledger="lessons",
        reads=_while(_ends("due", "responsible", begins="learned_on"), frozenset({"done", "accepted"})),
        basis=Words("day set at the incident or the drill", "应急事件或演练总结确定的期限"),
    ),
    Kind(
        id="plans.drill_due",
        title=Words("Drill an emergency plan", "应急预案演练"),
        ledger="plans",
        reads=_drill,
        lead_days=30,
        basis=Words("a special plan once a year, an on-site disposal scheme once in six months (order 88, article 33); the lead is ours", "专项预案每年至少一次、现场处置方案每半年至少一次（应急管理部令第2号修订的88号令第三十三条）；提前量为产品默认"),
        is_unverified=True,
    ),
    Kind(
        id="resources.restock_by",
        title=Words("Fill up a material that is below its minimum", "补足应急物资库存"),
        ledger="resources",
        reads=_ends("restock_by", "responsible", begins="counted_on"),
        basis=Words("7 days after the count; ours", "盘点后7日内；产品默认"),
    ),
    Kind(
        id="resources.expires_on",
        title=Words("Replace or renew an emergency resource", "应急资源到期更换或复审"),
        ledger="resources",
        reads=_ends("expires_on", "responsible"),
        lead_days=30,
        basis=Words("end of its use; the lead is ours", "资源有效期；提前量为产品默认"),
    ),
    Kind(
        id="exposure_points.next_due",
        title=Words("Have an exposure point sampled", "职业危害因素检测"),
        ledger="exposure_points",
        reads=_while(_ends("next_due", "responsible", begins="last_on"), frozenset({"retired"})),
        lead_days=30,
        basis=Words("cycle of its record (Occupational Disease Prevention Law, article 26); the lead is ours", "台账中的检测周期（职业病防治法第二十六条）；提前量为产品默认"),
        is_unverified=True,
    ),
    Kind(
        id="exposure_points.sign_due",
        title=Words("Look at the warning sign of an exposure point", "检查职业危害警示标识"),
        ledger="exposure_points",
        reads=_while(_ends("sign_due", "responsible", begins="sign_on"), frozenset({"retired"})),
        basis=Words("GBZ 158-2003; Occupational Disease Prevention Law, article 24", "GBZ 158-2003；职业病防治法第二十四条"),
        is_unverified=True,
    ),
    Kind(
        id="exposure_points.notice_due",
        title=Words("Tell workers of what they are exposed to", "职业危害告知"),
        ledger="exposure_points",
        reads=_while(_ends("notice_due", "responsible", begins="notice_on"), frozenset({"retired"})),
        basis=Words("Occupational Disease Prevention Law, articles 24 and 33", "职业病防治法第二十四条、第三十三条"),
        is_unverified=True,
    ),
    Kind(
        id=TICKET_END,
        title=Words("Close a work ticket, or end the work", "作业票到期前停止作业并关闭"),
        ledger="tickets",
        is_momentary=True,
        basis=Words("validity of the ticket (GB 30871-2022)", "作业票有效期（GB 30871-2022）"),
        is_unverified=True,
    ),
    Kind(
        id=TICKET_TEST,
        title=Words("Test the gas anew while work goes on, or stop it", "作业中气体复测，不合格立即停止作业"),
        ledger="tickets",
        is_momentary=True,
        basis=Words("every 2 h in a confined space (GB 30871-2022); of special hot work ours", "受限空间每2h记录一次（GB 30871-2022）；特级动火为产品默认"),
    ),
    Kind(
        id=DISPOSAL,
        title=Words("Report what an alarm came to", "报警处置反馈"),
        basis=Words("[disposal] of the site", "站点配置 [disposal]"),
    ),
    Kind(
        id=COMMIT,
        title=Words("Sign today's safety commitment", "签署当日安全承诺"),
        basis=Words("[commitment] of the site; before 10:00 by provincial rules (notice 2018-74)", "站点配置 [commitment]；地方规定每日 10:00 前（应急〔2018〕74号）"),
        is_unverified=True,
    ),
    Kind(
        id=LOTS,
        title=Words("File last month's report of the five lots", "报送上月“五个一批”月报"),
        basis=Words("[duties.five_lots_day] of the site; by the 15th as found", "站点配置 [duties.five_lots_day]；一般为每月15日前"),
        is_unverified=True,
        is_dated=True,
    ),
    Kind(
        id=REPORT,
        title=Words("Report an accident to the authority", "事故信息报告与续报"),
        basis=Words("within 1 h, then each day (State Council order 493, article 9); the hour begins with the judgement", "1小时内报告，之后每日续报（国务院令第493号第九条）；自认定为事故起计"),
        is_unverified=True,
    ),
    Kind(
        id=RESPONSE,
        title=Words("Do a step of an incident's checklist", "完成应急处置步骤"),
        basis=Words("time limit of its plan; the grace is ours", "应急预案规定的时限；宽限为产品默认"),
        grace_s=120.0,
    ),
    Kind(
        id=ACK,
        title=Words("Acknowledge an alarm", "报警确认"),
        basis=Words("[duties.ack_minutes] of the site", "站点配置 [duties.ack_minutes]"),
    ),
)  # fmt: skip
