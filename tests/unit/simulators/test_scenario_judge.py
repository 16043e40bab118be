"""The judge: from what was seen to a verdict, for each kind of expectation and each way of missing it."""

import pytest

from simulators.scenario import Event, Expectation, Notice, See, Seen, Standing, Verdict, judge, stand


def rang(time_s: float, condition: str = "HH", what: str = "raised", **more: str) -> Event:
    facts = {"unit": "TK-101", "tag": "TK-101.level", "tier": "RED", "rule": f"TK-101.level.{condition}", **more}
    return Event(time_s=time_s, id=f"{condition}@{time_s:g}", what=what, condition=condition, **facts)


def unit(time_s: float, tier: str, what: str = "unit_raised") -> Event:
    return Event(time_s=time_s, id=f"u@{time_s:g}", what=what, unit="TK-101", tier=tier)


def verdict(each: Expectation, *events: Event, notices: tuple[Notice, ...] = (), **milestones: float) -> Verdict:
    named = {name.replace("_", " "): at_s for name, at_s in milestones.items()}
    seen = Seen(events=events, milestones=named, notices=notices, until_s=600.0)
    (found,) = judge([each], seen)
    assert set(found.why) == {"en", "zh"}
    return found


HH = Expectation(id="hh", see=See.ALARM, tag="TK-101.level", condition="HH", from_s=23, until_s=26)


@pytest.mark.parametrize(
    ("events", "is_met", "seen_s", "slack_s"),
    [
        ((rang(24.5),), True, 24.5, 1.5),
        ((rang(23.0),), True, 23.0, 3.0),
        ((rang(26.0),), True, 26.0, 0.0),
        ((rang(26.001),), False, 26.001, -0.001),
        ((rang(22.9),), False, 22.9, None),
        ((rang(22.9), rang(25.0)), True, 25.0, 1.0),
        ((rang(24.0, "H"),), False, None, None),
        ((rang(24.0, tag="TK-102.level"),), False, None, None),
        ((rang(24.0, what="returned"),), False, None, None),
        ((rang(24.0, what="lowered"),), False, None, None),
        ((rang(20.0, "H"), rang(24.0, what="escalated")), True, 24.0, 2.0),
        ((), False, None, None),
    ],
)
def test_an_alarm_must_ring_within_its_window(
    events: tuple[Event, ...], is_met: bool, seen_s: float | None, slack_s: float | None
) -> None:
    found = verdict(HH, *events)

    assert (found.is_met, found.seen_s) == (is_met, seen_s)
    assert found.slack_s == (None if slack_s is None else pytest.approx(slack_s))


def test_a_rule_is_known_by_its_id() -> None:
    vote = Expectation(id="v", see=See.ALARM, rule="G.EXPRESSION:bay-gas", until_s=100)

    assert verdict(vote, rang(9, "EXPRESSION", rule="G.EXPRESSION:bay-gas")).is_met
    assert not verdict(vote, rang(9, "EXPRESSION", rule="G.EXPRESSION:bay-gas-lost")).is_met


ORANGE = Expectation(
    id="o", see=See.TIER, unit="TK-101", tier="ORANGE", until_s=600, before="cloud at G-3", lead_s=10
)  # fmt: skip


def test_a_tier_must_come_before_the_milestone_with_its_lead() -> None:
    assert verdict(ORANGE, unit(90, "ORANGE"), **{"cloud_at_G-3": 100.0}).is_met
    in_time = verdict(ORANGE, unit(80, "RED"), **{"cloud_at_G-3": 100.0})
    late = verdict(ORANGE, unit(91, "ORANGE"), **{"cloud_at_G-3": 100.0})

    assert (in_time.is_met, in_time.slack_s) == (True, 10)
    assert (late.is_met, late.slack_s) == (False, -1)
    assert "cloud at G-3: 100 s" in late.why["en"]


def test_a_milestone_that_never_came_leaves_the_window() -> None:
    found = verdict(ORANGE, unit(500, "ORANGE"))

    assert found.is_met
    assert "never reached" in found.why["en"]


def test_a_lower_tier_or_a_lowering_is_not_it() -> None:
    assert not verdict(ORANGE, unit(10, "YELLOW")).is_met
    assert not verdict(ORANGE, unit(10, "ORANGE", "unit_lowered")).is_met


QUIET = Expectation(id="q", see=See.QUIET, unit="TK-101", from_s=10, until_s=100)


@pytest.mark.parametrize(
    ("event", "is_met"),
    [
        (rang(50), False),
        (rang(50, what="escalated"), False),
        (rang(10), False),
        (rang(100), False),
        (rang(9.9), True),
        (rang(100.1), True),
        (rang(50, unit="TK-102", tag="TK-102.level"), True),
        (rang(50, what="returned"), True),
        (rang(50, what="cleared"), True),
        (rang(50, what="lowered"), True),
    ],
)
def test_quiet_means_that_nothing_new_rings(event: Event, is_met: bool) -> None:
    found = verdict(QUIET, event)

    assert found.is_met is is_met
    assert (found.seen_s is None) is is_met


def test_quiet_may_be_of_a_condition_or_from_a_tier_on() -> None:
    red = Expectation(id="q", see=See.QUIET, unit="TK-101", tier="RED", until_s=100)
    hh = Expectation(id="q", see=See.QUIET, tag="TK-101.level", condition="HH", until_s=100)

    assert verdict(red, rang(50, "H", tier="YELLOW")).is_met
    assert not verdict(red, rang(50)).is_met
    assert verdict(hh, rang(50, "H")).is_met
    assert not verdict(hh, rang(50, "HH")).is_met


TOLD = Expectation(id="n", see=See.NOTICE, tag="TK-101.level", condition="HH", until_s=600, within_s=5)


def test_a_notice_must_be_held_soon_enough() -> None:
    def held(at_s: float, event: str = "HH@20") -> tuple[Notice, ...]:
        return (Notice(event=event, held_s=at_s),)

    assert verdict(TOLD, rang(20), notices=held(25)).slack_s == 0
    assert verdict(TOLD, rang(20), notices=held(25)).is_met
    assert not verdict(TOLD, rang(20), notices=held(25.01)).is_met
    assert not verdict(TOLD, rang(20), notices=held(21, "another")).is_met
    assert not verdict(TOLD, rang(20)).is_met
    assert not verdict(TOLD, notices=held(25)).is_met


def test_verdicts_come_in_the_order_of_the_expectations() -> None:
    assert [each.id for each in judge([QUIET, HH, TOLD], Seen(events=()))] == ["q", "hh", "n"]


@pytest.mark.parametrize(
    ("each", "events", "milestones", "until_s", "standing"),
    [
        (HH, (), {}, 25.9, Standing.WAITING),
        (HH, (), {}, 26.0, Standing.MISSED),
        (HH, (rang(24),), {}, 24.0, Standing.MET),
        (QUIET, (), {}, 10.0, Standing.WAITING),
        (QUIET, (rang(50),), {}, 60.0, Standing.MISSED),
        (QUIET, (rang(9),), {}, 100.0, Standing.MET),
        (TOLD, (rang(20),), {}, 25.0, Standing.WAITING),
        (TOLD, (rang(20),), {}, 25.1, Standing.MISSED),
        (TOLD, (), {}, 599.0, Standing.WAITING),
    ],
)
def test_how_an_expectation_stands_while_the_story_goes_on(
    each: Expectation, events: tuple[Event, ...], milestones: dict[str, float], until_s: float, standing: Standing
) -> None:
    ((found, _),) = stand([each], Seen(events=events, milestones=milestones, until_s=until_s))
    assert found is standing


def test_a_lead_is_settled_when_the_milestone_can_no_longer_come_too_soon() -> None:
    early = Expectation(id="t", see=See.TIER, unit="TK-101", tier="ORANGE", before="it runs over", lead_s=30)

    def standing(until_s: float, at: float | None = None) -> Standing:
        named = {} if at is None else {"it runs over": at}
        ((found, _),) = stand([early], Seen(events=(unit(10, "RED"),), milestones=named, until_s=until_s))
        return found

    assert standing(20) is Standing.WAITING
    assert standing(39.9) is Standing.WAITING
    assert standing(40) is Standing.MET
    assert standing(20, at=15) is Standing.MISSED
