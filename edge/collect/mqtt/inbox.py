"""Bounded hand-over from a network thread to the event loop."""

import asyncio
import threading
from collections import deque

from edge.collect.mqtt.link import Arrival, LinkChange, Message

#: More than the 65,535 unacknowledged messages that MQTT 5 allows: QoS 1 alone never fills it.
MESSAGES_MAX = 100_000
BYTES_MAX = 64 * 1024 * 1024


class Inbox:
    """What arrived and was not yet taken, in order."""

    def __init__(self, messages_max: int = MESSAGES_MAX, bytes_max: int = BYTES_MAX) -> None:
        self._messages_max = messages_max
        self._bytes_max = bytes_max
        self._bytes = 0
        self._arrivals: deque[Arrival] = deque()
        self._room = threading.Condition()
        self._is_woken = False
        self._is_closed = False
        self._some = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def __len__(self) -> int:
        return len(self._arrivals)

    def put(self, message: Message, wait_s: float = 0.0) -> bool:
        """Append a message, from any thread; wait so long for room. False: there was none."""
        size = len(message.payload)
        with self._room:
            if not self._has_room(size) and not (
                wait_s > 0.0 and self._room.wait_for(lambda: self._is_closed or self._has_room(size), wait_s)
            ):
                return False
            self._bytes += size
            self._append(message)
        return True

    def put_change(self, change: LinkChange) -> None:
        """Append a link change, from any thread. Where nobody takes them, only the last two are kept."""
        with self._room:
            if len(self._arrivals) > 1 and all(isinstance(self._arrivals[place], LinkChange) for place in (-1, -2)):
                self._arrivals.pop()
            self._append(change)

    def _has_room(self, size: int) -> bool:
        # An empty inbox takes a message of any size, else a large one would never arrive.
        return not self._arrivals or (
            len(self._arrivals) < self._messages_max and self._bytes + size <= self._bytes_max
        )

    def _append(self, arrival: Arrival) -> None:
        self._arrivals.append(arrival)
        if not self._is_woken and not self._is_closed:
            self._is_woken = True
            self._loop.call_soon_threadsafe(self._some.set)

    async def take(self, count_max: int, bytes_max: int) -> list[Arrival]:
        """Wait until there is something, then take up to so much, at least one."""
        await self._some.wait()
        taken: list[Arrival] = []
        size = 0
        with self._room:
            while self._arrivals and len(taken) < count_max and size < bytes_max:
                arrival = self._arrivals.popleft()
                taken.append(arrival)
                if isinstance(arrival, Message):
                    size += len(arrival.payload)
            self._bytes -= size
            if not self._arrivals:
                self._some.clear()
                self._is_woken = False
            self._room.notify_all()
        return taken

    def close(self) -> None:
        """Let nobody wait for room any more and wake nobody; on the event loop, before it ends."""
        with self._room:
            self._is_closed = True
            self._room.notify_all()
