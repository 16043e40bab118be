"""Trends beside well-set limits: what TREND, DRIFT, FROZEN and DEVIATION add to limits set by our own tuning advice.

Run: python -m benchmarks.limits [--train-days 4] [--held-out-days 2] [--faults 2] [--seeds 1,2] [--fastest]
Prints one table, a row a case and rate; losing rows too. The numbers belong to these synthetic stories.

Flow: normal operation -> [profile, advise, twice] -> limits; the same -> [Maxima] -> thresholds; all of it and the
    faults -> [Carrier] once with the limits, once with limits and trends -> figures
Why: a trend that beats a badly set limit says nothing.

The signals are those of ``benchmarks.trend``, made each second and read every 10 s. Each series is a tag of its own
(some are two): it trains, is held out, and goes wrong once; each seed is a site of its own. What is set, is set on the
training span alone:

* limits: HH where the story has its consequence, and LL; H and L, deadbands and on-delays by
  ``gateway.backtest.advice`` for each tag, taken twice because deadbands and delays are advised for what rings.
* TREND to HH: the horizon is 0.8 of the shortest time to limit in training (docs/core.md, Choosing: 4 of 5 min). The
  gains have the memory in time that the defaults have at a sample a second.
* DRIFT: the setpoint is the greatest score in training over 0.8, at least the default. ``fengsui learn`` would want
  weeks.
* FROZEN: 240 s without a resolution's move while the tank fills, 600 s for gas.
* DEVIATION: six standard deviations of the difference, held for two periods.

Consequence: a minute's mean of the *true* value reaches HH. A detection is a trip between the start of the fault and
that; what trips later, or was active before, is none.
"""

import argparse
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from alerting.model.drift import SETPOINT, Drift
from alerting.model.rule import LIMITS, Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from benchmarks.trend import DAY, Floats, crowd_normal, gas_normal, ramp, tank_normal
from edge.clock_system import SystemClock
from edge.config import MqttOptions, Source
from edge.model import Tag, TagTable
from gateway.backtest import advice as tuning
from gateway.backtest.carry import Carrier
from gateway.backtest.profile import Profile
from gateway.backtest.score import Heard
from gateway.config import Site
from gateway.learn.collect import Maxima
from gateway.recording import Steps

S = 1_000_000_000
PERIOD_S = 10
T0_NS = 1_767_225_600 * S  # 2026-01-01, so that a day of the profile is a day.
CHUNK = 20_000
SHARE, HORIZON_MOST_S = 0.8, 86_400.0
GAUGE_NOISE = 0.05  # of one gauge, %
FLAT_TANK_S, FLAT_GAS_S = 240.0, 600.0
RATES = {
    "tank fills on": ("%/min", (0.5, 1.0, 2.0)),
    "gas creeps": ("%LEL/h", (0.5, 2.0, 10.0)),
    "crowd surges": ("/min", (10.0, 30.0, 100.0)),
    "gauge frozen while filling": ("%/min", (0.5, 1.0, 2.0)),
    "one of two gauges drifts": ("%/h", (1.0, 2.0, 5.0)),
    "gas sensor stuck low": ("%LEL/h", (0.5, 2.0, 10.0)),
}
SETTINGS = {  # kind of tag: HH, LL, gain, resolution, whether it has a usual day
    "level": (90.0, 5.0, 0.05 * PERIOD_S / 1.0, 0.01, False),
    "gas": (10.0, -5.0, 0.001 * PERIOD_S, 0.1, True),
    "count": (5000.0, None, 0.01 * PERIOD_S, 1.0, True),
}


@dataclass(slots=True, kw_only=True)
class Series:
    """One fault: the tags that show it, and what is true.

    Attributes:
        shown: Values by role, each (steps,); every role is a tag.
        start: Step at which it begins to go wrong.
        end: Step of the consequence.
    """

    case: str
    rate: float
    shown: dict[str, Floats]
    start: int
    end: int
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One fault under both configurations: leads before the consequence in s, NaN where not detected.

    Attributes:
        ringing: With limits and all rules but the silent DRIFT.
        first: Kind of the rule that was first.
        false_limits, false_ringing, false_all: Trips on held-out normal operation a tag and day.
    """

    case: str
    rate: float
    limits: float
    ringing: float
    all: float
    first: str
    false_limits: float
    false_ringing: float
    false_all: float


# ---- stories


def stories(seed: int, normal: int, faults: int, *, is_fastest: bool) -> Iterator[Series]:
    """Give all series of a seed; ``normal`` is the number of steps before the faults."""
    dice = np.random.default_rng([seed, 77])
    for case, (_, rates) in RATES.items():
        for rate in rates[-1:] if is_fastest else rates:
            for _ in range(faults):
                yield STORIES[case](dice, case, rate, normal)


def filling(dice: np.random.Generator, case: str, rate: float, normal: int) -> Series:
    """A fill that does not stop; with a second tag for the inflow the gauge sticks at 60 %."""
    before = tank_normal(dice, normal * PERIOD_S, 1)[:, 0]
    down, fill = ramp(float(before[-1]), 40.0, 2 / 60), ramp(40.0, 92.0, rate / 60)
    after = np.concatenate([down, np.full(3600, 40.0), fill, np.full(600, 92.0)])
    true = np.concatenate([before, after + dice.normal(0, 0.05, len(after))])[::PERIOD_S]
    start = normal + (len(down) + 3600) // PERIOD_S
    if case == "tank fills on":
        return Series(case=case, rate=rate, shown={"level": true}, start=start, end=reached(true, 90.0, start))
    slope = np.zeros_like(true)
    slope[3:-3] = true[6:] - true[:-6]  # %/min: what flows in, as a meter beside the gauge tells it
    stuck = start + int(np.argmax(true[start:] >= 60.0))  # noqa: PLR2004
    shown = true.copy()
    shown[stuck:] = true[stuck]
    roles = {"level": shown, "inflow": np.where(slope > 0.25, slope, 0.0)}  # noqa: PLR2004
    return Series(case=case, rate=rate, shown=roles, start=stuck, end=reached(true, 90.0, stuck))


def drifting(dice: np.random.Generator, case: str, rate: float, normal: int) -> Series:
    """Gauge A runs the tank and comes to read too low; the tank is filled that much higher, and gauge B shows it."""
    steps = normal + int((10 / rate + 6) * 3600 / PERIOD_S)
    base = tank_normal(dice, steps * PERIOD_S, 1)[::PERIOD_S, 0]
    error = np.maximum(np.arange(steps) - normal, 0) * PERIOD_S / 3600 * rate
    true = base + error
    a, b = (each + dice.normal(0, GAUGE_NOISE, steps) for each in (base, true))
    return Series(case=case, rate=rate, shown={"level": a, "level_b": b}, start=normal, end=reached(true, 90.0, normal))


def creeping(dice: np.random.Generator, case: str, rate: float, normal: int) -> Series:
    """Gas creeps up at any time of the day; a stuck sensor says zero with the noise of its electronics meanwhile."""
    steps = normal + int(14 / rate * 3600 / PERIOD_S)
    true = gas_normal(dice, steps * PERIOD_S, 1)[::PERIOD_S, 0]
    true += np.maximum(np.arange(steps) - normal, 0) * PERIOD_S / 3600 * rate
    shown = true.copy()
    if case == "gas sensor stuck low":
        shown[normal:] = dice.normal(0, 0.02, steps - normal)
    return Series(case=case, rate=rate, shown={"gas": shown}, start=normal, end=reached(true, 10.0, normal))


def surging(dice: np.random.Generator, case: str, rate: float, normal: int) -> Series:
    """A surge on top of the day."""
    steps = normal + int(5000 / rate * 60 / PERIOD_S)
    true = crowd_normal(dice, steps * PERIOD_S, 1)[::PERIOD_S, 0]
    true += dice.poisson(np.maximum(np.arange(steps) - normal, 0) * PERIOD_S / 60 * rate)
    return Series(case=case, rate=rate, shown={"count": true}, start=normal, end=reached(true, 5000.0, normal))


STORIES = {
    "tank fills on": filling,
    "gas creeps": creeping,
    "crowd surges": surging,
    "gauge frozen while filling": filling,
    "one of two gauges drifts": drifting,
    "gas sensor stuck low": creeping,
}


def reached(true: Floats, limit: float, start: int) -> int:
    """Give the first step from ``start`` on at which a minute's mean is at the limit."""
    width = 60 // PERIOD_S
    mean = np.convolve(true, np.ones(width))[: len(true)] / width
    hit = np.flatnonzero(mean[start:] >= limit)
    assert len(hit), "a story runs until its consequence"
    return start + int(hit[0])


# ---- site and rules


def tags_of(all_series: Sequence[Series]) -> TagTable:
    """Make a tag of each role of each series."""
    tags = []
    for n, series in enumerate(all_series):
        for role in series.shown:
            kind = {"level_b": "level", "inflow": "flow"}.get(role, role)
            resolution = SETTINGS[kind][3] if kind in SETTINGS else 0.0
            series.names[role] = f"S{n:03}.{role}"
            name = series.names[role]
            tags.append(
                Tag(name=name, source="s", unit="U", kind=kind, period_s=float(PERIOD_S), resolution=resolution)
            )
    return TagTable(tags)


def outer_limits(tags: TagTable) -> list[Rule]:
    """Give HH and LL: where the consequence is; what lies before is for the advice."""
    found = []
    for tag in tags:
        if tag.kind in SETTINGS:
            high, low, *_ = SETTINGS[tag.kind]
            found.append(Rule(id=f"{tag.name}.HH", tag=tag.name, kind=Kind.HH, setpoint=float(high), tier=Tier.ORANGE))
            if low is not None:
                found.append(Rule(id=f"{tag.name}.LL", tag=tag.name, kind=Kind.LL, setpoint=low, tier=Tier.ORANGE))
    return found


def trends(tags: TagTable) -> list[Rule]:
    """Give a TREND to HH for each tag that has one, as yet with the longest horizon."""
    return [
        Rule(
            id=f"{tag.name}.TREND",
            tag=tag.name,
            kind=Kind.TREND,
            setpoint=float(SETTINGS[tag.kind][0]),
            to="HH",
            tier=Tier.YELLOW,
            horizon_s=HORIZON_MOST_S,
            alpha=float(SETTINGS[tag.kind][2]),
            samples_min=10,
        )
        for tag in tags
        if tag.kind in SETTINGS
    ]


def drifts(tags: TagTable) -> list[Rule]:
    """Give a DRIFT for each tag that has a usual day, as yet with the default setpoint."""
    return [
        Rule(
            id=f"{tag.name}.DRIFT",
            tag=tag.name,
            kind=Kind.DRIFT,
            setpoint=SETPOINT["ewma"],
            tier=Tier.BLUE,
            drift=Drift(),
        )
        for tag in tags
        if tag.kind in SETTINGS and SETTINGS[tag.kind][4]
    ]


def other_rules(all_series: Sequence[Series], tags: TagTable, train: int) -> Iterator[Rule]:
    """Give FROZEN and DEVIATION, set on the first ``train`` steps."""
    for tag in tags:
        if tag.kind == "gas":
            yield frozen(tag, FLAT_GAS_S)
    for series in all_series:
        name = series.names.get("level", "")
        if "inflow" in series.shown:
            yield frozen(tags[tags.row_of[name]], FLAT_TANK_S, series.names["inflow"])
        if "level_b" in series.shown:
            apart = float(np.std((series.shown["level"] - series.shown["level_b"])[:train]))
            yield Rule(
                id=f"{name}.DEVIATION",
                tag=name,
                kind=Kind.DEVIATION,
                setpoint=tuning.round_out(6 * apart, 6 * apart, 1.0),
                reference=series.names["level_b"],
                tier=Tier.YELLOW,
                on_delay_s=2.0 * PERIOD_S,
            )


def frozen(tag: Tag, flat_s: float, while_tag: str = "") -> Rule:
    """Give a FROZEN rule with the band of the tag's resolution."""
    return Rule(
        id=f"{tag.name}.FROZEN",
        tag=tag.name,
        kind=Kind.FROZEN,
        setpoint=flat_s,
        band=tag.resolution,
        while_tag=while_tag,
        tier=Tier.YELLOW,
    )


def site_of(rules: RuleTable) -> Site:
    """Give a site of one source."""
    return Site(
        id="bench",
        title={"en": "Bench", "zh": "测量"},
        timezone="UTC",
        sources=(Source(id="s", protocol="mqtt", mqtt=MqttOptions(host="127.0.0.1")),),
        tags=rules.tags,
        units=(HazardUnit(id="U"),),
        rules=rules,
    )


# ---- one run


def recording(all_series: Sequence[Series], first: int, end: int) -> Iterator[Steps]:
    """Give steps ``first`` to ``end`` of all tags; a tag whose story is over sends nothing more."""
    columns = [values for series in all_series for values in series.shown.values()]
    longest = min(end, max(map(len, columns)))
    for at in range(first, longest, CHUNK):
        to = min(at + CHUNK, longest)
        values = np.full((to - at, len(columns)), np.nan)
        for c, column in enumerate(columns):
            part = column[at:to]
            values[: len(part), c] = part
        number = np.arange(at, to, dtype=np.int64)
        yield Steps(
            times_ns=T0_NS + number * PERIOD_S * S,
            rows=np.arange(len(columns), dtype=np.int32),
            values=values,
            present=np.isfinite(values),
            quality=None,
            numbers=number + 1,
            share=to / longest,
        )


def carry(rules: RuleTable, steps: Iterator[Steps], profile: Profile | None = None) -> tuple[Heard, int]:
    """Carry a recording; give what was heard and its last time."""
    heard = Heard(rules)
    carrier = Carrier(site_of(rules), heard.tell, heard.hear)
    for chunk in steps:
        carrier.take(chunk)
        if profile is not None:
            profile.take(chunk)
    return heard, carrier.done.end_ns


def well_set(all_series: Sequence[Series], tags: TagTable, train: int) -> RuleTable:
    """Give limits by our own tuning advice, taken twice, from the training span."""
    table = RuleTable(outer_limits(tags), tags)
    for _ in range(2):
        profile = Profile(tags, [])
        heard, end_ns = carry(table, recording(all_series, 0, train), profile)
        table = tuning.apply(table, tuning.advise(table, profile, heard, [], end_ns))
    return table


def with_thresholds(rules: list[Rule], all_series: Sequence[Series], tags: TagTable, train: int) -> list[Rule]:
    """Give each TREND 0.8 of the shortest time to limit of training, each DRIFT 1 / 0.8 of the greatest score."""
    maxima = Maxima(rules, tags, [])
    for chunk in recording(all_series, 0, train):
        maxima.take(chunk)
    maxima.end()
    found = []
    for k, rule in enumerate(rules):
        most = float(maxima.of(k).max(initial=-np.inf))
        if rule.kind is Kind.DRIFT:
            found.append(replace(rule, setpoint=max(rule.setpoint, most / SHARE)))
        else:
            found.append(replace(rule, horizon_s=min(SHARE * float(np.exp(-most)), HORIZON_MOST_S)))
    return found


def judge(seed: int, train: int, held_out: int, faults: int, *, is_fastest: bool = False) -> list[Found]:
    """Run both configurations on all series of a seed; ``train`` and ``held_out`` in steps."""
    normal = train + held_out
    all_series = list(stories(seed, normal, faults, is_fastest=is_fastest))
    tags = tags_of(all_series)
    limits = well_set(all_series, tags, train)
    ours = [
        *with_thresholds([*trends(tags), *drifts(tags)], all_series, tags, train),
        *other_rules(all_series, tags, train),
    ]
    both = RuleTable([*limits, *ours], tags)
    end = max(series.end for series in all_series) + 1
    alone, _ = carry(limits, recording(all_series, 0, end))
    beside, _ = carry(both, recording(all_series, 0, end))
    return [found_of(series, alone, beside, train, normal) for series in all_series]


def found_of(series: Series, alone: Heard, beside: Heard, train: int, normal: int) -> Found:
    """Give the figures of one series."""
    names = set(series.names.values())
    known: list[tuple[float, str]] = []  # of limits and trends: lead, kind
    leads = {"limits": [np.nan], "ringing": [np.nan], "all": [np.nan]}
    false = dict.fromkeys(leads, 0)
    for heard in (alone, beside):
        for k, rule in enumerate(heard.table):
            if rule.tag not in names:
                continue
            step = (np.array(heard.trips.get(k, []), dtype=np.int64) - T0_NS) / (PERIOD_S * S)
            hits = step[(step >= series.start) & (step <= series.end)]
            is_false = int(np.count_nonzero((step >= train) & (step < normal)))
            mine = ["all"] if rule.kind is Kind.DRIFT else ["all", "ringing"]
            if heard is alone:
                mine = ["limits"]
            for each in mine:
                false[each] += is_false
                if len(hits):
                    leads[each].append((series.end - float(hits[0])) * PERIOD_S)
            if heard is beside and len(hits):
                kind = "limit" if rule.kind in LIMITS else rule.kind.name
                known.append(((series.end - float(hits[0])) * PERIOD_S, kind))
    tag_days = len(names) * (normal - train) * PERIOD_S / DAY
    best = {each: max((v for v in found if not np.isnan(v)), default=float("nan")) for each, found in leads.items()}
    return Found(
        case=series.case,
        rate=series.rate,
        limits=best["limits"],
        ringing=best["ringing"],
        all=best["all"],
        first=max(known)[1] if known else "",
        false_limits=false["limits"] / tag_days,
        false_ringing=false["ringing"] / tag_days,
        false_all=false["all"] / tag_days,
    )


# ---- words


def rows_of(found: Sequence[Found]) -> Iterator[str]:
    """Give a row of the table for each case and rate."""
    for case, (eu, rates) in RATES.items():
        for rate in rates:
            mine = [each for each in found if each.case == case and each.rate == rate]
            if not mine:
                continue
            limits, ringing, everything = (
                np.array([getattr(each, name) for each in mine]) for name in ("limits", "ringing", "all")
            )
            kinds = [each.first for each in mine if each.first]
            first = ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds), key=kinds.count)[::-1])
            alarms = (
                float(np.mean([getattr(each, name) for each in mine]))
                for name in ("false_limits", "false_ringing", "false_all")
            )
            pairs = (limits, ringing), (limits, everything), (everything, limits)
            earlier = [sum(map(is_earlier, a.tolist(), b.tolist())) for a, b in pairs]
            cells = [
                f"{case}, {rate:g} {eu}",
                *map(told, (limits, ringing, everything)),
                f"{' / '.join(map(str, earlier))} of {len(mine)}",
                first or "-",
                " / ".join(f"{each:.2f}" for each in alarms),
            ]
            yield f"| {' | '.join(cells)} |"


def told(leads: Floats) -> str:
    """Give the median lead of what was detected, and the share detected."""
    seen = leads[np.isfinite(leads)]
    return f"{np.median(seen):,.0f} s ({len(seen) / len(leads):.0%})" if len(seen) else "- (0%)"


def is_earlier(lead: float, other: float) -> bool:
    """Tell whether the other detected earlier, or at all."""
    return bool(other > lead or (np.isnan(lead) and not np.isnan(other)))


HEAD = (
    "| case | limits | + what rings | + DRIFT (silent) | earlier: rings / all / later | first | false a tag and day |\n"
    "|---|--:|--:|--:|--:|---|--:|"
)


def main() -> None:
    """Run all seeds and print."""
    parser = argparse.ArgumentParser(description="Trends beside limits that are set well.")
    parser.add_argument("--train-days", type=float, default=4.0)
    parser.add_argument("--held-out-days", type=float, default=2.0)
    parser.add_argument("--faults", type=int, default=2, help="series a rate and seed")
    parser.add_argument("--seeds", default="1,2")
    parser.add_argument("--fastest", action="store_true", help="only the fastest rate of each case")
    asked = parser.parse_args()
    train, held_out = (round(days * DAY / PERIOD_S) for days in (asked.train_days, asked.held_out_days))
    seeds = [int(seed) for seed in asked.seeds.split(",")]
    found = [each for seed in seeds for each in judge(seed, train, held_out, asked.faults, is_fastest=asked.fastest)]
    day = np.datetime64(SystemClock().wall_ns(), "ns").astype("datetime64[D]")
    machine = f"{platform.machine()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    print(f"{day}, {machine}, NumPy {np.__version__}, seeds {asked.seeds}\n")
    print(HEAD)
    for row in rows_of(found):
        print(row)


if __name__ == "__main__":
    main()
