"""The gas line alone: its leak is the orifice's, its books close, its gauges tell a rupture and not a pin-hole."""

import math

import numpy as np
import pytest

from simulators.plant.gas_line import VALVE_S, GasPipeline

R = 8.314_462_618


def line(seed: int = 1) -> GasPipeline:
    works = GasPipeline(np.random.default_rng(seed))
    run(works, 7_200.0)
    return works


def run(works: GasPipeline, seconds: float, dt_s: float = 5.0) -> None:
    for _ in range(round(seconds / dt_s)):
        works.step(dt_s)


def at(works: GasPipeline, tag: str) -> float:
    return float(works.true()[works.tags.index(f"GL-701.{tag}")])


def test_a_pin_hole_leaks_what_the_choked_orifice_says() -> None:
    """AQ/T 3046-2013 annex E: ``m = Cd·A·p·sqrt(M·γ/(R·T)·(2/(γ+1))^((γ+1)/(γ−1)))``, written out with γ 1.31."""
    works = line()
    works.do("leak", "GL-701", 8.0)
    run(works, 600.0)
    pressure_pa = at(works, "mid_pressure") * 1e6 + 101_325
    gamma = works.line.substance.gamma
    psi = math.sqrt(gamma * (2 / (gamma + 1)) ** ((gamma + 1) / (gamma - 1)))
    by_hand = math.pi / 4 * 0.008**2 * pressure_pa * psi * math.sqrt(0.016_043 / (R * 288.15))

    assert gamma == pytest.approx(1.31, abs=0.01)
    assert works.line.leaking_kg_s == pytest.approx(by_hand, rel=5e-3)
    assert 0.03 < works.line.leaking_kg_s / works.line.draw_kg_s < 0.05, "some 4 % of what flows"


def test_a_pin_hole_is_in_the_books_and_not_in_the_pressure() -> None:
    works, whole = line(), line()
    works.do("leak", "GL-701", 8.0)
    run(works, 3_600.0)
    run(whole, 3_600.0)

    assert at(whole, "mid_pressure") - at(works, "mid_pressure") < 0.01
    lost = at(works, "inlet_flow") - at(works, "outlet_flow")
    held = at(whole, "inlet_flow") - at(whole, "outlet_flow")
    assert lost - held == pytest.approx(works.line.leaking_kg_s / works.kg_nm3 * 3600, rel=0.05)


def test_a_cut_line_loses_its_pressure_in_seconds_and_its_customers_in_minutes() -> None:
    works = line()
    works.do("leak", "GL-701", 300.0)
    run(works, 30.0)
    assert at(works, "mid_pressure") < 0.5
    assert at(works, "outlet_pressure") > 0.8
    run(works, 1_200.0)

    told = works.milestones
    assert told["1 t of gas out"] < told["customers without gas"] < told["10 t of gas out"]
    assert at(works, "outlet_pressure") > -1e-9, "customers draw no vacuum"


def test_shut_valves_leave_the_leak_what_lies_between_them() -> None:
    works = line()
    section_kg = float(works.line.pressures_pa[10:30].sum()) / works.line.pressures_pa.sum() * works.line.packed_kg
    works.do("shut", "XV-711", 0.0)
    works.do("shut", "XV-712", 0.0)
    run(works, VALVE_S - 5)
    assert works.true()[-2:].tolist() == [1.0, 1.0], "they travel"
    run(works, 10.0)
    assert works.true()[-2:].tolist() == [0.0, 0.0]
    works.do("leak", "GL-701", 300.0)
    run(works, 3_600.0)

    assert works.line.leaked_kg < section_kg
    assert works.line.leaked_kg == pytest.approx(section_kg, rel=0.15)
    works.do("open", "XV-711", 0.0)
    run(works, 10.0)
    assert works.true()[-2:].tolist() == [1.0, 0.0]


def test_demand_follows_the_day_and_what_is_asked() -> None:
    works = line()
    works.do("draw", "GL-701", 10_000.0)
    works.do("swing", "GL-701", 0.2)
    seen = []
    for _ in range(24):
        run(works, 3_600.0, 30.0)
        seen.append(at(works, "outlet_flow"))

    assert np.mean(seen) == pytest.approx(10_000, rel=0.02)
    assert max(seen) > 1.15 * np.mean(seen)
    assert min(seen) < 0.85 * np.mean(seen)
    with pytest.raises(KeyError):
        works.do("pump", "GL-701", 1.0)
