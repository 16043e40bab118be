"""Broker status: what page and metrics are told of the broker that edge nodes send through."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerStatus:
    """How the gateway's own link to the broker of the nodes stands.

    Attributes:
        place: Host and port, as configured.
        reason: Why it is down, or which of several brokers it is; may be empty.
        refused: Messages that went no further, by reason.
        crashes: Times that the loop died of an error and was started again.
    """

    place: str
    is_up: bool
    reason: str = ""
    refused: Mapping[str, int] = field(default_factory=dict)
    crashes: int = 0
