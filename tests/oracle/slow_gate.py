"""A slow scalar oracle of enable-conditions, written from ``docs/core.md``.

* A rule is disabled while its enable-condition is known to be false; unknown (BAD, stale, not seen) is enabled.
* Disabled: it lets go at once without off-delay, and its delays and flat time are forgotten; windows go on.
* Enabled again: what its tags said last counts at once for limits, deviations, states and expressions, and for BAD and
  RANGE; others wait for a sample. Silence counts from then.
* A tag of the condition falls stale by its own source's clock; each rule is let go or judged at the time that its own
  source had reached by then. What had ended before has ended.
* A scan is one instant: the condition is judged first, then the samples.
"""

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from alerting.core.expression import read
from tests.oracle.slow_expression import SlowExpression

if TYPE_CHECKING:
    from tests.oracle.slow_evaluate import SlowJoint, SlowRule, SlowSource, SlowTag, Transition


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
        found: list[Transition] = []

        def come(source: "SlowSource") -> int:
            return self.come(source, scan, newest, now_ns) - lag

        for rule, tag in self.own:
            at = come(tag.source)
            if is_shut:
                found += [] if id(rule) in touched else rule.hold(at - 1, tag.last_ns + tag.stale_after)
                found += rule.disable(at)
            else:
                found += rule.enable(at) if id(rule) in touched else tag.enable(rule, at)
        for joint in self.joints:
            at = max(come(tag.source) for tag in joint.tags)
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
