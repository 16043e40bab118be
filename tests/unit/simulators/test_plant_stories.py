"""Plants of the stories alone, without a gateway: who is reached, and in which order; what bursts, what does not."""

import numpy as np
import pytest

from simulators.plant.ammonia_yard import AMMONIA
from simulators.plant.chlorine_store import CHLORINE
from simulators.plant.methanol_depot import SEAM_PA, MethanolDepot
from simulators.plant.toxic_yard import TURN_DEG_S, ToxicYard


def yard(seed: int = 1) -> ToxicYard:
    return ToxicYard(AMMONIA, np.random.default_rng(seed))


def run(works: ToxicYard | MethanolDepot, seconds: float, dt_s: float = 1.0) -> None:
    for _ in range(round(seconds / dt_s)):
        works.step(dt_s)


def test_a_turning_wind_brings_the_cloud_from_the_east_fence_to_the_north_fence_and_then_to_the_housing() -> None:
    works = yard()
    works.do("leak", "L-601", 25.0)
    run(works, 90.0)
    assert "cloud at GD-611" in works.milestones
    assert "cloud at GD-612" not in works.milestones
    works.do("wind_from", "yard", 180.0)
    run(works, 240.0)

    reached = works.milestones
    assert reached["cloud at GD-611"] < reached["cloud at GD-612"] < reached["IDLH at the housing"]
    assert "cloud at GD-605" not in reached, "nothing goes against the wind"


def test_a_cloud_stays_in_the_east_while_the_wind_does_not_turn() -> None:
    works = yard()
    works.do("leak", "L-601", 25.0)
    run(works, 330.0)

    assert not {"cloud at GD-612", "IDLH at the housing"} & set(works.milestones)


def test_a_shut_line_leaks_no_more_and_an_open_one_does_again() -> None:
    works = yard()
    works.do("leak", "L-601", 25.0)
    run(works, 5.0)
    leaking = works.leaking_kg_s
    works.do("shut", "L-601", 0.0)
    run(works, 12.0)
    assert leaking > 1.0
    assert works.leaking_kg_s == 0.0
    works.do("open", "L-601", 0.0)
    run(works, 12.0)
    assert works.leaking_kg_s == pytest.approx(leaking, rel=0.05)


@pytest.mark.parametrize(("begin", "end", "way"), [(350.0, 20.0, 1), (20.0, 350.0, -1), (270.0, 180.0, -1)])
def test_the_wind_turns_the_shorter_way_and_no_faster_than_it_may(begin: float, end: float, way: int) -> None:
    works = yard()
    works.weather.wind_from_deg = begin
    works.do("wind_from", "yard", end)
    works.step(1.0)
    assert works.weather.wind_from_deg == pytest.approx((begin + way * TURN_DEG_S) % 360)
    run(works, 120.0)
    assert works.weather.wind_from_deg == pytest.approx(end)


def test_the_vane_shows_where_the_wind_comes_from() -> None:
    works = yard()
    works.weather.wind_from_deg = works.turning_to_deg = 180.0
    seen = []
    for _ in range(1200):
        works.step(1.0)
        seen.append(works.true()[works.tags.index("WS-601.direction")])

    assert np.mean(seen) == pytest.approx(180.0, abs=6.0)


def depot(mean_c: float, hours: float = 3.0) -> MethanolDepot:
    works = MethanolDepot(np.random.default_rng(1))
    works.do("air", "sky", mean_c)
    run(works, hours * 3600.0, 30.0)
    return works


def test_a_covered_valve_opens_the_seam_on_a_hot_morning_and_its_neighbour_breathes() -> None:
    works = depot(34.0)
    works.do("vent", "TK-301", 0.0)
    run(works, 3 * 3600.0, 30.0)

    assert set(works.milestones) == {"TK-301 roof seam opens"}
    assert works.tanks["TK-301"].pressure_pa > SEAM_PA
    assert works.tanks["TK-302"].pressure_pa < 1_600


def test_nothing_bursts_in_a_heat_wave_while_valves_are_free() -> None:
    works = depot(40.0)
    run(works, 6 * 3600.0, 30.0)

    assert works.milestones == {}


def test_both_gauges_show_one_level_until_one_is_made_to_lie() -> None:
    works = depot(26.0, hours=0.0)
    works.do("level", "TK-301", 10.0)
    works.do("inlet", "TK-301", 300.0)
    shown = []
    for _ in range(100):
        works.step(10.0)
        shown.append(works.shown()[:2].copy())
    apart = np.array(shown)

    assert np.abs(apart[:, 0] - apart[:, 1]).max() < 0.03, "half of what the site's rule takes for a lie"
    assert apart[-1, 0] - apart[0, 0] == pytest.approx(300 * 990 / 3600 / (np.pi / 4 * 16**2), rel=0.05)


def test_chlorine_leaks_by_its_own_vapour_pressure_and_reaches_the_school_only_when_the_wind_turns() -> None:
    """Liquid through a hole under its own vapour pressure, AQ/T 3046-2013 annex E: ``m = Cd·A·sqrt(2·ρ·(p − p0))``.

    Chlorine at 22 °C: 0.724 MPa (Perry 2-8), 1,402 kg/m³ (Perry 2-32); the metre of head adds 1 % and is left out.
    """
    works = ToxicYard(CHLORINE, np.random.default_rng(1))
    works.do("leak", "L-651", 6.0)
    run(works, 120.0)
    by_hand = 0.61 * np.pi / 4 * 0.006**2 * np.sqrt(2 * 1_402 * (0.724e6 - 101_325))

    assert works.bullet.leaking_kg_s == pytest.approx(by_hand, rel=0.03)
    assert works.bullet.flashed == pytest.approx(0.18, abs=0.03)
    assert CHLORINE.danger not in works.milestones
    works.do("wind_from", "yard", 180.0)
    run(works, 420.0)
    assert works.milestones["cloud at GD-662"] < works.milestones[CHLORINE.danger]
