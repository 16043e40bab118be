"""A slow scalar oracle of the core: one Python object per tag, one per rule, one float at a time.

Written from the stated rules and from nothing else; it shares no code with the array core but the words
(``Rule``, ``Scan``). The rules:

* H is active while v >= setpoint and clears when v < setpoint - deadband, L mirrored.
* An on-delay counts while the condition holds, pauses while the tag is BAD or stale, and resumes; an off-delay counts
  while the value is back past the deadband and starts anew after BAD or stale; a value in between cancels it.
* A delay that ends strictly before the tag's next sample has ended: the value was held until then.
* A delay also ends on the watermark of its source (last accepted time + receive time elapsed since), without a sample.
* BAD never trips and never clears a limit; a retained sample is accepted but not judged.
* Stale trips at a clock reading when watermark - last accepted time >= setpoint, silence before the start not counted;
  any accepted sample clears it.
* "BAD for longer than t" is a condition with an on-delay of t.
* Rate = (v - v0) / (t - t0) with the newest kept sample at least a window and at most two windows old; samples are
  kept at least a sixth of the window apart.
* Deviation is |v - reference|, compared as H is.
* Time to limit: see ``slow_trend`` and ``slow_blocks``. Drift: see ``slow_drift``.
* A state holds while the value is one of the states, or while the whole number has the pattern under the mask; it lets
  go otherwise, except that what is no whole number, or beyond 2^53, has no bits.
* A value is frozen that stayed within the band of where it was when it last left the band, for the setpoint in s. Only
  time between two judgements in a row counts, not longer apart than stale, at the earlier of which the expected
  activity was there; and only when the tag itself spoke again.
* With a RANGE rule on a tag, samples out of range and fill values are its own and pause the BAD rule, other BAD samples
  the other way round.
* Enable-conditions: see ``slow_gate``.
* A rule over several tags is judged once for each scan that has one of them, with what each said last, at the newest
  time of any of them. It is judged only if the last accepted sample of each was judged and none is stale; else it
  pauses as for BAD. How stale an input is, its own source tells: the scan's own source has come as far as the newest
  of the rule's samples in the scan, any other as far as its watermark. Its delays expire on the watermark that is
  furthest.
* EXPRESSIONs: see ``slow_asked``.
* A swap puts other rules in the place of these, after a clock reading. A rule with an id that was there keeps its trip
  and its delay; of what its condition remembers a RATE with another window and a TREND with another gain or gap forget
  all. One that is new or judges otherwise (anything but tier, response, latching, revision; for BAD also whether the
  tag has a RANGE rule) is judged by the last sample, at the watermark, if that sample was judged and is not stale; BAD
  and RANGE by the last sample that was not retained; STALE trips or lets go by the silence so far. A DRIFT with another
  season, span or baseline learns anew. A condition or schedule that no rule named before is asked at the swap; a rule
  that hangs on one that shuts it now is let go of, one that hung on one and does so no more is judged as one that
  judges otherwise.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields

import numpy as np

from alerting.model.rule import Kind, Rule
from edge.model import Scan, Tag, TagTable
from tests.oracle.slow_asked import SlowAsked
from tests.oracle.slow_blocks import SlowBlocks
from tests.oracle.slow_drift import SlowDrift
from tests.oracle.slow_gate import Asked, SlowGate, SlowSchedule
from tests.oracle.slow_trend import SlowTrend

S = 1_000_000_000
BAD_FROM = 128  # upper bit of the quality byte
RETAINED = 64 + 12  # UNCERTAIN, reason retained
OUT_OF_RANGE = (128 + 5, 128 + 6)  # BAD, reasons range and sentinel

#: (rule id, is_active, time_ns)
Transition = tuple[str, bool, int]


def nanoseconds(seconds: float) -> int:
    return round(seconds * S)


@dataclass
class SlowDelay:
    """On its way to ``goal``: counting since ``since`` (None while paused), with ``counted`` from before the pause."""

    goal: bool
    counted: int = 0
    since: int | None = None


@dataclass
class SlowRule:
    rule: Rule
    active: bool = False
    delay: SlowDelay | None = None
    kept: list[tuple[int, float]] = field(default_factory=list)  # samples of a rate, oldest first
    trend: SlowTrend | SlowBlocks | None = None
    drift: SlowDrift | None = None
    anchor: float = math.nan
    flat: int = 0  # proven by a sample of the tag itself
    unproven: int = 0
    judged: int | None = None  # when last, unless something came between
    spoke: int = 0  # the tag itself
    expected: bool = False
    disabled_by: int = 0
    opened: int = 0

    @property
    def is_disabled(self) -> bool:
        return self.disabled_by > 0

    def disable(self, time_ns: int) -> list[Transition]:
        """Let go of everything that counts time."""
        self.disabled_by, self.delay = self.disabled_by + 1, None
        self.anchor, self.flat, self.unproven, self.judged, self.spoke = math.nan, 0, 0, None, 0
        was, self.active = self.active, False
        return [(self.rule.id, False, time_ns)] if was else []

    def enable(self, time_ns: int) -> list[Transition]:
        self.disabled_by -= 1
        self.opened = self.opened if self.disabled_by else time_ns
        return []

    def length(self, goal: bool) -> int:
        if not goal:
            return nanoseconds(self.rule.off_delay_s)
        is_time = self.rule.kind in (Kind.BAD, Kind.RANGE)
        return nanoseconds(self.rule.setpoint if is_time else self.rule.on_delay_s)

    def switch(self, time_ns: int) -> Transition:
        assert self.delay is not None
        self.active = self.delay.goal
        self.delay = None
        return (self.rule.id, self.active, time_ns)

    def reference(self, value_of: "Callable[[str], float]") -> float:
        """What a deviation is measured from."""
        return value_of(self.rule.reference) if isinstance(self.rule.reference, str) else self.rule.reference

    def hold(self, until: int, stale_at: float) -> list[Transition]:
        """Nothing new came until ``until``; the value is held, but no longer than the tag is fresh."""
        if self.delay is None or self.delay.since is None:
            return []
        end = self.delay.since + self.length(self.delay.goal) - self.delay.counted
        if end <= until and end <= stale_at:
            return [self.switch(end)]
        if stale_at <= until:
            self.stop(int(stale_at))
        return []

    def pause(self, time_ns: int) -> None:
        self.judged = None
        self.stop(time_ns)

    def stop(self, time_ns: int) -> None:
        if self.delay is None or self.delay.since is None:
            return
        if self.delay.goal:
            self.delay.counted += max(time_ns - self.delay.since, 0)  # sources whose clocks differ may seem to go back
        else:
            self.delay.counted = 0
        self.delay.since = None

    def see(self, time_ns: int, *, holds: bool, lets_go: bool) -> list[Transition]:
        """Meet a judged sample."""
        if self.is_disabled:
            return []
        goal = True if holds and not self.active else False if lets_go and self.active else None
        if goal is None:
            self.delay = None
            return []
        if self.delay is None or self.delay.goal is not goal:
            self.delay = SlowDelay(goal)
        if self.delay.since is None:
            self.delay.since = time_ns
        if self.delay.counted + time_ns - self.delay.since >= self.length(goal):
            return [self.switch(time_ns)]
        return []

    def is_frozen(self, time_ns: int, value: float, own: "SlowTag", value_of: "Callable[[str], float]") -> bool:
        rule = self.rule
        if self.judged is not None and self.expected and time_ns - self.judged < own.stale_after:
            self.unproven += time_ns - self.judged
        if own.valued_ns != self.spoke:
            if abs(value - self.anchor) <= rule.band:
                self.flat += self.unproven
            else:
                self.anchor, self.flat = value, 0
            self.unproven, self.spoke = 0, own.valued_ns
        self.judged = time_ns
        self.expected = not rule.while_tag or value_of(rule.while_tag) > rule.while_above
        return self.flat >= nanoseconds(rule.setpoint)

    def is_in_state(self, value: float) -> tuple[bool, bool]:
        rule = self.rule
        if not rule.mask:
            return value in rule.states, value not in rule.states
        if value != int(value) or abs(value) > 2**53:
            return False, False
        return int(value) & rule.mask == rule.pattern, int(value) & rule.mask != rule.pattern

    def compare(
        self, time_ns: int, value: float, own: "SlowTag", value_of: "Callable[[str], float]", *, again: bool = False
    ) -> tuple[bool, bool]:
        """Tell whether the condition holds and whether the value is past the deadband; ``again``: of no new sample."""
        rule = self.rule
        if rule.kind is Kind.FROZEN:
            if again:
                frozen = self.flat >= nanoseconds(rule.setpoint)
            else:
                frozen = not self.is_disabled and self.is_frozen(time_ns, value, own, value_of)
            return frozen, not frozen
        if rule.kind is Kind.STATE:
            return self.is_in_state(value)
        if rule.kind is Kind.DEVIATION:
            deviation = abs(value - self.reference(value_of))
            return deviation >= rule.setpoint, deviation < rule.setpoint - rule.deadband
        if rule.kind in (Kind.H, Kind.HH):
            return value >= rule.setpoint, value < rule.setpoint - rule.deadband
        if rule.kind in (Kind.L, Kind.LL):
            return value <= rule.setpoint, value > rule.setpoint + rule.deadband
        filtered = self.trend or self.drift
        if filtered is not None:
            return filtered.judge(value) if again else filtered.see(time_ns, value)
        rate = self.rate(own.valued_ns if again else time_ns, value, again=again)
        if rate is None:
            return False, False
        return rate >= rule.setpoint, rate < rule.setpoint - rule.deadband

    def rate(self, time_ns: int, value: float, *, again: bool) -> float | None:
        window = nanoseconds(self.rule.window_s)
        old = [(t, v) for t, v in self.kept if window <= time_ns - t <= 2 * window]
        if again:
            pass
        elif not self.kept or time_ns - self.kept[-1][0] >= window // 6:
            self.kept.append((time_ns, value))
        self.kept = self.kept[-64:]
        if not old:
            return None
        t0, v0 = old[-1]
        return abs(value - v0) / ((time_ns - t0) / 1e9)

    def become(self, rule: Rule, tag: Tag) -> bool:
        """Go on as another rule of the same id; tell whether it judges otherwise."""
        old, self.rule = self.rule, rule
        told = ("tier", "response", "rationale", "is_latching", "revision")
        differs = any(
            repr(getattr(old, one.name)) != repr(getattr(rule, one.name))  # by what is written, where NaN is NaN
            for one in fields(Rule)
            if one.name not in told
        )
        if old.window_s != rule.window_s:
            self.kept = []
        if self.trend is not None and (old.alpha, old.gap_s, old.blocks) != (
            rule.alpha,
            rule.gap_s,
            rule.blocks,
        ):
            self.trend = slow_trend(rule, tag)
        elif self.trend is not None:
            self.trend.rule = rule
        if self.drift is not None and old.drift_memory != rule.drift_memory:
            self.drift = SlowDrift(rule, tag)
        elif self.drift is not None:
            self.drift.rule = rule
        return differs


def slow_trend(rule: Rule, tag: Tag) -> SlowTrend | SlowBlocks:
    return SlowTrend(rule, tag) if rule.blocks is None else SlowBlocks(rule, tag)


class SlowTag:
    def __init__(self, name: str, source: "SlowSource", rules: Iterable[Rule], start_ns: int) -> None:
        self.name = name
        self.source = source
        self.rules = [SlowRule(rule) for rule in rules]
        self.start_ns = start_ns
        self.last_ns = 0
        self.value = math.nan
        self.valued_ns = 0
        self.has_range = any(rule.rule.kind is Kind.RANGE for rule in self.rules)
        self.is_relied_on = False  # the last accepted sample was judged
        self.last_quality = 0
        self.is_bad: bool | None = None  # what the last accepted sample was; None for retained, and before the first
        self.is_out = False
        stale = [rule.rule.setpoint for rule in self.rules if rule.rule.kind is Kind.STALE]
        self.stale_after: float = nanoseconds(stale[0]) if stale else math.inf

    def hold(self, until: int) -> list[Transition]:
        return [found for rule in self.rules for found in rule.hold(until, self.last_ns + self.stale_after)]

    def enable(self, rule: SlowRule, time_ns: int) -> list[Transition]:
        """Enable a rule of this tag alone: what the tag said last counts at once."""
        rule.enable(time_ns)
        kind = rule.rule.kind
        if rule.is_disabled:
            return []
        if not self.last_ns or time_ns >= self.last_ns + self.stale_after:
            return []
        if kind in (Kind.BAD, Kind.RANGE):
            is_bad = self.last_quality >= BAD_FROM
            is_mine = not self.has_range or (kind is Kind.RANGE) is (self.last_quality in OUT_OF_RANGE)
            return rule.see(time_ns, holds=True, lets_go=False) if is_bad and is_mine else []
        if not self.is_relied_on or kind in (Kind.STALE, Kind.RATE, Kind.TREND, Kind.FROZEN, Kind.DRIFT):
            return []
        holds, lets_go = rule.compare(time_ns, self.value, self, lambda _: math.nan)
        return rule.see(time_ns, holds=holds, lets_go=lets_go)

    def take(self, time_ns: int, value: float, quality: int) -> None:
        """Remember a sample; ``judge`` then says what it means."""
        bad = quality >= BAD_FROM or not math.isfinite(value)
        retained = not bad and quality == RETAINED
        self.last_quality = quality if quality >= BAD_FROM or not bad else BAD_FROM + 7
        self.last_ns = max(self.last_ns, time_ns)
        self.is_relied_on = not (bad or retained)
        self.is_bad = None if retained else bad
        self.is_out = quality in OUT_OF_RANGE
        if self.is_relied_on:
            self.value, self.valued_ns = value, time_ns

    def judge(self, time_ns: int, received_ns: int, value: float, quality: int) -> list[Transition]:
        bad = quality >= BAD_FROM or not math.isfinite(value)
        retained = not bad and quality == RETAINED
        after: list[Transition] = []
        for rule in self.rules:
            kind = rule.rule.kind
            if kind is Kind.STALE:
                after += rule.see(received_ns, holds=False, lets_go=True)  # silence ends when something comes
            elif retained:
                continue
            elif kind in (Kind.BAD, Kind.RANGE) and bad and self.has_range:
                if (kind is Kind.RANGE) is (quality in OUT_OF_RANGE):
                    after += rule.see(time_ns, holds=True, lets_go=False)
                else:
                    rule.pause(time_ns)
            elif kind in (Kind.BAD, Kind.RANGE):
                after += rule.see(time_ns, holds=bad, lets_go=not bad)
            elif bad:
                rule.pause(time_ns)
            else:
                holds, lets_go = rule.compare(time_ns, value, self, lambda _: math.nan)
                after += rule.see(time_ns, holds=holds, lets_go=lets_go)
        return after

    def judge_again(self, rule: SlowRule, watermark: int) -> list[Transition]:
        """Judge a rule on this tag alone by what it knows, at a swap."""
        kind = rule.rule.kind
        if kind is Kind.STALE:
            if watermark - max(self.last_ns, self.start_ns, rule.opened) < self.stale_after:
                return rule.see(watermark, holds=False, lets_go=True)
            if rule.active:
                return []
            rule.active, rule.delay = True, None
            return [(rule.rule.id, True, watermark)]
        if watermark - self.last_ns >= self.stale_after:
            return []
        if kind in (Kind.BAD, Kind.RANGE):
            return self.judge_quality_again(rule, watermark)
        if not self.is_relied_on:
            return []
        holds, lets_go = rule.compare(watermark, self.value, self, lambda _: math.nan, again=True)
        return rule.see(watermark, holds=holds, lets_go=lets_go)

    def judge_quality_again(self, rule: SlowRule, watermark: int) -> list[Transition]:
        if self.is_bad is None:
            return []
        if self.is_bad and self.has_range and (rule.rule.kind is Kind.RANGE) is not self.is_out:
            rule.pause(watermark)
            return []
        return rule.see(watermark, holds=self.is_bad, lets_go=not self.is_bad)

    def read_clock(self, watermark: int) -> list[Transition]:
        found = self.hold(watermark)
        for rule in self.rules:
            silent_since = max(self.last_ns, self.start_ns, rule.opened)
            is_at_rest = not rule.active and not rule.is_disabled
            if rule.rule.kind is Kind.STALE and is_at_rest and watermark - silent_since >= self.stale_after:
                rule.active, rule.delay = True, None
                found.append((rule.rule.id, True, silent_since + int(self.stale_after)))
        return found


@dataclass
class SlowJoint:
    """A rule over several tags, its own first."""

    rule: SlowRule
    tags: list[SlowTag]

    def come(self, tag: SlowTag, source: "SlowSource", newest: int, received_ns: int) -> int:
        return newest if tag.source is source else tag.source.watermark(received_ns)

    def before(self, source: "SlowSource", newest: int, received_ns: int) -> list[Transition]:
        """Just before a scan whose newest sample for this rule is of ``newest``."""
        now = max(newest, *(tag.last_ns for tag in self.tags))
        overdue = max(
            self.come(tag, source, newest, received_ns) - 1 - tag.last_ns - tag.stale_after for tag in self.tags
        )
        return self.rule.hold(now - 1, now - 1 - overdue)

    def after(self, source: "SlowSource", newest: int, received_ns: int) -> list[Transition]:
        now = max(tag.last_ns for tag in self.tags)
        if not all(
            tag.is_relied_on and self.come(tag, source, newest, received_ns) < tag.last_ns + tag.stale_after
            for tag in self.tags
        ):
            self.rule.pause(now)
            return []
        return self.judge(now)

    def judge(self, now: int) -> list[Transition]:
        values = {tag.name: tag.value for tag in self.tags}
        holds, lets_go = self.rule.compare(now, self.tags[0].value, self.tags[0], values.__getitem__)
        return self.rule.see(now, holds=holds, lets_go=lets_go)

    def judge_at_once(self, now: int) -> list[Transition]:
        """Judge what was said before, now that the rule is enabled; a flat stretch waits for a sample."""
        return [] if self.rule.rule.kind is Kind.FROZEN else self.judge(now)

    def judge_again(self, now_ns: int) -> list[Transition]:
        come = {tag.name: tag.source.watermark(now_ns) for tag in self.tags}
        if not all(tag.is_relied_on and come[tag.name] < tag.last_ns + tag.stale_after for tag in self.tags):
            return []
        values = {tag.name: tag.value for tag in self.tags}
        now = max(come.values())
        holds, lets_go = self.rule.compare(now, self.tags[0].value, self.tags[0], values.__getitem__, again=True)
        return self.rule.see(now, holds=holds, lets_go=lets_go)

    def read_clock(self, now_ns: int) -> list[Transition]:
        come = {tag.name: tag.source.watermark(now_ns) for tag in self.tags}
        until = max(come.values())
        overdue = max(come[tag.name] - tag.last_ns - tag.stale_after for tag in self.tags)
        return self.rule.hold(until, until - overdue)


@dataclass
class SlowSource:
    last_ns: int
    received_ns: int

    def watermark(self, now_ns: int) -> int:
        return self.last_ns + max(now_ns - self.received_ns, 0)


class SlowCore:
    """The whole memory, as objects; ``evaluate`` and ``expire`` say what the array core must say."""

    def __init__(self, rules: Iterable[Rule], tags: TagTable, start_ns: int) -> None:
        rules = list(rules)
        self.table = tags
        self.sources = {tag.source: SlowSource(start_ns, start_ns) for tag in tags}
        self.tags = [
            SlowTag(
                tag.name,
                self.sources[tag.source],
                [r for r in rules if r.tag == tag.name and len(r.inputs) == 1 and not r.when],
                start_ns,
            )
            for tag in tags
        ]
        for tag, slow in zip(tags, self.tags, strict=True):
            for rule in slow.rules:
                rule.trend = slow_trend(rule.rule, tag) if rule.rule.kind is Kind.TREND else None
                rule.drift = SlowDrift(rule.rule, tag) if rule.rule.kind is Kind.DRIFT else None
        self.joints = [self.joint(SlowRule(rule)) for rule in rules if len(rule.inputs) > 1 or rule.when]
        self.gates: dict[str, SlowGate] = {}
        self.schedules: list[SlowSchedule] = []
        self.hang(rules)

    def joint(self, one: "SlowRule") -> "SlowJoint | SlowAsked":
        tags = [self.tags[self.table.row_of[name]] for name in one.rule.inputs]
        return SlowAsked(one, tags) if one.rule.kind is Kind.EXPRESSION else SlowJoint(one, tags)

    def hang(self, rules: list[Rule]) -> tuple[list[SlowSchedule], list[SlowGate]]:
        """Hang the rules on their conditions and schedules; give those that nothing hung on before."""
        by_name = {tag.name: tag for tag in self.tags}
        new_schedules, new_gates = [], []
        gates, schedules = {}, []
        for text, asked in {rule.enable: rule.enable_asked for rule in rules if rule.enable}.items():
            gate = self.gates.get(text)
            if gate is None:
                gate = SlowGate(text, {name: Asked(by_name[name]) for name in asked})
                new_gates.append(gate)
            gate.own = [(each, tag) for tag in self.tags for each in tag.rules if each.rule.enable == text]
            gate.joints = [joint for joint in self.joints if joint.rule.rule.enable == text]
            gates[text] = gate
        for schedule in dict.fromkeys(rule.schedule for rule in rules if rule.schedule is not None):
            for source in self.sources.values():
                own = [(r, t) for t in self.tags if t.source is source for r in t.rules if r.rule.schedule == schedule]
                joints = [j for j in self.joints if j.tags[0].source is source and j.rule.rule.schedule == schedule]
                known = [one for one in self.schedules if one.schedule == schedule and one.source is source]
                if not own and not joints:
                    continue
                one = known[0] if known else SlowSchedule(schedule, source, own, joints)
                one.own, one.joints = own, joints
                schedules.append(one)
                new_schedules += [] if known else [one]
        self.gates, self.schedules = gates, schedules
        return new_schedules, new_gates

    def evaluate(self, scan: Scan) -> tuple[list[Transition], list[Transition]]:
        before: list[Transition] = []
        after: list[Transition] = []
        newest = 0
        times = dict(zip(scan.rows.tolist(), np.minimum(scan.times_ns, scan.received_ns).tolist(), strict=True))
        met = [(joint, self.newest(joint, times)) for joint in self.joints]
        source = self.sources[scan.source]
        here = set(times)
        heard = {row: (self.tags[row], times[row]) for row in here}
        for each in self.schedules:
            mine = [tag for _, tag in each.own] + [joint.tags[0] for joint in each.joints]
            until = max((time_ns for tag, time_ns in heard.values() if tag in mine), default=0)
            if each.source is source and until:
                before += each.look(until, scan.received_ns, heard)
        gates = [
            (gate, max(times[row] for row, tag in enumerate(self.tags) if row in here and tag.name in gate.tags))
            for gate in self.gates.values()
            if any(self.tags[row].name in gate.tags for row in here)
        ]
        for gate, at in gates:
            before += gate.fall_silent(source, at, scan.received_ns, 1)
        for joint, at in met:
            before += joint.before(source, at, scan.received_ns) if at else []
        samples = [
            (self.tags[row], value, quality, times[row])
            for row, value, quality in zip(scan.rows.tolist(), scan.values.tolist(), scan.quality.tolist(), strict=True)
        ]
        for tag, value, quality, time_ns in samples:
            before += tag.hold(time_ns - 1)
            tag.take(time_ns, value, quality)
            newest = max(newest, time_ns)
        touched = {id(rule) for tag, *_ in samples for rule in tag.rules} | {id(j.rule) for j, at in met if at}
        for gate, at in gates:
            after += gate.hear(source, at, scan.received_ns, touched)
        for tag, value, quality, time_ns in samples:
            after += tag.judge(time_ns, scan.received_ns, value, quality)
        for joint, at in met:
            after += joint.after(source, at, scan.received_ns) if at else []
        if len(scan):
            # A scan that is behind proves nothing about time; it goes on as it did.
            source.last_ns = newest if newest >= source.last_ns else source.watermark(scan.received_ns)
            source.received_ns = scan.received_ns
        return before, after

    def newest(self, joint: "SlowJoint | SlowAsked", times: dict[int, int]) -> int:
        """Newest time of a rule's samples in a scan; 0 where it has none."""
        return max((times[row] for row, tag in enumerate(self.tags) if row in times and tag in joint.tags), default=0)

    def expire(self, now_ns: int) -> list[Transition]:
        found: list[Transition] = []
        for each in self.schedules:
            if each.own or each.joints:
                found += each.look(each.source.watermark(now_ns), now_ns, {})
        found += [t for gate in self.gates.values() for t in gate.fall_silent(None, 0, now_ns, 0)]
        found += [found for tag in self.tags for found in tag.read_clock(tag.source.watermark(now_ns))]
        return found + [found for joint in self.joints for found in joint.read_clock(now_ns)]

    def swap(self, rules: Iterable[Rule], now_ns: int) -> list[Transition]:  # noqa: C901 - one thing after the other
        """Go on with other rules; the clock has just been read."""
        rules = list(rules)
        known = {one.rule.id: one for tag in self.tags for one in tag.rules}
        known |= {joint.rule.rule.id: joint.rule for joint in self.joints}
        joints = {joint.rule.rule.id: joint for joint in self.joints}
        rewritten = {rule.id for rule in rules if rule.id in known and known[rule.id].rule.when != rule.when}
        had_range = {tag.name: tag.has_range for tag in self.tags}
        differs: set[str] = set()
        mine: dict[str, list[SlowRule]] = {tag.name: [] for tag in self.tags}
        self.joints = []
        for rule in rules:
            tag = self.table[self.table.row_of[rule.tag]]
            one = known.get(rule.id)
            if one is None:
                one = SlowRule(rule)
                one.trend = slow_trend(rule, tag) if rule.kind is Kind.TREND else None
                one.drift = SlowDrift(rule, tag) if rule.kind is Kind.DRIFT else None
                differs.add(rule.id)
            elif one.become(rule, tag):
                differs.add(rule.id)
            if len(rule.inputs) > 1 or rule.when:
                known_joint = joints.get(rule.id)
                if known_joint is None or isinstance(known_joint, SlowJoint) or rule.id in rewritten:
                    known_joint = self.joint(one)
                    if isinstance(known_joint, SlowJoint):
                        known_joint.tags = [self.tags[self.table.row_of[name]] for name in rule.inputs]
                self.joints.append(known_joint)
            else:
                mine[tag.name].append(one)
        found: list[Transition] = []
        for slow in self.tags:
            slow.rules = mine[slow.name]
            slow.has_range = any(one.rule.kind is Kind.RANGE for one in slow.rules)
            stale = [one.rule.setpoint for one in slow.rules if one.rule.kind is Kind.STALE]
            slow.stale_after = nanoseconds(stale[0]) if stale else math.inf
        found += self.shut_and_open(rules, now_ns)
        for slow in self.tags:
            for one in slow.rules:
                is_shared = one.rule.kind is Kind.BAD and slow.has_range is not had_range[slow.name]
                if (one.rule.id in differs or is_shared) and not one.is_disabled:
                    found += slow.judge_again(one, slow.source.watermark(now_ns))
        for joint in self.joints:
            if joint.rule.rule.id in differs and not joint.rule.is_disabled:
                found += joint.judge_again(now_ns)
        return found

    def shut_and_open(self, rules: list[Rule], now_ns: int) -> list[Transition]:
        """Ask the conditions and schedules that are new at a swap, and let go of what hangs on a shut one now."""
        found: list[Transition] = []
        new_schedules, new_gates = self.hang(rules)
        ones = [(one, [tag]) for tag in self.tags for one in tag.rules]
        ones += [(joint.rule, joint.tags) for joint in self.joints]
        was = {id(one): one.is_disabled for one, _ in ones}
        for schedule in new_schedules:
            found += schedule.look(schedule.source.watermark(now_ns), now_ns, {})
        touched = {id(one) for one, _ in ones}  # What had ended before has ended; what opens is judged below.
        for gate in new_gates:
            for asked in gate.tags.values():
                asked.is_silent = asked.tag.source.watermark(now_ns) >= asked.stale_at()
            found += gate.turn(None, 0, now_ns, 0, touched)
        for one, tags in ones:
            shut = [gate for gate in self.gates.values() if gate.is_shut and one.rule.enable == gate.text]
            shut_by_clock = [each for each in self.schedules if each.is_shut and one in [r for r, _ in each.own]]
            shut_by_clock += [e for e in self.schedules if e.is_shut and one in [joint.rule for joint in e.joints]]
            at = max(tag.source.watermark(now_ns) for tag in tags)
            count = len(shut) + len(shut_by_clock)
            if count and not one.is_disabled:
                found += one.disable(at)
            elif not count and (was[id(one)] or one.is_disabled):
                one.opened = at
            one.disabled_by = count
        return found
