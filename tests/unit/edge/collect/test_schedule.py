"""Due times without drift, late and left-out turns counted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.collect.backoff import BackOff
from edge.collect.schedule import Schedule


@pytest.mark.parametrize(
    ("now_s", "due_s", "late"),
    [
        (100.0, 101.0, 0),  # The turn of 100 has just begun.
        (100.3, 101.0, 0),
        (101.2, 101.0, 1),  # Took longer than a period: the next turn begins late …
        (103.4, 103.0, 3),  # … or two are left out and the third begins late.
        (103.0, 103.0, 3),
    ],
)
def test_the_turn_after_a_cycle_that_ended_then(now_s: float, due_s: float, late: int) -> None:
    schedule = Schedule(1.0, 100.0)
    assert schedule.next_due(99.0) == (100.0, 0)
    assert schedule.next_due(now_s) == (due_s, late)


def test_the_first_turn_is_never_late() -> None:
    assert Schedule(1.0, 100.0).next_due(107.0) == (100.0, 0)


@given(
    st.floats(0.01, 100.0),
    st.floats(0.0, 1e6),
    st.lists(st.floats(0.0, 3.0), min_size=1, max_size=50),
)
def test_no_drift_and_every_turn_is_taken_or_counted(period_s: float, start_s: float, lengths: list[float]) -> None:
    """However long the cycles take, due times stay on the grid, and turns taken + left out = turns gone by."""
    schedule = Schedule(period_s, start_s)
    now = start_s
    previous = -1
    for length in lengths:
        due_s, late = schedule.next_due(now)
        turn = round((due_s - start_s) / period_s)
        assert due_s == pytest.approx(start_s + turn * period_s)
        assert turn > previous
        left_out = turn - previous - 1
        assert late in (left_out, left_out + 1) if previous >= 0 else late == 0
        previous = turn
        now = max(now, due_s) + length * period_s


def test_pauses_double_up_to_the_most_and_begin_again() -> None:
    backoff = BackOff(0.2, 1.0)
    assert [backoff.pause_s() for _ in range(5)] == [0.2, 0.4, 0.8, 1.0, 1.0]
    backoff.reset()
    assert backoff.pause_s() == 0.2
