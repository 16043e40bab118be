"""GB 18218-2018: tables against an independent list, the standard's borders, a published worked unit."""

import csv
import io

import pytest

from alerting.register.cas import is_cas
from alerting.register.credit_code import is_credit_code
from alerting.register.gb18218.tables import BY_CAS, BY_CLASS, BY_KEY, CLASSES, TABLE_1
from alerting.register.gb18218.worksheet import Holding, alpha_of, grade_of, work_out


def held(named: str, design_t: float, hazard_class: str = "", **more: float) -> Holding:
    return Holding(code=named, substance=named, named=named, hazard_class=hazard_class, design_t=design_t, **more)


def test_a_published_unit_gives_its_published_sums() -> None:
    """Chlorine 60 t and ammonia 40 t with 120 persons outside: S = 16, R = 112, grade I."""
    sheet = work_out([held("chlorine", 60), held("ammonia", 40)], 120)

    assert (sheet.s, sheet.alpha, sheet.r, sheet.grade) == (16.0, 2.0, 112.0, 1)
    assert [(line.critical_t, line.beta, line.beta_from, line.part) for line in sheet.lines] == [
        (5, 4, "table 3", 48.0),
        (10, 2, "table 3", 8.0),
    ]


def test_what_is_below_one_has_no_r_and_no_grade() -> None:
    sheet = work_out([held("methanol", 499.9, "W5.3")], 1000)

    assert (sheet.is_major, sheet.r, sheet.grade, sheet.r_live) == (False, None, 0, None)


def test_a_unit_of_exactly_one_is_a_major_hazard_source() -> None:
    sheet = work_out([held("methanol", 500, "W5.3")], 0)

    assert (sheet.is_major, sheet.s, sheet.r, sheet.grade) == (True, 1.0, 0.5, 4)


@pytest.mark.parametrize(
    ("persons", "alpha"),
    [(0, 0.5), (1, 1.0), (29, 1.0), (30, 1.2), (49, 1.2), (50, 1.5), (99, 1.5), (100, 2.0), (9999, 2.0)],
)
def test_alpha_at_its_borders(persons: int, alpha: float) -> None:
    assert alpha_of(persons) == alpha


@pytest.mark.parametrize(("r", "grade"), [(100, 1), (99.999, 2), (50, 2), (49.999, 3), (10, 3), (9.999, 4), (0, 4)])
def test_grades_at_their_borders(r: float, grade: int) -> None:
    assert grade_of(r) == grade


def test_the_name_counts_before_the_class_and_the_class_gives_beta() -> None:
    """Diesel is not in table 1: W5.4, 5,000 t. Methanol is, with 500 t, though W5.3 alone would say 1,000 t."""
    diesel = Holding(code="d", substance="diesel", hazard_class="W5.4", design_t=10_000)
    sheet = work_out([diesel, held("methanol", 500, "W5.3"), held("lpg", 100, "W2")], 0)

    assert [(line.critical_t, line.beta, line.beta_from) for line in sheet.lines] == [
        (5000, 1, "W5.4"),
        (500, 1, "W5.3"),
        (50, 1.5, "W2"),
    ]


def test_what_is_there_now_never_changes_the_grade() -> None:
    sheet = work_out([held("chlorine", 60, live_t=6.0), held("ammonia", 40)], 120)

    assert (sheet.grade, sheet.r) == (1, 112.0)
    assert (sheet.r_live, sheet.live_known) == (2.0 * 4 * 6.0 / 5, 1)


#: Q in t and CAS of rows that public copies of the standard get wrong, or that are mistaken for another most often.
KNOWN = """cas,q
7783-41-7,1
10102-44-0,1
7664-39-3,1
7782-50-5,5
7783-06-4,5
1333-74-0,5
106-99-0,5
7664-41-7,10
75-21-8,10
7446-09-5,20
7726-95-6,20
74-82-8,50
8006-14-2,50
68476-85-7,50
71-43-2,50
75-15-0,50
7446-11-9,75
26471-62-5,100
7782-44-7,200
86290-81-5,200
67-56-1,500
64-17-5,500
108-88-3,500
7757-79-1,1000
"""


def test_table_1_has_its_85_rows_with_right_cas_numbers() -> None:
    assert len(TABLE_1) == 85
    assert len(BY_KEY) == 85
    assert [cas for row in TABLE_1 for cas in row.cas if not is_cas(cas)] == []
    for line in csv.DictReader(io.StringIO(KNOWN)):
        assert {row.critical_t for row in BY_CAS[line["cas"]]} == {float(line["q"])}, line


def test_table_3_has_its_gases() -> None:
    named = {row.key: row.beta for row in TABLE_1 if row.beta}
    assert named == {
        "sulfur_dioxide": 2, "ammonia": 2, "ethylene_oxide": 2, "hydrogen_chloride": 3, "methyl_bromide": 3,
        "chlorine": 4, "hydrogen_sulfide": 5, "hydrogen_fluoride": 5, "nitrogen_dioxide": 10,
        "hydrogen_cyanide": 10, "phosgene": 20, "phosphine": 20, "methyl_isocyanate": 20,
    }  # fmt: skip


def test_the_trap_of_j5_is_not_fallen_into() -> None:
    """A public copy has category 3 in J5 as well; the standard has not."""
    assert "3" not in BY_CLASS["J5"].en
    assert (BY_CLASS["J5"].critical_t, len(CLASSES)) == (500, 24)


@pytest.mark.parametrize("cas", ["7732-18-5", "7664-41-7", "58-08-2", "9004-70-0"])
def test_cas_numbers_of_the_registry_are_right(cas: str) -> None:
    assert is_cas(cas)


@pytest.mark.parametrize("cas", ["7664-41-8", "7646-41-7", "7664417", "7664-41-7 ", "", "七-41-7"])
def test_slips_of_the_hand_in_a_cas_number_are_seen(cas: str) -> None:
    assert not is_cas(cas)


def test_the_credit_code_of_the_standard_is_right_and_a_slip_is_seen() -> None:
    """GB 32100-2015 gives 91350100M000100Y43 as its example."""
    assert is_credit_code("91350100M000100Y43")
    assert not is_credit_code("91350100M000100Y34")
    assert not is_credit_code("91350100M000100I43")
    assert not is_credit_code("91350100M000100Y4")
