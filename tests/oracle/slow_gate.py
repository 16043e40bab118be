"""A slow scalar oracle of enable-conditions, written from ``docs/core.md``.

* A rule is disabled while its enable-condition is known to be false; unknown (BAD, stale, not seen) is enabled.
* Disabled: it lets go at once without off-delay, and its delays and flat time are forgotten; windows go on.
* Enabled again: what its tags said last counts at once for limits, deviations, states and expressions, and for BAD and
  RANGE; others wait for a sample. Silence counts from then.
* A tag of the condition falls stale by its own source's clock; each rule is let go or judged at the time that its own
  source had reached by then. What had ended before has ended.
* A scan is one instant: the condition is judged first, then the samples.
* Outside its schedule a rule is disabled too. It switches at the instant at which the wall clock says so, in the time
  of its source: before the samples of its tags that are newer, else at the watermark. With both, both enable.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from alerting.core.expression import read
from alerting.model.schedule import Schedule
from tests.oracle.slow_expression import SlowExpression

if TYPE_CHECKING:
    from tests.oracle.slow_evaluate import SlowJoint, SlowRule, SlowSource, SlowTag, Transition

NS = 1_000_000_000


@dataclass
class Asked:
    """A tag as the condition asks it: by what it said last, and how far its own source has come."""

    tag: "SlowTag"
    is_silent: bool = False

    @property
    def is_seen(self) -> bool:
        return self.tag.last_ns > 0

    @property
    def quality(self) -> int:
        return self.tag.last_quality

    def known(self, _now: int) -> float | None:
        return self.tag.value if self.tag.is_relied_on and not self.is_silent else None

    def is_stale(self, _now: int) -> bool:
        return self.is_silent

    def stale_at(self) -> float:
        return max(self.tag.last_ns, self.tag.start_ns) + self.tag.stale_after


@dataclass
class SlowGate:
    text: str
    tags: dict[str, Asked]
    own: list[tuple["SlowRule", "SlowTag"]] = field(default_factory=list)
    joints: list["SlowJoint"] = field(default_factory=list)
    is_shut: bool = False

    def __post_init__(self) -> None:
        self.expression = SlowExpression(read(self.text, dict.fromkeys(self.tags, "")))

    def come(self, source: "SlowSource", scan: "SlowSource | None", newest: int, now_ns: int) -> int:
        """How far a source has come: the scan's own by its newest sample here."""
        return newest if source is scan else source.watermark(now_ns)

    def fall_silent(self, scan: "SlowSource | None", newest: int, now_ns: int, least: int) -> "list[Transition]":
        """Let tags fall stale that did so at least ``least`` ns before now, the first one first."""
        found: list[Transition] = []
        overdue = {
            name: (newest if asked.tag.source is scan else asked.tag.source.watermark(now_ns)) - asked.stale_at()
            for name, asked in self.tags.items()
            if not asked.is_silent
        }
        for name in sorted(overdue, key=lambda name: -overdue[name]):
            if overdue[name] >= least:
                self.tags[name].is_silent = True
                found += self.turn(scan, newest, now_ns, int(overdue[name]), set())
        return found

    def hear(self, scan: "SlowSource", newest: int, now_ns: int, touched: set[int]) -> "list[Transition]":
        """Judge the condition by a scan that the tags have taken."""
        for asked in self.tags.values():
            come = newest if asked.tag.source is scan else asked.tag.source.watermark(now_ns)
            asked.is_silent = come >= asked.stale_at()
        return self.turn(scan, newest, now_ns, 0, touched)

    def turn(
        self, scan: "SlowSource | None", newest: int, now_ns: int, lag: int, touched: set[int]
    ) -> "list[Transition]":
        is_shut = self.expression.truth(now_ns, self.tags, set()) is False  # type: ignore[arg-type]
        if is_shut is self.is_shut:
            return []
        self.is_shut = is_shut
        return apply(
            is_shut, self.own, self.joints, lambda source: self.come(source, scan, newest, now_ns) - lag, touched
        )


def apply(
    is_shut: bool,
    own: "list[tuple[SlowRule, SlowTag]]",
    joints: "list[SlowJoint]",
    come: "Callable[[SlowSource], int]",
    touched: set[int],
) -> "list[Transition]":
    """Disable or enable rules when their sources have come so far."""
    found: list[Transition] = []
    for rule, tag in own:
        at = come(tag.source)
        if is_shut:
            found += [] if id(rule) in touched else rule.hold(at - 1, tag.last_ns + tag.stale_after)
            found += rule.disable(at)
        else:
            found += rule.enable(at) if id(rule) in touched else tag.enable(rule, at)
    for joint in joints:
        at = max(come(tag.source) for tag in joint.tags)
        if hasattr(joint, "asked"):  # an EXPRESSION
            if is_shut:
                found += [] if id(joint.rule) in touched else joint.fall_silent(at, come, 1)
                found += joint.rule.disable(at)
            else:
                joint.rule.enable(at)
                found += [] if id(joint.rule) in touched or joint.rule.is_disabled else joint.hear(at, come)
            continue
        overdue = max(come(tag.source) - 1 - tag.last_ns - tag.stale_after for tag in joint.tags)
        if is_shut:
            found += [] if id(joint.rule) in touched else joint.rule.hold(at - 1, at - 1 - overdue)
            found += joint.rule.disable(at)
            continue
        found += joint.rule.enable(at)
        is_known = all(tag.is_relied_on and come(tag.source) < tag.last_ns + tag.stale_after for tag in joint.tags)
        if id(joint.rule) not in touched and is_known and not math.isnan(joint.tags[0].value):
            found += joint.judge_at_once(at)
    return found


@dataclass
class SlowSchedule:
    """A schedule of the rules on one source's tags; asks the wall clock at every full minute."""

    schedule: Schedule
    source: "SlowSource"
    own: list[tuple["SlowRule", "SlowTag"]]
    joints: list["SlowJoint"]
    is_shut: bool = False
    looked: int | None = None

    def is_open(self, time_ns: int) -> bool:
        wall = datetime.fromtimestamp(time_ns // NS, ZoneInfo(self.schedule.zone))
        now = wall.hour * 3600 + wall.minute * 60
        return any(span.from_s <= now < span.to_s and wall.weekday() in span.days for span in self.schedule.spans)

    def look(self, until: int, now_ns: int, samples: "dict[int, tuple[SlowTag, int]]") -> "list[Transition]":
        """Take the switches up to a time; ``samples`` are judged next: tag and time."""
        since = self.looked
        if since is None:
            since = min(self.source.last_ns, until)
            if self.is_open(since) is self.is_shut:
                since = until
        found: list[Transition] = []
        minute = 60 * NS
        instants = [*range((since // minute + 1) * minute, until + 1, minute)]
        instants = instants or ([until] if self.looked is None else [])
        for at in instants:
            if self.is_open(at) is not self.is_shut:
                continue
            self.is_shut = not self.is_shut
            heard = [tag for tag, time_ns in samples.values() if time_ns <= at]
            touched = {id(rule) for tag in heard for rule in tag.rules}
            touched |= {id(joint.rule) for joint in self.joints if any(tag in heard for tag in joint.tags)}
            lag = until - at

            def come(source: "SlowSource", lag: int = lag) -> int:
                return (until if source is self.source else source.watermark(now_ns)) - lag

            found += apply(self.is_shut, self.own, self.joints, come, touched)
        self.looked = max(until, since)
        return found
