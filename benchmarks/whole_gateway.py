"""The whole gateway under a plant of Modbus devices: ``fengsui run`` as a process, all stages on.

Run: python -m benchmarks.whole_gateway [--devices 100] [--period 1] [--seconds 60] [--limits] [--keep DIR] [--json]
Prints what it cost: processor time of gateway and simulator apart, memory, what was kept of the rate, the jitter of the
samples as the historian kept them, and how many alarms rang. It exits with 1 where one rang or a sample was lost.

Flow: simulators.devices.many (a core of its own) <- TCP -> fengsui run (another process) -> /metrics, history.db
Why: collectors alone are a part of the road; what a plant costs is what all of it costs. Each device has 1,000 float32
    at random even addresses of 0 to 7,999 (seed 1), so ``fengsui plan DIR/site.toml`` prints some 62 requests each.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import re
import signal
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

import numpy as np

from edge.clock_system import SystemClock
from gateway.bench.cores import cores, on_the_first
from gateway.bench.modbus import poll
from gateway.historian.embedded import EmbeddedHistorian
from gateway.load import load
from simulators.ports import free_ports

READY_S: Final = 300.0
SETTLE_S: Final = 10.0
END_S: Final = 120.0
TICKS: Final = os.sysconf("SC_CLK_TCK")

_SITE: Final = (
    '[site]\nid = "bench"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[http]\nport = {port}\n[[unit]]\nid = "U"\n'
)
_SOURCE: Final = (
    '[[source]]\nid = "d{at}"\nprotocol = "modbus-tcp"\nnature = "test"\nhost = "127.0.0.1"\nport = {port}\n'
    "gap_max = {gap}\n"
)


class WholeError(Exception):
    """The gateway did not start, or ended."""


def write_site(folder: Path, ports: list[int], page: int, period_s: float, *, has_limits: bool) -> Path:
    """Write the plant as a site; every tag has its STALE and BAD alarm, as by default."""
    rows = ["tag,source,unit,period_s,register,type" + (",L,H" if has_limits else "")]
    limits = ",-1e38,1e38" if has_limits else ""
    rows += [
        f"{tag.name},{tag.source},U,{period_s:g},{tag.address['register']},float32{limits}"
        for tag in poll.tags_of_plant(len(ports), period_s)
    ]
    (folder / "tags.csv").write_text("\n".join(rows) + "\n", "utf-8")
    sources = [_SOURCE.format(at=at, port=port, gap=poll.GAP_MAX) for at, port in enumerate(ports)]
    (folder / "site.toml").write_text(_SITE.format(port=page) + "".join(sources), "utf-8")
    return folder / "site.toml"


async def whole(folder: Path, devices: int, period_s: float, seconds: float, *, has_limits: bool = False) -> Any:  # noqa: ANN401 - what JSON holds
    """Run the gateway against the plant; give what it cost, with the keys of ``poll.plant``.

    Args:
        folder: An empty one, for the site and its data.

    Raises:
        WholeError: It did not start.
    """
    (page,) = free_ports(1)
    async with poll.field_of(devices) as (ports, _):
        site = write_site(folder, ports, page, period_s, has_limits=has_limits)
        simulator = _children(os.getpid())[-1]
        with on_the_first(cores()):
            log = (folder / "log").open("wb")
            child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "gateway.cli", "run", str(site), "--data", str(folder / "data")),
                stdout=log, stderr=log,
            )  # fmt: skip
        try:
            ready_s = await _until_ready(child, page)
            await asyncio.sleep(SETTLE_S)
            from_ns, before = SystemClock().wall_ns(), await metrics(page)
            spent = cpu_s(child.pid), cpu_s(simulator)
            await asyncio.sleep(seconds)
            to_ns, after = SystemClock().wall_ns(), await metrics(page)
            spent_s, simulator_s = cpu_s(child.pid) - spent[0], cpu_s(simulator) - spent[1]
            memory_mb, highest_mb = _memory_mb(child.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(child.wait(), END_S)
            except TimeoutError:
                child.kill()
                await child.wait()
            log.close()
    wall_s = (to_ns - from_ns) / 1e9
    due = devices * poll.TAGS_EACH / period_s
    grown = {name: after[name] - before.get(name, 0.0) for name in after}
    p50_ms, p99_ms = await _jitter_ms(site, folder, devices, period_s, from_ns, to_ns)
    samples = grown['fengsui_stage_out_total{stage="evaluate"}'] / wall_s
    return {
        "requests_per_cycle": sum(v for k, v in grown.items() if k.startswith("fengsui_source_requests_total"))
        / (wall_s / period_s) / devices,
        "samples_per_second": samples,
        "kept_percent": 100 * samples / due,
        "overruns": sum(v for k, v in grown.items() if k.startswith("fengsui_source_overruns_total")),
        "cpu_percent": 100 * spent_s / wall_s,
        "simulator_cpu_percent": 100 * simulator_s / wall_s,
        "jitter_p50_ms": p50_ms,
        "jitter_p99_ms": p99_ms,
        "memory_mb": memory_mb,
        "memory_highest_mb": highest_mb,
        "ready_s": ready_s,
        "alarms": after["fengsui_alarms_listed"],
        "lost": after.get('fengsui_stage_refused_total{reason="lost",stage="historian"}', 0.0),
        "bad": 0,
    }  # fmt: skip


async def _until_ready(child: asyncio.subprocess.Process, page: int) -> float:
    clock = SystemClock()
    began_ns = clock.monotonic_ns()
    while (waited_s := (clock.monotonic_ns() - began_ns) / 1e9) < READY_S:
        if child.returncode is not None:
            raise WholeError(f"fengsui run ended with {child.returncode}; see its log.")
        with contextlib.suppress(OSError):
            await asyncio.to_thread(get, page, "/api/v1/ready")
            return waited_s
        await asyncio.sleep(0.2)
    raise WholeError(f"fengsui run was not ready after {READY_S:g} s.")


def get(page: int, path: str) -> bytes:
    """Ask the gateway on a port of this machine."""
    with urllib.request.urlopen(f"http://127.0.0.1:{page}{path}", timeout=60) as answer:
        told: bytes = answer.read()
        return told


async def metrics(page: int) -> dict[str, float]:
    """Give its metrics by name with labels."""
    text = (await asyncio.to_thread(get, page, "/metrics")).decode()
    return {
        name: float(value) for name, value in re.findall(r"^(fengsui_\S+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)
    }


async def _jitter_ms(
    site: Path, folder: Path, devices: int, period_s: float, from_ns: int, to_ns: int
) -> tuple[float, float]:
    """Read from the historian when the first tag of each device was answered."""
    loaded = load(site)
    kept = EmbeddedHistorian(folder / "data" / "history.db", loaded.tags, SystemClock())
    arrivals = []
    try:
        for at in range(devices):
            row = int(loaded.tags.rows_of_source(f"d{at}")[0])
            series = await kept.range(row, from_ns, to_ns, round((to_ns - from_ns) / 1e9 / period_s) * 2 + 10)
            arrivals.append(series.times_ns[series.count > 0].astype(np.float64) / 1e9)
    finally:
        await kept.close()
    return poll.jitter_ms(arrivals, period_s)


def _children(process: int) -> list[int]:
    found = Path(f"/proc/{process}/task/{process}/children").read_text("ascii").split()
    return [int(each) for each in found]


def cpu_s(process: int) -> float:
    """Give the processor time of a process, s."""
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory_mb(process: int) -> tuple[float, float]:
    status = Path(f"/proc/{process}/status").read_text("ascii")
    now, highest = (re.search(rf"^{key}:\s+(\d+) kB", status, re.MULTILINE) for key in ("VmRSS", "VmHWM"))
    assert now is not None
    assert highest is not None
    return int(now[1]) / 1_024, int(highest[1]) / 1_024


def render(told: dict[str, Any]) -> str:
    """Give the result as text."""
    return (
        f"{told['case']}, {told['at']}, {told['machine']}, load {told['load']}\n"
        f"  {told['samples_per_second']:,.0f} samples/s judged, {told['kept_percent']:.1f} % of the rate kept, "
        f"{told['overruns']:.0f} overruns, {told['requests_per_cycle']:.1f} requests a device and cycle\n"
        f"  processor: gateway {told['cpu_percent']:.0f} % of a core, simulator {told['simulator_cpu_percent']:.0f} %\n"
        f"  memory {told['memory_mb']:.0f} MB, highest {told['memory_highest_mb']:.0f} MB; ready after "
        f"{told['ready_s']:.1f} s\n"
        f"  jitter p50 {told['jitter_p50_ms']:.2f} ms, p99 {told['jitter_p99_ms']:.2f} ms\n"
        f"  alarms that rang {told['alarms']:.0f}, samples that history lost {told['lost']:.0f}"
    )


def main() -> int:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.whole_gateway", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--devices", type=int, default=100, help="of 1,000 tags each")
    parser.add_argument("--period", type=float, default=1.0, help="s")
    parser.add_argument("--seconds", type=float, default=60.0, help="to measure, after the start")
    parser.add_argument("--limits", action="store_true", help="give each tag L and H besides")
    parser.add_argument("--keep", type=Path, default=None, help="leave site and data there")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    told: dict[str, Any] = {
        "case": f"{options.devices * poll.TAGS_EACH:,} float32 of {options.devices} devices at {options.period:g} s",
        "at": str(np.datetime64(SystemClock().wall_ns(), "ns").astype("datetime64[m]")) + "Z",
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }
    with tempfile.TemporaryDirectory(prefix="fengsui-whole-") as spare:
        folder = options.keep or Path(spare)
        folder.mkdir(parents=True, exist_ok=True)
        try:
            found = asyncio.run(
                whole(folder, options.devices, options.period, options.seconds, has_limits=options.limits)
            )
        except WholeError as failure:
            print(failure, file=sys.stderr)
            return 2
    told |= found
    print(json.dumps(told, allow_nan=False) if options.json else render(told))
    return int(bool(told["alarms"] or told["lost"]))


if __name__ == "__main__":
    sys.exit(main())
