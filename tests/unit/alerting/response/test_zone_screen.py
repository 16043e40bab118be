"""A zone from source to outline: which case counts, what is drawn, what it says about itself."""

import numpy as np
import pytest

from alerting.response.zone.contour import endpoint_m, outline
from alerting.response.zone.heavy import is_heavy_plume, is_heavy_puff
from alerting.response.zone.material import material
from alerting.response.zone.release import Air, Source, release
from alerting.response.zone.screen import Reach, UnknownSubstanceError, Zone, screen
from alerting.response.zone.weather import Case, Cases, Seen, weather_cases

CHLORINE, AMMONIA, PROPANE, METHANE = "7782-50-5", "7664-41-7", "74-98-6", "74-82-8"
FLUORIDE, DIOXIDE, METHANOL = "7664-39-3", "7446-09-5", "67-56-1"
WEST = Seen(wind_m_s=5.0, from_deg=270.0, sun_w_m2=400.0)
NIGHT = Seen(wind_m_s=5.0, from_deg=270.0, sun_w_m2=0.0)


def zone(cas: str = CHLORINE, seen: Seen = WEST, **more: float) -> Zone:
    source = Source(phase="liquid", temperature_k=298.15, pressure_pa=max(2e5, material(cas).vapour_pa(298.15)), **more)
    return screen(cas, source, weather_cases(seen), Air())


def reach(of: Zone, name: str) -> Reach:
    return next(one for one in of.reaches if one.level.name == name)


def metres(one: Reach) -> float:
    assert one.distance_m is not None
    return one.distance_m


def test_a_lower_level_and_a_wider_hole_reach_farther() -> None:
    small, middle = zone(hole_mm=5), zone()

    assert metres(reach(middle, "ERPG-2")) > metres(reach(middle, "IDLH")) > metres(reach(middle, "ERPG-3"))
    assert metres(reach(middle, "ERPG-3")) > 2 * metres(reach(small, "ERPG-3"))
    assert "hole 5 mm" in small.release.basis


def test_the_outline_lies_downwind() -> None:
    """Wind from the west blows to the east; a heavy cloud reaches a little against it."""
    line = reach(zone(), "ERPG-3").outline
    assert line is not None
    far = metres(reach(zone(), "ERPG-3"))

    assert line.east_m.max() == pytest.approx(far, rel=1e-6)
    assert -200 < line.east_m.min() < 0
    assert line.north_m.max() == pytest.approx(-line.north_m.min())
    assert (line.east_m[0], line.north_m[0]) == (line.east_m[-1], line.north_m[-1])
    assert 0 < line.north_m.max() < far


def test_no_wind_is_a_circle_of_the_worse_case() -> None:
    blind = reach(zone(PROPANE, Seen()), "½ LFL")
    each = [
        metres(reach(screen(PROPANE, Source(phase="liquid", temperature_k=298.15, pressure_pa=9.5e5),
                            Cases(cases=(Case(wind_m_s=wind, stability=letter, from_deg=0.0),), assumed=(),
                                  is_calm=False), Air()), "½ LFL"))
        for wind, letter in ((1.5, "F"), (5.0, "D"))
    ]  # fmt: skip
    assert blind.outline is not None
    around = np.hypot(blind.outline.east_m, blind.outline.north_m)

    assert blind.case.from_deg is None
    assert metres(blind) == pytest.approx(max(each), rel=0.02)
    assert around.min() == pytest.approx(around.max())
    assert around.min() >= metres(blind)


def test_the_worse_of_d_and_f_counts_where_nothing_is_known() -> None:
    unknown = zone(seen=Seen(wind_m_s=2.0, from_deg=270.0), hole_mm=5)
    known = [
        metres(reach(screen(CHLORINE, Source(phase="liquid", temperature_k=298.15, hole_mm=5,
                                             pressure_pa=material(CHLORINE).vapour_pa(298.15)),
                            Cases(cases=(Case(wind_m_s=2.0, stability=letter, from_deg=270.0),), assumed=(),
                                  is_calm=False), Air()), "ERPG-3"))
        for letter in "DF"
    ]  # fmt: skip

    assert metres(reach(unknown, "ERPG-3")) == pytest.approx(max(known))
    assert max(known) > 1.2 * min(known)
    assert any("worse of D and F" in sentence.en for sentence in unknown.assumed)


def test_each_zone_says_what_it_is_and_what_it_is_not() -> None:
    said = " ".join(sentence.en for sentence in zone().assumed)

    for words in ("Screening, not prediction", "Heat and blast", "25 mm", "60 minutes", "Class D", "Open country"):
        assert words in said, words


def test_what_lies_outside_the_model_is_flagged() -> None:
    near = reach(zone(PROPANE, hole_mm=5), "LFL")
    far = reach(zone(CHLORINE, hole_mm=100), "AEGL-1")
    calm = reach(zone(seen=Seen(wind_m_s=0.3, from_deg=10.0, sun_w_m2=0.0)), "IDLH")

    assert any("nearer" in sentence.en for sentence in near.doubts)
    assert any("beyond" in sentence.en for sentence in far.doubts)
    assert far.distance_m == 10_000
    assert any("Calm" in sentence.en for sentence in calm.doubts)
    assert calm.case.from_deg is None
    for one in (near, far, calm):
        assert not one.is_valid


def test_a_level_that_is_unverified_makes_no_valid_zone() -> None:
    worked = zone(DIOXIDE, NIGHT)

    assert reach(worked, "ERPG-3").is_valid
    assert not reach(worked, "AEGL-3").is_valid
    assert reach(worked, "AEGL-3").doubts == ()
    assert reach(worked, "AEGL-3").unverified[0].zh == "二氧化硫的 AEGL-3 未经核实。"


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (zone(DIOXIDE), "limits of strong and moderate sun"),
        (zone(DIOXIDE, Seen(wind_m_s=3.0, from_deg=0.0, sigma_theta_deg=10.0)), "table of σθ"),
        (zone(CHLORINE, NIGHT), "heat capacity of liquid chlorine"),
        (zone(METHANOL, NIGHT), ""),
    ],
)
def test_a_zone_that_hangs_on_a_number_nobody_compared_says_so(of: Zone, words: str) -> None:
    said = [sentence for one in of.reaches for sentence in one.unverified]

    assert any(words in sentence.en for sentence in said) is bool(words)
    assert all(sentence.zh for sentence in said)
    assert not any(one.is_valid for one in of.reaches if one.unverified)


def test_a_cloud_that_the_curves_were_not_drawn_for_is_flagged() -> None:
    """A hundred millimetres of chlorine into hardly any wind: α is above 1, and the end of the curves is taken."""
    slow = Cases(cases=(Case(wind_m_s=1.0, stability="F", from_deg=0.0),), assumed=(), is_calm=False)
    source = Source(phase="liquid", temperature_k=298.15, pressure_pa=material(CHLORINE).vapour_pa(298.15), hole_mm=900)
    clipped = reach(screen(CHLORINE, source, slow, Air()), "ERPG-3")

    assert any("curves were drawn for" in sentence.en for sentence in clipped.doubts)
    assert not any("curves were drawn for" in sentence.en for sentence in reach(zone(), "ERPG-3").doubts)


def test_a_puff_is_heavy_by_its_own_criterion() -> None:
    """Slow gas makes no heavy plume, but all of it at once is a heavy cloud: what bounds it far out is that."""
    gas = Source(phase="gas", temperature_k=298.15, pressure_pa=5e5, measured_kg_s=0.0005, stock_kg=1.8)
    given, wind = release(material(CHLORINE), gas, Air()), np.array([5.0])

    assert not is_heavy_plume(given, 0.0709, Air(), wind)[0]
    assert is_heavy_puff(given, 0.0709, Air(), wind)[0]
    assert not is_heavy_puff(given, 0.0709, Air(), np.array([20.0]))[0]


def test_the_first_distances_belong_to_the_result() -> None:
    known = zone().isolation

    assert known is not None
    assert (known.large.isolate_m, known.is_unverified) == (1_000, True)
    assert zone(METHANOL, NIGHT).isolation is None


def test_a_substance_the_model_does_not_hold_for_is_never_valid() -> None:
    assert not any(one.is_valid for one in zone(FLUORIDE).reaches)
    assert "(HF)6" in zone(FLUORIDE).reaches[0].doubts[0].en


def test_a_light_gas_is_gaussian_and_a_heavy_one_is_not() -> None:
    def gas(cas: str) -> Zone:
        return screen(
            cas, Source(phase="gas", temperature_k=298.15, pressure_pa=5e5, hole_mm=100), weather_cases(WEST), Air()
        )

    assert {one.model for one in gas(METHANE).reaches} == {"gaussian"}
    assert {one.model for one in gas(AMMONIA).reaches} == {"gaussian"}
    assert {one.model for one in zone(AMMONIA).reaches} == {"heavy"}
    assert {one.model for one in gas(CHLORINE).reaches} == {"heavy"}


def test_a_gaussian_zone_closes_at_its_end() -> None:
    worked = screen(
        AMMONIA, Source(phase="gas", temperature_k=298.15, pressure_pa=5e5, hole_mm=100), weather_cases(WEST), Air()
    )
    line = reach(worked, "ERPG-2").outline
    assert line is not None
    tip = int(np.argmax(line.east_m))

    assert abs(line.north_m[tip]) < 0.02 * line.north_m.max() + 1
    assert line.north_m.max() > 20


def test_a_short_release_reaches_no_farther_than_a_long_one() -> None:
    ends = [metres(reach(zone(stock_kg=stock), "ERPG-3")) for stock in (50.0, 500.0, 50_000.0)]

    assert ends == sorted(ends)
    assert ends[0] < 0.7 * ends[-1]


def test_built_up_land_mixes_a_gas_sooner() -> None:
    source = Source(phase="gas", temperature_k=298.15, pressure_pa=5e5, hole_mm=100)
    town, field = (screen(AMMONIA, source, weather_cases(WEST), Air(), is_urban=one) for one in (True, False))

    assert metres(reach(town, "ERPG-2")) < metres(reach(field, "ERPG-2"))


def test_an_unknown_substance_is_refused() -> None:
    with pytest.raises(UnknownSubstanceError, match="50-00-0"):
        screen("50-00-0", Source(phase="gas", temperature_k=298.0, pressure_pa=5e5), weather_cases(WEST), Air())


def test_the_endpoint_is_the_farthest_place() -> None:
    along = np.array([1.0, 10.0, 100.0, 1_000.0])
    fraction = np.array([[1e-1, 1e-3, 1e-2, 1e-4], [1e-9, 1e-9, 1e-9, 1e-9], [1.0, 1.0, 1.0, 1.0]])
    ends = endpoint_m(along, fraction, 1e-3)

    assert ends[0] == pytest.approx(10**2.5)
    assert np.isnan(ends[1])
    assert np.isinf(ends[2])


@pytest.mark.parametrize(("from_deg", "east", "north"), [(0.0, 0, -1), (90.0, -1, 0), (180.0, 0, 1), (225.0, 0.7, 0.7)])
def test_wind_blows_away_from_where_it_comes(from_deg: float, east: float, north: float) -> None:
    line = outline(np.array([1.0, 100.0]), np.array([1.0, 0.0]), 0.0, from_deg)
    tip = int(np.argmax(np.hypot(line.east_m, line.north_m)))

    assert (line.east_m[tip] / 100, line.north_m[tip] / 100) == (
        pytest.approx(east, abs=0.02), pytest.approx(north, abs=0.02),
    )  # fmt: skip
