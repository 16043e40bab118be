"""Route: the channel that a destination's profile asks for."""

from collections.abc import Callable

from edge.clock import Clock
from gateway.config import Destination, Site
from gateway.push.channel import Channel
from gateway.push.mqtt import MqttChannel
from gateway.push.tcp import FrameChannel
from gateway.push.webhook import Webhook

#: Takes an acknowledgement that came by itself: destination, text.
TakeAck = Callable[[str, bytes], None]


def make_channels(site: Site, clock: Clock, take_ack: TakeAck) -> dict[str, Channel]:
    """Make the channel of each destination.

    Raises:
        ValueError: An address or a key cannot be used.
    """
    return {destination.id: _make(destination, clock, take_ack) for destination in site.outlets}


def _make(destination: Destination, clock: Clock, take_ack: TakeAck) -> Channel:
    match destination.profile.transport:
        case "http":
            return Webhook(destination, clock)
        case "tcp":
            return FrameChannel(destination, clock)
        case "mqtt":
            return MqttChannel(destination, clock, lambda text: take_ack(destination.id, text))
