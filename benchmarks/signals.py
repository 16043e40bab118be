"""Which TREND and which DRIFT suits which kind of signal: lead before the limit and false alarms, by kind of tag.

Run: python -m benchmarks.signals [--kind gas] [--tags 12] [--faults 8] [--seed 1]
Prints a table for each kind of signal, losing rows too; the product's defaults (``alerting.model.signal``) are marked.

Each kind has a story of normal operation and a fault at three rates, all synthetic. The first day is for warming up.
Two days of normal operation set each detector's threshold: the highest that any tag reached. Another day counts false
alarms (hours of a tag above it). Then each tag of the fault columns goes wrong; what counts is the median time before
the limit at which the detector first speaks, and the share of faults that it speaks of at all. Numbers belong to these
stories; what counts is the order of the rows in one run.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from alerting.core import Memory
from alerting.core.drift import Wait
from alerting.core.drift import advance as advance_drifts
from alerting.core.memory import Wander
from alerting.core.trend import Forecast
from alerting.core.trend import advance as advance_trends
from alerting.model.blocks import Blocks
from alerting.model.drift import SETPOINT, Drift
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.signal import signal_of
from alerting.model.tier import Tier
from edge.model import Tag, TagTable

Floats = NDArray[np.float64]
S = 1_000_000_000
HOUR, DAY = 3600, 86_400
WARM_UP_S, LEARNT_S, BEGIN_S = DAY, 3 * DAY, 4 * DAY
FASTEST_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """A kind of signal.

    Attributes:
        normal: Gives (steps, tags) of normal operation.
        limit: What the fault runs to, eu.
        rates: Of the fault, eu per hour, and what people call them.
        period_s: Between two samples, s.
        resolution: What the instrument tells apart, eu.
        takes_over: The fault is not added to normal operation but goes on from where the tag is.
    """

    normal: Callable[[np.random.Generator, Floats, int], Floats]
    limit: float
    rates: tuple[tuple[str, float], ...]
    period_s: float
    resolution: float
    takes_over: bool = False


def correlated(dice: np.random.Generator, phi: float, sigma: float, steps: int, tags: int) -> Floats:
    """Give first-order autoregressive noise of a stationary deviation."""
    noise = dice.normal(0, sigma * np.sqrt(1 - phi**2), (steps, tags))
    noise[0] = dice.normal(0, sigma, tags)
    for row in range(1, steps):
        noise[row] += phi * noise[row - 1]
    return noise


def daily(dice: np.random.Generator, time_s: Floats, tags: int, high: float) -> Floats:
    """Give a sine of a day that begins anywhere."""
    wave: Floats = high * np.sin(2 * np.pi * (time_s[:, None] / DAY + dice.random(tags)))
    return wave


def stairs(dice: np.random.Generator, time_s: Floats, tags: int, high: float, a_day: float) -> Floats:
    """Give steps to a new place within +-high, so many a day."""
    found = np.empty((len(time_s), tags))
    for tag in range(tags):
        turns = dice.random(len(time_s)) < a_day / DAY * (time_s[1] - time_s[0])
        found[:, tag] = dice.uniform(-high, high, len(time_s))[np.cumsum(turns)]
    return found


def level(dice: np.random.Generator, time_s: Floats, tags: int) -> Floats:
    """%: fills at 0.5 to 2 % a minute that stop at 80 +- 1, rests, empties."""
    found = np.empty((len(time_s), tags))
    for tag in range(tags):
        at, values = 0.0, [dice.uniform(30, 80)]
        times = [0.0]
        while at < time_s[-1]:
            stop, low = 80 + dice.uniform(-1, 1), dice.uniform(20, 50)
            for goal in (stop, low):
                at += abs(goal - values[-1]) / dice.uniform(0.5, 2) * 60
                times.append(at)
                values.append(goal)
                at += dice.uniform(600, 3600)
                times.append(at)
                values.append(goal)
        found[:, tag] = np.interp(time_s, times, values)
    return np.asarray(found + dice.normal(0, 0.05, found.shape), dtype=np.float64)


def pressure(dice: np.random.Generator, time_s: Floats, tags: int) -> Floats:
    """kPa: a line at 1,000 with a day of +-20 and new demand four times a day."""
    base = 1000 + daily(dice, time_s, tags, 20) + stairs(dice, time_s, tags, 30, 4)
    return base + correlated(dice, 0.9, 3.0, len(time_s), tags)


def temperature(dice: np.random.Generator, time_s: Floats, tags: int) -> Floats:
    """°C: a store at 25 with a day of +-6 and weather of +-2 in five days."""
    weather = 2 * np.sin(2 * np.pi * (time_s[:, None] / (5.3 * DAY) + dice.random(tags)))
    noise = correlated(dice, 0.95, 0.15, len(time_s), tags)
    return np.asarray(25 + weather + daily(dice, time_s, tags, 6) + noise, dtype=np.float64)


def gas(dice: np.random.Generator, time_s: Floats, tags: int) -> Floats:
    """%LEL: noise, a day of +-0.8, three exhaust spikes a day."""
    found = daily(dice, time_s, tags, 0.8) + correlated(dice, 0.5, 0.3, len(time_s), tags)
    step_s = time_s[1] - time_s[0]
    span = np.arange(int(600 / step_s)) * step_s
    for tag in range(tags):
        for start in np.flatnonzero(dice.random(len(time_s)) < 3 / DAY * step_s):
            part = span[: len(time_s) - int(start)]
            exhaust = (1 - np.exp(-part / 10)) * np.exp(-part / 90)
            found[start : start + len(part), tag] += dice.uniform(4, 8) * exhaust
    return found


def flow(dice: np.random.Generator, time_s: Floats, tags: int) -> Floats:
    """m³/h: 100 with batches that change it by up to 12, six a day."""
    return 100 + stairs(dice, time_s, tags, 12, 6) + correlated(dice, 0.5, 1.5, len(time_s), tags)


def count(dice: np.random.Generator, time_s: Floats, tags: int) -> Floats:
    """Persons: two peaks a day of 2,500 to 4,000 over 300, other ones each day."""
    hour = (time_s[:, None] / HOUR + dice.uniform(0, 24, tags)) % 24
    day = (time_s // DAY).astype(int)
    high = dice.uniform(2500, 4000, (2, day[-1] + 1, tags))
    peaks = [high[n][day] * np.exp(-(((hour - middle) / 1.6) ** 2) / 2) for n, middle in enumerate((10.5, 19.5))]
    persons: NDArray[np.float64] = dice.poisson(300 + peaks[0] + peaks[1]).astype(float)
    return persons


def displacement(dice: np.random.Generator, time_s: Floats, tags: int) -> Floats:
    """Mm: a slope that the sun moves by +-1.5 a day."""
    return daily(dice, time_s, tags, 1.5) + correlated(dice, 0.5, 0.3, len(time_s), tags)


STORIES = {
    "level": Story(
        normal=level, limit=90.0, rates=(("0.5 %/min", 30.0), ("1 %/min", 60.0), ("2 %/min", 120.0)),
        period_s=10.0, resolution=0.01, takes_over=True,
    ),
    "pressure": Story(
        normal=pressure, limit=1150.0, rates=(("20 kPa/h", 20.0), ("100 kPa/h", 100.0), ("500 kPa/h", 500.0)),
        period_s=30.0, resolution=0.1,
    ),
    "temperature": Story(
        normal=temperature, limit=60.0, rates=(("2 °C/h", 2.0), ("10 °C/h", 10.0), ("60 °C/h", 60.0)),
        period_s=30.0, resolution=0.1,
    ),
    "gas": Story(
        normal=gas, limit=10.0, rates=(("0.5 %LEL/h", 0.5), ("2 %LEL/h", 2.0), ("10 %LEL/h", 10.0)),
        period_s=30.0, resolution=0.1,
    ),
    "flow": Story(
        normal=flow, limit=140.0, rates=(("5 m³/h in 1 h", 5.0), ("20 m³/h in 1 h", 20.0), ("100 m³/h in 1 h", 100.0)),
        period_s=30.0, resolution=0.1,
    ),
    "count": Story(
        normal=count, limit=5000.0, rates=(("10 /min", 600.0), ("30 /min", 1800.0), ("100 /min", 6000.0)),
        period_s=30.0, resolution=1.0,
    ),
    "displacement": Story(
        normal=displacement, limit=20.0, rates=(("0.3 mm/h", 0.3), ("1 mm/h", 1.0), ("5 mm/h", 5.0)),
        period_s=600.0, resolution=0.1,
    ),
}  # fmt: skip


# ---- detectors


@dataclass(frozen=True, slots=True, kw_only=True)
class Detector:
    """A TREND or a DRIFT with its settings.

    Attributes:
        name: What the table calls it.
        is_default: The product takes it for this kind of tag where a rule says nothing.
    """

    name: str
    alpha: float = 0.0
    blocks: Blocks | None = None
    drift: Drift | None = None
    is_default: bool = False


def detectors(kind: str, period_s: float) -> list[Detector]:
    """Give all that are tried on a kind of signal."""
    signal = signal_of(kind)
    usual = signal.alpha(period_s)
    found = [
        Detector(name=f"TREND, alpha {alpha:g}", alpha=alpha, is_default=alpha == usual)
        for alpha in sorted({0.2, 0.05, 0.02, 0.01, 0.003, 0.001, usual}, reverse=True)
    ]
    for line in ("ols", "theil-sen"):
        blocks = Blocks(block_s=15 * period_s, count=20, line=line)
        found.append(Detector(name=f"TREND, 20 blocks of 15 samples, {line}", blocks=blocks))
    for name, span_s, base_s, season in (
        ("ewma", 300.0, 4.0 * HOUR, "day"),
        ("ewma", 900.0, 24.0 * HOUR, "day"),
        ("ewma", 3600.0, 24.0 * HOUR, "day"),
        ("cusum", 300.0, 4.0 * HOUR, "day"),
        ("ewma", 300.0, 4.0 * HOUR, "none"),
    ):
        drift = Drift(detector=name, season=season, span_s=max(span_s, period_s), base_s=base_s, warm_up_s=WARM_UP_S)
        mine = (signal.detector, signal.season, signal.span_s, signal.base_s)
        found.append(
            Detector(
                name=f"DRIFT, {name} {drift.span_s / 60:g} min - {base_s / HOUR:g} h, season {season}",
                drift=drift,
                is_default=mine == (name, season, span_s, base_s),
            )
        )
    return found


def rule_of(detector: Detector, name: str, story: Story) -> Rule:
    """Give the rule of a detector on one tag; only its statistic is looked at."""
    common = Rule(id="", tag=name, kind=Kind.TREND, setpoint=story.limit, tier=Tier.BLUE)
    if detector.drift is not None:
        setpoint = SETPOINT[detector.drift.detector]
        return replace(common, id=f"{name}.DRIFT", kind=Kind.DRIFT, setpoint=setpoint, drift=detector.drift)
    return replace(
        common, id=f"{name}.TREND", horizon_s=600.0, alpha=detector.alpha, samples_min=10, blocks=detector.blocks
    )


def scores(found: list[Detector], story: Story, time_s: Floats, values: Floats) -> NDArray[np.float32]:
    """Run all detectors over all columns at once; give how alarming each is, (detectors, steps, columns)."""
    steps, columns = values.shape
    names = [f"{d:02}.{c:03}" for d in range(len(found)) for c in range(columns)]
    tags = TagTable([Tag(name=n, source="s", period_s=story.period_s, resolution=story.resolution) for n in names])
    rules = [rule_of(found[n // columns], name, story) for n, name in enumerate(names)]
    table = RuleTable(rules, tags)
    memory, every = Memory.fresh(table, 0), np.arange(len(rules))
    is_drift = table.kind == Kind.DRIFT
    drifts, trends = every[is_drift], every[~is_drift]
    score = np.zeros((steps, len(rules)), dtype=np.float32)
    for step in range(steps):
        time_ns = np.full(len(rules), round(time_s[step] * S) + DAY * S)
        value = np.tile(values[step], len(found))
        advance_trends(table, memory, trends, value[trends], time_ns[trends])
        advance_drifts(table, memory, drifts, value[drifts], time_ns[drifts])
        now = Forecast(table, memory, trends)
        with np.errstate(divide="ignore"):
            haste = np.minimum(1 / now.sure_s, 1 / FASTEST_S)
        score[step, trends] = np.where(now.is_ready & (now.distance > 0), haste, 0.0)
        state = memory.drift_state[memory.drift_of[drifts]]
        score[step, drifts] = np.where(state[:, Wander.WAITS] == Wait.NO, state[:, Wander.SCORE], 0.0)
    return score.reshape(steps, len(found), columns).swapaxes(0, 1)


# ---- judging


def columns_of(story: Story, tags: int, faults: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """Give times, values (normal columns, then the faults by rate) and when each fault reaches the limit, s."""
    dice = np.random.default_rng(seed)
    begin_s = BEGIN_S + dice.uniform(0, DAY, (len(story.rates), faults))
    longest_s = max(story.limit / rate for _, rate in story.rates) * HOUR
    time_s = np.arange(story.period_s, BEGIN_S + DAY + min(longest_s, 4.0 * DAY), story.period_s)
    values = story.normal(dice, time_s, tags + begin_s.size)
    reached = np.full(begin_s.size, np.inf)
    for n, begin in enumerate(begin_s.ravel()):
        rate = story.rates[n // faults][1]
        climb = np.maximum(time_s - begin, 0) / HOUR * rate
        column = values[:, tags + n]
        if story.takes_over:
            first = int(np.searchsorted(time_s, begin))
            column[first:] = column[first] + climb[first:] + dice.normal(0, 0.05, len(time_s) - first)
        else:
            column += climb
        smooth = np.convolve(column, np.ones(5) / 5)[: len(column)]
        beyond = np.flatnonzero((smooth >= story.limit) & (time_s > begin))
        reached[n] = time_s[beyond[0]] if len(beyond) else np.inf
    values = np.round(values / story.resolution) * story.resolution
    return time_s, values, np.stack([begin_s.ravel(), reached])


def judge(kind: str, tags: int, faults: int, seed: int) -> Iterator[tuple[str, float, list[tuple[float, float]]]]:
    """Give of each detector its name, false alarms a tag and day, and (median lead, share) by rate."""
    story = STORIES[kind]
    time_s, values, (begin_s, reached_s) = columns_of(story, tags, faults, seed)
    found = detectors(kind, story.period_s)
    plain = [("limit just above what was seen", values)]
    told = [(f"{d.name}{' ← default' if d.is_default else ''}", None) for d in found]
    tables = scores(found, story, time_s, values)
    learnt = (time_s > WARM_UP_S) & (time_s <= LEARNT_S)
    held_out = (time_s > LEARNT_S) & (time_s <= BEGIN_S)
    for n, (name, given) in enumerate([*plain, *told]):
        score = tables[n - 1] if given is None else given
        least = float(score[learnt, :tags].max())
        hours = int(HOUR / story.period_s)
        quiet = score[held_out][: np.count_nonzero(held_out) // hours * hours]
        false = (quiet.reshape(-1, hours, score.shape[1]).max(axis=1) > least).sum() / score.shape[1]
        leads = []
        for rate in range(len(story.rates)):
            lead = []
            for column in range(rate * faults, (rate + 1) * faults):
                here = (time_s >= begin_s[column]) & (time_s < reached_s[column])
                at = np.flatnonzero(here & (score[:, tags + column] > least))
                lead.append(reached_s[column] - time_s[at[0]] if len(at) else np.nan)
            heard = np.array(lead)[np.isfinite(lead)]
            leads.append((float(np.median(heard)) if len(heard) else np.nan, len(heard) / faults))
        yield name, float(false), leads


def main() -> None:
    """Print a table for each kind."""
    parser = argparse.ArgumentParser(description="Which TREND and which DRIFT suits which kind of signal.")
    parser.add_argument("--kind", choices=list(STORIES))
    parser.add_argument("--tags", type=int, default=12)
    parser.add_argument("--faults", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    print(f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, numpy {np.__version__}")
    for kind, story in STORIES.items():
        if asked.kind not in (None, kind):
            continue
        rates = " | ".join(name for name, _ in story.rates)
        print(f"\n| {kind}, every {story.period_s:g} s, to {story.limit:g} | {rates} | false a tag and day |")
        print("|---|" + "--:|" * (len(story.rates) + 1))
        for name, false, leads in judge(kind, asked.tags, asked.faults, asked.seed):
            told = [f"{lead:,.0f} s ({share:.0%})" if share else "- (0%)" for lead, share in leads]
            print(f"| {name} | {' | '.join(told)} | {false:.2f} |", flush=True)


if __name__ == "__main__":
    main()
