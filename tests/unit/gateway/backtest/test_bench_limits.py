"""Trends beside well-set limits: the benchmark judges every case, and trends beside limits are never later."""

import numpy as np
import pytest

from benchmarks.limits import PERIOD_S, RATES, Found, judge, reached, rows_of

DAY = 86_400 // PERIOD_S


@pytest.fixture(scope="module")
def found() -> list[Found]:
    """One fault of each case at its fastest rate; too little history for a DRIFT to be judged."""
    return judge(1, train=DAY // 5, held_out=DAY // 10, faults=1, is_fastest=True)


def test_every_case_is_there_and_has_a_row(found: list[Found]) -> None:
    assert [each.case for each in found] == list(RATES)
    assert [row.split(",")[0].lstrip("| ") for row in rows_of(found)] == list(RATES)


def test_limits_and_trends_are_never_later_nor_quieter_than_the_same_limits(found: list[Found]) -> None:
    for each in found:
        for leads in (each.ringing, each.all):
            assert np.isnan(each.limits) or leads >= each.limits, each
        assert each.false_limits <= each.false_ringing <= each.false_all, each


def test_a_lying_gauge_is_found_by_the_rule_that_looks_for_the_lie(found: list[Found]) -> None:
    first = {each.case: each.first for each in found}
    assert first["gauge frozen while filling"] == "FROZEN"
    assert first["gas sensor stuck low"] == "FROZEN"
    assert first["one of two gauges drifts"] == "DEVIATION"


def test_a_limit_cannot_see_a_level_that_its_gauge_does_not_tell(found: list[Found]) -> None:
    blind = next(each for each in found if each.case == "gauge frozen while filling")
    assert np.isnan(blind.limits)
    assert blind.ringing > 0


def test_the_consequence_is_a_whole_minute_at_the_limit_after_the_start() -> None:
    true = np.zeros(60)
    true[10:16] = 10.0  # before the start
    true[30] = 50.0  # one sample
    true[40:] = 10.0
    assert reached(true, 10.0, 20) == 45
