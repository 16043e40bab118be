"""Rules change in flight: the array core with swaps says what the slow oracle says that is told the same changes."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from multiprocessing import get_context

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.core import Memory, evaluate, expire
from alerting.core.swap import carry, compare, judge_anew
from alerting.model.drift import Drift
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Scan
from tests.oracle.slow_evaluate import SlowCore
from tests.unit.alerting.core.scene import (
    START_NS,
    change_everything,
    change_rules,
    make_tags,
    random_rules,
    random_steps,
    with_everything,
)
from tests.unit.alerting.core.test_oracle import by_rule, delays, told

SWAPS = 0.25  # of the clock readings
MANY = 100_000  # scans of the long comparison, over scenes of ``LEAN`` scans each; 60 s on two idle processors
FEWER = 16_000  # of these, on each change
LEAN = 500
SHARES = 2  # processes


def drive(
    seed: int,
    *,
    tags: int,
    steps: int,
    jitter: int = 4,
    share: float = 0.3,
    swaps: float = SWAPS,
    kept: float = 1.0,
    is_whole: bool = False,
) -> Counter[str]:
    """Drive both over one random scene with swaps; give how much happened.

    Args:
        share: Of the rules that a swap changes.
        swaps: Of the clock readings that end with a swap.
        is_whole: With DRIFTs, EXPRESSIONs, enable-conditions and schedules.
        kept: Of the rules that the scene begins with; fewer are quicker.
    """
    rng = np.random.default_rng(seed)
    site = make_tags(tags, min(tags, 2))
    rules = [rule for rule in random_rules(rng, site) if kept == 1.0 or rng.random() < kept]
    rules = with_everything(rng, rules, site) if is_whole else rules
    change = change_everything if is_whole else change_rules
    table = RuleTable(rules, site)
    memory, slow = Memory.fresh(table, START_NS), SlowCore(rules, site, START_NS)
    seen: Counter[str] = Counter()
    for step in random_steps(rng, site, steps, jitter=jitter):
        was = delays(memory)
        if isinstance(step, Scan):
            expected = slow.evaluate(step)
            found = tuple(told(table, changes) for changes in evaluate(table, memory, step))
            seen["scans"] += 1
        else:
            expected = (slow.expire(step),)
            found = (told(table, expire(table, memory, step)),)
        where = f"seed {seed}, {step.key if isinstance(step, Scan) else 'clock'}"
        assert [by_rule(part) for part in found] == [by_rule(part) for part in expected], where
        changed = (delays(memory) != was).any(axis=0)
        assert not (changed & ~memory.is_dirty).any(), f"{where}: a delay moved and nobody would write it down"
        seen["transitions"] += sum(map(len, found))
        if isinstance(step, Scan) or rng.random() >= swaps:
            continue
        rules = change(rng, rules, site, share)
        exchange = compare(table, RuleTable(rules, site))
        memory = carry(exchange, memory, Memory.fresh(exchange.new, 0))
        table = exchange.new
        was, memory.is_dirty[:] = delays(memory), False
        swapped = told(table, judge_anew(table, memory, exchange.judged, step))
        assert by_rule(swapped) == by_rule(slow.swap(rules, step)), f"{where}: swap"
        assert not ((delays(memory) != was).any(axis=0) & ~memory.is_dirty).any(), f"{where}: swap, not written down"
        seen["swaps"] += 1
        seen["by swap"] += len(swapped)
    return seen


@pytest.mark.parametrize("jitter", [0, 4, 20])
@pytest.mark.parametrize("seed", range(6))
def test_few_tags_with_swaps(seed: int, jitter: int) -> None:
    seen = drive(1000 * jitter + seed, tags=6, steps=150, jitter=jitter)

    assert seen["transitions"] > 50
    assert seen["swaps"] >= 4


@pytest.mark.parametrize("jitter", [0, 6, 20])
@pytest.mark.parametrize("seed", range(3))
def test_few_tags_with_every_kind_gates_and_schedules(seed: int, jitter: int) -> None:
    seen = drive(3000 * jitter + seed, tags=4, steps=150, jitter=jitter, is_whole=True)

    assert seen["transitions"] > 50
    assert seen["swaps"] >= 4


@pytest.mark.parametrize(("seed", "jitter"), [(48_015, 6), (160_024, 20)])
def test_what_was_told_to_be_stale_is_not_told_once_more_by_a_faster_clock(seed: int, jitter: int) -> None:
    """An expression would count from that moment, and say of an older sample that it came later."""
    assert drive(seed, tags=2, steps=80, jitter=jitter, share=0.5, is_whole=True)["swaps"] >= 1


def lean_share(number: int, scans: int) -> Counter[str]:
    """Drive one process's share of the long comparison."""
    seen: Counter[str] = Counter()
    for scene in range(number, scans // LEAN, SHARES):
        whole = scene % 8 == 7
        tags, kept = (2, 0.3) if whole else (3, 0.4)
        seen += drive(500_000 + scene, tags=tags, steps=LEAN, share=0.6, swaps=0.08, kept=kept, is_whole=whole)
    return seen


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("scans", [FEWER, pytest.param(MANY, marks=pytest.mark.long)])
def test_many_scans_with_rule_changes_in_flight(scans: int) -> None:
    with ProcessPoolExecutor(SHARES, mp_context=get_context("spawn")) as pool:
        seen = sum(pool.map(partial(lean_share, scans=scans), range(SHARES)), Counter[str]())

    assert seen["scans"] == scans
    assert seen["transitions"] >= 0.3 * scans
    assert seen["swaps"] >= 0.02 * scans
    assert seen["by swap"] >= 0.003 * scans


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 60), share=st.sampled_from([0.1, 0.5, 1.0]))
def test_one_tag_alone(seed: int, steps: int, share: float) -> None:
    drive(seed, tags=1, steps=steps, share=share)


@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 60), jitter=st.sampled_from([0, 4, 40]))
def test_two_tags_with_every_kind_gates_and_schedules(seed: int, steps: int, jitter: int) -> None:
    drive(seed, tags=2, steps=steps, jitter=jitter, share=0.5, is_whole=True)


def test_a_changed_drift_that_rings_goes_on_ringing_until_it_has_learnt_anew() -> None:
    """What has seen nothing yet says nothing: it neither trips nor lets go at the swap."""
    site = make_tags(1, 1)
    drift = Drift(season="none", span_s=1.0, base_s=4.0, warm_up_s=2.0)
    rule = Rule(id="t0.DRIFT", tag="t0", kind=Kind.DRIFT, setpoint=2.0, tier=Tier.BLUE, drift=drift)
    table = RuleTable([rule], site)
    memory = Memory.fresh(table, START_NS)
    memory.is_active[0], memory.drift_ns[0], memory.last_ns[0] = True, START_NS, START_NS
    memory.value[0], memory.value_ns[0] = 1.0, START_NS
    other = RuleTable([replace(rule, drift=replace(drift, span_s=2.0))], site)
    exchange = compare(table, other)
    after = carry(exchange, memory, Memory.fresh(other, 0))
    assert len(judge_anew(other, after, exchange.judged, START_NS + 1)) == 0
    assert after.is_active[0]


def test_a_table_of_the_same_rules_changes_nothing() -> None:
    rng = np.random.default_rng(3)
    site = make_tags(8, 2)
    rules = random_rules(rng, site)
    table = RuleTable(rules, site)
    memory = Memory.fresh(table, START_NS)
    for step in random_steps(rng, site, 80):
        if isinstance(step, Scan):
            evaluate(table, memory, step)
        else:
            expire(table, memory, step)
    exchange = compare(table, RuleTable(list(reversed(rules)), site))

    assert len(exchange.judged) == len(exchange.gone) == 0
    after = carry(exchange, memory, Memory.fresh(exchange.new, 0))
    for name in Memory.__slots__:
        if isinstance(getattr(memory, name), np.ndarray):
            np.testing.assert_array_equal(getattr(after, name), getattr(memory, name), err_msg=name)
