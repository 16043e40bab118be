"""The plant: balances hold, formulas give published numbers, one seed gives one plant."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulators.physics.noise import Drift, approach
from simulators.physics.pedestrian import weidmann_m_s
from simulators.plant import ACTS, Act, Detector, GasLine, Gate, Plant, Tank, Zone, past
from simulators.plant.crowd import flow_s_m
from simulators.plant.gas import leak_kg_s, plume_kg_m3


def dice(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_choked_leak_gives_the_published_vector() -> None:
    """CH4 at 1.1 MPa absolute, 288.15 K, γ 1.31, 25 mm, Cd 1: 0.935 kg/s."""
    assert leak_kg_s(1.1e6, 288.15, 0.025) == pytest.approx(0.935, abs=0.001)


def test_leak_is_continuous_where_it_stops_being_choked() -> None:
    critical = (2 / 2.31) ** (1.31 / 0.31)
    at = 101_325.0 / critical

    assert leak_kg_s(at * 0.9999, 288.15, 0.01) == pytest.approx(leak_kg_s(at * 1.0001, 288.15, 0.01), rel=1e-3)


@pytest.mark.parametrize(("pressure_pa", "hole_m"), [(101_325.0, 0.01), (90_000.0, 0.01), (1.1e6, 0.0)])
def test_nothing_leaks_without_pressure_or_hole(pressure_pa: float, hole_m: float) -> None:
    assert leak_kg_s(pressure_pa, 288.15, hole_m) == 0.0


def test_plume_gives_the_computed_vector() -> None:
    """Rural D, 1 kg/s, 5 m/s, 500 m, ground centre line: 71.9 mg/m³."""
    assert plume_kg_m3(1.0, 5.0, 500.0, 0.0) * 1e6 == pytest.approx(71.9, abs=0.05)


def test_plume_does_not_reach_upwind() -> None:
    assert plume_kg_m3(1.0, 3.0, -10.0, 0.0) == 0.0


@pytest.mark.parametrize(
    ("density", "speed", "per_minute"), [(1, 1.058, 63.5), (2, 0.606, 72.7), (3, 0.331, 59.5), (4, 0.156, 37.5)]
)
def test_weidmann_gives_the_published_table(density: float, speed: float, per_minute: float) -> None:
    assert weidmann_m_s(density) == pytest.approx(speed, abs=0.001)
    assert flow_s_m(density) * 60 == pytest.approx(per_minute, abs=0.1)


def test_nobody_walks_in_a_packed_crowd() -> None:
    assert weidmann_m_s(5.4) == pytest.approx(0, abs=1e-12)
    assert weidmann_m_s(9.0) == 0.0
    assert weidmann_m_s(0.0) == 1.34


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    inlet=st.floats(0, 0.2),
    outlet=st.one_of(st.none(), st.floats(0, 0.2)),
    dt_s=st.sampled_from([0.1, 1.0, 10.0]),
)
def test_tank_loses_and_makes_no_liquid(seed: int, inlet: float, outlet: float | None, dt_s: float) -> None:
    tank = Tank(level_set_m=3.0, inlet_set_m3_s=inlet)
    tank.outlet_forced_m3_s = outlet
    luck = dice(seed)
    stock = tank.level_m * tank.area_m2
    for _ in range(200):
        before = tank.level_m
        tank.step(dt_s, luck)
        if before > 0 and tank.level_m > 0:
            stock += (tank.inflow_m3_s - tank.outflow_m3_s) * dt_s
        else:
            stock = tank.level_m * tank.area_m2 + tank.spilt_m3

        assert 0 <= tank.level_m <= tank.height_m

    assert tank.level_m * tank.area_m2 + tank.spilt_m3 == pytest.approx(stock, abs=1e-6)


def test_tank_runs_over_at_its_rim_and_counts_what_is_spilt() -> None:
    tank = Tank(level_set_m=5.9, inlet_set_m3_s=0.15)
    tank.outlet_forced_m3_s = 0.0
    for _ in range(600):
        tank.step(0.1, dice())

    assert tank.level_m == pytest.approx(6.0)
    assert tank.spilt_m3 > 5
    assert tank.is_switched


def test_warm_feed_warms_the_tank_no_further_than_itself() -> None:
    tank = Tank(level_set_m=3.0, inlet_set_m3_s=0.02, feed_k=298.0)
    tank.feed_k = 330.0
    luck = dice()
    for _ in range(2000):
        tank.step(10.0, luck)

    assert 320 < tank.temperature_k < 330


def test_line_balances_feed_draw_and_leak() -> None:
    line = GasLine()
    line.hole_m = 0.010
    luck = dice()
    for _ in range(6000):
        line.step(1.0, luck)

    assert line.feed_kg_s == pytest.approx(line.draw_kg_s + line.leaking_kg_s, rel=0.1)
    assert line.pressure_pa < line.set_pa


def test_line_with_a_big_hole_empties_to_the_atmosphere() -> None:
    line = GasLine()
    line.hole_m = 0.30
    luck = dice()
    for _ in range(600):
        line.step(0.1, luck)

    assert line.pressure_pa < 200_000
    assert line.feed_kg_s == pytest.approx(line.feed_most_kg_s)


def test_detector_follows_with_its_lag_and_saturates() -> None:
    detector = Detector(along_m=15.0)
    luck = dice()
    shown = []
    for _ in range(1200):
        detector.step(0.1, luck, 3.0, 2.0)
        shown.append(detector.lel_seen)

    assert shown[0] < 5
    assert shown[-1] == 100.0


def test_zone_keeps_count_of_everybody() -> None:
    zone = Zone(area_m2=100, persons=50, stay_s=60, arriving_s=2, entrance=Gate(width_m=5), exit=Gate(width_m=5))
    entered, left = zone.entrance.entered, zone.exit.left
    luck = dice()
    for _ in range(3000):
        zone.step(0.1, luck, 1.0)

    assert zone.persons == 50 + (zone.entrance.entered - entered) - (zone.exit.left - left)
    assert zone.persons == pytest.approx(120, abs=50)


def test_zone_cannot_be_packed_beyond_walking() -> None:
    zone = Zone(area_m2=10, persons=0, stay_s=1e6, arriving_s=50, entrance=Gate(width_m=5), exit=Gate(width_m=1))
    luck = dice()
    for _ in range(3000):
        zone.step(0.1, luck, 1.0)

    assert 4.5 < zone.density <= 6


def test_drift_has_the_same_spread_at_any_step() -> None:
    for dt_s in (0.1, 60.0):
        drift, luck = Drift(sigma=2.0, tau_s=30.0), dice()
        drawn = [drift.step(dt_s, luck) for _ in range(60_000)]

        assert np.std(drawn) == pytest.approx(2.0, rel=0.15)


def test_approach_is_exact_in_one_step_or_many() -> None:
    one = approach(1.0, 5.0, 10.0, 4.0)
    many = 1.0
    for _ in range(100):
        many = approach(many, 5.0, 0.1, 4.0)

    assert one == pytest.approx(many)
    assert one == pytest.approx(5 - 4 * math.exp(-2.5))


def test_one_seed_is_one_plant() -> None:
    def run(seed: int) -> list[dict[str, float]]:
        plant, seen = Plant(dice(seed)), []
        for _ in range(50):
            plant.step(0.1)
            seen.append(plant.readings())
        return seen

    assert run(3) == run(3)
    assert run(3) != run(4)


def test_what_happens_to_one_unit_does_not_change_another_units_luck() -> None:
    calm, busy = Plant(dice()), Plant(dice())
    busy.do(Act(verb="leak", unit="GL-301", amount=18))
    busy.do(Act(verb="arrive", unit="Z-401", amount=14))
    for _ in range(100):
        calm.step(0.1)
        busy.step(0.1)

    assert calm.readings()["TK-103.level"] == busy.readings()["TK-103.level"]
    assert calm.readings()["GD-311.lel"] != busy.readings()["GD-311.lel"]


@pytest.mark.parametrize("verb", ACTS)
def test_each_verb_refuses_a_unit_that_is_not_there(verb: str) -> None:
    with pytest.raises(KeyError):
        Plant(dice()).do(Act(verb=verb, unit="TK-999", amount=1))


def test_the_past_is_quiet_ends_now_and_counts_up() -> None:
    seen = list(past(dice(7)))
    levels = [readings["TK-103.level"] for _, readings in seen]
    entered = [readings["GT-411.in"] for _, readings in seen]

    assert seen[0][0] == 48 * 3600
    assert seen[-1][0] == 5
    assert len(seen) == 47 * 60 + 720
    assert all(later < earlier for (earlier, _), (later, _) in pairwise(seen))
    assert max(levels) < 4.8
    assert max(readings["GD-311.lel"] for _, readings in seen) < 5
    assert max(readings["Z-401.occupancy"] for _, readings in seen) < 200
    assert entered == sorted(entered)
    assert entered[-1] == 1_000_000
