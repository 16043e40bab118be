"""The cold store: its balances close, a machine that has no oil stops itself, the other one goes on."""

import numpy as np
import pytest

from simulators.plant.cold_store import ColdStore


def store(seconds: float = 0.0, dt_s: float = 1.0) -> ColdStore:
    works = ColdStore(np.random.default_rng(1))
    run(works, seconds, dt_s)
    return works


def run(works: ColdStore, seconds: float, dt_s: float = 1.0) -> None:
    for _ in range(round(seconds / dt_s)):
        works.step(dt_s)


def shown(works: ColdStore, tag: str) -> float:
    return float(works.true()[works.tags.index(tag)])


def test_mass_and_energy_of_the_circuit_close_over_a_trip() -> None:
    works = store()
    circuit = works.circuit
    kg, stored = circuit.low_kg + circuit.high_kg, circuit.stored_j
    taken, given, work = circuit.taken_j, circuit.given_j, circuit.work_j
    run(works, 120)
    works.do("stop", "C-801", 0)
    run(works, 600)

    assert circuit.low_kg + circuit.high_kg == pytest.approx(kg, rel=1e-12)
    came = circuit.taken_j - taken + circuit.work_j - work - (circuit.given_j - given)
    assert circuit.stored_j - stored == pytest.approx(came, rel=1e-9)
    assert abs(came) > 1e6


def test_it_stands_still_on_a_day_as_it_was_made_for() -> None:
    works = store(3600, 2.0)

    assert shown(works, "CR-811.air") == pytest.approx(-8.0, abs=0.3)
    assert shown(works, "RF-801.suction_pressure") == pytest.approx(0.135, abs=0.004), (
        "ammonia at -15 °C: 0.236 MPa abs"
    )
    assert works.milestones == {}


@pytest.mark.parametrize("dt_s", [0.5, 1.0, 4.0])
def test_a_machine_without_oil_stops_itself_and_the_other_goes_on(dt_s: float) -> None:
    works = store(60, dt_s)
    works.do("clog", "C-801", 200)
    run(works, 300, dt_s)

    assert works.milestones["C-801 trips"] == pytest.approx(60 + 60 / 2 * (1 - (1 / 3) ** 0.5), abs=dt_s + 0.5)
    assert shown(works, "C-801.speed") < 1.0
    assert shown(works, "C-802.speed") == 2960.0
    assert shown(works, "C-802.flow") > 0.145, "it takes in denser vapour"
    assert shown(works, "RF-801.suction_pressure") == pytest.approx(0.175, abs=0.006)


def test_a_clean_strainer_and_a_start_bring_it_back() -> None:
    works = store(10)
    works.do("clog", "C-801", 600)
    run(works, 60)
    works.do("clog", "C-801", 0)
    works.do("start", "C-801", 0)
    run(works, 60)

    assert shown(works, "C-801.oil_pressure") == pytest.approx(0.30, abs=0.001)
    assert shown(works, "C-801.flow") > 0.1


def test_ammonia_in_the_machine_room_comes_and_goes_with_the_fan() -> None:
    works = store(10)
    works.do("release", "C-801", 0.2)
    run(works, 600)
    full = 0.2e-3 / 1.2 / 0.708 * 1e6  # ppm: leak by air, by the density of ammonia
    assert shown(works, "GD-801.nh3") == pytest.approx(full * (1 - np.exp(-1.2 / 400 * 600)), rel=1e-6)
    works.do("release", "C-801", 0.0)
    run(works, 2400)
    assert shown(works, "GD-801.nh3") < 1.0
