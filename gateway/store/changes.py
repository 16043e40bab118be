"""Changes: how often the store was written, for those who would find nothing new in it otherwise.

Flow: transactions of this process, of others -> [count] -> whoever waits for the next
Why: most seconds of a site change nothing; whoever asks the store each second or ten costs a fifth of what they take.
Never: misses what another process wrote for longer than ``AGAIN_S``.
"""

import asyncio
from typing import Final

#: After so long it is looked for what other processes wrote, s.
AGAIN_S: Final = 10.0


class Changes:
    """Counts, and wakes who waits.

    Attributes:
        is_counted: All that write tell it; else nobody may rely on it.
        count: Transactions that wrote something others may wait for.
    """

    def __init__(self, *, is_counted: bool = True) -> None:
        self.is_counted = is_counted
        self.count = 0
        self._waiting: list[tuple[asyncio.AbstractEventLoop, asyncio.Future[None]]] = []

    def tell(self) -> None:
        """Count one more, from any thread."""
        self.count += 1
        waiting, self._waiting = self._waiting, []
        for loop, future in waiting:
            loop.call_soon_threadsafe(_end, future)

    async def wait(self, count: int, most_s: float) -> None:
        """Wait until another count than this stands, at most so long."""
        if self.count != count or most_s <= 0.0:
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._waiting.append((loop, future))
        timer = loop.call_later(most_s, _end, future)
        if self.count != count:  # Told by another thread meanwhile, perhaps before it could see us.
            _end(future)
        try:
            await future
        finally:
            timer.cancel()
            self._waiting = [each for each in self._waiting if each[1] is not future]


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
