"""A desk that is stopped at any tick and built anew from what was kept goes on as if nothing had happened."""

import copy
from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.core import Memory
from alerting.desk import Desk, Outcome
from alerting.model.alarm import State, Suppression, digest
from alerting.model.command import Command, Verb
from alerting.model.event import What
from alerting.model.flood import Ring, flood_of
from alerting.model.rule import RuleTable
from alerting.model.tier import Tier
from alerting.model.tiering import Tiering, TierLine
from alerting.model.unit import HazardUnit
from alerting.response.task import TaskTemplate
from edge.model import Nature, Scan, TagTable
from tests.unit.alerting.core.drive import SITE
from tests.unit.alerting.core.scene import START_NS, S, make_tags, pick, random_rules, random_steps

UNITS = [HazardUnit(id=f"u{n}", kind="tank") for n in range(3)]
STEPS = [
    TaskTemplate(kind="*", tier=tier, title={"en": f"step {tier.name}"}, owner="operator", within_s=60)
    for tier in (Tier.BLUE, Tier.YELLOW, Tier.ORANGE)
]
POLICY = Tiering(
    lines=(
        TierLine(tier=Tier.RED, kinds=("HH",), for_s=4.0, lower_after_s=3.0),
        TierLine(tier=Tier.RED, count=3, tier_least=Tier.YELLOW, lower_after_s=7.0),
        TierLine(tier=Tier.ORANGE, count=2, for_s=2.5, lower_after_s=0.0),
        TierLine(unit="u0", lower_after_s=1.0),
    ),
    lower_after_s=5.0,
)
#: Clock reading, scans, commands.
Tick = tuple[int, list[Scan], list[Command]]


def make_ticks(rng: np.random.Generator, tags: TagTable, table: RuleTable, steps: int) -> list[Tick]:
    """Give ticks of scans, with commands for alarms by key, now and then of an exercise."""
    keys = [digest(SITE, "actual", *alarm) for alarm in table.alarms]
    ticks: list[Tick] = []
    scans: list[Scan] = []
    for step in random_steps(rng, tags, steps):
        now_ns = step.received_ns if isinstance(step, Scan) else step
        if isinstance(step, Scan):
            scans.append(replace(step, nature=Nature.EXERCISE) if rng.random() < 0.1 else step)
        if isinstance(step, Scan) and rng.random() < 0.6:
            continue
        commands = [
            Command(
                verb=pick(rng, (Verb.ACK, Verb.ACK, Verb.ACK, *Verb)),
                alarm=pick(rng, keys),
                who="Li",
                received_ns=now_ns,
                reason=pick(rng, ("work", "work", "")),
                until_ns=now_ns + int(rng.random() * 30 * S),
            )
            for _ in range(int(rng.random() * 4))
        ]
        ticks.append((now_ns, scans, commands))
        scans = []
    return ticks


def run(desk: Desk, ticks: Sequence[Tick]) -> list[Outcome]:
    outcomes = []
    for now_ns, scans, commands in ticks:
        desk.begin(now_ns)
        for scan in scans:
            desk.take(scan)
        for command in commands:
            desk.obey(command)
        outcomes.append(desk.finish())
    return outcomes


def rungs(outcomes: Sequence[Outcome]) -> list[tuple[Nature, Ring]]:
    """Give what a flood counts, as the journal tells it."""
    return [
        (
            event.nature,
            Ring(
                alarm=event.alarm, unit=event.unit, tag=event.tag, condition=event.condition, tier=event.tier,
                time_ns=event.time_ns, received_ns=event.received_ns,
            ),
        )
        for outcome in outcomes
        for event in outcome.events
        if event.what is What.RAISED and not event.is_late and event.suppression == Suppression.NONE
    ]  # fmt: skip


def rebuild(old: Desk, told: Sequence[Outcome], start_ns: int) -> Desk:
    """Build a desk from what is kept of the old one: alarms, open entries, tiers of units, floods, memory arrays."""
    desk = Desk(SITE, old.table, UNITS, STEPS, start_ns, tiering=POLICY)
    desk.adopt(list(old.alarms.values()), list(old.entries.values()), old.units.standings())
    desk.floods.adopt([flood_of(flood.state()) for flood in old.floods.open.values()], rungs(told))
    for nature, memory in old.memories.items():
        kept = desk.memory(nature)
        for column in fields(Memory):
            setattr(kept, column.name, copy.deepcopy(getattr(memory, column.name)))
    desk.ticks = old.ticks
    return desk


def compare(seed: int, stop: float, tags: int = 5, steps: int = 250) -> list[Outcome]:
    rng = np.random.default_rng(seed)
    site = make_tags(tags, 2)
    rules = [replace(rule, is_latching=bool(rng.random() < 0.2)) for rule in random_rules(rng, site)]
    table = RuleTable(rules, site)
    ticks = make_ticks(rng, site, table, steps)
    at_tick = int(stop * len(ticks))
    whole = Desk(SITE, table, UNITS, STEPS, START_NS, tiering=POLICY)
    expected = run(whole, ticks)
    first = Desk(SITE, table, UNITS, STEPS, START_NS, tiering=POLICY)
    told = run(first, ticks[:at_tick])
    second = rebuild(first, told, ticks[at_tick - 1][0] if at_tick else START_NS)
    del first
    found = run(second, ticks[at_tick:])

    differing = next(
        (n for n, (one, other) in enumerate(zip(found, expected[at_tick:], strict=True)) if one != other), None
    )
    assert differing is None, f"tick {differing} after the stop"  # Not whole lists: telling them apart takes minutes.
    assert (second.alarms, second.entries, second.key_of_id) == (whole.alarms, whole.entries, whole.key_of_id)
    return expected


@settings(max_examples=12, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**32 - 1), stop=st.floats(0, 0.99))
def test_stopped_at_a_random_tick(seed: int, stop: float) -> None:
    compare(seed, stop)


@pytest.fixture(scope="module")
def long_run() -> list[Outcome]:
    return compare(seed=99, stop=0.5, tags=12, steps=1500)


def test_the_long_run_has_seen_everything(long_run: list[Outcome]) -> None:
    """So that the comparison above compares something."""
    seen = {event.what.value for outcome in long_run for event in outcome.events}

    assert seen >= {
        "raised", "escalated", "lowered", "returned", "realarmed", "acknowledged", "cleared", "shelved", "unshelved",
        "suppressed", "unsuppressed", "unit_raised", "unit_lowered",
    }  # fmt: skip
    assert any(answer.refused for outcome in long_run for answer in outcome.answers)
    assert {event.nature for outcome in long_run for event in outcome.events} == {Nature.ACTUAL, Nature.EXERCISE}


def test_ids_are_unique_over_a_long_run(long_run: list[Outcome]) -> None:
    ids = [event.id for outcome in long_run for event in outcome.events]
    tasks = [task.id for outcome in long_run for task in outcome.tasks]

    assert len(set(ids)) == len(ids) > 1000
    assert len(set(tasks)) == len(tasks) > 10


@pytest.mark.parametrize("seed", [1, 2])
def test_a_desk_that_ends_lets_go_of_all_with_ids_that_were_never_given(seed: int) -> None:
    """A unit whose lines hold for spans of their own falls to NONE at once, in one event."""
    rng = np.random.default_rng(seed)
    site = make_tags(12, 2)
    table = RuleTable(random_rules(rng, site), site)
    desk = Desk(SITE, table, UNITS, STEPS, START_NS, tiering=POLICY)
    ticks = make_ticks(rng, site, table, 150)
    told = run(desk, ticks)
    over = desk.end_all(ticks[-1][0] + S, "the drill is over")

    ids = [event.id for outcome in (*told, over) for event in outcome.events]
    assert len(set(ids)) == len(ids)
    assert {alarm.state for alarm in desk.alarms.values()} == {State.NORMAL}
    assert all(entry.closed_ns for entry in over.entries.values())
    by_unit = [(event.nature, event.unit) for event in over.events if event.what is What.UNIT_LOWERED]
    assert by_unit, "some unit falls"
    assert {unit for unit, tier in over.units.items() if tier is not Tier.NONE} == set()


def test_each_entry_and_alarm_follows_its_grammar(long_run: list[Outcome]) -> None:
    """An alarm rings first and ends last; a unit's tier in its events is a walk without jumps from nowhere."""
    open_alarms: set[str] = set()
    tiers: dict[tuple[Nature, str], str] = {}
    for outcome in long_run:
        for event in outcome.events:
            if not event.alarm_key:
                assert event.cause["from"] == tiers.get((event.nature, event.unit), "NONE")
                tiers[event.nature, event.unit] = event.tier.name
            elif event.what == "raised":
                open_alarms.add(event.alarm)
            elif event.what in ("escalated", "lowered", "changed", "returned", "realarmed", "acknowledged"):
                assert event.alarm in open_alarms, event
            elif event.what == "cleared":
                open_alarms.remove(event.alarm)
        closed = {entry.id for entry in outcome.entries.values() if entry.closed_ns}
        assert all(entry.tier is Tier.NONE for entry in outcome.entries.values() if entry.id in closed)


def test_an_exercise_changes_nothing_actual(long_run: list[Outcome]) -> None:
    """The same run without its exercise scans says the same about the plant."""
    rng = np.random.default_rng(5)
    site = make_tags(6, 2)
    table = RuleTable(random_rules(rng, site), site)
    ticks = make_ticks(rng, site, table, 400)
    plain = [(now, [s for s in scans if s.nature is Nature.ACTUAL], commands) for now, scans, commands in ticks]

    def actual(outcomes: list[Outcome]) -> list[object]:
        return [[e for e in outcome.events if e.nature is Nature.ACTUAL] for outcome in outcomes]

    mixed = actual(run(Desk(SITE, table, UNITS, STEPS, START_NS), ticks))
    alone = actual(run(Desk(SITE, table, UNITS, STEPS, START_NS), plain))

    assert mixed == alone
    assert sum(map(len, alone)) > 100  # type: ignore[arg-type]
