"""The link over paho-mqtt. The only module that imports it.

Flow: socket -> [network thread: paho] -> inbox -> event loop; acknowledge -> network thread -> socket
Why a thread and loop of our own around paho:

* paho's loop dies with any exception in its thread and uses ``select``, which cannot watch a socket numbered above
  1023; a gateway with a thousand devices has those.
* Its many small reads and writes go through buffers, see ``buffered``.
* All calls to paho come from this one thread. Acknowledgements are handed to it.
* A new paho client for each connection: nothing queued for an old connection can reach the new one.

Rules of manual acknowledgement: a persistent session with a fixed client id; acknowledged in order of arrival; an
acknowledgement for an older connection is dropped; the largest window that MQTT 5 allows, because messages wait for
the commit.
"""

import asyncio
import contextlib
import selectors
import socket
import ssl
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, cast

import structlog
from paho.mqtt.client import Client, ConnectFlags, MQTTMessage, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from edge.collect.backoff import BackOff
from edge.collect.door import Counters
from edge.collect.mqtt.buffered import BufferedSocket
from edge.collect.mqtt.inbox import Inbox
from edge.collect.mqtt.link import AckOrder, Arrival, LinkChange, Manner, Message
from edge.collect.mqtt.outgoing import Outgoing, denies_presence, presence
from edge.collect.mqtt.topic import SHARE
from edge.config import BrokerTls, MqttOptions

RECEIVE_MAX = 65_535  # Unacknowledged QoS 1 messages; the most that MQTT 5 allows.
CONNECT_S = 5.0
CLOSE_S = CONNECT_S + 2.0  # Connecting ends within CONNECT_S; only asking for an address may take longer.
RETRY_S_LEAST = 0.2
RETRY_S_MOST = 10.0
ROOM_S = 5.0  # A full inbox makes the network thread, and so the broker, wait; longer means a stuck event loop.
READS_MAX = 256  # Packets read before acknowledgements get their turn.
TURN_S = 1.0  # Keep-alive is looked after at least so often.
SENDING_MAX = 1_000  # What waits to be published; each is small, and a thousand nodes may be asked at once.
SPARE_BYTES = 1024 * 1024  # A payload that is a little too large is still to be seen, counted and kept for inspection.
PACKET_MAX = 268_435_460  # Five bytes of header before the largest remaining length (MQTT 5.0, §2.1.4).

NO_SHARING = 0x9E  # Shared Subscriptions not supported (MQTT 5.0, §3.9.3).

PERSISTENT = Manner()

_log = structlog.get_logger(__name__)


class PahoLink:
    """A connection to one broker; made on the event loop that uses it."""

    def __init__(
        self,
        options: MqttOptions,
        client_id: str,
        filters: Sequence[str],
        counters: Counters,
        manner: Manner = PERSISTENT,
        left: Sequence[str] = (),
        *,
        has_session: bool = False,
    ) -> None:
        """Make it.

        Args:
            filters: What it subscribes to.
            left: Filters that the session may have from before and that nobody wants any more.
            has_session: The first broker should know a session of ours from before.
        """
        self._options = options
        self._manner = manner
        self._client_id = client_id
        self._filters = tuple(filters)
        self._left = tuple(left)
        self._counters = counters
        self._inbox = Inbox()
        self._order = AckOrder()
        #: Connection and packet id to acknowledge; at most as many as there are unacknowledged messages.
        self._ready: deque[tuple[int, int]] = deque()
        #: Connection and message to publish; what waits for an older connection is dropped.
        self._sending: deque[tuple[int, Outgoing]] = deque(maxlen=SENDING_MAX)
        self._brokers = options.brokers
        self._broker = 0  # Place in that list.
        self._had = {0} if has_session else set()  # Brokers that should know a session of ours.
        self._born_ms = 0  # When this connection's will was made.
        self._is_announced = False
        self._backoff = BackOff(RETRY_S_LEAST, RETRY_S_MOST)
        self._stopping = threading.Event()
        self._wake_r, self._wake_w = socket.socketpair()
        self._wake_r.setblocking(False)  # noqa: FBT003 - the one way to say it
        self._wake_w.setblocking(False)  # noqa: FBT003 - the one way to say it
        self._thread = threading.Thread(target=self._run, name=f"mqtt {client_id}", daemon=True)
        self._connection = 0
        self._is_up: bool | None = None
        self._is_overflown = False
        self._refusal = ""

    async def open(self) -> None:
        """Begin to connect."""
        self._thread.start()

    async def receive(self, count_max: int, bytes_max: int) -> list[Arrival]:
        """Wait until something arrived, then give what waits, in order."""
        return await self._inbox.take(count_max, bytes_max)

    async def close(self) -> None:
        """Disconnect and end the thread; at most ``CLOSE_S``.

        A thread that still asks for the address of a name, which nobody can hurry, is left to end by itself: it
        connects to nobody any more (``_Client.is_wanted``).
        """
        self._stopping.set()
        self._inbox.close()
        self._wake()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, CLOSE_S)
            if self._thread.is_alive():
                _log.warning("collect.mqtt_still_looking", client=self._client_id)
        self._wake_r.close()
        self._wake_w.close()

    def acknowledge(self, message: Message) -> None:
        """Hand an acknowledgement to the network thread, in order of arrival."""
        if message.qos > 0 and (ready := self._order.acknowledge(message)):
            self._ready.extend((message.connection, packet_id) for packet_id in ready)
            self._wake()

    def send(self, outgoing: Outgoing) -> None:
        """Hand a message to the network thread."""
        self._sending.append((self._connection, outgoing))
        self._wake()

    def announce(self) -> None:
        """Say once more that we are there."""
        if self._manner.presence is not None:
            self.send(presence(self._manner.presence.topic, self._born_ms, is_online=True))

    def _wake(self) -> None:
        with contextlib.suppress(OSError):  # A full pipe wakes as well as one more byte; a closed one needs none.
            self._wake_w.send(b"\0")

    # ---------------------------------------------------------------------------------------- the network thread

    def _run(self) -> None:
        """Connect, listen, wait, again; until stopped. Nothing that happens inside ends this thread."""
        while not self._stopping.is_set():
            self._connection += 1
            self._order.begin(self._connection)
            self._refusal = ""
            self._is_announced = False
            try:
                reason = self._listen()
            except OSError as error:
                reason = error.strerror or str(error)
            except Exception as error:  # noqa: BLE001 - bytes from the network must not end the thread
                self._counters.crashes += 1
                _log.error("collect.mqtt_crashed", client=self._client_id, exc_info=error)
                reason = "the client failed"
            self._change(is_up=False, reason=reason)
            self._broker = (self._broker + 1) % len(self._brokers)
            if self._broker == 0:  # All have had their turn.
                self._stopping.wait(self._backoff.pause_s())

    def _change(self, *, is_up: bool, reason: str = "") -> None:
        if self._is_up is not is_up:
            self._is_up = is_up
            self._inbox.put_change(LinkChange(is_up=is_up, reason=reason))

    def _listen(self) -> str:
        """Keep one connection; give why it ended."""
        host, port = self._brokers[self._broker]
        client = self._make_client(host)
        is_v5 = self._options.version == "5"
        arguments: dict[str, Any] = {}
        if is_v5:
            arguments = {"clean_start": self._manner.is_clean, "properties": self._session()}
        try:
            client.connect(host, port, self._options.keepalive_s, **arguments)
            own = client.buffered
            assert own is not None
            with selectors.DefaultSelector() as selector:
                selector.register(self._wake_r, selectors.EVENT_READ)
                selector.register(own, selectors.EVENT_READ)
                while (code := self._turn(client, own, selector)) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                    if self._is_overflown:
                        self._is_overflown = False
                        return "messages came faster than they could be taken"
                    if self._stopping.is_set():
                        self._part(client)
                        return "closed"
            return self._refusal or error_string(code)
        finally:
            if client.buffered is not None:
                client.buffered.close()

    def _part(self, client: "_Client") -> None:
        """Say that we are gone, which the will does not say for who disconnects in order, and disconnect."""
        if self._manner.presence is not None and self._is_announced:
            where = self._manner.presence
            self._publish(client, presence(where.topic, where.now_ms(), is_online=False))
        assert client.buffered is not None
        client.buffered.is_parting = True
        client.disconnect()  # Closes the socket once it is written, and that sends what is in its buffer.
        while client.want_write() and client.loop_write() == MQTTErrorCode.MQTT_ERR_SUCCESS:
            pass

    def _publish(self, client: "_Client", outgoing: Outgoing) -> None:
        """Publish: the one place where a message of ours leaves."""
        client.publish(outgoing.topic, outgoing.payload, outgoing.qos, outgoing.is_retained)

    def _turn(self, client: "_Client", own: BufferedSocket, selector: selectors.BaseSelector) -> MQTTErrorCode:
        """Wait for something to do and do it."""
        is_written = own.flush() and not client.want_write()
        selector.modify(own, selectors.EVENT_READ if is_written else selectors.EVENT_READ | selectors.EVENT_WRITE)
        is_readable = own.pending() > 0
        for key, mask in selector.select(0.0 if is_readable else TURN_S):
            if key.fileobj is self._wake_r:
                self._wake_r.recv(4096)
            else:
                is_readable = is_readable or bool(mask & selectors.EVENT_READ)
        for is_due, step in ((client.want_write(), client.loop_write), (is_readable, partial(_drain, client, own))):
            if is_due and (code := step()) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return code
        while self._ready:
            connection, packet_id = self._ready.popleft()
            if connection == self._connection:
                client.ack(packet_id, 1)
        while self._is_announced and self._sending:
            connection, outgoing = self._sending.popleft()
            if connection == self._connection:
                self._publish(client, outgoing)
        return client.loop_misc() if client.socket() is not None else MQTTErrorCode.MQTT_ERR_CONN_LOST

    # ------------------------------------------------------------------------------ what paho calls, on its thread

    def _make_client(self, host: str) -> "_Client":
        is_v5 = self._options.version == "5"
        client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if is_v5 else self._manner.is_clean,
            protocol=MQTTProtocolVersion.MQTTv5 if is_v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.connect_timeout = CONNECT_S
        client.is_wanted = lambda: not self._stopping.is_set()
        if self._options.tls is not None:
            client.tls_set_context(tls_context(self._options.tls))
            client.server_name = self._options.tls.server_name or host
        if self._options.username:
            client.username_pw_set(self._options.username, self._options.password or None)
        if self._manner.presence is not None:
            self._born_ms = self._manner.presence.now_ms()
            will = presence(self._manner.presence.topic, self._born_ms, is_online=False)
            client.will_set(will.topic, will.payload, will.qos, will.is_retained)
        client.on_connect = self._connected
        client.on_subscribe = self._subscribed
        client.on_message = self._arrived
        return client

    def _session(self) -> Properties:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = 0 if self._manner.is_clean else self._options.session_s
        properties.ReceiveMaximum = RECEIVE_MAX
        properties.MaximumPacketSize = min(self._options.payload_bytes_max + SPARE_BYTES, PACKET_MAX)
        return properties

    def _connected(
        self,
        client: Client,
        userdata: object,  # noqa: ARG002 - the hook's own signature
        flags: ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason_code.is_failure:
            self._refusal = f"refused by the broker: {reason_code}"
            return
        if getattr(properties, "SharedSubscriptionAvailable", 1) == 0 and self._is_sharing:  # MQTT 5.0, §3.2.2.3.13
            self._refuse_sharing(client)
            return
        self._backoff.reset()
        if not self._manner.is_clean:
            self._note_session(is_kept=flags.session_present)
        own_topic = [self._manner.presence.topic] if self._manner.presence is not None else []
        # Subscribing anew each time costs little and finds topics added since the session began.
        client.subscribe(
            [(one, SubscribeOptions(qos=1)) for one in (*self._filters, *own_topic)]
            if self._options.version == "5"
            else [(one, 1) for one in (*self._filters, *own_topic)]
        )
        if self._left:
            client.unsubscribe(list(self._left))
        host, port = self._brokers[self._broker]
        self._change(is_up=True, reason=f"by {host}:{port}" if len(self._brokers) > 1 else "")

    def _note_session(self, *, is_kept: bool) -> None:
        """Count a session that the broker kept no longer: what was published meanwhile is lost, which nobody else says.

        It ended by ``session_s`` or by the broker's own limit, or the broker came back without what it had stored.
        """
        if self._broker in self._had and not is_kept:
            self._counters.failures["session_lost"] += 1
            _log.warning("collect.session_lost", client=self._client_id, broker=self._brokers[self._broker][0])
        self._had.add(self._broker)

    def _subscribed(
        self,
        client: Client,
        userdata: object,  # noqa: ARG002 - the hook's own signature
        mid: int,  # noqa: ARG002
        reason_codes: Sequence[ReasonCode],
        properties: Properties | None,  # noqa: ARG002
    ) -> None:
        for topic, code in zip(self._filters, reason_codes, strict=False):
            if code.is_failure and topic.startswith(SHARE) and code.value == NO_SHARING:
                self._refuse_sharing(client)
                return
            if code.is_failure:
                self._counters.refuse("subscription")
                _log.warning("collect.subscription_refused", client=self._client_id, topic=topic, reason=str(code))
        if self._manner.presence is not None:
            assert isinstance(client, _Client), client
            self._publish(client, presence(self._manner.presence.topic, self._born_ms, is_online=True))
        self._is_announced = True

    @property
    def _is_sharing(self) -> bool:
        return any(one.startswith(SHARE) for one in self._filters)

    def _refuse_sharing(self, client: Client) -> None:
        """End a connection over which nothing would come, so that the link is down and says why."""
        self._counters.refuse("subscription")
        self._refusal = "the broker does not offer shared subscriptions"
        client.disconnect()

    def _arrived(self, client: Client, userdata: object, message: MQTTMessage) -> None:  # noqa: ARG002 - the hook
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # Known to nobody: refused and counted by the collector.
        arrival = Message(
            topic=topic,
            payload=bytes(message.payload),
            qos=message.qos,
            is_retained=message.retain,
            is_duplicate=message.dup,
            connection=self._connection,
            packet_id=message.mid,
            _acknowledge=self.acknowledge,
        )
        if self._manner.presence is not None and topic == self._manner.presence.topic:
            self._meet_presence(arrival)
        elif message.qos > 0:
            self._order.add(arrival)
            if not self._inbox.put(arrival, ROOM_S):
                # Not acknowledged, so the broker keeps it; only a new connection makes it come again.
                self._counters.refuse("overflow")
                self._is_overflown = True
        elif not self._inbox.put(arrival):
            self._counters.refuse("overflow")

    def _meet_presence(self, arrival: Message) -> None:
        """Hear what is said of ourselves; it is no value and goes no further."""
        if arrival.qos > 0:
            self._order.add(arrival)
            self.acknowledge(arrival)
        if not arrival.is_retained and denies_presence(arrival.payload):
            self.announce()


class _Client(Client):
    """paho's client on a buffered socket."""

    buffered: BufferedSocket | None = None
    server_name = ""
    is_wanted: Callable[[], bool] = staticmethod(lambda: True)

    def _ssl_wrap_socket(self, tcp_sock: socket.socket) -> ssl.SSLSocket:
        """Shake hands under the name that the certificate must have, which paho takes for the host."""
        assert self._ssl_context is not None, self.server_name
        tcp_sock.settimeout(CONNECT_S)
        return self._ssl_context.wrap_socket(tcp_sock, server_hostname=self.server_name)

    def _create_socket(self) -> Any:  # noqa: ANN401 - paho's own name for a socket is private
        made = cast(socket.socket, super()._create_socket())
        if not self.is_wanted():  # Closed meanwhile: under our id another may be connected, whom the broker would cut.
            made.close()
            raise OSError("closed")
        self.buffered = BufferedSocket(made)
        return self.buffered


def _drain(client: _Client, own: BufferedSocket) -> MQTTErrorCode:
    """Read the packets that are there, up to a limit."""
    for _ in range(READS_MAX):
        code = client.loop_read()
        if code != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return code
        if not own.pending():
            break
    return MQTTErrorCode.MQTT_ERR_SUCCESS


def tls_context(options: BrokerTls) -> ssl.SSLContext:
    """Make what TLS needs; read anew for each connection, so that renewed certificates count without a restart.

    Raises:
        OSError: A file is gone or is no PEM; the link tells it and tries again.
    """
    context = ssl.create_default_context(cafile=options.ca_file)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if options.cert_file is not None:
        context.load_cert_chain(options.cert_file, options.key_file, password=_no_password)
    return context


def _no_password() -> str:
    """Refuse a key with a password; OpenSSL would ask for it at the terminal."""
    raise OSError("the key of our certificate has a password; give it without")
