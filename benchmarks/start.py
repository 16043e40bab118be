"""How soon ``fengsui run`` judges again: its first start, then starts after kill -9, against a plant of Modbus devices.

Run: python -m benchmarks.start [--devices 10] [--restarts 3] [--json]
Each device has 1,000 tags; ten of the first one are beyond their limit and ring. Prints for each start the seconds and
the processor seconds until a scan was judged, until the kernels judge (``/api/v1/ready``), and the alarms listed before
the kill and at the first judged scan. It exits with 1 where they differ.

Flow: simulators.devices.many (a core of its own) <- TCP -> fengsui run (another process) -> /metrics, kill -9, again
Why: a plant is without its warning for so long. The gateway's own tags are judged before the first device has answered,
    and do not count.
"""

import argparse
import asyncio
import contextlib
import json
import os
import platform
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import whole_gateway as whole
from edge.clock_system import SystemClock
from gateway.bench.cores import cores, on_the_first
from gateway.bench.modbus import poll
from simulators.ports import free_ports

RINGING: Final = 10
OWN_LEAST: Final = 1_000  # Samples that are more than the gateway's own of one look at itself.
SETTLE_S: Final = 20.0
LOOK_S: Final = 0.1


def write_site(folder: Path, ports: list[int], page: int) -> Path:
    """Write the plant as a site whose first tags are beyond their limit."""
    site = whole.write_site(folder, ports, page, 1.0, has_limits=False)
    header, *rows = (folder / "tags.csv").read_text("utf-8").splitlines()
    limits = [row + (",-1e38" if at < RINGING else ",") for at, row in enumerate(rows)]
    (folder / "tags.csv").write_text("\n".join([f"{header},H", *limits]) + "\n", "utf-8")
    return site


async def start(site: Path, page: int) -> tuple[asyncio.subprocess.Process, dict[str, float]]:
    """Start the gateway and follow it until its kernels judge.

    Raises:
        WholeError: It ended, or took too long.
    """
    clock, began_ns = SystemClock(), SystemClock().monotonic_ns()
    told: dict[str, float] = {}
    log = (site.parent / "log").open("ab")
    with on_the_first(cores()):
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "gateway.cli", "run", str(site), "--data", str(site.parent / "data")),
            stdout=log, stderr=log,
        )  # fmt: skip
    log.close()

    def say(what: str) -> None:
        told[f"{what}_s"] = (clock.monotonic_ns() - began_ns) / 1e9
        told[f"{what}_cpu_s"] = whole.cpu_s(child.pid)

    while "ready_s" not in told:
        if child.returncode is not None or clock.monotonic_ns() - began_ns > whole.READY_S * 1e9:
            raise whole.WholeError(f"fengsui run ended with {child.returncode}; see its log.")
        with contextlib.suppress(OSError):
            if "judged_s" not in told:
                metrics = await whole.metrics(page)
                if metrics.get('fengsui_stage_out_total{stage="evaluate"}', 0.0) >= OWN_LEAST:
                    say("judged")
                    told["alarms"] = metrics["fengsui_alarms_listed"]
            else:
                await asyncio.to_thread(whole.get, page, "/api/v1/ready")
                say("ready")
        await asyncio.sleep(LOOK_S)
    return child, told


async def starts(folder: Path, devices: int, restarts: int) -> list[dict[str, float]]:
    """Start once anew and then after each kill; give what each start took."""
    (page,) = free_ports(1)
    found: list[dict[str, float]] = []
    async with poll.field_of(devices) as (ports, _):
        site = write_site(folder, ports, page)
        before = float(RINGING)
        for _ in range(restarts + 1):
            child, told = await start(site, page)
            try:
                await asyncio.sleep(SETTLE_S)
                found.append({**told, "alarms_before": before if found else told["alarms"]})
                before = (await whole.metrics(page))["fengsui_alarms_listed"]
            finally:
                child.send_signal(signal.SIGKILL)
                await child.wait()
    return found


def render(told: dict[str, Any]) -> str:
    """Give the result as text."""
    lines = [f"{told['case']}, {told['at']}, {told['machine']}, load {told['load']}"]
    for at, one in enumerate(told["starts"]):
        lines.append(
            f"  {'after kill -9' if at else 'first start'}: judged after {one['judged_s']:.1f} s "
            f"({one['judged_cpu_s']:.1f} s of processor), kernels after {one['ready_s']:.1f} s; alarms "
            f"{one['alarms_before']:.0f} before, {one['alarms']:.0f} at the first judged scan"
        )
    return "\n".join(lines)


def main() -> int:
    """Read the options, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.start", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--devices", type=int, default=10, help="of 1,000 tags each")
    parser.add_argument("--restarts", type=int, default=3, help="after kill -9")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    options = parser.parse_args()
    told: dict[str, Any] = {
        "case": f"{options.devices * poll.TAGS_EACH:,} float32 of {options.devices} devices at 1 s",
        "at": str(np.datetime64(SystemClock().wall_ns(), "ns").astype("datetime64[m]")) + "Z",
        "machine": f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }
    with tempfile.TemporaryDirectory(prefix="fengsui-start-") as folder:
        try:
            told["starts"] = asyncio.run(starts(Path(folder), options.devices, options.restarts))
        except whole.WholeError as failure:
            print(failure, file=sys.stderr)
            return 2
    print(json.dumps(told, allow_nan=False) if options.json else render(told))
    return int(any(one["alarms"] != one["alarms_before"] for one in told["starts"]))


if __name__ == "__main__":
    sys.exit(main())
