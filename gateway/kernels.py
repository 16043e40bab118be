"""Kernels: which backend judges, and making its compiled code ready beside the road while the other one judges already.

Flow: serve -> [choose] -> gateway starts on NumPy -> [warm] in a process, then a thread -> machine code -> ready
Why: on a machine that has not compiled before, it takes seconds; no scan is to wait for them.
Never: keeps a site from starting. Where the compiler fails, array code goes on judging, and the log says so.

The cache of machine code stands in the data folder, which belongs to the gateway alone: loading it is running it.
"""

import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

import numpy as np

from alerting import core
from alerting.core import expire
from alerting.core.backend import Backend, is_compiler_here, make_taker
from alerting.core.batch import Batch
from alerting.core.guard import Guard
from alerting.core.memory import Memory
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from edge.model import Tag, TagTable

VARIABLE = "FENGSUI_BACKEND"
TAGS_MIN = 1_000  # Below, array code judges a tick in less time than it takes to load a compiler.
FOLDER = "kernels"
MADE = "made"  # Says what the cache holds.


class UnknownBackendError(ValueError):
    """``FENGSUI_BACKEND`` names no backend."""


def choose(environ: Mapping[str, str], tags: int) -> Backend:
    """Choose the backend of a site: what the environment names, else by size and by what is installed.

    Raises:
        UnknownBackendError: It names none, or one that is not installed.
    """
    asked = environ.get(VARIABLE, "")
    if not asked:
        return Backend.COMPILED if tags >= TAGS_MIN and is_compiler_here() else Backend.NUMPY
    if asked not in list(Backend):
        names = " or ".join(Backend)
        raise UnknownBackendError(f"{VARIABLE} is {asked!r}; it is {names}, or empty for the one that fits.")
    if asked == Backend.COMPILED and not is_compiler_here():
        raise UnknownBackendError(
            f"{VARIABLE} is {asked!r}, and numba is not installed. Leave it empty, or install it."
        )
    return Backend(asked)


def warm(data: Path) -> None:
    """Fetch the kernels from the cache by judging one sample; a process of its own compiles them there before.

    A compiler in this process would keep 100 MB for good, and the interpreter from the event loop for seconds.
    """
    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    made, what = folder / MADE, _what_is_compiled()
    if not made.is_file() or made.read_text("utf-8") != what:
        child = [sys.executable, "-m", "gateway.kernels", str(data)]
        done = subprocess.run(child, check=False, stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode == 0:  # Otherwise what is missing is compiled here.
            made.write_text(what, "utf-8")
    judge_one(folder)


def _what_is_compiled() -> str:
    """Name what the cached code was made from and by; other code, interpreter or libraries make it anew."""
    sources = sorted(Path(core.__file__).parent.glob("kernel*.py"))
    stamps = [f"{path.name} {path.stat().st_mtime_ns} {path.stat().st_size}" for path in sources]
    return "\n".join([sys.version, version("numba"), version("numpy"), *stamps])


def judge_one(folder: Path) -> None:
    """Judge one sample in machine code from this cache."""
    from numba import config  # noqa: PLC0415  # Importing numba takes a second; small sites do without.

    config.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    tags = TagTable([Tag(name="t", source="s")])
    held = Rule(id="t.H", tag="t", kind=Kind.H, setpoint=1.0, tier=Tier.BLUE, on_delay_s=60.0)
    table = RuleTable([held, Rule(id="t.STALE", tag="t", kind=Kind.STALE, setpoint=60.0, tier=Tier.BLUE)], tags)
    memory = Memory.fresh(table, 0)
    batch = Batch(
        rows=np.zeros(1, np.int32),
        values=np.ones(1),
        quality=np.zeros(1, np.uint8),
        times_ns=np.ones(1, np.int64),
        first=np.array([0, 1]),
        source=np.zeros(1, np.int32),
        received_ns=np.ones(1, np.int64),
        lateness_ns=np.ones(1, np.int64),
    )
    taken = make_taker(Backend.COMPILED, table, memory, Guard(table))(batch)
    assert taken.is_taken.all(), "one sample of a plain tag"
    for now_ns in (2, 3):  # The first clock reading puts the list of delays together, the next one looks at it.
        expire(table, memory, now_ns)
    memory.take_dirty()


if __name__ == "__main__":
    judge_one(Path(sys.argv[1]) / FOLDER)
