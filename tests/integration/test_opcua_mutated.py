"""Conversations with an OPC UA server that go wrong somewhere; the long run has thousands of them."""

import datetime as dt

import pytest

from edge.collect.opcua.client import TIME_NS_MAX, time_ns_of
from tests.long.test_opcua_mutated import mutated_talks


@pytest.mark.network
async def test_a_conversation_that_goes_wrong_gives_values_or_is_given_up() -> None:
    up, down = await mutated_talks(36, 1)
    assert up + down == 36
    assert min(up, down) > 3


@pytest.mark.parametrize(
    ("stamp", "ns"),
    [
        (None, -1),
        (dt.datetime(1601, 1, 1, tzinfo=dt.UTC), -1),
        (dt.datetime(2026, 1, 1, tzinfo=dt.UTC), 1_767_225_600_000_000_000),
        (dt.datetime(9999, 12, 31, tzinfo=dt.UTC), TIME_NS_MAX),
    ],
)
def test_times_of_the_standards_whole_span(stamp: dt.datetime | None, ns: int) -> None:
    """OPC 10000-6 §5.2.2.5: from 1601 to 9999; ours end in 2262."""
    assert time_ns_of(stamp) == ns
