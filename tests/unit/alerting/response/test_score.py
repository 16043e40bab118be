"""Score of a drill by its checklist; times by hand."""

import pytest

from alerting.response.checklist import read_steps
from alerting.response.score import Done, Mark, score

STEPS = read_steps(
    "1 | stop the pump | leader | 2\n"
    "2 | is anybody missing | leader | 5 | 1 | yes, no\n"
    "3 | search | leader | 10 | 2=yes\n"
    "4 | close the valve | leader | 3 | 1\n"
    "5 | tell the fire brigade | leader | 4 | 3/4",
    (),
    (),
)
IN, LATE, SKIPPED, LEFT, VOID = Mark.IN_TIME, Mark.LATE, Mark.SKIPPED, Mark.UNREACHED, Mark.VOID


def at(seconds: float, answer: str = "") -> Done:
    return Done(at_s=seconds, by="li", answer=answer)


@pytest.mark.parametrize(
    ("done", "until_s", "marks", "percent"),
    [
        ({}, 120.0, [LEFT, LEFT, LEFT, LEFT, LEFT], None),  # The limit itself is still in time.
        ({}, 120.1, [SKIPPED, LEFT, LEFT, LEFT, LEFT], 0.0),
        ({}, 300.1, [SKIPPED, LEFT, LEFT, SKIPPED, LEFT], 0.0),  # 1 and 4 by the plan after 2 + 3 min.
        ({"1": at(120.0)}, 130.0, [IN, LEFT, LEFT, LEFT, LEFT], 100.0),
        ({"1": at(120.5), "2": at(421.0, "no")}, 421.0, [LATE, LATE, VOID, SKIPPED, LEFT], 0.0),
        (
            {"1": at(60.0), "2": at(90.0, "no"), "4": at(200.0), "5": at(441.0)},
            500.0,
            [IN, IN, VOID, IN, LATE],  # 5 may begin at 200 s: 241 s is longer than its 4 min.
            75.0,
        ),
        ({"1": at(60.0), "2": at(90.0, "yes")}, 691.0, [IN, IN, SKIPPED, SKIPPED, SKIPPED], 40.0),
    ],
)  # fmt: skip
def test_each_step_is_marked_by_its_own_time(
    done: dict[str, Done], until_s: float, marks: list[Mark], percent: float | None
) -> None:
    found = score(STEPS, done, until_s)
    assert [one.mark for one in found.steps] == marks
    assert found.percent == percent


def test_first_action_and_completion_stand_beside_what_the_plan_allows() -> None:
    done = {"1": at(60.0), "2": at(90.0, "no"), "4": at(200.0), "5": at(300.0)}
    found = score(STEPS, done, 900.0)
    assert (found.first_s, found.first_target_s) == (60.0, 120.0)
    assert (found.complete_s, found.complete_target_s) == (300.0, 540.0), "2 + 3 + 4 min; the search does not apply"
    assert [one.took_s for one in found.steps] == [60.0, 30.0, None, 140.0, 100.0]
    assert score(STEPS, {**done, "2": at(90.0, "yes")}, 900.0).complete_s is None, "the search was not done"


def test_of_alternatives_the_first_that_was_done_lets_a_step_begin() -> None:
    done = {"1": at(10.0), "2": at(20.0, "yes"), "3": at(400.0), "4": at(30.0), "5": at(260.0)}
    fifth = score(STEPS, done, 500.0).steps[4]
    assert (fifth.begun_s, fifth.due_s, fifth.mark) == (30.0, 270.0, IN)
