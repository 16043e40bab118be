"""Figures of alarm load against a recount by plain loops, and against cases worked out by hand."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from alerting import kpi
from alerting.model.tier import Tier

S = 1_000_000_000
START = 1_767_225_600 * S


def ns(*seconds: float) -> np.ndarray:
    return np.array([START + round(each * S) for each in seconds], dtype=np.int64)


def recount(
    seconds: list[float], names: list[int], active: list[tuple[float, float]], span_s: float
) -> dict[str, object]:
    """Count again from the words of the glossary, one alarm at a time, with lists and dates."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    at = [start + timedelta(seconds=each) for each in seconds]
    periods = []
    begin = start
    while begin < start + timedelta(seconds=span_s):
        end = begin + timedelta(minutes=10)
        last = end >= start + timedelta(seconds=span_s)
        periods.append(sum(1 for each in at if begin <= each and (each < end or last)))
        begin = end
    is_flood, flooded, floods = False, 0, 0
    for count in periods:
        if count > 10 and not is_flood:
            is_flood, floods = True, floods + 1
        elif count < 5:
            is_flood = False
        flooded += is_flood
    often = sorted((names.count(name) for name in set(names)), reverse=True)
    moments = sorted({t for a, b in active for t in (a, a + 86_400, b)})
    return {
        "alarms": len(at),
        "per_10_min": len(at) / (span_s / 600),
        "peak_10_min": max(periods),
        "over_10_share": sum(1 for count in periods if count > 10) / len(periods),
        "flood_share": flooded / len(periods),
        "floods": floods,
        "top_share": sum(often[:10]) / len(at),
        "active_max": max(sum(1 for a, b in active if a <= t < b) for t in moments),
        "standing_max": max(sum(1 for a, b in active if b - a > 86_400 and a + 86_400 <= t < b) for t in moments),
    }


@pytest.mark.parametrize("seed", range(6))
def test_load_agrees_with_a_recount(seed: int) -> None:
    luck = np.random.default_rng(seed)
    span_s = 5 * 86_400 + 123.0
    calm = luck.uniform(0, span_s, 300)
    bursts = (luck.uniform(0, span_s - 4000, 8)[:, None] + luck.uniform(0, 3000, 60)).ravel()
    seconds = sorted(float(round(each, 3)) for each in (*calm, *bursts))
    names = luck.integers(0, 40, len(seconds)).tolist()
    begin = luck.uniform(0, span_s * 0.6, 30).round(3)
    active = [(float(a), float(min(span_s, a + d))) for a, d in zip(begin, luck.exponential(90_000, 30), strict=True)]
    tiers = luck.integers(1, 5, len(seconds)).astype(np.uint8)

    load = kpi.alarm_load(
        ns(*seconds),
        np.array(names),
        tiers,
        np.array([[*ns(a, b)] for a, b in active]),
        (START, START + round(span_s * S)),
    )

    expected = recount(seconds, names, active, span_s)
    assert {name: getattr(load, name) for name in expected} == pytest.approx(expected)
    assert load.floods > 1
    assert load.standing_max > 1
    for tier in Tier:
        if tier:
            assert load.by_tier[tier.name] == pytest.approx(tiers.tolist().count(int(tier)) / len(tiers))


@pytest.mark.parametrize(
    ("trips", "count"),
    [((), 0), ((0, 30), 0), ((0, 30, 60), 3), ((0, 30, 61), 0), ((0, 30, 60, 90, 500), 4), ((0, 1, 2, 70, 71, 129), 6)],
)
def test_chattering(trips: tuple[float, ...], count: int) -> None:
    assert kpi.chattering(ns(*trips)) == count


@pytest.mark.parametrize(
    ("trips", "clears", "count"),
    [((0,), (9.9,), 1), ((0,), (10,), 0), ((0, 50), (5, 55), 1), ((0, 66), (5, 70), 2), ((0, 65), (5, 70), 1)],
)
def test_fleeting(trips: tuple[float, ...], clears: tuple[float, ...], count: int) -> None:
    """Shorter than 10 s, and none again within 60 s of its end."""
    assert kpi.fleeting(ns(*trips), ns(*clears)) == count


def test_standing() -> None:
    assert kpi.standing(ns(0, 0), ns(86_400, 86_401)) == 1


@pytest.mark.parametrize(
    ("counts", "flood"),
    [
        ([10, 9, 4], [0, 0, 0]),
        ([11, 10, 5, 4, 5], [1, 1, 1, 0, 0]),
        ([4, 11, 4, 11], [0, 1, 0, 1]),
        ([7, 7, 11], [0, 0, 1]),
    ],
)
def test_flood_begins_above_ten_and_ends_below_five(counts: list[int], flood: list[int]) -> None:
    assert kpi.in_flood(np.array(counts)).astype(int).tolist() == flood


def test_a_recording_of_one_moment_has_no_rates() -> None:
    load = kpi.alarm_load(ns(0), np.array([0]), np.array([4], np.uint8), np.empty((0, 2), np.int64), (START, START))
    assert (load.alarms, load.per_10_min, load.per_day, load.peak_10_min) == (1, None, None, 1)


def test_every_target_is_a_figure_and_says_where_it_comes_from() -> None:
    for target in kpi.TARGETS:
        assert target.figure in kpi.Load.__dataclass_fields__
        assert "ISA-18.2" in target.source or "EEMUA 191" in target.source
    assert sum(kpi.MIX.values()) == pytest.approx(1)
    assert set(kpi.PRIORITY) == {tier for tier in Tier if tier}
