"""Words for the tier of a hazard unit: which line of the policy gives it, of which conditions, and what comes next.

Flow: cause of a unit event, standing of a unit -> [unit_sentence] -> page, ``fengsui why``
Never: guesses a fact that is not there, mixes languages.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from alerting.push.act_words import condition_phrase
from alerting.push.words import CONDITION_ZH, TIER_ZH, Language

GRADE_EN = ("none", "I", "II", "III", "IV")
GRADE_ZH = ("", "一级", "二级", "三级", "四级")
NS = 1e9


def unit_sentence(facts: Mapping[str, Any], lang: Language) -> str:
    """Say why a unit has its tier, e.g. ``TK-101 rises from YELLOW to RED: line 1 of the policy (HH for 60 s) …``.

    Args:
        facts: ``unit, tier``, the facts of ``alerting.tiering.Change`` or ``Standing``, ``from`` where the tier
            changed, and ``at_ns``, the time that it is said of.
        lang: ``en`` or ``zh``.
    """
    return _zh(facts) if lang == "zh" else _en(facts)


def _en(facts: Mapping[str, Any]) -> str:
    tier, old = str(facts.get("tier", "?")), facts.get("from")
    if not old or old == tier:
        moves = f"is {tier}" if tier != "NONE" else "has no tier"
    elif _is_rise(facts):
        moves = f"rises from {old} to {tier}"
    else:
        moves = f"falls from {old} to {tier}"
    about = f"{facts.get('unit', '?')}{_grade_en(facts)} {moves}"
    said = [_ended_en(facts), _basis_en(facts), _waits_en(facts)]
    return f"{about}: {'; '.join(filter(None, said))}"


def _zh(facts: Mapping[str, Any]) -> str:
    tier, old = str(facts.get("tier", "?")), facts.get("from")
    if not old or old == tier:
        moves = f"为{TIER_ZH.get(tier, tier)}预警" if tier != "NONE" else "无预警"
    elif _is_rise(facts):
        moves = f"由{TIER_ZH.get(str(old), old)}升至{TIER_ZH.get(tier, tier)}"
    else:
        moves = f"由{TIER_ZH.get(str(old), old)}降至{TIER_ZH.get(tier, tier)}"
    about = f"{facts.get('unit', '?')}{_grade_zh(facts)} {moves}"
    said = [_ended_zh(facts), _basis_zh(facts), _waits_zh(facts)]
    return f"{about}:{';'.join(filter(None, said))}"


def _is_rise(facts: Mapping[str, Any]) -> bool:
    order = list(TIER_ZH)
    return order.index(str(facts["tier"])) > order.index(str(facts["from"]))


def _grade_en(facts: Mapping[str, Any]) -> str:
    return f" (grade {GRADE_EN[facts['grade']]})" if facts.get("grade") else ""


def _grade_zh(facts: Mapping[str, Any]) -> str:
    return f"({GRADE_ZH[facts['grade']]}重大危险源)" if facts.get("grade") else ""


def _basis_en(facts: Mapping[str, Any]) -> str:
    line, policy = facts.get("line"), facts.get("policy")
    if line is None or policy is None:
        return "no active alarm counts for it"
    who = f"line {line} of the policy ({_asks_en(policy)})" if line else "the highest tier of its active alarms"
    if facts.get("ceased_ns"):
        keeper = who if line else "an alarm"
        return f"{keeper} that has ended keeps it for {_s(policy['lower_after_s'])} s"
    conditions = _conditions(facts, "en", ", ", lambda n: f" and {n} more")
    return f"{who} holds: {conditions}" if line else f"{who}: {conditions}"


def _basis_zh(facts: Mapping[str, Any]) -> str:
    line, policy = facts.get("line"), facts.get("policy")
    if line is None or policy is None:
        return "没有计入该单元的有效报警"
    who = f"策略第 {line} 条({_asks_zh(policy)})" if line else "有效报警的最高等级"
    if facts.get("ceased_ns"):
        keeper = who if line else "报警"
        return f"{keeper}结束后保持 {_s(policy['lower_after_s'])} 秒"
    conditions = _conditions(facts, "zh", "、", lambda n: f"等,另有 {n} 条")
    return f"{who}成立:{conditions}" if line else f"{who}:{conditions}"


def _ended_en(facts: Mapping[str, Any]) -> str:
    ended = facts.get("ended")
    if ended is None:
        return ""
    who = f"line {ended['line']} of the policy ({_asks_en(ended)})" if ended["line"] else "the alarm that gave it"
    ago_s = (facts["at_ns"] - ended["ceased_ns"]) / NS
    return f"{who} ended {_s(ago_s)} s before" if ago_s else f"{who} ended"


def _ended_zh(facts: Mapping[str, Any]) -> str:
    ended = facts.get("ended")
    if ended is None:
        return ""
    who = f"策略第 {ended['line']} 条({_asks_zh(ended)})" if ended["line"] else "原等级所依据的报警"
    ago_s = (facts["at_ns"] - ended["ceased_ns"]) / NS
    return f"{who}已结束 {_s(ago_s)} 秒" if ago_s else f"{who}已结束"


def _waits_en(facts: Mapping[str, Any]) -> str:
    waits = facts.get("waits")
    if waits is None:
        return ""
    in_s = _s(max(0.0, (waits["at_ns"] - facts["at_ns"]) / NS))
    if _above(waits["tier"], facts["tier"]):
        return f"{waits['tier']} follows in {in_s} s if this lasts (line {waits['line']})"
    to = waits["tier"] if waits["tier"] != "NONE" else "no tier"
    return f"falls to {to} in {in_s} s if nothing comes"


def _waits_zh(facts: Mapping[str, Any]) -> str:
    waits = facts.get("waits")
    if waits is None:
        return ""
    in_s = _s(max(0.0, (waits["at_ns"] - facts["at_ns"]) / NS))
    if _above(waits["tier"], facts["tier"]):
        return f"如持续 {in_s} 秒将升至{TIER_ZH[waits['tier']]}(策略第 {waits['line']} 条)"
    to = f"降至{TIER_ZH[waits['tier']]}" if waits["tier"] != "NONE" else "解除预警"
    return f"如无新报警,{in_s} 秒后{to}"


def _above(tier: str, other: str) -> bool:
    order = list(TIER_ZH)
    return order.index(tier) > order.index(other)


def _asks_en(policy: Mapping[str, Any]) -> str:
    """``2 alarms of ORANGE or higher for 60 s``, ``HH for 60 s``, ``TREND at most 300 s from its limit``."""
    count, kinds = policy["count"], " or ".join(policy["kinds"])
    least = f" of {policy['tier_least']} or higher" if policy["tier_least"] != "BLUE" else ""
    what = kinds if kinds and count == 1 else f"{count} alarms{f' of {kinds}' if kinds else ''}"
    if not kinds and count == 1:
        what = "any alarm"
    near = f" at most {_s(policy['time_to_limit_s'])} s from its limit" if policy["time_to_limit_s"] else ""
    return what + least + near + (f" for {_s(policy['for_s'])} s" if policy["for_s"] else "")


def _asks_zh(policy: Mapping[str, Any]) -> str:
    kinds = "或".join(CONDITION_ZH.get(kind, kind) for kind in policy["kinds"])
    least = f"{TIER_ZH[policy['tier_least']]}及以上" if policy["tier_least"] != "BLUE" else ""
    what = f"{least}{kinds or '报警'}" if policy["count"] == 1 else f"{policy['count']} 条及以上{least}{kinds}报警"
    near = f"预计 {_s(policy['time_to_limit_s'])} 秒内" if policy["time_to_limit_s"] else ""
    return near + what + (f"持续 {_s(policy['for_s'])} 秒" if policy["for_s"] else "")


def _conditions(facts: Mapping[str, Any], lang: Language, comma: str, more: Any) -> str:  # noqa: ANN401  # int -> str
    conditions: Sequence[Mapping[str, Any]] = facts.get("conditions", ())
    said = [condition_phrase(one, lang) for one in conditions]
    rest = facts.get("count", len(said)) - len(said)
    return comma.join(said) + (more(rest) if rest > 0 else "")


def _s(seconds: float) -> str:
    return f"{seconds:.3g}" if seconds < 100 else f"{seconds:.0f}"  # noqa: PLR2004  # three digits
