"""A slow scalar oracle of a TREND with blocks: lists of samples and blocks, one at a time, lines by the textbook.

Written from docs/core.md. Samples are kept whole until their block ends; a line is drawn by ``statistics`` for least
squares and by plain loops over all pairs for Theil's and Sen's; what a slope and a forecast have for a standard error
is written out with the mean of the times, without a covariance.
"""

import math
import statistics
import zlib
from dataclasses import dataclass, field

from alerting.model.rule import Rule
from edge.model import Tag

S = 1_000_000_000


@dataclass
class SlowBlocks:
    """One rule."""

    rule: Rule
    tag: Tag
    last_ns: int | None = None
    number: int = 0
    inside: list[tuple[int, float]] = field(default_factory=list)
    ring: list[tuple[int, float]] = field(default_factory=list)  # oldest first
    slope: float = 0.0
    level: float = 0.0  # of the line, at the newest block
    stretch: float = 0.0
    noise: float = 0.0
    lag: float = 0.0
    seen: int = 0
    before: float = 0.0
    run: int = 0

    @property
    def least(self) -> float:
        return max(self.tag.resolution**2 / 12, (1e-9 * max(1.0, abs(self.rule.setpoint))) ** 2)

    def see(self, time_ns: int, value: float) -> tuple[bool, bool]:
        asked = self.rule.blocks
        assert asked is not None
        block_ns = round(asked.block_s * S)
        offset_ns = zlib.crc32(self.rule.id.encode()) * 1_000_000 % block_ns
        gap_ns = round((self.rule.gap_s or asked.block_s * asked.count / 4) * S)
        number = (time_ns - offset_ns) // block_ns
        if self.last_ns is not None and time_ns - self.last_ns > gap_ns:
            self.ring, self.inside, self.before, self.run = [], [], 0.0, 0
        elif self.inside and number != self.number:
            if len(self.inside) >= max(1.0, 0.5 * asked.block_s / self.tag.period_s):
                self.end(block_ns)
            self.inside = []
        self.number = number
        self.inside.append((time_ns, value))
        self.last_ns = time_ns
        return self.judge(value)

    def end(self, block_ns: int) -> None:
        asked = self.rule.blocks
        assert asked is not None
        first_ns = self.inside[0][0]
        mean_ns = first_ns + round(statistics.fmean(t - first_ns for t, _ in self.inside))
        mean = statistics.fmean(v for _, v in self.inside)
        jumps = False
        if len(self.ring) >= 3:
            jumps = self.compare(mean_ns, mean)
        else:
            self.before, self.run = 0.0, 0
        self.ring.append((mean_ns, mean))
        self.ring = self.ring[-2:] if jumps else self.ring[-asked.count :]
        self.ring = [one for one in self.ring if mean_ns - one[0] < asked.count * block_ns]
        self.draw()

    def compare(self, mean_ns: int, mean: float) -> bool:
        asked = self.rule.blocks
        assert asked is not None
        x = (mean_ns - self.ring[-1][0]) / S
        error = mean - (self.level + self.slope * x)
        residual = error / math.sqrt(1 + self.forecast_variance(x))
        gate = 4 * math.sqrt(max(self.noise, self.least)) * (1 + 8 / max(self.seen, 1))
        is_out = self.seen >= 3 and abs(residual) > gate
        if not is_out:
            memory_s = max(3600.0, 4 * asked.block_s * asked.count)
            weight = max(2 / (self.seen + 2), asked.block_s / (memory_s + asked.block_s))
            self.noise += weight * (residual**2 - self.noise)
            self.lag += weight * (residual * self.before - self.lag)
            self.seen += 1
            self.before, self.run = residual, 0
            return False
        side = 1 if residual > 0 else -1
        self.run = self.run + side if self.run * side > 0 else side
        self.before = 0.0
        if abs(self.run) < 3:
            return False
        self.run, self.seen = 0, min(self.seen, 16)
        return True

    def times(self) -> list[float]:
        return [(t - self.ring[-1][0]) / S for t, _ in self.ring]

    @property
    def loss(self) -> float:
        """What the median of slopes loses to least squares."""
        asked = self.rule.blocks
        assert asked is not None
        return math.pi / 3 if asked.line == "theil-sen" and len(self.ring) > 1 else 1.0

    def slope_variance(self) -> float:
        """In units of the noise of one block."""
        times = self.times()
        mean = statistics.fmean(times)
        return self.loss / math.fsum((t - mean) ** 2 for t in times)

    def forecast_variance(self, x: float) -> float:
        return self.loss / len(self.ring) + (x - statistics.fmean(self.times())) ** 2 * self.slope_variance()

    def draw(self) -> None:
        asked = self.rule.blocks
        assert asked is not None
        times, values = self.times(), [v - self.ring[-1][1] for _, v in self.ring]
        n = len(times)
        if n == 1:
            self.slope, self.level, self.stretch = 0.0, self.ring[-1][1], 0.0
            return
        if asked.line == "ols":
            line = statistics.linear_regression(times, values)
            self.slope, level = line.slope, line.intercept
            square = math.fsum((v - level - self.slope * t) ** 2 for t, v in zip(times, values, strict=True))
        else:
            pairs = [(i, j) for i in range(n) for j in range(i)]
            self.slope = statistics.median((values[i] - values[j]) / (times[i] - times[j]) for i, j in pairs)
            level = statistics.median(v - self.slope * t for t, v in zip(times, values, strict=True))
            away = statistics.median(abs(v - level - self.slope * t) for t, v in zip(times, values, strict=True))
            square = n * (away / statistics.NormalDist().inv_cdf(0.75)) ** 2
        self.stretch = square / max(n - 2, 1)
        self.level = self.ring[-1][1] + level

    def judge(self, value: float) -> tuple[bool, bool]:
        if len(self.ring) < 5 or self.last_ns is None:
            return False, False
        long_run = max(self.noise, self.least)
        rho = min(max(self.lag / long_run * self.seen / (self.seen + 16), 0.0), 0.99)
        variance = max(long_run, self.stretch) * self.slope_variance() * (1 + rho) / (1 - rho)
        error = math.sqrt(variance) * (1 + 4 / max(self.seen, 1))
        way = -1.0 if self.rule.is_falling else 1.0
        level = self.level + self.slope * (self.last_ns - self.ring[-1][0]) / S
        slope, distance = way * self.slope, way * (self.rule.setpoint - level)
        sure, hoped = slope - 3 * error, slope - 1.5 * error
        is_beyond = way * value >= way * self.rule.setpoint
        holds = sure > 0 and not is_beyond and 0 < distance <= self.rule.horizon_s * sure
        gone = hoped <= 0 or distance > 1.25 * self.rule.horizon_s * hoped
        return bool(holds), bool(gone)
