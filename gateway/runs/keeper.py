"""Keeper: starts runs, one at a time, hears how they stand, passes on what is asked of them, keeps what they came to.

Flow: start -> process -> lines -> [Run as it stands] -> API; files in ``<data>/runs/<number>``
Why: bounded in all: one process, so many runs kept, so many events of each.
"""

import asyncio
import contextlib
import json
import secrets
import shutil
import sys
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from edge.clock import Clock
from gateway.live import iso

KEPT: Final = 20  # Runs; the oldest goes with its files.
EVENTS_MAX: Final = 500  # Of one run, the newest.
LINE_MAX: Final = 2**22
SEED_MAX: Final = 2**31
SPEED_MOST: Final = 100_000.0
BEGIN_S: Final = 60.0  # The plants' libraries take a second or two, on a busy machine ten.
STOP_S: Final = 10.0
WORDS_MAX: Final = 2_000  # Last words of a process that failed.
STARTING, RUNNING, DONE, STOPPED, FAILED = "starting", "running", "done", "stopped", "failed"
OPEN: Final = (STARTING, RUNNING)
KEPT_FILE: Final = "run.json"
log = structlog.get_logger("runs")


class RunRefused(Exception):  # noqa: N818  # the sentence that a person needs
    """What was asked of a run is not done; one sentence by language."""

    def __init__(self, en: str, zh: str, *, status: int = 409, details: Any = None) -> None:  # noqa: ANN401  # JSON
        super().__init__(en)
        self.said = {"en": en, "zh": zh}
        self.status, self.details = status, details


@dataclass(slots=True, kw_only=True)
class Run:
    """One run.

    Attributes:
        speed: Times real time that it may go at most; 0 as fast as it can.
        told: What it said at its begin: seconds, instruments, sources, faults of the story.
        now: What it said last of how it stands.
        result: What it came to; empty while it goes on.
    """

    number: int
    story: str
    seed: int
    speed: float
    begun_ns: int
    begun_by: str
    folder: Path
    state: str = STARTING
    ended_ns: int = 0
    why: str = ""
    told: dict[str, Any] = field(default_factory=dict)
    now: dict[str, Any] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=EVENTS_MAX))
    result: dict[str, Any] = field(default_factory=dict)

    def brief(self) -> dict[str, Any]:
        """Give it as one row."""
        return {
            "number": self.number,
            "story": self.story,
            "title": self.told.get("title", {}),
            "seed": self.seed,
            "speed": self.speed,
            "state": self.state,
            "passed": self.result.get("passed"),
            "begun": iso(self.begun_ns),
            "begun_by": self.begun_by,
            "ended": iso(self.ended_ns),
            "why": self.why,
            "at_s": self.now.get("at_s", 0.0),
            "lasts_s": self.told.get("lasts_s", 0.0),
        }

    def whole(self) -> dict[str, Any]:
        """Give all that is known of it."""
        return {
            **self.brief(),
            "instruments": self.told.get("instruments", []),
            "sources": self.told.get("sources", []),
            "milestone_titles": self.told.get("milestone_titles", {}),
            "faults": self.faults,
            "expectations": self.now.get("expectations", []),
            "milestones": self.result.get("milestones", self.now.get("milestones", {})),
            "events": list(self.events),
            "events_total": self.now.get("events_total", 0),
            "pace": self.result.get("pace"),
        }


class Runs:
    """The runs of one gateway; all methods belong to its event loop."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder, self._clock = folder.absolute(), clock
        self._process: asyncio.subprocess.Process | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._runs: dict[int, Run] | None = None

    # ------------------------------------------------------------------ doors

    async def listed(self) -> list[Run]:
        """Give all that are kept, the newest first."""
        return sorted((await self._known()).values(), key=lambda run: -run.number)

    async def find(self, number: int) -> Run | None:
        """Give one."""
        return (await self._known()).get(number)

    async def start(self, story: str, path: Path, seed: int | None, speed: float, who: str) -> Run:
        """Start one.

        Raises:
            RunRefused: One goes on, its story has mistakes, or there is no room for its files.
        """
        async with self._turn:
            known = await self._known()
            going = next((run for run in known.values() if run.state in OPEN), None)
            if going is not None:
                raise RunRefused(
                    f"Run {going.number} goes on; one at a time. Stop it or wait.",
                    f"第 {going.number} 次试验正在进行,同一时间只能进行一次;请停止或等待。",
                )
            number = max(known, default=0) + 1
            run = Run(
                number=number, story=story, seed=secrets.randbelow(SEED_MAX) if seed is None else seed, speed=speed,
                begun_ns=self._clock.wall_ns(), begun_by=who, folder=self._folder / f"{number:06d}",
            )  # fmt: skip
            try:
                await asyncio.to_thread(run.folder.mkdir, parents=True, exist_ok=True, mode=0o700)
                self._process = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "gateway.runs.child", str(path), "--seed", str(run.seed),
                    "--speed", str(speed), "--out", str(run.folder), stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, limit=LINE_MAX,
                    cwd=Path(__file__).parents[2], start_new_session=True,
                )  # fmt: skip
            except OSError as failure:
                raise RunRefused(
                    f"The run cannot be started: {failure.strerror}.", f"试验无法启动:{failure.strerror}。", status=503
                ) from failure
            known[number] = run
            began = asyncio.Event()
            self._hearing = asyncio.create_task(self._hear(run, self._process, began), name="run")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(began.wait(), BEGIN_S)
            if run.state == FAILED and not run.told:
                del known[number]
                await asyncio.to_thread(shutil.rmtree, run.folder, ignore_errors=True)
                mistakes = run.result.get("mistakes")
                raise RunRefused(
                    f"The story {story} cannot be played: {run.why}", f"脚本“{story}”无法运行:{run.why}",
                    status=422, details=mistakes,
                )  # fmt: skip
            await self._prune(known)
            return run

    async def ask(self, number: int, what: Mapping[str, Any]) -> Run:
        """Pass something on to a run that goes on.

        Raises:
            RunRefused: It does not go on.
        """
        run = self.must_go(await self.find(number), number)
        assert self._process is not None
        assert self._process.stdin is not None
        with contextlib.suppress(ConnectionError):  # It ended just now; its last line says how.
            self._process.stdin.write(json.dumps(what).encode() + b"\n")
            await self._process.stdin.drain()
        if what["do"] == "speed":
            run.speed = what["speed"]
        if what["do"] == "stop" and self._hearing is not None:
            await asyncio.wait({self._hearing}, timeout=STOP_S)
        return run

    def must_go(self, run: Run | None, number: int) -> Run:
        """Give a run that goes on.

        Raises:
            RunRefused: There is none of that number, or it is over.
        """
        if run is None:
            raise RunRefused(f"There is no run {number}.", f"没有第 {number} 次试验。", status=404)
        if run.state not in OPEN:
            raise RunRefused(f"Run {number} is over.", f"第 {number} 次试验已结束。")
        return run

    async def close(self) -> None:
        """End what goes on; the process ends by itself as well when its input does."""
        if self._process is not None and self._process.returncode is None:
            self._process.terminate()
        if self._hearing is not None:
            await asyncio.wait({self._hearing}, timeout=STOP_S)

    # ------------------------------------------------------------------ inside

    async def _hear(self, run: Run, process: asyncio.subprocess.Process, began: asyncio.Event) -> None:
        """Take what a run says until it ends."""
        assert process.stdout is not None
        assert process.stderr is not None
        words = asyncio.create_task(_last_words(process.stderr))
        try:
            async for line in process.stdout:
                self._take(run, json.loads(line))
                began.set()
        except ValueError:  # A line that is too long or no JSON: nothing of ours.
            log.exception("run.garbled", number=run.number)
            process.kill()
        code = await process.wait()
        said = await words
        if run.state in OPEN:
            run.state, run.why = FAILED, said[-WORDS_MAX:] or f"the process ended with {code}"
            log.warning("run.failed", number=run.number, story=run.story, code=code, said=said)
        run.ended_ns = self._clock.wall_ns()
        began.set()
        kept = {**run.whole(), "begun_ns": run.begun_ns, "ended_ns": run.ended_ns, "result": run.result}
        with contextlib.suppress(OSError):  # Refused ones have no folder any more.
            await asyncio.to_thread(
                (run.folder / KEPT_FILE).write_text, json.dumps(kept, ensure_ascii=False), encoding="utf-8"
            )

    def _take(self, run: Run, said: dict[str, Any]) -> None:
        match said["kind"]:
            case "begun":
                run.state, run.told, run.faults = RUNNING, said, list(said["faults"])
            case "now":
                run.events.extend(said.pop("events"))
                run.now = said
            case "fault":
                run.faults.append(said["fault"])
            case "done":
                run.state, run.result = DONE, said["result"]
                run.now["expectations"] = [
                    {**each, "standing": "met" if each["passed"] else "missed"} for each in run.result["expectations"]
                ]
            case "stopped":
                run.state = STOPPED
            case _:  # refused
                run.state, run.result = FAILED, {"mistakes": said["mistakes"]}
                run.why = said["mistakes"][0]

    async def _known(self) -> dict[int, Run]:
        """Give the runs by number; read from their files at the first time."""
        if self._runs is None:
            found = await asyncio.to_thread(_read, self._folder)
            if self._runs is None:
                self._runs = found
        return self._runs

    async def _prune(self, known: dict[int, Run]) -> None:
        for number in sorted(known)[:-KEPT]:
            await asyncio.to_thread(shutil.rmtree, known.pop(number).folder, ignore_errors=True)


async def _last_words(stream: asyncio.StreamReader) -> str:
    """Read all of a stream, and keep its end."""
    kept = b""
    while part := await stream.read(4096):
        kept = (kept + part)[-WORDS_MAX:]
    return kept.decode(errors="replace").strip()


def _read(folder: Path) -> dict[int, Run]:
    """Read what runs before this start of the gateway came to; what was cut off has left nothing to show."""
    found: dict[int, Run] = {}
    for path in sorted(folder.glob(f"*/{KEPT_FILE}")):
        try:
            kept = json.loads(path.read_text(encoding="utf-8"))
            run = Run(
                number=kept["number"], story=kept["story"], seed=kept["seed"], speed=kept["speed"],
                begun_ns=kept["begun_ns"], begun_by=kept["begun_by"], folder=path.parent, state=kept["state"],
                ended_ns=kept["ended_ns"], why=kept["why"], told=kept, now=kept, faults=kept["faults"],
                events=deque(kept["events"], maxlen=EVENTS_MAX), result=kept["result"],
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("run.unreadable", path=path.parent.name)
            continue
        found[run.number] = run
    return found
