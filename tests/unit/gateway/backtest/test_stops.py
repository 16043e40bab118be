"""Where a tag normally stops: against fills of which stop, rate and rest are known."""

import numpy as np
import pytest

from edge.model import Tag, TagTable
from gateway.backtest.stops import KEPT_MAX, NormalStop, Stops

S = 1_000_000_000
TAGS = TagTable([Tag(name="T.v", source="plc"), Tag(name="U.v", source="plc")])


def cycles(
    stops: list[float], *, low: float = 2.0, rate: float = 0.01, rest_s: float = 600.0, step_s: float = 10.0
) -> tuple[np.ndarray, np.ndarray]:
    """Fills from ``low`` to each stop, a rest, back down, a rest: times in s and values."""
    times, values = [0.0], [low]
    for stop in stops:
        for goal in (stop, low):
            times.append(times[-1] + abs(goal - values[-1]) / rate)
            values.append(goal)
            times.append(times[-1] + rest_s)
            values.append(goal)
    at = np.arange(0, times[-1], step_s)
    return at, np.interp(at, times, values)


def found(times: np.ndarray, values: np.ndarray, sign: float = 1.0, part: int = 1000) -> NormalStop | None:
    stops = Stops(TAGS)
    for first in range(0, len(times), part):
        mine = slice(first, first + part)
        stops.take(np.array([1], np.int32), (times[mine] * S).astype(np.int64), values[mine, None])
    assert stops.normal(0, sign, 1.0) is None, "the other tag has none"
    return stops.normal(1, sign, float(np.nanmax(values) - np.nanmin(values)))


def test_stops_their_scatter_and_the_rate_of_fills() -> None:
    dice = np.random.default_rng(1)
    stops = (6 + dice.normal(0, 0.05, 60)).tolist()
    stop = found(*cycles(stops, rate=0.002))

    assert stop is not None
    assert stop.stops == 60
    assert stop.middle == pytest.approx(np.median(stops), abs=0.01)
    assert stop.spread == pytest.approx(0.05, rel=0.4)
    assert stop.farthest == pytest.approx(max(stops), abs=1e-9)
    assert stop.beyond == 0
    assert stop.rate == pytest.approx(0.002, rel=0.1)
    assert stop.rate <= stop.rate_fast < 0.0025


def test_it_stops_below_as_well() -> None:
    stop = found(*cycles([6.0] * 20, low=2.0), sign=-1.0)

    assert stop is not None
    assert (stop.middle, stop.farthest) == (2.0, 2.0)


def test_one_fill_that_went_on_is_told_and_is_no_normal_stop() -> None:
    dice = np.random.default_rng(1)
    stop = found(*cycles([*(6 + dice.normal(0, 0.05, 30)).tolist(), 7.5, *(6 + dice.normal(0, 0.05, 30)).tolist()]))

    assert stop is not None
    assert stop.beyond == 1
    assert stop.farthest < 6.2


def test_noise_splashes_and_holes_make_no_stops_of_their_own() -> None:
    dice = np.random.default_rng(2)
    times, values = cycles([6.0] * 30)
    values = values + dice.normal(0, 0.02, len(values))
    values[dice.random(len(values)) < 0.002] += 0.5
    values[dice.random(len(values)) < 0.1] = np.nan
    stop = found(times, values)

    assert stop is not None
    assert stop.stops == 30
    assert 6.0 < stop.middle < 6.6


@pytest.mark.parametrize("shape", ["sine", "saw", "noise", "flat"])
def test_what_does_not_rest_has_no_stops(shape: str) -> None:
    dice, at = np.random.default_rng(3), np.arange(0, 200_000, 10.0)
    values = {
        "sine": np.sin(at / 1000),
        "saw": np.abs((at / 2000) % 2 - 1),
        "noise": dice.normal(0, 1, len(at)),
        "flat": np.full(len(at), 5.0),
    }[shape]

    assert found(at, values) is None


def test_four_fills_are_not_enough() -> None:
    assert found(*cycles([6.0] * 4)) is None
    assert found(*cycles([6.0] * 6)) is not None


def test_parts_of_a_recording_are_one_recording() -> None:
    times, values = cycles([6.0, 6.1, 5.9] * 10)

    assert found(times, values, part=16) == found(times, values, part=1600) is not None


def test_what_is_kept_is_bounded() -> None:
    stops = Stops(TAGS)
    times, values = cycles([6.0] * 1500, rate=0.1, rest_s=60.0, step_s=1.0)
    stops.take(np.array([0], np.int32), (times * S).astype(np.int64), values[:, None])
    stop = stops.normal(0, 1.0, 4.0)

    assert stop is not None
    assert KEPT_MAX / 2 <= stop.stops <= KEPT_MAX
