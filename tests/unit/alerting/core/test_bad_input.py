"""Bad input: absurd numbers, everything BAD at once, pauses of days; the core and the slow oracle say the same."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from alerting.core import Memory, evaluate, expire
from alerting.model.rule import DATA_KINDS, Kind, RuleTable
from edge.model import Scan, TagTable
from tests.oracle.slow_evaluate import SlowCore, Transition
from tests.unit.alerting.core.scene import BAD, START_NS, TIMEOUT, S, make_tags, random_rules, random_steps
from tests.unit.alerting.core.test_oracle import by_rule, told

ABSURD = np.array([5e-324, -5e-324, -0.0, 1.7e308, -1.7e308, 1e-300, np.nan, np.inf, -np.inf])
DAY_NS = 86_400 * S
Twist = Callable[[int, Scan, np.random.Generator], Scan]


def absurd(number: int, scan: Scan, rng: np.random.Generator) -> Scan:
    """A third of all samples are numbers that no instrument measures."""
    values = np.where(rng.random(len(scan)) < 0.35, rng.choice(ABSURD, len(scan)), scan.values)
    return replace(scan, values=values)


def all_bad(number: int, scan: Scan, rng: np.random.Generator) -> Scan:
    """From the 80th to the 160th scan no tag of the site is measured."""
    is_dark = 80 <= number < 160
    return replace(scan, quality=np.full(len(scan), BAD | TIMEOUT, np.uint8)) if is_dark else scan


def drive(seed: int, twist: Twist, *, pause_ns: int = 0) -> list[tuple[int, Transition]]:
    """Drive both; give the transitions with the number of the scan."""
    rng = np.random.default_rng(seed)
    site: TagTable = make_tags(12, 2)
    kinds = (Kind.TREND, Kind.DRIFT)  # Their absurd numbers have tests of their own.
    rules = [rule for rule in random_rules(rng, site) if rule.kind not in kinds]
    table = RuleTable(rules, site)
    memory, slow = Memory.fresh(table, START_NS), SlowCore(rules, site, START_NS)
    found: list[tuple[int, Transition]] = []
    number = 0
    for step in random_steps(rng, site, 240, jitter=2):
        later_ns = pause_ns if number >= 120 else 0
        if isinstance(step, Scan):
            number += 1
            late = replace(step, received_ns=step.received_ns + later_ns, times_ns=step.times_ns + later_ns)
            scan = twist(number, late, rng)
            mine = [each for part in evaluate(table, memory, scan) for each in told(table, part)]
            expected = [each for part in slow.evaluate(scan) for each in part]
        else:
            mine, expected = told(table, expire(table, memory, step + later_ns)), slow.expire(step + later_ns)
        assert by_rule(mine) == by_rule(expected), f"seed {seed}, scan {number}"
        found += [(number, each) for each in mine]
    return found


@pytest.mark.parametrize("seed", range(4))
def test_absurd_numbers(seed: int) -> None:
    assert len(drive(seed, absurd)) > 100


def test_everything_bad_at_once_trips_and_clears_no_limit_and_is_an_alarm_everywhere() -> None:
    found = drive(5, all_bad)
    about_data = {kind.name for kind in DATA_KINDS}
    dark = [(rule.rsplit(".", 1)[1], active) for number, (rule, active, _) in found if 90 <= number < 160]
    assert {kind for kind, _ in dark} <= about_data, "what was held until then has ended by the 90th scan"
    rings = {rule for number, (rule, active, _) in found if 80 <= number < 160 and active and rule.endswith(".BAD")}
    assert len(rings) > 5, "most tags have a BAD rule"
    assert any(rule.endswith(".BAD") and not active for number, (rule, active, _) in found if number >= 160)


@pytest.mark.parametrize("days", [1, 9])
def test_a_pause_of_days(days: int) -> None:
    found = drive(7, lambda _, scan, __: scan, pause_ns=days * DAY_NS)
    assert any(number >= 125 for number, _ in found)
    silent = [at_ns for _, (rule, active, at_ns) in found if rule.endswith(".STALE") and active]
    assert all(at_ns < START_NS + 200 * S or at_ns > START_NS + days * DAY_NS for at_ns in silent), "told in its time"
