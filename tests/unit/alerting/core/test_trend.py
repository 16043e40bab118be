"""Time to limit: against the oracle, least squares and the Riccati equation, and on stories worked out by hand."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import pytest

from alerting.core import Memory, evaluate, expire
from alerting.core.memory import Slot
from alerting.core.trend import Forecast, advance
from alerting.model.rule import Kind, Rule, RuleTable, drive
from alerting.model.tier import Tier
from edge.model import Scan, Tag, TagTable
from tests.oracle.slow_evaluate import SlowCore
from tests.oracle.slow_trend import SlowTrend, acceleration
from tests.unit.alerting.core.scene import BAD, GOOD, RETAINED, START_NS, TIMEOUT, UNCERTAIN, S, at, make_scan

ONE = np.array([0])


def trend(setpoint: float, **more: object) -> Rule:
    given = {"horizon_s": 60.0, "alpha": 0.1, "samples_min": 10, "tier": Tier.YELLOW, "tag": "t0", **more}
    return Rule(id=f"{given['tag']}.TREND", kind=Kind.TREND, setpoint=setpoint, **given)  # type: ignore[arg-type]


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

    def see(self, t_s: float, value: float, quality: int = GOOD) -> "Play":
        for changes in evaluate(self.table, self.memory, make_scan(t_s, value, quality)):
            self.said += [
                f"{'+' if is_active else '-'}{(time_ns - START_NS) / 1e9:g}"
                for is_active, time_ns in zip(changes.is_active.tolist(), changes.time_ns.tolist(), strict=True)
            ]
        return self

    def line(self, values: Iterable[float], begin_s: float = 1.0, step_s: float = 1.0) -> "Play":
        for number, value in enumerate(values):
            self.see(begin_s + number * step_s, value)
        return self

    @property
    def now(self) -> Forecast:
        return Forecast(self.table, self.memory, ONE)

    def slot(self, slot: Slot) -> float:
        return float(self.memory.trend_state[0, slot])


# ---- against others


def weather(dice: np.random.Generator, samples: int) -> Iterator[tuple[int, float, int]]:
    """Slopes that change, noise of different kinds, spikes, steps, bad quality and gaps, unevenly sampled."""
    now_ns, level, slope, left, rest = START_NS, 0.0, 0.0, 0, 0.0
    sigma, phi = float(dice.choice([0.0, 0.005, 0.02])), float(dice.choice([0.0, 0.5]))
    for _ in range(samples):
        if left == 0:
            left, slope = int(dice.integers(20, 60)), float(dice.choice([0.0, 0.03, 0.1, -0.03, -0.1]))
            level += float(dice.choice([0.0, 1.0, -1.0], p=[0.9, 0.05, 0.05]))
        left -= 1
        dt_s = float(dice.choice([0.5, 1.0, 1.0, 1.37, 3.0, 30.0], p=[0.2, 0.3, 0.3, 0.1, 0.09, 0.01]))
        now_ns += round(dt_s * S)
        level = min(max(level + slope * dt_s, -3.0), 3.0)
        rest = phi * rest + float(dice.normal(0, sigma)) * np.sqrt(1 - phi * phi)
        value = level + rest + float(dice.choice([0.0, 2.0], p=[0.997, 0.003]))
        quality = int(dice.choice([GOOD, UNCERTAIN, BAD | TIMEOUT, UNCERTAIN | RETAINED], p=[0.9, 0.05, 0.03, 0.02]))
        yield now_ns, value, quality


def test_every_transition_is_the_oracles() -> None:
    dice, seen = np.random.default_rng(11), Counter[bool]()
    for _ in range(60):
        rule = trend(
            float(dice.choice([-3.1, 2.0, 3.1])),
            is_falling=bool(dice.random() < 0.4),
            alpha=float(dice.choice([0.01, 0.05, 0.2, 0.5])),
            horizon_s=float(dice.choice([30.0, 100.0, 1000.0])),
            samples_min=int(dice.choice([5, 10])),
            gap_s=float(dice.choice([0.0, 10.0])),
            on_delay_s=float(dice.choice([0.0, 0.0, 3.0])),
            off_delay_s=float(dice.choice([0.0, 2.0])),
        )
        table = table_of(rule, resolution=float(dice.choice([0.0, 0.001])))
        memory, slow = Memory.fresh(table, START_NS), SlowCore([rule], table.tags, START_NS)
        for now_ns, value, quality in weather(dice, 400):
            scan = make_scan((now_ns - START_NS) / 1e9, value, quality)
            found = [
                [(c.is_active[n], int(c.time_ns[n])) for n in range(len(c))] for c in evaluate(table, memory, scan)
            ]
            expected = [[(on, when) for _, on, when in part] for part in slow.evaluate(scan)]
            assert found == expected
            found_by_clock = expire(table, memory, now_ns + S // 4)
            assert len(found_by_clock) == len(slow.expire(now_ns + S // 4))
            seen.update(bool(on) for part in found for on, _ in part)

    assert seen[True] > 50
    assert seen[False] > 50


def test_the_oracle_has_teeth() -> None:
    """An array core that forgets the correlation of the noise is caught."""
    dice, differ = np.random.default_rng(5), 0
    for _ in range(10):
        rule = trend(2.0, alpha=0.05, horizon_s=60.0)
        table = table_of(rule)
        memory, slow = Memory.fresh(table, START_NS), SlowTrend(rule, table.tags[0])
        for now_ns, value, _ in weather(dice, 300):
            slow.see(now_ns, value)
            memory.trend_state[0, Slot.LAG] = 0.0
            before = bool(memory.is_active[0])
            evaluate(table, memory, make_scan((now_ns - START_NS) / 1e9, value))
            differ += bool(memory.is_active[0]) != before and not slow.judge(value)[0 if memory.is_active[0] else 1]

    assert differ > 0


@pytest.mark.parametrize("alpha", [0.001, 0.01, 0.05, 0.5])
@pytest.mark.parametrize("period_s", [0.5, 10.0])
def test_the_gain_settles_at_alpha(alpha: float, period_s: float) -> None:
    """The closed formula against the Riccati equation, and both against the filter after long running."""
    assert drive(alpha, period_s) == pytest.approx(acceleration(alpha, period_s), rel=1e-9)
    play = Play(trend(1e9, alpha=alpha), period_s=period_s)
    play.memory.trend_state[0, [Slot.P_LEVEL, Slot.P_SLOPE, Slot.COUNT]] = 1.0, alpha**3 / period_s**2, 1.0
    play.memory.trend_ns[0] = START_NS
    for step in range(1, int(20 / alpha)):
        advance(play.table, play.memory, ONE, np.zeros(1), np.array([START_NS + round(step * period_s * S)]))
    assert play.slot(Slot.P_LEVEL) == pytest.approx(alpha, rel=1e-6)


def test_at_first_it_is_a_line_by_least_squares() -> None:
    """Uneven samples of a young filter against numpy's own polyfit, slope and its covariance."""
    dice = np.random.default_rng(3)
    times = np.cumsum(dice.uniform(0.3, 2.0, 20))
    values = 7.0 + 0.3 * times + dice.normal(0, 0.1, 20)
    play = Play(trend(1e3, alpha=0.001))
    for t_s, value in zip(np.round(times, 6).tolist(), values.tolist(), strict=True):
        play.see(t_s, value)
    slope, level = np.polyfit(times - times[-1], values, 1)
    _, covariance = np.polyfit(times, values, 1, cov="unscaled")

    assert play.now.slope[0] == pytest.approx(slope, rel=1e-3)
    assert play.now.level[0] == pytest.approx(level, rel=1e-5)
    assert play.slot(Slot.P_SLOPE) == pytest.approx(covariance[0, 0], rel=1e-2)


def test_ten_million_updates_do_not_wear_it_out() -> None:
    """A thousand filters of 10,000 samples each, level 1e5, noise 0.01, against young ones on the last 1,500.

    ``python -m benchmarks.trend`` gives single filters 1e5 and more.
    """
    rows, steps = 1000, 10_000
    table = table_of(*(trend(2e5, tag=f"t{n:03}", alpha=0.05) for n in range(rows)))
    old, young, rules = Memory.fresh(table, 0), Memory.fresh(table, 0), np.arange(rows)
    dice = np.random.default_rng(2)
    level, time_ns = np.full(rows, 1e5), np.full(rows, S)
    for step in range(steps):
        level = level + dice.normal(0, 0.001, rows)
        time_ns = time_ns + dice.integers(S // 2, 3 * S // 2, rows)
        value = level + dice.normal(0, 0.01, rows)
        advance(table, old, rules, value, time_ns)
        if step >= steps - 1500:
            advance(table, young, rules, value, time_ns)
    a, b = Forecast(table, old, rules), Forecast(table, young, rules)
    same = (old.trend_state[:, Slot.COUNT] > 1500) & (young.trend_state[:, Slot.COUNT] == 1500)
    assert same.sum() > rows // 2
    # Where noise known for less long cut a residual otherwise, the difference is real and small.
    slope_off = np.abs(a.slope - b.slope)[same] / a.slope_error[same]
    assert np.quantile(slope_off, 0.9) < 1e-9
    assert slope_off.max() < 0.1


# ---- stories


def steady(dice: np.random.Generator, seconds: int, level: float = 4.0, sigma: float = 0.002) -> list[float]:
    return (level + dice.normal(0, sigma, seconds)).tolist()


def ramp(
    dice: np.random.Generator, seconds: int, slope: float, level: float = 4.0, sigma: float = 0.002
) -> list[float]:
    return (level + slope * np.arange(1, seconds + 1) + dice.normal(0, sigma, seconds)).tolist()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("sign", "limit"), [(1, 5.1), (-1, 2.9)])
def test_a_fill_is_warned_of_before_the_limit_and_not_sooner_than_the_horizon(
    seed: int, sign: int, limit: float
) -> None:
    """5 mm/s from 4 m: 1.1 m away is 220 s; with a horizon of 100 s the warning comes about 100 s before."""
    dice = np.random.default_rng(seed)
    play = Play(trend(limit, alpha=0.05, horizon_s=100.0, is_falling=sign < 0), resolution=0.001)
    play.line(steady(dice, 300)).line(ramp(dice, 200, sign * 0.005), begin_s=301)

    assert len(play.said) == 1
    assert 300 + 120 <= float(play.said[0]) <= 300 + 140
    assert play.now.slope[0] == pytest.approx(sign * 0.005, rel=0.1)


@pytest.mark.parametrize("seed", range(3))
def test_a_level_that_stands_still_close_to_the_limit_is_no_trend(seed: int) -> None:
    dice = np.random.default_rng(seed)

    assert Play(trend(4.02, alpha=0.05, horizon_s=600.0)).line(steady(dice, 2500)).said == []


@pytest.mark.parametrize("seed", range(2))
def test_correlated_noise_is_no_trend(seed: int) -> None:
    """AR(1) with phi 0.9: nine false slopes in ten windows if it is taken for white noise."""
    dice, rest, values = np.random.default_rng(seed), 0.0, []
    for _ in range(3000):
        rest = 0.9 * rest + float(dice.normal(0, 0.01)) * np.sqrt(1 - 0.81)
        values.append(4.0 + rest)
    honest = Play(trend(4.05, alpha=0.05, horizon_s=600.0)).line(values)
    naive = Play(trend(4.05, alpha=0.05, horizon_s=600.0))
    for number, value in enumerate(values):
        naive.memory.trend_state[0, Slot.LAG] = 0.0
        naive.see(number + 1.0, value)

    assert len(honest.said) <= 2
    assert len(naive.said) > 3 * len(honest.said)


@pytest.mark.parametrize("length", [1, 2])
def test_a_spike_is_no_trend(length: int) -> None:
    dice = np.random.default_rng(1)
    values = steady(dice, 600)
    values[400 : 400 + length] = [4.9] * length
    play = Play(trend(5.0, alpha=0.05, horizon_s=120.0)).line(values)

    assert play.said == []
    assert play.slot(Slot.COUNT) == 600


def test_a_step_is_a_new_course_and_no_trend() -> None:
    dice = np.random.default_rng(1)
    play = Play(trend(5.0, alpha=0.05, horizon_s=120.0))
    play.line(steady(dice, 400)).line(steady(dice, 400, level=4.9), begin_s=401)

    assert play.said == []
    assert play.slot(Slot.COUNT) < 400
    assert play.slot(Slot.NOISE) == pytest.approx(0.002**2, rel=0.3)


def test_a_valve_that_opens_is_seen_within_the_samples_of_a_new_course() -> None:
    """25 mm/s at once, noise known: four outliers and ten samples."""
    dice = np.random.default_rng(1)
    play = Play(trend(5.1, alpha=0.05)).line(steady(dice, 300)).line(ramp(dice, 40, 0.025), begin_s=301)

    assert len(play.said) == 1
    assert float(play.said[0]) <= 300 + 16


def test_beyond_the_limit_nothing_trips() -> None:
    dice = np.random.default_rng(1)

    assert Play(trend(3.5, alpha=0.05, horizon_s=600.0)).line(ramp(dice, 300, 0.005)).said == []


def test_it_stays_while_the_tag_moves_on_beyond_and_lets_go_when_it_stops() -> None:
    dice = np.random.default_rng(1)
    play = Play(trend(4.5, alpha=0.05, horizon_s=60.0)).line(steady(dice, 100))
    play.line(ramp(dice, 150, 0.005), begin_s=101)  # at the limit after 100 s
    assert [word[0] for word in play.said] == ["+"]
    play.line(steady(dice, 200, level=4.75), begin_s=251)
    assert [word[0] for word in play.said] == ["+", "-"]


def test_it_lets_go_later_than_it_trips() -> None:
    """The ramp flattens until the limit is 1.2 horizons away: held; 2 horizons: gone."""
    dice = np.random.default_rng(1)
    play = Play(trend(5.0, alpha=0.05, horizon_s=100.0)).line(ramp(dice, 150, 0.005, level=3.9))
    assert [word[0] for word in play.said] == ["+"]
    level = 3.9 + 150 * 0.005
    play.line(ramp(dice, 20, 0.003, level=level, sigma=0.0), begin_s=151)
    assert len(play.said) == 1
    play.line(ramp(dice, 300, 0.0003, level=level + 0.06, sigma=0.0), begin_s=171)
    assert [word[0] for word in play.said] == ["+", "-"]


def test_after_a_gap_it_starts_anew_and_says_nothing_meanwhile() -> None:
    """Ten seconds are within ``gap_s`` = 20, thirty are not."""
    dice = np.random.default_rng(1)
    play = Play(trend(9.0, alpha=0.05)).line(steady(dice, 50)).see(60, 4.0)
    assert play.slot(Slot.COUNT) == 51
    play.see(91, 4.0)
    assert play.slot(Slot.COUNT) == 1
    assert not play.now.is_ready[0]
    assert play.slot(Slot.SEEN) > 40, "what it knows of the noise stays"


@pytest.mark.parametrize("quality", [BAD | TIMEOUT, UNCERTAIN | RETAINED])
def test_what_is_not_judged_does_not_move_the_filter(quality: int) -> None:
    dice = np.random.default_rng(1)
    play = Play(trend(9.0, alpha=0.05)).line(steady(dice, 30))
    before = play.memory.trend_state.copy()
    play.see(31, 8.9, quality).see(32, float("nan"))

    assert (play.memory.trend_state == before).all()


def test_uncertain_is_judged_like_good() -> None:
    dice = np.random.default_rng(1)
    play = Play(trend(5.1, alpha=0.05))
    for number, value in enumerate(ramp(dice, 200, 0.005)):
        play.see(number + 1.0, value, UNCERTAIN)

    assert [word[0] for word in play.said] == ["+"]


@pytest.mark.parametrize("absurd", [1e308, -1e308, 1e200, 5e-324, float("inf"), float("-inf")])
def test_absurd_values_leave_no_trace_that_lasts(absurd: float) -> None:
    dice = np.random.default_rng(1)
    play = Play(trend(5.1, alpha=0.05)).line(steady(dice, 100)).see(101, absurd)
    play.line(steady(dice, 100), begin_s=102).line(ramp(dice, 200, 0.005), begin_s=202)

    assert np.isfinite(play.memory.trend_state).all()
    assert any(word.startswith("+") for word in play.said)


def test_constant_values_are_no_trend_and_a_line_without_noise_is() -> None:
    play = Play(trend(5.0, alpha=0.05)).line([4.0] * 500)
    assert play.said == []
    play.line([4.0 + 0.01 * n for n in range(1, 60)], begin_s=501)
    assert len(play.said) == 1


def test_a_part_takes_its_filters_along() -> None:
    """The late lane copies some rows of a source."""
    rules = [trend(9.0, tag="t0"), trend(9.0, tag="t1"), trend(9.0, tag="t2")]
    table = table_of(*rules)
    memory = Memory.fresh(table, START_NS)
    for step in range(1, 30):
        values: Sequence[float] = [float(step), 2.0 * step, 3.0 * step]
        evaluate(
            table,
            memory,
            Scan(
                source="s0", epoch=1, number=step, received_ns=at(step), rows=np.arange(3, dtype=np.int32),
                values=np.array(values), quality=np.zeros(3, np.uint8), times_ns=np.full(3, at(step)),
            ),
        )  # fmt: skip
    part_table = table_of(rules[1], rules[2])
    part = memory.extract(part_table, np.array([1, 2], np.int32), np.array([1, 2]))

    assert part.trend_state.tolist() == memory.trend_state[1:].tolist()
    assert part.trend_ns.tolist() == memory.trend_ns[1:].tolist()
    assert Forecast(part_table, part, np.arange(2)).slope.tolist() == pytest.approx([2.0, 3.0])
