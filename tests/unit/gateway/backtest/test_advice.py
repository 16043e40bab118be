"""Advice on signals whose normal extreme, noise and splashes are known; and the buckets that it is made from."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.config import MqttOptions, Source
from edge.model import Tag, TagTable
from gateway.backtest.advice import round_out
from gateway.backtest.labels import Label
from gateway.backtest.page import page
from gateway.backtest.profile import BUCKETS_MAX, Profile
from gateway.backtest.run import Asked, backtest
from gateway.config import Site
from gateway.load import load
from gateway.recording import Steps

START_S = 1_767_225_600
S = 1_000_000_000


def site(folder: Path, *rules: Rule, kind: str = "level", resolution: float = 0.0) -> Site:
    tag = Tag(name="T.v", source="plc", unit="T", eu="m", kind=kind, resolution=resolution, range_lo=0, range_hi=10)
    return Site(
        id="site",
        title={"en": "Site", "zh": "站点"},
        timezone="UTC",
        sources=(Source(id="plc", protocol="mqtt", mqtt=MqttOptions(host="127.0.0.1")),),
        tags=TagTable([tag]),
        units=(HazardUnit(id="T"),),
        rules=RuleTable(rules, TagTable([tag])),
        data=folder,
    )


def limit(kind: Kind, setpoint: float, **more: Any) -> Rule:  # noqa: ANN401
    return Rule(id=f"T.v.{kind.name}", tag="T.v", kind=kind, setpoint=setpoint, tier=Tier.YELLOW, **more)


def try_out(here: Site, values: np.ndarray, folder: Path, labels: str = "") -> dict[str, Any]:
    path = folder / "r.csv"
    lines = [f"{START_S + i},{value!r}" for i, value in enumerate(values.tolist())]
    path.write_text("time,T.v\n" + "\n".join(lines) + "\n", encoding="utf-8")
    if labels:
        (folder / "l.csv").write_text("start,end\n" + labels, encoding="utf-8")
    return backtest(here, Asked(recording=path, labels=folder / "l.csv" if labels else None))


def of_field(result: dict[str, Any], field: str) -> list[dict[str, Any]]:
    return [each for each in result["advice"] if each["field"] == field]


def saw(n: int, noise: float) -> np.ndarray:
    """Fills from 2 to 6 m and back, with noise: it normally stops at 6."""
    luck = np.random.default_rng(3)
    return 4 - 2 * np.abs((np.arange(n) / 500) % 2 - 1) * 2 + 2 + luck.normal(0, noise, n)


def test_a_far_limit_comes_just_above_the_normal_stop(tmp_path: Path) -> None:
    result = try_out(site(tmp_path, limit(Kind.H, 9.0)), saw(20_000, 0.01), tmp_path)

    (advice,) = of_field(result, "setpoint")
    assert (advice["now"], advice["status"]) == (9.0, "ours")
    assert 6.03 < advice["proposed"] < 6.2
    assert (advice["alarms_now"], advice["alarms_expected"]) == (0, 0)
    assert "earlier" in advice["reason"]["en"]
    assert "更早" in advice["reason"]["zh"]


def test_a_tight_limit_moves_out_and_its_alarms_go(tmp_path: Path) -> None:
    result = try_out(site(tmp_path, limit(Kind.H, 5.9)), saw(20_000, 0.01), tmp_path)

    (advice,) = of_field(result, "setpoint")
    assert advice["alarms_now"] >= 20
    assert advice["alarms_expected"] == 0
    assert result["advice_applied"]["load"]["alarms"] == 0


def test_an_incident_with_a_label_is_not_taken_for_normal(tmp_path: Path) -> None:
    values = saw(20_000, 0.01)
    values[10_000:10_100] = 8.5
    labels = f"{START_S + 9_990},{START_S + 10_200}\n"
    said = [
        of_field(try_out(site(tmp_path, limit(Kind.H, 9.0)), values, tmp_path, text), "setpoint")
        for text in ("", labels)
    ]

    assert said[0] == []  # 8.5 is normal to it, and H already stands just above.
    assert 6.03 < said[1][0]["proposed"] < 6.2
    assert said[1][0]["alarms_expected"] == 1  # The incident is found.


def test_no_limit_fits_before_the_outer_one(tmp_path: Path) -> None:
    result = try_out(site(tmp_path, limit(Kind.H, 5.5), limit(Kind.HH, 6.0)), saw(20_000, 0.01), tmp_path)

    (advice,) = of_field(result, "review")
    assert advice["proposed"] is None
    assert "no limit fits before HH at 6" in advice["reason"]["en"]


@pytest.mark.parametrize("sigma", [0.002, 0.05])
def test_the_deadband_is_six_sigma_of_the_noise_whatever_the_slope(sigma: float, tmp_path: Path) -> None:
    result = try_out(site(tmp_path, limit(Kind.H, 5.9)), saw(20_000, sigma), tmp_path)

    (advice,) = of_field(result, "deadband")
    assert advice["proposed"] == pytest.approx(6 * sigma, rel=0.12)
    assert advice["alarms_expected"] <= advice["alarms_now"]


def test_the_on_delay_outlasts_the_splashes_and_no_more(tmp_path: Path) -> None:
    """Splashes of 1 to 4 s, half an hour apart; the kind of tag allows 60 s."""
    values = np.full(20_000, 3.0)
    for n, at in enumerate(range(1_000, 19_000, 1_800)):
        values[at : at + 1 + n % 4] = 8.0
    result = try_out(site(tmp_path, limit(Kind.H, 7.0), limit(Kind.HH, 7.5)), values, tmp_path)

    (advice,) = of_field(result, "on_delay_s")
    assert (advice["rule"], advice["proposed"]) == ("T.v.H", 5.0)
    assert (advice["alarms_now"], advice["alarms_expected"]) == (10, 0)
    gas = try_out(site(tmp_path, limit(Kind.H, 7.0, on_delay_s=2.0), kind="gas"), values, tmp_path)
    assert [each["proposed"] for each in of_field(gas, "on_delay_s")] == [5.0]


def test_nothing_is_advised_that_check_would_refuse(tmp_path: Path) -> None:
    """Noise of 0.3 m asks for a deadband of 1.8 m, but HH stands 0.5 m above H; and the range ends at 10."""
    values = saw(20_000, 0.3)
    near = try_out(site(tmp_path, limit(Kind.H, 6.0), limit(Kind.HH, 6.5)), values, tmp_path)
    assert [each["rule"] for each in of_field(near, "deadband")] == ["T.v.H"]

    high = np.clip(saw(20_000, 0.01) + 3.97, 0, 9.99)
    assert of_field(try_out(site(tmp_path, limit(Kind.H, 9.5)), high, tmp_path), "setpoint") == []


@pytest.mark.parametrize(
    ("value", "margin", "sign", "rounded"),
    [
        (5.834, 0.1634, 1, 5.84),
        (0.146, 0.16, -1, 0.14),
        (1234.5, 37, 1, 1235),
        (-3.21, 0.05, 1, -3.21),
        (0.5, 2e-7, 1, 0.5),
    ],
)
def test_rounding_goes_away_from_normal_operation(value: float, margin: float, sign: float, rounded: float) -> None:
    assert round_out(value, margin, sign) == rounded


@pytest.mark.parametrize(
    ("n", "chunk"),
    [(100, 1), (100, 7), (BUCKETS_MAX, 100), (3 * BUCKETS_MAX + 5, 97), (20_011, 1_000), (20_011, 5_000)],
)
def test_buckets_know_the_extremes_however_the_file_is_cut(n: int, chunk: int, tmp_path: Path) -> None:
    """Memory is what it was at the start; the extremes are exact, their quantile is of what buckets hold."""
    luck = np.random.default_rng(n)
    values = luck.normal(5, 1, n)
    values[luck.random(n) < 0.1] = np.nan
    times = (START_S + np.arange(n)) * S
    tags = site(tmp_path).tags
    label = Label(start_ns=int(times[n // 2]), end_ns=int(times[n // 2 + 9]))
    profile = Profile(tags, [label])
    for at in range(0, n, chunk):
        part = slice(at, min(at + chunk, n))
        profile.take(
            Steps(
                times_ns=times[part],
                rows=np.array([0], np.int32),
                values=values[part, None],
                present=None,
                quality=None,
                numbers=np.arange(part.stop - part.start),
                share=0.0,
            )
        )
    normal = profile.normal(0)
    values[n // 2 : n // 2 + 10] = np.nan

    assert normal is not None
    assert (normal.least, normal.greatest) == (np.nanmin(values), np.nanmax(values))
    assert normal.buckets <= BUCKETS_MAX
    assert np.nanquantile(values, 0.98) < normal.high <= normal.greatest
    if chunk >= 1_000:
        assert normal.noise == pytest.approx(1.0, rel=0.35 if n < 1_000 else 0.12)


def test_demonstration_sites_take_advice() -> None:
    """Advised rules of a whole site make a table again."""
    from gateway.backtest.advice import Advice, apply  # noqa: PLC0415

    here = load(Path(__file__).parents[3] / "golden" / "backtest" / "tank" / "site.toml")
    new = Advice(
        rule="GD.lel.H",
        tag="GD.lel",
        kind=Kind.H,
        field="setpoint",
        now=None,
        proposed=5.0,
        eu="",
        reason={},
        alarms_now=0,
    )
    table = apply(here.rules, [new])
    assert len(table) == len(here.rules) + 1
    assert table[table.index_of["GD.lel.H"]].setpoint == 5.0


# ------------------------------------------------------------------------------------------------------- normal stops


def fills(stops: np.ndarray, noise: float = 0.01) -> np.ndarray:
    """From 2 m to each stop at 2 cm/s, a rest, back, a rest; a sample a second."""
    luck = np.random.default_rng(5)
    parts = []
    for stop in stops:
        up = np.arange(2.0, stop, 0.02)
        parts += [up, np.full(150, stop), up[::-1], np.full(60, 2.0)]
    values = np.concatenate(parts)
    return values + luck.normal(0, noise, len(values))


STOPS = 6 + np.random.default_rng(6).normal(0, 0.03, 12)


def test_a_limit_is_proposed_just_above_the_normal_stop(tmp_path: Path) -> None:
    """Between the farthest stop and two hundredths of the span beyond it, which is all that a plain extreme allows."""
    result = try_out(site(tmp_path, limit(Kind.H, 6.6), limit(Kind.HH, 8.0)), fills(STOPS), tmp_path)
    (advice,) = [each for each in of_field(result, "setpoint") if each["kind"] == "H"]

    assert STOPS.max() < advice["proposed"] < STOPS.max() + 0.1
    assert advice["alarms_expected"] == 0
    stop = advice["stop"]
    assert stop["stops"] == 12
    assert stop["middle"] == pytest.approx(np.median(STOPS), abs=0.05)
    assert stop["goal"] == 8.0
    assert stop["lead_s"] == pytest.approx((8.0 - advice["proposed"]) / 0.02, rel=0.15)
    assert "12 fills normally stop at 6" in advice["reason"]["en"]
    assert "12 次上升正常停止于 6" in advice["reason"]["zh"]


def test_where_only_hh_stands_a_limit_before_it_is_proposed_and_measured(tmp_path: Path) -> None:
    result = try_out(site(tmp_path, limit(Kind.HH, 8.0)), fills(STOPS), tmp_path)
    (advice,) = [each for each in of_field(result, "setpoint") if each["kind"] == "H"]

    assert (advice["rule"], advice["now"]) == ("T.v.H", None)
    assert STOPS.max() < advice["proposed"] < STOPS.max() + 0.1


def test_a_trend_to_a_number_without_any_limit_gets_one_proposed(tmp_path: Path) -> None:
    trend = Rule(
        id="T.v.TREND", tag="T.v", kind=Kind.TREND, setpoint=8.0, horizon_s=600.0, alpha=0.05, samples_min=10,
        tier=Tier.YELLOW,
    )  # fmt: skip
    result = try_out(site(tmp_path, trend), fills(STOPS), tmp_path)
    (advice,) = of_field(result, "setpoint")

    assert (advice["rule"], advice["stop"]["goal"]) == ("T.v.H", 8.0)
    assert "a trend must not warn sooner than" in advice["reason"]["en"]


def test_an_overfill_without_a_label_does_not_push_the_limit_out(tmp_path: Path) -> None:
    stops = np.append(STOPS, 7.4)
    result = try_out(site(tmp_path, limit(Kind.H, 7.2), limit(Kind.HH, 8.0)), fills(stops), tmp_path)
    reviewed = [each for each in result["advice"] if each["kind"] == "H" and each["field"] == "setpoint"]

    assert not any(each["proposed"] > 7.2 for each in reviewed)


def test_the_report_draws_the_normal_stop(tmp_path: Path) -> None:
    result = try_out(site(tmp_path, limit(Kind.HH, 8.0)), fills(STOPS), tmp_path)
    text = page([result])

    assert result["pictures"][0]["stops"][0]["farthest"] == pytest.approx(STOPS.max(), abs=0.05)
    assert "<rect class=label" in text
    assert "正常停止于" in text
