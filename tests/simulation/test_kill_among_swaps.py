"""Killed at any second while rules change: what is restored is what was remembered, and a replay says the same.

Gates, schedules, expressions with inner timers, a drift and a derived tag, all changed at random while they run.
"""

import io
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from edge.clock_manual import ManualClock
from edge.model import Nature, Scan
from gateway.app import Gateway
from gateway.load import load
from gateway.record import EventLog
from gateway.replay import replay
from gateway.rules.book import Asked, NotApplied
from gateway.rules.change import Change
from tests.scripted import small_gateway
from tests.simulation import test_rule_swap
from tests.simulation.test_rule_swap import BY, Plant, S

MORE = """
[[rule]]
tag = "T.v"
kind = "DEVIATION"
name = "gated"
reference = 1
setpoint = 4
on_delay_s = 2
enable = "T.w > 1"

[[rule]]
tag = "T.v"
kind = "L"
setpoint = 5
schedule = "day"

[[rule]]
tag = "T.w"
kind = "DRIFT"
setpoint = 6
span_s = 5
base_s = 40
warm_up_s = 40
season = "none"

[[schedule]]
id = "day"
[[schedule.span]]
from = "08:00"
to = "20:00"

[[derived]]
tag = "T.med"
unit = "T"
kind = "median"
eu = "m"
[derived.inputs]
of = ["T.v", "T.w"]

[[rule]]
tag = "T.med"
kind = "H"
setpoint = 4
deadband = 0.5
on_delay_s = 2
"""
SECONDS = 30
TEXTS = ("T.v > 6 for 2 s", "(T.v > 6 for 4 s) and T.w > 1", "count(T.v > 6, 20 s) >= 2")
GATED = "T.v.DEVIATION:gated"


class RestlessPlant(Plant):
    """A plant whose values, quality and rules never rest."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.dice = random.Random(seed)
        super().__init__(folder)

    def on(self, data: Path | None, items: list[Scan], clock: ManualClock, **more: Any) -> Gateway:  # noqa: ANN401
        return small_gateway(
            self.site if data is None else replace(self.site, data=data),
            clock,
            items,
            compile=lambda overlay, warnings: load(
                self.folder / "site.toml", environ={}, overlay=overlay, warnings=warnings
            ),
            **more,
        )

    def gateway(self, values: list[float], **more: Any) -> Gateway:  # noqa: ANN401
        base_ns, dice = self.clock.wall_ns(), self.dice
        items = [
            Scan(
                source="plc",
                epoch=1,
                number=n,
                received_ns=base_ns + n * S,
                rows=np.array([0, 1], np.int32),
                values=np.array([value, dice.choice([0.5, 2.0, 2.0, 2.0])]),
                quality=np.array([0, dice.choice([0] * 9 + [0x80])], np.uint8),
                times_ns=np.full(2, base_ns + n * S, np.int64),
            )
            for n, value in enumerate(values, start=1)
            if dice.random() > 0.1
        ]
        return self.on(None, items, self.clock, **more)

    def change(self) -> Callable[[Gateway], Any]:
        pick, setpoint = self.dice.choice, self.dice.choice([3, 4, 5, 6, 7.2])
        rule, keys = pick(
            [
                (GATED, {"setpoint": setpoint}),
                (GATED, {"enable": pick(["T.w > 1", "T.w > 2", "T.v > 5 for 3 s"])}),
                (GATED, {"enable": None}),
                (GATED, None),
                ("T.v.L", {"schedule": pick(["day", {"from": "08:00", "to": "08:01"}])}),
                ("T.w.DRIFT", {"setpoint": setpoint}),
                ("T.med.H", {"setpoint": setpoint}),
                ("T.v.EXPRESSION:both", {"when": pick(TEXTS)}),
                ("T.v.HH", {"enable": "T.w > 1.5", "schedule": "day"}),
                ("", {}),
            ]
        )
        back = self.dice.random()

        async def act(gateway: Gateway) -> None:
            asked = Asked(changes=(Change(rule=rule, set=keys or {}, is_removed=keys is None),))
            if not rule:
                asked = Asked(undo=max(1, int(back * gateway.rulebook.number)))
            try:
                await gateway.rulebook.apply(asked, BY, None)
            except NotApplied as answer:  # There is nothing to undo, or the rule is gone or says so already.
                if answer.code not in ("mistakes", "nothing", "no_revision"):
                    raise

        return act


def remembered(gateway: Gateway) -> dict[str, Any]:
    """What must outlast a kill, by rule and by alarm."""
    memory = gateway.desk.memory(Nature.ACTUAL)
    found: dict[str, Any] = {"revision": gateway.rulebook.number}
    for k, rule in enumerate(gateway.desk.table):
        columns = (memory.is_active[k], memory.phase[k], memory.since_ns[k], memory.elapsed_ns[k])
        kept = memory.formulas.keep(k)
        inner = {name: each for name, each in orjson.loads(kept or "{}").items() if name != "time_ns"}
        found[rule.id] = ([int(column) for column in columns], inner, rule.when, rule.revision, str(rule.setpoint))
    return found | {key: (a.state, a.tier, a.rule, a.ordinal) for key, a in gateway.desk.alarms.items()}


@pytest.mark.parametrize("seed", range(2))
def test_what_is_restored_is_what_was_remembered(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(test_rule_swap, "SITE", test_rule_swap.SITE + MORE)
    plant = RestlessPlant(tmp_path / "plant", seed)
    shots: list[tuple[Path, dict[str, Any], int]] = []

    async def kill(gateway: Gateway) -> None:
        data = tmp_path / f"killed{len(shots)}"
        shutil.copytree(plant.site.data, data)
        shots.append((data, remembered(gateway), plant.clock.wall_ns()))

    values = [level for _ in range(SECONDS // 3) for level in [plant.dice.choice([3.0, 5.0, 6.5, 7.5, 9.5])] * 3]
    acts = {2 + 2 * n + plant.dice.choice([0.0, 0.2, 0.5]): plant.change() for n in range(SECONDS // 2 - 2)}
    record, live, again = tmp_path / "r.rec", io.BytesIO(), io.BytesIO()
    gateway = plant.run(
        values,
        {**acts, **{n + 0.77: kill for n in range(3, SECONDS - 2)}},
        record=record,
        event_log=EventLog(live, "run"),
    )
    assert gateway.rulebook.number > 4

    for data, before, at_ns in shots:
        restored = plant.on(data, [], ManualClock(at_ns))
        assert remembered(restored) == before, data.name
        restored.engine.dispose()
    replay(plant.site, record, EventLog(again, "run"))
    assert again.getvalue() == live.getvalue()
    assert len(live.getvalue().splitlines()) >= 5
