"""Runs: a page for testers: choose a plant and a story, start, speed up, inject a fault, watch, take the report.

Why: a run is a process of its own with a site of its own; nothing here touches the plant that the gateway watches.
"""

import asyncio
import math
from typing import Annotated, Any, Final

from fastapi import Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from gateway.api.answer import ApiError, Json, not_found
from gateway.api.asked import Nothing
from gateway.api.door import ALL, DRILL, Doors, user_of
from gateway.api.house import Act
from gateway.runs.keeper import SEED_MAX, SPEED_MOST, Run, RunRefused

AT: Final = "/api/v1/runs"
FAULT_S_MOST: Final = 86_400.0
REPORT: Final = "report.html"
#: Files of a run that may be taken, by what they are.
FILES: Final = {
    REPORT: "text/html",
    "result.json": "application/json",
    "events.jsonl": "application/x-ndjson",
    "recording.jsonl": "application/x-ndjson",
    "samples.csv": "text/csv",
    "labels.csv": "text/csv",
    "picture.svg": "image/svg+xml",
}

Number = Annotated[int, Path(ge=1, le=2**31)]


class Start(BaseModel):
    """Which story, the number that fixes luck (drawn without one), and how fast at most; 0 as fast as it can."""

    model_config = ConfigDict(extra="forbid")
    story: str = Field(min_length=1, max_length=128)
    seed: int | None = Field(default=None, ge=0, le=SEED_MAX)
    speed: float = Field(default=60.0, ge=0, le=SPEED_MOST, allow_inf_nan=False)


class Speed(BaseModel):
    """How many times real time at most; 0 as fast as it can."""

    model_config = ConfigDict(extra="forbid")
    speed: float = Field(ge=0, le=SPEED_MOST, allow_inf_nan=False)


class Inject(BaseModel):
    """What goes wrong with which instrument or source from now on, how much, and for how long."""

    model_config = ConfigDict(extra="forbid")
    kind: str = Field(min_length=1, max_length=32)
    target: str = Field(min_length=1, max_length=128)
    amount: float = Field(default=0.0, allow_inf_nan=False)
    for_s: float = Field(default=FAULT_S_MOST, gt=0, le=FAULT_S_MOST, allow_inf_nan=False)


def open_run_doors(doors: Doors) -> None:
    """Declare them."""
    house = doors.house

    async def listed() -> Response:
        """List runs, the newest first, the kinds of faults, and what plants and stories there are."""
        stories = await house.drills.stories()
        kinds = await asyncio.to_thread(_kinds)
        return Json(
            {
                "runs": [run.brief() for run in await house.runs.listed()],
                "stories": [
                    {"name": each.name, "title": each.title, "plant": each.plant, "lasts_s": each.lasts_s,
                     "own": each.is_own, "mistake": each.mistake}
                    for each in stories
                ],
                "faults": kinds,
            }
        )  # fmt: skip

    async def one(run: Number) -> Response:
        """Give one run: how its expectations stand, what rang, its instruments and faults."""
        return Json((await _find(doors, run)).whole())

    async def report(run: Number) -> Response:
        """Give the report of a run that is done: one HTML file, complete in itself."""
        return await _file(doors, run, REPORT)

    async def file(run: Number, name: Annotated[str, Path(max_length=32)]) -> Response:
        """Give a file of a run that is done."""
        return await _file(doors, run, name)

    doors.open("GET", AT, ALL, listed, tag="runs")
    doors.open("GET", f"{AT}/{{run}}", ALL, one, tag="runs")
    doors.open("GET", f"{AT}/{{run}}/report", ALL, report, tag="runs")
    doors.open("GET", f"{AT}/{{run}}/files/{{name}}", ALL, file, tag="runs")
    _open_acts(doors)


def _open_acts(doors: Doors) -> None:
    house = doors.house

    async def note(request: Request, what: str, **facts: Any) -> None:  # noqa: ANN401  # JSON values
        act = Act(who=user_of(request).name, what=what, time_ns=house.clock.wall_ns(), facts=facts)
        await house.write(lambda _: None, act)

    async def start(asked: Start, request: Request) -> Response:
        """Start a run: one at a time, in a process of low priority."""
        path = await house.drills.file_of(asked.story)
        if path is None:
            raise not_found("story", asked.story)
        try:
            run = await house.runs.start(asked.story, path, asked.seed, asked.speed, user_of(request).name)
        except RunRefused as refusal:
            raise _refused(refusal) from None
        await note(request, "run_started", run=run.number, story=run.story, seed=run.seed)
        return Json(run.whole())

    async def speed(run: Number, asked: Speed) -> Response:
        """Let it go faster or slower."""
        return Json((await _ask(doors, run, {"do": "speed", "speed": asked.speed})).whole())

    async def fault(run: Number, asked: Inject, request: Request) -> Response:
        """Inject a fault now; refused for what is no simulated instrument of this run."""
        going = await house.runs.find(run)
        try:
            going = house.runs.must_go(going, run)
        except RunRefused as refusal:
            raise _refused(refusal) from None
        said = await asyncio.to_thread(_why_not, going, asked)
        if said is not None:
            raise ApiError(422, said[0], details={"en": said[0], "zh": said[1]})
        what = {"do": "fault", "kind": asked.kind, "target": asked.target, "amount": asked.amount, "for_s": asked.for_s}
        going = await _ask(doors, run, what)
        await note(request, "fault_injected", run=run, fault=asked.kind, target=asked.target)
        return Json(going.whole())

    async def stop(run: Number, request: Request, asked: Nothing | None = None) -> Response:  # noqa: ARG001 - refuses a body
        """End it; what was not played to its end has no report."""
        stopped = await _ask(doors, run, {"do": "stop"})
        await note(request, "run_stopped", run=run)
        return Json(stopped.whole())

    doors.open("POST", f"{AT}/start", DRILL, start, tag="runs")
    doors.open("POST", f"{AT}/{{run}}/speed", DRILL, speed, tag="runs")
    doors.open("POST", f"{AT}/{{run}}/fault", DRILL, fault, tag="runs")
    doors.open("POST", f"{AT}/{{run}}/stop", DRILL, stop, tag="runs")


async def _find(doors: Doors, number: int) -> Run:
    run = await doors.house.runs.find(number)
    if run is None:
        raise not_found("run", str(number))
    return run


async def _ask(doors: Doors, number: int, what: dict[str, Any]) -> Run:
    try:
        return await doors.house.runs.ask(number, what)
    except RunRefused as refusal:
        raise _refused(refusal) from None


async def _file(doors: Doors, number: int, name: str) -> Response:
    run = await _find(doors, number)
    path = run.folder / name
    if name not in FILES or run.state != "done" or not await asyncio.to_thread(path.is_file):
        raise not_found("file", name)
    shown = f"{run.story}-{run.seed}-{name}"
    return FileResponse(path, media_type=FILES[name], filename=shown, content_disposition_type="attachment")


def _kinds() -> list[dict[str, Any]]:
    from simulators.instrument.fault import LINE_KINDS, VALUE_KINDS  # noqa: PLC0415  # only when asked for

    return [
        {"kind": name, "of": of, "takes_amount": bool(kind.amount),
         "least": kind.least if math.isfinite(kind.least) else None,
         "most": kind.most if math.isfinite(kind.most) else None}
        for of, kinds in (("tag", VALUE_KINDS), ("source", LINE_KINDS))
        for name, kind in kinds.items()
    ]  # fmt: skip


def _why_not(run: Run, asked: Inject) -> tuple[str, str] | None:
    from simulators.instrument.fault import Fault, why_not  # noqa: PLC0415  # only when asked for

    def end(value: float | None) -> float:
        return math.nan if value is None else value

    ends = {one["tag"]: (end(one["range"][0]), end(one["range"][1])) for one in run.told.get("instruments", ())}
    fault = Fault(kind=asked.kind, target=asked.target, from_s=0.0, until_s=asked.for_s, amount=asked.amount)
    return why_not(fault, ends, run.told.get("sources", ()))


def _refused(refusal: RunRefused) -> ApiError:
    details = {**refusal.said, **({} if refusal.details is None else {"mistakes": refusal.details})}
    return ApiError(refusal.status, refusal.said["en"], details=details)
