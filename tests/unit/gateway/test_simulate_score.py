"""The score of a run: leads, missed and false alarms, floods and delays, by hand-made events."""

from pathlib import Path

import pytest

from gateway.simulate.score import Score, score, worst
from gateway.simulate.suite_page import suite_page
from simulators.plant.kinds import PLANTS
from simulators.plant.site import Act
from simulators.scenario import Event, Expectation, Notice, Scenario, See, Seen, judge
from simulators.story import Moment


def scenario(*expectations: Expectation, cause_s: float = 100.0) -> Scenario:
    act = Act(verb="tear", unit="H-501", amount=25.0)
    return Scenario(
        path=Path("x.toml"), name="x", title={}, kind=PLANTS["lpg-bay"], site=None, begins_ns=0, forward_s=0.0,
        lasts_s=1200.0, after_s=0.0, step_s=1.0, seed=1, faults=(), expectations=expectations,
        moments=(Moment(at_s=0.0, act=act, say={}), Moment(at_s=cause_s, act=act, say={})),
    )  # fmt: skip


def event(at_s: float, what: str = "raised", tier: str = "YELLOW", tag: str = "T") -> Event:
    return Event(time_s=at_s, id=f"{at_s}", what=what, unit="U", tag=tag, condition="H", tier=tier)


TIER = Expectation(id="t", see=See.TIER, unit="U", tier="RED", before="fire")
QUIET = Expectation(id="q", see=See.QUIET, tag="Q", until_s=1200.0)


def of(seen: Seen, *expectations: Expectation, limits: tuple[Event, ...] = ()) -> Score:
    one = scenario(*expectations)
    return score(one, seen, judge(one.expectations, seen), limits)


def test_lead_is_from_the_first_yellow_since_the_cause_to_the_consequence_and_stands_beside_limits_only() -> None:
    events = [
        event(50, "unit_raised"), event(90, "unit_lowered", "NONE"),
        event(110, "unit_raised", "BLUE"), event(130, "unit_raised", "ORANGE"),
    ]  # fmt: skip
    (lead,) = of(Seen(events=events, milestones={"fire": 500.0}), TIER, limits=(event(520, "unit_raised"),)).leads

    assert (lead.lead_s, lead.limits_s) == (370.0, -20.0)


@pytest.mark.parametrize("after", [(), (event(200, "unit_lowered", "BLUE"), event(300, "unit_raised", "RED"))])
def test_a_tier_that_stands_when_the_cause_comes_is_a_warning_from_then_on(after: tuple[Event, ...]) -> None:
    events = [event(50, "unit_raised"), *after]
    (lead,) = of(Seen(events=events, milestones={"fire": 500.0}), TIER).leads

    assert lead.lead_s == 400.0


def test_no_warning_is_no_number_and_no_consequence_is_no_lead() -> None:
    (lead,) = of(Seen(events=[], milestones={"fire": 500.0}), TIER).leads
    assert (lead.lead_s, lead.limits_s) == (None, None)
    assert of(Seen(events=[]), TIER).leads == ()


def test_missed_are_warnings_only_and_false_alarms_what_should_be_quiet() -> None:
    told = of(Seen(events=[event(200, tag="Q"), event(300, "returned", tag="Q"), event(400)]), TIER, QUIET)

    assert (told.missed, told.false_alarms) == (1, 1)
    assert told.false_per_day == pytest.approx(72.0), "one in twenty minutes"


def test_ten_minutes_hold_what_came_within_them_and_no_more() -> None:
    times = [0.0, 100.0, 599.0, 600.0, 1199.0]

    assert of(Seen(events=[event(at_s) for at_s in times])).alarms_10min == 3


def test_a_notice_counts_from_the_cause_and_one_before_it_does_not() -> None:
    notices = [Notice(event="a", held_s=90.0), Notice(event="b", held_s=112.5), Notice(event="c", held_s=105.0)]

    assert of(Seen(events=[], notices=notices)).told_s == 5.0
    assert of(Seen(events=[])).told_s is None


def test_the_worst_of_several_seeds_is_kept_and_one_without_warning_has_no_lead() -> None:
    def run(at_s: float | None) -> Score:
        events = [] if at_s is None else [event(at_s, "unit_raised")]
        notices = [] if at_s is None else [Notice(event="a", held_s=at_s)]
        return of(Seen(events=events, milestones={"fire": 500.0}, notices=notices), TIER)

    for runs in ([run(150.0), run(250.0)], [run(250.0), run(150.0)]):
        one = worst(runs)
        assert (one.leads[0].lead_s, one.told_s, one.missed) == (250.0, 150.0, 2)
    for runs in ([run(150.0), run(None)], [run(None), run(150.0)]):
        none = worst(runs)
        assert (none.leads[0].lead_s, none.told_s) == (None, None)


def test_the_page_escapes_names_and_shows_what_is_not_known_as_a_dash() -> None:
    story = {
        "name": "<b>", "title": {"zh": "<i>", "en": "<i>"}, "passed": False, "consequences": [], "missed": 1,
        "false_alarms_per_day": 0.0, "alarms_per_10_min": 2, "cause_to_notice_s": None,
        "with_faults": {}, "runs": [{"seed": 7, "mix": "as_written", "not_as_expected": [{"zh": "<u>", "en": "<u>"}]}],
    }  # fmt: skip
    page = suite_page({"passed": False, "seeds": [7], "stories": [story]})

    assert not [tag for tag in ("<b>", "<i>", "<u>") if tag in page]
    assert "<td>–</td>" in page
    assert "http" not in page
