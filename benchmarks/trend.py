"""Time to limit, by filter and by blocks, against a static limit, a window's slope and an EWMA, on three plant stories.

Run: python -m benchmarks.trend [--days 1] [--tags 60] [--faults 40] [--seed 1] [--updates 10000000]
Prints a table of median lead times before the limit, and how many of the faults were warned of; losing rows too. The
numbers belong to these synthetic stories; what counts is the order of the rows in one run. Prints also how far
slopes of correlated noise are from nothing, in the standard errors that the line through blocks claims.

Each detector gives a number a second, the higher the more alarming. Its threshold is set on normal operation so that at
most one (tag, hour) in 30 tag-days is above it; then the same threshold meets the faults.

* tank: fills of 0.5 to 2 % a minute that stop at 80 +- 1 %; the fault is a fill that does not stop. Limit HH = 90 %.
* gas: AR(1) noise (phi 0.9, sigma 0.3), a day season of +-0.8, three exhaust spikes a day of 4 to 8 %LEL; the fault is
  a creep. Limit 10 %LEL.
* crowd: two peaks a day of 2,500 to 4,000 persons, Poisson noise; the fault is a surge on top. Limit 5,000.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from alerting.core import Memory
from alerting.core.memory import Slot
from alerting.core.trend import Forecast, advance
from alerting.model.blocks import Blocks
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Tag, TagTable

Floats = NDArray[np.float64]
S = 1_000_000_000
HOUR, DAY = 3600, 86_400
DAYS_PER_FALSE_ALARM = 30
WARM_UP_S = HOUR  # Nobody is judged in the first hour, in which filters settle.
FAR = 4.0  # Standard errors; chance is beyond that 6e-5 of the time.
FASTEST_S = 1.0  # A statistic of 1/s at most: the limit is a second away.


@dataclass(frozen=True, slots=True)
class Case:
    """A plant story: seconds along axis 0, tags along axis 1.

    Attributes:
        normal: Gives (seconds, tags) of normal operation.
        fault: Gives one series (seconds,) that begins to go wrong at ``WARM_UP_S``, and must reach the limit.
    """

    name: str
    limit: float
    alpha: float
    blocks: Blocks
    resolution: float
    rates: tuple[tuple[str, float], ...]
    normal: Callable[[np.random.Generator, int, int], Floats]
    fault: Callable[[np.random.Generator, float], Floats]


# ---- tank, %


def tank_normal(dice: np.random.Generator, seconds: int, tags: int) -> Floats:
    """Fill, rest, empty, rest, for ever."""
    level = np.empty((seconds, tags))
    for tag in range(tags):
        at, now, parts = 0, dice.uniform(30, 80), []
        while at < seconds:
            stop, low = 80 + dice.uniform(-1, 1), dice.uniform(20, 50)
            fill = ramp(now, stop, dice.uniform(0.5, 2) / 60)
            rest = np.full(int(dice.uniform(600, 3600)), stop)
            empty = ramp(stop, low, dice.uniform(0.5, 2) / 60)
            still = np.full(int(dice.uniform(600, 3600)), low)
            parts += [fill, rest, empty, still]
            at, now = sum(map(len, parts)), low
        level[:, tag] = np.concatenate(parts)[:seconds]
    return level + dice.normal(0, 0.05, level.shape)


def ramp(low: float, high: float, slope: float) -> Floats:
    """Give a straight line from one level to another."""
    steps = max(2, int(abs(high - low) / slope))
    return np.linspace(low, high, steps)


def tank_fault(dice: np.random.Generator, rate: float) -> Floats:
    """Fill from 40 % on after an hour's rest and go on to 92 %."""
    level = np.concatenate([np.full(WARM_UP_S, 40.0), ramp(40.0, 92.0, rate / 60)])
    return level + dice.normal(0, 0.05, len(level))


# ---- gas, %LEL


def gas_normal(dice: np.random.Generator, seconds: int, tags: int) -> Floats:
    """Noise, a day, a slow drift, exhaust."""
    second = np.arange(seconds, dtype=np.float64)[:, None]
    level = ar1(dice, 0.9, 0.3, (seconds, tags))
    level += 0.8 * np.sin(2 * np.pi * (second / DAY + dice.random(tags)))
    level += 0.2 * np.sin(2 * np.pi * (second / (9.7 * DAY) + dice.random(tags)))
    for tag in range(tags):
        for start in np.flatnonzero(dice.random(seconds) < 3 / DAY):
            span = np.arange(min(600, seconds - int(start)))
            exhaust = (1 - np.exp(-span / 10)) * np.exp(-span / 90)
            level[start : start + len(span), tag] += dice.uniform(4, 8) * exhaust
    return level


def gas_fault(dice: np.random.Generator, rate: float) -> Floats:
    """A creep that begins at any time of the day."""
    seconds = WARM_UP_S + int(12 / rate * HOUR)
    creep = np.maximum(np.arange(seconds) - WARM_UP_S, 0) / HOUR * rate
    return gas_normal(dice, seconds, 1)[:, 0] + creep


def ar1(dice: np.random.Generator, phi: float, sigma: float, shape: tuple[int, int]) -> Floats:
    """Give first-order autoregressive noise of a stationary deviation."""
    noise = dice.normal(0, sigma * np.sqrt(1 - phi**2), shape)
    noise[0] = dice.normal(0, sigma, shape[1])
    for row in range(1, shape[0]):
        noise[row] += phi * noise[row - 1]
    return noise


# ---- crowd, persons


def crowd_mean(dice: np.random.Generator, seconds: int, tags: int, begin: Floats) -> Floats:
    """Two peaks a day over 300 persons."""
    hour = (np.arange(seconds)[:, None] / HOUR + begin) % 24
    high = dice.uniform(2500, 4000, (2, tags))
    middle, width = np.array([10.5, 19.5]), 1.6
    peaks = [high[n] * np.exp(-(((hour - middle[n]) / width) ** 2) / 2) for n in range(2)]
    mean: Floats = 300 + peaks[0] + peaks[1]
    return mean


def crowd_normal(dice: np.random.Generator, seconds: int, tags: int) -> Floats:
    """Count what is there: Poisson noise around the mean."""
    return dice.poisson(crowd_mean(dice, seconds, tags, dice.uniform(0, 24, tags))).astype(float)


def crowd_fault(dice: np.random.Generator, rate: float) -> Floats:
    """A surge on top of the morning."""
    seconds = WARM_UP_S + int(5000 / rate * 60)
    begin = dice.uniform(8, 11, 1)
    surge = np.maximum(np.arange(seconds) - WARM_UP_S, 0)[:, None] / 60 * rate
    return dice.poisson(crowd_mean(dice, seconds, 1, begin) + surge).astype(float)[:, 0]


QUICK, SLOW = Blocks(block_s=15.0, count=20), Blocks(block_s=60.0, count=60)
CASES = (
    Case(
        "tank", 90.0, 0.05, QUICK, 0.01, (("0.5 %/min", 0.5), ("1 %/min", 1.0), ("2 %/min", 2.0)),
        tank_normal, tank_fault,
    ),
    Case(
        "gas", 10.0, 0.001, SLOW, 0.1, (("0.5 %LEL/h", 0.5), ("2 %LEL/h", 2.0), ("10 %LEL/h", 10.0)),
        gas_normal, gas_fault,
    ),
    Case(
        "crowd", 5e3, 0.01, QUICK, 1.0, (("10 /min", 10.0), ("30 /min", 30.0), ("100 /min", 100)),
        crowd_normal, crowd_fault,
    ),
)  # fmt: skip


# ---- detectors: (seconds, tags) -> how alarming, (seconds, tags)


def static(case: Case, level: Floats) -> Floats:  # noqa: ARG001
    """A limit as high as normal operation lets it be."""
    return level


def ols(case: Case, level: Floats, window: int = 300) -> Floats:
    """1 / time to limit by the line through the last 300 s, slope less three standard errors as if noise were white."""
    x = np.arange(window) - (window - 1) / 2
    sxx = float(x @ x)
    score = np.zeros_like(level)
    for tag in range(level.shape[1]):
        seen = sliding_window_view(level[:, tag], window)
        slope = seen @ x / sxx
        mean = seen.mean(axis=1)
        rest = np.maximum((seen * seen).sum(axis=1) - window * mean**2 - slope**2 * sxx, 0)
        lower = slope - 3 * np.sqrt(rest / (window - 2) / sxx)
        score[window - 1 :, tag] = hasten(case.limit - (mean + slope * x[-1]), lower)
    return score


def hasten(distance: Floats, lower: Floats) -> Floats:
    """Give 1 / time to limit, 1/s; 0 where the tag does not run to it or is beyond it."""
    runs = (lower > 0) & (distance > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(runs, np.minimum(lower / distance, 1 / FASTEST_S), 0.0)


def ewma(case: Case, level: Floats, fast_s: float = 60.0, base_s: float = 4 * HOUR) -> Floats:  # noqa: ARG001
    """A minute's average over the average of four hours."""
    fast, base = level[0].copy(), level[0].copy()
    score = np.empty_like(level)
    for row in range(len(level)):
        fast += (level[row] - fast) / (fast_s + 1)
        base += (level[row] - base) / (base_s + 1)
        score[row] = fast - base
    return score


def ours(case: Case, level: Floats, blocks: Blocks | None = None) -> Floats:
    """1 / time to limit by the product's filter or line: slope less its standard errors."""
    table = table_of(case, level.shape[1], blocks)
    memory, rules = Memory.fresh(table, 0), np.arange(level.shape[1])
    score = np.zeros_like(level)
    for row in range(len(level)):
        advance(table, memory, rules, level[row], np.full(len(rules), (row + 1) * S))
        now = Forecast(table, memory, rules)
        score[row] = np.where(now.is_ready, hasten(now.distance, now.slope - now.z * now.slope_error), 0.0)
    return score


def by_blocks(case: Case, level: Floats) -> Floats:
    """The line through blocks by least squares."""
    return ours(case, level, case.blocks)


def by_median(case: Case, level: Floats) -> Floats:
    """The line through blocks by the median of the slopes of all pairs."""
    return ours(case, level, replace(case.blocks, line="theil-sen"))


def table_of(case: Case, tags: int, blocks: Blocks | None = None) -> RuleTable:
    """Give one TREND rule a tag."""
    names = [f"T-{n}" for n in range(tags)]
    rules = [
        Rule(
            id=f"{name}.TREND", tag=name, kind=Kind.TREND, setpoint=case.limit, tier=Tier.YELLOW, horizon_s=600.0,
            alpha=0.0 if blocks else case.alpha, samples_min=10, blocks=blocks,
        )
        for name in names
    ]  # fmt: skip
    tags_ = TagTable([Tag(name=name, source="s", resolution=case.resolution) for name in names])
    return RuleTable(rules, tags_)


DETECTORS: dict[str, Callable[[Case, Floats], Floats]] = {
    "static limit": static,
    "OLS 300 s, 3 SE": ols,
    "EWMA 60 s - 4 h": ewma,
    "TREND, kalman (ours)": ours,
    "TREND, blocks ols (ours)": by_blocks,
    "TREND, blocks theil-sen (ours)": by_median,
}


# ---- judging


def threshold(score: Floats, tag_days: float) -> float:
    """Give what at most one (tag, hour) in 30 tag-days is above."""
    hours = score[WARM_UP_S:]
    hours = hours[: len(hours) // HOUR * HOUR].reshape(-1, HOUR, score.shape[1]).max(axis=1)
    allowed = max(1, int(tag_days / DAYS_PER_FALSE_ALARM))
    return float(np.sort(hours.ravel())[-1 - allowed])


def lead_s(level: Floats, score: Floats, least: float, limit: float) -> float:
    """Give how long before the limit the score first passed its threshold, s; NaN where it did not.

    The limit counts as reached when a minute's mean is at it: a single noisy sample is no breach.
    """
    mean = np.convolve(level, np.ones(60) / 60)[: len(level)]
    reached = int(np.argmax(mean >= limit)) if (mean >= limit).any() else len(level)
    found = np.flatnonzero(score[WARM_UP_S:reached] > least)
    return float(reached - WARM_UP_S - found[0]) if len(found) else float("nan")


def judge(case: Case, days: int, tags: int, faults: int, seed: int) -> Iterator[tuple[str, str, float, list[str]]]:
    """Give (case, detector, threshold, lead times in words) for each detector."""
    dice = np.random.default_rng([seed, CASES.index(case)])
    normal = case.normal(dice, days * DAY + WARM_UP_S, tags)
    wrong = {name: [case.fault(dice, rate) for _ in range(faults)] for name, rate in case.rates}
    for name, detector in DETECTORS.items():
        least = threshold(detector(case, normal), days * tags)
        told = []
        for series in wrong.values():
            level = np.stack(series, axis=1)
            score = detector(case, level)
            leads = np.array([lead_s(level[:, n], score[:, n], least, case.limit) for n in range(faults)])
            warned = np.isfinite(leads)
            median = f"{np.median(leads[warned]):,.0f} s" if warned.any() else "-"
            told.append(f"{median} ({warned.mean():.0%})")
        yield case.name, name, least, told


def drift(updates: int, seed: int) -> float:
    """Give how far a filter is off after many updates, in standard errors of the slope, from one that just started.

    Uneven samples, a level near 1e5 with noise of 0.01: the hardest case for sums that are never renewed.
    """
    case = Case("drift", 2e5, 0.05, CASES[0].blocks, 0.0, (), tank_normal, tank_fault)
    rows = 100
    table = table_of(case, rows)
    old, rules = Memory.fresh(table, 0), np.arange(rows)
    dice = np.random.default_rng(seed)
    steps, young = updates // rows, Memory.fresh(table, 0)
    level, time_ns = np.full(rows, 1e5), np.full(rows, S)
    for step in range(steps):
        level = level + dice.normal(0, 0.001, rows)
        time_ns = time_ns + dice.integers(S // 2, 3 * S // 2, rows)
        value = level + dice.normal(0, 0.01, rows)
        advance(table, old, rules, value, time_ns)
        if step > steps - 3000:
            advance(table, young, rules, value, time_ns)
    a, b = Forecast(table, old, rules), Forecast(table, young, rules)
    return float(np.max(np.abs(a.slope - b.slope) / a.slope_error))


def honesty(
    phi: float, blocks: Blocks, seed: int, hours: int = 6, rows: int = 200
) -> tuple[float, float, float, float]:
    """Compare slopes of AR(1) noise with their standard errors: ours, and as if blocks were white.

    Returns:
        Standard deviation of slope / SE and how often it is beyond 4 (of pure chance 6e-5), of ours and of white.
    """
    table = table_of(CASES[0], rows, blocks)
    memory, rules = Memory.fresh(table, 0), np.arange(rows)
    dice, found = np.random.default_rng(seed), []
    value = dice.normal(0, 1, rows)
    for second in range(hours * HOUR):
        value = phi * value + np.sqrt(1 - phi * phi) * dice.normal(0, 1, rows)
        advance(table, memory, rules, value, np.full(rows, (second + 1) * S))
        if second > blocks.span_s + HOUR and second % 60 == 0:
            now, state = Forecast(table, memory, rules), memory.trend_state
            white = np.sqrt(state[:, Slot.STRETCH] * state[:, Slot.P_SLOPE])
            found.append((now.slope / now.slope_error, now.slope / white))
    (a, b), (c, d) = ((float(t.std()), float((abs(t) > FAR).mean())) for t in np.array(found).swapaxes(0, 1))
    return a, b, c, d


def speed(rows: int = 100_000, rounds: int = 20, blocks: Blocks | None = None) -> float:
    """Give the cost of one update, ns per tag, best of some rounds."""
    table = table_of(CASES[0], rows, blocks)
    memory, rules = Memory.fresh(table, 0), np.arange(rows)
    dice, best = np.random.default_rng(1), np.inf
    for step in range(rounds):
        value, time_ns = dice.normal(50, 0.05, rows), np.full(rows, (step + 1) * S)
        before = time.perf_counter()
        advance(table, memory, rules, value, time_ns)
        best = min(best, time.perf_counter() - before)
    return best / rows * 1e9


def main() -> None:
    """Run all cases and print."""
    parser = argparse.ArgumentParser(description="Time to limit against simpler detectors.")
    parser.add_argument("--days", type=int, default=1)
    parser.add_argument("--tags", type=int, default=60)
    parser.add_argument("--faults", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--updates", type=int, default=10_000_000)
    parser.add_argument("--alpha", type=float)
    parser.add_argument("--case", choices=[case.name for case in CASES])
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, numpy {np.__version__}")
    for case in CASES:
        if asked.case not in (None, case.name):
            continue
        print(f"\n| {case.name} to {case.limit:g} | threshold | {' | '.join(name for name, _ in case.rates)} |")
        print("|---|--:|" + "--:|" * len(case.rates))
        for _, name, least, told in judge(case, asked.days, asked.tags, asked.faults, asked.seed):
            is_time = least < 1 and name not in ("static limit", "EWMA 60 s - 4 h")
            shown = f"{1 / least:,.0f} s" if is_time and least > 0 else f"{least:,.1f}"
            print(f"| {name} | {shown} | {' | '.join(told)} |", flush=True)
    if asked.case is None:
        print("\n| slopes of AR(1) noise over their standard error | phi | ours: deviation, beyond 4 | as if white |")
        print("|---|--:|--:|--:|")
        for blocks in (Blocks(block_s=15.0), Blocks(block_s=15.0, line="theil-sen"), Blocks(block_s=60.0)):
            for phi in (0.0, 0.9, 0.98, 0.99):
                std, beyond, white, white_beyond = honesty(phi, blocks, asked.seed)
                name = f"{blocks.line}, {blocks.count} blocks of {blocks.block_s:g} s"
                print(f"| {name} | {phi:g} | {std:.2f}, {beyond:.1e} | {white:.2f}, {white_beyond:.1e} |", flush=True)
        print(f"\none update: {speed():.0f} ns per tag at 100k tags; blocks {speed(blocks=CASES[0].blocks):.0f} ns")
        print(f"{asked.updates:,} updates: {drift(asked.updates, asked.seed):.1e} standard errors from a young filter")


if __name__ == "__main__":
    main()
