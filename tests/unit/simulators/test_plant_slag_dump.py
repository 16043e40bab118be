"""The slag dump alone: rain wets it, speed tells when it comes down, wires see their shares, its neighbour stays."""

import numpy as np
import pytest

from simulators.plant.slag_dump import STEEP, SlagDump

HOUR_S = 3600.0


def dump(seed: int = 1) -> SlagDump:
    return SlagDump(np.random.default_rng(seed))


def run(works: SlagDump, hours: float, dt_s: float = 60.0) -> None:
    for _ in range(round(hours * HOUR_S / dt_s)):
        works.step(dt_s)


def stormed(seed: int = 1) -> SlagDump:
    works = dump(seed)
    works.do("rain", "RG-901", 36.0)
    run(works, 9.0)
    works.do("rain", "RG-901", 0.0)
    return works


def test_a_dry_dump_creeps_millimetres_a_month_and_a_shower_does_not_bring_it_down() -> None:
    dry, wet = dump(), dump()
    wet.do("rain", "RG-901", 5.0)
    run(wet, 3.0)
    wet.do("rain", "RG-901", 0.0)
    run(dry, 7 * 24.0, 600.0)
    run(wet, 7 * 24.0, 600.0)

    assert dry.true()[0] == pytest.approx(3.6e-3 * 7 * 24, rel=0.01)
    assert dry.true()[0] < wet.true()[0] < 10.0, "as the site's limits expect"
    assert wet.milestones == {}


def test_a_storm_brings_it_down_and_the_straight_line_of_inverse_velocity_says_when() -> None:
    """Fukuzono 1985: where ``1/v`` meets zero, from two speeds alone, as the site's rule has it."""
    works = stormed()
    told: list[tuple[float, float]] = []
    moved: list[float] = []
    while "the dump comes down" not in works.milestones:
        works.step(60.0)
        moved.append(works.true()[0])
        if len(moved) > 120 and moved[-1] < 1_500:
            fast, slow = (moved[-1] - moved[-31]) / 1_800, (moved[-1] - moved[-121]) / 7_200
            if fast > slow > 0:
                told.append((works.time_s, 2_700 / fast / (1 / slow - 1 / fast) - 900))
        assert works.time_s < 40 * HOUR_S

    down = works.milestones["the dump comes down"]
    last_hours = [(down - at_s, left_s) for at_s, left_s in told if 1_800 < down - at_s < 4 * HOUR_S]
    assert len(last_hours) > 100
    assert all(left_s == pytest.approx(really_s, rel=0.6) for really_s, left_s in last_hours)
    assert works.milestones["10 mm/h"] == pytest.approx(down - 1 / (STEEP * 0.01 / HOUR_S), rel=0.05), "v = 1/(A·t)"


def test_wires_see_their_shares_and_the_neighbour_is_drained() -> None:
    works = stormed()
    run(works, 12.0)
    crest, face, toe, neighbour = works.true()[:4]

    assert face / crest == pytest.approx(0.85)
    assert toe / crest == pytest.approx(0.6)
    assert neighbour < 0.1 * crest


def test_the_gauge_tells_the_rain_of_three_days_and_forgets_it() -> None:
    works = stormed()
    fallen = works.true()[works.tags.index("RG-901.rain_72h")]
    run(works, 60.0, 600.0)
    still = works.true()[works.tags.index("RG-901.rain_72h")]
    run(works, 14.0, 600.0)

    assert fallen == pytest.approx(36 * 9, rel=0.15)
    assert still == fallen
    assert works.true()[works.tags.index("RG-901.rain_72h")] == 0.0
    assert works.true()[works.tags.index("RG-901.rain")] == 0.0
    with pytest.raises(KeyError):
        works.do("snow", "RG-901", 1.0)
