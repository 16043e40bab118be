"""Crowd: Weidmann and Fruin against published tables, time to capacity honest under noise, how many may be let in."""

import math

import numpy as np
import pytest

from alerting.response.crowd import (
    BUSIEST,
    Flow,
    Seen,
    advise,
    blocks_of,
    flow_m_min,
    forecast,
    level_of_service,
    weidmann_m_s,
)


def walk(rate_min: float, minutes: float = 5, begin: float = 1000, *, every_s: float = 2.0) -> list[Seen]:
    count = int(minutes * 60 / every_s) + 1
    return [Seen(time_s=at * every_s, persons=begin + rate_min * at * every_s / 60) for at in range(count)]


@pytest.mark.parametrize(
    ("density", "speed", "flow"),
    [(1, 1.058, 63.5), (2, 0.606, 72.7), (3, 0.331, 59.5), (4, 0.156, 37.5), (5, 0.037, 11.2)],
)
def test_speed_and_flow_are_those_of_weidmanns_published_formula(density: float, speed: float, flow: float) -> None:
    assert weidmann_m_s(density) == pytest.approx(speed, abs=6e-4)
    assert flow_m_min(density) == pytest.approx(flow, abs=0.06)


def test_the_greatest_flow_is_where_it_is_said_to_be_and_levels_are_fruins() -> None:
    every = np.linspace(0.1, 5.4, 5301)
    flows = [flow_m_min(float(one)) for one in every]
    assert float(every[int(np.argmax(flows))]) == pytest.approx(BUSIEST, abs=0.02)
    assert weidmann_m_s(5.4) == weidmann_m_s(9) == 0.0
    # Square feet a person of Fruin's levels, turned into persons/m².
    for square_feet, above, below in ((35, "A", "B"), (25, "B", "C"), (15, "C", "D"), (10, "D", "E"), (5, "E", "F")):
        density = 1 / (square_feet * 0.09290304)
        assert (level_of_service(density * 0.97), level_of_service(density * 1.03)) == (above, below)


def test_a_steady_fill_is_told_with_a_band_around_it_and_nothing_before_two_minutes() -> None:
    assert forecast(walk(60, minutes=1.9), 1900) is None
    told = forecast(walk(60), 1900)
    assert told is not None
    assert told.net.mean == pytest.approx(60)
    assert told.likely_s == pytest.approx(600)
    assert told.soonest_s is not None
    assert told.latest_s is not None
    assert told.soonest_s < 600 < told.latest_s
    full = forecast(walk(60), 1300)
    assert full is not None
    assert (full.soonest_s, full.likely_s, full.latest_s) == (0.0, 0.0, 0.0)


def test_a_zone_that_empties_has_no_time_to_capacity() -> None:
    told = forecast(walk(-60), 1900)
    assert told is not None
    assert (told.likely_s, told.soonest_s, told.latest_s) == (None, None, None)


def test_noise_alone_gives_no_latest_time_and_the_band_holds_the_truth_nine_times_in_ten() -> None:
    """Ninety in a hundred by construction; the bounds are some three standard errors of 400 trials."""
    random = np.random.default_rng(8)
    held = sure = 0
    for _ in range(400):
        came = np.concatenate(([0], np.cumsum(random.poisson(2, 150))))
        went = np.concatenate(([0], np.cumsum(random.poisson(2, 150))))
        seen = [
            Seen(time_s=2.0 * at, persons=500 + float(came[at] - went[at]), came=float(came[at]), went=float(went[at]))
            for at in range(151)
        ]
        told = forecast(seen, 2000)
        assert told is not None
        assert told.came is not None
        held += told.net.low <= 0 <= told.net.high
        sure += told.latest_s is not None
    assert held >= 345
    assert sure <= 36, "a latest time where nothing fills"


def test_a_gap_ends_what_is_looked_at_and_a_counter_that_goes_back_is_no_flow() -> None:
    before = walk(60)
    after = [Seen(time_s=one.time_s + 400, persons=one.persons) for one in walk(6)]
    assert len(blocks_of([*before, *after])) == 10
    told = forecast([*before, *after], 5000)
    assert told is not None
    assert told.net.mean == pytest.approx(6), "nothing of before the gap"
    assert forecast([*before, *after[:40]], 5000) is None
    odd = [Seen(time_s=one.time_s, persons=one.persons, came=-one.time_s, went=one.time_s) for one in before]
    told = forecast(odd, 5000)
    assert told is not None
    assert told.came is None
    assert told.went is not None


def test_how_many_may_be_let_in_is_the_room_over_the_horizon_and_who_surely_leaves() -> None:
    went = Flow(mean=50, low=40, high=60)
    bounds = {"takes": 1000.0, "area_m2": 500.0, "density_most": 4.0, "horizon_min": 15.0, "entry_m": 0.0}
    told = advise(700, went, **bounds, exit_m=0)
    assert (told.let_in_min, told.limit, told.room) == (60, "capacity", 300)
    assert advise(700, None, **bounds, exit_m=0).let_in_min == 20, "nobody counts who leaves"
    # 700 on 500 m² is 1.4 p/m²; an exit of 0.5 m passes half of the greatest flow of a metre.
    narrow = advise(700, went, **bounds, exit_m=0.5)
    assert narrow.leaves_min == pytest.approx(0.5 * flow_m_min(BUSIEST))
    packed = advise(900, went, **{**bounds, "area_m2": 250.0}, exit_m=0.5)
    assert packed.leaves_min == pytest.approx(0.5 * flow_m_min(3.6)), "a crowd that is packed leaves slower"
    held = advise(1100, went, **bounds, exit_m=0)
    assert (held.let_in_min, held.limit, held.room, held.empties_s) == (0, "full", -100, 150)
    assert advise(1100, None, **bounds, exit_m=0).empties_s is None
    dense = advise(700, went, **{**bounds, "density_most": 1.6}, exit_m=0)
    assert (dense.limit, dense.room) == ("density", 100)
    gate = advise(0, went, **{**bounds, "takes": 2000.0, "entry_m": 1.0}, exit_m=0)
    assert (gate.let_in_min, gate.limit) == (82, "entry")


def test_a_zone_that_is_let_in_by_the_advice_keeps_below_its_capacity_for_the_horizon() -> None:
    """Who leaves is random; what is let in is what was advised each minute."""
    random = np.random.default_rng(3)
    persons, seen_most = 900.0, 0.0
    went = Flow(mean=40, low=30, high=50)
    for _ in range(60):
        told = advise(
            persons, went, takes=1000, area_m2=1000, density_most=4, horizon_min=15, entry_m=0, exit_m=0
        )  # fmt: skip
        persons += told.let_in_min - float(random.poisson(40))
        seen_most = max(seen_most, persons)
    assert seen_most <= 1000
    assert math.isfinite(persons)
