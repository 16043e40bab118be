"""Outlines: read as people write them, the shifted systems taken back, and what encloses nothing refused."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.register.coordinates import NoOutline, gcj_to_wgs, read_outline, wgs_to_gcj, write_outline

SQUARE = "120.1 30.2; 120.2 30.2; 120.2 30.3; 120.1 30.3"
#: Longitude, latitude given; the same in WGS 84 by PyPI prcoords 1.0.2 (``gcj_wgs_bored``, ``bd_wgs_bored``), 7 digits.
SHIFTED = [
    ("GCJ-02", (121.4737, 31.2304), (121.4691623, 31.2323292)),
    ("GCJ-02", (116.404, 39.915), (116.3977558, 39.9135962)),
    ("GCJ-02", (113.912316, 22.543847), (113.9074537, 22.5468994)),
    ("GCJ02", (126.63, 45.75), (126.6240682, 45.7480712)),
    ("BD-09", (121.4737, 31.2304), (121.4626382, 31.2262574)),
    ("BD-09", (116.404, 39.915), (116.3913859, 39.907255)),
    ("bd09:", (120.03, 29.209), (120.018871, 29.2055539)),
]


def test_an_outline_is_kept_as_corners_to_a_decimetre() -> None:
    kept = write_outline(read_outline(f"  CGCS2000 {SQUARE}; 120.1 30.2 "))

    assert kept == "120.100000 30.200000; 120.200000 30.200000; 120.200000 30.300000; 120.100000 30.300000"
    assert write_outline(read_outline(kept)) == kept
    assert write_outline(read_outline(SQUARE.replace(" 3", ",3").replace("; ", "\n"))) == kept


@pytest.mark.parametrize(("system", "given_as", "wgs"), SHIFTED)
def test_shifted_systems_are_taken_back_as_another_program_does(
    system: str, given_as: tuple[float, float], wgs: tuple[float, float]
) -> None:
    lon, lat = given_as
    text = f"{system} {lon} {lat}; {lon + 0.01} {lat}; {lon + 0.01} {lat + 0.01}"
    first = read_outline(text)[0]

    assert first == pytest.approx(wgs, abs=3e-6)  # 0.3 m


@settings(deadline=None, derandomize=True)
@given(lon=st.floats(74, 134), lat=st.floats(18, 53))
def test_the_shift_is_hundreds_of_metres_and_comes_back(lon: float, lat: float) -> None:
    shifted = wgs_to_gcj(lon, lat)

    assert gcj_to_wgs(*shifted) == pytest.approx((lon, lat), abs=1e-7)
    assert 1e-4 < abs(shifted[0] - lon) + abs(shifted[1] - lat) < 0.02


def test_abroad_nothing_is_shifted() -> None:
    assert wgs_to_gcj(2.35, 48.85) == (2.35, 48.85) == gcj_to_wgs(2.35, 48.85)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "few"),
        ("120.1 30.2; 120.2 30.2", "few"),
        ("120.1 30.2; 120.2 30.2; 120.3 30.2", "few"),
        ("120.1 30.2; 120.2; 120.3 30.2", "form"),
        ("120.1 30.2; 120.2 north; 120.3 30.2", "form"),
        ("120.1 95; 120.2 30.2; 120.2 30.3", "place"),
        ("120.1 30.2; 122.2 30.2; 122.2 30.3", "wide"),
        ("120.1 30.2; 120.2 30.3; 120.2 30.2; 120.1 30.3", "crossing"),
        ("; ".join(f"{120 + n / 1000} {30 + n * n / 1e5}" for n in range(201)), "many"),
        ("nan nan; 1 1; 2 2", "form"),
    ],
)
def test_what_is_no_outline_is_refused(text: str, what: str) -> None:
    with pytest.raises(NoOutline) as refused:
        read_outline(text)
    assert refused.value.what == what
