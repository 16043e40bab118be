"""Gates of the array core against the slow oracle: half of all rules have an enable-condition."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.alerting.core.scene import with_enables, with_schedules
from tests.unit.alerting.core.test_oracle import KINDS, compare


@pytest.mark.parametrize("jitter", [0, 4, 20])
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 6))])
def test_few_tags(seed: int, jitter: int) -> None:
    seen = compare(seed=7000 * jitter + seed, tags=6, sources=2, steps=250, jitter=jitter, change=with_enables)

    assert seen.total() > 80


def test_every_kind_both_ways() -> None:
    seen = compare(seed=3, tags=40, sources=3, steps=500, jitter=4, change=with_enables)

    assert min(seen[kind.name, way] for kind in KINDS for way in (True, False)) > 10, seen


@pytest.mark.parametrize("jitter", [0, 4, 20])
@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in (2, 3))])
def test_schedules(seed: int, jitter: int) -> None:
    seen = compare(seed=9000 * jitter + seed, tags=6, sources=2, steps=700, jitter=jitter, change=with_schedules)

    assert seen.total() > 80


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 80), jitter=st.sampled_from([0, 1, 3, 40]))
def test_two_tags_of_two_sources(seed: int, steps: int, jitter: int) -> None:
    compare(seed=seed, tags=2, sources=2, steps=steps, jitter=jitter, change=with_enables)
