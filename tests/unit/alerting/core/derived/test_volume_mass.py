"""Volume and mass against values from outside: published formulas and a published tank."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.load.derived.geometry import table_of
from tests.unit.alerting.core.derived.scene import Scene, derivation

IN = 0.0254
GAL = 231 * IN**3


def volume_at(table: tuple[tuple[float, float], ...], level: float) -> float:
    """What the hot path gives for a level."""
    scene = Scene([derivation("V", "volume", {"level": "h"}, table=table)], ["h"])
    scene.feed(1.0, h=level)
    return scene.value("V")


@pytest.mark.parametrize(
    ("shape", "diameter", "length", "head", "depth", "level", "volume"),
    [
        ("vertical-cylinder", 3.0, 6.0, "flat", 0.0, 4.0, math.pi / 4 * 9 * 4),
        ("sphere", 10.0, 0.0, "flat", 0.0, 2.5, math.pi * 2.5**2 * (15 - 2.5) / 3),
        ("sphere", 10.0, 0.0, "flat", 0.0, 10.0, math.pi * 1000 / 6),
        # Half full, by symmetry half of the whole: cylinder and two half spheres.
        ("horizontal-cylinder", 2.0, 5.0, "spherical", 1.0, 1.0, math.pi * 5 / 2 + math.pi * 4 / 6),
        # Cone of 1 m below, then 2 m of cylinder.
        ("vertical-cylinder", 3.0, 6.0, "conical", 1.0, 3.0, math.pi * 2.25 / 3 + math.pi * 2.25 * 2),
        # D. Jones, "Calculating Tank Volume", the worked examples: D 108 in, L 156 in, a 42 in, level
        # 36 in; US gallons of 231 in³.
        ("horizontal-cylinder", 108 * IN, 156 * IN, "ellipsoidal", 42 * IN, 36 * IN, 2380.9565 * GAL),
        ("horizontal-cylinder", 108 * IN, 156 * IN, "conical", 42 * IN, 36 * IN, 2041.1923 * GAL),
        ("horizontal-cylinder", 108 * IN, 156 * IN, "torispherical", 0.0, 36 * IN, 2028.6267 * GAL),
    ],
)  # fmt: skip
def test_geometry_as_published(
    shape: str, diameter: float, length: float, head: str, depth: float, level: float, volume: float
) -> None:
    table = table_of(shape, diameter, length, head, depth)

    assert volume_at(table, level) == pytest.approx(volume, abs=2e-5 * table[-1][1])


def test_horizontal_cylinder_by_the_circular_segment() -> None:
    """``A = R² acos((R - h)/R) - (R - h) sqrt(2 R h - h²)``, at a hundred levels between the rows of the table."""
    table = table_of("horizontal-cylinder", 3.0, 10.0, "flat", 0.0)
    for level in np.linspace(0.013, 2.987, 100).tolist():
        area = 2.25 * math.acos((1.5 - level) / 1.5) - (1.5 - level) * math.sqrt(3 * level - level**2)
        assert volume_at(table, level) == pytest.approx(10 * area, abs=2e-5 * table[-1][1])


def test_a_strapping_table_is_a_line_between_its_rows_and_ends_where_it_ends() -> None:
    table = ((0.5, 40.0), (5.0, 400.0), (10.0, 900.0))

    assert volume_at(table, 0.5) == 40.0
    assert volume_at(table, 7.5) == 650.0
    assert volume_at(table, 10.0) == 900.0
    assert math.isnan(volume_at(table, 10.001)), "nobody measured the tank there"
    assert math.isnan(volume_at(table, 0.49))
    scene = Scene([derivation("V", "volume", {"level": "h"}, table=table)], ["h"])
    scene.feed(1.0, h=10.001)
    assert scene.quality("V") == "BAD(range)"


rows = st.lists(
    st.tuples(st.floats(0.001, 5.0), st.floats(0.0, 100.0)), min_size=1, max_size=40
)  # steps of level and volume


@settings(max_examples=60, deadline=None)
@given(tables=st.lists(rows, min_size=1, max_size=5), share=st.floats(0, 1))
def test_all_tanks_at_once_are_each_tank_alone(tables: list[list[tuple[float, float]]], share: float) -> None:
    """Against ``numpy.interp``, which knows one table at a time."""
    built = [
        tuple(
            zip(
                np.cumsum([0.0, *(h for h, _ in steps)]).tolist(),
                np.cumsum([0.0, *(v for _, v in steps)]).tolist(),
                strict=True,
            )
        )
        for steps in tables
    ]
    names = [f"h{n}" for n in range(len(built))]
    scene = Scene(
        [derivation(f"V{n}", "volume", {"level": names[n]}, table=table) for n, table in enumerate(built)], names
    )
    levels = [table[-1][0] * share for table in built]
    scene.take(1.0, dict(zip(names, levels, strict=True)))

    for n, table in enumerate(built):
        x, y = np.array(table).T
        assert scene.value(f"V{n}") == pytest.approx(np.interp(levels[n], x, y), rel=1e-9, abs=1e-9)


def test_mass_of_water_by_temperature() -> None:
    """Water: 998.2 kg/m³ at 20 °C and 992.2 at 40 °C (CRC Handbook); a line through both gives both."""
    numbers = {"density_kg_m3": 998.2, "density_at_c": 20.0, "density_slope": (992.2 - 998.2) / 20}
    scene = Scene([derivation("M", "mass", {"volume": "v", "temperature": "T"}, numbers=numbers)], ["v", "T"])
    scene.feed(1.0, v=100.0, T=40.0)
    assert scene.value("M") == pytest.approx(99_220.0)
    scene.feed(2.0, T=5_000.0)
    assert scene.quality("M") == "BAD(range)", "a density below 0 is no density"


def test_units_are_converted_both_ways() -> None:
    """50 000 L at 800 kg/m³ are 40 t."""
    one = derivation("M", "mass", {"volume": "v"}, numbers={"density_kg_m3": 800.0}, scale=(1000.0, 0.0))
    litres = type(one)(
        tag=one.tag, kind=one.kind, inputs=one.inputs, scales={"volume": ((0.001, 0.0),)}, scale=one.scale,
        numbers=one.numbers,
    )  # fmt: skip
    scene = Scene([litres], ["v"])
    scene.feed(1.0, v=50_000.0)

    assert scene.value("M") == pytest.approx(40.0)
