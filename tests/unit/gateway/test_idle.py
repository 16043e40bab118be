"""A tick that is told without looking gives what looking at everything would have given."""

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from alerting.desk import Desk, Outcome
from alerting.model.alarm import State
from alerting.model.command import Command, Verb
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.swap import prepare
from edge.config import Source
from edge.model import Scan, Tag, TagTable
from gateway.intake import Intake
from gateway.record import Recorder
from gateway.turn import take_turn
from tests.unit.alerting.core.backends import assert_same
from tests.unit.gateway.test_quiet import SOURCES, START_NS, TAGS, S, changed, scans_of_turn, site


def told(outcome: Outcome) -> dict[str, object]:
    """Everything that a tick changed; of gaps their numbers."""
    found = {each.name: getattr(outcome, each.name) for each in fields(outcome)}
    return {**found, "gaps": [gap.number for gap in outcome.gaps]}


def orders(rng: np.random.Generator, desk: Desk, now_ns: int) -> list[Command]:
    """Now and then somebody answers an alarm, or keeps it quiet for a few seconds."""
    if rng.random() > 0.1 or not desk.alarms:
        return []
    alarm = desk.alarms[str(rng.choice(sorted(desk.alarms)))]
    base = {"alarm": alarm.key, "who": "operator", "received_ns": now_ns, "reason": "seen"}
    if rng.random() < 0.5:
        return [Command(verb=Verb.SHELVE, until_ns=now_ns + int(rng.integers(1, 5 * S)), **base)]
    return [Command(verb=Verb.ACK, seen_tier=alarm.tier, **base)] if alarm.state is State.UNACK else []


@pytest.mark.parametrize("seed", range(4))
def test_idle_ticks_change_nothing_else(seed: int) -> None:
    """Quarters of a second, most of them empty; delays, silence, gates, schedules, shelves fall due, rules change."""
    table, sources, units = site(gated=seed % 2 == 1)
    desks = [Desk("site", table, units, [], START_NS) for _ in range(2)]
    intakes = [Intake(sources, table.tags) for _ in desks]
    rng = np.random.default_rng(seed)
    level = rng.uniform(45, 55, SOURCES * TAGS)
    numbers: dict[str, int] = {}
    now_ns, idle, events_alone = START_NS, 0, 0
    pace = (0.15, 0.5)[seed % 2]
    for _ in range(450):
        now_ns += S // 4
        level = np.clip(level + rng.normal(0, 1.0, len(level)), 30, 80)
        scans = scans_of_turn(rng, now_ns, numbers, level) if rng.random() < pace else []
        commands = orders(rng, desks[0], now_ns)
        after = changed(rng, desks[0].table, table) if rng.random() < 0.01 and seed >= 2 else None
        swaps = [None if after is None else prepare(desk.table, after, desk.memories, 2) for desk in desks]
        looked = take_turn(desks[1], intakes[1], scans, commands, now_ns, swap=swaps[1]).outcome
        quick = None if scans or commands or after is not None else desks[0].idle(now_ns)
        if quick is None:
            quick = take_turn(desks[0], intakes[0], scans, commands, now_ns, swap=swaps[0]).outcome
        else:
            idle += 1
            assert looked.is_empty
        assert told(quick) == told(looked)
        events_alone += bool(looked.events and not scans and not commands)
    assert idle > 10
    assert events_alone > 5
    for nature, memory in desks[0].memories.items():
        assert_same(memory, desks[1].memories[nature], nature)


def test_a_delay_that_pauses_in_silence_is_committed_in_the_tick_of_the_pause() -> None:
    """The rule for silence is disabled, so nothing else makes that tick a busy one."""
    tags = TagTable([Tag(name="t", source="s"), Tag(name="works", source="s")])
    rules = [
        Rule(id="t.H", tag="t", kind=Kind.H, setpoint=1.0, tier=Tier.YELLOW, on_delay_s=60.0),
        Rule(
            id="t.STALE", tag="t", kind=Kind.STALE, setpoint=3.0, tier=Tier.BLUE, enable="works > 0",
            enable_asked=("works",),
        ),
    ]  # fmt: skip
    desks = [Desk("site", RuleTable(rules, tags), [], [], START_NS) for _ in range(2)]
    intakes = [Intake((Source(id="s", protocol="mqtt", silent_after_s=4.0),), tags) for _ in desks]
    scan = Scan(
        source="s", epoch=1, number=1, received_ns=START_NS + S, rows=np.arange(2, dtype=np.int32),
        values=np.array([2.0, 0.0]), quality=np.zeros(2, np.uint8), times_ns=np.full(2, START_NS + S),
    )  # fmt: skip
    for desk, intake in zip(desks, intakes, strict=True):
        take_turn(desk, intake, [scan], [], START_NS + S)
    committed, idle = [], 0
    for quarter in range(1, 40):
        now_ns = START_NS + S + quarter * S // 4
        looked = take_turn(desks[1], intakes[1], [], [], now_ns).outcome
        quick = desks[0].idle(now_ns)
        idle += quick is not None
        quick = quick or take_turn(desks[0], intakes[0], [], [], now_ns).outcome
        assert told(quick) == told(looked)
        committed += [quarter] * bool(looked.delays)
    assert committed == [12]
    assert idle == 38


def test_a_recording_tells_an_idle_tick_in_the_words_of_any_other(tmp_path: Path) -> None:
    table, sources, units = site(gated=False)
    desk = Desk("site", table, units, [], START_NS)
    recorder = Recorder(tmp_path / "recording.jsonl", desk, Intake(sources, table.tags), "r1")
    outcome = Outcome(number=7, now_ns=START_NS + 1)
    recorder.tick((), (), outcome)
    recorder.idle(outcome)
    recorder.close()
    _, looked, quick = (tmp_path / "recording.jsonl").read_bytes().splitlines()
    assert quick == looked


def test_a_rough_moment_is_never_after_the_one_that_counts() -> None:
    table, sources, units = site(gated=True)
    desk, intake = Desk("site", table, units, [], START_NS), Intake(sources, table.tags)
    rng, numbers, now_ns = np.random.default_rng(5), dict[str, int](), START_NS
    level = rng.uniform(45, 55, SOURCES * TAGS)
    earlier = 0
    for _ in range(60):
        now_ns += S
        take_turn(desk, intake, scans_of_turn(rng, now_ns, numbers, level), [], now_ns)
        rough, exact = desk.next_due_ns(is_rough=True), desk.next_due_ns()
        assert rough is not None
        assert exact is None or rough <= exact
        earlier += exact is None or rough < exact
    assert earlier, "it is worked out sooner because it may be too early"
