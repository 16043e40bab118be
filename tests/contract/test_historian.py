"""The same promises of every historian: the embedded one in a file, the one in memory."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pytest

from edge.clock_manual import ManualClock
from edge.model import Nature, Quality, Scan, Tag, TagTable
from gateway.historian.embedded import EmbeddedHistorian
from gateway.historian.inline import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.historian.port import Historian, Series

S = 1_000_000_000
T0 = 1_767_225_600 * S
BAD = int(Quality.BAD)

TAGS = TagTable(
    [
        Tag(name="TK-101.level", source="a", resolution=0.001),
        Tag(name="TK-101.exact", source="a"),
        Tag(name="ZONE.count", source="b", period_s=10.0, resolution=1.0),
        Tag(name="drill", source="c", nature=Nature.TEST),
    ]
)
Make: TypeAlias = Callable[[], Historian]


@pytest.fixture(params=["embedded", "embedded in threads", "memory"])
async def historian(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Historian]:
    made: Historian
    if request.param == "memory":
        made = MemoryHistorian(TAGS)
    elif request.param == "embedded":
        inline = InlineExecutor()
        made = EmbeddedHistorian(tmp_path / "h.db", TAGS, ManualClock(T0), writer=inline, reader=inline)
    else:
        made = EmbeddedHistorian(tmp_path / "h.db", TAGS, ManualClock(T0))
    yield made
    await made.close()


class Given:
    """Scans of one source, numbered."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, *samples: tuple[int, float, float], quality: int = 0, nature: Nature = Nature.ACTUAL) -> Scan:
        """Make a scan of (row, seconds after T0, value)."""
        self.number += 1
        return Scan(
            source="a",
            epoch=1,
            number=self.number,
            received_ns=T0,
            rows=np.array([row for row, _, _ in samples], dtype=np.int32),
            values=np.array([value for _, _, value in samples], dtype=np.float64),
            quality=np.full(len(samples), quality, dtype=np.uint8),
            times_ns=np.array([T0 + round(s * S) for _, s, _ in samples], dtype=np.int64),
            nature=nature,
        )


def seconds(series: Series) -> list[float]:
    return [(t - T0) / S for t in series.times_ns.tolist()]


async def test_what_was_appended_is_read_back_in_order_of_time(historian: Historian) -> None:
    scan = Given()
    historian.append(scan((0, 1, 4.2), (1, 1, 1 / 3)))
    historian.append(scan((0, 3, 4.4), (0, 2, 4.3)))
    await historian.flush()
    series = await historian.range(0, T0, T0 + 10 * S, 100)

    assert seconds(series) == [1, 2, 3]
    assert series.values.tolist() == [4.2, 4.3, 4.4]
    assert series.count.tolist() == [1, 1, 1]
    assert not series.is_rolled_up
    assert (await historian.range(1, T0, T0 + 10 * S, 100)).values.tolist() == [1 / 3]


async def test_the_end_is_not_included_and_the_begin_is(historian: Historian) -> None:
    historian.append(Given()((0, 1, 1.0), (0, 2, 2.0), (0, 3, 3.0)))
    await historian.flush()

    assert seconds(await historian.range(0, T0 + S, T0 + 3 * S, 10)) == [1, 2]


async def test_a_tag_without_history_is_an_empty_series(historian: Historian) -> None:
    series = await historian.range(2, T0, T0 + S, 10)
    latest = await historian.latest(np.array([2], dtype=np.int32))

    assert len(series) == 0
    assert np.isnan(latest.values[0])
    assert (latest.times_ns.tolist(), latest.quality.tolist()) == ([0], [BAD])


async def test_of_equal_times_the_later_handed_over_stays(historian: Historian) -> None:
    scan = Given()
    historian.append(scan((0, 1, 1.0), (0, 1, 2.0)))
    historian.append(scan((0, 1, 3.0)))
    await historian.flush()

    assert (await historian.range(0, T0, T0 + 9 * S, 10)).values.tolist() == [3.0]


async def test_bad_samples_keep_their_reason_and_are_no_value(historian: Historian) -> None:
    scan = Given()
    historian.append(scan((0, 1, 1.0)))
    historian.append(scan((0, 2, float("nan")), quality=0x82))
    await historian.flush()
    series = await historian.range(0, T0, T0 + 9 * S, 10)

    assert np.isnan(series.values).tolist() == [False, True]
    assert series.quality.tolist() == [0, 0x82]


async def test_a_hole_is_one_point_without_a_value(historian: Historian) -> None:
    historian.append(Given()((0, 1, 1.0), (0, 4, 2.0), (0, 8, 3.0)))
    await historian.flush()
    series = await historian.range(0, T0, T0 + 20 * S, 100)

    assert seconds(series) == [1, 4, 5, 8]
    assert series.count.tolist() == [1, 1, 0, 1]
    assert np.isnan(series.values[2])
    assert int(series.quality[2]) == BAD


async def test_more_samples_than_points_are_summed_up_with_the_gap_still_seen(historian: Historian) -> None:
    scan = Given()
    for s in [*range(100), *range(200, 300)]:
        historian.append(scan((0, s, float(s)), quality=0x82 if s == 250 else 0))
    await historian.flush()
    series = await historian.range(0, T0, T0 + 300 * S, 30)

    assert series.is_rolled_up
    assert seconds(series) == [*range(0, 101, 10), *range(200, 300, 10)]
    assert series.count.tolist() == [10] * 10 + [0] + [10] * 10
    assert series.min[3] == 30.0
    assert series.max[3] == 39.0
    assert series.values[3] == 34.5
    assert np.isnan(series.values[10])
    assert series.quality[16] == 0x82
    assert series.min[16] == 251.0, "a BAD sample is no value"


async def test_latest_is_the_newest_by_time_not_by_arrival(historian: Historian) -> None:
    scan = Given()
    historian.append(scan((0, 5, 5.0), (1, 7, 7.0)))
    historian.append(scan((0, 3, 3.0), (1, 7, 7.5)))
    await historian.flush()
    latest = await historian.latest(np.array([1, 0], dtype=np.int32))

    assert latest.values.tolist() == [7.5, 5.0]
    assert latest.times_ns.tolist() == [T0 + 7 * S, T0 + 5 * S]


async def test_an_exercise_leaves_no_trace_in_the_actual_history(historian: Historian) -> None:
    scan = Given()
    historian.append(scan((0, 1, 1.0)))
    historian.append(scan((0, 2, 9.9), nature=Nature.EXERCISE))
    historian.append(scan((3, 1, 5.0), nature=Nature.TEST))
    await historian.flush()

    assert (await historian.range(0, T0, T0 + 9 * S, 10)).values.tolist() == [1.0]
    assert (await historian.range(0, T0, T0 + 9 * S, 10, Nature.EXERCISE)).values.tolist() == [9.9]
    assert (await historian.range(3, T0, T0 + 9 * S, 10)).values.tolist() == [5.0]
    assert (await historian.latest(np.array([0], dtype=np.int32))).values.tolist() == [1.0]


async def test_done_comes_once_on_a_later_turn_and_the_books_balance(historian: Historian) -> None:
    fates: list[bool] = []
    historian.append(Given()((0, 1, 1.0), (1, 1, 2.0)), fates.append)
    assert fates == []
    await historian.flush()
    await asyncio.sleep(0)

    assert fates == [True]
    counts = historian.counts
    assert (counts.taken, counts.committed, counts.held, counts.lost) == (2, 2, 0, 0)


async def test_after_close_what_comes_is_lost_and_counted(historian: Historian) -> None:
    fates: list[bool] = []
    scan = Given()
    historian.append(scan((0, 1, 1.0)))
    await historian.close()
    historian.append(scan((0, 2, 2.0)), fates.append)
    await asyncio.sleep(0)

    assert fates == [False]
    assert (historian.counts.committed, historian.counts.lost) == (1, 1)
