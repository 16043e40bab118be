"""What a kill -9 must not bring back: a timer that had ended, what another text of a rule kept, what was unlearnt."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alerting.core.drift import Wait
from alerting.core.memory import Wander
from alerting.desk import Desk
from alerting.model.command import Command, Verb
from alerting.model.drift import Drift
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.swap import prepare
from edge.clock_manual import ManualClock, run_manual
from edge.model import Nature
from gateway.store.commit import DelayRow, delay_rows
from tests.scripted import events_of, live, small_gateway, small_site
from tests.simulation.test_kill_outlasts import kill_at
from tests.time_matrix import SOURCE, START_NS, S, tag_table
from tests.trouble import H0, scan, since_start_s

HELD = Rule(
    id="T.v.EXPRESSION", tag="T.v", kind=Kind.EXPRESSION, setpoint=float("nan"), tier=Tier.ORANGE,
    when="(T.v > 8 for 12 s) and T.v < 100", asked=("T.v",),
)  # fmt: skip
OTHER = replace(HELD, when="(T.v > 90 for 12 s) and T.v < 100")


def test_a_timer_that_ended_after_the_last_checkpoint_stays_ended(tmp_path: Path) -> None:
    """Above 8 from 2 s to the checkpoint of 10 s; killed below it; above again from 13 s, so full at 25 s."""
    clock = ManualClock(START_NS)
    values = [9.0 if 2 <= t <= 10 or t >= 13 else 5.0 for t in range(1, 40)]
    items = [scan(t, [t], [value]) for t, value in enumerate(values, start=1)]
    site = small_site(RuleTable([HELD], tag_table()), SOURCE, tmp_path / "before")
    after = kill_at(site, clock, items, 12.6)
    live(small_gateway(after, clock, items), 20.0, clock)

    raised = [(row.time_ns - START_NS) / S for row in events_of(after) if row.tag == "T.v" and row.what == "raised"]
    assert raised == [pytest.approx(25.0, abs=0.7)]


class Ticks:
    """A desk alone, tick by tick, and what each tick would write about delays."""

    def __init__(self, *rules: Rule) -> None:
        self.desk = Desk("site", RuleTable(list(rules), tag_table()), [], [], START_NS)

    def tick(self, at_s: float, value: float, swap: Sequence[Rule] | None = None) -> dict[str, DelayRow]:
        desk, now_ns = self.desk, START_NS + round(at_s * S)
        desk.begin(now_ns)
        desk.take(scan(at_s, [at_s], [value]))
        prepared = None
        if swap is not None:
            prepared = prepare(desk.table, RuleTable(list(swap), desk.table.tags), desk.memories, 2)
        return {row.rule: row for row in delay_rows(desk, desk.finish(prepared))}


def test_a_timer_that_starts_in_the_tick_of_a_swap_is_written_down() -> None:
    ticks = Ticks(HELD, H0)
    rows = ticks.tick(1, 9.0, [HELD, replace(H0, setpoint=10.0)])

    assert '"held_since": [' in rows[HELD.id].inner


def test_what_a_condition_kept_is_forgotten_when_it_says_something_else() -> None:
    """Else it came back, hours old, with a kill after an undo."""
    ticks = Ticks(HELD, H0)
    assert ticks.tick(1, 9.0)[HELD.id].inner
    rows = ticks.tick(2, 9.0, [OTHER, H0])

    assert HELD.id in rows
    assert "12 s" not in rows[HELD.id].inner
    assert '"held_since": [0' in rows[HELD.id].inner or rows[HELD.id].inner == ""


def test_what_a_condition_kept_goes_with_its_rule() -> None:
    """It neither rings nor delays, but a timer inside it runs."""
    ticks = Ticks(HELD, H0)
    assert ticks.tick(1, 9.0)[HELD.id].inner
    rows = ticks.tick(2, 9.0, [H0])

    assert rows[HELD.id] == DelayRow(rule=HELD.id, nature="actual", is_active=False, phase=0, since_ns=0, elapsed_ns=0)


def test_a_drift_that_was_told_to_learn_anew_does_so_after_a_kill(tmp_path: Path) -> None:
    """The last checkpoint is of 10 s; a person's word of 12 s holds."""
    rule = Rule(
        id="T.v.DRIFT", tag="T.v", kind=Kind.DRIFT, setpoint=6.0, tier=Tier.BLUE,
        drift=Drift(season="none", span_s=20.0, base_s=400.0, warm_up_s=400.0),
    )  # fmt: skip
    clock = ManualClock(START_NS)
    items = [scan(t, [t], [5.0 + t % 3]) for t in range(1, 40)]
    site = small_site(RuleTable([rule], tag_table()), SOURCE, tmp_path / "before")
    asked = Command(verb=Verb.RELEARN, alarm=rule.id, who="li", received_ns=0, reason="moved", forget_season=True)
    after = kill_at(site, clock, items, 13.6, {12.4: asked})
    gateway = small_gateway(after, clock, items)

    async def main() -> tuple[float, float]:
        async with gateway.running():
            await asyncio.sleep(0.2)
            state = gateway.desk.memory(Nature.ACTUAL).drift_state[0]
            return float(state[Wander.KNOWN_S]), float(state[Wander.WAITS])

    known_s, waits = run_manual(main(), clock)
    assert since_start_s(clock) < 15
    assert known_s < 5
    assert waits == Wait.WARM_UP
    assert np.isfinite(known_s)
