"""Rules over several tags, states, flat lines and instrument ranges, on timelines worked out by hand."""

import numpy as np
import pytest

from alerting.core import Memory, evaluate, expire, next_due_ns
from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import Scan, TagTable
from tests.unit.alerting.core.scene import (
    BAD,
    GOOD,
    RANGE,
    RETAINED,
    SENTINEL,
    START_NS,
    TIMEOUT,
    UNCERTAIN,
    at,
    make_rule,
    make_scan,
    make_table,
    make_tags,
)

FAR = make_rule(Kind.DEVIATION, 1.0, reference="t1", on_delay_s=3)
STALE = [make_rule(Kind.STALE, 5.0), make_rule(Kind.STALE, 5.0, tag="t1")]
TWO = make_tags(2, 2)  # t0 of source s0, t1 of s1


class Play:
    """A memory and what it said, as ``kind+time`` and ``kind-time`` of all but STALE."""

    def __init__(self, *rules: Rule, tags: TagTable = TWO) -> None:
        self.tags = tags
        self.table = RuleTable(rules, tags)
        self.memory = Memory.fresh(self.table, START_NS)
        self.said: list[str] = []
        self.number = 0

    def see(self, t_s: float, value: float, quality: int = GOOD, *, row: int = 0, late_s: float = 0.0) -> "Play":
        self.number += 1
        scan = make_scan(
            t_s,
            value,
            quality,
            row=row,
            received_s=t_s + late_s,
            number=self.number,
            source=self.tags[row].source,
        )
        return self.take(scan)

    def take(self, scan: Scan) -> "Play":
        for changes in evaluate(self.table, self.memory, scan):
            self.note(changes)
        return self

    def clock(self, t_s: float) -> "Play":
        self.note(expire(self.table, self.memory, at(t_s)))
        return self

    def note(self, changes: object) -> None:
        for rule, is_active, time_ns in zip(changes.rule, changes.is_active, changes.time_ns, strict=True):  # type: ignore[attr-defined]
            kind = self.table[int(rule)].kind
            if kind is not Kind.STALE:
                self.said.append(f"{kind.name}{'+' if is_active else '-'}{(int(time_ns) - START_NS) / 1e9:g}")

    @property
    def told(self) -> str:
        return " ".join(self.said)


def test_nothing_is_judged_before_every_tag_was_seen() -> None:
    play = Play(make_rule(Kind.DEVIATION, 1.0, reference="t1"))
    play.see(1, 9).see(2, 9)
    assert play.told == ""
    assert play.see(3, 5, row=1).told == "DEVIATION+3"


def test_the_sample_of_either_tag_trips_and_clears() -> None:
    play = Play(make_rule(Kind.DEVIATION, 1.0, reference="t1", deadband=0.25))
    play.see(1, 5).see(1, 5, row=1).see(2, 6, row=1).see(3, 5.125).see(4, 5.75, row=1).see(5, 6.5, row=1).see(6, 6.5)
    assert play.told == "DEVIATION+2 DEVIATION-4 DEVIATION+5 DEVIATION-6"


def test_both_in_one_scan_are_one_instant() -> None:
    """A tank fills and both gauges rise by 2: that is no deviation, not even for a moment."""
    tags = make_tags(2, 1)
    play = Play(make_rule(Kind.DEVIATION, 1.0, reference="t1"), tags=tags)
    for second in range(1, 5):
        both = make_scan(second, 0)
        both = Scan(
            source="s0",
            epoch=1,
            number=second,
            received_ns=both.received_ns,
            rows=np.array([0, 1], np.int32),
            values=np.array([2.0 * second, 2.0 * second]),
            quality=np.zeros(2, np.uint8),
            times_ns=np.array([at(second), at(second - 0.5)], np.int64),
        )
        play.take(both)
    assert play.told == ""


@pytest.mark.parametrize("quality", [BAD | TIMEOUT, UNCERTAIN | RETAINED])
def test_a_delay_pauses_while_the_other_tag_cannot_be_relied_on(quality: int) -> None:
    play = Play(FAR, *STALE)
    play.see(1, 5, row=1).see(1, 9).see(2, 5, quality, row=1).see(4, 9).see(5, 5, row=1)
    assert play.told == "", "1 s counted before, nothing between"
    play.see(6.5, 9)
    assert play.told == ""
    assert play.see(7.5, 9).told == "DEVIATION+7"


def test_a_delay_pauses_while_the_other_tag_is_stale_and_nobody_trips_or_clears() -> None:
    play = Play(make_rule(Kind.DEVIATION, 1.0, reference="t1", on_delay_s=8), *STALE)
    play.see(1, 5, row=1)
    for second in range(1, 20):
        play.see(second, 9).clock(second + 0.5)
    assert play.told == "", "t1 fell stale at 6 s, after 5 s of the delay"
    play.see(20, 5, row=1).see(22, 9).clock(22.9)
    assert play.told == ""
    assert play.clock(23).told == "DEVIATION+23"


def test_sources_whose_clocks_differ_do_not_silence_each_other() -> None:
    """The clock of t1's source is 30 s behind; nothing of it is stale, because its own source says so."""
    play = Play(FAR, *STALE)
    for second in range(31, 40):
        play.see(second, 9)
        play.see(second - 30 + 0.5, 5, row=1, late_s=30)
    assert play.told == "DEVIATION+34", "both are known with the first of t1, at the newest time of the two: 31 s"


def test_next_due_is_the_moment_at_which_the_clock_trips() -> None:
    play = Play(FAR, *STALE).see(1, 5, row=1).see(2, 9)
    due_ns = next_due_ns(play.table, play.memory)
    assert due_ns == at(5)
    play.clock(4.999)
    assert play.told == ""
    assert play.clock(5).told == "DEVIATION+5"


@pytest.mark.parametrize(
    ("more", "values", "said"),
    [
        ({"states": (1.0, 3.0)}, (0, 1, 3, 2), "STATE+2 STATE-4"),
        ({"states": (0.5,)}, (0.5, 0.50000001), "STATE+1 STATE-2"),
        ({"mask": 6, "pattern": 2}, (2, 3, 6, 10, 4), "STATE+1 STATE-3 STATE+4 STATE-5"),
        ({"mask": 1, "pattern": 1}, (1, 0.5, 0), "STATE+1 STATE-3"),
        ({"mask": 1, "pattern": 0}, (0.5, 1e300, -1e300, 2.0**60, 1), ""),
        ({"mask": 0x8000, "pattern": 0x8000}, (-1, 0), "STATE+1 STATE-2"),
    ],
)
def test_states_and_bits(more: dict[str, object], values: tuple[float, ...], said: str) -> None:
    play = Play(make_rule(Kind.STATE, 0.0, **more))
    for second, value in enumerate(values, start=1):
        play.see(second, value)
    assert play.told == said


def test_a_deviation_beyond_every_float_is_beyond_its_setpoint() -> None:
    assert Play(make_rule(Kind.DEVIATION, 1.0, reference=-1.7e308)).see(1, 1.7e308).told == "DEVIATION+1"


def frozen(line: str, **more: object) -> str:
    """Play values of t0 by the second; ``x`` is BAD, ``_`` nothing, ``>`` and ``<`` before one: flow on and off."""
    play = Play(make_rule(Kind.FROZEN, 3.0, **{"band": 0.5, **more}), *STALE)
    for second, word in enumerate(line.split(), start=1):
        if word[0] in "<>":
            play.see(second - 0.5, float(word[0] == ">"), row=1)
        match word.lstrip("<>"):
            case "x":
                play.see(second, 0.0, BAD)
            case "_":
                play.clock(second)
            case number:
                play.see(second, float(number))
    return play.told


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1 2 2 2 2 2 3", "FROZEN+5 FROZEN-7"),
        ("1 1.5 0.5 1 2", "FROZEN+4 FROZEN-5"),
        ("1 1.5 2 2.5 3 3.5", ""),  # a creep leaves the band of its anchor again and again
        ("1 1 x 1 1 1", "FROZEN+6"),  # 1 s before, 2 s after; what touches BAD does not count
        ("1 1 _ _ _ _ _ 1 1 1", "FROZEN+10"),  # stale from 7 s on: the gap does not count
        ("1 1 _ 1", "FROZEN+4"),  # a pause shorter than stale does
        ("1 1 1 _ _", ""),  # that nothing comes is not frozen
    ],
)
def test_frozen(line: str, said: str) -> None:
    assert frozen(line) == said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (">1 1 1 1", "FROZEN+4"),
        ("<1 <1 <1 <1 <1", ""),
        (">1 1 <1 <1 >1 1 1 1", "FROZEN+6"),  # 1.5 s until the flow ends at 2.5 s; on again from 4.5 s
        (">1 1 1 1 <1 <1 2", "FROZEN+4 FROZEN-7"),  # the end of the flow proves nothing about the gauge
    ],
)
def test_frozen_while_something_flows(line: str, said: str) -> None:
    assert frozen(line, while_tag="t1", while_above=0.5) == said


@pytest.mark.parametrize(
    ("qualities", "said"),
    [
        ((RANGE, RANGE, RANGE, 0), "RANGE+3 RANGE-4"),
        ((SENTINEL, RANGE, SENTINEL, 0), "RANGE+3 RANGE-4"),
        ((TIMEOUT, TIMEOUT, TIMEOUT, 0), "BAD+3 BAD-4"),
        ((RANGE, TIMEOUT, RANGE, TIMEOUT, RANGE, 0), "RANGE+5 RANGE-6"),
    ],
)
def test_out_of_range_rings_instead_of_bad(qualities: tuple[int, ...], said: str) -> None:
    play = Play(make_rule(Kind.RANGE, 2.0), make_rule(Kind.BAD, 2.0))
    for second, reason in enumerate(qualities, start=1):
        play.see(second, 5.0, BAD | reason if reason else GOOD)
    assert play.told == said


def test_without_a_range_rule_bad_takes_everything() -> None:
    play = Play(make_rule(Kind.BAD, 2.0)).see(1, 5, BAD | RANGE).see(2, 5, BAD | TIMEOUT).see(3, 5, BAD | SENTINEL)
    assert play.told == "BAD+3"


def test_the_table_knows_who_needs_whom() -> None:
    table = make_table(
        FAR,
        make_rule(Kind.H, 5.0),
        make_rule(Kind.FROZEN, 9.0, tag="t2", while_tag="t1"),
        tags=make_tags(3, 2),
    )
    of = {
        name: [table[int(k)].id for k in table.input_rule[table.input_first[row] : table.input_first[row + 1]]]
        for row, name in enumerate(table.tags.names)
    }
    assert of == {"t0": [], "t1": ["t0.DEVIATION", "t2.FROZEN"], "t2": []}
    assert [table[int(k)].id for k in table.within(np.array([0, 2], np.int32))] == ["t0.H"]
