"""MQTT: a notice published with QoS 1; its acknowledgement, where one comes, on a topic of its own.

Flow: parcel -> publish -> PUBACK: handed over; ack topic -> [heard] -> the worker
Why the PUBACK is no receipt: the broker has the message then, and nobody else.
Never: queues in the client what the outbox holds already; takes a refusal by the broker's access list for success
    (MQTT 5.0, §3.4.2.1; an older broker does not say it, so 5 is the default).
"""

import asyncio
from collections.abc import Callable
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge.clock import Clock
from edge.collect.mqtt.paho import tls_context
from gateway.config import Destination
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.sealing import Sealer

NOT_AUTHORISED = 0x87  # MQTT 5.0, §2.4
UNDER_WAY_MAX = 16

Heard = Callable[[bytes], None]


class MqttChannel:
    """The channel of one destination.

    Args:
        heard: Takes what comes on the topic of acknowledgements, on the event loop.
        topic_of: Gives the topic of a parcel, or says that it has none; the destination's own by default.
    """

    def __init__(
        self, destination: Destination, clock: Clock, heard: Heard, topic_of: Callable[[Parcel], str] | None = None
    ) -> None:  # fmt: skip
        assert destination.broker is not None, destination.id
        self._topic_of = topic_of or (lambda _: destination.topic)
        self._destination, self._clock, self._heard = destination, clock, heard
        self._options = destination.broker
        self._sealer = Sealer(destination)
        self._client: Client | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._up = asyncio.Event()
        self._away = "no connection to the broker yet"
        self._under_way: dict[int, asyncio.Future[str]] = {}

    async def send(self, parcel: Parcel) -> Receipt:
        """Publish one notice and wait until the broker has it."""
        topic = self._topic_of(parcel)
        try:
            async with asyncio.timeout(self._destination.timeout_s):
                client = self._begin() if self._client is None else self._client
                await self._up.wait()
                refusal = await self._publish(client, topic, self._sealer.body(parcel.body))
        except TimeoutError:
            raise PushError(retry=True, reason="timeout", detail=self._away or "the broker does not answer") from None
        if refusal:
            raise PushError(retry=True, reason="broker_refused", detail=refusal)
        return Receipt(status=0, answer="the broker has it", is_proof=False)

    @property
    def is_up(self) -> bool:
        """Tell whether there is a connection to the broker."""
        return self._up.is_set()

    async def close(self) -> None:
        """Disconnect."""
        client, self._client = self._client, None
        if client is not None:
            await asyncio.to_thread(_part, client)

    # --------------------------------------------------------------------------------------------- on the event loop

    def _begin(self) -> Client:
        options = self._options
        self._loop = asyncio.get_running_loop()
        is_v5 = options.version == "5"
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            clean_session=None if is_v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
        )
        client.max_inflight_messages_set(UNDER_WAY_MAX)
        client.reconnect_delay_set(1, 30)
        if options.tls is not None:
            try:
                client.tls_set_context(tls_context(options.tls))
            except OSError as failure:
                raise PushError(retry=True, reason="certificate", detail=str(failure)[:300]) from None
        if options.username:
            client.username_pw_set(options.username, options.password or None)
        client.on_connect, client.on_disconnect = self._connected, self._parted
        client.on_publish, client.on_message = self._published, self._arrived
        client.connect_async(options.host, options.port, options.keepalive_s)
        client.loop_start()
        self._client = client
        return client

    async def _publish(self, client: Client, topic: str, body: bytes) -> str:
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        info = client.publish(topic, body, qos=1)
        self._under_way[info.mid] = done
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            # paho keeps it and sends it on the next connection; it may arrive twice, under one key.
            self._away = "the connection to the broker is down"
        try:
            return await done
        finally:
            self._under_way.pop(info.mid, None)

    def _settle(self, mid: int, refusal: str) -> None:
        done = self._under_way.get(mid)
        if done is not None and not done.done():
            done.set_result(refusal)

    def _turn(self, is_up: bool, reason: str) -> None:  # noqa: FBT001 - handed over between threads
        self._away = reason
        if is_up:
            self._up.set()
        else:
            self._up.clear()

    # ------------------------------------------------------------------------------------------- on paho's own thread

    def _tell(self, function: Callable[..., None], *arguments: object) -> None:
        assert self._loop is not None
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _connected(
        self, client: Client, userdata: object, flags: ConnectFlags, reason_code: ReasonCode,  # noqa: ARG002 - the hook
        properties: Properties | None,  # noqa: ARG002 - the hook
    ) -> None:  # fmt: skip
        if reason_code.is_failure:
            self._tell(self._turn, False, f"refused by the broker: {reason_code}")  # noqa: FBT003 - handed over
            return
        if self._destination.ack_topic:
            client.subscribe(self._destination.ack_topic, qos=1)
        self._tell(self._turn, True, "")  # noqa: FBT003 - handed over

    def _parted(self, client: Client, userdata: object, *more: Any) -> None:  # noqa: ANN401, ARG002 - the hook
        reason = next((str(one) for one in more if isinstance(one, ReasonCode)), "the connection ended")
        self._tell(self._turn, False, reason)  # noqa: FBT003 - handed over

    def _published(
        self, client: Client, userdata: object, mid: int, reason_code: ReasonCode, properties: Properties | None,  # noqa: ARG002
    ) -> None:  # fmt: skip
        self._tell(self._settle, mid, str(reason_code) if reason_code.is_failure else "")

    def _arrived(self, client: Client, userdata: object, message: MQTTMessage) -> None:  # noqa: ARG002 - the hook
        self._tell(self._heard, bytes(message.payload))


def _part(client: Client) -> None:
    client.disconnect()
    client.loop_stop()
