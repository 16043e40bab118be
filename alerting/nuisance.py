"""Nuisance alarms of a period: which of them chatter or are fleeting, and which delay or deadband would quiet them.

Flow: excursions of each alarm, its rule and tag -> [nuisance] -> alarm list, report
Why: an alarm that comes and goes by itself teaches people not to look. ISA-18.2 and IEC 62682 call it *chattering*
    where it repeats within a short time and *fleeting* where it goes at once and does not, want none of either, and
    name the cures: deadband and off-delay for the one, on-delay for the other.
Never: changes a rule; advises a delay for what must not wait. A person decides, and what was advised is measured on
    what happened: how many activations it would have spared.

Sources: thresholds as in ``alerting.kpi`` (glossary; ISA-18.2 usage, general knowledge); delays by kind of signal are
starting values of ISA-18.2 (general knowledge), gas detectors' design advice of ours; deadbands EEMUA 191, as quoted by
exida; on-delay where an answer is not needed when it clears at once, off-delay where it always is: Emerson, as quoted
in public. All advice is ``ours``.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.kpi import CHATTER_COUNT, FLEETING_NS, S, chatters, fleets
from alerting.model.rule import LIMITS, Kind, Rule
from alerting.model.tier import Tier
from edge.model import Tag

#: Longest on-delay to advise by kind of tag, s.
ON_DELAY_MOST = {"flow": 15.0, "level": 60.0, "pressure": 15.0, "temperature": 60.0, "gas": 5.0}
ON_DELAY_OTHER = 30.0
OFF_DELAY_MOST = 60.0  # s; beyond that two excursions are two matters (glossary: none again within 60 s).
#: Usual deadband as a share of the instrument's range.
DEADBAND_SHARE = {"flow": 0.05, "level": 0.02, "pressure": 0.02, "temperature": 0.01, "composition": 0.01}
MOST = 0.9  # A delay is advised so long that it would have spared this share of what it is about.

Times = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One change that would have spared activations.

    Attributes:
        field: ``deadband``, ``off_delay_s`` or ``on_delay_s``; ``review`` where none of them may be advised.
        now, proposed: In the tag's engineering unit, or s; None of ``review``.
        spares: Activations of the period that there would not have been; None where that cannot be told.
        reason: By language.
    """

    field: str
    now: float | None
    proposed: float | None
    spares: int | None
    reason: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nuisance:
    """One alarm that chatters or is fleeting.

    Attributes:
        activations: How often it rang in the period.
        chattering: Of those, part of three or more within 60 s.
        fleeting: Of those, shorter than 10 s with none again within 60 s.
        rule: Rule that the advice is about; empty where it is no more.
    """

    key: str
    tag: str
    unit: str
    group: str
    rule: str
    activations: int
    chattering: int
    fleeting: int
    advice: tuple[Proposal, ...]


def nuisance_of(start_ns: Times, end_ns: Times, open_end_ns: int) -> tuple[int, int]:
    """Count the chattering and the fleeting activations of one alarm; none is both.

    Args:
        start_ns, end_ns: Its excursions in order, int64 (n,).
        open_end_ns: End of the period; an excursion that ends there goes on and is not fleeting yet.
    """
    is_part = chatters(start_ns)
    is_over = (end_ns < open_end_ns) | (end_ns - start_ns >= FLEETING_NS)
    return int(is_part.sum()), int((fleets(start_ns, end_ns) & is_over & ~is_part).sum())


def advise_nuisance(rule: Rule, tag: Tag, start_ns: Times, end_ns: Times) -> tuple[Proposal, ...]:
    """Give what would have spared activations of a rule: the deadband first, then delays.

    Args:
        start_ns, end_ns: Its excursions in order, int64 (n,): from its trip to its return, present delays included.
    """
    found = []
    gaps_s = (start_ns[1:] - end_ns[:-1]) / S + rule.off_delay_s  # From when the value came back until it went again.
    gaps_s = gaps_s[gaps_s <= OFF_DELAY_MOST]
    lasted_s = (end_ns - start_ns) / S - rule.off_delay_s + rule.on_delay_s  # How long the value was beyond.
    short_s = lasted_s[(end_ns - start_ns) < FLEETING_NS]
    if len(gaps_s) >= CHATTER_COUNT - 1:
        found += [each for each in (_deadband(rule, tag), _off_delay(rule, gaps_s)) if each is not None]
    if len(short_s) > len(gaps_s):
        found.append(_on_delay(rule, tag, short_s, lasted_s))
    return tuple(found)


def _deadband(rule: Rule, tag: Tag) -> Proposal | None:
    share, span = DEADBAND_SHARE.get(tag.kind), tag.range_hi - tag.range_lo
    if rule.kind not in LIMITS or share is None or not math.isfinite(span) or rule.deadband >= share * span:
        return None
    proposed = float(f"{share * span:.3g}")
    return Proposal(
        field="deadband", now=rule.deadband, proposed=proposed, spares=None,
        reason={
            "en": f"The value goes to and fro across the limit. {share:.0%} of the range is usual for {tag.kind}.",
            "zh": f"数值在限值附近反复;此类信号的死区通常为量程的 {share:.0%}。",
        },
    )  # fmt: skip


def _off_delay(rule: Rule, gaps_s: NDArray[np.float64]) -> Proposal | None:
    proposed = float(min(OFF_DELAY_MOST, math.floor(np.quantile(gaps_s, MOST)) + 1))
    spares = int(np.count_nonzero(gaps_s < proposed))
    if proposed <= rule.off_delay_s or not spares:
        return None
    return Proposal(
        field="off_delay_s", now=rule.off_delay_s, proposed=proposed, spares=spares,
        reason={
            "en": f"It came again within {proposed:g} s {spares} times: these would have been one alarm that goes on.",
            "zh": f"有 {spares} 次在 {proposed:g} 秒内再次触发,延时后将合并为同一次持续报警。",
        },
    )  # fmt: skip


def _on_delay(rule: Rule, tag: Tag, short_s: NDArray[np.float64], lasted_s: NDArray[np.float64]) -> Proposal:
    most = ON_DELAY_MOST.get(tag.kind, ON_DELAY_OTHER)
    proposed = float(min(most, math.floor(np.quantile(short_s, MOST)) + 1))
    spares = int(np.count_nonzero(lasted_s < proposed))
    if rule.tier is Tier.RED or rule.kind in (Kind.HH, Kind.LL) or proposed <= rule.on_delay_s or not spares:
        return Proposal(
            field="review", now=None, proposed=None, spares=None,
            reason={
                "en": "It goes by itself within seconds, but a limit as grave as this is not delayed: look at the"
                " instrument, its wiring and the setpoint.",
                "zh": "报警数秒内自行消失;但此级别限值不宜延时,请检查仪表、接线和设定值。",
            },
        )  # fmt: skip
    return Proposal(
        field="on_delay_s", now=rule.on_delay_s, proposed=proposed, spares=spares,
        reason={
            "en": f"{spares} times it went by itself before {proposed:g} s: nobody could have answered."
            " Right only where no answer is needed when it clears at once.",
            "zh": f"有 {spares} 次在 {proposed:g} 秒内自行消失,无人来得及处理;仅适用于瞬时越限无需响应的报警。",
        },
    )  # fmt: skip
