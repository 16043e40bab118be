"""Route: the channel that a destination's profile asks for."""

import asyncio
from collections.abc import Callable

from alerting.push.message import Message
from edge.clock import Clock
from gateway.config import Destination, Reach, Site
from gateway.push.apprise import ByApprise, shown_request
from gateway.push.channel import Channel
from gateway.push.dingtalk import DingTalk
from gateway.push.feishu import Feishu
from gateway.push.modem import Modem, shown_message
from gateway.push.mqtt import MqttChannel
from gateway.push.panel import panel_topic, published
from gateway.push.robot import Dialect, Robot
from gateway.push.sms import Sms, body_of, words
from gateway.push.tcp import FrameChannel
from gateway.push.webhook import Webhook
from gateway.push.wecom import WeCom

#: Takes an acknowledgement that came by itself: destination, text. Tells later whether it was written down; None where
#: nobody writes.
TakeAck = Callable[[str, bytes], asyncio.Future[bool] | None]


def make_channels(site: Site, clock: Clock, take_ack: TakeAck) -> dict[str, Channel]:
    """Make the channel of each destination.

    Raises:
        ValueError: An address or a key cannot be used.
    """
    return {destination.id: make_channel(destination, clock, take_ack) for destination in site.outlets}


def make_channel(destination: Destination, clock: Clock, take_ack: TakeAck) -> Channel:
    """Make the channel of one destination.

    Raises:
        ValueError: An address or a key cannot be used.
    """
    if destination.reach is not None and destination.reach.kind == "sms":
        return Sms(destination)
    if destination.reach is not None and destination.reach.kind in ("mail", "apprise"):
        return ByApprise(destination)
    if destination.reach is not None and destination.reach.kind in ("dingtalk", "wecom", "feishu"):
        return Robot(destination, dialect_of(destination.reach), clock)
    if destination.reach is not None and destination.reach.kind == "modem":
        return Modem(destination, lambda text: take_ack(destination.id, text))
    if destination.reach is not None and destination.reach.kind == "mqtt":
        topic = destination.topic
        return MqttChannel(destination, clock, lambda _: None, lambda parcel: panel_topic(topic, parcel))
    match destination.profile.transport:
        case "http":
            return Webhook(destination, clock)
        case "tcp":
            return FrameChannel(destination, clock)
        case "mqtt":
            return MqttChannel(destination, clock, lambda text: _pass(take_ack, destination.id, text))


def _pass(take_ack: TakeAck, destination: str, text: bytes) -> None:
    """Hand an acknowledgement in and wait for nothing: its sender sends it again."""
    take_ack(destination, text)


def dialect_of(reach: Reach) -> Dialect:
    """Give the dialect of a robot."""
    match reach.kind:
        case "dingtalk":
            return DingTalk(reach)
        case "wecom":
            return WeCom(reach)
        case "feishu":
            return Feishu(reach)
        case "webhook" | "sms" | "mail" | "apprise" | "mqtt" | "modem":
            raise AssertionError(reach.kind)


def request_of(channel: Destination, message: Message, now_ns: int) -> str:
    """Write the body of the first request that a message needs, as text; it may hold a signature."""
    assert channel.reach is not None, channel.id
    if channel.reach.sms is not None:
        known = words(message, message.parts[0], message.keys[0], "***")
        return body_of(channel.reach.sms, known).decode()
    if channel.reach.kind in ("mail", "apprise"):
        return shown_request(channel.reach, message)
    if channel.reach.kind == "modem":
        return shown_message(message)
    if channel.reach.kind == "mqtt":
        return published(channel.topic, message)
    return dialect_of(channel.reach).ask(message.parts[0], message, now_ns).body.decode()
