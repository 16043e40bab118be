"""Child: one run in its own process: ``python -m gateway.runs.child STORY --seed N --out DIR``; never called by people.

Flow: JSON lines in (speed, fault, stop) -> play -> JSON lines out (begun, now, done, refused)
Why: it lowers its own priority first, so that the gateway beside it is never the slower one.
"""

import argparse
import json
import os
import queue
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import structlog

from edge.clock import Clock
from edge.clock_system import SystemClock
from edge.load.mistake import ConfigError
from gateway.config import Site
from gateway.simulate.play import Now, play
from gateway.simulate.result import facts, write
from gateway.simulate.stage import set_stage
from simulators.instrument.fault import Fault, why_not
from simulators.scenario import Scenario, stand

NS: Final = 1_000_000_000
NICENESS: Final = 15
TELL_NS: Final = NS // 4  # As often as a person reads.
EVENTS_MAX: Final = 200  # Of one message; a flood is told by its number.


class Stopped(Exception):  # noqa: N818  # no error
    """Somebody asked for the end."""


class Watcher:
    """Whoever looks on from outside: takes what is asked between two steps, holds the pace, tells how it stands."""

    def __init__(self, scenario: Scenario, site: Site, seed: int, speed: float, clock: Clock) -> None:
        self._scenario, self._seed, self._speed, self._clock = scenario, seed, speed, clock
        measured = scenario.kind.make(np.random.default_rng(0)).tags
        rows = site.tags.row_of
        self.ranges = {
            tag: (float(site.tags.range_lo[rows[tag]]), float(site.tags.range_hi[rows[tag]])) for tag in measured
        }
        self.sources = sorted(
            {site.tags[rows[tag]].source for tag in measured} & {source.id for source in site.sources}
        )
        self._asked: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._from_s, self._from_ns = 0.0, clock.monotonic_ns()
        self._told_ns = self._told_events = self._injected = 0

    def listen(self) -> None:
        """Take lines from standard input until it ends; then the parent is gone and so is the run."""
        for line in sys.stdin:
            self._asked.put(json.loads(line))
        self._asked.put({"do": "stop"})

    def each_step(self, time_s: float, now: Now) -> None:
        """Be called after a step."""
        while True:
            left_s = self._left_s(time_s)
            try:
                asked = self._asked.get(timeout=left_s) if left_s > 0 else self._asked.get_nowait()
            except queue.Empty:
                break
            self._take(asked, time_s, now)
        if self._clock.monotonic_ns() - self._told_ns >= TELL_NS or time_s >= self._scenario.lasts_s:
            self._tell(time_s, now)

    def _left_s(self, time_s: float) -> float:
        if not self._speed:
            return 0.0
        passed_s = (self._clock.monotonic_ns() - self._from_ns) / NS
        return (time_s - self._from_s) / self._speed - passed_s

    def _take(self, asked: Mapping[str, Any], time_s: float, now: Now) -> None:
        match asked["do"]:
            case "stop":
                raise Stopped
            case "speed":
                self._speed, self._from_s, self._from_ns = asked["speed"], time_s, self._clock.monotonic_ns()
            case "fault":
                fault = Fault(
                    kind=asked["kind"], target=asked["target"], from_s=time_s, until_s=time_s + asked["for_s"],
                    amount=asked["amount"],
                )  # fmt: skip
                assert why_not(fault, self.ranges, self.sources) is None, "whoever asked has looked"
                self._injected += 1
                now.field.inject(fault, np.random.default_rng((self._seed, self._injected)))
                say({"kind": "fault", "fault": shown(fault)})
            case other:
                raise AssertionError(other)

    def _tell(self, time_s: float, now: Now) -> None:
        seen = now.seen(time_s)
        fresh = seen.events[self._told_events :]
        self._told_ns, self._told_events = self._clock.monotonic_ns(), len(seen.events)
        say(
            {
                "kind": "now",
                "at_s": time_s,
                "expectations": [
                    {"id": each.id, "see": each.see.value, "say": dict(each.say), "standing": standing.value,
                     "seen_s": verdict.seen_s, "why": dict(verdict.why)}
                    for each, (standing, verdict) in zip(
                        self._scenario.expectations, stand(self._scenario.expectations, seen), strict=True
                    )
                ],
                "milestones": dict(sorted(seen.milestones.items(), key=lambda found: found[1])),
                "events": [
                    {"at_s": event.time_s, "event": event.what, "unit": event.unit, "tag": event.tag,
                     "condition": event.condition, "tier": event.tier}
                    for event in fresh[-EVENTS_MAX:]
                ],
                "events_total": len(seen.events),
            }
        )  # fmt: skip


def shown(fault: Fault) -> dict[str, Any]:
    """Give a fault as JSON values."""
    until_s = None if fault.until_s == float("inf") else fault.until_s
    return {"kind": fault.kind, "target": fault.target, "from_s": fault.from_s, "until_s": until_s,
            "amount": fault.amount}  # fmt: skip


def say(what: Mapping[str, Any]) -> None:
    """Say one line to the keeper."""
    sys.stdout.write(json.dumps(what, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Play one story; give the exit code: 0 played or stopped, 2 refused."""
    os.nice(NICENESS)
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    parser = argparse.ArgumentParser()
    parser.add_argument("story", type=Path)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--speed", type=float, default=0.0)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    try:
        scenario, site = set_stage(given.story)
    except ConfigError as wrong:
        say({"kind": "refused", "mistakes": [str(mistake) for mistake in wrong.mistakes]})
        return 2
    # The gateway ends: unwound like any other end, so that what lies in memory goes too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    clock = SystemClock()
    watcher = Watcher(scenario, site, given.seed, given.speed, clock)
    threading.Thread(target=watcher.listen, daemon=True).start()
    say(
        {
            "kind": "begun",
            "lasts_s": scenario.lasts_s,
            "title": dict(scenario.title),
            "instruments": [
                {"tag": tag, "title": site.tags[site.tags.row_of[tag]].title, "eu": site.tags[site.tags.row_of[tag]].eu,
                 "range": [end if np.isfinite(end) else None for end in ends]}
                for tag, ends in watcher.ranges.items()
            ],
            "sources": watcher.sources,
            "milestone_titles": {name: dict(title) for name, title in scenario.kind.milestones.items()},
            "faults": [shown(fault) for fault in scenario.faults],
        }
    )  # fmt: skip
    memory = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
    data = Path(tempfile.mkdtemp(prefix="fengsui-run-", dir=memory if memory.is_dir() else None))
    try:
        played = play(
            scenario, site, given.seed, data, clock, record=given.out / "recording.jsonl", each_step=watcher.each_step
        )
        write(played, given.out)
        say({"kind": "done", "result": facts(played)})
    except ConfigError as wrong:  # Of the lists beside the site file.
        say({"kind": "refused", "mistakes": [str(mistake) for mistake in wrong.mistakes]})
        return 2
    except Stopped:
        say({"kind": "stopped"})
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
