"""Figures of an alarm system over a period, from its journal of events: load, bunching, bad actors, answers, quiet.

Flow: events of one nature, in order -> [figures] -> page, report
Why: an alarm system is judged by what it asked of its people, against published targets; every figure says by which.
Never: does I/O, reads a clock, mixes natures: the caller hands in the events of one.

Formulas are those of ``alerting.kpi``; the sources stand at ``TARGETS`` there (ISA-18.2 / IEC 62682, EEMUA 191).
"""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from alerting.kpi import FLEETING_NS, STANDING_NS, Load, S, alarm_load, chattering, fleeting, per_period
from alerting.model.event import What
from alerting.model.tier import Tier

ANNOUNCED = frozenset({What.RAISED, What.ESCALATED, What.REALARMED})
TRIPPED = frozenset({What.RAISED})
ENDED = frozenset({What.RETURNED, What.CLEARED})
TOP = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """What one event contributes, as it stands in the store.

    Attributes:
        key: Alarm for ever; ``tag`` and ``group`` name it to people.
        is_quiet: The alarm was shelved, suppressed by design or out of service: it asked nobody.
    """

    what: What
    time_ns: int
    key: str
    alarm: str
    tag: str
    unit: str
    group: str
    tier: Tier
    is_quiet: bool
    by: str = ""
    condition: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """One of the alarms that rang most often."""

    key: str
    tag: str
    unit: str
    group: str
    count: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """How long alarms waited for an acknowledgement, s; None where none was acknowledged.

    Attributes:
        never: Rang in the period and were not acknowledged in it.
    """

    acknowledged: int
    never: int
    median_s: float | None
    p90_s: float | None
    longest_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one period.

    Attributes:
        load: Rates, floods, top ten share, tiers, standing; of the operator's position whose events were handed in.
        periods: Announced alarms of each ten minutes from the start on, int64 (periods,).
        chattering: Activations that are part of three or more of one alarm within 60 s.
        fleeting: Activations shorter than 10 s with none again within 60 s of their end.
        standing: Alarms active at the end for more than 24 h.
        quiet: How often an alarm was shelved, suppressed by design, or taken out of service, by the word.
        hours: Announced alarms by hour of the day of the site, int64 (24,).
    """

    load: Load
    periods: NDArray[np.int64]
    top: tuple[Actor, ...]
    chattering: int
    fleeting: int
    standing: int
    answers: dict[str, Answers]
    quiet: dict[str, int] = field(default_factory=dict)
    hours: NDArray[np.int64]


def figures(
    events: list[Happened],
    active_before: dict[str, int],
    span: tuple[int, int],
    *,
    utc_offset_s: int = 0,
) -> Figures:  # fmt: skip
    """Count.

    Args:
        events: Of one nature, live ones, by time.
        active_before: Alarms (key → since when, ns) that were active when the period began.
        span: The period, ns; half open.
        utc_offset_s: Of the site's clock, for the hours of the day.
    """
    begin_ns, end_ns = span
    rang = [event for event in events if event.what in ANNOUNCED and not event.is_quiet]
    times = np.array([event.time_ns for event in rang], dtype=np.int64)
    index = {key: place for place, key in enumerate(dict.fromkeys(event.key for event in rang))}
    ids = np.array([index[event.key] for event in rang], dtype=np.int64)
    tiers = np.array([int(event.tier) for event in rang], dtype=np.uint8)
    intervals, trips = excursions(events, active_before, span)
    all_active = [pair for pairs in intervals.values() for pair in pairs]
    active = np.array(all_active, dtype=np.int64).reshape(-1, 2)
    load = alarm_load(times, ids, tiers, active, span)
    hour = ((times // S + utc_offset_s) // 3600 % 24).astype(np.int64)
    return Figures(
        load=load,
        periods=per_period(times, span) if end_ns > begin_ns else np.zeros(0, dtype=np.int64),
        top=_top(rang),
        chattering=sum(chattering(np.array([start for start, _ in pairs], dtype=np.int64)) for pairs in trips.values()),
        fleeting=sum(_fleeting(pairs, end_ns) for pairs in trips.values()),
        standing=sum(end_ns - pairs[-1][0] > STANDING_NS for pairs in intervals.values() if pairs[-1][1] == end_ns),
        answers=_answers(events),
        quiet=dict(Counter(event.what.value for event in events if event.what in (What.SHELVED, What.SUPPRESSED))),
        hours=np.bincount(hour, minlength=24).astype(np.int64),
    )


Pairs = list[tuple[int, int]]


def excursions(
    events: list[Happened], before: dict[str, int], span: tuple[int, int]
) -> tuple[dict[str, Pairs], dict[str, Pairs]]:
    """Give from when to when each alarm was active, and of those the ones that began in the period."""
    open_ns = dict(before)
    found: dict[str, Pairs] = {}
    for event in events:
        if event.what in TRIPPED:
            open_ns.setdefault(event.key, event.time_ns)
        elif event.what in ENDED and event.key in open_ns:
            found.setdefault(event.key, []).append((open_ns.pop(event.key), event.time_ns))
    for key, since_ns in open_ns.items():
        found.setdefault(key, []).append((since_ns, span[1]))
    began = {key: [pair for pair in pairs if pair[0] >= span[0]] for key, pairs in found.items()}
    return found, {key: pairs for key, pairs in began.items() if pairs}


def _fleeting(pairs: Pairs, end_ns: int) -> int:
    """Count those of one alarm that ended in the period."""
    done = [pair for pair in pairs if pair[1] < end_ns or pair[1] - pair[0] >= FLEETING_NS]
    starts = np.array([start for start, _ in done], dtype=np.int64)
    ends = np.array([end for _, end in done], dtype=np.int64)
    return fleeting(starts, ends)


def _top(rang: list[Happened]) -> tuple[Actor, ...]:
    counts = Counter(event.key for event in rang)
    first = {event.key: event for event in reversed(rang)}
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:TOP]
    return tuple(
        Actor(
            key=key,
            tag=first[key].tag,
            unit=first[key].unit,
            group=first[key].group,
            count=count,
            share=count / len(rang),
        )
        for key, count in ordered
    )


def _answers(events: list[Happened]) -> dict[str, Answers]:
    """Measure from the first ring that waits to its acknowledgement, by the tier that it had reached."""
    waits: dict[str, tuple[int, Tier]] = {}
    took: dict[str, list[float]] = {tier.name: [] for tier in Tier if tier}
    never: Counter[str] = Counter()
    for event in events:
        if event.what in ANNOUNCED and not event.is_quiet:
            since_ns, tier = waits.get(event.alarm, (event.time_ns, Tier.NONE))
            waits[event.alarm] = since_ns, max(tier, event.tier)
        elif event.what is What.ACKNOWLEDGED and event.alarm in waits:
            since_ns, tier = waits.pop(event.alarm)
            took[tier.name].append((event.time_ns - since_ns) / S)
    never.update(tier.name for _, tier in waits.values())
    return {name: _answered(seconds, never[name]) for name, seconds in took.items()}


def _answered(seconds: list[float], never: int) -> Answers:
    has = bool(seconds)
    return Answers(
        acknowledged=len(seconds),
        never=never,
        median_s=float(np.median(seconds)) if has else None,
        p90_s=float(np.percentile(seconds, 90)) if has else None,
        longest_s=max(seconds) if has else None,
    )
