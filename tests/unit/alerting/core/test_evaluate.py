"""Single rules on timelines worked out by hand, second by second."""

import numpy as np
import pytest

from alerting.core import Memory, evaluate, expire, next_due_ns
from alerting.core.memory import Changes
from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import Scan
from tests.unit.alerting.core.scene import (
    BAD,
    GOOD,
    RETAINED,
    START_NS,
    TIMEOUT,
    UNCERTAIN,
    at,
    make_rule,
    make_scan,
    make_table,
    make_tags,
    random_rules,
    random_steps,
)

INF, NAN = float("inf"), float("nan")


def play(rules: list[Rule], line: str) -> str:
    """Play a timeline; give ``kind+time`` for each trip and ``kind-time`` for each clear, in order of report.

    Args:
        line: Steps such as ``1:85`` (value 85 at 1 s), ``2:bad``, ``3:nan``, ``4:~85`` (uncertain), ``5:?85``
            (retained), ``6<9:85`` (sent at 6, received at 9), ``7:clock``, ``8:restart`` (memory written and read).
    """
    table = make_table(*rules)
    memory = Memory.fresh(table, START_NS)
    said: list[str] = []
    for number, step in enumerate(line.split(), start=1):
        when, what = step.split(":")
        sent, _, received = when.partition("<")
        t_s, received_s = float(sent), float(received or sent)
        if what == "restart":
            memory = write_and_read(table, memory)
            continue
        found: tuple[Changes, ...]
        if what == "clock":
            found = (expire(table, memory, at(t_s)),)
        else:
            value, quality = read(what)
            found = evaluate(table, memory, make_scan(t_s, value, quality, received_s=received_s, number=number))
        for changes in found:
            said += [
                f"{table[rule].kind.name}{'+' if is_active else '-'}{(time_ns - START_NS) / 1e9:g}"
                for rule, is_active, time_ns in zip(
                    changes.rule.tolist(), changes.is_active.tolist(), changes.time_ns.tolist(), strict=True
                )
            ]
    return " ".join(said)


def read(what: str) -> tuple[float, int]:
    match what[0]:
        case "b":
            return NAN, BAD | TIMEOUT
        case "~":
            return float(what[1:]), UNCERTAIN
        case "?":
            return float(what[1:]), UNCERTAIN | RETAINED
        case _:
            return float(what), GOOD


def write_and_read(table: RuleTable, memory: Memory) -> Memory:
    """Carry over what a store keeps: columns by tag, by rule and by source."""
    kept = Memory.fresh(table, 0)
    for name in ("last_ns", "value", "value_ns", "quality", "is_watched", "mark_ns", "mark_received_ns"):
        getattr(kept, name)[:] = getattr(memory, name)
    for name in ("is_active", "phase", "since_ns", "elapsed_ns", "ring_ns", "ring_value"):
        getattr(kept, name)[:] = getattr(memory, name)
    return kept


# ------------------------------------------------------------------------------------------------ comparison, deadband


@pytest.mark.parametrize(
    ("kind", "setpoint", "deadband", "line", "said"),
    [
        (Kind.H, 80, 0, "1:79.999 2:80 3:80 4:79.999", "H+2 H-4"),
        (Kind.H, 80, 5, "1:80 2:79 3:75 4:74.999", "H+1 H-4"),
        (Kind.HH, 80, 5, "1:80 2:75 3:74.999", "HH+1 HH-3"),
        (Kind.L, 20, 0, "1:20.001 2:20 3:20 4:20.001", "L+2 L-4"),
        (Kind.L, 20, 5, "1:20 2:21 3:25 4:25.001", "L+1 L-4"),
        (Kind.LL, -20, 5, "1:-20 2:-15 3:-14.999", "LL+1 LL-3"),
        (Kind.H, 0, 0, "1:-0.0 2:-1e-300", "H+1 H-2"),
        (Kind.H, 0.3, 0.1, "1:0.3 2:0.2 3:0.19999999999999998 4:0.19999999999999996", "H+1 H-4"),
    ],
)
def test_limit(kind: Kind, setpoint: float, deadband: float, line: str, said: str) -> None:
    assert play([make_rule(kind, setpoint, deadband=deadband)], line) == said


@pytest.mark.parametrize("step", ["bad", "nan", "inf", "-inf", "?95", "?5"])
def test_what_is_no_number_or_not_judged_neither_trips_nor_clears(step: str) -> None:
    rules = [make_rule(Kind.H, 80), make_rule(Kind.L, 20)]

    assert play(rules, f"1:50 2:{step} 3:50") == ""
    assert play(rules, f"1:85 2:{step} 3:85") == "H+1"
    assert play(rules, f"1:10 2:{step} 3:10") == "L+1"


def test_uncertain_is_judged_like_good() -> None:
    assert play([make_rule(Kind.H, 80)], "1:~85 2:~50") == "H+1 H-2"


# -------------------------------------------------------------------------------------------------------------- delays

ON_DELAY = [
    ("held for exactly the delay", "1:85 6:85", "H+6"),
    ("a nanosecond is missing", "1:85 5.999999999:85", ""),
    ("by the clock, at its due time", "1:85 6:clock", "H+6"),
    ("the clock is early", "1:85 5.9:clock", ""),
    ("by the clock long after, at its due time", "1:85 9:clock", "H+6"),
    ("ended strictly before a normal sample", "1:85 6.1:50", "H+6 H-6.1"),
    ("ends with a normal sample", "1:85 6:50", ""),
    ("back to normal starts anew", "1:85 3:50 4:85 8.9:85 9:85", "H+9"),
    ("pauses while BAD and resumes", "1:85 3:bad 10:85 12.9:85 13:85", "H+13"),
    ("BAD is no end", "1:85 3:bad 10:bad 20:clock", ""),
    ("two pauses", "1:85 2:bad 10:85 12:nan 20:85 21.9:clock 22:clock", "H+22"),
    ("normal after BAD starts anew", "1:85 3:bad 10:50 11:85 15:clock 16:clock", "H+16"),
    ("ended before BAD came", "1:85 6.5:bad", "H+6"),
    ("ends as BAD comes", "1:85 6:bad 7:85", "H+7"),
    ("a retained message changes nothing", "1:85 3:?50 6:clock", "H+6"),
    ("the clock counts from the source's own time", "1<11:85 15.9:clock 16:clock", "H+6"),
    ("a future stamp counts as now", "9<1:85 5.9:clock 6:clock", "H+6"),
    ("a restart forgets nothing", "1:85 3:restart 5.9:clock 6:clock", "H+6"),
    ("a restart while BAD", "1:85 3:bad 5:restart 10:85 12.9:clock 13:clock", "H+13"),
]


@pytest.mark.parametrize(("line", "said"), [row[1:] for row in ON_DELAY], ids=[row[0] for row in ON_DELAY])
def test_on_delay_of_5_s(line: str, said: str) -> None:
    assert play([make_rule(Kind.H, 80, on_delay_s=5)], line) == said


OFF_DELAY = [
    ("past the deadband for exactly the delay", "1:85 2:50 7:50", "H+1 H-7"),
    ("by the clock", "1:85 2:50 6.9:clock 7:clock", "H+1 H-7"),
    ("a value in the deadband cancels", "1:85 2:50 4:78 5:50 9.9:clock 10:clock", "H+1 H-10"),
    ("a trip cancels", "1:85 2:50 4:85 9:85", "H+1"),
    ("ended strictly before a new trip", "1:85 2:50 7.5:85", "H+1 H-7 H+7.5"),
    ("starts anew after BAD", "1:85 2:50 4:bad 10:50 14.9:clock 15:clock", "H+1 H-15"),
    ("BAD never clears", "1:85 2:bad 60:clock", "H+1"),
    ("a retained message changes nothing", "1:85 2:50 4:?85 7:clock", "H+1 H-7"),
    ("a restart forgets nothing", "1:85 2:50 4:restart 6.9:clock 7:clock", "H+1 H-7"),
    ("a restart does not trip anew", "1:85 2:restart 3:85 4:clock", "H+1"),
]


@pytest.mark.parametrize(("line", "said"), [row[1:] for row in OFF_DELAY], ids=[row[0] for row in OFF_DELAY])
def test_off_delay_of_5_s_with_deadband_5(line: str, said: str) -> None:
    assert play([make_rule(Kind.H, 80, off_delay_s=5, deadband=5)], line) == said


STALE = [
    ("silent for exactly 3 s", "1:50 3.9:clock 4:clock", "STALE+4"),
    ("from the start", "2.9:clock 3:clock", "STALE+3"),
    ("time is when it fell silent", "1:50 60:clock", "STALE+4"),
    ("any sample clears", "1:50 5:clock 6:50", "STALE+4 STALE-6"),
    ("also a BAD one", "1:50 5:clock 6:bad", "STALE+4 STALE-6"),
    ("also a retained one", "1:50 5:clock 6:?50", "STALE+4 STALE-6"),
    ("told once", "1:50 5:clock 6:clock 7:clock", "STALE+4"),
    ("over a restart", "1:50 2:restart 4:clock", "STALE+4"),
    ("not again after a restart", "1:50 5:clock 6:restart 7:clock", "STALE+4"),
]


@pytest.mark.parametrize(("line", "said"), [row[1:] for row in STALE], ids=[row[0] for row in STALE])
def test_stale_after_3_s(line: str, said: str) -> None:
    assert play([make_rule(Kind.STALE, 3)], line) == said


STALE_IN_DELAY = [
    ("an on-delay pauses at 4 and resumes", "1:85 10:85 11.9:clock 12:clock", "H+12"),
    ("also where the clock said so", "1:85 5:clock 10:85 11.9:clock 12:clock", "STALE+4 STALE-10 H+12"),
    ("it does not end while stale", "1:85 60:clock", "STALE+4"),
    ("normal after silence starts anew", "1:85 10:50 11:85 13:85 15.9:85 16:85", "H+16"),
    ("BAD after silence pauses on", "1:85 10:bad 12:85 13.9:clock 14:clock", "H+14"),
    ("a restart while silent", "1:85 5:clock 6:restart 10:85 11.9:clock 12:clock", "STALE+4 STALE-10 H+12"),
]


@pytest.mark.parametrize(("line", "said"), [row[1:] for row in STALE_IN_DELAY], ids=[row[0] for row in STALE_IN_DELAY])
def test_stale_after_3_s_in_an_on_delay_of_5_s(line: str, said: str) -> None:
    assert play([make_rule(Kind.H, 80, on_delay_s=5), make_rule(Kind.STALE, 3)], line) == said


def test_stale_in_an_off_delay_starts_it_anew() -> None:
    rules = [make_rule(Kind.H, 80, off_delay_s=5), make_rule(Kind.STALE, 3)]

    assert play(rules, "1:85 2:50 60:50 62:50 64.9:50 65:50") == "H+1 H-65"


QUALITY = [
    ("BAD for exactly 3 s", "1:bad 4:bad", "BAD+4"),
    ("by the clock", "1:bad 3.9:clock 4:clock", "BAD+4"),
    ("another reason is still BAD", "1:bad 2:nan 3:inf 4:clock", "BAD+4"),
    ("a good one between starts anew", "1:bad 2:50 3:bad 5.9:clock 6:clock", "BAD+6"),
    ("a good one clears", "1:bad 4:clock 5:50", "BAD+4 BAD-5"),
    ("an uncertain one clears", "1:bad 4:clock 5:~50", "BAD+4 BAD-5"),
    ("a retained one clears nothing", "1:bad 4:clock 5:?50", "BAD+4"),
    ("over a restart", "1:bad 2:restart 4:clock", "BAD+4"),
]


@pytest.mark.parametrize(("line", "said"), [row[1:] for row in QUALITY], ids=[row[0] for row in QUALITY])
def test_bad_for_longer_than_3_s(line: str, said: str) -> None:
    assert play([make_rule(Kind.BAD, 3)], line) == said


RATE = [
    ("no rate before a window has passed", "1:0 2:100", ""),
    ("1 a second over 2 s", "1:0 3:2", "RATE+3"),
    ("falling counts alike", "1:0 3:-2", "RATE+3"),
    ("just below", "1:0 3:1.999", ""),
    ("steady again", "1:0 3:2 5:2 7:2", "RATE+3 RATE-5"),
    ("never over a gap of more than two windows", "1:0 5.1:100", ""),
    ("over exactly two windows", "1:0 5:4", "RATE+5"),
    ("BAD samples are no part of it", "1:0 2:bad 3:2", "RATE+3"),
    ("nor are retained ones", "1:0 2:?1000 3:0 4:0", ""),
    ("noise between neighbours is no rate", "1:0 1.5:9 3:0 3.5:9 5:0", ""),
    ("over a restart", "1:0 2:restart 3:2", "RATE+3"),
]


@pytest.mark.parametrize(("line", "said"), [row[1:] for row in RATE], ids=[row[0] for row in RATE])
def test_rate_of_1_a_second_over_2_s(line: str, said: str) -> None:
    assert play([make_rule(Kind.RATE, 1, window_s=2)], line) == said


@pytest.mark.parametrize("period_s", [0.01, 0.05, 0.3, 0.7, 1.1, 1.9])
@pytest.mark.parametrize("window_s", [1.0, 3.0, 7.0])
def test_a_steady_slope_is_found_at_any_sampling_period(period_s: float, window_s: float) -> None:
    """A ramp of 1 a second is a ramp of 1 a second, and never of 1.001."""
    steps = [n * period_s for n in range(1, round(3 * window_s / period_s) + 3)]
    line = " ".join(f"{t:.6f}:{t:.6f}" for t in steps)
    found = play([make_rule(Kind.RATE, 0.999, window_s=window_s)], line)
    is_too_sparse = period_s > 2 * window_s

    assert (found.count("+"), found.count("-")) == ((0, 0) if is_too_sparse else (1, 0))
    assert play([make_rule(Kind.RATE, 1.001, window_s=window_s)], line) == ""


# -------------------------------------------------------------------------------------------------------------- edges


def test_an_empty_scan_says_nothing() -> None:
    table = make_table(make_rule(Kind.H, 80))
    empty = np.empty(0)
    scan = Scan(
        source="s0",
        epoch=1,
        number=1,
        received_ns=at(1),
        rows=empty.astype(np.int32),
        values=empty,
        quality=empty.astype(np.uint8),
        times_ns=empty.astype(np.int64),
    )

    assert [len(part) for part in evaluate(table, Memory.fresh(table, START_NS), scan)] == [0, 0]


def test_a_tag_without_rules_is_remembered() -> None:
    table = make_table(make_rule(Kind.H, 80), tags=make_tags(2))
    memory = Memory.fresh(table, START_NS)
    evaluate(table, memory, make_scan(1, 5.0, row=1))

    assert (memory.value[1], memory.last_ns[1], memory.value_ns[1]) == (5.0, at(1), at(1))


def test_the_largest_numbers_are_only_numbers() -> None:
    rules = [make_rule(Kind.H, 80), make_rule(Kind.RATE, 1, window_s=2)]

    assert play(rules, "1:1e308 2:-1e308 3:1e308 4:1e308") == "H+1 H-2 H+3 RATE+4"


def test_a_watermark_belongs_to_its_source() -> None:
    """Another source's sample moves no delay of this one."""
    tags = make_tags(2, sources=2)
    table = make_table(make_rule(Kind.STALE, 3, tag="t0"), make_rule(Kind.STALE, 3, tag="t1"), tags=tags)
    memory = Memory.fresh(table, START_NS)
    evaluate(table, memory, make_scan(2, 1.0, row=0, received_s=4))
    changes = expire(table, memory, at(4))

    assert [table[rule].tag for rule in changes.rule] == ["t1"]
    assert memory.watermarks(at(5)).tolist() == [at(3), at(5)]


def test_the_scan_itself_is_not_changed() -> None:
    table = make_table(make_rule(Kind.H, 80))
    scan = make_scan(9, NAN, received_s=1)
    columns = [column.copy() for column in (scan.rows, scan.values, scan.quality, scan.times_ns)]
    evaluate(table, Memory.fresh(table, START_NS), scan)

    for column, was in zip((scan.rows, scan.values, scan.quality, scan.times_ns), columns, strict=True):
        np.testing.assert_array_equal(column, was)


# ------------------------------------------------------------------------------------------- what comes next, copies


def copy_of(memory: Memory, table: RuleTable) -> Memory:
    return memory.extract(table, np.arange(len(table.tags), dtype=np.int32), np.arange(len(table)))


@pytest.mark.parametrize("seed", range(6))
def test_the_next_due_time_is_when_the_clock_next_has_something_to_say(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tags = make_tags(2, 2)
    table = RuleTable(random_rules(rng, tags), tags)
    memory = Memory.fresh(table, START_NS)
    asked = 0
    for step in random_steps(rng, tags, 200):
        now_ns = step.received_ns if isinstance(step, Scan) else step
        if isinstance(step, Scan):
            evaluate(table, memory, step)
        expire(table, memory, now_ns)
        due_ns = next_due_ns(table, memory)
        if due_ns is None:
            assert len(expire(table, copy_of(memory, table), now_ns + 10**12)) == 0
            continue
        asked += 1
        assert due_ns > now_ns
        assert len(expire(table, copy_of(memory, table), due_ns - 1)) == 0
        assert len(expire(table, copy_of(memory, table), due_ns)) > 0

    assert asked > 50


@pytest.mark.parametrize("seed", range(4))
def test_a_copy_of_one_sources_part_goes_on_alike(seed: int) -> None:
    """The late lane's second memory: rows and rules are renumbered, the story is the same."""
    rng = np.random.default_rng(seed)
    tags = make_tags(9, 3)
    table = RuleTable(random_rules(rng, tags), tags)
    memory = Memory.fresh(table, START_NS)
    steps = list(random_steps(rng, tags, 600))
    for step in steps[:300]:
        _play_step(table, memory, step)

    rows = tags.rows_of_source("s1")
    rules = table.within(rows)
    local_tags = type(tags)([tags[int(row)] for row in rows])
    local_table = RuleTable([table[int(rule)] for rule in rules], local_tags)
    part = memory.extract(local_table, rows, rules)
    was = part.last_ns.copy()
    compared = 0
    for step in steps[300:]:
        if isinstance(step, Scan):
            expected = [t for t in _play_step(table, memory, step) if t[0] in local_table.index_of]
            if step.source != "s1" or len(step) == 0:
                continue
            place = np.searchsorted(rows, step.rows).astype(np.int32)
            local = make_local(step, place)
            found = _play_step(local_table, part, local)
            assert found == expected
            compared += len(found)
        else:
            expected = [t for t in _play_step(table, memory, step) if t[0] in local_table.index_of]
            assert _play_step(local_table, part, step) == expected

    assert compared > 20
    assert (part.last_ns > was).all()


def make_local(scan: Scan, rows: np.ndarray) -> Scan:
    return Scan(
        source=scan.source,
        epoch=scan.epoch,
        number=scan.number,
        received_ns=scan.received_ns,
        rows=rows,
        values=scan.values,
        quality=scan.quality,
        times_ns=scan.times_ns,
    )


def _play_step(table: RuleTable, memory: Memory, step: Scan | int) -> list[tuple[str, bool, int]]:
    found = evaluate(table, memory, step) if isinstance(step, Scan) else (expire(table, memory, step),)
    return [
        (table[rule].id, is_active, time_ns)
        for changes in found
        for rule, is_active, time_ns in zip(
            changes.rule.tolist(), changes.is_active.tolist(), changes.time_ns.tolist(), strict=True
        )
    ]
