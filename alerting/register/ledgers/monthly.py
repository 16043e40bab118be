"""Monthly entries (月报填报): what a monthly report says that no ledger can know, entered by hand and said so.

Source: the five lots (五个一批): counts with typical cases; deductions and veto of the effect score E (public description of a
    provincial rule, unverified).
"""

import re
from typing import Final

from alerting.register.field import Field, Kind, Surroundings, Values, Words, Wrong
from alerting.register.ledger import Ledger

_MONTH: Final = re.compile(r"M-(\d{4})-(0[1-9]|1[0-2])")


def _check(values: Values, around: Surroundings) -> list[Wrong]:
    code = values["code"]
    if not _MONTH.fullmatch(code):
        rule = Words("the code of a month is M- and the month, e.g. M-2026-10", "编号为 M- 加月份，例如 M-2026-10")
        return [Wrong(field="code", rule=rule, remedy=Words("Write it so.", "请按此填写。"), value=code)]
    if code.removeprefix("M-") > f"{around.today:%Y-%m}":
        rule = Words("that month has not begun", "该月份尚未开始")
        return [Wrong(field="code", rule=rule, remedy=Words("Check the month.", "请核对月份。"), value=code)]
    return _check_filed(values)


def _check_filed(values: Values) -> list[Wrong]:
    filed = values.get("filed_on")
    if filed is None:
        return []
    if filed[:7] <= values["code"].removeprefix("M-"):
        rule = Words("the month was not over on that day", "该日期时当月尚未结束")
        remedy = Words("Write the day on which it was filed.", "请填写实际报送日期。")
        return [Wrong(field="filed_on", rule=rule, remedy=remedy, value=filed)]
    missing = next((name for name in ("punished", "banned") if values.get(name) is None), "")
    if missing:
        rule = Words("what was filed has this count", "已报送的月报应有该项数量")
        return [Wrong(field=missing, rule=rule, remedy=Words("Write it; 0 for none.", "请填写；没有则填 0。"))]
    return []


MONTHLY: Final = Ledger(
    id="monthly",
    title=Words("Monthly entries", "月报填报"),
    about=Words(
        "What the monthly report says that no ledger knows: violations punished, illegal units banned, deductions of the effect score.",
        "月报中台账无法统计、需人工填报的内容：惩处违法、取缔非法、效果评分扣分与否决项。",
    ),
    named="title",
    check=_check,
    fields=(
        Field(name="code", title=Words("Month", "月份编号"), kind=Kind.CODE, is_required=True, is_listed=True, help=Words("E.g. M-2026-10.", "例如 M-2026-10。")),
        Field(name="title", title=Words("Title", "标题"), is_required=True, is_listed=True),
        Field(name="punished", title=Words("Typical violations punished", "惩处典型违法行为（起）"), kind=Kind.WHOLE, least=0, most=100_000, is_listed=True),
        Field(name="punished_cases", title=Words("Cases of violations", "典型违法案例"), kind=Kind.LONG),
        Field(name="banned", title=Words("Illegal units banned", "取缔非法企业（家）"), kind=Kind.WHOLE, least=0, most=100_000, is_listed=True),
        Field(name="banned_cases", title=Words("Cases of bans", "取缔案例"), kind=Kind.LONG),
        Field(name="deduct_tasks", title=Words("Points off for responsible persons", "包保责任扣分"), kind=Kind.NUMBER, least=0, most=50),
        Field(name="deduct_hazards", title=Words("Points off for too few hidden hazards", "隐患数量扣分"), kind=Kind.NUMBER, least=0, most=50),
        Field(name="veto", title=Words("A veto item applies", "存在否决项"), kind=Kind.FLAG),
        Field(name="filed_on", title=Words("Report filed on", "报送日期"), kind=Kind.DATE, is_past=True, is_listed=True, help=Words("The day on which the report went to the authority; it ends the duty of the month.", "月报报送主管部门的日期；填写后当月报送职责完成。")),
        Field(name="note", title=Words("Note", "备注"), kind=Kind.LONG),
    ),
)  # fmt: skip
