"""Robot: a chat group's robot behind a vendor's HTTP door; what it says in the body counts, not the status.

Flow: part of a message -> [dialect: request] -> POST -> [dialect: code] -> receipt, or an error that says whose trouble
Why: every vendor answers 200 to what it refuses and says so in a number; whoever reads the status alone takes a lost
    alarm for a delivered one.
Never: shows what opens the robot: neither token nor signature stands in an error, a draft or the store.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from alerting.push.message import Message
from edge.clock import Clock
from gateway.config import Destination
from gateway.push.address import Resolve
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.post import SKEW_S, Poster
from gateway.push.receipt import read_answer

OK: Final = range(200, 300)
TOO_MANY: Final = 429
CONTENT: Final = "application/json; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One request.

    Attributes:
        path, query: What opens the robot stands in them; never shown.
    """

    body: bytes
    path: str = field(default="", repr=False)
    query: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Codes:
    """What a vendor's numbers mean; every other one says that the robot is not as it should be.

    Attributes:
        good: Taken.
        throttled: Used too often; also any other number whose words have ``throttled_words``.
        unwanted: This very message is not taken, also not later.
    """

    good: frozenset[int]
    throttled: frozenset[int]
    unwanted: frozenset[int]
    throttled_words: str = ""


class Dialect(Protocol):
    """How a vendor's robots are spoken to."""

    @property
    def codes(self) -> Codes:
        """What its numbers mean."""
        ...

    def ask(self, text: str, message: Message, now_ns: int) -> Asked:
        """Write a request."""
        ...

    def answer(self, told: Mapping[str, Any]) -> tuple[int | None, str]:
        """Give the number and the words of an answer; None where it has no number."""
        ...


class Robot:
    """The channel of one robot.

    Args:
        resolve: How names become addresses; the system's own by default.

    Raises:
        ValueError: The URL cannot be used.
    """

    def __init__(
        self, destination: Destination, dialect: Dialect, clock: Clock, *, resolve: Resolve | None = None
    ) -> None:  # fmt: skip
        self._dialect, self._clock = dialect, clock
        self._poster = Poster(destination, resolve=resolve)

    async def send(self, parcel: Parcel) -> Receipt:
        """Say one part of a message in the group."""
        assert parcel.message is not None, parcel.key
        asked = self._dialect.ask(parcel.body.decode(), parcel.message, self._clock.wall_ns())
        posted = await self._poster.post(asked.body, {"content-type": CONTENT}, query=asked.query, path=asked.path)
        text = posted.answer.decode("utf-8", "replace")
        told = read_answer(posted.answer)
        code, words = (None, "") if told is None else self._dialect.answer(told)
        codes = self._dialect.codes
        is_worded = bool(codes.throttled_words) and codes.throttled_words in words.lower()
        is_throttled = code is not None and (code in codes.throttled or (is_worded and code not in codes.good))
        if is_throttled or posted.status == TOO_MANY:
            raise PushError(
                retry=True, reason="throttled", detail=text[:300], after_s=posted.after_s, status=posted.status
            )
        if code is None:
            reason = "no_receipt" if posted.status in OK else f"status_{posted.status}"
            raise PushError(
                retry=True, reason=reason, detail=text[:300], after_s=posted.after_s, status=posted.status
            )  # fmt: skip
        if code in codes.good and posted.status in OK:
            return Receipt(status=posted.status, id=str(code), answer=text)
        if code in codes.unwanted:
            raise PushError(
                retry=False, reason=f"code_{code}", detail=text[:300], is_final=True, status=posted.status
            )  # fmt: skip
        off_s = posted.clock_off_s(self._clock.wall_ns())
        if "timestamp" in words and abs(off_s) > SKEW_S:
            detail = f"the robot's clock is {off_s:+.0f} s from ours, and it refuses our signature. {text[:200]}"
            raise PushError(retry=True, reason="clock_skew", detail=detail, status=posted.status)
        raise PushError(retry=True, reason=f"code_{code}", detail=text[:300], status=posted.status)

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()


def number(told: Mapping[str, Any], *names: str) -> int | None:
    """Give the first whole number of an answer by its names, also where it is written as a text."""
    for name in names:
        found = told.get(name)
        if isinstance(found, int) and not isinstance(found, bool):
            return found
        if isinstance(found, str) and found.lstrip("-").isascii() and found.lstrip("-").isdigit() and len(found) < 12:  # noqa: PLR2004 - digits
            return int(found)
    return None
