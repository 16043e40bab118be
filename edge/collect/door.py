"""The door between collectors and the road: what a collector gives, and what it counts.

Flow: collector -> [deliver] -> intake; committed -> acknowledge -> broker
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from edge.model import Link, Scan

#: Called by the road, on the event loop, when what was delivered is durable.
Acknowledge: TypeAlias = Callable[[], None]
#: Called by the collector, on the event loop, in the order of arrival. Never blocks.
#: False where the road is full and refused: who acknowledges must connect anew, so that it is sent again.
Deliver: TypeAlias = Callable[[Scan | Link, Acknowledge | None], bool | None]

KEPT_BYTES_MAX = 1_024  # Enough to see what a device sends; a payload may be as large as the broker allows.


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The first refused payload of its kind, for a person to look at.

    Attributes:
        origin: Where it came from, e.g. the topic.
        payload: Its first ``KEPT_BYTES_MAX`` bytes.
        size: Its whole length, bytes.
        received_ns: When, ns since 1970-01-01 UTC.
    """

    origin: str
    payload: bytes
    size: int
    received_ns: int


@dataclass(slots=True, kw_only=True)
class Counters:
    """What one collector has done since it was made.

    Attributes:
        scans, samples: Delivered.
        requests: Modbus reads sent, or MQTT messages received.
        skipped: Modbus reads not sent, because the device is known to be silent or there is no connection.
        failures: Requests that gave no values, by reason (``timeout``, ``exception``, ``length``, ``comms`` …); and
            what else went wrong on a Modbus line: ``stray_bytes``, ``caller_unknown``, ``caller_address`` …
        refused: Messages, or named values in them, that went no further, by reason.
        kept: First refused payload of each reason.
        overruns: Turns that began late or not at all, because the one before took too long.
        reconnects: Times that the link came back.
        crashes: Times that the loop died of an error and was started again.
        splits: Modbus requests cut in two because the device refused them as a whole.
        sent_bytes, received_bytes: Of frames and payloads; not those of TCP, TLS or MQTT around them.
        last_success_ns: When the source last answered, ns since 1970-01-01 UTC; 0 for never.
    """

    scans: int = 0
    samples: int = 0
    requests: int = 0
    skipped: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    kept: dict[str, Kept] = field(default_factory=dict)
    overruns: int = 0
    reconnects: int = 0
    crashes: int = 0
    splits: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    last_success_ns: int = 0

    def refuse(self, reason: str, count: int = 1, kept: Kept | None = None) -> None:
        """Count a refusal; keep the first payload of its kind."""
        self.refused[reason] += count
        if kept is not None:
            self.kept.setdefault(reason, kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """What the device itself said of one tag, before it was decoded.

    Attributes:
        table, register: Where it stands, from 0.
        words: Registers as they came; a bit is 0 or 1.
        time_ns: When the answer came, ns since 1970-01-01 UTC.
    """

    table: str
    register: int
    words: tuple[int, ...]
    time_ns: int


class Collector(Protocol):
    """Fetches from one source until it is cancelled."""

    @property
    def counters(self) -> Counters:
        """What it has done."""
        ...

    async def run(self) -> None:
        """Collect until cancelled."""
        ...
