"""The array core says what a slow scalar oracle, written from the rules, says: for every rule, at every step."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.core import Changes, Memory, evaluate, expire
from alerting.core.memory import Phase
from alerting.model.rule import Kind, Rule, RuleTable
from edge.model import Scan, TagTable
from tests.oracle.slow_evaluate import SlowCore, Transition
from tests.unit.alerting.core.scene import START_NS, make_tags, random_rules, random_steps

#: Every kind that a random scene has.
KINDS = (
    Kind.LL, Kind.L, Kind.H, Kind.HH, Kind.RATE, Kind.STALE, Kind.BAD,
    Kind.DEVIATION, Kind.STATE, Kind.FROZEN, Kind.RANGE,
)  # fmt: skip


def by_rule(found: Iterable[Transition]) -> dict[str, list[tuple[bool, int]]]:
    """Order between rules means nothing; order within one rule does."""
    sorted_out: dict[str, list[tuple[bool, int]]] = defaultdict(list)
    for rule, is_active, time_ns in found:
        sorted_out[rule].append((is_active, time_ns))
    return dict(sorted_out)


def told(table: RuleTable, changes: Changes) -> list[Transition]:
    return [
        (table[rule].id, is_active, time_ns)
        for rule, is_active, time_ns in zip(
            changes.rule.tolist(), changes.is_active.tolist(), changes.time_ns.tolist(), strict=True
        )
    ]


def delays(memory: Memory) -> np.ndarray:
    return np.stack([memory.is_active, memory.phase, memory.since_ns, memory.elapsed_ns])


Change = Callable[[np.random.Generator, list[Rule], TagTable], list[Rule]]


def as_they_are(_rng: np.random.Generator, rules: list[Rule], _tags: TagTable) -> list[Rule]:
    return rules


def compare(
    seed: int, tags: int, sources: int, steps: int, jitter: int, change: Change = as_they_are
) -> Counter[tuple[str, bool]]:
    """Drive both over one random scene; give the number of transitions by (kind, direction)."""
    rng = np.random.default_rng(seed)
    site = make_tags(tags, sources)
    rules = change(rng, random_rules(rng, site), site)
    table = RuleTable(rules, site)
    memory = Memory.fresh(table, START_NS)
    slow = SlowCore(rules, site, START_NS)
    seen: Counter[tuple[str, bool]] = Counter()
    for step in random_steps(rng, site, steps, jitter=jitter):
        was = delays(memory)
        if isinstance(step, Scan):
            expected = slow.evaluate(step)
            found = tuple(told(table, changes) for changes in evaluate(table, memory, step))
        else:
            expected = (slow.expire(step),)
            found = (told(table, expire(table, memory, step)),)
        where = f"seed {seed}, {step.key if isinstance(step, Scan) else 'clock'}"
        assert [by_rule(part) for part in found] == [by_rule(part) for part in expected], where
        changed = (delays(memory) != was).any(axis=0)
        assert not (changed & ~memory.is_dirty).any(), f"{where}: a delay moved and nobody would write it down"
        memory.is_dirty[:] = False
        seen.update((rule.rsplit(".", 1)[1], is_active) for part in found for rule, is_active, _ in part)
    return seen


@pytest.mark.parametrize("steps", [700, pytest.param(2100, marks=pytest.mark.long)])
def test_many_tags_over_a_long_time(steps: int) -> None:
    """In the long run above 1e5 transitions; of every kind and both ways."""
    seen = compare(seed=20240229, tags=320, sources=2, steps=steps, jitter=4)

    assert seen.total() >= 47 * steps
    assert min(seen[kind.name, way] for kind in KINDS for way in (True, False)) > steps / 5


@pytest.mark.parametrize("jitter", [0, 4, 20])
@pytest.mark.parametrize("seed", range(12))
def test_few_tags_with_and_without_transit_times(seed: int, jitter: int) -> None:
    seen = compare(seed=1000 * jitter + seed, tags=6, sources=2, steps=250, jitter=jitter)

    assert seen.total() > 100


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 80), jitter=st.sampled_from([0, 1, 3, 40]))
def test_one_tag_alone(seed: int, steps: int, jitter: int) -> None:
    compare(seed=seed, tags=1, sources=1, steps=steps, jitter=jitter)


def test_the_oracle_can_disagree() -> None:
    """The comparison has teeth: an array core that forgets pauses is caught."""

    def forgetful(table: RuleTable, memory: Memory, scan: Scan) -> tuple[Changes, Changes]:
        found = evaluate(table, memory, scan)
        paused = (memory.phase == Phase.ON) & (memory.since_ns == 0)
        memory.elapsed_ns[paused] = 0
        return found

    rng = np.random.default_rng(7)
    site = make_tags(20, 2)
    rules = random_rules(rng, site)
    table = RuleTable(rules, site)
    memory, slow = Memory.fresh(table, START_NS), SlowCore(rules, site, START_NS)
    disagreed = 0
    for step in random_steps(rng, site, 400):
        if isinstance(step, Scan):
            expected = [by_rule(part) for part in slow.evaluate(step)]
            disagreed += expected != [by_rule(told(table, part)) for part in forgetful(table, memory, step)]
        else:
            slow.expire(step)
            expire(table, memory, step)

    assert disagreed > 0
