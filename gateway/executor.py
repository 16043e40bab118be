"""Executor: the port through which blocking work leaves the event loop.

Under the manual clock the work runs inline, so that one seed is one run.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol, TypeVar

T = TypeVar("T")


class Executor(Protocol):
    """Runs blocking functions, one after the other."""

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function and give what it returns or raises."""
        ...

    def close(self) -> None:
        """Wait for what runs and stop."""
        ...


class ThreadExecutor:
    """One thread of its own: order is kept, the loop is never blocked."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function in the thread."""
        return await asyncio.get_running_loop().run_in_executor(self._pool, function)

    def close(self) -> None:
        """Wait for what runs and stop the thread."""
        self._pool.shutdown(wait=True)


class InlineExecutor:
    """No thread at all: for the manual clock."""

    async def run(self, function: Callable[[], T]) -> T:
        """Run a function at once."""
        await asyncio.sleep(0)
        return function()

    def close(self) -> None:
        """Nothing to stop."""
