"""Which core works for whom, so that a simulator's work is never taken for that of who is measured.

Where there are two, who is measured has the first that this process may use and the simulator the last.
"""

import contextlib
import os
from collections.abc import Iterator


def cores() -> tuple[int, int] | None:
    """Give the measured one's core and the simulator's; None where there is one core or the system does not say."""
    if not hasattr(os, "sched_getaffinity"):
        return None
    mine = sorted(os.sched_getaffinity(0))
    return (mine[0], mine[-1]) if len(mine) > 1 else None


def keep_apart(simulator: int, found: tuple[int, int] | None) -> None:
    """Put a simulator's process onto its own core, where there are ``cores``."""
    if found is not None:
        os.sched_setaffinity(simulator, {found[1]})


@contextlib.contextmanager
def on_the_first(found: tuple[int, int] | None) -> Iterator[None]:
    """Stay on the measured one's core while the body runs, as do processes that it starts."""
    if found is None:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {found[0]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
