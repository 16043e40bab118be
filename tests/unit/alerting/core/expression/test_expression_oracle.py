"""Array programs say at every moment what a scalar walk over the tree says."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from alerting.core.expression import State, read
from tests.oracle.slow_expression import SlowExpression
from tests.unit.alerting.core.expression.stage import (
    BAD,
    CLOCK,
    GRID_NS,
    NAMES,
    RETAINED,
    START_NS,
    TEXTS,
    UNITS,
    Stage,
)

VALUES = (-1.0, -0.5, 0.0, 0.0, 0.25, 0.5, 1.0, 1.0, 2.0, 3.0, 5.0, 350.0, 1e308)
QUALITIES = (0, 0, 0, 0, 0, 0, CLOCK, BAD, BAD, RETAINED)
WORD = {True: 1, False: 0, None: -1}


def compare(texts: list[str], seed: int, ticks: int, stale_s: float = 1.0) -> Counter[int]:
    """Drive both over a random stream; ask the oracle at every moment of the grid, and compare there."""
    rng = np.random.default_rng(seed)
    expressions = [read(text, UNITS) for text in texts]
    stage = Stage(expressions, stale_s)
    slow = [SlowExpression(expression) for expression in expressions]
    seen: Counter[int] = Counter()

    def ask(who: list[int], now_ns: int, new: set[str]) -> list[int]:
        return [WORD[slow[index].truth(now_ns, stage.tags, new)] for index in who]

    everyone = list(range(len(texts)))
    ask(everyone, START_NS, set())
    for tick in range(1, ticks + 1):
        now_ns = START_NS + tick * GRID_NS
        for _ in range(int(rng.choice([0, 1, 1, 2]))):  # two scans of one instant are judged one after the other
            names = rng.choice(NAMES, int(rng.integers(1, 4)), replace=False).tolist()
            samples = {
                name: (float(rng.choice([*VALUES, np.nan, np.inf])), int(rng.choice(QUALITIES))) for name in names
            }
            stage.sample(now_ns, samples)
            new = {name for name in samples if stage.tags[name].is_judged}
            touched = [index for index in everyone if set(expressions[index].tags) & samples.keys()]
            expected = ask(touched, now_ns, new)
            assert stage.truth[touched].tolist() == expected, f"seed {seed}, tick {tick}: {texts}"
        stage.look(now_ns)
        expected = ask(everyone, now_ns, set())
        assert stage.truth.tolist() == expected, f"seed {seed}, tick {tick}: {texts}"
        seen.update(expected)
        if rng.random() < 0.05:
            stage.restart()
    return seen


@settings(max_examples=120, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(TEXTS, min_size=1, max_size=4), seed=st.integers(0, 2**32 - 1))
@example(texts=["(t0 > 0 for 1 s)", "(t1 > 0.5 for 3 s)"], seed=1)
@example(texts=["count((t0 > 0 for 200 ms), 1 s) >= 2"], seed=2)
def test_any_expression_over_any_stream(texts: list[str], seed: int) -> None:
    compare(texts, seed, ticks=60)


LONG = [
    "t0 > 0.25 and t1 < 1 for 1 s",
    "count(t0 > 0.25, 3 s) >= 2",
    "(count((t0 > 0 for 200 ms), 3 s) >= 1 for 0.5 s) or is_stale(t1)",
    "rate(t0, 0.5 s) > 1 or delta(t1, 1 s) < -0.5",
    "not (t2 / t3 >= 1) or bit(t2, 1)",
    'quality(t0) == "BAD" for 200 ms',
    "count(is_bad(t1) or is_stale(t1), 3 s) > 2",
    "vote(2, t0 > 0.25, t1 > 0.25, t2 > 0.25)",
    "vote_keep(2, t0 > 0.25, t1 > 0.25, t2 > 0.25 for 200 ms) for 0.5 s",
    "vote(3, t0 > 0, t1 > 0, t2 > 0, t3 > 0) and not vote_keep(4, t0 > 0, t1 > 0, t2 > 0, t3 > 0)",
    "max(t0, t1, t2) - min(t0, t1, t2) > 1 for 0.5 s",
]


@pytest.mark.parametrize("seed", range(4))
def test_typical_expressions_over_a_long_stream(seed: int) -> None:
    seen = compare(LONG, seed, ticks=700)

    assert min(seen[truth] for truth in (-1, 0, 1)) > 150


def test_the_oracle_can_disagree(monkeypatch: pytest.MonkeyPatch) -> None:
    """The comparison has teeth: memory that forgets what was counted before a pause is caught."""
    take = State.take

    def forgetful(self: State, rules: np.ndarray) -> State:
        copy = take(self, rules)
        copy.held_counted[:] = 0
        return copy

    monkeypatch.setattr(State, "take", forgetful)
    with pytest.raises(AssertionError):
        compare(LONG, 0, ticks=700)
