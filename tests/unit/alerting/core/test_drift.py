"""Drift: against the oracle, published run lengths and another library, and on stories worked out by hand."""

from collections import Counter
from collections.abc import Iterable
from itertools import product
from typing import Any

import numpy as np
import pytest

from alerting.core import Memory, evaluate, expire
from alerting.core.drift import Drifted, Wait, advance, judge_drifts, relearn
from alerting.core.memory import Wander
from alerting.model.drift import Drift
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Scan, Tag, TagTable
from tests.oracle.slow_evaluate import SlowCore
from tests.unit.alerting.core.scene import BAD, GOOD, RETAINED, START_NS, TIMEOUT, UNCERTAIN, S, at, make_scan

ONE = np.array([0])
DAY = 86_400
#: START_NS is no round time of the day, so that no step begins with the scene.
assert START_NS // S % 900 != 0


def drift(setpoint: float = 6.0, tag: str = "t0", *, gap_s: float = 0.0, **more: Any) -> Rule:  # noqa: ANN401
    delays = {name: more.pop(name, 0.0) for name in ("on_delay_s", "off_delay_s")}
    given = {"season": "none", "span_s": 20.0, "base_s": 400.0, "warm_up_s": 400.0, **more}
    return Rule(
        id=f"{tag}.DRIFT", tag=tag, kind=Kind.DRIFT, setpoint=setpoint, tier=Tier.BLUE, gap_s=gap_s,
        drift=Drift(**given), **delays,
    )  # fmt: skip


def table_of(*rules: Rule, period_s: float = 1.0, resolution: float = 0.0) -> RuleTable:
    names = sorted({rule.tag for rule in rules})
    tags = [Tag(name=n, source="s0", unit="u", period_s=period_s, resolution=resolution) for n in names]
    return RuleTable(rules, TagTable(tags))


class Play:
    """One rule on one tag; ``said`` holds ``+12`` for a trip and ``-30`` for a clear at these seconds."""

    def __init__(self, rule: Rule, **tag: float) -> None:
        self.table = table_of(rule, **tag)
        self.memory = Memory.fresh(self.table, START_NS)
        self.said: list[str] = []
        self.t_s = 0.0

    def see(self, value: float, quality: int = GOOD, step_s: float = 1.0) -> "Play":
        self.t_s += step_s
        for changes in evaluate(self.table, self.memory, make_scan(self.t_s, value, quality)):
            self.said += [
                f"{'+' if is_active else '-'}{(time_ns - START_NS) / 1e9:g}"
                for is_active, time_ns in zip(changes.is_active.tolist(), changes.time_ns.tolist(), strict=True)
            ]
        return self

    def line(self, values: Iterable[float], step_s: float = 1.0) -> "Play":
        for value in values:
            self.see(value, step_s=step_s)
        return self

    @property
    def now(self) -> Drifted:
        return Drifted(self.table, self.memory, ONE)

    @property
    def wait(self) -> Wait:
        return Wait(int(self.now.waits[0]))

    def slot(self, slot: Wander) -> float:
        return float(self.memory.drift_state[0, slot])

    @property
    def ways(self) -> str:
        return "".join(word[0] for word in self.said)


def noise(dice: np.random.Generator, count: int, level: float = 5.0, sigma: float = 0.1) -> list[float]:
    values: list[float] = (level + dice.normal(0, sigma, count)).tolist()
    return values


# ---- against others


def random_rule(dice: np.random.Generator, tag: str) -> Rule:
    season = str(dice.choice(["none", "day", "day", "week"], p=[0.4, 0.3, 0.2, 0.1]))
    return drift(
        float(dice.choice([3.0, 4.0, 6.0])),
        tag,
        gap_s=float(dice.choice([0.0, 3600.0])),
        detector=str(dice.choice(["ewma", "cusum"])),
        season=season,
        direction=str(dice.choice(["up", "down", "both", "both"])),
        span_s=float(dice.choice([60.0, 600.0, 3600.0])),
        base_s=14_400.0,
        warm_up_s=float({"none": 14_400, "day": dice.choice([1, 2]) * DAY, "week": 7 * DAY}[season]),
        allowance=float(dice.choice([0.25, 0.5, 1.0])),
        on_delay_s=float(dice.choice([0.0, 0.0, 300.0])),
        off_delay_s=float(dice.choice([0.0, 300.0])),
    )


@pytest.mark.parametrize("days", [4, pytest.param(9, marks=pytest.mark.long)])
def test_every_transition_and_score_is_the_oracles(days: int) -> None:
    """Thirty tags over some days: seasons, correlated noise, shifts, creeps, spikes, absurd values, BAD, gaps."""
    dice, seen, waits = np.random.default_rng(5), Counter[str](), Counter[int]()
    names = [f"t{n:02}" for n in range(30)]
    tags = TagTable(
        [Tag(name=n, source="s0", period_s=60.0, resolution=float(dice.choice([0.0, 0.01]))) for n in names]
    )
    rules = [random_rule(dice, name) for name in names]
    table = RuleTable(rules, tags)
    memory, slow = Memory.fresh(table, START_NS), SlowCore(rules, tags, START_NS)
    phi, swing, base = dice.choice([0.0, 0.9], 30), dice.choice([0.0, 1.0, 3.0], 30), dice.choice([0.0, 1e5], 30)
    rest, shift, creep = np.zeros(30), np.zeros(30), np.zeros(30)
    now_ns, down = START_NS, np.zeros(30)
    for number in range(1, days * 24 * 60):
        dt_s = float(dice.choice([30.0, 60.0, 60.0, 61.7, 400.0], p=[0.1, 0.4, 0.4, 0.09, 0.01]))
        dt_s = float(dice.choice([dt_s, 30_000.0], p=[0.9995, 0.0005]))
        now_ns += round(dt_s * S)
        rest = phi * rest + dice.normal(0, 0.2, 30) * np.sqrt(1 - phi**2)
        changes = dice.random(30) < 1 / 1000
        shift[changes] = dice.choice([0.0, 0.5, -0.5, 5.0], 30)[changes]
        creep = np.where(dice.random(30) < 1 / 2000, dice.choice([0.0, 0.0, 1e-5], 30), creep)
        shift += creep * dt_s
        value = base + swing * np.sin(2 * np.pi * now_ns / (DAY * S)) + rest + shift
        value[dice.random(30) < 1 / 500] += 4.0
        value[dice.random(30) < 1 / 20_000] = float(dice.choice([1e200, -1e200]))
        quality = dice.choice([GOOD, UNCERTAIN, BAD | TIMEOUT, UNCERTAIN | RETAINED], 30, p=[0.94, 0.03, 0.02, 0.01])
        down = np.where(dice.random(30) < 1 / 3000, dice.integers(10, 900, 30), np.maximum(down - 1, 0))
        rows = np.flatnonzero(down == 0).astype(np.int32)
        scan = Scan(
            source="s0", epoch=1, number=number, received_ns=now_ns, rows=rows, values=value[rows],
            quality=quality[rows].astype(np.uint8), times_ns=np.full(len(rows), now_ns),
        )  # fmt: skip
        found = [
            sorted((table[k].id, on, when) for k, on, when in zip(c.rule, c.is_active, c.time_ns, strict=True))
            for c in evaluate(table, memory, scan)
        ]
        assert found == [sorted(part) for part in slow.evaluate(scan)], number
        if number % 7 == 0:
            assert len(expire(table, memory, now_ns + S)) == len(slow.expire(now_ns + S))
        seen.update("+" if on else "-" for part in found for _, on, _ in part)
        if number % 101 == 0:
            scores = np.array([rule.drift.score for tag in slow.tags for rule in tag.rules if rule.drift])
            assert memory.drift_state[:, Wander.SCORE] == pytest.approx(scores, rel=1e-6, abs=1e-6), number
            waits.update(memory.drift_state[:, Wander.WAITS].astype(int).tolist())

    assert min(seen["+"], seen["-"]) > 4 * days
    assert set(waits) == set(Wait)


def run_lengths(
    setpoint: float, shift: float, *, rules: int = 1000, seed: int = 1, steady: float = 0.0, **more: object
) -> tuple[float, float]:
    """Give the mean run length and its standard error, in samples, with level and noise known: 0 and 1."""
    asked = {"base_s": 1e9, "warm_up_s": 1.0, **more}
    table = table_of(*(drift(setpoint, f"t{n:04}", **asked) for n in range(rules)))
    memory, dice = Memory.fresh(table, START_NS), np.random.default_rng(seed)
    memory.drift_ns[:] = START_NS
    for slot, value in {
        Wander.KNOWN_S: 1e9, Wander.BASE_S: 1e9, Wander.NOISE: 1.0, Wander.SEEN: 1e7, Wander.FAST_S: 1e9,
        Wander.VARIANCE: steady / (2 - steady), Wander.SHARED: steady,
    }.items():  # fmt: skip
        memory.drift_state[:, slot] = value
    every, lengths = np.arange(rules), np.zeros(rules)
    for step in range(1, 20_000):
        holds, _ = judge_drifts(table, memory, every, dice.normal(shift, 1, rules), np.full(rules, at(float(step))))
        lengths[holds & (lengths == 0)] = step
        if (lengths > 0).all():
            return float(lengths.mean()), float(lengths.std() / np.sqrt(rules))
    raise AssertionError("some never ended")


#: Two-sided tabular CUSUM, k = 0.5 (Montgomery, Introduction to Statistical Quality Control, 7th ed., table 9.3), and
#: EWMA with limits of the steady state (Lucas, Saccucci, Technometrics 32, 1990; Montgomery table 9.11).
PUBLISHED = [
    ("cusum", 1.0, 4.0, 0.0, 168.0),
    ("cusum", 1.0, 4.0, 1.0, 8.38),
    ("cusum", 1.0, 5.0, 0.0, 465.0),
    ("cusum", 1.0, 5.0, 1.0, 10.4),
    ("ewma", 9.0, 2.814, 0.0, 500.0),
    ("ewma", 9.0, 2.814, 0.5, 31.3),
    ("ewma", 9.0, 2.814, 1.0, 10.3),
    ("ewma", 19.0, 2.615, 0.0, 500.0),
    ("ewma", 19.0, 2.615, 1.0, 11.4),
]


@pytest.mark.parametrize(("detector", "span_s", "setpoint", "shift", "mean"), PUBLISHED)
def test_run_lengths_are_the_published_ones(
    detector: str, span_s: float, setpoint: float, shift: float, mean: float
) -> None:
    found, error = run_lengths(
        setpoint, shift, detector=detector, span_s=span_s, steady=1 / (1 + span_s) if detector == "ewma" else 0.0
    )

    assert found == pytest.approx(mean, abs=3 * error + 0.02 * mean)


def test_the_average_is_that_of_another_library() -> None:
    """river's EWMean has a fixed weight; ours has it too once the plain mean is over."""
    stats = pytest.importorskip("river.stats")
    dice = np.random.default_rng(3)
    play, other = Play(drift(span_s=9.0, base_s=1e12, warm_up_s=1e9)), stats.EWMean(fading_factor=0.1)
    play.see(0.0)
    for slot, value in {Wander.BASE_S: 1e12, Wander.NOISE: 1.0, Wander.SEEN: 1e12, Wander.FAST_S: 1e9}.items():
        play.memory.drift_state[0, slot] = value
    for value in noise(dice, 400, 0.0, 1.0):
        other.update(value)
        play.see(value)

    assert play.slot(Wander.FAST) == pytest.approx(other.get(), rel=1e-6)


def test_the_score_is_a_standard_deviation_under_correlated_noise() -> None:
    rules = [drift(50.0, f"t{n:03}", span_s=300.0, base_s=14_400.0, warm_up_s=14_400.0) for n in range(600)]
    table = table_of(*rules)
    memory, dice, every = Memory.fresh(table, START_NS), np.random.default_rng(2), np.arange(600)
    phi, scores = np.repeat([0.0, 0.95], 300), []
    rest = dice.normal(0, 1, 600)
    for step in range(1, 11_000):
        rest = phi * rest + np.sqrt(1 - phi**2) * dice.normal(0, 1, 600)
        advance(table, memory, every, rest, np.full(600, at(2.0 * step)))
        if step > 7_500 and step % 750 == 0:
            scores.append(memory.drift_state[:, Wander.FAST] / Drifted(table, memory, every).sigma)

    assert np.std(np.array(scores)[:, :300]) == pytest.approx(1.0, abs=0.12), "white"
    assert np.std(np.array(scores)[:, 300:]) == pytest.approx(1.0, abs=0.12), "correlated"


# ---- stories


def test_a_shift_trips_after_the_warm_up_and_its_return_clears() -> None:
    dice = np.random.default_rng(1)
    play = Play(drift()).line(noise(dice, 600))
    assert play.said == []
    play.line(noise(dice, 100, 5.15))
    assert play.ways == "+"
    assert 600 < float(play.said[0]) < 640
    assert play.now.usual[0] == pytest.approx(5.0, abs=0.02)
    assert play.now.away[0] == pytest.approx(0.15, abs=0.06)
    play.line(noise(dice, 100))
    assert play.ways == "+-"


@pytest.mark.parametrize("detector", ["ewma", "cusum"])
def test_before_it_has_learnt_it_says_nothing(detector: str) -> None:
    dice = np.random.default_rng(1)
    setpoint = 6.0 if detector == "ewma" else 14.0
    play = Play(drift(setpoint, detector=detector)).line(noise(dice, 200)).line(noise(dice, 150, 9.0))
    assert play.said == []
    assert play.wait is Wait.WARM_UP
    assert play.now.ready_in_s[0] == pytest.approx(51.0)
    assert play.now.score[0] == 0.0


@pytest.mark.parametrize(("direction", "ways"), [("up", "+"), ("down", ""), ("both", "+")])
@pytest.mark.parametrize("detector", ["ewma", "cusum"])
def test_only_the_directions_asked_for_count(detector: str, direction: str, ways: str) -> None:
    dice = np.random.default_rng(1)
    setpoint = 6.0 if detector == "ewma" else 14.0
    rule = drift(setpoint, detector=detector, direction=direction)

    assert Play(rule).line(noise(dice, 600)).line(noise(dice, 200, 5.3)).ways == ways


def test_while_it_is_away_nothing_is_learnt_and_it_stays() -> None:
    dice = np.random.default_rng(1)
    play = Play(drift()).line(noise(dice, 600)).line(noise(dice, 2500, 5.2))
    assert play.ways == "+"
    assert play.now.usual[0] == pytest.approx(5.0, abs=0.02)


def test_learning_anew_lets_go_and_takes_the_new_level_for_normal() -> None:
    dice = np.random.default_rng(1)
    play = Play(drift()).line(noise(dice, 600)).line(noise(dice, 100, 5.5))
    changes = relearn(play.table, play.memory, ONE, at(play.t_s), forget=False)
    assert changes.is_active.tolist() == [False]
    assert changes.time_ns.tolist() == [at(700.0)]
    assert play.memory.is_dirty[0]
    assert play.wait is Wait.BASE
    square = play.slot(Wander.NOISE)
    play.line(noise(dice, 190, 5.5))
    assert play.wait is Wait.BASE
    assert play.slot(Wander.NOISE) == pytest.approx(square, rel=0.5)
    play.line(noise(dice, 600, 5.5))
    assert (play.ways, play.wait) == ("+", Wait.NO)
    assert play.line(noise(dice, 100, 5.0)).ways == "++"


def test_learning_anew_may_forget_everything() -> None:
    dice = np.random.default_rng(1)
    play = Play(drift()).line(noise(dice, 600))
    assert len(relearn(play.table, play.memory, ONE, at(play.t_s), forget=True)) == 0
    assert play.wait is Wait.WARM_UP
    assert play.slot(Wander.NOISE) == 0.0
    play.line(noise(dice, 390, 9.0, 1.0))
    assert play.wait is Wait.WARM_UP


@pytest.mark.parametrize("length", [1, 5])
def test_a_spike_is_cut(length: int) -> None:
    dice = np.random.default_rng(1)
    play = Play(drift(span_s=60.0)).line(noise(dice, 600)).line([500.0] * length).line(noise(dice, 300))
    assert play.said == []
    assert play.slot(Wander.NOISE) < 0.03


def day(dice: np.random.Generator, first: int, last: int, swing: float = 1.0) -> list[float]:
    minute = np.arange(first, last)
    values: list[float] = (5 + swing * np.sin(2 * np.pi * minute / 1440) + dice.normal(0, 0.1, len(minute))).tolist()
    return values


@pytest.mark.parametrize(("season", "ways"), [("day", "+"), ("none", "")])
def test_the_day_is_taken_away(season: str, ways: str) -> None:
    """A swing of ten times the noise: silent for a week, then a shift of 1.5 σ that is lost without a profile."""
    dice = np.random.default_rng(1)
    rule = drift(6.0, season=season, span_s=1800.0, base_s=14_400.0, warm_up_s=2.0 * DAY)
    play = Play(rule, period_s=60.0).line(day(dice, 1, 7 * 1440), step_s=60.0)
    assert play.said == []
    if season == "day":
        assert play.now.usual[0] == pytest.approx(5 + np.sin(2 * np.pi * (7 - 1 / 1440)), abs=0.05)
    play.line([value + 0.15 for value in day(dice, 7 * 1440, 8 * 1440)], step_s=60.0)
    assert play.ways == ways


def test_a_time_of_the_day_that_was_never_seen_is_not_judged() -> None:
    """A tag that only comes from 6 to 18 h, then on the seventh day also at night, which is another world."""
    dice = np.random.default_rng(1)
    rule = drift(6.0, season="day", span_s=600.0, base_s=14_400.0, warm_up_s=1.0 * DAY, gap_s=1200.0)
    play = Play(rule, period_s=60.0)
    start_s, nights = START_NS // S % DAY, Counter[tuple[int, Wait]]()
    for minute in range(1, 9 * 1440):
        hour = (start_s + minute * 60) / 3600 % 24
        play.t_s = minute * 60.0 - 1
        is_night = not 6 <= hour < 18
        if not is_night or minute > 6 * 1440:
            night = 4 * np.sin(np.pi * ((hour - 18) % 24) / 12) if is_night else 0.0
            play.see(float(dice.normal(5.0 + night, 0.1)))
            if is_night and 19 < hour < 23:
                nights[minute // 1440, play.wait] += 1

    assert play.said == []
    assert nights[6, Wait.NO] == nights[8, Wait.SEASON] == 0
    assert nights[6, Wait.SEASON] > 0
    assert nights[8, Wait.NO] > 0


def test_a_gap_neither_trips_nor_lets_go_and_the_baseline_counts_for_less() -> None:
    dice = np.random.default_rng(1)
    play = Play(drift()).line(noise(dice, 600)).see(5.0, step_s=1000.0)
    assert play.wait is Wait.BASE
    assert play.slot(Wander.BASE_S) < 200
    play = Play(drift()).line(noise(dice, 600)).line(noise(dice, 60, 5.4)).see(5.4, step_s=30.0)
    assert (play.ways, play.wait) == ("+", Wait.START)
    play.line(noise(dice, 60, 5.4))
    assert (play.ways, play.wait) == ("+", Wait.NO)
    play.see(5.0, step_s=10_000.0).line(noise(dice, 60))
    assert play.ways == "+-"


@pytest.mark.parametrize("quality", [BAD | TIMEOUT, UNCERTAIN | RETAINED])
def test_what_is_not_judged_moves_nothing(quality: int) -> None:
    play = Play(drift()).line(noise(np.random.default_rng(1), 50))
    before = play.memory.drift_state.copy()
    play.see(99.0, quality).see(float("nan"))

    assert (play.memory.drift_state == before).all()


def test_absurd_values_leave_no_trace_that_lasts() -> None:
    """Each absurd value at each moment, on a tag of its own: at the start, in the warm-up, after it."""
    cases = list(product((0, 1, 2, 5, 300, 600), (1e308, -1e308, 1e200, 5e-324)))
    table = table_of(*(drift(tag=f"t{n:02}") for n in range(len(cases))))
    memory, dice, rows = Memory.fresh(table, START_NS), np.random.default_rng(1), np.arange(len(cases), dtype=np.int32)
    trips: set[int] = set()
    for step in range(2660):
        values = dice.normal(5.0 if step < 2600 else 5.3, 0.1, len(cases))
        for n, (when, absurd) in enumerate(cases):
            if step == when:
                values[n] = absurd
        now_ns = at(step + 1.0)
        scan = Scan(
            source="s0", epoch=1, number=step, received_ns=now_ns, rows=rows, values=values,
            quality=np.full(len(rows), GOOD, dtype=np.uint8), times_ns=np.full(len(rows), now_ns),
        )  # fmt: skip
        for changes in evaluate(table, memory, scan):
            if step >= 2600:
                trips |= set(changes.rule[changes.is_active].tolist())
        if step == 2599:
            assert np.isfinite(memory.drift_state).all()
            assert {Wait(int(wait)) for wait in Drifted(table, memory, rows).waits} == {Wait.NO}

    assert trips == set(range(len(cases)))


def test_less_than_the_instrument_can_tell_is_no_drift() -> None:
    """A constant that moves by one resolution and stays."""
    assert Play(drift(), resolution=0.1).line([5.0] * 600).line([5.1] * 600).said == []
    assert Play(drift(), resolution=0.1).line([5.0] * 600).line([5.5] * 60).ways == "+"


@pytest.mark.parametrize("steps", [16_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_sums_do_not_wander_in_ten_million_updates(steps: int) -> None:
    """A hundred rules near 1e5 with noise of 0.01, uneven; an old detector is where a young one is."""
    rules = [drift(6.0, f"t{n:03}", span_s=60.0, base_s=600.0, warm_up_s=600.0) for n in range(100)]
    table = table_of(*rules)
    old, young = Memory.fresh(table, START_NS), Memory.fresh(table, START_NS)
    every, dice = np.arange(100), np.random.default_rng(4)
    time_ns = np.full(100, START_NS)  # A step is a hundred updates.
    for step in range(steps):
        time_ns = time_ns + dice.integers(S // 2, 3 * S // 2, 100)
        value = 1e5 + dice.normal(0, 0.01, 100)
        advance(table, old, every, value, time_ns)
        if step >= steps - min(steps // 2, 12_000):
            advance(table, young, every, value, time_ns)
    mine, theirs = Drifted(table, old, every), Drifted(table, young, every)

    assert np.max(np.abs(mine.usual - theirs.usual) / theirs.sigma) < 1e-3
    assert np.max(np.abs(mine.away - theirs.away) / theirs.sigma) < 1e-3
    assert mine.sigma == pytest.approx(theirs.sigma, rel=1e-2)  # the young one has seen less noise


def test_a_part_takes_its_detectors_and_profiles_along() -> None:
    """The late lane copies some rows of a source."""
    rules = [drift(tag=f"t{n}", season=season) for n, season in enumerate(("day", "none", "week", "day"))]
    table = table_of(*rules, period_s=60.0)
    memory, dice = Memory.fresh(table, START_NS), np.random.default_rng(1)
    for step in range(1, 2000):
        advance(table, memory, np.arange(4), dice.normal(0, 1, 4), np.full(4, at(60.0 * step)))
    chosen = np.array([1, 2, 3])
    part_table = table_of(*rules[1:], period_s=60.0)
    part = memory.extract(part_table, chosen.astype(np.int32), chosen)

    assert (part.drift_state == memory.drift_state[1:]).all()
    assert (part.season[:-1] == memory.season[96:-1]).all()
    assert part.season_days.any()
    time_ns, value = np.full(3, at(60.0 * 2000)), np.ones(3)
    advance(table, memory, chosen, value, time_ns)
    advance(part_table, part, np.arange(3), value, time_ns)
    assert (part.drift_state == memory.drift_state[1:]).all()
