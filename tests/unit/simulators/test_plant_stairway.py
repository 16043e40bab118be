"""The stairway alone: one-way it flows, both ways it locks; people are kept, gates lose some of them."""

import numpy as np
import pytest

from simulators.plant.stairway import DECK, FOOT, HEAD, RAMP, STAIR, Stairway


def stair(seed: int = 1) -> Stairway:
    return Stairway(np.random.default_rng(seed))


def run(works: Stairway, seconds: float, dt_s: float = 5.0) -> None:
    for _ in range(round(seconds / dt_s)):
        works.step(dt_s)


def test_one_way_a_rush_passes_and_nobody_is_squeezed() -> None:
    works = stair()
    works.do("arrive", FOOT, 2.6)
    run(works, 3_600)

    assert works.milestones == {}
    assert works.crowd.areas[STAIR].local_density < 2.0
    assert works.crowd.passages[HEAD].passed_out == 0, "nobody goes down"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_counter_flow_locks_the_stairway_that_carried_the_same_crowd_one_way(seed: int) -> None:
    works, one_way = stair(seed), stair(seed)
    for each in (works, one_way):
        each.do("arrive", FOOT, 3.6)
    works.do("turn_back", DECK, 0.4)
    run(works, 3_600)
    run(one_way, 1_800)

    assert f"{STAIR} crush" in works.milestones
    assert f"{STAIR} crush" not in one_way.milestones
    assert works.milestones[f"{STAIR} crush"] > 600, "it takes minutes, which is the time to act"
    assert works.crowd.passages[FOOT].passed_out > 0


def test_people_are_kept_while_they_turn_round() -> None:
    works = stair()
    works.do("arrive", FOOT, 3.0)
    works.do("turn_back", DECK, 0.5)
    for _ in range(400):
        works.step(5.0)
        crowd = works.crowd
        assert crowd.arrived == crowd.persons + crowd.queues[FOOT] + crowd.gone
        assert 0 <= works._down <= crowd.areas[STAIR].persons + 1  # noqa: SLF001


def test_a_blocked_way_out_fills_the_deck() -> None:
    works = stair()
    works.do("arrive", FOOT, 2.8)
    works.do("stay", DECK, 420.0)
    works.do("free", RAMP, 0.2)
    run(works, 3_600)

    assert f"{DECK} crush" in works.milestones


def test_gates_miss_two_of_a_hundred_and_cameras_see_where_it_is_densest() -> None:
    works = stair()
    works.do("arrive", FOOT, 2.5)
    run(works, 3_600)
    column = works.tags.index
    shown, true = works.shown(), works.true()

    assert shown[column("ST-462.up")] / true[column("ST-462.up")] == pytest.approx(0.98, abs=0.005)
    assert shown[column("Z-463.camera")] == pytest.approx(true[column("Z-463.camera")], abs=0.5)
    assert true[column("Z-463.camera")] == pytest.approx(works.crowd.areas[DECK].persons / 300 * 1.3)
    works.do("arrive", FOOT, 0.0)
    run(works, 3_600)
    assert works.crowd.queues[FOOT] == 0
    assert works.crowd.persons < 10
    with pytest.raises(KeyError):
        works.do("jump", DECK, 1.0)
