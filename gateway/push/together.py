"""Together: writes of one lane that come while another is under way go in one transaction.

Why: eight connections that each wait for a durable commit of their own share the one writer with the ticks of a flood;
    what came meanwhile is written with one commit instead of eight.
Never: tells anybody that it is done before it is durable.
"""

import asyncio
from collections.abc import Awaitable, Callable

from sqlalchemy import Connection

Keep = Callable[[Connection], None]


class Together:
    """Writes what comes in as few transactions as the writer's pace allows.

    Args:
        write: Runs a function in one transaction of the single writer.
    """

    def __init__(self, write: Callable[[Keep], Awaitable[None]]) -> None:
        self._write = write
        self._waiting: list[tuple[Keep, asyncio.Future[None]]] = []
        self._is_writing = False

    async def do(self, keep: Keep) -> None:
        """Run a write; return when it is durable. A failure is everybody's whose write was in the transaction."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((keep, done))
        if not self._is_writing:
            self._is_writing = True
            try:
                while self._waiting:
                    await self._write_all()
            finally:
                self._is_writing = False
        await done

    async def _write_all(self) -> None:
        batch, self._waiting = self._waiting, []

        def keep_all(connection: Connection) -> None:
            for keep, _ in batch:
                keep(connection)

        try:
            await self._write(keep_all)
        except asyncio.CancelledError:
            for _, done in batch + self._waiting:
                done.cancel()
            self._waiting = []
            raise
        except Exception as failure:  # noqa: BLE001 - passed on to each whose write it was
            for _, done in batch:
                if not done.done():
                    done.set_exception(failure)
        else:
            for _, done in batch:
                if not done.done():
                    done.set_result(None)
