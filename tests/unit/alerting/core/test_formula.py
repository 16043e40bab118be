"""EXPRESSION rules at the desk: delays, silence, bad quality, several sources, restart, and the sentence."""

import numpy as np
import pytest

from alerting.core import Changes, Memory, evaluate, expire, next_due_ns
from alerting.core.guard import Guard
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.push.words import clause
from edge.model import Scan, Tag, TagTable
from tests.unit.alerting.core.backends import assert_same
from tests.unit.alerting.core.drive import Drive
from tests.unit.alerting.core.scene import BAD, RETAINED, START_NS, TIMEOUT, UNCERTAIN, at, make_rule, make_scan

NAN = float("nan")
TAGS = TagTable(
    [
        Tag(name="level", source="s0", unit="u", eu="m"),
        Tag(name="flow", source="s1", unit="u", eu="m3/h"),
        Tag(name="stop", source="s0", unit="u"),
    ]
)
ROW = {"level": 0, "flow": 1, "stop": 2}


def asked(when: str, *tags: str, **more: object) -> Rule:
    return Rule(  # type: ignore[arg-type]
        id=f"{tags[0]}.EXPRESSION",
        tag=tags[0],
        kind=Kind.EXPRESSION,
        setpoint=NAN,
        tier=Tier.ORANGE,
        when=when,
        asked=tags,
        **more,
    )


class Core:
    """Table and memory driven by hand; ``did`` gives what changed, in seconds after the start."""

    def __init__(self, *rules: Rule) -> None:
        self.table = RuleTable(rules, TAGS)
        self.memory = Memory.fresh(self.table, START_NS)
        self.number = 0

    def sample(
        self, t_s: float, tag: str, value: float, quality: int = 0, received_s: float | None = None
    ) -> list[tuple[str, bool, float]]:
        self.number += 1
        scan = make_scan(
            t_s,
            value,
            quality,
            row=ROW[tag],
            source=TAGS[ROW[tag]].source,
            number=self.number,
            received_s=received_s,
        )
        before, after = evaluate(self.table, self.memory, scan)
        return self.told(before) + self.told(after)

    def clock(self, t_s: float) -> list[tuple[str, bool, float]]:
        return self.told(expire(self.table, self.memory, at(t_s)))

    def told(self, changes: object) -> list[tuple[str, bool, float]]:
        columns = zip(changes.rule.tolist(), changes.is_active.tolist(), changes.time_ns.tolist(), strict=True)  # type: ignore[attr-defined]
        return [(self.table[rule].kind.name, active, (time_ns - START_NS) / 1e9) for rule, active, time_ns in columns]


BOTH = "level > 4.5 and flow > 0 for 10 s"


def test_both_for_ten_seconds() -> None:
    core = Core(asked(BOTH, "level", "flow", on_delay_s=10))
    assert core.sample(1, "level", 5.0) == []
    assert core.sample(2, "flow", 3.0) == []
    assert core.clock(11.9) == []
    assert core.clock(12) == [("EXPRESSION", True, 12.0)]
    assert core.sample(13, "flow", 0.0) == [("EXPRESSION", False, 13.0)]


def test_a_delay_that_ended_before_a_sample_has_ended() -> None:
    core = Core(asked(BOTH, "level", "flow", on_delay_s=10))
    core.sample(1, "level", 5.0)
    core.sample(2, "flow", 3.0)
    assert core.sample(30, "level", 1.0) == [("EXPRESSION", True, 12.0), ("EXPRESSION", False, 30.0)]


def test_unknown_pauses_the_delay_and_never_clears() -> None:
    core = Core(asked(BOTH, "level", "flow", on_delay_s=10, off_delay_s=5))
    core.sample(1, "level", 5.0)
    core.sample(2, "flow", 3.0)
    assert core.sample(7, "flow", NAN, BAD | TIMEOUT) == []
    assert core.clock(100) == []
    assert core.sample(101, "flow", 3.0) == []
    assert core.clock(105.9) == []
    assert core.clock(106) == [("EXPRESSION", True, 106.0)]
    core.sample(110, "level", 4.0)
    core.sample(112, "level", NAN)
    assert core.clock(200) == []
    core.sample(201, "level", 4.0)
    assert core.clock(205.9) == []
    assert core.clock(206) == [("EXPRESSION", False, 206.0)]


def test_decided_by_the_other_side_although_one_tag_is_bad() -> None:
    core = Core(asked("level > 4.5 or flow > 0", "level", "flow"))
    core.sample(1, "flow", NAN, BAD | TIMEOUT)
    assert core.sample(2, "level", 5.0) == [("EXPRESSION", True, 2.0)]
    assert core.sample(3, "level", 4.0) == []  # false or unknown
    assert core.sample(4, "flow", 0.0) == [("EXPRESSION", False, 4.0)]


def test_retained_is_not_judged() -> None:
    core = Core(asked("level > 4.5", "level"))
    assert core.sample(1, "level", 9.0, UNCERTAIN | RETAINED) == []
    assert core.sample(2, "level", 9.0) == [("EXPRESSION", True, 2.0)]


def test_a_stale_tag_makes_unknown_and_can_be_asked() -> None:
    stale = make_rule(Kind.STALE, 5.0, tag="flow")
    core = Core(asked("level > 4.5 and flow > 0", "level", "flow", on_delay_s=10), stale)
    core.sample(1, "level", 5.0)
    core.sample(2, "flow", 3.0)
    assert core.clock(60) == [("STALE", True, 7.0)]
    assert core.sample(61, "flow", 3.0) == [("STALE", False, 61.0)]
    assert core.clock(65.9) == []
    assert sorted(core.clock(66)) == [("EXPRESSION", True, 66.0), ("STALE", True, 66.0)]  # held until just then

    silent = Core(asked("is_stale(flow) and level > 4.5", "flow", "level"), stale)
    silent.sample(1, "level", 5.0)
    silent.sample(2, "flow", 3.0)
    assert sorted(silent.clock(6.9)) == []
    assert sorted(silent.clock(7)) == [("EXPRESSION", True, 7.0), ("STALE", True, 7.0)]
    assert sorted(silent.sample(8, "flow", 3.0)) == [("EXPRESSION", False, 8.0), ("STALE", False, 8.0)]


def test_a_bad_tag_can_be_asked() -> None:
    core = Core(asked("is_bad(flow) and level > 4.5", "flow", "level", on_delay_s=2))
    core.sample(1, "level", 5.0)
    core.sample(2, "flow", NAN, BAD | TIMEOUT)
    assert core.clock(4) == [("EXPRESSION", True, 4.0)]


def test_inner_times_fall_due_without_a_sample() -> None:
    core = Core(asked("(level > 4.5 for 3 s) and not (flow > 0 for 6 s)", "level", "flow"))
    core.sample(1, "flow", 1.0)
    core.sample(1.5, "level", 5.0)
    due_ns = next_due_ns(core.table, core.memory)
    assert due_ns == at(4.5)
    assert core.clock(4.5) == [("EXPRESSION", True, 4.5)]
    assert next_due_ns(core.table, core.memory) == at(7)
    assert core.clock(100) == [("EXPRESSION", False, 7.0)]
    assert next_due_ns(core.table, core.memory) is None


def test_looked_at_late_gives_the_same_events() -> None:
    core = Core(asked("(level > 4.5 for 3 s) and not (flow > 0 for 6 s)", "level", "flow"))
    core.sample(1, "flow", 1.0)
    core.sample(1.5, "level", 5.0)
    assert core.clock(100) == [("EXPRESSION", True, 4.5), ("EXPRESSION", False, 7.0)]


def test_edges_leave_their_window_by_the_clock() -> None:
    core = Core(asked("count(level > 4, 10 s) >= 2", "level"))
    for second, value in enumerate([1.0, 5.0, 1.0, 5.0], start=1):
        changed = core.sample(second, "level", value)
    assert changed == [("EXPRESSION", True, 4.0)]
    assert core.clock(50) == [("EXPRESSION", False, 12.0)]


def test_two_sources_whose_clocks_differ() -> None:
    """The flow's source lags by 3 s; silence of the flow is counted by its own clock."""
    stale = make_rule(Kind.STALE, 5.0, tag="flow")
    core = Core(asked("level > 4.5 and flow > 0", "level", "flow"), stale)
    core.sample(1, "level", 5.0)
    assert core.sample(-1, "flow", 3.0, received_s=2) == [("EXPRESSION", True, 1.0)]
    core.sample(6.5, "level", 4.0)  # by its source's clock the flow was at 3.5 s then: not stale
    assert not core.memory.is_active[core.table.index_of["level.EXPRESSION"]]


def test_everything_that_is_remembered_survives() -> None:
    rules = (asked("(level > 4 for 3 s) and count(level > 4, 60 s) >= 1 and rate(level, 1 s) >= 0", "level"),)
    core = Core(*rules)
    for second, value in enumerate([1.0, 5.0, 5.0], start=1):
        core.sample(second, "level", value)
    other = Memory.fresh(core.table, START_NS)
    assert other.formulas != core.memory.formulas
    other.formulas.thaw(core.memory.formulas.freeze())
    assert other.formulas == core.memory.formulas

    changed = RuleTable((asked("level > 4 for 3 s", "level", on_delay_s=3),), TAGS)
    fresh = Memory.fresh(changed, START_NS)
    fresh.formulas.thaw(core.memory.formulas.freeze())
    assert fresh.formulas == Memory.fresh(changed, START_NS).formulas


def test_division_by_zero_is_told_once_a_minute() -> None:
    core = Core(asked("level / flow > 2", "level", "flow"))
    core.sample(1, "level", 5.0)
    core.sample(2, "flow", 0.0)
    (told,) = core.memory.formulas.news()
    assert told == {"rule": 0, "reason": "division", "part": "level / flow", "time_ns": at(2)}
    assert core.memory.formulas.doubts(0) == ("division", "level / flow")
    core.sample(3, "flow", 0.0)
    assert core.memory.formulas.news() == []
    core.sample(4, "flow", 1.0)
    assert core.memory.formulas.doubts(0) is None
    core.sample(70, "flow", 0.0)
    assert len(core.memory.formulas.news()) == 1


def test_it_says_which_parts_were_true() -> None:
    rule = asked("level > 4.5 and (flow > 0 or stop == 1) for 2 s", "level", "flow", "stop", on_delay_s=2)
    drive = Drive(rule, tags=TAGS)
    drive.sample(1, 4.62, row=0).sample(1.5, 12.1, row=1)
    drive.tick(4)
    facts = drive.event_of("raised").cause
    assert clause(facts, "en") == (
        "level > 4.5 and (flow > 0 or stop == 1) for 2 s: true level > 4.5 (4.62 m), flow > 0 (12.1 m3/h); "
        "unknown stop == 1 (?)"
    )
    assert clause(facts, "zh") == (
        "条件 level > 4.5 and (flow > 0 or stop == 1) for 2 s: 成立 level > 4.5 (4.62 m), flow > 0 (12.1 m3/h); "
        "未知 stop == 1 (?)"
    )
    drive.sample(5, 4.0, row=0)
    facts = drive.event_of("returned").cause
    assert clause(facts, "en").startswith(f"{rule.when} is over: true flow > 0")
    assert clause(facts, "zh").startswith(f"条件 {rule.when} 不再成立: 成立 flow > 0")
    assert "not true level > 4.5 (4 m)" in clause(facts, "en")
    assert drive.alarm.setpoint is None


def test_a_delay_that_is_not_in_the_text_is_said_too() -> None:
    facts = {"kind": "EXPRESSION", "when": "a - b > 1", "on_delay_s": 5.0, "parts": []}
    assert clause(facts, "en") == "a - b > 1 for 5 s"
    assert clause(facts, "zh") == "条件 a - b > 1，持续 5 秒"


def test_late_data_are_judged_in_a_memory_of_their_own() -> None:
    """A copy for a gap takes over what its rules remember."""
    core = Core(asked("level > 4 and stop == 0 for 5 s", "level", "stop", on_delay_s=5))
    core.sample(1, "stop", 0.0)
    core.sample(2, "level", 5.0)
    rows = TAGS.rows_of_source("s0")
    rules = core.table.within(rows)
    part_tags = TagTable([TAGS[int(row)] for row in rows])
    part = RuleTable([core.table[int(k)] for k in rules], part_tags)
    memory = core.memory.extract(part, rows, rules)
    scan = Scan(
        source="s0",
        epoch=1,
        number=9,
        received_ns=at(9),
        rows=np.array([0], np.int32),
        values=np.array([5.0]),
        quality=np.zeros(1, np.uint8),
        times_ns=np.array([at(8)], np.int64),
    )
    before, _ = evaluate(part, memory, scan)
    assert before.time_ns.tolist() == [at(7)]
    assert not core.memory.is_active.any()


@pytest.mark.parametrize("steps", [1, 7, 50])
def test_clock_readings_in_between_change_nothing(steps: int) -> None:
    """The same samples give the same events however often the clock is read in between."""
    rng = np.random.default_rng(5)
    samples = sorted(
        (float(t), str(rng.choice(["level", "flow"])), float(rng.choice([0.0, 5.0, 5.0])))
        for t in rng.choice(np.arange(1, 400), 150, replace=False)
    )
    rules = (
        asked("(level > 4 for 3 s) and count(flow > 0, 20 s) >= 1", "level", "flow", on_delay_s=2, off_delay_s=1),
        make_rule(Kind.STALE, 9.0, tag="flow"),
    )
    seen = []
    core, was = Core(*rules), 0.0
    for t_s, tag, value in samples:
        for step in range(1, steps):
            seen += core.clock(was + (t_s - was) * step / steps)
        seen += core.sample(t_s, tag, value)
        was = t_s
    expected_core, expected = Core(*rules), []
    for t_s, tag, value in samples:
        expected += expected_core.clock(t_s - 1e-6)
        expected += expected_core.sample(t_s, tag, value)
    events = [event for event in seen if event[0] == "EXPRESSION"]
    assert len(events) > 5
    assert events == [event for event in expected if event[0] == "EXPRESSION"]


def test_what_was_compared_is_told_where_it_was_calculated() -> None:
    rule = asked("count(flow > 0, 1 min) >= 1 and level - 1 > -stop and not bit(stop, 2)", "level", "flow", "stop")
    drive = Drive(rule, tags=TAGS)
    drive.sample(1, 0.0, row=1).sample(2, 4.0, row=0).sample(3, 3.0, row=2).sample(4, 7.0, row=1)
    assert clause(drive.event_of("raised").cause, "en") == (
        f"{rule.when}: true count(flow > 0, 1 min) >= 1 (1), level - 1 > -stop (level - 1 3, -stop -3); "
        "not true bit(stop, 2) (3)"
    )


def test_a_rule_that_falls_out_of_judgement_by_itself_is_said_in_the_journal() -> None:
    drive = Drive(asked("level / flow > 2", "level", "flow"), tags=TAGS)
    drive.sample(1, 5.0, row=0).sample(2, 0.0, row=1)
    assert drive.outcome.remarks == [
        {
            "kind": "rule_not_judged",
            "nature": "actual",
            "rule": "level.EXPRESSION",
            "reason": "division",
            "part": "level / flow",
            "time_ns": at(2),
        }
    ]


@pytest.mark.parametrize("seed", range(3))
def test_a_scan_that_changes_neither_quality_nor_silence_passes_and_leaves_what_judging_leaves(seed: int) -> None:
    """Two sources at their own pace, gaps, bad samples; one memory believes the guard, the other never asks it."""
    when = "is_stale(level) or is_stale(flow) and quality(stop) == 'BAD'"
    rules = (
        asked(when, "level", "flow", "stop", on_delay_s=2.0),
        *(make_rule(Kind.STALE, 3.0, tag=tag) for tag in ROW),
    )
    table = RuleTable(rules, TAGS)
    memories = [Memory.fresh(table, START_NS) for _ in range(2)]
    rng, told, changed = np.random.default_rng(seed), np.zeros(2, dtype=np.int64), 0
    guard = Guard(table)
    for step in range(1, 400):
        now = float(step)
        for tag, pace in (("level", 0.9), ("flow", 0.6), ("stop", 0.8)):
            if rng.random() > pace:
                continue
            quality = BAD if rng.random() < 0.03 else 0
            source = TAGS[ROW[tag]].source
            scan = make_scan(now, 1.0, quality, row=ROW[tag], source=source, number=step * 3 + ROW[tag])
            if scan.times_ns[0] <= memories[0].last_ns[ROW[tag]]:
                continue
            quiet = guard.sift(memories[0], scan)
            told += (int(quiet.all()), 1)
            found = [evaluate(table, memories[0], scan, quiet), evaluate(table, memories[1], scan)]
            guard.refresh(memories[0], scan.rows)
            same(found[0], found[1])
            changed += len(found[0][0]) + len(found[0][1])
        ended = [expire(table, memory, at(now + 0.5)) for memory in memories]
        guard.close(table.row[ended[0].rule])
        same((ended[0],), (ended[1],))
        changed += len(ended[0])
        assert_same(memories[0], memories[1], step)
    assert told[0] > told[1] // 2, "most scans are quiet"
    assert changed > 20


def same(one: tuple[Changes, ...], other: tuple[Changes, ...]) -> None:
    for left, right in zip(one, other, strict=True):
        assert left.rule.tolist() == right.rule.tolist()
        assert left.is_active.tolist() == right.is_active.tolist()
        assert left.time_ns.tolist() == right.time_ns.tolist()
