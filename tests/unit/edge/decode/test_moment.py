"""Time stamps of every form to nanoseconds."""

import pytest

from edge.decode.moment import moment_ns

NOON_NS = 1_767_268_800_000_000_000  # 2026-01-01T12:00:00Z, by date(1): date -u -d @1767268800


@pytest.mark.parametrize(
    ("stamp", "want"),
    [
        ("2026-01-01T12:00:00Z", NOON_NS),
        ("2026-01-01T20:00:00+08:00", NOON_NS),
        ("2026-01-01 04:00:00-08:00", NOON_NS),
        ("2026-01-01T12:00:00.123456Z", NOON_NS + 123_456_000),
        ("2026-01-01T12:00:00.123456789Z", NOON_NS + 123_456_000),
        (1_767_268_800, NOON_NS),
        (1_767_268_800.25, NOON_NS + 250_000_000),
        (1_767_268_800.123, NOON_NS + 123_000_000),
        (1_767_268_800_123.5, NOON_NS + 123_500_000),
        (1_767_268_800_123, NOON_NS + 123_000_000),
        (1_767_268_800_123_456, NOON_NS + 123_456_000),
        (1_767_268_800_123_456_789, NOON_NS + 123_456_789),
        (0, 0),
        ("2026-01-01T12:00:00", None),  # Whose noon?
        ("2026-01-01T12:00:60Z", None),
        ("2026-13-01T12:00:00Z", None),
        ("1767268800", None),
        ("yesterday", None),
        ("", None),
        ("0001-01-01T00:00:00+08:00", None),
        ("9999-12-31T23:59:59Z", None),
        (-1, None),
        (2**63, None),
        (1e300, None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ([1], None),
        ({}, None),
    ],
)
def test_moment(stamp: object, want: int | None) -> None:
    assert moment_ns(stamp) == want


@pytest.mark.parametrize(
    ("stamp", "want"),
    [
        (99_999_999_999, 99_999_999_999 * 10**9 if 99_999_999_999 * 10**9 < 2**63 else None),
        (100_000_000_000, 100_000_000_000 * 10**6),
        (99_999_999_999_999, None),
        (100_000_000_000_000, 100_000_000_000_000 * 10**3),
        (99_999_999_999_999_999, None),
        (100_000_000_000_000_000, 100_000_000_000_000_000),
    ],
)
def test_the_bounds_between_the_units(stamp: int, want: int | None) -> None:
    """Just below a bound is the year 5138, beyond what int64 nanoseconds hold; at the bound it is March 1973."""
    assert moment_ns(stamp) == want
