"""A chat group's robot in manual time: it counts as its vendor does, and refuses as its vendor does."""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from alerting.push.message import Message
from edge.clock_manual import ManualClock
from gateway.push.channel import Parcel, PushError, Receipt


@dataclass
class FakeRobot:
    """A robot that takes ``most`` messages in any minute and is silent for ten minutes after one more.

    Attributes:
        answer: Asked first for each message; gives an error to raise, or None.
        said: (time s, text) of what stands in the group; ``tried`` the times of everything that came.
    """

    clock: ManualClock
    most: int = 20
    takes_s: float = 0.2
    answer: Callable[[Parcel], PushError | None] = field(default=lambda _: None)
    said: list[tuple[float, str]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    tried: list[float] = field(default_factory=list)
    refused: int = 0
    _window: deque[float] = field(default_factory=deque)
    _silent_until_s: float = 0.0

    async def send(self, parcel: Parcel) -> Receipt:
        if self.takes_s:
            await asyncio.sleep(self.takes_s)
        now_s = self.clock.monotonic_ns() / 1e9
        self.tried.append(now_s)
        while self._window and self._window[0] <= now_s - 60:
            self._window.popleft()
        if now_s < self._silent_until_s or len(self._window) >= self.most:
            self._silent_until_s = max(self._silent_until_s, now_s + 600)
            self.refused += 1
            raise PushError(retry=True, reason="throttled", detail='{"errcode":130101}', after_s=60.0, status=200)
        self._window.append(now_s)
        error = self.answer(parcel)
        if error is not None:
            raise error
        assert parcel.message is not None
        self.said.append((now_s, parcel.body.decode()))
        self.messages.append(parcel.message)
        return Receipt(status=200, id="0", answer='{"errcode":0}')

    async def close(self) -> None:
        """Nothing is open."""

    @property
    def group(self) -> str:
        """Everything that stands in the group."""
        return "\n".join(text for _, text in self.said)

    def names(self, pattern: str) -> list[str]:
        """Give what of the group fits a pattern."""
        return re.findall(pattern, self.group)

    def most_in(self, window_s: float) -> int:
        """Give the most messages that came in any window, refused ones too."""
        return max((sum(at <= other < at + window_s for other in self.tried) for at in self.tried), default=0)


def call(number: int = 1, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any member
    """A call as it waits in the outbox."""
    told: dict[str, Any] = {
        "key": f"key-{number}", "kind": "call", "nature": "actual", "alarm": f"alarm-{number}", "tier": "RED",
        "unit": {"id": "TK-101", "title": {"zh": "1号储罐", "en": "Tank 1"}}, "tag": f"TK-{number:03d}.level",
        "clause": {"zh": f"TK-{number:03d}.level 4.31 m ≥ 高高报设定值 4.20 m",
                   "en": f"TK-{number:03d}.level 4.31 m ≥ HH 4.20 m"},
        "todo": {"zh": "关闭进料阀", "en": "Close the feed"}, "minutes": 12, "acked_by": "",
        "since": "2026-01-01T08:00:02.000+08:00", "link": "https://g.example/#/alarms?alarm=alarm-1",
        "page": "https://g.example/#/alarms", "to": None, "text": {"zh": "…", "en": "…"},
    }  # fmt: skip
    return told | more
