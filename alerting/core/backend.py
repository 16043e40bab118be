"""Backend: how a batch of scans is judged. What comes out is the same; what differs is the time it takes.

NUMPY settles quiet samples in array code and leaves exceptions to ``evaluate``. COMPILED judges exceptions too, in one
pass of machine code; it needs numba, and some seconds to compile on a machine that has not done it before.
"""

from collections.abc import Callable
from enum import StrEnum
from functools import partial
from importlib.util import find_spec
from typing import TypeAlias

from alerting.core.batch import Batch, Taken
from alerting.core.guard import Guard
from alerting.core.memory import Memory
from alerting.model.rule import RuleTable

Taker: TypeAlias = Callable[[Batch], Taken]


class Backend(StrEnum):
    """Name of a backend, as in ``FENGSUI_BACKEND``."""

    NUMPY = "numpy"
    COMPILED = "numba"


def is_compiler_here() -> bool:
    """Tell whether numba is installed."""
    return find_spec("numba") is not None


def make_taker(backend: Backend, table: RuleTable, memory: Memory, guard: Guard) -> Taker:
    """Give what takes batches into one memory."""
    if backend is Backend.NUMPY:
        return partial(guard.take, memory)
    from alerting.core.compiled import Compiled  # noqa: PLC0415  # Importing numba takes longer than a small site needs.

    return Compiled(table, memory, guard).take
