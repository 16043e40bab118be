"""The historian in memory: what it sorts in anew goes to what it has, of each tag and nature in order of arrival."""

import asyncio

import numpy as np

from edge.model import Nature, Scan, Tag, TagTable
from gateway.historian.memory import MemoryHistorian

TAGS = TagTable([Tag(name=name, source="s") for name in "abc"])


def scan(number: int, rows: list[int], nature: Nature = Nature.ACTUAL) -> Scan:
    n = len(rows)
    return Scan(
        source="s", epoch=1, number=number, received_ns=number, rows=np.array(rows, np.int32),
        values=number + np.arange(n) / 10, quality=np.zeros(n, np.uint8), times_ns=np.full(n, number) + np.arange(n),
        nature=nature,
    )  # fmt: skip


def values(historian: MemoryHistorian, row: int, nature: Nature = Nature.ACTUAL) -> list[float]:
    return list(asyncio.run(historian.range(row, 0, 10_000, 100, nature)).values)


def test_what_is_read_between_stays() -> None:
    historian = MemoryHistorian(TAGS)
    historian.append(scan(10, [0, 2]))
    assert values(historian, 2) == [10.1]
    historian.append(scan(20, [2, 0]))
    historian.append(scan(30, [1], Nature.EXERCISE))
    assert (values(historian, 0), values(historian, 2)) == ([10.0, 20.1], [10.1, 20.0])
    assert (values(historian, 1), values(historian, 1, Nature.EXERCISE)) == ([], [30.0])


def test_of_a_tag_that_comes_twice_in_a_scan_both_stay_and_the_oldest_go_where_there_is_no_room() -> None:
    historian = MemoryHistorian(TAGS, samples_most=3)
    historian.append(scan(10, [1, 0, 1]))
    assert values(historian, 1) == [10.0, 10.2]
    historian.append(scan(20, [1, 1]))
    assert values(historian, 1) == [10.2, 20.0, 20.1]
