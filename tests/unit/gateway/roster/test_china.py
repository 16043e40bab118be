"""The calendar of China against the published notices."""

from datetime import date

import pytest

from gateway.roster.china import NAMES, published

#: 国务院办公厅关于2026年部分节假日安排的通知 (2025-11-04): National Day 1 to 7 October, worked on 20 September and
#: 10 October; Spring Festival 15 to 23 February, worked on 14 and 28 February.
KNOWN = [
    (date(2026, 10, 1), False),
    (date(2026, 10, 7), False),
    (date(2026, 10, 8), True),
    (date(2026, 9, 20), True),  # a Sunday
    (date(2026, 10, 10), True),  # a Saturday
    (date(2026, 2, 15), False),
    (date(2026, 2, 23), False),  # a Monday
    (date(2026, 2, 28), True),  # a Saturday
    (date(2026, 11, 22), False),  # a Sunday without a name
]


@pytest.mark.parametrize(("on", "is_workday"), KNOWN)
def test_days_are_as_the_state_council_published_them(on: date, is_workday: bool) -> None:
    found = published(on)

    assert found is not None
    assert found[0] is is_workday


def test_every_name_of_a_holiday_is_known() -> None:
    names = {
        found[1] for day in range(365) if (found := published(date.fromordinal(date(2026, 1, 1).toordinal() + day)))
    }

    assert names - {""} <= set(NAMES)
    assert {"Spring Festival", "National Day"} <= names


def test_a_year_that_is_not_published_is_not_guessed() -> None:
    assert published(date(2090, 10, 1)) is None
