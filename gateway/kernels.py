"""Kernels: which backend judges, and making its compiled code ready in a thread while the other one judges already.

Flow: serve -> [choose] -> gateway starts on NumPy -> [warm] in a thread -> desk goes on with machine code -> ready
Why: on a machine that has not compiled before, it takes seconds; no scan is to wait for them.
Never: keeps a site from starting. Where the compiler fails, array code goes on judging, and the log says so.

The cache of machine code stands in the data folder, which belongs to the gateway alone: loading it is running it.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

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
    """Compile the kernels, or fetch them from the cache, by judging one sample."""
    from numba import config  # noqa: PLC0415  # Importing numba takes a second; small sites do without.

    folder = data / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
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
