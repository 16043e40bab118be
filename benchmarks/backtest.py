"""A backtest of many tags over a long time: wall time, processor time, memory.

Run: python -m benchmarks.backtest [--tags 1000] [--days 365] [--alarms 150] [--advice] [--folder DIR]
Prints one JSON object; absolute times belong to this machine and its load.

Signal: a day's swing and a slow walk well inside the limits, a sample a minute, wide CSV with three decimals; so many
excursions a day (two to ten minutes beyond H) on tags of luck. Each tag has LL, L, H, HH with deadband and an on-delay
of a minute, STALE and BAD. Ten days are made and repeated with times that go on.
"""

import argparse
import json
import os
import platform
import resource
import tempfile
from pathlib import Path

import numpy as np

from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.clock_system import SystemClock
from edge.config import MqttOptions, Source
from edge.model import Tag, TagTable
from gateway.backtest.run import Asked, backtest
from gateway.config import Site

T0_S = 1_767_225_600
DAY = 1_440  # minutes
REPEATED_DAYS = 10
LIMITS = ((Kind.LL, 20, Tier.ORANGE), (Kind.L, 30, Tier.YELLOW), (Kind.H, 70, Tier.YELLOW), (Kind.HH, 80, Tier.ORANGE))
SOURCES = 5


def make_site(tags: int) -> Site:
    """Give a site of tags with six rules each."""
    table = TagTable([Tag(name=f"T{t:04d}.v", source=f"s{t % SOURCES}", unit=f"U{t % 50}") for t in range(tags)])
    rules = []
    for tag in table:
        rules += [
            Rule(
                id=f"{tag.name}.{kind.name}",
                tag=tag.name,
                kind=kind,
                setpoint=setpoint,
                tier=tier,
                deadband=1,
                on_delay_s=60,
            )
            for kind, setpoint, tier in LIMITS
        ]
        rules += [
            Rule(id=f"{tag.name}.{kind.name}", tag=tag.name, kind=kind, setpoint=180, tier=Tier.BLUE)
            for kind in (Kind.STALE, Kind.BAD)
        ]
    return Site(
        id="bench",
        title={"en": "Bench", "zh": "测量"},
        timezone="UTC",
        sources=tuple(Source(id=f"s{s}", protocol="mqtt", mqtt=MqttOptions(host="127.0.0.1")) for s in range(SOURCES)),
        tags=table,
        units=tuple(HazardUnit(id=f"U{u}") for u in range(50)),
        rules=RuleTable(rules, table),
    )


def make_recording(path: Path, names: tuple[str, ...], days: int, alarms: int) -> None:
    """Write the recording."""
    luck, k = np.random.default_rng(1), len(names)
    phase, walk, lines = luck.uniform(0, 2 * np.pi, k), np.zeros(k), []
    at = who = length = np.empty(0, np.int64)
    for minute in range(min(days, REPEATED_DAYS) * DAY):
        if minute % DAY == 0:
            at, who = luck.integers(0, DAY - 10, alarms), luck.integers(0, k, alarms)
            length = luck.integers(2, 10, alarms)
        walk = 0.98 * walk + luck.normal(0, 0.5, k)
        values = 50 + 8 * np.sin(minute / DAY * 2 * np.pi + phase) + walk
        is_on = (at <= minute % DAY) & (minute % DAY < at + length)
        values[who[is_on]] = 74 + walk[who[is_on]]
        lines.append(",".join([f"{value:.3f}" for value in values]))
    with path.open("w", encoding="ascii") as file:
        file.write(",".join(["time", *names]) + "\n")
        for minute in range(days * DAY):
            file.write(f"{T0_S + 60 * minute},{lines[minute % len(lines)]}\n")


def main() -> None:
    """Make a recording, carry it, say what it cost."""
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    asked.add_argument("--tags", type=int, default=1_000)
    asked.add_argument("--days", type=int, default=365)
    asked.add_argument("--alarms", type=int, default=150)
    asked.add_argument("--advice", action="store_true")
    asked.add_argument("--folder", type=Path)
    given = asked.parse_args()
    site, clock = make_site(given.tags), SystemClock()
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        path = Path(folder) / "recording.csv"
        make_recording(path, site.tags.names, given.days, given.alarms)
        begin_ns = clock.monotonic_ns()
        result = backtest(site, Asked(recording=path, with_advice=given.advice))
        wall_s = (clock.monotonic_ns() - begin_ns) / 1e9
        size = path.stat().st_size
    own, reader = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(
        json.dumps(
            {
                "case": "backtest",
                "tags": given.tags,
                "days": given.days,
                "samples": result["samples"],
                "alarms": result["load"]["alarms"],
                "file_mb": round(size / 1e6),
                "wall_s": round(wall_s, 1),
                "ns_per_sample": round(wall_s * 1e9 / result["samples"], 1),
                "reader_cpu_s": round(reader.ru_utime + reader.ru_stime, 1),
                "memory_mb": round(own.ru_maxrss / 1024),
                "reader_memory_mb": round(reader.ru_maxrss / 1024),
                "load_average": os.getloadavg()[0],
                "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}",
            }
        )
    )


if __name__ == "__main__":
    main()
