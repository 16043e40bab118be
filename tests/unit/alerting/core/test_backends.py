"""Every backend says what the slow scalar oracle says, and all remember the same, bit by bit, whatever comes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alerting.core import expire, kernel_timers, next_due_ns
from alerting.core import kernel_samples as kernel
from alerting.core.backend import Backend
from alerting.core.batch import AHEAD_NS_MAX, NONE_NS, Batch
from alerting.core.compiled import Compiled
from alerting.core.guard import PLAIN, RATE_MARGIN, RATE_MOST, SPAN, Guard
from alerting.core.memory import NEVER_NS, RATE_SLOTS, Memory, Phase
from alerting.core.rate import GAP_WINDOWS
from alerting.core.timers import LATEST_NS
from alerting.model.rule import Kind, RuleTable
from edge.model import Quality, Reason, Scan
from edge.model.quality import encode
from tests.oracle.slow_evaluate import SlowCore
from tests.unit.alerting.core.backends import Core, assert_same, rows_of
from tests.unit.alerting.core.scene import START_NS, S, make_rule, make_table, make_tags, random_rules, random_steps
from tests.unit.alerting.core.test_oracle import by_rule, told

ROOT = Path(__file__).resolve().parents[4]


def play(seed: int, tags: int, steps: int, jitter: int, room: int = 0) -> dict[str, int]:
    """Drive all backends over one random scene in which two of three tags are plain; count what happened."""
    rng = np.random.default_rng(seed)
    site = make_tags(tags, 3)
    rules = [rule for rule in random_rules(rng, site) if rule.kind in PLAIN or site.row_of[rule.tag] % 3 == seed % 3]
    table = RuleTable(rules, site)
    plain, guarded, compiled = cores = (
        Core(table, START_NS, None),
        Core(table, START_NS, Backend.NUMPY),
        Core(table, START_NS, Backend.COMPILED, room),
    )
    slow = SlowCore(rules, site, START_NS)
    changes = 0
    for step in random_steps(rng, site, steps, jitter=jitter):
        if isinstance(step, Scan):
            where = f"seed {seed}, {step.key}"
            found = [core.evaluate(step) for core in cores]
            oracle = slow.evaluate(step)
            for way in (0, 1):
                assert by_rule(told(table, found[2][way])) == by_rule(oracle[way]), where
                expected = rows_of(found[0][way])
                changes += len(expected)
                assert all(rows_of(other[way]) == expected for other in found[1:]), where
        else:
            where = f"seed {seed}, clock {step}"
            expired = [expire(table, core.memory, step) for core in cores]
            for core, ended in zip(cores, expired, strict=True):
                core.guard.close(table.row[ended.rule])
            assert by_rule(told(table, expired[2])) == by_rule(slow.expire(step)), where
            assert all(rows_of(other) == rows_of(expired[0]) for other in expired[1:]), where
            changes += len(expired[0])
            if rng.random() < 0.2:  # Not each time: it makes the list of delays anew.
                assert len({next_due_ns(table, core.memory) for core in cores}) == 1, where
        for other in (guarded, compiled):
            assert_same(plain.memory, other.memory, where)
    return {"changes": changes, "quiet": guarded.taken, "compiled": compiled.taken, "left": compiled.left}


@pytest.mark.parametrize("jitter", [0, 4, 20])
@pytest.mark.parametrize("seed", range(4))
def test_backends_agree_on_random_streams(seed: int, jitter: int) -> None:
    seen = play(seed=100 * jitter + seed, tags=9, steps=250, jitter=jitter)

    assert seen["changes"] > 200
    assert seen["compiled"] > 100
    assert seen["compiled"] > seen["quiet"] > 0
    assert seen["left"] > 50, "tags with other rules go on as ever"


def test_the_smallest_buffer_is_emptied_and_filled_again() -> None:
    """Room for one exception only: the kernel stops before each next one and goes on from there."""
    assert play(seed=5, tags=30, steps=120, jitter=4, room=1)["changes"] > 500


@pytest.mark.parametrize("room", [0, 1])
def test_long_runs_agree_whatever_stands_in_them(room: int) -> None:
    """Whole scans of several spans: some values out, some spoilt, some late; a hole; the buffer full in mid-span.

    In float32 80.3 is more than it is and 19.9 less: a bound that is only rounded would let them pass. So some tags
    have no rate, whose bounds are nearer than the limits' and which looks at whole spans one by one when it keeps a
    sample; and some a steep one, which keeps samples rarely and between the limits.
    """
    rng = np.random.default_rng(17)
    n = 2 * SPAN + 40
    site = make_tags(n, 1)
    rules = [
        rule
        for place, tag in enumerate(site)
        for rule in (
            make_rule(Kind.H, 80.3, tag=tag.name, deadband=0.3, on_delay_s=float(rng.choice([0, 5]))),
            make_rule(Kind.LL, 19.9, tag=tag.name, off_delay_s=float(rng.choice([0, 5]))),
            *([make_rule(Kind.RATE, 30.0, tag=tag.name, window_s=60.0)] if place < SPAN else []),
            *(
                [make_rule(Kind.RATE, 0.3, tag=tag.name, window_s=12.0)]
                if SPAN < place < 2 * SPAN and place % 2
                else []
            ),
            make_rule(Kind.STALE, 30.0, tag=tag.name),
            make_rule(Kind.BAD, 4.0, tag=tag.name),
        )
    ]
    table = RuleTable(rules, site)
    plain, guarded, compiled = cores = (
        Core(table, START_NS, None),
        Core(table, START_NS, Backend.NUMPY),
        Core(table, START_NS, Backend.COMPILED, room),
    )
    last_ns, changes = np.zeros(n, np.int64), 0
    for number in range(1, 40):
        rows = np.arange(n, dtype=np.int32)
        if number % 5 == 0:
            rows = rows[rows != SPAN + 3]  # A hole: no run.
        values = 50 + 0.1 * rng.normal(size=len(rows))
        some = rng.permutation(len(rows))[: rng.integers(0, 12)]
        values[some] = rng.choice(
            [80.3, np.nextafter(80.3, 0), 19.9, np.nextafter(19.9, 99), 80.0, 54.0, np.nan], len(some)
        )
        now = START_NS + number * S
        times_ns = np.full(len(rows), now)
        again = rng.permutation(len(rows))[: rng.integers(0, 3)]
        fresh = last_ns[rows[again]] < now - 5
        times_ns[again[fresh]] -= 5
        last_ns[rows] = times_ns
        scan = Scan(
            source="s0", epoch=1, number=number, received_ns=now, rows=rows, values=values,
            quality=np.zeros(len(rows), np.uint8), times_ns=times_ns,
        )  # fmt: skip
        found = [core.evaluate(scan) for core in cores]
        expired = [expire(table, core.memory, now + S // 2) for core in cores]
        for core, ended in zip(cores, expired, strict=True):
            core.guard.close(table.row[ended.rule])
        for other in (1, 2):
            assert [rows_of(part) for part in found[other]] == [rows_of(part) for part in found[0]], number
            assert rows_of(expired[other]) == rows_of(expired[0]), number
            assert_same(plain.memory, cores[other].memory, f"scan {number}")
        changes += sum(len(part) for part in (*found[0], expired[0]))
    assert changes > 150
    assert compiled.left == 0
    assert guarded.taken > 9_000


def test_no_place_is_ever_out_of_bounds(tmp_path: Path) -> None:
    """Compiled code does not look; once it is told to, with a buffer that has to be emptied all the time."""
    code = "from tests.unit.alerting.core.test_backends import play; print(play(7, 12, 60, 4, room=1)['changes'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path), "PYTHONPATH": str(ROOT)},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=100,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 100


def test_constants_of_the_kernel_are_those_of_the_product() -> None:
    """It has copies of its own, because a cached kernel does not see that another file has changed."""
    assert (kernel.GOOD, kernel.BAD) == (Quality.GOOD, Quality.BAD)
    assert encode(Quality.UNCERTAIN, Reason.RETAINED) == kernel.RETAINED
    assert encode(Quality.BAD, Reason.NOT_A_NUMBER) == kernel.BAD_NOT_A_NUMBER
    assert (kernel.L, kernel.LL, kernel.H, kernel.HH) == (Kind.L, Kind.LL, Kind.H, Kind.HH)
    assert (kernel.RATE, kernel.STALE, kernel.BAD_KIND) == (Kind.RATE, Kind.STALE, Kind.BAD)
    assert {1, 2, 3, 4, 5, 6, 7} == PLAIN, "the kernel knows these kinds by their numbers"
    assert (kernel.REST, kernel.ON, kernel.OFF) == (Phase.REST, Phase.ON, Phase.OFF)
    assert (kernel.SLOTS, kernel.GAP_WINDOWS) == (RATE_SLOTS, GAP_WINDOWS)
    assert (kernel.AHEAD_NS_MAX, kernel.NEVER_NS) == (AHEAD_NS_MAX, NEVER_NS)
    assert (kernel.RATE_MARGIN, kernel.RATE_MOST, kernel.SPAN) == (RATE_MARGIN, RATE_MOST, SPAN)
    assert kernel.NONE_NS == NONE_NS
    assert (Phase.REST, Phase.ON, max(PLAIN)) == (kernel_timers.REST, kernel_timers.ON, kernel_timers.PLAIN_MOST)
    assert (kernel_timers.LATEST_NS, kernel_timers.NEVER_NS) == (LATEST_NS, NEVER_NS)


def batch_of(
    rows: list[int], values: list[float], times_ns: list[int], received_ns: int, lateness_s: int = 60
) -> Batch:
    n = len(rows)
    return Batch(
        rows=np.array(rows, np.int32),
        values=np.array(values),
        quality=np.zeros(n, np.uint8),
        times_ns=np.array(times_ns, np.int64),
        first=np.array([0, n]),
        source=np.zeros(1, np.int32),
        received_ns=np.array([received_ns]),
        lateness_ns=np.array([lateness_s * S]),
    )


@pytest.mark.parametrize("backend", list(Backend))
def test_what_needs_a_second_thought_is_left(backend: Backend) -> None:
    """Unknown rows, rows of another source, doubles, old, late and far too new samples; the good ones are taken."""
    tags = make_tags(8, 2)
    table = make_table(*(make_rule(Kind.H, 10.0, tag=tag.name) for tag in tags), tags=tags)
    memory, guard, now = Memory.fresh(table, START_NS), Guard(table), START_NS + 100 * S
    take = Compiled(table, memory, guard).take if backend is Backend.COMPILED else lambda b: guard.take(memory, b)
    memory.last_ns[:] = now - 10 * S
    guard.refresh(memory, np.arange(8, dtype=np.int32))
    rows = [-1, 8, 1, 0, 2, 2, 4, 6]
    times = [now, now, now, now, now, now - 1, now - 10 * S, now + 1]
    taken = take(batch_of(rows, [5.0] * 8, times, now))

    assert taken.is_taken.tolist() == [False, False, False, True, False, False, False, True]
    assert taken.left.tolist() == [6]
    assert taken.newest_ns.tolist() == [now]
    assert memory.last_ns[[0, 6]].tolist() == [now, now], "a clock ahead counts as the receive time"
    late = take(batch_of([0, 6], [5.0] * 2, [now + S, now + 20 * S], now + 14 * S))
    assert late.is_taken.tolist() == [True, False], "more than 5 s ahead"
    late = take(batch_of([4, 6], [5.0] * 2, [now + S, now + 80 * S], now + 90 * S))
    assert late.is_taken.tolist() == [False, True], "older than the source may be"


@pytest.mark.parametrize("backend", list(Backend))
def test_a_stamp_in_doubt_does_not_move_the_time_of_a_run_of_tags(backend: Backend) -> None:
    """Neighbours are taken together; what is put back must not have told how far the source's time has come."""
    tags = make_tags(4, 1)
    table = make_table(*(make_rule(Kind.H, 10.0, tag=tag.name) for tag in tags), tags=tags)
    memory, guard, now = Memory.fresh(table, START_NS), Guard(table), START_NS + 100 * S
    take = Compiled(table, memory, guard).take if backend is Backend.COMPILED else lambda b: guard.take(memory, b)
    memory.last_ns[:] = now - 10 * S
    guard.refresh(memory, np.arange(4, dtype=np.int32))
    assert take(batch_of([0, 1, 2, 3], [5.0] * 4, [now - 10 * S + 1] * 4, now)).is_taken.all()
    taken = take(batch_of([0, 1, 2, 3], [5.0] * 4, [now - 2 * S, now - 3 * S, now + 6 * S, now - 2 * S], now))

    assert taken.is_taken.tolist() == [True, True, False, True]
    assert taken.newest_ns.tolist() == [now - 2 * S]
    assert memory.last_ns.tolist() == [now - 2 * S, now - 3 * S, now - 10 * S + 1, now - 2 * S]


@pytest.mark.parametrize("backend", list(Backend))
def test_memory_of_what_is_left_of_a_run_is_untouched(backend: Backend) -> None:
    """One of twelve neighbours waits for a second thought: what is remembered of it is as before, to the bit."""
    tags = make_tags(12, 1)
    table = make_table(*(make_rule(Kind.H, 10.0, tag=tag.name) for tag in tags), tags=tags)
    memory, guard, now = Memory.fresh(table, START_NS), Guard(table), START_NS + 100 * S
    take = Compiled(table, memory, guard).take if backend is Backend.COMPILED else lambda b: guard.take(memory, b)
    memory.last_ns[:], memory.value_ns[:], memory.value[:] = now - 10 * S, now - 11 * S, 3.0
    memory.quality[7], memory.is_watched[7] = encode(Quality.BAD, Reason.RANGE), False
    guard.refresh(memory, np.arange(12, dtype=np.int32))
    columns = ("last_ns", "value_ns", "value", "quality", "is_watched")
    before = [getattr(memory, name)[7] for name in columns]
    times = [now - 2 * S] * 12
    times[7] = now + 6 * S
    taken = take(batch_of(list(range(12)), [5.0] * 12, times, now))

    assert np.flatnonzero(~taken.is_taken).tolist() == [7]
    assert [getattr(memory, name)[7] for name in columns] == before
    assert np.delete(memory.value, 7).tolist() == [5.0] * 11
    assert set(np.delete(memory.last_ns, 7).tolist()) == {now - 2 * S}


@pytest.mark.parametrize("backend", list(Backend))
@pytest.mark.parametrize("was", [0.0, 1e9, -1e300, 1.7e308])
def test_a_rate_is_seen_however_large_the_numbers(backend: Backend, was: float) -> None:
    """The guard's bound of a rate errs on the safe side where rounding or overflow would hide one."""
    table = make_table(make_rule(Kind.RATE, 1e-7, window_s=1.0))
    reference, core = Core(table, START_NS, None), Core(table, START_NS, backend)
    rng = np.random.default_rng(3)
    for number in range(1, 80):
        step = 0.0 if number < 3 else float(rng.choice([0.0, 1e-7, 2e-7, 1e-3, 1.0]))
        value = was + step * max(1.0, abs(was) * 1e-15)
        if number % 17 == 0:
            value = -was
        scan = Scan(
            source="s0", epoch=1, number=number, received_ns=START_NS + number * S // 4,
            rows=np.zeros(1, np.int32), values=np.array([value]), quality=np.zeros(1, np.uint8),
            times_ns=np.array([START_NS + number * S // 4]),
        )  # fmt: skip
        found, expected = core.evaluate(scan), reference.evaluate(scan)
        assert [rows_of(part) for part in found] == [rows_of(part) for part in expected], number
        assert_same(core.memory, reference.memory, str(number))
