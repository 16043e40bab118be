"""Balances: what they find, what they do with gaps, and that long runs do not drift."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core.derived.balance import BINS, TankBalance
from alerting.core.derived.method import Column, Given
from tests.unit.alerting.core.derived.scene import BAD, Scene, derivation

NUMBERS = {"window_s": 600.0, "gap_s": 30.0}
TANK = derivation("B", "tank_balance", {"volume": "V", "in": ["qi"], "out": ["qo"]}, numbers=NUMBERS)


def tank(
    seconds: int, leak_m3_h: float = 0.0, *, from_s: int = 1, step_s: int = 5, scene: Scene | None = None
) -> Scene:
    """Fill with 36 m³/h, draw 18 m³/h: 5 L a second come to stay, less what leaks."""
    scene = scene or Scene([TANK], ["V", "qi", "qo"], stale_s=60.0)
    for second in range(from_s, seconds + 1, step_s):
        scene.feed(float(second), V=100 + (0.005 - leak_m3_h / 3600) * second, qi=36.0, qo=18.0)
    return scene


def test_a_tight_tank_balances() -> None:
    assert tank(1200).value("B") == pytest.approx(0.0, abs=1e-9)


def test_a_leak_is_what_is_missing_over_the_window() -> None:
    """6 m³/h over ten minutes is 1 m³."""
    assert tank(1196, leak_m3_h=6.0).value("B") == pytest.approx(-1.0, abs=1e-9)


def test_a_leak_of_before_the_window_is_forgotten() -> None:
    scene = tank(601, leak_m3_h=6.0)
    volume = scene.value("V")
    for second in range(606, 1301, 5):
        scene.feed(float(second), V=volume + 0.005 * (second - 601), qi=36.0, qo=18.0)

    assert scene.value("B") == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize("what", ["V", "qi", "qo"])
def test_time_with_a_bad_input_is_missing_never_zero(what: str) -> None:
    """While the inflow is BAD for 100 s of 600 the volume goes on rising; taken as 0 m³/h it would be +1 m³."""
    scene = tank(601)
    for second in range(606, 706, 5):
        bad = {"V": 103.0, "qi": 36.0, "qo": 18.0} | {what: float("nan")}
        scene.feed(float(second), **bad)
        assert scene.quality("B") == "BAD(input)"
    scene = tank(1100, from_s=706, scene=scene)

    assert scene.quality("B") == "UNCERTAIN(incomplete)"
    assert scene.value("B") == pytest.approx(0.0, abs=1e-9)


def test_a_pause_longer_than_a_gap_is_missing_and_too_much_of_it_is_bad() -> None:
    scene = tank(601)
    scene = tank(906, from_s=801, scene=scene)
    assert scene.quality("B") == "BAD(incomplete)", "200 of 600 s"
    scene = tank(1501, from_s=911, scene=scene)
    assert (scene.quality("B"), scene.value("B")) == ("GOOD", pytest.approx(0.0, abs=1e-9))


def test_it_begins_with_the_first_sample_not_with_a_gap() -> None:
    scene = tank(61)

    assert scene.quality("B") == "GOOD"


def test_the_window_may_be_left_by_days() -> None:
    scene = tank(601, leak_m3_h=6.0)
    scene = tank(90_021, from_s=90_001, scene=scene)

    assert scene.quality("B") == "BAD(incomplete)"
    scene = tank(90_601, from_s=90_026, scene=scene)
    assert (scene.value("B"), scene.quality("B")) == (pytest.approx(0.0, abs=1e-9), "GOOD"), "the leak is forgotten"


def column(value: float) -> Column:
    one, yes = np.array([[value]]), np.ones((1, 1), dtype=np.bool_)
    return Column(one, yes, yes, ~yes, np.zeros((1, 1), dtype=np.int64))


def test_many_updates_do_not_drift() -> None:
    """A tank that breathes by 1e5 m³ and balances: what is left is rounding of one window, not of all sums."""
    method = TankBalance([derivation("B", "tank_balance", {}, numbers={"window_s": 60.0, "gap_s": 10.0})])
    state, at = method.fresh(), np.zeros(1, dtype=np.int64)
    nobody = Column(*(np.empty((1, 0)), *(np.empty((1, 0), dtype=np.bool_),) * 3), np.empty((1, 0), dtype=np.int64))
    rng = np.random.default_rng(4)
    volume, before, worst = 1e5, 0.0, 0.0
    for second in range(1, 20_001):
        flow = float(rng.normal(0, 3600.0))
        volume += (flow + before) / 2 / 3600
        before = flow
        given_ = Given(np.array([second * 10**9]), {"volume": column(volume), "in": column(flow), "out": nobody})
        worst = max(worst, abs(float(method.compute(at, given_, state).value[0])))

    assert state["amount"].shape == (1, BINS + 1)
    assert worst < 1e-8


steps = st.lists(
    st.tuples(st.floats(0.5, 25.0), st.floats(-50, 50), st.floats(0, 100), st.booleans()), min_size=2, max_size=60
)


@settings(max_examples=80, deadline=None)
@given(steps=steps)
def test_against_a_slow_sum_over_the_last_ten_minutes(steps: list[tuple[float, float, float, bool]]) -> None:
    """The oracle keeps all segments and cuts at the window's edge; a bin may smear a segment by its own width."""
    scene = Scene([TANK], ["V", "qi", "qo"], stale_s=60.0)
    segments: list[tuple[float, float, float]] = []
    now, volume, before = 0.0, 100.0, None
    for pause, gain, flow, is_bad in steps:
        now += pause
        volume += gain
        scene.feed(now, V=volume, qi=float("nan") if is_bad else flow, qo=0.0, quality=BAD if is_bad else 0)
        if is_bad:
            before = None
            continue
        if before is not None and now - before[0] <= 30.0 + 1e-9:
            amount = volume - before[1] - (flow + before[2]) / 2 / 3600 * (now - before[0])
            segments.append((before[0], now, amount))
        before = (now, volume, flow)
    if before is None or now > 590:  # Within the first window all of it counts, exactly.
        return
    assert scene.value("B") == pytest.approx(sum(a for *_, a in segments), abs=1e-6) or "BAD" in scene.quality("B")
    wanted = (now - sum(b - a for a, b, _ in segments)) / 600
    assert not scene.quality("B").startswith("BAD") or wanted > 0.2


LINE = derivation(
    "B",
    "line_balance",
    {"in": ["qi"], "out": ["qo"], "pressure": ["p1", "p2"]},
    numbers={**NUMBERS, "pipe_volume_m3": 100.0, "z": 0.9, "temperature_c": 0.0, "atmosphere_kpa": 101.325},
    words={"pressure_is": "gauge"},
)


def test_packing_is_no_loss_and_a_leak_is() -> None:
    """100 m³ of pipe at Z 0.9 and 0 °C take 100/0.9/101.325 = 1.0966 Nm³ per kPa; ten minutes of packing, a leak."""
    scene = Scene([LINE], ["qi", "qo", "p1", "p2"], stale_s=60.0)
    per_kpa = 100 / 0.9 / 101.325
    for second in range(0, 605, 5):
        kpa = 400 + 0.1 * second
        scene.feed(float(second + 1), qi=1000 + 0.1 * per_kpa * 3600, qo=1000.0, p1=kpa + 20, p2=kpa - 20)
    assert scene.value("B") == pytest.approx(0.0, abs=1e-6)
    for second in range(605, 1300, 5):
        scene.feed(float(second + 1), qi=1000.0, qo=940.0, p1=480.0, p2=440.0)
    assert scene.value("B") == pytest.approx(10.0, abs=0.1), "60 Nm³/h over ten minutes"


def test_a_pressure_that_cannot_be_is_bad() -> None:
    scene = Scene([LINE], ["qi", "qo", "p1", "p2"])
    scene.feed(1.0, qi=1.0, qo=1.0, p1=-200.0, p2=-200.0)

    assert scene.quality("B") == "BAD(range)"


MEDIAN = derivation("M", "median", {"of": ["a", "b", "c"]}, numbers={"least": 2.0})
SPREAD = derivation("S", "spread", {"of": ["a", "b", "c"]}, numbers={"least": 2.0})


def test_one_of_three_that_lies_does_not_move_the_median_but_the_spread() -> None:
    scene = Scene([MEDIAN, SPREAD], ["a", "b", "c"])
    scene.feed(1.0, a=4.0, b=4.1, c=9.0)

    assert (scene.value("M"), scene.value("S")) == (4.1, pytest.approx(4.9))
    assert scene.quality("M") == "GOOD"


def test_two_are_uncertain_and_one_alone_is_bad() -> None:
    scene = Scene([MEDIAN, SPREAD], ["a", "b", "c"])
    scene.feed(1.0, a=4.0, b=4.2, c=9.0)
    scene.feed(2.0, c=float("nan"))
    assert (scene.value("M"), scene.quality("M")) == (pytest.approx(4.1), "UNCERTAIN(input)")
    assert scene.value("S") == pytest.approx(0.2), "of two, their difference"
    scene.feed(3.0, b=float("nan"))
    assert scene.quality("M") == scene.quality("S") == "BAD(input)"


@settings(max_examples=60, deadline=None)
@given(values=st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=7), bad=st.sets(st.integers(0, 6)))
def test_median_and_spread_against_numpy(values: list[float], bad: set[int]) -> None:
    names = [f"x{n}" for n in range(len(values))]
    scene = Scene(
        [
            derivation("M", "median", {"of": names}, numbers={"least": 1.0}),
            derivation("S", "spread", {"of": names}, numbers={"least": 2.0}),
        ],
        names,
    )
    scene.take(1.0, {name: math.nan if n in bad else values[n] for n, name in enumerate(names)})
    good = [value for n, value in enumerate(values) if n not in bad]
    if len(good) >= 1:
        assert scene.value("M") == pytest.approx(float(np.median(good)), abs=1e-6)
    if len(good) >= 2:
        spread = abs(good[0] - good[1]) if len(good) == 2 else max(abs(np.array(good) - np.median(good)))
        assert scene.value("S") == pytest.approx(spread, abs=1e-6)
