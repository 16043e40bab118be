"""An executor that works at once, for the manual clock.

Why: a thread lives in the machine's time; under ``edge.clock_manual`` nothing may. The whole gateway runs through
``concurrent.futures.Executor`` as its port: a thread in production, this one in simulations.
"""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class InlineExecutor(Executor):
    """Runs each piece of work in ``submit`` itself; the future is complete when it is handed back."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run the work now."""
        future: Future[T] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001  The future hands it to whoever waits, as a thread's would.
            future.set_exception(error)
        return future
