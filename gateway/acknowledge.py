"""Acknowledge: when a source may forget what it sent.

Flow: commit, historian -> [acknowledge, in order of arrival] -> broker
Why: a QoS 1 message is acknowledged when its tick's transaction is committed *and* the historian has committed its
values, but no later than 2 s after intake: then it is acknowledged anyway and its values count as lost to the
historian (design §3). What is not committed is never acknowledged.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

HISTORIAN_NS_MAX = 2_000_000_000


@dataclass(slots=True, kw_only=True, eq=False)
class Receipt:
    """One delivered item on its way to being acknowledged."""

    source: str
    received_ns: int
    acknowledge: Callable[[], None]
    samples: int
    is_committed: bool = False
    parts: int = 0  # handed to the historian and not yet answered


class Acknowledger:
    """Keeps items in order of arrival, per source, until both sides are done."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Receipt]] = {}
        self.lost = 0  # samples acknowledged before the historian had them
        self.acknowledged = 0

    def expect(self, receipt: Receipt) -> None:
        """Put an item in line."""
        self._waiting.setdefault(receipt.source, deque()).append(receipt)

    def kept(self, receipt: Receipt) -> None:
        """Take the historian's answer for one part of an item."""
        receipt.parts -= 1
        self._go_on(receipt.source)

    def committed(self, receipts: list[Receipt]) -> None:
        """Take the commit of a tick's items."""
        for receipt in receipts:
            receipt.is_committed = True
        for source in {receipt.source for receipt in receipts}:
            self._go_on(source)

    def hurry(self, now_ns: int) -> None:
        """Acknowledge what is committed and has waited for the historian too long."""
        if not self._waiting:
            return
        for line in self._waiting.values():
            for receipt in line:
                if now_ns - receipt.received_ns < HISTORIAN_NS_MAX:
                    break
                if receipt.is_committed and receipt.parts > 0:
                    self.lost += receipt.samples
                    receipt.parts = 0
        for source in list(self._waiting):
            self._go_on(source)

    @property
    def waiting(self) -> int:
        """Items not acknowledged yet."""
        return sum(len(line) for line in self._waiting.values())

    def _go_on(self, source: str) -> None:
        line = self._waiting.get(source)
        while line and line[0].is_committed and line[0].parts <= 0:
            line.popleft().acknowledge()
            self.acknowledged += 1
