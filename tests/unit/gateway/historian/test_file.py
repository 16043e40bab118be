"""The history file against a dictionary: any order of commits, folds, back-fills and restarts gives one history."""

import sqlite3
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edge.model import Nature, Scan, Tag, TagTable
from gateway.historian.backfill import backfill
from gateway.historian.database import BODY_BYTES_MOST, HistoryFormatError, transaction
from gateway.historian.file import CHUNK_MOST, DAY_NS, FOLD_AFTER_NS, MINUTE_NS, HistoryFile, HistoryReader, Retention
from gateway.historian.series import Samples

S = 1_000_000_000
T0 = 1_767_225_600 * S
FAR_NS = 1 << 62

# Rows 0 and 300 lie in different blocks of the file.
TAGS = TagTable([Tag(name=f"T-{row}", source="a", resolution=0.5 if row % 2 else 0.0) for row in range(301)])


def make_scan(rows: list[int], times_ns: list[int], values: list[float], quality: list[int] | None = None) -> Scan:
    return Scan(
        source="a",
        epoch=1,
        number=1,
        received_ns=T0,
        rows=np.array(rows, dtype=np.int32),
        values=np.array(values, dtype=np.float64),
        quality=np.array(quality or [0] * len(rows), dtype=np.uint8),
        times_ns=np.array(times_ns, dtype=np.int64),
    )


def read_all(path: Path, file: HistoryFile, row: int) -> Samples:
    reader = HistoryReader(path, TAGS, file.names)
    try:
        return reader.samples(row, -FAR_NS, FAR_NS)
    finally:
        reader.close()


def chunks_of(file: HistoryFile) -> list[tuple[int, int, int, int]]:
    return file.connection.execute("SELECT series, t0, t1, n FROM chunk ORDER BY series, t0").fetchall()


def drain(file: HistoryFile, at_ns: int) -> None:
    while file.tend(at_ns):
        pass


VALUES = st.one_of(st.integers(-20, 20).map(lambda v: v / 2), st.sampled_from([float("nan"), float("inf"), -0.0, 0.1]))
SAMPLE = st.tuples(st.sampled_from([0, 1, 300]), st.integers(0, 40), VALUES, st.integers(0, 255))
STEP = st.one_of(
    st.tuples(st.just("commit"), st.lists(SAMPLE, max_size=12)),
    st.tuples(st.just("backfill"), st.lists(SAMPLE, min_size=1, max_size=12)),
    st.just(("fold", [])),
    st.just(("reopen", [])),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=12))
def test_history_is_what_a_dictionary_would_hold(
    steps: list[tuple[str, list[tuple[int, int, float, int]]]],
) -> None:
    model: dict[int, dict[int, tuple[float, int]]] = {0: {}, 1: {}, 300: {}}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "h.db"
        file = HistoryFile(path, TAGS)
        for what, samples in steps:
            rows = [row for row, _, _, _ in samples]
            times_ns = [T0 + t * S + (t % 3) for _, t, _, _ in samples]
            values = [value for _, _, value, _ in samples]
            quality = [q for _, _, _, q in samples]
            if what == "commit":
                file.commit([make_scan(rows, times_ns, values, quality)], T0)
            elif what == "backfill":
                file.fold_all()  # A back-fill is newer than what waits.
                with transaction(file.connection):
                    for row in dict.fromkeys(rows):
                        own = np.array(rows) == row
                        part = make_scan(rows, times_ns, values, quality)
                        file.backfill(
                            row,
                            Samples(times_ns=part.times_ns[own], values=part.values[own], quality=part.quality[own]),
                        )
            elif what == "fold":
                file.fold_all()
            else:
                file.close()
                file = HistoryFile(path, TAGS)
            for row, t, value, q in zip(rows, times_ns, values, quality, strict=True):
                model[row][t] = (value, q)
        with closing(file):
            for row, expected in model.items():
                got = read_all(path, file, row)
                assert got.times_ns.tolist() == sorted(expected)
                assert got.quality.tolist() == [expected[t][1] for t in sorted(expected)]
                tolerance = 0.25 if row % 2 else 0.0
                np.testing.assert_allclose(
                    got.values, [expected[t][0] for t in sorted(expected)], rtol=0, atol=tolerance
                )
            chunks = chunks_of(file)
            assert all(a[0] < b[0] or a[2] < b[1] for a, b in pairwise(chunks)), "chunks of a series never overlap"


def test_chunks_of_a_series_never_overlap_when_late_samples_come(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(HistoryFile(path, TAGS)) as file:
        for base in (0, 1000, 2000):
            times_ns = [T0 + (base + k) * S for k in range(400)]
            file.commit([make_scan([0] * 400, times_ns, [1.0] * 400)], T0)
            file.fold_all()
        late = [T0 + k * S + 5 for k in (100, 700, 1100, 1900, 2399, 9000)]
        file.commit([make_scan([0] * 6, late, [2.0] * 6)], T0)
        file.fold_all()

        bounds = [(t0, t1) for _, t0, t1, _ in chunks_of(file)]
        assert all(t1 < t0 for (_, t1), (t0, _) in pairwise(bounds))
        got = read_all(path, file, 0)
        assert len(got) == 1206
        assert [t for t, v in zip(got.times_ns.tolist(), got.values.tolist(), strict=True) if v == 2.0] == late


def test_a_fold_that_fails_half_way_leaves_all_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(HistoryFile(path, TAGS)) as file:
        file.commit([make_scan([0, 1], [T0, T0], [1.0, 2.0])], T0)
        # The second tag's chunk is refused, so the first one's must not stay either.
        file.connection.execute(
            "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.chunk WHEN NEW.series = 2"
            " BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
        with pytest.raises(sqlite3.IntegrityError):
            file.fold_all()
        assert chunks_of(file) == []
        file.connection.execute("DROP TRIGGER refuse")
        assert read_all(path, file, 0).values.tolist() == [1.0]
        file.fold_all()  # What failed is tried again, and nothing is doubled.
        assert [(series, n) for series, _, _, n in chunks_of(file)] == [(1, 1), (2, 1)]
        assert read_all(path, file, 1).values.tolist() == [2.0]


def test_folding_waits_for_enough_samples_or_enough_time(tmp_path: Path) -> None:
    with closing(HistoryFile(tmp_path / "h.db", TAGS)) as file:
        file.commit([make_scan([0], [T0], [1.0])], T0)
        drain(file, T0 + FOLD_AFTER_NS - S)
        assert chunks_of(file) == []
        drain(file, T0 + FOLD_AFTER_NS)
        assert [n for _, _, _, n in chunks_of(file)] == [1]

        for k in range(150):
            assert len(chunks_of(file)) == 1
            file.commit([make_scan([300, 300], [T0 + 2 * k, T0 + 2 * k + 1], [1.0, 2.0])], T0 + FOLD_AFTER_NS)
            drain(file, T0 + FOLD_AFTER_NS)
        assert [n for _, _, _, n in chunks_of(file)] == [1, 300], "300 samples of the only tag seen in its block"


def test_small_chunks_grow_and_large_ones_are_left_alone(tmp_path: Path) -> None:
    with closing(HistoryFile(tmp_path / "h.db", TAGS)) as file:
        for minute in range(10):
            times_ns = [T0 + (60 * minute + k) * S for k in range(60)]
            file.commit([make_scan([0] * 60, times_ns, [1.0] * 60)], T0)
            file.fold_all()

        assert [n for _, _, _, n in chunks_of(file)] == [300, 300]


def test_history_belongs_to_the_name_not_to_the_row(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    before = TagTable([Tag(name="A", source="a"), Tag(name="B", source="a")])
    with closing(HistoryFile(path, before)) as file:
        file.commit([make_scan([0, 1], [T0, T0], [1.0, 2.0])], T0)
    after = TagTable([Tag(name="new", source="a"), Tag(name="B", source="a"), Tag(name="A", source="a")])
    with closing(HistoryFile(path, after)) as file:
        file.fold_all()
        reader = HistoryReader(path, after, file.names)
        assert [reader.samples(row, -FAR_NS, FAR_NS).values.tolist() for row in range(3)] == [[], [2.0], [1.0]]
        reader.close()


# -------------------------------------------------------------------------------------------------------- retention


def test_old_values_become_minutes_and_old_minutes_go(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    retention = Retention(raw_ns=10 * DAY_NS, rollup_ns=20 * DAY_NS)
    with closing(HistoryFile(path, TAGS, retention)) as file:
        for day in range(30):
            times_ns = [T0 + day * DAY_NS + k * 10 * S for k in range(60)]
            values = [float(k % 6) for k in range(60)]
            quality = [0x80 if k == 59 else 0 for k in range(60)]
            file.commit([make_scan([1] * 60, times_ns, values, quality)], T0)
            file.fold_all()
        now_ns = T0 + 30 * DAY_NS
        drain(file, now_ns)
        reader = HistoryReader(path, TAGS, file.names)
        raw = reader.samples(1, -FAR_NS, FAR_NS)
        assert (int(raw.times_ns[0]) - T0) // DAY_NS == 20
        assert len(raw) == 600

        series = reader.range(1, T0, now_ns, 100_000, None)
        assert series.is_rolled_up
        points = series.count > 0
        times_ns = series.times_ns[points]
        assert (int(times_ns[0]) - T0) // DAY_NS == 10
        assert len(times_ns) == 20 * 10, "ten minutes a day for twenty days, half of them from raw values"
        old = times_ns < T0 + 20 * DAY_NS
        for from_rollups in (old, ~old):
            assert set(series.count[points][from_rollups].tolist()) == {6}
            assert set(series.min[points][from_rollups].tolist()) == {0.0}
            assert set(series.max[points][from_rollups].tolist()) == {4.0, 5.0}
            np.testing.assert_allclose(series.values[points][from_rollups][0], 2.5, atol=0.05)
            assert sorted(set(series.quality[points][from_rollups].tolist())) == [0, 0x80]
        reader.close()


def test_minutes_that_leave_in_two_parts_are_summed_once(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(HistoryFile(path, TAGS, Retention(raw_ns=0, rollup_ns=900 * DAY_NS))) as file:
        for day, part in enumerate(([10, 20], [30], [5, 50])):
            file.commit([make_scan([0] * len(part), [T0 + s * S for s in part], [float(s) for s in part])], T0)
            file.fold_all()
            drain(file, T0 + (2 + day) * DAY_NS)
        reader = HistoryReader(path, TAGS, file.names)
        series = reader.range(0, T0, T0 + MINUTE_NS, 10, None)
        reader.close()

    assert chunks_of_closed(path) == 0
    assert (series.count.tolist(), series.min.tolist(), series.max.tolist()) == ([5], [5.0], [50.0])
    assert series.values.tolist() == [23.0]


def chunks_of_closed(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM chunk").fetchone()[0])


def test_a_long_span_summed_from_chunks_equals_the_sum_of_samples(tmp_path: Path) -> None:
    """Above ``DECODE_MOST`` samples a chunk speaks for its samples; the buckets must not show where."""
    path = tmp_path / "h.db"
    n = 300_003
    times_ns = T0 + np.arange(n, dtype=np.int64) * S
    rng = np.random.default_rng(3)
    values = np.round(rng.normal(0, 50, n)) / 2
    quality = np.where(rng.random(n) < 0.01, 0x85, 0).astype(np.uint8)
    backfill(path, TAGS, [("T-1", times_ns, values, quality)])
    with closing(HistoryFile(path, TAGS)) as file:
        late = make_scan([1, 1], [T0 + 5 * S, T0 + 200_000 * S], [1000.0, -1000.0])
        file.commit([late], T0)
        values[[5, 200_000]], quality[[5, 200_000]] = [1000.0, -1000.0], 0
        reader = HistoryReader(path, TAGS, file.names)
        series = reader.range(1, T0 + 3 * S, T0 + n * S, 6, None)
        reader.close()

    for k in range(6):
        bucket = slice(3 + k * 50_000, 3 + (k + 1) * 50_000)
        good = values[bucket][quality[bucket] == 0]
        assert int(series.count[k]) == len(values[bucket])
        assert (float(series.min[k]), float(series.max[k])) == (good.min(), good.max())
        np.testing.assert_allclose(series.values[k], good.mean(), rtol=1e-9)
        assert int(series.quality[k]) == 0x85


# -------------------------------------------------------------------------------------------------- bulk and damage


def test_two_days_of_ten_tags_are_kept_in_large_chunks_and_small_space(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    n = 48 * 360
    times_ns = T0 + np.arange(n, dtype=np.int64) * 10 * S
    walk = np.cumsum(np.random.default_rng(5).integers(-3, 4, n)) / 2
    given_samples = backfill(path, TAGS, [(f"T-{row}", times_ns, walk, None) for row in range(1, 21, 2)])

    assert given_samples == 10 * n
    assert path.stat().st_size < 2 * given_samples
    with closing(HistoryFile(path, TAGS)) as file:
        assert max(count for _, _, _, count in chunks_of(file)) <= CHUNK_MOST
        assert len(chunks_of(file)) < given_samples / 600
        largest = file.connection.execute("SELECT max(length(body)) FROM chunk").fetchone()[0]
        assert largest <= BODY_BYTES_MOST * 1.1, "a chunk fits in its page"
        assert read_all(path, file, 1).values.tolist() == walk.tolist()


def test_a_backfill_with_an_unknown_name_keeps_nothing(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    one = np.array([T0]), np.array([1.0]), None
    with pytest.raises(KeyError):
        backfill(path, TAGS, [("T-0", *one), ("nobody", *one)])
    with closing(HistoryFile(path, TAGS)) as file:
        assert chunks_of(file) == []


def test_a_damaged_chunk_costs_only_itself_and_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(HistoryFile(path, TAGS)) as file:
        for base in (0, 1000):
            file.commit([make_scan([0] * 300, [T0 + (base + k) * S for k in range(300)], [1.0] * 300)], T0)
            file.fold_all()
        file.connection.execute("UPDATE chunk SET body = x'00' WHERE t0 = ?", (T0,))
        reader = HistoryReader(path, TAGS, file.names)
        assert len(reader.samples(0, -FAR_NS, FAR_NS)) == 300
        assert reader.unreadable == 1
        reader.close()


def test_a_file_of_a_later_program_is_refused_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(HistoryFile(path, TAGS)) as file:
        file.connection.execute("PRAGMA user_version = 99")
    with pytest.raises(HistoryFormatError, match="format 99"):
        HistoryFile(path, TAGS)


def test_an_exercise_gets_a_series_of_its_own_when_it_first_comes(tmp_path: Path) -> None:
    path = tmp_path / "h.db"
    with closing(HistoryFile(path, TAGS)) as file:
        assert file.names.find(0, Nature.EXERCISE) == 0
        newest = file.commit([replace(make_scan([0], [T0], [1.0]), nature=Nature.EXERCISE)], T0)
        assert file.names.find(0, Nature.EXERCISE) == len(TAGS) + 1
        assert len(newest.rows) == 0, "the newest actual value is not an exercise's"
