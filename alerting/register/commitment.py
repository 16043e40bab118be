"""Commitment: what a daily safety commitment says, held against what the gateway itself knows.

Flow: what is stated, what was found -> [contradictions] -> lines in both languages; signing asks for a reason
Why: a regulator counts tickets and alarms against the commitment; who signs sees the difference first.
Source: fields as public receivers of the national data set name them (``sec_production_promise``); which
    differences contradict is ours.
Never: does I/O, reads a clock, changes what was stated.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from alerting.register.field import Values, Words

#: Kinds of special work that are counted, by the field that states them: kind and level of the ticket, and its words.
WORK: Final[Mapping[str, tuple[str, str, Words]]] = {
    "hot_special": ("hot", "special", Words("hot work, special", "特级动火")),
    "hot_first": ("hot", "first", Words("hot work, first class", "一级动火")),
    "hot_second": ("hot", "second", Words("hot work, second class", "二级动火")),
    "space": ("space", "", Words("confined space", "受限空间作业")),
    "blind": ("blind", "", Words("blind plate", "盲板抽堵作业")),
    "height": ("height", "", Words("work at height", "高处作业")),
    "lifting": ("lifting", "", Words("lifting", "吊装作业")),
    "power": ("power", "", Words("temporary power", "临时用电作业")),
    "soil": ("soil", "", Words("earthwork", "动土作业")),
    "road": ("road", "", Words("closing a road", "断路作业")),
}
#: Counts that are equal or contradict; work by kind comes before them.
COUNTED: Final[Mapping[str, Words]] = {
    "alarms_red": Words("active RED alarms", "未恢复红色报警"),
    "alarms_orange": Words("active ORANGE alarms", "未恢复橙色报警"),
    "hazards_open": Words("open hidden hazards", "未销号隐患"),
    "hazards_major": Words("open major hidden hazards", "未销号重大隐患"),
    "hazards_overdue": Words("overdue hidden hazards", "逾期隐患"),
}
GRADE_WORDS: Final = {
    1: Words("major (red)", "重大（红）"),
    2: Words("larger (orange)", "较大（橙）"),
    3: Words("general (yellow)", "一般（黄）"),
    4: Words("low (blue)", "低（蓝）"),
}


def contradictions(stated: Values, found: Mapping[str, Any]) -> Sequence[Words]:
    """Say where what is stated differs from what was found; empty where nothing does.

    A count contradicts where it is another than found; a risk grade only where a lighter one is stated than found: a
    graver one is nobody's harm.

    Args:
        found: Counts by field, ``risk_grade`` 1 to 4 or 0, ``units_total``.
    """
    told: list[Words] = []
    titles = {name: title for name, (_, _, title) in WORK.items()} | dict(COUNTED)
    for name, title in titles.items():
        said, seen = int(stated.get(name, 0)), int(found.get(name, 0))
        if said != seen:
            told.append(Words(f"{title.en}: {said} stated, {seen} found", f"{title.zh}：承诺 {said}，系统 {seen}"))
    said, seen = int(stated.get("risk_grade", 0) or 0), int(found.get("risk_grade", 0))
    if seen and said > seen:
        words = (GRADE_WORDS[said], GRADE_WORDS[seen])
        told.append(
            Words(f"risk: {words[0].en} stated, {words[1].en} found", f"风险等级：承诺{words[0].zh}，系统{words[1].zh}")
        )
    return told
