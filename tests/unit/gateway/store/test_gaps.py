"""Open gaps in the store: what is read back judges the rest of a backlog to the last bit as what was written."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from alerting.core.whole import NotFittingError
from alerting.desk import Desk
from alerting.late import Gap
from alerting.model.event import Event
from alerting.model.rule import Kind, RuleTable
from alerting.model.tier import Tier
from alerting.outcome import Outcome
from edge.model import Nature, Scan
from gateway.store import schema
from gateway.store.commit import commit
from gateway.store.engine import open_store
from gateway.store.gaps import GapRow, gap_of, gap_rows, put_gaps
from gateway.store.journal import Journal
from tests.unit.alerting.core.scene import (
    START_NS,
    S,
    at,
    make_rule,
    make_scan,
    make_tags,
    random_rules,
    random_steps,
    with_everything,
)


def again(gap: Gap, desk: Desk) -> Gap:
    """The gap as a new life reads it."""
    (row,) = gap_rows([gap])
    return gap_of(asdict(row), desk.gaps.part(gap.source))


def judged(gap: Gap, scan: Scan) -> list[Event]:
    """Judge a scan in a gap; the arrays of its memory go on."""
    return list(gap.judge(scan, "site", scan.received_ns))


@pytest.mark.parametrize("seed", range(6))
def test_a_gap_read_back_at_any_moment_judges_on_alike(seed: int) -> None:
    """All kinds, gates, schedules and expressions; written and read back after every third scan of the backlog."""
    rng = np.random.default_rng([31, seed])
    tags = make_tags(4)
    rules = with_everything(rng, random_rules(rng, tags), tags)
    if seed == 0:  # Rules that the guard knows: the copy is laid out only when it is needed.
        rules = [make_rule(kind, 0.5, tag=tag.name) for tag in tags for kind in (Kind.H, Kind.RATE, Kind.BAD)]
    desk = Desk("site", RuleTable(rules, tags), [], [], START_NS)
    scans = [step for step in random_steps(rng, tags, 260) if isinstance(step, Scan) and len(step)]
    for number, scan in enumerate(scans[:60]):
        desk.begin(scan.received_ns)
        desk.take(replace(scan, number=number + 1))
        desk.finish()
    gap = desk.gaps.open("s0", Nature.ACTUAL, desk.memory(Nature.ACTUAL), desk.alarms, at(1e6))
    assert gap is not None
    other, said = again(gap, desk), 0
    for number, scan in enumerate(scans[60:]):
        events = judged(gap, scan)
        assert judged(other, scan) == events
        said += len(events)
        if number % 3 == 0:
            other = again(other, desk)
            assert gap_rows([other])[0].content == gap_rows([gap])[0].content
    assert said > 20


def test_what_was_written_for_another_table_is_refused() -> None:
    tags = make_tags(1)
    rules = [make_rule(Kind.H, 0.5, on_delay_s=3.0), make_rule(Kind.RATE, 1.0, window_s=1.0)]
    desk = Desk("site", RuleTable(rules, tags), [], [], START_NS)
    desk.begin(at(1))
    desk.take(make_scan(1, 0.9))
    desk.finish()
    gap = desk.gaps.open("s0", Nature.ACTUAL, desk.memory(Nature.ACTUAL), {}, at(100))
    assert gap is not None
    fewer = Desk("site", RuleTable(rules[:1], tags), [], [], START_NS)
    with pytest.raises(NotFittingError):
        assert again(gap, fewer).memory
    judged(gap, make_scan(2, 0.9))
    with pytest.raises(NotFittingError):
        again(gap, fewer)


def test_gaps_count_on_and_those_that_are_closed_are_told() -> None:
    tags = make_tags(1)
    desk = Desk("site", RuleTable([make_rule(Kind.H, 0.5, tier=Tier.RED)], tags), [], [], START_NS)
    numbers = []
    for second in range(1, 11):
        desk.begin(at(2 * second))
        desk.take(make_scan(2 * second, 0.0, number=second))
        desk.open_gap("s0", Nature.ACTUAL, at(2 * second) + S)
        outcome = desk.finish()
        numbers.append(([gap.number for gap in outcome.gaps], outcome.gaps_ended))
    assert numbers == [*(([n], []) for n in range(1, 9)), ([9], [1]), ([10], [2])]
    assert [gap.number for gap in desk.gaps.open_ones()] == list(range(3, 11))


def test_a_drill_whose_gaps_end_leaves_those_of_the_site_alone(tmp_path: Path) -> None:
    """Both count from one; what is not to outlive a restart neither writes nor removes."""
    engine = open_store(f"sqlite:///{tmp_path}/register.db")
    row = GapRow(number=1, revision=1, source="s0", nature="actual", from_ns=1, to_ns=9, content=b"")
    journal = Journal(Ed25519PrivateKey.generate())
    outcome = Outcome(number=1, now_ns=at(1), gaps_ended=[1])
    with engine.begin() as connection:
        journal.load(connection)
        put_gaps(connection, [row], [])
        commit(connection, journal, outcome, (), (), (), Nature.EXERCISE)
        assert connection.scalars(select(schema.gap.c.number)).all() == [1]
        commit(connection, journal, outcome, (), (), (), Nature.ACTUAL, [])
        assert connection.scalars(select(schema.gap.c.number)).all() == []
    engine.dispose()
