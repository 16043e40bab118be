"""Gas units, compensated flow and plain arithmetic, against published conversions."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.model.derivation import Derivation
from gateway.load.derived.substances import IEC, SUBSTANCES
from tests.unit.alerting.core.derived.scene import Scene, derivation

UNITS = ("%LEL", "%VOL", "ppm", "mg/m³")


def gas(source: str, target: str, lel: float = math.nan, molar: float = math.nan, **inputs: str) -> Derivation:
    return derivation(
        "X", "gas", {"gas": "g", **inputs}, words={"from": source, "to": target},
        numbers={"lel_percent": lel, "molar_mass_g_mol": molar},
    )  # fmt: skip


def convert(one: Derivation, **values: float) -> float:
    scene = Scene([one], ["g", "T", "p"])
    scene.feed(1.0, **values)
    return scene.value("X")


@pytest.mark.parametrize(
    ("name", "mg_per_ppm"),
    [  # NIOSH Pocket Guide to Chemical Hazards, "Conversion", 25 °C and 1 atm: 1 ppm = … mg/m³
        ("NH3", 0.70), ("Cl2", 2.90), ("H2S", 1.40), ("CO", 1.15), ("SO2", 2.62), ("benzene", 3.19),
        ("toluene", 3.77), ("methanol", 1.31), ("HCl", 1.49), ("NO2", 1.88),
    ],
)  # fmt: skip
def test_ppm_into_mg_as_the_pocket_guide_has_it(name: str, mg_per_ppm: float) -> None:
    found = convert(gas("ppm", "mg/m³", molar=SUBSTANCES[name].molar_mass_g_mol), g=1.0)

    assert found == pytest.approx(mg_per_ppm, abs=0.007)


def test_lel_into_ppm_and_percent() -> None:
    assert convert(gas("%LEL", "ppm", lel=5.0), g=20.0) == pytest.approx(10_000.0)
    assert convert(gas("%LEL", "%VOL", lel=5.0), g=50.0) == pytest.approx(2.5)


def test_cold_and_thin_air() -> None:
    """At 0 °C Vm is 22.40 L/mol; at half the pressure a ppm weighs half."""
    at_zero = gas("ppm", "mg/m³", molar=22.4, temperature="T", pressure="p")
    assert convert(at_zero, g=1.0, T=0.0, p=101.325) == pytest.approx(22.4 / (24.45 * 273.15 / 298.15), rel=1e-9)
    assert convert(at_zero, g=1.0, T=0.0, p=101.325) == pytest.approx(1.0, rel=1e-3)
    assert convert(at_zero, g=1.0, T=0.0, p=50.6625) == pytest.approx(0.5, rel=1e-3)
    assert math.isnan(convert(at_zero, g=1.0, T=0.0, p=-1.0))


@settings(max_examples=80, deadline=None)
@given(value=st.floats(0, 1e6), there=st.sampled_from(UNITS), back=st.sampled_from(UNITS))
def test_there_and_back_is_the_same(value: float, there: str, back: str) -> None:
    one = convert(gas(there, back, lel=2.1, molar=44.1), g=value)

    assert convert(gas(back, there, lel=2.1, molar=44.1), g=one) == pytest.approx(value, rel=1e-9, abs=1e-9)


def test_substances_are_what_they_are() -> None:
    assert all(0 < (each.lel_percent or 1) <= 16 for each in SUBSTANCES.values())
    assert all(IEC[name] < (SUBSTANCES[name].lel_percent or 0) for name in IEC)
    assert SUBSTANCES["CH4"].molar_mass_g_mol == pytest.approx(12.011 + 4 * 1.008, abs=0.002)


FLOW = {"flow": "q", "pressure": "p", "temperature": "T"}


def flow(words: dict[str, str], **numbers: float) -> Scene:
    scene = Scene([derivation("X", "normal_flow", FLOW, words=words, numbers=numbers)], ["q", "p", "T"])
    scene.feed(1.0, q=100.0, p=300.0, T=20.0)
    return scene


def test_volume_meter_at_pressure() -> None:
    """100 m³/h at 300 kPa over 101.325 kPa and 20 °C: 100 · 401.325/101.325 · 273.15/293.15 = 369.05 Nm³/h."""
    scene = flow({"meter": "volume", "pressure_is": "gauge"}, atmosphere_kpa=101.325)
    assert scene.value("X") == pytest.approx(369.05, abs=0.01)
    assert flow({"meter": "volume", "pressure_is": "absolute"}, z=0.95).value("X") == pytest.approx(
        100 * 300 / 101.325 * 273.15 / 293.15 / 0.95
    )


def test_pressure_drop_meter_goes_with_the_root() -> None:
    """Designed for 300 kPa and 20 °C it is right there; at 75 kPa it shows twice too much."""
    words = {"meter": "pressure_drop", "pressure_is": "absolute"}
    assert flow(words, design_kpa=300.0, design_c=20.0).value("X") == pytest.approx(100.0)
    assert flow(words, design_kpa=1200.0, design_c=20.0).value("X") == pytest.approx(50.0)


def test_vacuum_below_vacuum_is_bad() -> None:
    words = {"meter": "pressure_drop", "pressure_is": "absolute"}
    scene = flow(words, design_kpa=300.0, design_c=20.0)
    scene.feed(2.0, p=-3.0)
    assert scene.quality("X") == "BAD(range)"


@pytest.mark.parametrize(
    ("kind", "role", "numbers", "value"),
    [
        ("fill", "volume", {"capacity_m3": 120.0}, 25.0),
        ("ullage", "volume", {"capacity_m3": 120.0}, 90.0),
        ("density", "persons", {"area_m2": 12.0}, 2.5),
        ("room_load", "persons", {"persons_most": 9.0}, 1000 / 3),
        ("quantity", "mass", {}, 30.0),
    ],
)
def test_plain_arithmetic(kind: str, role: str, numbers: dict[str, float], value: float) -> None:
    scene = Scene([derivation("X", kind, {role: "a"}, numbers=numbers)], ["a"])
    scene.feed(1.0, a=30.0)

    assert scene.value("X") == pytest.approx(value)


def test_a_sum_with_one_bad_part_is_bad_not_smaller() -> None:
    scene = Scene([derivation("X", "quantity", {"mass": ["a", "b", "c"]})], ["a", "b", "c"])
    scene.feed(1.0, a=30.0, b=10.0, c=2.0)
    assert scene.value("X") == 42.0
    scene.feed(2.0, b=float("nan"))
    assert scene.quality("X") == "BAD(input)"
