"""Formulas of the plant: vectors from outside, and twenty cases by another program."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from simulators.physics.cloud import Cloud, Detectors
from simulators.physics.dispersion import plume_kg_m3, plume_sigmas_m, puff_sigmas_m, stability_class
from simulators.physics.leak import critical_ratio, flash_fraction, gas_kg_s, hole_area_m2, liquid_kg_s
from simulators.physics.pedestrian import FLOOR_M_S, flow_s_m, level_of_service, stop_and_go, walking_m_s
from simulators.physics.shape import Shape, lying, sphere, upright
from simulators.physics.substance import CAS, substance

GOLDEN = json.loads(Path("tests/golden/physics/pyeldqm.json").read_text(encoding="utf-8"))["cases"]


def cases(kind: str) -> list[Any]:
    return [pytest.param(case, id=f"{kind}-{place}") for place, case in enumerate(GOLDEN) if case["kind"] == kind]


def test_there_are_twenty_cases() -> None:
    assert len(GOLDEN) == 20


@pytest.mark.parametrize("case", cases("plume"))
def test_plume_agrees_with_another_program(case: dict[str, Any]) -> None:
    found = plume_kg_m3(
        case["source_kg_s"], case["wind_m_s"], case["along_m"], case["across_m"], case["up_m"],
        stability=case["stability"], height_m=case["height_m"],
    )  # fmt: skip

    assert float(found) == pytest.approx(case["kg_m3"], rel=1e-12)


@pytest.mark.parametrize("case", cases("liquid"))
def test_liquid_leak_agrees_with_another_program(case: dict[str, Any]) -> None:
    """Within the difference of 9.81 and 9.80665 m/s²."""
    found = liquid_kg_s(
        case["density_kg_m3"], case["area_m2"], head_m=case["head_m"], pressure_pa=case["pressure_pa"],
        discharge=case["discharge"],
    )  # fmt: skip

    assert found == pytest.approx(case["kg_s"], rel=2e-4)


@pytest.mark.parametrize("case", cases("gas"))
def test_gas_leak_agrees_with_another_program_as_far_as_the_gas_is_ideal(case: dict[str, Any]) -> None:
    """The other program's gas is Redlich and Kwong's: its flow is ours over the root of its compressibility."""
    found = gas_kg_s(
        case["pressure_pa"], case["temperature_k"], hole_area_m2(case["hole_m"]),
        molar_kg=case["molar_kg"], gamma=case["gamma"],
    )  # fmt: skip

    assert found / math.sqrt(case["z"]) == pytest.approx(case["kg_s"], rel=1e-4)
    assert found == pytest.approx(case["kg_s"], rel=0.025), "what an ideal gas costs up to 3 bar of propane"


def test_leaks_give_the_published_vectors() -> None:
    """Petrol 740 kg/m³, 25 mm, 10 m: 3.10; ammonia 610, Δp 0.76 MPa: 9.12; CH4 1.1 MPa: choked, 0.935 kg/s."""
    area = hole_area_m2(0.025)

    assert liquid_kg_s(740, area, head_m=10) == pytest.approx(3.10, abs=0.005)
    assert liquid_kg_s(610, area, pressure_pa=101_325 + 760_000) == pytest.approx(9.12, abs=0.005)
    assert critical_ratio(1.31) == pytest.approx(0.5439, abs=5e-5)
    assert gas_kg_s(1.1e6, 288.15, area, molar_kg=0.01604, gamma=1.31) == pytest.approx(0.935, abs=5e-4)


def test_gas_leak_is_continuous_where_it_stops_being_choked() -> None:
    at = 101_325 / critical_ratio(1.13)
    below, above = (gas_kg_s(at * by, 300, 1e-4, molar_kg=0.0441, gamma=1.13) for by in (1 - 1e-7, 1 + 1e-7))

    assert below == pytest.approx(above, rel=1e-6)


def test_plume_gives_the_published_vector() -> None:
    """Rural D, 5 m/s, 500 m, 1 kg/s: σy 39.04, σz 22.68 m, 71.9 mg/m³."""
    across, up = plume_sigmas_m(500.0, "D")

    assert float(across) == pytest.approx(39.04, abs=0.005)
    assert float(up) == pytest.approx(22.68, abs=0.005)
    assert float(plume_kg_m3(1.0, 5.0, 500.0)) * 1e6 == pytest.approx(71.9, abs=0.05)


@pytest.mark.parametrize("stability", "ABCDEF")
@pytest.mark.parametrize("is_urban", [False, True])
def test_what_a_source_gives_passes_every_plane_downwind(stability: str, is_urban: bool) -> None:
    """The flux of a plume through a plane across the wind is the source: ``∫∫C·u dy dz = Q``."""
    along = 400.0
    across, up = (float(sigma) for sigma in plume_sigmas_m(along, stability, is_urban=is_urban))
    y = np.linspace(-6 * across, 6 * across, 401)
    z = np.linspace(0, 8 * up, 401)
    field = plume_kg_m3(2.0, 3.0, along, y[:, None], z[None, :], stability=stability, height_m=3.0, is_urban=is_urban)

    assert np.trapezoid(np.trapezoid(field, z, axis=1), y) * 3.0 == pytest.approx(2.0, rel=1e-3)


def test_urban_clouds_are_wider() -> None:
    for stability in "ABCDEF":
        rural, urban = plume_sigmas_m(700.0, stability), plume_sigmas_m(700.0, stability, is_urban=True)
        assert urban[0] > rural[0]
        assert urban[1] > rural[1]


@pytest.mark.parametrize(
    ("wind", "sun", "is_cloudy", "stability"),
    [
        (1.0, 1.0, False, "A"), (1.0, 0.0, False, "F"), (2.5, 0.5, False, "B"), (2.5, 0.0, True, "E"),
        (4.0, 0.1, False, "C"), (4.0, 0.0, True, "D"), (5.5, 1.0, False, "C"), (7.0, 1.0, False, "C"),
        (7.0, 0.0, False, "D"),
    ],
)  # fmt: skip
def test_stability_is_pasquills(wind: float, sun: float, is_cloudy: bool, stability: str) -> None:
    assert stability_class(wind, sun, is_cloudy=is_cloudy) == stability


def test_weidmann_and_fruin_give_their_tables() -> None:
    table = [(1, 1.058, 63.5), (2, 0.606, 72.7), (3, 0.331, 59.5), (4, 0.156, 37.5), (5, 0.037, 11.2)]
    for density, speed, per_minute in table:
        assert walking_m_s(density) == pytest.approx(speed, abs=6e-4)
        assert flow_s_m(density) * 60 == pytest.approx(per_minute, abs=0.05)
    assert "".join(level_of_service(d) for d in (0.1, 0.35, 0.6, 1.0, 2.0, 3.0)) == "ABCDEF"


def test_a_packed_crowd_creeps_and_leaves_in_gushes() -> None:
    assert walking_m_s(8.0) == FLOOR_M_S
    times = np.arange(0, 450, 1.0)
    gush = [stop_and_go(6.0, time) for time in times]

    assert np.mean(gush) == pytest.approx(1.0)
    assert sorted(set(gush)) == pytest.approx([0.0, 3.0])
    assert {stop_and_go(5.0, time) for time in times} == {1.0}


def test_shapes_hold_what_geometry_says() -> None:
    """Closed formulas: cylinder, cone below it, sphere, and the half-full lying cylinder."""
    flat, cone, ball = upright(25.0, 14.3), upright(5.0, 6.0, bottom="conical", bottom_m=0.8), sphere(12.3)
    bullet = lying(3.0, 12.0)

    assert flat.volume_at(7.0) == pytest.approx(math.pi / 4 * 25**2 * 7, rel=1e-9)
    assert cone.volume_at(0.8) == pytest.approx(math.pi / 12 * 5**2 * 0.8, rel=1e-5)
    assert cone.volume_m3 == pytest.approx(math.pi / 12 * 5**2 * 0.8 + math.pi / 4 * 25 * 6, rel=1e-9)
    assert ball.volume_m3 == pytest.approx(math.pi / 6 * 12.3**3, rel=1e-9)
    assert ball.volume_at(4.0) == pytest.approx(math.pi * 16 * (3 * 6.15 - 4) / 3, rel=1e-5)
    assert bullet.volume_m3 == pytest.approx(math.pi / 4 * 9 * 12 + math.pi / 24 * 27 * 2, rel=1e-6)
    assert bullet.volume_at(1.5) == pytest.approx(bullet.volume_m3 / 2, rel=1e-6)


@pytest.mark.parametrize("shape", [upright(20.0, 12.0), lying(3.0, 12.0), sphere(10.0)], ids=["tank", "bullet", "ball"])
def test_level_and_volume_are_each_others_inverse(shape: Shape) -> None:
    for level in np.linspace(0.01, shape.height_m, 57):
        assert shape.level_of(shape.volume_at(level)) == pytest.approx(level, abs=2e-6)


@pytest.mark.parametrize("name", [name for name in CAS if name != "methane"])
def test_a_substance_boils_at_its_boiling_point(name: str) -> None:
    """Two tables of one library that know nothing of each other: normal boiling points, and vapour pressures."""
    one = substance(name)

    assert one.vapour_pa(one.boiling_k) == pytest.approx(101_325, rel=0.006)


#: Pa, kg/m³ of liquid and of vapour, J/kg at 288.15 K by CoolProp 8.0.0 (reference equations of state).
SATURATED = {
    "propane": (731_512, 507.503, 15.8129, 352_482),
    "butane": (176_146, 584.252, 4.54898, 371_382),
    "ammonia": (728_185, 617.659, 5.72361, 1_206_090),
    "methanol": (9_898.9, 795.605, 0.135019, 1_183_958),
    "benzene": (7_845.8, 884.069, 0.257087, 440_810),
}


@pytest.mark.parametrize("name", SATURATED)
def test_a_saturated_substance_is_that_of_its_equation_of_state(name: str) -> None:
    own, at_k = substance(name), 288.15
    found = (own.vapour_pa(at_k), own.liquid_kg_m3(at_k), own.vapour_kg_m3(at_k), own.latent_j_kg(at_k))

    assert found == pytest.approx(SATURATED[name], rel=0.015)


def test_petrol_is_the_petrol_that_its_page_says() -> None:
    petrol = substance("petrol")

    assert petrol.liquid_kg_m3(288.15) == pytest.approx(740.0)
    assert petrol.vapour_pa(310.95) == pytest.approx(60_000, rel=1e-6)
    assert petrol.vapour_pa(petrol.boiling_k) == pytest.approx(101_325, rel=1e-9)
    assert petrol.liquid_kg_m3(298.15) < petrol.liquid_kg_m3(288.15)


def test_about_a_third_of_lpg_flashes() -> None:
    propane = substance("propane")
    share = flash_fraction(propane.cp_j_kg_k, 288.15, propane.boiling_k, propane.latent_j_kg(propane.boiling_k))

    assert share == pytest.approx(0.31, abs=0.02)
    assert flash_fraction(2_000, 280, 300, 3e5) == 0.0


def cloud_at(
    places: list[list[float]], *, steps: int, wind: float = 4.0, dt_s: float = 1.0
) -> tuple[Cloud, NDArray[np.float64]]:
    cloud = Cloud(height_m=2.0, width_m=0.0, depth_m=0.0)
    for _ in range(steps):
        cloud.step(dt_s, 0.5, wind, 0.0)
    return cloud, cloud.kg_m3(np.array(places, dtype=np.float64), "D")


def test_a_row_of_puffs_is_the_plume_with_the_puffs_widths() -> None:
    """Slade's integral: a steady row of puffs at one place is ``Q/(2π·u·σy·σz)`` with that place's widths."""
    _, found = cloud_at([[300.0, 0.0, 1.5]], steps=400)
    side, up = (float(sigma) for sigma in puff_sigmas_m(300.0, "D"))
    mirror = math.exp(-(0.5**2) / (2 * up**2)) + math.exp(-(3.5**2) / (2 * up**2))

    assert found[0] == pytest.approx(0.5 / (2 * math.pi * 4.0 * side * up) * mirror, rel=0.02)


def test_a_cloud_holds_all_that_was_given_and_forgets_only_what_is_far() -> None:
    cloud, _ = cloud_at([[1.0, 0.0, 0.0]], steps=2_000)

    assert cloud.mass_kg + cloud.lost_kg == pytest.approx(cloud.given_kg)
    assert cloud.given_kg == pytest.approx(1_000)
    assert cloud.lost_kg > 0


def test_a_cloud_is_the_same_for_any_step() -> None:
    places = [[120.0, 5.0, 1.0], [60.0, -3.0, 1.0]]
    fine, coarse = cloud_at(places, steps=200, dt_s=0.5)[1], cloud_at(places, steps=10, dt_s=10.0)[1]

    assert coarse == pytest.approx(fine, rel=0.02)


def test_a_cloud_turns_with_the_wind_and_ends_with_the_leak() -> None:
    cloud = Cloud(height_m=1.0)
    places = np.array([[50.0, 0.0, 1.0], [0.0, 50.0, 1.0]])
    for second in range(120):
        cloud.step(1.0, 0.5 if second < 90 else 0.0, 3.0, 0.0 if second < 45 else math.pi / 2)
        if second == 40:
            east, north = cloud.kg_m3(places, "D")
            assert east > 1e3 * north
    east, north = cloud.kg_m3(places, "D")

    assert east < 1e-6
    assert north < 1e-6, "the leak ended half a minute ago"


def test_a_detector_shows_ninety_percent_after_its_t90() -> None:
    detectors = Detectors(places_m=np.zeros((2, 3)), t90_s=np.array([10.0, 30.0]), full_kg_m3=0.03)
    for _ in range(100):
        detectors.step(0.1, np.array([0.015, 0.015]))

    assert detectors.shown[0] == pytest.approx(0.9 * 50)
    assert detectors.shown[1] == pytest.approx(50 * (1 - 10 ** (-1 / 3)))
    before = detectors.shown.copy()
    once = Detectors(places_m=np.zeros((2, 3)), t90_s=np.array([10.0, 30.0]), full_kg_m3=0.03)
    once.step(10.0, np.array([0.015, 0.015]))
    assert once.shown == pytest.approx(before), "one step of 10 s is a hundred of 0.1 s"


def test_slope_of_vapour_pressure_is_that_of_its_curve() -> None:
    for one, two in pairwise([*CAS][1:]):
        for name in (one, two):
            own = substance(name)
            slope = (own.vapour_pa(290.01) - own.vapour_pa(289.99)) / 0.02
            assert own.vapour_slope_pa_k(290.0) == pytest.approx(slope, rel=1e-6)
