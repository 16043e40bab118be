"""Grading of risks: published products and bounds, the other reading of a bound, and what is no factor."""

from dataclasses import replace
from datetime import date

import pytest

from alerting.model.risk import RiskPolicy
from alerting.model.tier import Tier
from alerting.register.dynamic import Live, dynamic_of
from alerting.register.field import Surroundings, Values
from alerting.register.grading import (
    CURRENT,
    EXPOSURE,
    LIKELIHOOD,
    SEVERITY,
    check_both,
    check_grading,
    derive_both,
    derive_grading,
)
from alerting.register.ledger import read_row
from alerting.register.ledgers import LEDGERS

TODAY = Surroundings(today=date(2026, 1, 1))


def lec(likelihood: float, exposure: float, severity: float) -> Values:
    return {"method": "lec", "likelihood": likelihood, "exposure": exposure, "severity": severity}


@pytest.mark.parametrize(
    ("factors", "value", "grade"),
    [
        ((6, 6, 15), 540, 1),  # Above 320: stop the work.
        ((10, 3, 15), 450, 1),
        ((3, 6, 15), 270, 2),  # 160 to 320.
        ((6, 6, 7), 252, 2),
        ((1, 6, 15), 90, 3),  # 70 to 160.
        ((3, 6, 3), 54, 4),
        ((0.5, 2, 7), 7, 4),
        ((0.2, 3, 7), 4.2, 4),
    ],
)
def test_published_products_of_lec(factors: tuple[float, float, float], value: float, grade: int) -> None:
    """Graham and Kinney's D with the four colours of GB/T 45001 training material (D bounds 70, 160, 320)."""
    assert derive_grading(lec(*factors), RiskPolicy(), CURRENT) == {"risk": value, "grade": str(grade)}


def test_every_product_of_the_matrix_has_the_published_grade() -> None:
    """R = L·S: 20–25 major, 15–16 larger, 9–12 general, at most 8 low."""
    published = {
        1: {20, 25}, 2: {15, 16}, 3: {9, 10, 12}, 4: {1, 2, 3, 4, 5, 6, 8},
    }  # fmt: skip
    found: dict[int, set[int]] = {grade: set() for grade in published}
    for likelihood in range(1, 6):
        for severity in range(1, 6):
            values = {"method": "matrix", "likelihood": likelihood, "severity": severity}
            told = derive_grading(values, RiskPolicy(), CURRENT)
            found[int(told["grade"])].add(int(told["risk"]))
    assert found == published


def test_a_value_just_at_a_bound_goes_where_the_site_says() -> None:
    exact = {"method": "matrix", "likelihood": 5, "severity": 3}  # 15

    assert derive_grading(exact, RiskPolicy(), CURRENT)["grade"] == "2"
    assert derive_grading(exact, RiskPolicy(is_lower_in=False), CURRENT)["grade"] == "3"
    assert derive_grading(exact, RiskPolicy(matrix=(4, 9, 15)), CURRENT)["grade"] == "1"


def test_only_factors_of_the_table_count() -> None:
    assert check_grading(lec(6, 6, 15), CURRENT) == []
    for name, wrong in (("likelihood", 5), ("exposure", 4), ("severity", 10)):
        (told,) = check_grading({**lec(6, 6, 15), name: wrong}, CURRENT)
        assert (told.field, told.value) == (name, str(wrong))
    (missing,) = check_grading({"method": "lec", "likelihood": 6, "severity": 15}, CURRENT)
    assert missing.field == "exposure"
    (beyond,) = check_grading({"method": "matrix", "likelihood": 3, "exposure": 2, "severity": 3}, CURRENT)
    assert beyond.field == "exposure"
    (nothing,) = check_grading({"likelihood": 3}, CURRENT)
    assert nothing.field == "method"
    assert {len(LIKELIHOOD), len(EXPOSURE), len(SEVERITY)} == {7, 6}


def test_measures_never_raise_a_risk() -> None:
    graver = {**lec(6, 6, 15), "likelihood_inherent": 1, "exposure_inherent": 6, "severity_inherent": 15}
    (told,) = check_both(graver, TODAY)

    assert (told.field, told.value) == ("likelihood", "540")
    lighter = {**lec(1, 6, 15), "likelihood_inherent": 6, "exposure_inherent": 6, "severity_inherent": 15}
    assert check_both(lighter, TODAY) == []
    assert derive_both(lighter, TODAY) == {"risk_inherent": 540, "grade_inherent": "1", "risk": 90, "grade": "3"}


@pytest.mark.parametrize(
    ("current", "live", "grade", "reasons"),
    [
        (4, Live(alarms={}), 4, []),
        (4, Live(alarms={Tier.YELLOW: 3}), 4, []),
        (4, Live(alarms={Tier.ORANGE: 1, Tier.YELLOW: 9}), 3, [("alarm", 1)]),
        (4, Live(alarms={Tier.RED: 1, Tier.ORANGE: 4}), 2, [("alarm", 2)]),
        (
            3, Live(alarms={Tier.RED: 1}, major=["H1"], overdue=["H1", "H2"]), 1,
            [("alarm", 2), ("major", 1), ("overdue", 1)],
        ),
        (1, Live(alarms={Tier.RED: 1}), 1, [("alarm", 2)]),
        (0, Live(alarms={Tier.RED: 1}), 0, [("alarm", 2)]),
    ],
)  # fmt: skip
def test_what_is_true_now_raises_a_grade_and_says_so(
    current: int, live: Live, grade: int, reasons: list[tuple[str, int]]
) -> None:
    found = dynamic_of(current, live, RiskPolicy())

    assert found.grade == grade
    assert [(step.what, step.steps) for step in found.steps] == reasons
    assert all(step.said.en and step.said.zh for step in found.steps)


def test_a_kind_of_measure_belongs_to_its_class() -> None:
    right = {"code": "M", "event": "E", "measure": "m", "source": "2", "class": "1", "kind": "1-4", "check": "look"}
    check = LEDGERS["control_measures"].check

    assert check(right, TODAY) == []
    assert [one.field for one in check({**right, "kind": "2-1"}, TODAY)] == ["kind"]
    assert [one.field for one in check({**right, "source": "1"}, TODAY)] == ["tag"]
    assert [one.field for one in check({**right, "check": ""}, TODAY)] == ["check"]


def test_a_grade_that_a_form_or_a_sheet_writes_is_not_read() -> None:
    """Also where nothing is graded, and so nothing overwrites it."""
    row = {"code": "J", "risk_unit": "R", "job": "j", "step": "s", "hazard": "h", "consequences": "c"}
    around = replace(TODAY, codes={"risk_units": frozenset({"R"})})
    found = read_row(LEDGERS["jha"], {**row, "risk": 720, "grade": "1"}, around)

    assert found.wrongs == ()
    assert {"risk", "grade"}.isdisjoint(found.values)
