"""House: what the API needs of the gateway around it.

Why: the API is tested with a small house of its own (``gateway.api.small_house``) and never imports the
    composition root.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from alerting.core import Memory
from alerting.desk import Answer
from alerting.model.command import Command
from alerting.model.rule import RuleTable
from edge.clock import Clock
from edge.collect.door import Raw
from edge.model import Nature
from gateway.checkout.records import OpenOnes
from gateway.config import Site
from gateway.drill.lead import Drills
from gateway.historian.port import Series
from gateway.live import Picture
from gateway.meter import Meter
from gateway.nodes.broker_status import BrokerStatus
from gateway.nodes.reception import NodeStatus, Taken
from gateway.probe import Asked, Probed
from gateway.push.worker import PushWorker
from gateway.response.crowd_watch import CrowdWatch
from gateway.response.zones import Zones
from gateway.rules.approval import Proposals
from gateway.rules.book import Rulebook
from gateway.runs.keeper import Runs

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a person did, for the audit: journalled in the transaction of the deed itself.

    Attributes:
        who: Name of the user.
        what: Past participle with a subject, e.g. ``task_done``, ``logged_in``, ``log_in_refused``.
        facts: JSON values; never a secret.
    """

    who: str
    what: str
    time_ns: int
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPayload:
    """The first refused payload of a reason: where it came from, its beginning as text, its whole size in bytes."""

    reason: str
    origin: str
    text: str
    size: int
    received_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceStatus:
    """How one source stands.

    Attributes:
        last_scan_ns: Receive time of the last scan, 0 for none yet.
        refused: Messages and values that the collector refused since the start.
        refused_by: The same by reason; ``failures`` the requests that gave no values, by reason.
        kept: The first refused payload of each reason, for a person to look at.
        last_success_ns: When it last answered or sent something, 0 for never.
        requests, skipped: Sent, or messages received; and not sent because the device is known to be silent.
        overruns, reconnects, crashes: Turns that began late, links that came back, loops that were begun again.
    """

    id: str
    protocol: str
    is_up: bool
    last_scan_ns: int
    scans: int
    refused: int
    refused_by: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, int] = field(default_factory=dict)
    kept: Sequence[KeptPayload] = ()
    last_success_ns: int = 0
    samples: int = 0
    requests: int = 0
    skipped: int = 0
    overruns: int = 0
    reconnects: int = 0
    crashes: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0


class Past(Protocol):
    """Where history is read; every historian is one."""

    async def range(self, row: int, from_ns: int, to_ns: int, points: int, nature: Nature | None = None) -> Series:
        """Give one tag's samples with ``from_ns <= time < to_ns``, in at most about ``points`` points."""
        ...


class House(Protocol):
    """The gateway as the API sees it. All methods are called on the gateway's event loop."""

    @property
    def site(self) -> Site:
        """The configuration."""
        ...

    @property
    def picture(self) -> Picture:
        """What is true now."""
        ...

    @property
    def meter(self) -> Meter:
        """The counters."""
        ...

    @property
    def clock(self) -> Clock:
        """The receive time."""
        ...

    @property
    def historian(self) -> Past:
        """The past."""
        ...

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run a query in the executor of readers; never on the event loop."""
        ...

    async def write(self, fn: Callable[[Connection], T], act: Act | None = None) -> T:
        """Run a short write in one transaction of the single writer; an exception rolls back and is passed on.

        Where an act is given, it goes into the journal (kind ``audit``) in the same transaction.
        """
        ...

    def wake_push(self) -> None:
        """Say that notices were committed beside a tick."""
        ...

    async def command(self, command: Command) -> Answer:
        """Put a command before the core at the next tick and give its answer."""
        ...

    async def command_all(self, commands: Sequence[Command]) -> Sequence[Answer]:
        """Put commands before the core together: one tick carries them, one transaction holds them."""
        ...

    def sources(self) -> Sequence[SourceStatus]:
        """Tell how each source stands."""
        ...

    async def settled(self) -> None:
        """Wait until the core is between two ticks; what is read of it before the next ``await`` is of one moment."""
        ...

    def memory(self, nature: Nature) -> Memory:
        """Give what the core remembers of one nature, once it is settled; to read, never to change or keep."""
        ...

    def computed(self, tag: str) -> Mapping[str, Any]:
        """Say how a derived tag stands, as in an event's cause, once settled; empty for a measured one."""
        ...

    @property
    def rules(self) -> RuleTable:
        """The rules in force, those that ``memory`` is laid out for."""
        ...

    @property
    def rulebook(self) -> Rulebook:
        """Where the rules are changed."""
        ...

    @property
    def proposals(self) -> Proposals:
        """The changes that wait for approval."""
        ...

    def nodes(self) -> Sequence[NodeStatus]:
        """Tell how each edge node stands."""
        ...

    def node_broker(self) -> BrokerStatus | None:
        """Tell how the link to the broker of the nodes stands; None where there is none."""
        ...

    async def take_from_node(self, node: str, body: bytes) -> Taken:
        """Take a batch of an edge node; returns when it is durable.

        Raises:
            Refusal: It is not taken; the node keeps it.
        """
        ...

    @property
    def checkouts(self) -> OpenOnes:
        """The check-outs that go on."""
        ...

    @property
    def drills(self) -> Drills:
        """Where drills are led."""
        ...

    @property
    def runs(self) -> Runs:
        """Where stories are played for testers."""
        ...

    def raw(self, tag: str) -> Raw | None:
        """Give what the device itself said of a tag last; None where its collector does not keep that."""
        ...

    async def probe(self, asked: Asked) -> Probed:
        """Read some registers of a device once, on the connection of the source that speaks to it.

        Raises:
            ProbeRefused: It was not sent.
        """
        ...

    def sign(self, text: bytes) -> tuple[str, str]:
        """Sign a text with the installation's key: its public half and the signature, hexadecimal."""
        ...

    @property
    def crowd_watch(self) -> CrowdWatch:
        """What is known of the crowd zones that are to be kept from filling."""
        ...

    @property
    def zones(self) -> Zones:
        """Who works consequence zones out."""
        ...

    @property
    def push(self) -> PushWorker:
        """Who sends what waits in the outbox."""
        ...

    def ready(self) -> bool:
        """Tell whether scans are judged and committed."""
        ...
