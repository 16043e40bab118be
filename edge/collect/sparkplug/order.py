"""Order: messages of one edge node in the order of their sequence numbers. Pure.

Flow: message -> [order] -> as it was sent, or given up when what is missing does not come in time
Why: on a cluster of brokers messages of different topics overtake one another (3.0.0, §5.8), and a birth of a device
    that comes before its node's must wait for it.
"""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

Item = TypeVar("Item")

ROUND = 256  # Sequence numbers are 0 to 255, §6.4.3.
AHEAD = 128  # Nearer than half a round ahead: a later one; else an earlier one.
WAITING_MAX = 64  # Messages that wait for one that is missing; more is a gap that nothing will close.


@dataclass(slots=True, kw_only=True)
class Overdue(Generic[Item]):
    """What waited too long.

    Attributes:
        later: Came after what is missing, in order.
        earlier: Cannot be placed: sent before, twice, or in a session whose birth we have not heard.
    """

    later: list[Item] = field(default_factory=list)
    earlier: list[Item] = field(default_factory=list)


class Order(Generic[Item]):
    """What waits for an earlier message, and which number comes next."""

    def __init__(self, wait_ns: int) -> None:
        self._wait_ns = wait_ns
        self._next: int | None = None  # None: no birth yet, so every message waits.
        self._waiting: dict[int, Item] = {}
        self._since_ns = 0

    @property
    def due_ns(self) -> int | None:
        """When what waits is overdue, by the clock that ``offer`` was told; None where nothing waits."""
        return self._since_ns + self._wait_ns if self._waiting else None

    def begin(self, seq: int) -> tuple[list[Item], list[Item]]:
        """Begin with a birth of this number; give what waited for it, in order, and what is of an earlier session."""
        self._next = (seq + 1) % ROUND
        ready = self._ready()
        return ready, self._leave()

    def end(self) -> list[Item]:
        """End the session; give what waited in vain."""
        self._next = None
        return self._leave()

    def offer(self, seq: int, item: Item, now_ns: int) -> list[Item]:
        """Take a message; give those that may be read now, in order."""
        if seq == self._next:
            self._next = (seq + 1) % ROUND
            return [item, *self._ready()]
        if not self._waiting:
            self._since_ns = now_ns
        if seq in self._waiting or len(self._waiting) >= WAITING_MAX:
            self._since_ns = now_ns - self._wait_ns  # Overdue at once.
        if seq in self._waiting:
            seq += ROUND * (1 + max(self._waiting) // ROUND)  # Twice the same: kept apart, and an earlier one below.
        self._waiting[seq] = item
        return []

    def give_up(self, now_ns: int) -> Overdue[Item] | None:
        """Wait no longer for what is missing; None where nothing is overdue."""
        if self.due_ns is None or now_ns < self.due_ns:
            return None
        overdue: Overdue[Item] = Overdue()
        expected = self._next
        for seq in sorted(self._waiting, key=lambda seq: (seq - (expected or 0)) % ROUND):
            if expected is not None and seq < ROUND and (seq - expected) % ROUND < AHEAD:
                overdue.later.append(self._waiting[seq])
                self._next = (seq + 1) % ROUND
            else:
                overdue.earlier.append(self._waiting[seq])
        self._waiting.clear()
        return overdue

    def _leave(self) -> list[Item]:
        left = list(self._waiting.values())
        self._waiting.clear()
        return left

    def _ready(self) -> list[Item]:
        ready: list[Item] = []
        while self._next is not None and self._next in self._waiting:
            ready.append(self._waiting.pop(self._next))
            self._next = (self._next + 1) % ROUND
        return ready
