"""Checking: at most so many passwords at once, and at most so many people waiting for it.

Why: a hash takes 64 MiB and 50 ms of a core by intent; a flood of log-ins must cost neither the memory nor the road.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from gateway.api.answer import ApiError

#: Passwords checked at once; each takes 64 MiB and 50 ms of a core.
CHECKS_MAX = 2
#: Log-ins that may wait for that.
WAITING_MAX = 16


@dataclass(slots=True)
class Checking:
    """The turns of those who show a password."""

    _turns: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CHECKS_MAX))
    _waiting: int = 0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn.

        Raises:
            ApiError: 429, too many wait already.
        """
        if self._waiting >= WAITING_MAX:
            raise ApiError(429, "Too many log-ins at once; try again in a moment.", headers={"retry-after": "2"})
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1
