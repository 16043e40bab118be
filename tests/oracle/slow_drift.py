"""A slow scalar oracle of the drift: one rule, one sample, one float at a time, with names instead of columns.

Written from docs/core.md, section Drift. The profile is a dictionary from the step of the day (week) to (level, days).
"""

import math
from dataclasses import dataclass, field

from alerting.model.rule import Rule
from edge.model import Tag

S = 1_000_000_000
STEP_S = 900
ROUND_S = {"none": 0, "day": 86_400, "week": 604_800}


@dataclass
class SlowDrift:
    rule: Rule
    tag: Tag
    last_ns: int | None = None
    known_s: float = 0.0
    origin: float = 0.0
    profile: dict[int, tuple[float, int]] = field(default_factory=dict)
    filling: tuple[int, float, int] = (-1, 0.0, 0)  # step since 1970, sum, samples
    baseline: float = 0.0
    baseline_s: float = 0.0
    square: float = 0.0
    product: float = 0.0
    seen: int = 0
    before: float = 0.0
    z: float = 0.0
    z_s: float = 0.0
    v: float = 0.0
    c: float = 0.0
    sums: dict[str, float] = field(default_factory=lambda: {"up": 0.0, "down": 0.0})
    is_away: bool = False
    score: float = 0.0
    is_judged: bool = False

    @property
    def round_s(self) -> int:
        assert self.rule.drift is not None
        return ROUND_S[self.rule.drift.season]

    def step_of(self, count: int) -> int:
        return count % (self.round_s // STEP_S)

    def usual_then(self, time_ns: int) -> float | None:
        """What the profile says of a time: 0 where there is none, None where it does not know."""
        if self.round_s == 0 or self.known_s < self.round_s:
            return 0.0
        middle = time_ns / (STEP_S * S) - 0.5  # in steps; a straight line from the middle before to the middle after
        count = (time_ns - STEP_S * S // 2) // (STEP_S * S)
        share = middle - math.floor(middle)
        own = self.profile.get(self.step_of(time_ns // (STEP_S * S)))
        if own is None:
            return None
        one, other = self.profile.get(self.step_of(count), own), self.profile.get(self.step_of(count + 1), own)
        return (1 - share) * one[0] + share * other[0]

    def put_away(self, count: int) -> None:
        """A step is over."""
        old, total, samples = self.filling
        self.filling = (count, 0.0, 0)
        if samples < max(0.5 * STEP_S / self.tag.period_s, 1):
            return
        mean = total / samples
        level, days = self.profile.get(self.step_of(old), (0.0, 0))
        if self.known_s < self.round_s:
            level += (mean - level) / (days + 1)
        elif days == 0:
            level = mean
        else:
            level += mean * max(1 / (days + 1), 1 / 5)
        self.profile[self.step_of(old)] = (level, min(days + 1, 200))

    def see(self, time_ns: int, value: float) -> tuple[bool, bool]:
        drift = self.rule.drift
        assert drift is not None
        gap_ns = round((self.rule.gap_s or drift.span_s) * S)
        if self.round_s and time_ns // (STEP_S * S) != self.filling[0]:
            self.put_away(time_ns // (STEP_S * S))
        is_first_round = self.known_s < self.round_s
        usual = self.usual_then(time_ns)
        season = usual or 0.0
        passed = 0.0 if self.last_ns is None else (time_ns - self.last_ns) / S
        starts = self.last_ns is None or time_ns - self.last_ns > gap_ns
        dt = 0.0 if starts else passed
        if self.last_ns is None:
            self.origin, self.baseline, self.baseline_s = value - season, 0.0, self.tag.period_s
        elif starts and not self.is_away:
            self.baseline_s *= drift.base_s / (drift.base_s + passed)
        self.last_ns = time_ns
        self.known_s += dt

        size = max(1.0, abs(self.origin))
        r = max(self.square, self.tag.resolution**2 / 12, (1e-9 * size) ** 2)
        finest = max(self.tag.resolution / 2, 1e-9 * size)
        x = value - self.origin - season - self.baseline
        uncut = residual = x
        if self.seen >= 3:
            reach = 4 if drift.detector == "cusum" else 2 * self.rule.setpoint
            gate = 4 * (1 + 8 / self.seen) * math.sqrt(r)
            most = max(gate, reach * finest)
            residual = min(max(x, -gate), gate)
            x = min(max(x, -most), most)
            uncut = min(max(uncut, -25 * most), 25 * most)

        self.average(x, dt, r, finest, starts=starts, knows=usual is not None)
        waits = is_first_round or self.known_s < drift.warm_up_s or self.baseline_s < drift.base_s / 2
        self.add_up(x, dt, r, finest, starts=starts, knows=usual is not None, waits=waits)
        self.is_judged = not waits and usual is not None and self.z_s >= drift.span_s
        self.score_it(r, finest)

        is_new = self.round_s and self.step_of(time_ns // (STEP_S * S)) not in self.profile
        if self.round_s and not self.is_away:
            count, total, samples = self.filling
            adds = self.baseline + x if is_first_round else uncut + season if is_new else x
            self.filling = (count, total + adds, samples + 1)
        if not self.is_away and usual is not None:
            self.learn(x, residual, dt, starts=starts, slow_s=STEP_S if is_first_round else drift.base_s)
        else:
            self.before = 0.0
        if is_first_round and self.known_s >= self.round_s:
            self.end_first_round()
        return self.judge(value)

    def judge(self, _value: float) -> tuple[bool, bool]:
        setpoint = self.rule.setpoint
        return self.is_judged and self.score >= setpoint, self.is_judged and self.score < setpoint / 2

    def rho(self, r: float) -> float:
        return min(max(self.product / r * self.seen / (self.seen + 16), 0.0), 0.999)

    def average(self, x: float, dt: float, r: float, finest: float, *, starts: bool, knows: bool) -> None:
        assert self.rule.drift is not None
        span = self.rule.drift.span_s
        if starts:
            self.z, self.v, self.c, self.z_s = x, 1.0, 1.0, self.tag.period_s
        else:
            weight = max(dt / (span + dt), dt / (self.z_s + dt))
            keeps = 1 - weight
            rho = self.rho(r)
            self.v = keeps**2 * self.v + 2 * weight * keeps * rho * self.c + weight**2
            self.c = keeps * rho * self.c + weight
            self.z += weight * (x - self.z)
            self.z_s += dt
        if not knows:
            self.z_s = 0.0

    def add_up(self, x: float, dt: float, r: float, finest: float, *, starts: bool, knows: bool, waits: bool) -> None:
        drift = self.rule.drift
        assert drift is not None
        if waits or (starts and not self.is_away):
            self.sums = {"up": 0.0, "down": 0.0}
        elif knows:
            rho = self.rho(r)
            u = max(math.sqrt(r * (1 + rho) / (1 - rho) * self.tag.period_s / drift.span_s), finest)
            for way, sign in (("up", 1), ("down", -1)):
                total = self.sums[way] + (sign * x / u - drift.allowance) * dt / drift.span_s
                self.sums[way] = min(max(total, 0.0), 2 * self.rule.setpoint)

    def score_it(self, r: float, finest: float) -> None:
        drift = self.rule.drift
        assert drift is not None
        sigma = max(math.sqrt(r * self.v), finest) * (1 + 4 / max(self.seen, 1))
        up, down = (
            (self.z / sigma, -self.z / sigma) if drift.detector == "ewma" else (self.sums["up"], self.sums["down"])
        )
        ways = {"up": [up], "down": [down], "both": [up, down]}[drift.direction]
        self.score = max(0.0, *ways) if self.is_judged else 0.0
        if self.is_judged and self.score >= self.rule.setpoint:
            self.is_away = True
        elif self.is_judged and self.score < self.rule.setpoint / 2:
            self.is_away = False

    def learn(self, x: float, residual: float, dt: float, *, starts: bool, slow_s: float) -> None:
        assert self.rule.drift is not None
        if not starts:
            self.baseline += x * dt / (min(self.baseline_s, slow_s) + dt)
        if not starts and self.score < self.rule.setpoint / 2:
            weight = max(2 / (self.seen + 2), dt / (6 * self.rule.drift.base_s + dt))
            self.square += weight * (residual * residual - self.square)
            self.product += weight * (residual * self.before - self.product)
            self.seen += 1
        self.baseline_s += dt
        self.before = residual

    def end_first_round(self) -> None:
        assert self.rule.drift is not None
        mean = sum(level for level, _ in self.profile.values()) / len(self.profile) if self.profile else self.baseline
        self.profile = {step: (level - mean, days) for step, (level, days) in self.profile.items()}
        self.baseline, self.baseline_s = mean, self.rule.drift.base_s
        self.before = self.z = self.z_s = 0.0
        self.filling = (self.filling[0], 0.0, 0)
