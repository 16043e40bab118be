"""How much processor time each stage of a simulation takes, beside a yardstick of the same run.

Run: ``python -m benchmarks.pace [--seconds 600] [--most RATIO] [--json]``

A quiet second of the demonstration plant, whole gateway and transactions as live, is told in microseconds of processor
time by stage, and as a multiple of the time that a thousand array operations on ten numbers take on this machine just
now. The multiple is what may be compared: load and clock rates shift both. With ``--most`` the exit code is 1 where it
is above. Processor time is read twice, after ten seconds of the story and at its end, and shared among the stages by
their real time: to read it costs more than a stage, and the gateway's start is no second of a story.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import structlog

from edge.clock import Clock
from edge.clock_system import SystemClock
from gateway.cli_simulate import read_story
from gateway.simulate.play import ALONE, Now, Played, play


class OfProcess:
    """A clock that runs while this process works: what others do on the machine is not counted."""

    def wall_ns(self) -> int:
        """As below."""
        return time.process_time_ns()

    def monotonic_ns(self) -> int:
        """Give the processor time of this process, ns."""
        return time.process_time_ns()


ROUNDS = 3  # The best counts; what disturbs a run only ever makes it longer.
WARM_S = 10
STORY = 'title = {{ en = "Quiet demonstration", zh = "平静的演示" }}\nlasts_s = {seconds}\n'


def yardstick_us(clock: Clock) -> float:
    """Give what a thousand operations on arrays of ten numbers take, µs; the median of a few goes."""
    column, flags = np.arange(10.0), np.zeros(10, dtype=np.bool_)
    found = []
    for _ in range(15):
        began_ns = clock.monotonic_ns()
        for _ in range(200):
            flags = column > column[4]
            column = np.where(flags, column, column)
            column = column[np.flatnonzero(column >= column[0])]
            flags.any()
        found.append((clock.monotonic_ns() - began_ns) / 1e3)
    return statistics.median(found)


def run(seconds: int, folder: Path, clock: Clock) -> tuple[Played, float]:
    """Play a quiet stretch of the demonstration plant once; give the processor time of a second of it, µs, as well."""
    path = folder / "quiet.toml"
    path.write_text(STORY.format(seconds=seconds), encoding="utf-8")
    one, site = read_story(str(path))
    data = Path(tempfile.mkdtemp(dir=folder))
    at_ns: dict[float, int] = {}

    def look(time_s: float, _now: Now) -> None:
        if time_s in (WARM_S, seconds):
            at_ns[time_s] = clock.monotonic_ns()

    try:
        played = play(one, site, one.seed, data, SystemClock(), record=data / "recording.jsonl", each_step=look)
    finally:
        shutil.rmtree(data, ignore_errors=True)
    return played, (at_ns[seconds] - at_ns[WARM_S]) / 1e3 / (seconds - WARM_S)


def measure(seconds: int) -> dict[str, Any]:
    """Measure some rounds; the one whose multiple of the yardstick is least is told."""
    clock, shm = OfProcess(), Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
    folder = Path(tempfile.mkdtemp(dir=shm if shm.is_dir() else None))
    found: list[dict[str, Any]] = []
    try:
        for _ in range(ROUNDS):
            before = yardstick_us(clock)
            played, second_us = run(seconds, folder, clock)
            yard_us = (before + yardstick_us(clock)) / 2
            assert not any(played.balances.values()), played.balances
            spent_s = {name: s for name, s in played.spent_s.items() if name != ALONE}
            stages = {name: s / sum(spent_s.values()) * second_us for name, s in spent_s.items()}
            found.append(
                {
                    "pace": round(1e6 / second_us, 1),
                    "second_us": round(second_us),
                    "yardstick_us": round(yard_us),
                    "ratio": round(second_us / yard_us, 3),
                    "stages_us": {name: round(us, 1) for name, us in stages.items()},
                    "samples": played.samples,
                }
            )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    best = min(found, key=lambda each: float(each["ratio"]))
    return {**best, "seconds": seconds, "machine": platform.machine(), "load": round(os.getloadavg()[0], 1)}


def main() -> int:
    """Print the table, and judge the ratio where a bound is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--most", type=float, default=None)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    told = measure(asked.seconds)
    if asked.json:
        print(json.dumps(told))
    else:
        for name, us in told["stages_us"].items():
            print(f"{name:<24}{us:>9.0f} µs a second of the story")
        print(
            f"{told['pace']} times real time if undisturbed, load {told['load']}; a second takes "
            f"{told['second_us']} µs, {told['ratio']} times the yardstick of {told['yardstick_us']} µs"
        )
    return int(asked.most is not None and told["ratio"] > asked.most)


if __name__ == "__main__":
    sys.exit(main())
