"""Time to limit by a line through block means: against the oracle, SciPy, published numbers, and stories."""

from collections import Counter

import numpy as np
import pytest
from scipy import stats

from alerting.core import Memory, evaluate, expire
from alerting.core.memory import Slot
from alerting.core.trend import Forecast, advance
from alerting.model.blocks import Blocks, offset_ns
from alerting.model.rule import Rule
from edge.model import Scan
from tests.oracle.slow_blocks import SlowBlocks
from tests.oracle.slow_evaluate import SlowCore
from tests.unit.alerting.core.scene import BAD, GOOD, RETAINED, START_NS, TIMEOUT, UNCERTAIN, S, at, make_scan
from tests.unit.alerting.core.test_trend import ONE, Play, ramp, steady, table_of, trend, weather

TEN = Blocks(block_s=10.0, count=12)
ROBUST = Blocks(block_s=10.0, count=12, line="theil-sen")


def line_to(setpoint: float, blocks: Blocks = TEN, **more: object) -> Rule:
    return trend(setpoint, **{"alpha": 0.0, "samples_min": 0, "blocks": blocks, **more})


def begin_s(rule: Rule) -> float:
    """First second after START_NS at which a block of the rule begins."""
    assert rule.blocks is not None
    block_ns = round(rule.blocks.block_s * S)
    return ((offset_ns(rule.id, rule.blocks) - START_NS) % block_ns) / 1e9


# ---- against others


@pytest.mark.parametrize("tables", [15, pytest.param(40, marks=pytest.mark.long)])
def test_every_transition_is_the_oracles(tables: int) -> None:
    dice, seen = np.random.default_rng(12), Counter[bool]()
    for _ in range(tables):
        blocks = Blocks(
            block_s=float(dice.choice([2.0, 3.7, 5.0])),
            count=int(dice.choice([5, 8, 20])),
            line=str(dice.choice(["ols", "theil-sen"])),
        )
        rule = line_to(
            float(dice.choice([-3.1, 2.0, 3.1])), blocks,
            is_falling=bool(dice.random() < 0.4),
            horizon_s=float(dice.choice([100.0, 1000.0])),
            gap_s=float(dice.choice([0.0, 10.0])),
            on_delay_s=float(dice.choice([0.0, 0.0, 3.0])),
            off_delay_s=float(dice.choice([0.0, 2.0])),
        )  # fmt: skip
        table = table_of(rule, resolution=float(dice.choice([0.0, 0.001])))
        memory, slow = Memory.fresh(table, START_NS), SlowCore([rule], table.tags, START_NS)
        for now_ns, value, quality in weather(dice, 400):
            scan = make_scan((now_ns - START_NS) / 1e9, value, quality)
            found = [
                [(c.is_active[n], int(c.time_ns[n])) for n in range(len(c))] for c in evaluate(table, memory, scan)
            ]
            expected = [[(on, when) for _, on, when in part] for part in slow.evaluate(scan)]
            assert found == expected
            assert len(expire(table, memory, now_ns + S // 4)) == len(slow.expire(now_ns + S // 4))
            seen.update(bool(on) for part in found for on, _ in part)

    assert seen[True] > tables / 2
    assert seen[False] > tables / 2


def test_the_oracle_has_teeth() -> None:
    """An array core that forgets the correlation of the noise is caught."""
    dice, differ = np.random.default_rng(5), 0
    for _ in range(20):
        rule = line_to(2.0, Blocks(block_s=3.0, count=8), horizon_s=100.0)
        table = table_of(rule)
        memory, slow = Memory.fresh(table, START_NS), SlowBlocks(rule, table.tags[0])
        for now_ns, value, _ in weather(dice, 300):
            slow.see(now_ns, value)
            memory.trend_state[0, Slot.LAG] = 0.0
            before = bool(memory.is_active[0])
            evaluate(table, memory, make_scan((now_ns - START_NS) / 1e9, value))
            differ += bool(memory.is_active[0]) != before and not slow.judge(value)[0 if memory.is_active[0] else 1]

    assert differ > 0


def gathered(play: Play) -> tuple[np.ndarray, np.ndarray]:
    """Mean times after the start, s, and means of the blocks of the line, oldest first."""
    is_there = play.memory.block_ns[0] > 0
    return (
        (play.memory.block_ns[0, is_there][::-1] - START_NS) / 1e9,
        play.memory.block_value[0, is_there][::-1],
    )


@pytest.mark.parametrize("blocks", [TEN, ROBUST], ids=lambda b: b.line)
def test_the_line_is_scipys(blocks: Blocks) -> None:
    """SciPy's own least squares, and its own Theil-Sen, through means that numpy takes of the samples."""
    dice = np.random.default_rng(3)
    rule = line_to(1e3, blocks)
    first = begin_s(rule)
    times = first + np.cumsum(dice.uniform(0.2, 1.4, 300))
    values = 7.0 + 0.3 * times + dice.normal(0, 1.0, 300)
    play = Play(rule)
    for t_s, value in zip(np.round(times, 6).tolist(), values.tolist(), strict=True):
        play.see(t_s, value)
    number = ((times - first) // 10).astype(int)
    last = int(number[-1])
    means = np.array([[times[number == k].mean(), values[number == k].mean()] for k in range(last - 12, last)])
    xs, ys = gathered(play)

    assert xs == pytest.approx(means[:, 0], abs=1e-6)
    assert ys == pytest.approx(means[:, 1])
    if blocks.line == "ols":
        expected = stats.linregress(xs, ys)
        slope, level = expected.slope, expected.intercept
        assert np.sqrt(play.slot(Slot.STRETCH) * play.slot(Slot.P_SLOPE)) == pytest.approx(expected.stderr)
    else:
        expected = stats.theilslopes(ys, xs, method="joint")
        slope, level = expected.slope, expected.intercept
    assert play.now.slope[0] == pytest.approx(slope)
    assert play.now.level[0] == pytest.approx(level + slope * round(times[-1], 6))


@pytest.mark.parametrize("steps", [2_500, pytest.param(10_000, marks=pytest.mark.long)])
def test_millions_of_updates_do_not_wear_it_out(steps: int) -> None:
    """A thousand lines of so many samples each, level 1e5, noise 0.01: the old ones say what ones begun late say."""
    rows, young_steps = 1000, 400
    blocks = Blocks(block_s=10.0, count=20)
    table = table_of(*(line_to(2e5, blocks, tag=f"t{n:03}") for n in range(rows)))
    old, young, rules = Memory.fresh(table, 0), Memory.fresh(table, 0), np.arange(rows)
    dice = np.random.default_rng(2)
    level, time_ns = np.full(rows, 1e5), np.full(rows, S)
    for step in range(steps):
        level = level + dice.normal(0, 0.001, rows)
        time_ns = time_ns + dice.integers(S // 2, 3 * S // 2, rows)
        value = level + dice.normal(0, 0.01, rows)
        advance(table, old, rules, value, time_ns)
        if step >= steps - young_steps:
            advance(table, young, rules, value, time_ns)
    a, b = Forecast(table, old, rules), Forecast(table, young, rules)
    same = (old.trend_state[:, Slot.COUNT] == 20) & (young.trend_state[:, Slot.COUNT] == 20)
    assert same.sum() > 0.9 * rows
    assert np.abs(a.slope - b.slope)[same].max() == 0.0
    assert (np.abs(a.level - b.level)[same] / 1e5).max() < 1e-15


# ---- honest under correlated noise


@pytest.mark.parametrize("phi", [0.0, 0.9, 0.98])
@pytest.mark.parametrize("blocks", [Blocks(block_s=15.0, count=20), ROBUST], ids=lambda b: b.line)
def test_significance_is_honest_under_correlated_noise(phi: float, blocks: Blocks) -> None:
    """t = slope / SE over 200 tags of AR(1) noise: a deviation of about one and hardly anything beyond four.

    A standard error as if noise were white gives 1.3 % beyond four at phi 0.9, 18 % at 0.98.
    """
    rows, steps = 150, 2500
    table = table_of(*(line_to(1e6, blocks, tag=f"t{n:03}") for n in range(rows)))
    memory, rules = Memory.fresh(table, 0), np.arange(rows)
    dice = np.random.default_rng(4)
    value, told, naive = dice.normal(0, 1, rows), [], []
    for step in range(steps):
        value = phi * value + np.sqrt(1 - phi * phi) * dice.normal(0, 1, rows)
        advance(table, memory, rules, value, np.full(rows, (step + 1) * S))
        if step > 1200 and step % 100 == 0:
            now = Forecast(table, memory, rules)
            told.append(now.slope / now.slope_error)
            naive.append(now.slope / np.sqrt(memory.trend_state[:, Slot.STRETCH] * memory.trend_state[:, Slot.P_SLOPE]))
    t, white = np.array(told), np.array(naive)

    assert 0.6 < t.std() < 1.1
    assert (np.abs(t) > 4).mean() < 2e-3
    if phi == 0.98:
        assert (np.abs(white) > 4).mean() > 0.1, "without the correction it would lie"


# ---- stories


@pytest.mark.parametrize("blocks", [TEN, ROBUST], ids=lambda b: b.line)
@pytest.mark.parametrize(("sign", "limit"), [(1, 5.1), (-1, 2.9)])
def test_a_fill_is_warned_of_before_the_limit_and_not_sooner_than_the_horizon(
    sign: int, limit: float, blocks: Blocks
) -> None:
    """5 mm/s from 4 m: 1.1 m away is 220 s; with a horizon of 100 s the warning comes about 100 s before."""
    dice = np.random.default_rng(0)
    play = Play(line_to(limit, blocks, horizon_s=100.0, is_falling=sign < 0), resolution=0.001)
    play.line(steady(dice, 300)).line(ramp(dice, 200, sign * 0.005), begin_s=301)

    assert len(play.said) == 1
    assert 300 + 115 <= float(play.said[0]) <= 300 + 140
    assert play.now.slope[0] == pytest.approx(sign * 0.005, rel=0.1)


def test_it_is_judged_between_the_ends_of_blocks_along_the_line() -> None:
    """The line is drawn at a block's end; the tag runs along it until the next."""
    dice = np.random.default_rng(0)
    rule = line_to(1e3)
    play = Play(rule).line(ramp(dice, 100, 0.005, sigma=0.0), begin_s=begin_s(rule))
    play.see(begin_s(rule) + 100.2, 4.501)
    before = play.now
    play.see(begin_s(rule) + 107.2, 4.536)
    after = play.now

    assert after.slope[0] == before.slope[0]
    assert after.level[0] - before.level[0] == pytest.approx(7 * 0.005)
    assert before.time_to_limit_s[0] - after.time_to_limit_s[0] == pytest.approx(7.0)


@pytest.mark.parametrize("blocks", [TEN, ROBUST], ids=lambda b: b.line)
def test_a_step_is_a_new_course_and_no_trend(blocks: Blocks) -> None:
    dice = np.random.default_rng(1)
    play = Play(line_to(5.0, blocks, horizon_s=120.0))
    play.line(steady(dice, 400)).line(steady(dice, 400, level=4.9), begin_s=401)

    assert play.said == []
    assert play.slot(Slot.SEEN) < 64, "what it knew of the noise before counts for less"


def test_a_spike_spoils_least_squares_and_not_the_median_of_slopes() -> None:
    """Two of twelve blocks far off: the median of slopes stays within a tenth of what the line is without them."""
    dice = np.random.default_rng(1)
    values = ramp(dice, 175, 0.001)
    values[142:158] = [9.0] * 16
    off = {}
    for blocks in (TEN, ROBUST):
        rule = line_to(1e3, blocks)
        play = Play(rule).line(values, begin_s=begin_s(rule))
        off[blocks.line] = abs(float(play.now.slope[0]) - 0.001)

    assert off["theil-sen"] < 1e-4
    assert off["ols"] > 1e-2


def test_it_is_not_judged_before_five_blocks() -> None:
    dice = np.random.default_rng(1)
    rule = line_to(5.0)
    play = Play(rule).line(ramp(dice, 50, 0.01), begin_s=begin_s(rule))
    assert not play.now.is_ready[0], "the fifth block has not ended"
    play.see(begin_s(rule) + 50, 4.51)
    assert play.now.is_ready[0]


def test_a_block_of_which_less_than_half_came_does_not_count() -> None:
    rule = line_to(1e3)
    play, first = Play(rule), begin_s(rule)
    for second in range(40):
        if not 10 <= second < 16:
            play.see(first + second, 4.0 + 0.01 * second)
    play.see(first + 40, 4.4)
    xs, _ = gathered(play)

    assert len(xs) == 3
    assert np.diff(xs) == pytest.approx([20.0, 10.0])


def test_after_a_gap_the_line_starts_anew_and_a_shorter_pause_is_bridged() -> None:
    """A quarter of 120 s is the gap where nothing is said."""
    dice = np.random.default_rng(1)
    rule = line_to(9.0)
    play = Play(rule).line(ramp(dice, 80, 0.01), begin_s=begin_s(rule))
    play.line(ramp(dice, 30, 0.01, level=4.0 + 0.01 * 105), begin_s=begin_s(rule) + 105)
    assert play.slot(Slot.COUNT) >= 8
    assert play.now.slope[0] == pytest.approx(0.01, rel=0.05)
    seen = play.slot(Slot.SEEN)
    play.see(begin_s(rule) + 134.0 + 31.0, 5.65)
    assert play.slot(Slot.COUNT) == 0
    assert not play.now.is_ready[0]
    assert play.slot(Slot.SEEN) == seen > 3, "what it knows of the noise stays"


def test_what_is_older_than_the_line_leaves_it() -> None:
    """Short pauses leave holes; a block older than the span is out, though the ring has room."""
    rule = line_to(1e3, Blocks(block_s=10.0, count=5), gap_s=45.0)
    play, first = Play(rule), begin_s(rule)
    for second in [*range(20), *range(50, 70), 70]:
        play.see(first + second, 1.0)
    xs, _ = gathered(play)

    assert xs.tolist() == pytest.approx([first + 54.5, first + 64.5])


@pytest.mark.parametrize("quality", [BAD | TIMEOUT, UNCERTAIN | RETAINED])
def test_what_is_not_judged_does_not_enter_a_block(quality: int) -> None:
    dice = np.random.default_rng(1)
    play = Play(line_to(9.0)).line(steady(dice, 75))
    before, gathered_before = play.memory.trend_state.copy(), play.memory.gathered.copy()
    play.see(76, 8.9, quality).see(77, float("nan"))

    assert (play.memory.trend_state == before).all()
    assert (play.memory.gathered == gathered_before).all()


@pytest.mark.parametrize("absurd", [1e308, -1e308, 1e200, 5e-324, float("inf"), float("-inf")])
@pytest.mark.parametrize("blocks", [TEN, ROBUST], ids=lambda b: b.line)
def test_absurd_values_leave_no_trace_that_lasts(absurd: float, blocks: Blocks) -> None:
    dice = np.random.default_rng(1)
    play = Play(line_to(5.1, blocks)).line(steady(dice, 150)).see(151, absurd)
    play.line(steady(dice, 150), begin_s=152).line(ramp(dice, 220, 0.005), begin_s=302)

    assert np.isfinite(play.memory.trend_state).all()
    assert np.isfinite(play.memory.gathered).all()
    assert any(word.startswith("+") for word in play.said)


def test_constant_values_are_no_trend_and_a_line_without_noise_is() -> None:
    play = Play(line_to(5.0)).line([4.0] * 500)
    assert play.said == []
    play.line([4.0 + 0.01 * n for n in range(1, 90)], begin_s=501)
    assert len(play.said) == 1


def test_lines_of_a_site_are_drawn_at_different_moments() -> None:
    blocks = Blocks(block_s=60.0)
    found = [offset_ns(f"TK-{n}.level.TREND", blocks) // S for n in range(600)]

    assert max(Counter(found).values()) < 30, "ten a second on average"


def test_a_part_takes_its_blocks_along() -> None:
    """The late lane copies some rows of a source; filters and lines stand side by side."""
    rules = [trend(9.0, tag="t0"), line_to(9e3, tag="t1"), line_to(9e3, ROBUST, tag="t2")]
    table = table_of(*rules)
    memory = Memory.fresh(table, START_NS)
    for step in range(1, 100):
        evaluate(
            table,
            memory,
            Scan(
                source="s0", epoch=1, number=step, received_ns=at(step), rows=np.arange(3, dtype=np.int32),
                values=np.array([float(step), 2.0 * step, 3.0 * step]), quality=np.full(3, GOOD, np.uint8),
                times_ns=np.full(3, at(step)),
            ),
        )  # fmt: skip
    part_table = table_of(rules[2])
    part = memory.extract(part_table, np.array([2], np.int32), np.array([2]))

    assert part.block_ns.tolist() == memory.block_ns[1:].tolist()
    assert part.gathered.tolist() == memory.gathered[1:].tolist()
    assert Forecast(part_table, part, ONE).slope.tolist() == pytest.approx([3.0])
    assert Forecast(table, memory, np.arange(3)).slope.tolist() == pytest.approx([1.0, 2.0, 3.0])
