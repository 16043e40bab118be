"""Channel: the port through which one notice reaches one destination.

Why: the worker decides when; the channel knows how. A fake needs one method; errors say whether the destination is
    in trouble or does not want this notice.
"""

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from alerting.push.message import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file that goes with a message.

    Attributes:
        name: In ASCII: not every plug-in that sends mails encodes others as readers expect.
        media: Its media type.
    """

    name: str
    media: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """What is sent.

    Attributes:
        key: Idempotency key.
        body: The exact bytes, the same at every attempt.
        reference: How the notice is named in forms that name it, e.g. ``sender,identifier,sent`` of CAP; of an exchange
            the path below the receiver's address.
        content: Media type of the body.
        message: Of a channel to people: whom the body, which is the text then, is for and what it is called.
        attached: Files of a mail.
    """

    key: str
    chain: str
    body: bytes
    reference: str = ""
    content: str = "application/json; charset=utf-8"
    message: Message | None = None
    attached: tuple[Attached, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof of delivery.

    Attributes:
        status: HTTP status of the answer.
        id: The receiver's own number, empty where it gave none.
        is_repeat: The receiver had it already.
        answer: Head of the answer's text.
        is_proof: The one who is told acknowledged it. False: somebody in between took it, and nobody knows more.
    """

    status: int
    id: str = ""
    is_repeat: bool = False
    answer: str = ""
    is_proof: bool = True

    def facts(self) -> dict[str, Any]:
        """Give the receipt as JSON values."""
        told = {"status": self.status, "id": self.id, "is_repeat": self.is_repeat, "answer": self.answer}
        return told if self.is_proof else {**told, "is_proof": False}


@dataclass(slots=True, eq=False)
class PushError(Exception):
    """A notice did not arrive.

    Attributes:
        retry: True: the destination is in trouble, nothing else will arrive there now. False: it refuses this
            notice, others may arrive.
        reason: A few words; the first one is the counter's name, e.g. ``timeout`` or ``status_422``.
        after_s: When the destination asked to be tried again, s; None where it did not say.
        is_final: It said that it will never take this notice as it is; nobody needs to ask again.
        status: Of HTTP, 0 where there is none.
    """

    retry: bool
    reason: str
    detail: str = ""
    after_s: float | None = field(default=None)
    is_final: bool = False
    status: int = 0

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason


class Channel(Protocol):
    """A way to one destination."""

    async def send(self, parcel: Parcel) -> Receipt:
        """Deliver one notice and give its receipt.

        Raises:
            PushError: It did not arrive, or nobody knows whether it did.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


@runtime_checkable
class Listening(Protocol):
    """A channel that also fetches what its network has to say of what was sent earlier."""

    async def listen(self) -> None:
        """Fetch it until cancelled; trouble is logged, and tried again."""
        ...
