"""Judge: a verdict for each expectation, from what was seen. Pure; the same seen gives the same verdicts.

Why: whoever plays a scenario must not be the one who says whether it went well.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from simulators.scenario.model import Expectation, See, rank

#: Events with which a condition rings, whether its alarm is new or rises.
RINGING = frozenset({"raised", "escalated", "changed", "realarmed"})
#: Events with which something begins that was not there; a condition that falls back to a lower one is not.
NEW = frozenset({"raised", "escalated"})
TIERS: Final = {"RED": "红色", "ORANGE": "橙色", "YELLOW": "黄色", "BLUE": "蓝色"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of the event log, as far as it is judged; times in seconds of the story."""

    time_s: float
    id: str
    what: str
    unit: str
    tag: str = ""
    condition: str = ""
    rule: str = ""
    tier: str = "NONE"
    alarm: str = ""
    is_quiet: bool = False  # suppressed: nobody is called, no horn sounds


@dataclass(frozen=True, slots=True, kw_only=True)
class First:
    """The alarm of a flood, or of a unit's share of it, that came first in the plant."""

    tag: str
    condition: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FloodSeen:
    """A flood as the gateway keeps it.

    Attributes:
        ended_s: When it was over; None while it goes on.
        units: First-out of each unit.
    """

    began_s: float
    ended_s: float | None
    count: int
    first: First
    units: Mapping[str, First]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An alarm stood in the gateway's list of suppressed ones when it was looked at."""

    time_s: float
    alarm: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One notice that the authority holds: of which event, and since when."""

    event: str
    held_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen of a scenario.

    Attributes:
        milestones: When the plant reached each for the first time, s; missing where it never did.
        until_s: How long the gateway was there.
        floods: What the gateway keeps of floods.
        listed: When each alarm was first and last found in the list of suppressed ones; None where nobody looked.
    """

    events: Sequence[Event]
    milestones: Mapping[str, float] = field(default_factory=dict)
    notices: Sequence[Notice] = ()
    until_s: float = math.inf
    floods: Sequence[FloodSeen] = ()
    listed: Sequence[Listed] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one expectation.

    Attributes:
        seen_s: When it was seen, or when what should not be was; None where nothing was.
        slack_s: How much later it could have come and still be in time; negative where it came too late, None where
            there is nothing to compare.
        why: One sentence, by language.
    """

    id: str
    is_met: bool
    seen_s: float | None
    slack_s: float | None
    why: Mapping[str, str]


def judge(expectations: Iterable[Expectation], seen: Seen) -> list[Verdict]:
    """Judge each expectation, in order."""
    return [_JUDGES[each.see](each, seen) for each in expectations]


class Standing(StrEnum):
    """How an expectation stands while its story goes on."""

    WAITING = "waiting"  # nothing is decided yet
    MET = "met"
    MISSED = "missed"


def stand(expectations: Sequence[Expectation], seen: Seen) -> list[tuple[Standing, Verdict]]:
    """Tell how each expectation stands by now, ``seen.until_s``, with the verdict as if this were the end.

    A milestone that the plant has not reached yet may still make a window shorter: what is seen is settled when the
    milestone can no longer come too soon after it.
    """
    verdicts = judge(expectations, seen)
    return [(_standing(each, verdict, seen), verdict) for each, verdict in zip(expectations, verdicts, strict=True)]


def _standing(each: Expectation, verdict: Verdict, seen: Seen) -> Standing:
    ends_s = each.until_s
    if each.before and each.before in seen.milestones:
        ends_s = min(ends_s, seen.milestones[each.before] - each.lead_s)
    is_over = seen.until_s >= ends_s
    if each.see in (See.QUIET, See.SUPPRESSED):  # What rings at the window's end still spoils it.
        is_spoilt = not verdict.is_met and (is_over or each.see is See.QUIET or _rings_in(each, seen))
        return Standing.MISSED if is_spoilt else Standing.MET if is_over else Standing.WAITING
    if each.see in (See.FLOOD, See.FIRST_OUT):
        return _flood_standing(each, verdict, seen, is_over=is_over)
    if verdict.is_met:
        seen_s = seen.until_s if verdict.seen_s is None else verdict.seen_s
        is_settled = not each.before or each.before in seen.milestones or seen.until_s >= seen_s + each.lead_s
        return Standing.MET if is_settled else Standing.WAITING
    if each.see is See.NOTICE:
        rang = _first(((e.time_s, e) for e in seen.events if _is_it(each, e) and e.time_s <= ends_s), each.from_s)
        if rang is not None:
            is_over = seen.until_s > rang[0] + each.within_s
    return Standing.MISSED if is_over else Standing.WAITING


def _flood_standing(each: Expectation, verdict: Verdict, seen: Seen, *, is_over: bool) -> Standing:
    """A flood that began in time may still grow, end, or learn of an alarm that came before all it knows of."""
    began = [flood for flood in seen.floods if each.from_s <= flood.began_s <= each.until_s]
    if not began:
        return Standing.MISSED if is_over else Standing.WAITING
    if any(flood.ended_s is None for flood in began) and seen.until_s < each.over_by_s:
        return Standing.WAITING
    return Standing.MET if verdict.is_met else Standing.MISSED


def _window(each: Expectation, seen: Seen) -> tuple[float, float]:
    """Give the window after the milestone, if there is one and it was reached, has been taken into account."""
    until_s = min(each.until_s, seen.until_s)
    if each.before and each.before in seen.milestones:
        until_s = min(until_s, seen.milestones[each.before] - each.lead_s)
    return each.from_s, until_s


def _is_it(each: Expectation, event: Event) -> bool:
    """Tell whether an event is the ringing of the alarm that is expected."""
    return event.what in RINGING and not event.is_quiet and _is_meant(each, event)


def _is_meant(each: Expectation, event: Event) -> bool:
    """Tell whether an event is about the alarm that is expected."""
    if each.rule:
        return event.rule == each.rule
    return event.tag == each.tag and event.condition == each.condition


def _first(times: Iterable[tuple[float, Event]], from_s: float) -> tuple[float, Event] | None:
    return min((found for found in times if found[0] >= from_s), key=lambda found: found[0], default=None)


def _tier(tier: str) -> str:
    """Name a tier in Chinese."""
    return TIERS.get(tier, tier)


def _judge_alarm(each: Expectation, seen: Seen) -> Verdict:
    name = each.rule or f"{each.tag} {each.condition}"
    named = {"en": name, "zh": name}
    return _judge_window(each, seen, named, [(e.time_s, e) for e in seen.events if _is_it(each, e)])


def _judge_tier(each: Expectation, seen: Seen) -> Verdict:
    found = [
        (e.time_s, e)
        for e in seen.events
        if e.what == "unit_raised" and e.unit == each.unit and rank(e.tier) >= rank(each.tier)
    ]
    named = {"en": f"{each.unit} {each.tier}", "zh": f"{each.unit} {_tier(each.tier)}"}
    return _judge_window(each, seen, named, found)


def _judge_window(
    each: Expectation, seen: Seen, name: Mapping[str, str], found: Sequence[tuple[float, Event]]
) -> Verdict:
    from_s, until_s = _window(each, seen)
    early = [time_s for time_s, _ in found if time_s < from_s]
    first = _first(found, from_s)
    bound = {"en": f"{from_s:g} to {until_s:g} s", "zh": f"{from_s:g} 至 {until_s:g} s"}
    if each.before:
        reached = seen.milestones.get(each.before)
        at = (
            {"en": "never reached", "zh": "未达到"}
            if reached is None
            else dict.fromkeys(("en", "zh"), f"{reached:g} s")
        )
        bound = {
            "en": f"{bound['en']}; {each.before_say.get('en', each.before)}: {at['en']}, lead {each.lead_s:g} s",
            "zh": f"{bound['zh']}；{each.before_say.get('zh', each.before)}：{at['zh']}，提前 {each.lead_s:g} s",
        }
    if first is not None and first[0] <= until_s:
        en = f"{name['en']} at {first[0]:g} s, within {bound['en']}."
        zh = f"{name['zh']} 于 {first[0]:g} s 出现，在 {bound['zh']} 之内。"
        return _met(each, en, zh, first[0], until_s - first[0])
    if first is not None:
        en = f"{name['en']} came only at {first[0]:g} s; expected {bound['en']}."
        zh = f"{name['zh']} 迟至 {first[0]:g} s 才出现；应在 {bound['zh']}。"
        return _missed(each, en, zh, first[0], until_s - first[0])
    if early:
        en = f"{name['en']} came already at {early[-1]:g} s and not again; expected {bound['en']}."
        zh = f"{name['zh']} 早在 {early[-1]:g} s 已出现且未再出现；应在 {bound['zh']}。"
        return _missed(each, en, zh, early[-1])
    return _missed(
        each, f"{name['en']} never came; expected {bound['en']}.", f"{name['zh']} 始终未出现；应在 {bound['zh']}。"
    )


def _judge_quiet(each: Expectation, seen: Seen) -> Verdict:
    name = each.tag or each.unit
    from_s, until_s = _window(each, seen)
    rang = _first(
        (
            (e.time_s, e)
            for e in seen.events
            if e.what in NEW and not e.is_quiet and (e.tag == each.tag if each.tag else e.unit == each.unit)
            and (not each.condition or e.condition == each.condition)
            and (not each.tier or rank(e.tier) >= rank(each.tier)) and e.time_s <= until_s
        ),
        from_s,
    )  # fmt: skip
    bound = f"{from_s:g}–{until_s:g} s"
    if rang is None:
        return _met(each, f"Nothing of {name} rang, {bound}.", f"{bound} 内 {name} 无报警。")
    what = f"{rang[1].tag or rang[1].unit} {rang[1].condition}".strip()
    en = f"{what} ({rang[1].tier}) rang at {rang[0]:g} s; {name} should have been quiet, {bound}."
    zh = f"{what}（{_tier(rang[1].tier)}）于 {rang[0]:g} s 报警；{name} 在 {bound} 内应无报警。"
    return _missed(each, en, zh, rang[0])


def _judge_notice(each: Expectation, seen: Seen) -> Verdict:
    name = each.rule or f"{each.tag} {each.condition}"
    from_s, until_s = _window(each, seen)
    rang = _first(((e.time_s, e) for e in seen.events if _is_it(each, e) and e.time_s <= until_s), from_s)
    if rang is None:
        return _missed(each, f"{name} never rang, so there was nothing to tell.", f"{name} 未报警，无通知可发。")
    held = min((n.held_s for n in seen.notices if n.event == rang[1].id), default=None)
    if held is None:
        en = f"{name} rang at {rang[0]:g} s; nobody outside holds a notice of it."
        return _missed(each, en, f"{name} 于 {rang[0]:g} s 报警；接收方无此通知。")
    late = held - rang[0]
    en = f"The notice of {name} was held {late:.3g} s after it rang; at most {each.within_s:g} s."
    zh = f"{name} 报警后 {late:.3g} s 接收方收到通知；要求不超过 {each.within_s:g} s。"
    end = _met if late <= each.within_s else _missed
    return end(each, en, zh, held, each.within_s - late)


def _judge_flood(each: Expectation, seen: Seen) -> Verdict:
    from_s, until_s = _window(each, seen)
    bound = f"{from_s:g}–{until_s:g} s"
    began = [flood for flood in seen.floods if from_s <= flood.began_s <= until_s]
    if not began:
        other = "".join(f" {flood.began_s:g} s," for flood in seen.floods).rstrip(",")
        en = f"No flood began, {bound}." if not other else f"Floods began at{other}; expected {bound}."
        zh = f"{bound} 内未出现报警泛滥。" if not other else f"报警泛滥始于{other}；应在 {bound}。"
        return _missed(each, en, zh)
    one = max(began, key=lambda flood: flood.count)
    ended = {"en": "goes on", "zh": "未解除"}
    if one.ended_s is not None:
        ended = {"en": f"over at {one.ended_s:g} s", "zh": f"{one.ended_s:g} s 解除"}
    en = f"A flood of {one.count} alarms began at {one.began_s:g} s, {ended['en']}"
    zh = f"{one.began_s:g} s 起报警泛滥，共 {one.count} 条，{ended['zh']}"
    if one.count < each.least:
        return _missed(each, f"{en}; expected {each.least} at least.", f"{zh}；应不少于 {each.least} 条。", one.began_s)
    if math.isfinite(each.over_by_s):
        slack_s = None if one.ended_s is None else each.over_by_s - one.ended_s
        if slack_s is None or slack_s < 0:
            en, zh = f"{en}; expected over by {each.over_by_s:g} s.", f"{zh}；应于 {each.over_by_s:g} s 前解除。"
            return _missed(each, en, zh, one.ended_s, slack_s)
        return _met(each, f"{en}, in time.", f"{zh}，符合要求。", one.began_s, slack_s)
    return _met(each, f"{en}.", f"{zh}。", one.began_s, until_s - one.began_s)


def _judge_first_out(each: Expectation, seen: Seen) -> Verdict:
    from_s, until_s = _window(each, seen)
    where = {"en": f"of {each.unit}" if each.unit else "of the flood", "zh": each.unit or "本次泛滥"}
    name = f"{each.tag} {each.condition}"
    found = [
        (flood, flood.units.get(each.unit) if each.unit else flood.first)
        for flood in seen.floods
        if from_s <= flood.began_s <= until_s
    ]
    for flood, first in found:
        if first == First(tag=each.tag, condition=each.condition):
            en = f"The first-out {where['en']} is {name}; the flood began at {flood.began_s:g} s."
            return _met(each, en, f"{where['zh']}首出为 {name}；泛滥始于 {flood.began_s:g} s。", flood.began_s)
    said = ", ".join(f"{first.tag} {first.condition}" for _, first in found if first is not None)
    if said:
        en, zh = (
            f"The first-out {where['en']} is {said}; expected {name}.",
            f"{where['zh']}首出为 {said}；应为 {name}。",
        )
        return _missed(each, en, zh, found[0][0].began_s)
    if found:
        en = f"Nothing of {each.unit} is in the flood; expected {name} first."
        return _missed(each, en, f"泛滥中无 {each.unit} 的报警；首出应为 {name}。", found[0][0].began_s)
    bound = f"{from_s:g}–{until_s:g} s"
    return _missed(each, f"No flood began, {bound}; so nothing came first.", f"{bound} 内未出现报警泛滥，无首出。")


def _rings_in(each: Expectation, seen: Seen) -> bool:
    from_s, until_s = _window(each, seen)
    return any(_is_it(each, event) and from_s <= event.time_s <= until_s for event in seen.events)


def _judge_suppressed(each: Expectation, seen: Seen) -> Verdict:
    name = each.rule or f"{each.tag} {each.condition}"
    from_s, until_s = _window(each, seen)
    bound = f"{from_s:g}–{until_s:g} s"
    about = [e for e in seen.events if _is_meant(each, e) and from_s <= e.time_s <= until_s]
    rang = next((e for e in about if e.what in RINGING and not e.is_quiet), None)
    if rang is not None:
        en = f"{name} rang at {rang.time_s:g} s; it should have been suppressed, {bound}."
        return _missed(each, en, f"{name} 于 {rang.time_s:g} s 报警；在 {bound} 内应被抑制。", rang.time_s)
    quiet = next((e for e in about if e.is_quiet), None)
    if quiet is None:
        return _missed(
            each, f"{name} never came; expected as suppressed, {bound}.", f"{name} 未出现；{bound} 内应列为抑制。"
        )
    if seen.listed is None:
        en = f"{name} came as suppressed at {quiet.time_s:g} s and did not ring; nobody looked at the list."
        return _met(each, en, f"{name} 于 {quiet.time_s:g} s 被抑制且未报警；未查看列表。", quiet.time_s)
    found = [each.time_s for each in seen.listed if each.alarm == quiet.alarm and from_s <= each.time_s <= until_s]
    if not found:
        en = f"{name} came as suppressed at {quiet.time_s:g} s and is not in the list of suppressed alarms."
        return _missed(each, en, f"{name} 于 {quiet.time_s:g} s 被抑制，但抑制列表中没有。", quiet.time_s)
    en = f"{name} came as suppressed at {quiet.time_s:g} s, was listed so at {found[0]:g} s, and did not ring."
    return _met(each, en, f"{name} 于 {quiet.time_s:g} s 被抑制，{found[0]:g} s 已列入抑制列表，未报警。", quiet.time_s)


def _met(each: Expectation, en: str, zh: str, seen_s: float | None = None, slack_s: float | None = None) -> Verdict:
    return Verdict(id=each.id, is_met=True, seen_s=seen_s, slack_s=slack_s, why={"en": en, "zh": zh})


def _missed(each: Expectation, en: str, zh: str, seen_s: float | None = None, slack_s: float | None = None) -> Verdict:
    return Verdict(id=each.id, is_met=False, seen_s=seen_s, slack_s=slack_s, why={"en": en, "zh": zh})


_JUDGES = {
    See.ALARM: _judge_alarm,
    See.TIER: _judge_tier,
    See.QUIET: _judge_quiet,
    See.NOTICE: _judge_notice,
    See.FLOOD: _judge_flood,
    See.FIRST_OUT: _judge_first_out,
    See.SUPPRESSED: _judge_suppressed,
}
