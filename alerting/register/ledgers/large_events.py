"""Large events (大型活动备案): who gathers whom, where, when, how many were approved, and what holds meanwhile.

Why: while a filed event runs it replaces what its zones take, who is on duty for them and who is called about their alarms.
    A planned event replaces nothing; one that was filed late replaces from its filing on.
Never: leaves two events in one zone at one time; lets a head count above the zones' own capacity pass without its approval.
"""

from typing import Final

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words, Wrong, codes_in
from alerting.register.ledger import STATE, Act, Ledger

PLANNED, FILED, CLOSED, CANCELLED = "planned", "filed", "closed", "cancelled"
STATES: Final = (
    Choice(code=PLANNED, title=Words("planned, not filed", "拟办（未备案）")),
    Choice(code=FILED, title=Words("filed", "已备案")),
    Choice(code=CLOSED, title=Words("closed", "已结束")),
    Choice(code=CANCELLED, title=Words("cancelled", "已取消")),
)
OPEN: Final = frozenset({PLANNED, FILED})


def _wrong(field: str, en: str, zh: str, remedy: Words, value: object = "") -> Wrong:
    return Wrong(field=field, rule=Words(en, zh), remedy=remedy, value=str(value))


def overlaps(one: Values, other: Values) -> list[str]:
    """Give the zones that two events would hold at one time."""
    if not (one["from"] < other["until"] and other["from"] < one["until"]):
        return []
    theirs = codes_in(other["zones"])
    return [zone for zone in codes_in(one["zones"]) if zone in theirs]


def _check(values: Values, around: Surroundings) -> list[Wrong]:
    if values["until"] <= values["from"]:
        remedy = Words("Check both times.", "请核对两个时间。")
        return [_wrong("until", "it would end before it began", "结束时间不晚于开始时间", remedy, values["until"])]
    if values[STATE] not in OPEN:
        return []
    return [*_check_count(values, around), *_check_names(values, around), *_check_others(values, around)]


def _check_count(values: Values, around: Surroundings) -> list[Wrong]:
    takes = sum(around.takes.get(zone, 0) for zone in codes_in(values["zones"]))
    if values["approved"] <= takes or values.get("document"):
        return []
    en = f"more persons than its zones take ({takes}), and no document approves it"
    zh = f"核准人数超过所涉区域瞬时承载量（{takes} 人），且未填写批准文件"
    remedy = Words("Lower it, or name the document that approves it.", "请降低人数，或填写批准文件文号。")
    return [_wrong("approved", en, zh, remedy, values["approved"])]


def _check_names(values: Values, around: Surroundings) -> list[Wrong]:
    wrongs = []
    for name, known, en, zh in (
        ("roster", around.rosters, "the site has no such roster of events", "站点配置中没有该活动值班表"),
        ("escalation", around.ladders, "the site has no such escalation of events", "站点配置中没有该活动呼叫方案"),
    ):
        said = values.get(name)
        if said and said not in known:
            there_en, there_zh = ", ".join(sorted(known)) or "none", "、".join(sorted(known)) or "无"
            remedy = Words(
                f"The configuration has: {there_en}. Leave it empty for what always holds.",
                f"配置中有：{there_zh}。按日常执行时请留空。",
            )
            wrongs.append(_wrong(name, en, zh, remedy, said))
    return wrongs


def _check_others(values: Values, around: Surroundings) -> list[Wrong]:
    for code, other in sorted(around.filings.items()):
        zones = overlaps(values, other) if code != values["code"] else []
        if zones:
            when = f"{other['from']} – {other['until']}".replace("T", " ")
            remedy = Words(
                "Choose another time or zone, or cancel the other one.", "请调整时间或区域，或取消另一活动。"
            )
            named = f"{code} {other['name']}".strip()
            en = f"{', '.join(zones)}: {named} is there from {when}"
            zh = f"{'、'.join(zones)}：{named} 已占用 {when}"
            return [_wrong("zones", en, zh, remedy, values["zones"])]
    return []


def _check_filing(had: Values, _: Values, around: Surroundings) -> list[Wrong]:
    if had["until"] <= around.now:
        remedy = Words("Enter it as what it was: cancel it.", "请作取消处理。")
        return [
            _wrong("until", "it is over; nothing is filed afterwards", "活动已结束，不能补办备案", remedy, had["until"])
        ]
    return []


def _filed_now(_: Values, around: Surroundings) -> Values:
    return {"filed_at": around.now}


def _ended_now(_: Values, around: Surroundings) -> Values:
    return {"ended_at": around.now}


_FILING: Final = ("filing_number", "filed_with")
LARGE_EVENTS: Final = Ledger(
    id="large_events",
    title=Words("Large events", "大型活动备案"),
    about=Words(
        "Who gathers whom, where and when, and how many persons were approved. While a filed event runs, that head count replaces what its zones take, and the roster and escalation that it names replace the usual ones.",
        "大型活动的主办方、场地、起止时间与核准人数。已备案的活动进行期间，以核准人数取代所涉区域承载量，并启用其指定的值班表与呼叫方案。",
    ),
    named="name",
    check=_check,
    begins=PLANNED,
    shut=frozenset({CLOSED, CANCELLED}),
    acts=(
        Act(id="file", title=Words("Write the filing down", "登记备案"), begins=frozenset({PLANNED}), ends=FILED, fields=_FILING, needed=frozenset({"filing_number"}), check=_check_filing, moves=_filed_now, signs="filed_by", dates="filed_on"),
        Act(id="close", title=Words("End it", "结束活动"), begins=frozenset({FILED}), ends=CLOSED, fields=("peak", "finding"), needed=frozenset({"finding"}), moves=_ended_now, signs="closed_by", dates="closed_on"),
        Act(id="cancel", title=Words("Cancel", "取消"), begins=OPEN, ends=CANCELLED, fields=("finding",), needed=frozenset({"finding"}), moves=_ended_now, signs="closed_by", dates="closed_on"),
    ),
    fields=(
        Field(name="code", title=Words("Code", "编号"), kind=Kind.CODE, is_required=True, is_listed=True),
        Field(name="name", title=Words("Event", "活动名称"), is_required=True, is_listed=True),
        Field(name=STATE, title=Words("State", "状态"), kind=Kind.CHOICE, choices=STATES, is_listed=True, is_by_act=True),
        Field(name="organiser", title=Words("Organiser", "主办（承办）单位"), is_required=True, is_listed=True),
        Field(name="contact", title=Words("Person in charge of safety", "安全负责人"), is_required=True),
        Field(name="phone", title=Words("Telephone", "联系电话"), kind=Kind.PHONE),
        Field(name="zones", title=Words("Venue: crowd zones", "活动场地（区域编号）"), kind=Kind.RECORDS, ledger="crowd_zones", is_required=True, is_listed=True, help=Words("Codes of crowd zones, parted by semicolons.", "人员密集区域编号，多个以分号分隔。")),
        Field(name="from", title=Words("From", "开始时间"), kind=Kind.MOMENT, is_required=True, is_listed=True),
        Field(name="until", title=Words("Until", "结束时间"), kind=Kind.MOMENT, is_required=True, is_listed=True),
        Field(name="approved", title=Words("Approved head count", "核准人数"), kind=Kind.WHOLE, eu="persons", least=1, most=10_000_000, is_required=True, is_listed=True, help=Words("Persons at once in all its zones; parted among several by what each takes.", "各区域同时在场总人数；涉及多个区域时按各区域瞬时承载量分摊。")),
        Field(name="document", title=Words("Document that approves more than the zones take", "超承载量批准文件"), help=Words("Needed where more persons are approved than the zones take.", "核准人数超过区域承载量时必填。")),
        Field(name="conditions", title=Words("Conditions", "许可条件"), kind=Kind.LONG),
        Field(name="roster", title=Words("Roster while it runs", "活动期间值班表"), help=Words("As [[post]] roster of the configuration names it; empty for the usual one.", "配置中 [[post]] 的 roster 名称；留空则按日常值班。")),
        Field(name="escalation", title=Words("Escalation while it runs", "活动期间呼叫方案"), help=Words("Id of an [[escalation]] with events = true; empty for the usual one.", "配置中 events = true 的 [[escalation]] 编号；留空则按日常方案。")),
        Field(name="filing_number", title=Words("Filing number", "备案（许可）文号"), is_by_act=True, is_listed=True),
        Field(name="filed_with", title=Words("Filed with", "备案（许可）机关"), is_by_act=True),
        Field(name="filed_by", title=Words("Filed by", "登记人"), is_by_act=True),
        Field(name="filed_on", title=Words("Filed on", "登记日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="filed_at", title=Words("In force from the filing at", "备案生效时刻"), kind=Kind.MOMENT, is_by_act=True),
        Field(name="peak", title=Words("Most persons at once", "实际最高同时在场人数"), kind=Kind.WHOLE, eu="persons", least=0, most=10_000_000, is_by_act=True),
        Field(name="finding", title=Words("What is to be said at its end", "结束（取消）说明"), kind=Kind.LONG, is_by_act=True),
        Field(name="ended_at", title=Words("Ended at", "实际结束时刻"), kind=Kind.MOMENT, is_by_act=True),
        Field(name="closed_by", title=Words("Ended or cancelled by", "结束（取消）人"), is_by_act=True),
        Field(name="closed_on", title=Words("Ended or cancelled on", "结束（取消）日期"), kind=Kind.DATE, is_by_act=True),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
