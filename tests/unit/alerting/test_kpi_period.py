"""Figures of a period against a day counted by hand."""

import numpy as np
import pytest

from alerting.kpi_period import Happened, figures
from alerting.model.event import What
from alerting.model.tier import Tier

S = 1_000_000_000
DAY = 86_400


def happened(what: What, at_s: float, key: str = "a", tier: Tier = Tier.YELLOW, *, quiet: bool = False) -> Happened:
    return Happened(
        what=what, time_ns=round(at_s * S), key=key, alarm=f"{key}1", tag=key, unit="T", group="high", tier=tier,
        is_quiet=quiet,
    )  # fmt: skip


def test_a_day_counted_by_hand() -> None:
    """Twelve alarms in one ten minutes, one of them red; two more later; 144 periods."""
    burst = [happened(What.RAISED, 3_600 + n, f"b{n}", Tier.RED if n == 0 else Tier.YELLOW) for n in range(12)]
    late = [happened(What.RAISED, 40_000), happened(What.RAISED, 80_000)]
    got = figures([*burst, *late], {}, (0, DAY * S))

    assert got.load.alarms == 14
    assert got.load.per_10_min == pytest.approx(14 / 144)
    assert got.load.per_day == pytest.approx(14)
    assert got.load.peak_10_min == 12
    assert got.load.over_10_share == pytest.approx(1 / 144)
    assert got.load.flood_share == pytest.approx(1 / 144)
    assert got.load.by_tier["RED"] == pytest.approx(1 / 14)
    assert [(actor.key, actor.count) for actor in got.top[:2]] == [("a", 2), ("b0", 1)]
    assert got.load.top_share == pytest.approx(11 / 14)
    assert (got.periods[6], got.periods.sum(), len(got.periods)) == (12, 14, 144)
    assert (got.hours[1], got.hours[11], got.hours[22]) == (12, 1, 1)


def test_hours_are_those_of_the_sites_clock() -> None:
    got = figures([happened(What.RAISED, 0)], {}, (0, DAY * S), utc_offset_s=8 * 3600)

    assert np.flatnonzero(got.hours).tolist() == [8]


def test_a_silenced_alarm_asked_nobody() -> None:
    got = figures([happened(What.RAISED, 5, quiet=True), happened(What.SHELVED, 1)], {}, (0, DAY * S))

    assert (got.load.alarms, got.quiet) == (0, {"shelved": 1})
    assert got.answers["YELLOW"].never == 0


def test_the_answer_counts_from_the_first_ring_to_the_acknowledgement_at_the_highest_tier() -> None:
    events = [
        happened(What.RAISED, 100),
        happened(What.RETURNED, 110),
        happened(What.RAISED, 120),
        happened(What.ESCALATED, 130, tier=Tier.RED),
        happened(What.ACKNOWLEDGED, 160),
        happened(What.RAISED, 200, "b"),
        happened(What.ACKNOWLEDGED, 230, "b"),
        happened(What.RAISED, 300, "c"),
    ]
    got = figures(events, {}, (0, DAY * S)).answers

    assert (got["RED"].acknowledged, got["RED"].median_s) == (1, 60.0)
    assert (got["YELLOW"].acknowledged, got["YELLOW"].median_s, got["YELLOW"].never) == (1, 30.0, 1)
    assert got["ORANGE"].median_s is None


def test_chattering_fleeting_and_standing_are_found() -> None:
    """Three trips within 60 s chatter; one of 5 s with none again for a minute is fleeting; one stands since before."""
    chatter = [
        event
        for at in (100, 120, 140)
        for event in (happened(What.RAISED, at, "c"), happened(What.RETURNED, at + 15, "c"))
    ]
    brief = [happened(What.RAISED, 500, "f"), happened(What.RETURNED, 505, "f")]
    got = figures([*chatter, *brief], {"s": -10 * S}, (0, DAY * S))

    assert (got.chattering, got.fleeting, got.standing) == (3, 1, 1)
    assert got.load.standing_max == 1


def test_nothing_happened_is_no_trouble() -> None:
    got = figures([], {}, (0, 43_200 * S))

    assert (got.load.alarms, got.load.per_10_min, got.top, got.periods.sum()) == (0, 0.0, (), 0)
