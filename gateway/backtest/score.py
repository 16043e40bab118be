"""Score: figures of each rule and of the whole, from what was heard while a recording was carried.

Flow: trips, clears, announced alarms, labels -> [score] -> figures as plain data
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alerting import kpi
from alerting.core import Changes
from alerting.model.event import Event, What
from alerting.model.rule import RuleTable
from edge.model import Nature
from gateway.backtest.labels import Label, covered_ns, inside
from gateway.record import iso_ns

ANNOUNCED = (What.RAISED, What.ESCALATED, What.REALARMED)
DAY_NS = 86_400 * kpi.S
TIMELINE = 400  # Bars of the picture of the load.


@dataclass(slots=True)
class Heard:
    """Everything that was heard; grows with alarms, not with samples."""

    table: RuleTable
    trips: dict[int, list[int]] = field(default_factory=dict)  # rule -> times
    clears: dict[int, list[int]] = field(default_factory=dict)
    time_ns: list[int] = field(default_factory=list)  # of announced alarms
    alarm: list[int] = field(default_factory=list)
    tier: list[int] = field(default_factory=list)
    active: list[tuple[int, int]] = field(default_factory=list)  # of alarms
    _since: dict[str, int] = field(default_factory=dict)
    _number: dict[str, int] = field(default_factory=dict)

    def hear(self, _nature: Nature, changes: Changes) -> None:
        """Take changes of rules."""
        for rule, is_active, time_ns in zip(
            changes.rule.tolist(), changes.is_active.tolist(), changes.time_ns.tolist(), strict=True
        ):
            (self.trips if is_active else self.clears).setdefault(rule, []).append(time_ns)

    def tell(self, events: Sequence[Event]) -> None:
        """Take events of alarms."""
        for event in events:
            if not event.alarm_key:
                continue
            if event.what in ANNOUNCED:
                self.time_ns.append(event.time_ns)
                self.alarm.append(self._number.setdefault(event.alarm_key, len(self._number)))
                self.tier.append(int(event.tier))
            if event.what is What.RAISED:
                self._since[event.alarm_key] = event.time_ns
            elif event.what in (What.RETURNED, What.CLEARED) and event.alarm_key in self._since:
                self.active.append((self._since.pop(event.alarm_key), event.time_ns))

    def excursions(self, rule: int, end_ns: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Give when a rule tripped and cleared, int64 (n,) each; the end of the recording where it did not clear."""
        start = np.array(self.trips.get(rule, []), dtype=np.int64)
        end = np.array(self.clears.get(rule, []), dtype=np.int64)
        return start, np.append(end, [end_ns] * (len(start) - len(end)))

    def load(self, span: tuple[int, int]) -> kpi.Load:
        """Give the alarm load of the recording."""
        order = np.argsort(np.array(self.time_ns, dtype=np.int64), kind="stable")
        active = [*self.active, *((since, span[1]) for since in self._since.values())]
        return kpi.alarm_load(
            np.array(self.time_ns, dtype=np.int64)[order],
            np.array(self.alarm, dtype=np.int64)[order],
            np.array(self.tier, dtype=np.uint8)[order],
            np.array(active, dtype=np.int64).reshape(-1, 2),
            span,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFigures:
    """How one rule did.

    Attributes:
        setpoint: None where the kind has no number, as STATE and EXPRESSION.
        alarms: How often it tripped.
        false_alarms: Trips outside every label; ``None`` rates where there is no time to divide by.
        chattering: Trips that are part of three or more within 60 s.
        fleeting: Trips active for less than 10 s with none again within 60 s.
        standing: Trips active for more than 24 h.
        windows: Labels that speak of its tag and lie in the recording.
        already_active: Windows that began while it was active; they count as detected without delay.
        delay_s_median, delay_s_worst: From the start of a window to the first trip in it, s.
    """

    rule: str
    tag: str
    kind: str
    tier: str
    setpoint: float | None
    deadband: float
    on_delay_s: float
    off_delay_s: float
    alarms: int
    alarms_per_day: float | None
    false_alarms: int
    false_alarms_per_day: float | None
    chattering: int
    fleeting: int
    standing: int
    time_in_alarm_s: float
    time_in_alarm_share: float | None
    windows: int
    detected: int
    missed: int
    already_active: int
    delay_s_median: float | None
    delay_s_worst: float | None


def score(heard: Heard, labels: list[Label], span: tuple[int, int]) -> dict[str, Any]:
    """Give all figures as plain data, as ``docs/backtest.md`` lists them."""
    there = [label for label in labels if label.end_ns >= span[0] and label.start_ns <= span[1]]
    firsts: dict[int, tuple[int, str, bool]] = {}
    rules = [_rule(heard, index, there, span, firsts) for index in range(len(heard.table))]
    load = heard.load(span)
    seen = [
        {
            "start": iso_ns(label.start_ns),
            "end": iso_ns(label.end_ns),
            "tag": label.tag,
            "name": label.name,
            "detected": place in firsts,
            "delay_s": (firsts[place][0] - label.start_ns) / kpi.S if place in firsts else None,
            "rule": firsts[place][1] if place in firsts else None,
            "already_active": place in firsts and firsts[place][2],
        }
        for place, label in enumerate(there)
    ]
    delays = [float(each["delay_s"]) for each in seen if isinstance(each["delay_s"], float)]
    false = sum(rule.false_alarms for rule in rules)
    normal_ns = span[1] - span[0] - covered_ns(there, span)
    return {
        "detection": {
            "windows": len(there),
            "detected": len(delays),
            "missed": len(there) - len(delays),
            "already_active": sum(bool(each["already_active"]) for each in seen),
            "windows_outside_recording": len(labels) - len(there),
            "delay_s_median": median(delays) if delays else None,
            "delay_s_worst": max(delays, default=None),
            "false_alarms": false,
            "false_alarms_per_day": false * DAY_NS / normal_ns if normal_ns > 0 else None,
        },
        "load": asdict(load),
        "targets": _targets(load),
        "mix": _mix(load),
        "timeline": _timeline(heard, span),
        "labels": seen,
        "rules": [asdict(rule) for rule in rules],
    }


def _rule(
    heard: Heard, index: int, labels: list[Label], span: tuple[int, int], firsts: dict[int, tuple[int, str, bool]]
) -> RuleFigures:
    rule = heard.table[index]
    start, end = heard.excursions(index, span[1])
    days, normal_days = (span[1] - span[0]) / DAY_NS, (span[1] - span[0] - covered_ns(labels, span)) / DAY_NS
    delays: list[float] = []
    already = 0
    windows = [(place, label) for place, label in enumerate(labels) if label.speaks_of(rule.tag)]
    for place, label in windows:
        hits = np.flatnonzero((start <= label.end_ns) & (end > label.start_ns))
        if len(hits) == 0:
            continue
        first_ns = max(int(start[hits[0]]), label.start_ns)
        is_before = int(start[hits[0]]) < label.start_ns
        already += is_before
        delays.append((first_ns - label.start_ns) / kpi.S)
        found = (first_ns, rule.id, is_before)
        firsts[place] = min(firsts.get(place, found), found)
    false = int(np.count_nonzero(~inside(start, labels)))
    active_s = float((end - start).sum()) / kpi.S
    return RuleFigures(
        rule=rule.id,
        tag=rule.tag,
        kind=rule.kind.name,
        tier=rule.tier.name,
        setpoint=rule.setpoint if math.isfinite(rule.setpoint) else None,
        deadband=rule.deadband,
        on_delay_s=rule.on_delay_s,
        off_delay_s=rule.off_delay_s,
        alarms=len(start),
        alarms_per_day=len(start) / days if days > 0 else None,
        false_alarms=false,
        false_alarms_per_day=false / normal_days if normal_days > 0 else None,
        chattering=kpi.chattering(start),
        fleeting=kpi.fleeting(start, end),
        standing=kpi.standing(start, end),
        time_in_alarm_s=active_s,
        time_in_alarm_share=active_s / (days * 86_400) if days > 0 else None,
        windows=len(windows),
        detected=len(delays),
        missed=len(windows) - len(delays),
        already_active=already,
        delay_s_median=median(delays) if delays else None,
        delay_s_worst=max(delays, default=None),
    )


def _targets(load: kpi.Load) -> list[dict[str, Any]]:
    found = []
    for target in kpi.TARGETS:
        value = getattr(load, target.figure)
        found.append(
            {
                "figure": target.figure,
                "value": value,
                "target": target.most,
                "is_strict": target.is_strict,
                "is_met": None if value is None else target.is_met(value),
                "source": target.source,
                "status": "found" if target.is_verified else "unverified",
            }
        )
    return found


def _mix(load: kpi.Load) -> list[dict[str, Any]]:
    share = dict.fromkeys(kpi.MIX, 0.0)
    for tier, priority in kpi.PRIORITY.items():
        share[priority] += load.by_tier[tier.name]
    return [
        {
            "priority": priority,
            "tiers": [tier.name for tier, of in kpi.PRIORITY.items() if of == priority],
            "share": share[priority],
            "target": target,
            "source": kpi.ISA,
            "status": "found",
            "tiers_status": "ours",
        }
        for priority, target in kpi.MIX.items()
    ]


def _timeline(heard: Heard, span: tuple[int, int]) -> dict[str, Any]:
    """Give the worst ten minutes of each stretch of the recording, for a picture."""
    counts = kpi.per_period(np.sort(np.array(heard.time_ns, dtype=np.int64)), span)
    width = -(-len(counts) // TIMELINE)
    worst = np.maximum.reduceat(counts, np.arange(0, len(counts), width))
    return {"start": iso_ns(span[0]), "width_s": width * kpi.PERIOD_NS // kpi.S, "peak_10_min": worst.tolist()}
