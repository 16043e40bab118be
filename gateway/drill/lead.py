"""Lead: begins, holds, lets go on and ends drills, one at a time, and keeps their record.

Flow: start -> [read story, refuse] -> record, audit -> play beside the road -> verdict, record
Why: a real ORANGE or RED takes the floor at once: the drill is held until a person lets it go on. A drill that fails is
    broken off with a record and never takes the gateway with it.
Never: goes on by itself after a pause, or over a restart.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from alerting.desk import Answer
from alerting.model.alarm import Suppression
from alerting.model.command import Command
from alerting.model.tier import Tier
from edge.clock import Clock
from edge.model import Nature
from gateway.config import Site
from gateway.drill import records
from gateway.drill.exercise import keep_day, planned
from gateway.drill.records import BROKEN_OFF, FINISHED, HELD, RUNNING, STOPPED, Record
from gateway.drill.refused import DrillRefused
from gateway.drill.shadow import Shadow, UnwrittenError, end_left
from gateway.drill.site import shadow_of
from gateway.drill.time import DrillClock
from gateway.executor import Executor
from gateway.historian.port import Historian
from gateway.live import Picture, iso
from gateway.store.store import Store
from gateway.system import main_nature

if TYPE_CHECKING:
    from gateway.drill.stage import Stage
    from gateway.drill.stories import Listed, Staged

log = structlog.get_logger("drill")

ITSELF: Final = "fengsui"
PAUSE_FROM: Final = Tier.ORANGE  # Design: a real ORANGE or RED pauses an exercise.
SEED_MAX: Final = 2**31
TELL_S: Final = 10.0  # So long the last notices have to arrive before the verdict.
RESTARTED: Final = "the gateway was stopped in the middle of the drill"
CHANGED: Final = "tags, units or sources were changed in the configuration while it went on"
STORE: Final = "the store did not write"
FAULT: Final = "the drill failed; the log says how"
TIER_ZH: Final = {Tier.BLUE: "蓝色", Tier.YELLOW: "黄色", Tier.ORANGE: "橙色", Tier.RED: "红色"}
SUPPRESSED: Final = (Suppression.BY_DESIGN, Suppression.OUT_OF_SERVICE)


class Drills:
    """The drills of one gateway; all methods belong to its event loop.

    Args:
        site: Gives the site in force.
        revision: Gives the number of the configuration in force.
        executor: Where stories are read and physics runs alone.
    """

    def __init__(
        self, *, site: Callable[[], Site], revision: Callable[[], int], clock: Clock, store: Store,
        historian: Callable[[], Historian], picture: Picture, wake_push: Callable[[], None], executor: Executor,
    ) -> None:  # fmt: skip
        self._site, self._revision, self._clock, self._store = site, revision, clock, store
        self._historian, self._picture, self._wake_push = historian, picture, wake_push
        self._executor = executor
        self._turn = asyncio.Lock()
        self._stage: Stage | None = None
        self._task: asyncio.Task[None] | None = None
        self._saving: set[asyncio.Task[None]] = set()
        self._ending = ("", "", "")  # state, who, why of an end that was asked for

    # ---------------------------------------------------------------- restart

    def restore(self, connection: Connection, start_ns: int) -> None:
        """End, at a start of the gateway, what its end cut off: record, alarms, entries; authorities are told."""
        site = self._site()
        if not any(source.nature is Nature.EXERCISE for source in site.sources):
            alarms, entries = records.left(connection)
            if alarms or entries:
                end_left(connection, self._store, shadow_of(site, ()), start_ns, RESTARTED, alarms, entries)
        for record in records.open_ones(connection):
            over = replace(
                record, state=BROKEN_OFF, ended_ns=start_ns, ended_by=ITSELF, ended_why=RESTARTED,
                pauses=_ended_pauses(record, iso(start_ns)),
            )  # fmt: skip
            records.put(connection, over)
            self._audit(connection, over, "drill_broken_off", ITSELF, RESTARTED, start_ns)

    # ------------------------------------------------------------------ doors

    @property
    def stage(self) -> "Stage | None":
        """The drill that goes on, running or paused; None for none."""
        return self._stage

    async def stories(self) -> "list[Listed]":
        """Give every story with whether this site has what it needs."""
        site = self._site()

        def look() -> "list[Listed]":
            from gateway.drill.stories import listed  # noqa: PLC0415  # the simulated plants, only when asked for

            return listed(site)

        return await self._executor.run(look)

    async def file_of(self, story: str) -> Path | None:
        """Give the file of a story by its name; None where there is none."""
        site = self._site()

        def look() -> Path | None:
            from gateway.drill.stories import files_of  # noqa: PLC0415  # the simulated plants, only when asked for

            return next((path for path, _ in files_of(site) if path.stem == story), None)

        return await self._executor.run(look)

    async def start(self, story: str, seed: int | None, who: str, reason: str, plan: str = "") -> Record:
        """Begin a drill; returns when its record is durable.

        Args:
            seed: The number that fixes luck; None to draw one, which the record keeps.
            plan: Code of the emergency plan that is exercised; empty for none.

        Raises:
            DrillRefused: The story, the plan, the site or the moment does not let it.
        """
        async with self._turn:
            self._must_be_calm()
            site = self._site()
            play = await self._executor.run(lambda: _read(site, story))
            clock = DrillClock(self._clock)
            shadow = Shadow(
                play.shadow, clock, self._store, self._historian(), told=self._picture.show_exercise,
                wake_push=self._wake_push,
            )  # fmt: skip
            chosen = secrets.randbelow(SEED_MAX) if seed is None else seed
            record = Record(
                number=0, state=RUNNING, story=story, title=dict(play.scenario.title), plant=play.scenario.kind.name,
                seed=chosen, revision=self._revision(), begun_ns=self._clock.wall_ns(), begun_by=who, reason=reason,
                verdict={"left_out": play.left_out},
            )  # fmt: skip
            if self._site().tags is not site.tags:
                raise DrillRefused("The configuration changed just now; start again.", "配置刚刚变更,请重新开始。")
            self._must_be_calm()

            fed = {unit for rule in play.shadow.rules if (unit := site.tags[site.tags.row_of[rule.tag]].unit)}

            def write(connection: Connection) -> Record:
                exercised = replace(record, plan=planned(connection, site, fed, plan))
                begun = replace(exercised, number=records.begin(connection, exercised))
                self._audit(connection, begun, "drill_begun", who, reason, record.begun_ns)
                return begun

            begun = await self._store.write(write)
            self._ending = ("", "", "")
            self._stage = _make_stage(begun, play, shadow, clock)
            self._say()
            self._task = asyncio.create_task(self._run(self._stage), name="drill")
            return begun

    async def pause(self, who: str, why: str) -> Record:
        """Hold the drill.

        Raises:
            DrillRefused: None runs.
        """
        stage = self._must_go()
        if stage.clock.is_paused:
            raise DrillRefused("The drill is paused already.", "演练已处于暂停状态。")
        self._hold(stage, who, why)
        await self._put(stage, "drill_paused", who, why)
        return stage.record

    async def resume(self, who: str, why: str) -> Record:
        """Let the drill go on.

        Raises:
            DrillRefused: None is paused, or a real ORANGE or RED rings.
        """
        stage = self._must_go()
        if not stage.clock.is_paused:
            raise DrillRefused("The drill is not paused.", "演练未处于暂停状态。")
        self._must_not_ring(PAUSE_FROM)
        stage.clock.resume()
        pauses = (*stage.record.pauses[:-1], {**stage.record.pauses[-1], "to": iso(self._clock.wall_ns())})
        stage.record = replace(stage.record, state=RUNNING, pauses=pauses)
        stage.going.set()
        self._say()
        await self._put(stage, "drill_resumed", who, why)
        return stage.record

    async def stop(self, who: str, why: str) -> Record:
        """End the drill before its story is over.

        Raises:
            DrillRefused: None goes on.
        """
        async with self._turn:
            stage = self._must_go()
            await self._end_by(stage, (STOPPED, who, why))
            return stage.record

    async def close(self) -> None:
        """Break off what goes on, before the gateway ends."""
        if self._stage is not None:
            await self._end_by(self._stage, (BROKEN_OFF, ITSELF, RESTARTED))
        self._executor.close()

    def owns(self, alarm: str) -> bool:
        """Tell whether an alarm, by key or id, is of the drill that goes on."""
        return self._stage is not None and self._stage.shadow.owns(alarm)

    async def command(self, command: Command) -> Answer:
        """Put a person's command before the drill's desk."""
        assert self._stage is not None
        return await self._stage.shadow.command(command)

    def site_changed(self, site: Site) -> None:
        """Take note that another configuration is in force: rows of tags may be others now."""
        stage = self._stage
        if stage is None or site.tags.names == stage.shadow.site.tags.names:
            return
        stage.shadow.is_cut = True
        self._ending = (BROKEN_OFF, ITSELF, CHANGED)
        stage.stop()

    async def delivered(self, record: Record) -> list[tuple[str, int]]:
        """Give event and receive time of each notice of a drill that an authority holds."""

        def read(connection: Connection) -> list[tuple[str, int]]:
            return [(row.event, row.delivered_ns) for row in records.notices(connection, record) if row.delivered_ns]

        return await self._store.read(read)

    # ------------------------------------------------------------------- play

    async def _run(self, stage: "Stage") -> None:
        """Play one drill to its end, whatever that is, and write it down."""
        state, who, why = FINISHED, ITSELF, ""
        try:
            await stage.get_ready(self._executor)
            await stage.run(lambda: self._must_pause(stage))
            if stage.has_played:
                await stage.get_over(self._executor)
                await self._await_notices(stage)
            else:
                state, who, why = self._ending
        except UnwrittenError:
            state, why = BROKEN_OFF, STORE
        except Exception:  # A drill that fails in any way must never take the gateway with it.
            log.exception("drill.failed", number=stage.record.number, story=stage.record.story)
            state, why = BROKEN_OFF, FAULT
        try:
            await self._finish(stage, state, who, why)
        except (SQLAlchemyError, UnwrittenError):  # The next start of the gateway finds it unended, and ends it.
            log.exception("drill.not_written", number=stage.record.number)
        finally:
            self._stage = self._task = None
            self._say()

    async def _finish(self, stage: "Stage", state: str, who: str, why: str) -> None:
        """End the drill's alarms, judge, write the record."""
        reason = "the drill is over" if state == FINISHED else f"the drill was {state.replace('_', ' ')}"
        delivered = await self.delivered(stage.record)
        expectations = stage.expectations(delivered)
        played_s = round(stage.now_s, 3)
        if stage.clock.is_paused:
            stage.clock.resume()
        await stage.shadow.end(reason)
        now_ns = self._clock.wall_ns()
        stage.record = replace(
            stage.record,
            state=state,
            ended_ns=now_ns,
            ended_by=who,
            ended_why=why,
            pauses=_ended_pauses(stage.record, iso(now_ns)),
            verdict={
                **stage.record.verdict,
                "expectations": expectations,
                "milestones": stage.milestones(),
                "played_s": played_s,
                "samples": {"in": stage.shadow.samples_in, "out": stage.shadow.samples_out},
            },
        )
        await self._put(stage, f"drill_{state}", who, why)

    async def _end_by(self, stage: "Stage", ending: tuple[str, str, str]) -> None:
        """Let a drill end at its next step, and wait for that; a commit that runs cannot be taken back."""
        self._ending = ending
        stage.stop()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _await_notices(self, stage: "Stage") -> None:
        """Give the last notices a moment to arrive."""
        for _ in range(round(TELL_S)):
            waiting = await self._store.read(
                lambda c: sum(row.state == "waiting" for row in records.notices(c, stage.record))
            )
            if not waiting:
                return
            await asyncio.sleep(1.0)

    # ------------------------------------------------------------- real alarms

    def _must_pause(self, stage: "Stage") -> bool:
        """Hold the drill where a real ORANGE or RED rings; tell whether it was."""
        what = self._ringing(PAUSE_FROM)
        if not what or stage.clock.is_paused:
            return False
        self._hold(stage, ITSELF, f"a real alarm rings: {what}")
        saving = asyncio.create_task(self._put_held(stage), name="drill")
        self._saving.add(saving)
        saving.add_done_callback(self._saving.discard)
        return True

    async def _put_held(self, stage: "Stage") -> None:
        try:
            await self._put(stage, "drill_paused", ITSELF, stage.record.pauses[-1]["why"])
        except SQLAlchemyError:  # It is written with what comes next of the drill.
            log.warning("drill.not_written", number=stage.record.number, exc_info=True)

    def _hold(self, stage: "Stage", who: str, why: str) -> None:
        stage.clock.pause()
        stage.going.clear()
        pause = {"from": iso(self._clock.wall_ns()), "to": None, "by": who, "why": why}
        stage.record = replace(stage.record, state=HELD, pauses=(*stage.record.pauses, pause))
        self._say()

    def _ringing(self, least: Tier) -> str:
        """Name the gravest of the plant's own alarms and units from a tier on; empty where none rings."""
        found = [
            (alarm.tier, f"{alarm.tag} {alarm.condition}")
            for alarm in self._picture.alarms.values()
            if alarm.is_active
            and alarm.tier >= least
            and not self._picture.is_exercise(alarm)
            and alarm.suppression not in SUPPRESSED
        ]
        found += [(tier, unit) for unit, tier in self._picture.tiers.items() if tier >= least]
        if not found:
            return ""
        tier, what = max(found)
        return f"{what} ({tier.name})"

    def _must_not_ring(self, least: Tier) -> None:
        what = self._ringing(least)
        if what:
            raise DrillRefused(
                f"A real alarm rings: {what}; from {least.name} on there is no drill beside it.",
                f"现有真实报警:{what};存在{TIER_ZH[least]}及以上真实报警时不得演练。",
            )

    def _must_be_calm(self) -> None:
        if self._stage is not None:
            number = self._stage.record.number
            raise DrillRefused(
                f"Drill {number} goes on already; one at a time.", f"第 {number} 次演练正在进行,同一时间只能进行一次。"
            )
        self._must_not_ring(self._site().drill.refused_from)

    def _must_go(self) -> "Stage":
        if self._stage is None:
            raise DrillRefused("No drill goes on.", "当前没有进行中的演练。")
        return self._stage

    # ------------------------------------------------------------------ record

    async def _put(self, stage: "Stage", action: str, who: str, why: str) -> None:
        now_ns = self._clock.wall_ns()
        record = stage.record

        def write(connection: Connection) -> None:
            records.put(connection, record)
            if record.plan and record.ended_ns:
                keep_day(connection, self._site(), record, now_ns)
            self._audit(connection, record, action, who, why, now_ns)

        await self._store.write(write)

    def _audit(self, connection: Connection, record: Record, action: str, who: str, why: str, now_ns: int) -> None:
        nature = main_nature(self._site())
        self._store.audit(
            connection, nature, now_ns, who, action, drill=record.number, story=record.story, seed=record.seed,
            reason=why, **({"plan": record.plan["code"]} if record.plan else {}),
        )  # fmt: skip

    def _say(self) -> None:
        """Let every page know how the drill stands."""
        self._picture.set_drill(None if self._stage is None else brief(self._stage.record))


def brief(record: Record) -> dict[str, Any]:
    """Give what the banner of every page says."""
    return {
        "number": record.number,
        "state": record.state,
        "title": record.title,
        "begun": iso(record.begun_ns),
        "begun_by": record.begun_by,
        "why": record.pauses[-1]["why"] if record.state == HELD else record.reason,
    }


def _ended_pauses(record: Record, now: str | None) -> tuple[dict[str, Any], ...]:
    return tuple({**pause, "to": pause["to"] or now} for pause in record.pauses)


def _read(site: Site, story: str) -> "Staged":
    from gateway.drill.stories import read  # noqa: PLC0415  # the simulated plants, only when asked for

    return read(site, story)


def _make_stage(record: Record, play: "Staged", shadow: Shadow, clock: DrillClock) -> "Stage":
    from gateway.drill.stage import Stage  # noqa: PLC0415  # likewise

    return Stage(record, play, shadow, clock)
