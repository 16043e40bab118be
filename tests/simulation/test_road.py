"""The road under trouble of its own: a store that cannot write, a historian that is slow, commands, natures."""

import asyncio
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from sqlalchemy.exc import OperationalError

from alerting.model.command import Command, Verb
from alerting.model.rule import Kind
from edge.clock_manual import ManualClock, run_manual
from edge.model import Scan, TagTable
from gateway.app import Gateway, Parts
from gateway.executor import InlineExecutor
from gateway.historian.memory import MemoryHistorian
from gateway.historian.port import Done
from gateway.meter import Stage
from gateway.record import EventLog
from gateway.replay import replay
from tests.scripted import Scripted, events_of, small_gateway, small_site
from tests.time_matrix import SOURCE, START_NS, TROUBLES, S, arrivals, as_items, rule_table

T = TypeVar("T")
NONE = TROUBLES[0]


class FailingExecutor(InlineExecutor):
    """A disk that is full between two moments of the manual clock, s after the start."""

    def __init__(self, clock: ManualClock, from_s: float, to_s: float) -> None:
        self.clock, self.from_s, self.to_s = clock, from_s, to_s

    async def run(self, function: Callable[[], T]) -> T:
        """Refuse as SQLite does."""
        if self.from_s <= (self.clock.wall_ns() - START_NS) / S < self.to_s:
            raise OperationalError("COMMIT", None, Exception("database or disk is full"))
        return await super().run(function)


class SlowHistorian(MemoryHistorian):
    """A historian that never answers."""

    def append(self, scan: Scan, done: Done | None = None) -> None:
        """Keep the values and say nothing."""
        super().append(scan, None)


def gateway_with(tmp_path: Path, clock: ManualClock, **parts: object) -> tuple[Gateway, list[Scripted]]:
    site = small_site(rule_table(Kind.H), SOURCE, tmp_path)
    items = list(as_items(arrivals(Kind.H, NONE)))
    made: list[Scripted] = []

    def make(_s: object, _t: TagTable, at: object, epoch: int, deliver: object) -> Scripted:
        made.append(Scripted(items, at, epoch, deliver))  # type: ignore[arg-type]
        return made[-1]

    common = {"historian": MemoryHistorian(site.tags), "writer": InlineExecutor(), "reader": InlineExecutor()}
    return Gateway(site, clock, Parts(**{**common, "make_collector": make, **parts})), made  # type: ignore[arg-type]


def scan(number: int, at_s: float) -> Scan:
    """One sample of the plant's only tag, heard as it was measured."""
    at_ns = np.array([START_NS + round(at_s * S)])
    return Scan(
        source=SOURCE.id, epoch=1, number=number, received_ns=int(at_ns[0]), rows=np.zeros(1, dtype=np.int32),
        values=np.ones(1), quality=np.zeros(1, dtype=np.uint8), times_ns=at_ns,
    )  # fmt: skip


def test_nothing_is_acknowledged_before_its_commit(tmp_path: Path) -> None:
    """While the store cannot write, judging goes on and says so; after it can, all is committed and acknowledged."""
    clock = ManualClock(START_NS)
    gateway, made = gateway_with(tmp_path, clock, writer=FailingExecutor(clock, 9.0, 20.0))

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(8.5)
            before = len(made[0].acknowledged)
            assert before > 0
            assert gateway.ready()
            await asyncio.sleep(9.0)  # the alarm was raised at 15 s and could not be written
            assert {a.state.value for a in gateway.desk.alarms.values() if a.tag == "T.v"} == {"UNACK"}
            assert not gateway.ready()
            # Ticks that changed nothing durable owe nothing; the first that did holds everything after it back.
            assert len(made[0].acknowledged) <= before + 2
            assert events_of(gateway.site) == []
            await asyncio.sleep(5.0)
            assert gateway.ready()
            assert len(made[0].acknowledged) == gateway.road.acknowledger.acknowledged >= 20

    run_manual(main(), clock)
    told = [(row.what, (row.time_ns - START_NS) / S) for row in events_of(gateway.site) if row.tag == "T.v"]
    assert told[0] == ("raised", 15.0)
    waiting = [row.what for row in events_of(gateway.site) if row.tag == "fengsui.store_waiting"]
    assert waiting[:1] == ["raised"], "a store that cannot write is an alarm of its own"


def test_a_silent_historian_delays_acknowledgement_by_two_seconds_at_most(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    gateway, made = gateway_with(tmp_path, clock)
    gateway.historian = gateway.road.historian = SlowHistorian(gateway.site.tags)

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(2.9)
            assert made[0].acknowledged == []
            await asyncio.sleep(1.0)
            assert len(made[0].acknowledged) == 1
            assert gateway.road.acknowledger.lost == 1
            await asyncio.sleep(4.0)

    run_manual(main(), clock)
    lost = [row for row in events_of(gateway.site) if row.tag == "fengsui.historian_lost"]
    assert [row.what for row in lost][:1] == ["raised"], "values that history lacks are an alarm of their own"


def test_the_books_balance_at_the_end(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(rule_table(Kind.H), SOURCE, tmp_path)
    duplicate = next(t for t in TROUBLES if t.name == "duplicate")
    gateway = small_gateway(site, clock, list(as_items(arrivals(Kind.H, duplicate))))

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(40.0)

    run_manual(main(), clock)
    balances = {stage: gateway.meter.balance(stage) for stage in Stage}
    assert balances == dict.fromkeys(Stage, 0)
    intake = next(s for s in gateway.meter.snapshot().stages if s.stage is Stage.INTAKE)
    assert intake.refused["duplicate"] >= 35


def test_a_one_shot_shelf_survives_a_kill_and_ends_with_the_return_after_it(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(rule_table(Kind.H), SOURCE, tmp_path)
    items = list(as_items(arrivals(Kind.H, NONE)))
    first = small_gateway(site, clock, items)

    async def act() -> str:
        async with first.running():
            await asyncio.sleep(17.0)
            alarm = next(a for a in first.desk.alarms.values() if a.tag == "T.v")
            assert alarm.is_active
            now_ns = clock.wall_ns()
            command = Command(
                verb=Verb.SHELVE, alarm=alarm.id, who="王芳", reason="正在关阀", received_ns=now_ns, is_one_shot=True
            )
            assert (await first.command(command)).refused is None
            return alarm.id

    alarm_id = run_manual(act(), clock)
    second = small_gateway(site, clock, items)
    restored = second.desk.alarms[second.desk.key_of_id[alarm_id]]
    assert (restored.suppression.value, restored.is_one_shot) == ("shelved", True)

    async def wait() -> None:
        async with second.running():
            await asyncio.sleep(30.0)

    run_manual(wait(), clock)
    told = [(row.what, row.suppression) for row in events_of(site) if row.alarm == alarm_id]
    assert told[:4] == [("raised", "none"), ("shelved", "shelved"), ("returned", "shelved"), ("unshelved", "none")]


def test_acknowledging_and_shelving_survive_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(rule_table(Kind.H), SOURCE, tmp_path)
    items = list(as_items(arrivals(Kind.H, NONE)))
    first = small_gateway(site, clock, items)

    async def act() -> str:
        async with first.running():
            await asyncio.sleep(17.0)
            alarm = next(a for a in first.desk.alarms.values() if a.tag == "T.v")
            now_ns = clock.wall_ns()
            base = Command(verb=Verb.ACK, alarm=alarm.id, who="王芳", reason="已到现场", received_ns=now_ns)
            answer = await first.command(base)
            assert answer.alarm is not None
            assert answer.alarm.acked_by == "王芳"
            shelf = replace(base, verb=Verb.SHELVE, reason="检修", until_ns=now_ns + 8 * S)
            assert (await first.command(shelf)).refused is None
            refused = await first.command(replace(base, verb=Verb.RESET))
            assert refused.refused is not None
            return alarm.id

    alarm_id = run_manual(act(), clock)
    second = small_gateway(site, clock, items)
    restored = second.desk.alarms[second.desk.key_of_id[alarm_id]]
    assert (restored.state.value, restored.suppression.value, restored.comment) == ("ACKED", "shelved", "已到现场")

    async def wait() -> None:
        async with second.running():
            await asyncio.sleep(10.0)

    run_manual(wait(), clock)
    told = [(row.what, row.cause) for row in events_of(site) if row.alarm == alarm_id]
    # No suppression outlives its end: it ended at about 25 s, active, so the alarm rang again.
    assert [what for what, _ in told] == ["raised", "acknowledged", "shelved", "unshelved", "realarmed"]


def test_what_is_out_of_service_comes_back_by_itself_after_a_restart(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    site = small_site(rule_table(Kind.H), SOURCE, tmp_path)
    items = list(as_items(arrivals(Kind.H, NONE)))
    first = small_gateway(site, clock, items)

    async def act() -> str:
        async with first.running():
            await asyncio.sleep(17.0)
            alarm = next(a for a in first.desk.alarms.values() if a.tag == "T.v")
            now_ns = clock.wall_ns()
            silenced = Command(verb=Verb.SILENCE, alarm=alarm.id, who="王芳", received_ns=now_ns, batch="b1")
            away = replace(
                silenced, verb=Verb.SUPPRESS, reason="检修", until_ns=now_ns + 8 * S, permit="PTW-7", batch="b1"
            )
            answers = await first.command_all([silenced, replace(silenced, verb=Verb.RESET), away])
            assert [answer.refused is None for answer in answers] == [True, False, True]
            return alarm.id

    alarm_id = run_manual(act(), clock)
    second = small_gateway(site, clock, items)
    restored = second.desk.alarms[second.desk.key_of_id[alarm_id]]
    assert (restored.suppression.value, restored.permit, restored.silenced_by) == ("out_of_service", "PTW-7", "王芳")
    assert restored.suppressed_ns > 0

    async def wait() -> None:
        async with second.running():
            await asyncio.sleep(10.0)

    run_manual(wait(), clock)
    told = [row for row in events_of(site) if row.alarm == alarm_id]
    assert [row.what for row in told] == ["raised", "silenced", "suppressed", "unsuppressed", "realarmed"]
    assert told[1].received_ns == told[2].received_ns, "one tick carries what is asked together"


@pytest.mark.timeout(30)  # A road that spins never lets the loop's time pass.
def test_a_road_that_is_asked_for_nothing_goes_on_waiting(tmp_path: Path) -> None:
    clock = ManualClock(START_NS)
    gateway, _ = gateway_with(tmp_path, clock)

    async def ask() -> int:
        async with gateway.running():
            for _ in range(20):  # At some of these moments the tick is one in which nothing else came.
                assert await gateway.command_all([]) == []
                await asyncio.sleep(0.3)
            return gateway.desk.ticks

    assert run_manual(ask(), clock) < 60


def test_a_road_that_stood_still_says_so_and_takes_nobody_for_silent(tmp_path: Path) -> None:
    """A machine that had other things to do for 20 s: the tag that is heard again at once never was stale."""
    clock = ManualClock(START_NS)
    beats = [second / 2 for second in range(2, 120) if not 10 <= second / 2 < 30]
    log = io.BytesIO()
    site = small_site(rule_table(Kind.STALE), SOURCE, tmp_path)
    gateway = small_gateway(
        site, clock, [scan(n, at) for n, at in enumerate(beats, start=1)],
        record=tmp_path / "recording", event_log=EventLog(log, "live"),
    )  # fmt: skip

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(9.9)
            clock.advance_ns(20 * S)  # Nothing of the loop runs meanwhile.
            await asyncio.sleep(20.0)

    run_manual(main(), clock)
    told = [(row.what, row.tag) for row in events_of(site)]
    assert ("raised", "T.v") not in told
    assert ("raised", "fengsui.away") in told
    again = io.BytesIO()
    replay(site, tmp_path / "recording", EventLog(again, "live"))
    assert log.getvalue() == again.getvalue()


def test_what_a_start_takes_is_no_silence(tmp_path: Path) -> None:
    """Reading a hundred thousand tags takes longer than many a tag may be silent; nobody was asked meanwhile."""
    clock = ManualClock(START_NS)
    site = small_site(rule_table(Kind.STALE), SOURCE, tmp_path)
    gateway = small_gateway(site, clock, [scan(n, 62.0 + n) for n in range(1, 8)])
    clock.advance_ns(60 * S)

    async def main() -> None:
        async with gateway.running():
            await asyncio.sleep(8.0)
            assert gateway.ready()

    run_manual(main(), clock)
    assert [row.tag for row in events_of(site) if row.what == "raised"] == []
