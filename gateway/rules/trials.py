"""Trials: changes of the rules tried on the site's own history, one at a time, in a process beside the gateway.

Flow: asked, span -> [check, read the historian, start the child] -> progress -> result, kept until the next one
Why: half a year of history is minutes of work; none of it may be on the road's loop, and a person may stop it.
Never: more than one at a time, more samples than ``SAMPLES_MAX``, longer than ``SECONDS_MAX``.
"""

import asyncio
import contextlib
import pickle
import sys
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final, Protocol

import numpy as np
import orjson

from alerting.model.rule import RuleTable
from edge.clock import Clock
from edge.model import Nature
from gateway.historian.port import Series
from gateway.rules.book import Asked, Checked, NotApplied, Rulebook, refuse
from gateway.rules.trial import Tried, subject

SAMPLES_MAX: Final = 3_000_000  # 35 days of one tag a second; 75 MB on their way to the child.
SECONDS_MAX: Final = 600.0
SPAN_NS_MAX: Final = 400 * 86_400_000_000_000
CHUNK_NS: Final = 86_400_000_000_000  # Read a day at a time: what is asked of the historian at once stays small.
POINTS_MOST: Final = 1_000_000
LINE_MAX: Final = 64 * 1024 * 1024


class State(StrEnum):
    """Where a trial stands."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial, as it stands.

    Attributes:
        share: How much is done, 0 to 1.
        code: Of a failed one: ``too_many``, ``thinned``, ``no_samples``, ``too_long`` or ``failed``.
    """

    number: int
    who: str
    started_ns: int
    from_ns: int
    to_ns: int
    checked: Checked
    state: State = State.RUNNING
    share: float = 0.0
    code: str = ""
    message: str = ""
    result: dict[str, Any] | None = None


class Past(Protocol):
    """Where history is read."""

    async def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None = None) -> Series:
        """Give one tag's samples."""
        ...


class Around(Protocol):
    """What trials need of the gateway."""

    @property
    def historian(self) -> Past:
        """The past."""
        ...

    @property
    def rules(self) -> RuleTable:
        """The rules in force."""
        ...

    @property
    def rulebook(self) -> Rulebook:
        """Where changes are compiled."""
        ...

    @property
    def clock(self) -> Clock:
        """The receive time."""
        ...


class Busy(Exception):  # noqa: N818  # an answer, not an error of ours
    """One is running already."""


class _Over(Exception):  # noqa: N818  # likewise
    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


class Trials:
    """The one trial that runs or ran last."""

    def __init__(self, around: Around) -> None:
        self._around = around
        self._task: asyncio.Task[None] | None = None
        self.last: Trial | None = None

    async def start(self, asked: Asked, who: str, from_ns: int, to_ns: int) -> Trial:
        """Begin a trial.

        Raises:
            Busy: One is running.
            NotApplied: What is asked has mistakes, or changes nothing.
        """
        if self._task is not None and not self._task.done():
            raise Busy
        running = asyncio.get_running_loop().create_future()
        self._task = asyncio.ensure_future(_wait(running))  # Others are told that it is busy while this is compiled.
        try:
            checked = await self._around.rulebook.check(asked)
            refuse(checked)
            if checked.beside is not None:
                raise NotApplied("tags", "A trial judges rules; tags and devices that change have no history.", checked)
            number = 1 if self.last is None else self.last.number + 1
            self.last = Trial(
                number=number,
                who=who,
                started_ns=self._around.clock.wall_ns(),
                from_ns=from_ns,
                to_ns=to_ns,
                checked=checked,
            )
        finally:
            running.set_result(None)
        self._task = asyncio.create_task(self._run(self.last, self._around.rules), name="trial")
        self._task.add_done_callback(self._ended)
        return self.last

    def cancel(self) -> Trial | None:
        """Stop the trial that runs, if one does."""
        if self._task is not None:
            self._task.cancel()
        return self.last

    async def wait(self) -> Trial | None:
        """Wait for the trial that runs, if one does."""
        if self._task is not None:
            await asyncio.wait({self._task})
        return self.last

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled():  # Perhaps before it had begun.
            self._note(state=State.CANCELLED)

    def _note(self, **what: Any) -> None:  # noqa: ANN401  # fields of a trial
        assert self.last is not None
        self.last = replace(self.last, **what)

    async def _run(self, trial: Trial, old: RuleTable) -> None:
        try:
            async with asyncio.timeout(SECONDS_MAX):
                tried = await self._read(trial, old)
                result = await self._try(tried)
        except TimeoutError:
            self._note(state=State.FAILED, code="too_long", message="It took too long; choose a shorter span.")
        except _Over as over:
            self._note(state=State.FAILED, code=over.code, message=str(over))
        else:
            self._note(state=State.DONE, share=1.0, result=result)

    async def _read(self, trial: Trial, old: RuleTable) -> Tried:
        """Read the samples of the tags that matter, in order of time."""
        assert trial.checked.table is not None
        tried = subject(old.tags, old, trial.checked.table, [each.rule for each in trial.checked.changes])
        columns: list[tuple[np.ndarray[Any, Any], ...]] = []
        count = 0
        for row, tag in enumerate(tried.tags):
            for from_ns in range(trial.from_ns, trial.to_ns, CHUNK_NS):
                to_ns = min(from_ns + CHUNK_NS, trial.to_ns)
                series = await self._around.historian.range(old.tags.row_of[tag.name], from_ns, to_ns, POINTS_MOST)
                if series.is_rolled_up:
                    raise _Over(
                        "thinned", f"Of {tag.name} only sums are kept in part of this span; choose a later begin."
                    )
                mine = series.count > 0
                count += int(mine.sum())
                if count > SAMPLES_MAX:
                    raise _Over("too_many", f"There are more than {SAMPLES_MAX:,} samples; choose a shorter span.")
                rows = np.full(int(mine.sum()), row, dtype=np.int32)
                columns.append((series.times_ns[mine], rows, series.values[mine], series.quality[mine]))
        if count == 0:
            raise _Over("no_samples", "There is no sample of these tags in this span.")
        times_ns, rows, values, quality = (np.concatenate(each) for each in zip(*columns, strict=True))
        order = np.lexsort((rows, times_ns))
        return replace(tried, times_ns=times_ns[order], rows=rows[order], values=values[order], quality=quality[order])

    async def _try(self, tried: Tried) -> dict[str, Any]:
        """Let a child carry the samples; end it whatever comes."""
        child = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "gateway.rules.trial",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=LINE_MAX,
        )
        assert child.stdin is not None and child.stdout is not None  # noqa: PT018 - two pipes
        try:
            content = await asyncio.to_thread(pickle.dumps, tried, pickle.HIGHEST_PROTOCOL)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # Its end is told below.
                child.stdin.write(content)
                await child.stdin.drain()
                child.stdin.close()
            while line := await child.stdout.readline():
                said = await asyncio.to_thread(orjson.loads, line)
                if "result" in said:
                    result: dict[str, Any] = said["result"]
                    return result
                self._note(share=said["share"])
            raise _Over("failed", f"The trial ended by itself ({await child.wait()}); look into the gateway's log.")
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()


async def _wait(for_it: asyncio.Future[None]) -> None:
    await for_it


__all__ = ["Busy", "NotApplied", "State", "Trial", "Trials"]
