"""Start: how long a process takes until it judges, with and without compiled code in the cache, and what it weighs.

Run in processes of their own, twice over one cache folder: the first is cold, the second warm.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

KB = 1024


def measure_start(tags: int) -> list[dict[str, Any]]:
    """Measure a cold and a warm start."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "PYTHONPYCACHEPREFIX": folder}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)
        command = [sys.executable, "-m", "gateway.bench.core.start", str(tags), folder]
        told = [
            json.loads(subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout)
            for _ in range(2)
        ]
    return [
        {"case": case, "tags": tags, "backend": "numba", **each}
        for case, each in zip(("start, cold cache", "start, warm cache"), told, strict=True)
    ]


def main(tags: int, folder: Path) -> dict[str, Any]:
    """Start once, in this process."""
    began = perf_counter()
    from alerting.core.backend import Backend  # noqa: PLC0415  # Importing is a part of what is measured.
    from alerting.desk import Desk  # noqa: PLC0415
    from alerting.model.rule import RuleTable  # noqa: PLC0415
    from gateway.bench.core.plant import QUIET, START_NS, S, make_parts, scans_of_tick  # noqa: PLC0415
    from gateway.intake import Intake  # noqa: PLC0415
    from gateway.kernels import warm  # noqa: PLC0415
    from gateway.turn import take_turn  # noqa: PLC0415

    imported = perf_counter()
    warm(folder)
    compiled = perf_counter()
    rules, names, sources = make_parts(tags, 100)
    loaded = perf_counter()
    table = RuleTable(rules, names)
    built = perf_counter()
    del rules  # As the loader does: a table has them in a form of its own.
    desk = Desk("bench", table, [], [], START_NS, backend=Backend.COMPILED)
    intake = Intake(sources, names)
    import numpy as np  # noqa: PLC0415

    dice = np.random.default_rng(1)
    ticks = [list(scans_of_tick(dice, tags, 100, number, QUIET)) for number in (1, 2)]
    made = perf_counter()
    take_turn(desk, intake, ticks[0], [], START_NS + S)
    judged = perf_counter()
    take_turn(desk, intake, ticks[1], [], START_NS + 2 * S)
    return {
        "import_s": round(imported - began, 3),
        "kernels_s": round(compiled - imported, 3),
        "rule_table_s": round(built - loaded, 3),
        "first_tick_s": round(judged - made, 3),
        "second_tick_s": round(perf_counter() - judged, 3),
        "rss_mb": round(_resident_kb() / KB, 1),
    }


def _resident_kb() -> float:
    """Tell how much memory the process holds; what it inherited from its parent's peak does not count."""
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text(encoding="ascii").splitlines() if line.startswith("VmRSS"))
        return float(line.split()[1])
    return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(int(sys.argv[1]), Path(sys.argv[2]))))
