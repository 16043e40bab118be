"""Chattering and fleeting alarms: what they are by definition, and advice against figures counted by hand."""

import numpy as np
import pytest

from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from alerting.nuisance import Proposal, advise_nuisance, nuisance_of
from edge.model import Tag

S = 1_000_000_000
LEVEL = Tag(name="t", source="s", unit="u", kind="level", eu="m", range_lo=0.0, range_hi=6.0)


def rule(kind: Kind = Kind.H, tier: Tier = Tier.YELLOW, **more: float) -> Rule:
    return Rule(id="t.H", tag="t", kind=kind, setpoint=4.8, tier=tier, **more)


def excursions(*pairs: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    times = np.array(pairs, dtype=np.float64).reshape(-1, 2) * S
    return times[:, 0].astype(np.int64), times[:, 1].astype(np.int64)


def count(*pairs: tuple[float, float], end_s: float = 86_400) -> tuple[int, int]:
    return nuisance_of(*excursions(*pairs), round(end_s * S))


def advise(of: Rule, *pairs: tuple[float, float], tag: Tag = LEVEL) -> dict[str, Proposal]:
    return {each.field: each for each in advise_nuisance(of, tag, *excursions(*pairs))}


def test_three_within_sixty_seconds_chatter_and_two_or_slower_ones_do_not() -> None:
    assert count((0, 5), (20, 25), (60, 65)) == (3, 0)
    assert count((0, 5), (20, 25), (61, 65)) == (0, 1), "the last one went at once and did not come again"
    assert count((0, 15), (20, 35)) == (0, 0)


def test_what_goes_within_ten_seconds_and_does_not_come_again_is_fleeting() -> None:
    assert count((0, 9), (1_000, 1_012), (5_000, 5_003)) == (0, 2)
    assert count((0, 9), (60, 75)) == (0, 0), "it came again"
    assert count((86_395, 86_400)) == (0, 0), "it goes on"


CHATTER = tuple((20.0 * n, 20.0 * n + 12.0) for n in range(30))


def test_a_deadband_and_an_off_delay_are_advised_for_what_chatters() -> None:
    """Thirty excursions of 12 s, each 8 s after the one before: an off-delay of 9 s makes one of them."""
    found = advise(rule(), *CHATTER)
    assert list(found) == ["deadband", "off_delay_s"]
    assert (found["deadband"].now, found["deadband"].proposed) == (0.0, 0.12), "2 % of 6 m (EEMUA 191)"
    assert (found["off_delay_s"].proposed, found["off_delay_s"].spares) == (9.0, 29)
    assert {language for each in found.values() for language in each.reason} == {"en", "zh"}


def test_a_delay_that_is_there_already_counts_and_a_wide_deadband_is_not_advised_again() -> None:
    """The recorded return came 5 s after the value was back: the gap to be bridged is 13 s."""
    found = advise(rule(off_delay_s=5.0, deadband=0.2), *CHATTER)
    assert list(found) == ["off_delay_s"]
    assert (found["off_delay_s"].now, found["off_delay_s"].proposed) == (5.0, 14.0)


FLEETING = tuple((1_000.0 * n, 1_000.0 * n + 4.0) for n in range(10))


def test_an_on_delay_is_advised_for_what_is_fleeting_and_never_for_what_must_not_wait() -> None:
    found = advise(rule(), *FLEETING)
    assert (list(found), found["on_delay_s"].proposed, found["on_delay_s"].spares) == (["on_delay_s"], 5.0, 10)
    for grave in (rule(tier=Tier.RED), rule(kind=Kind.HH), rule(kind=Kind.LL)):
        assert [(each.field, each.proposed) for each in advise(grave, *FLEETING).values()] == [("review", None)]


def test_a_gas_detector_is_delayed_by_five_seconds_at_most() -> None:
    gas = Tag(name="t", source="s", unit="u", kind="gas", eu="%LEL", range_lo=0.0, range_hi=100.0)
    found = advise(rule(), *((1_000.0 * n, 1_000.0 * n + 9.0) for n in range(10)), tag=gas)
    assert list(found) == ["review"], "5 s would spare none of them"
    assert advise(rule(), *FLEETING, tag=gas)["on_delay_s"].proposed == 5.0


@pytest.mark.parametrize("pairs", [(), ((0.0, 100.0),), ((0.0, 3.0), (10.0, 20.0))])
def test_few_excursions_are_no_ground_for_a_chatter_advice(pairs: tuple[tuple[float, float], ...]) -> None:
    assert "off_delay_s" not in advise(rule(), *pairs)
