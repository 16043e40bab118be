"""A slow scalar oracle of the time to limit: a textbook Kalman filter in matrices, one sample at a time.

Written from docs/core.md: state (level, slope), transition F, white acceleration noise Q, measurement H = (1, 0) with
noise 1, so that the covariance is in units of the noise of one sample. No origin, no columns.
"""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from alerting.model.rule import Rule
from edge.model import Tag

S = 1_000_000_000
GATE = 4.0
HOUR_S = 3600.0


@cache
def acceleration(alpha: float, period_s: float) -> float:
    """The q at which the level's gain settles at alpha: by bisection on the filter itself, not by a formula."""
    low, high = 1e-30, 1e6
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if settled_gain(middle) < alpha else (low, middle)
    return math.sqrt(low * high) / period_s**3


def settled_gain(q: float) -> float:
    """Gain of the level after very many samples a second apart, by doubling the Riccati equation's step."""
    # Structure-preserving doubling: A, G, H -> quadratically to the steady covariance H of the prediction.
    a = np.array([[1.0, 0.0], [1.0, 1.0]])
    g = np.array([[1.0, 0.0], [0.0, 0.0]])
    h = q * np.array([[1 / 3, 1 / 2], [1 / 2, 1.0]])
    for _ in range(60):
        w = np.linalg.inv(np.eye(2) + g @ h)
        step = a.T @ h @ w @ a
        g = g + a @ w @ g @ a.T
        a = a @ w @ a
        h = h + step
        if np.abs(step).max() <= 1e-15 * np.abs(h).max():
            break
    return float(h[0, 0] / (h[0, 0] + 1))


@dataclass
class SlowTrend:
    rule: Rule
    tag: Tag
    q: float = field(init=False)
    x: np.ndarray = field(default_factory=lambda: np.zeros(2))
    p: np.ndarray = field(default_factory=lambda: np.eye(2))
    last_ns: int | None = None
    count: int = 0
    noise: float = 0.0
    lag: float = 0.0
    seen: int = 0
    stretch: float = 0.0
    before: float = 0.0  # last residual
    run: float = 0.0

    def __post_init__(self) -> None:
        self.q = acceleration(self.rule.alpha, self.tag.period_s)

    @property
    def least(self) -> float:
        return max(self.tag.resolution**2 / 12, (1e-9 * max(1.0, abs(self.rule.setpoint))) ** 2)

    def begin(self, value: float) -> None:
        self.x = np.array([value, 0.0])
        self.p = np.diag([1.0, 1e6 / self.tag.period_s**2])
        self.count, self.stretch, self.before, self.run = 1, 0.0, 0.0, 0.0

    def see(self, time_ns: int, value: float) -> tuple[bool, bool]:
        gap_ns = round((self.rule.gap_s or self.tag.period_s / self.rule.alpha) * S)
        if self.last_ns is None or time_ns - self.last_ns > gap_ns:
            self.begin(value)
        else:
            self.update((time_ns - self.last_ns) / S, value)
        self.last_ns = time_ns
        return self.judge(value)

    def update(self, dt: float, value: float) -> None:
        f = np.array([[1.0, dt], [0.0, 1.0]])
        x = f @ self.x
        p = f @ self.p @ f.T + self.q * np.array([[dt**3 / 3, dt**2 / 2], [dt**2 / 2, dt]])
        s = p[0, 0] + 1.0
        error = value - x[0]
        gate = GATE * math.sqrt(max(self.noise, self.least) * s) * (1 + 8 / max(self.seen, 1))
        is_out = self.seen >= 3 and self.count >= 5 and abs(error) > gate
        if is_out:
            weight = math.copysign(min(abs(error) / gate, 2.0), error)
            self.run = self.run + weight if self.run * weight > 0 else weight
            error = math.copysign(gate, error)
        else:
            self.run = 0.0
        jumps = abs(self.run) >= max(5.0, 0.4 / self.rule.alpha)
        gain = p[:, 0] / s
        self.x = x + gain * error
        self.p = p - np.outer(gain, p[0, :])
        self.count += 1
        if self.count >= 3:
            residual = error / math.sqrt(s)
            if not is_out:
                weight = max(2 / (self.seen + 2), dt / (HOUR_S + dt))
                self.noise += weight * (residual**2 - self.noise)
                self.lag += weight * (residual * self.before - self.lag)
                self.seen += 1
            self.stretch += max(1 / (self.count - 2), float(gain[0]) / 4) * (residual**2 - self.stretch)
            self.before = residual
        if jumps:
            self.begin(value)
            self.seen = min(self.seen, 64)

    def judge(self, value: float) -> tuple[bool, bool]:
        if self.count < self.rule.samples_min:
            return False, False
        long_run = max(self.noise, self.least)
        rho = min(max(self.lag / long_run * self.seen / (self.seen + 16), 0.0), 0.99)
        r = max(long_run, self.stretch)
        error = math.sqrt(r * self.p[1, 1] * (1 + rho) / (1 - rho)) * (1 + 4 / max(self.seen, 1))
        way = -1.0 if self.rule.is_falling else 1.0
        slope, distance = way * self.x[1], way * (self.rule.setpoint - self.x[0])
        sure, hoped = slope - 2 * error, slope - error
        is_beyond = way * value >= way * self.rule.setpoint
        holds = sure > 0 and not is_beyond and 0 < distance <= self.rule.horizon_s * sure
        gone = hoped <= 0 or distance > 1.25 * self.rule.horizon_s * hoped
        return bool(holds), bool(gone)
