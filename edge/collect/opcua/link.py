"""The session with a server: the port that the collector speaks to, above any OPC UA library.

Flow: server -> [session] -> publications, in order -> collector
Why a port: the collector's rules about time, silence and return run under a manual clock; ``client`` is the real side.
Never: has a way to write, call or configure anything in the server.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from edge.config import OpcuaOptions
from edge.decode.opcua import NodeAddress


class LostError(Exception):
    """The session is gone, or could not be made; the text says why, for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One node that is to be watched.

    Attributes:
        handle: Number of ours by which the server names it.
        sampling_s: How often the server is asked to look at it.
    """

    handle: int
    node: NodeAddress
    sampling_s: float
    queue_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A subscription as the server made it.

    Attributes:
        publishing_s: How often it tells, s.
        keepalive_s: How long it may be silent while nothing changes, s.
        life_s: How long it lives on while nobody asks, s.
        statuses: Status code of each item, in order.
        sampling_s: How often it looks at each item, s; NaN where it refused.
    """

    id: int
    publishing_s: float
    keepalive_s: float
    life_s: float
    statuses: list[int]
    sampling_s: list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One value of one item.

    Attributes:
        time_ns: Source time, or the server's where there is none, ns since 1970-01-01 UTC; -1 for neither.
    """

    handle: int
    value: object
    status: int
    time_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """What a subscription told at once; without samples it is a sign of life.

    Attributes:
        number: Its sequence number; that of a sign of life is the next publication's.
        published_ns: The server's clock when it was sent, ns since 1970-01-01 UTC; -1 where it has none.
        ended: Status code with which the subscription ended; 0 while it lives.
    """

    subscription: int
    number: int
    published_ns: int
    samples: list[Sample] = field(default_factory=list)
    ended: int = 0


class Session(Protocol):
    """One session with one server, from its making to its loss."""

    async def namespaces(self) -> list[str]:
        """Give the URIs of the server's namespaces, by index."""
        ...

    async def create(self, period_s: float, life_s: float, items: Sequence[Item]) -> Made:
        """Make a subscription that tells every period, also when nothing changed."""
        ...

    async def add(self, subscription: int, items: Sequence[Item]) -> list[int]:
        """Watch further items in a subscription; give the status code of each."""
        ...

    async def transfer(self, subscriptions: Sequence[int]) -> list[list[int] | None]:
        """Take over subscriptions of a session that was lost, with their current values.

        Returns:
            Of each, the numbers of the publications that can be asked for again; None where it could not be taken over.
        """
        ...

    async def republish(self, subscription: int, number: int) -> Publication | None:
        """Ask for a publication again; None where the server has it no more."""
        ...

    async def receive(self) -> Publication:
        """Wait for the next publication.

        Raises:
            LostError: The session is gone.
        """
        ...

    async def close(self, *, is_for_good: bool) -> None:
        """End the session, as far as that is possible; never raises for what the server does.

        Args:
            is_for_good: Its subscriptions end too; else they live on for a while, to be taken over.
        """
        ...


Connect: TypeAlias = Callable[[OpcuaOptions], Awaitable[Session]]
