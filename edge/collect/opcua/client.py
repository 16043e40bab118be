"""The real session: asyncua, and nothing else knows it.

Flow: server -> publish answers (two asked for at a time) -> room for one -> [receive] -> collector
Why room for one: the next answer is asked for when the last was taken, so what the collector cannot take stays in the
    server's queues, which are bounded and say what they dropped.
"""

import asyncio
import contextlib
import logging
import math
from collections import deque
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from asyncua import Client, ua
from asyncua.common.shortcuts import Shortcuts
from asyncua.common.utils import ServiceError
from asyncua.crypto import security_policies, uacrypto
from asyncua.ua.ua_binary import struct_from_binary
from cryptography import x509

from edge.clock import Clock
from edge.collect.door import Counters
from edge.collect.opcua.link import Connect, Item, LostError, Made, Publication, Sample
from edge.collect.opcua.trust import application_uri, judge_certificate
from edge.collect.opcua.wire import ReadOnlyClient
from edge.config import OpcuaOptions
from edge.decode.opcua import NodeAddress

T = TypeVar("T")

NAME: Final = "Fengsui"
APPLICATION_URI: Final = "urn:fengsui:gateway"  # Where no certificate names one.
SESSION_MS: Final = 60_000  # A session that we lost holds one of the server's places for so long.
ALIVE_S: Final = 5.0  # The server's state is read so often, beside the subscriptions' own signs of life.
PUBLISHING: Final = 2  # Publish requests that wait at the server, so that none of its turns finds none.
NOTIFICATIONS_MAX: Final = 5_000  # Samples in one answer; more follow at once.
PER_CALL_MAX: Final = 1_000  # Items of one request, where the server does not say.
CLOSE_S_MAX: Final = 2.0
NO_TIME: Final = -1
TIME_NS_MAX: Final = 2**62  # The year 2116; the standard's times go on to 9999, and only a wrong clock shows them.
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_MODE: Final = {
    "none": ua.MessageSecurityMode.None_,
    "sign": ua.MessageSecurityMode.Sign,
    "sign-and-encrypt": ua.MessageSecurityMode.SignAndEncrypt,
}
_POLICY: Final = {
    "Basic256Sha256": security_policies.SecurityPolicyBasic256Sha256,
    "Aes128_Sha256_RsaOaep": security_policies.SecurityPolicyAes128Sha256RsaOaep,
    "Aes256_Sha256_RsaPss": security_policies.SecurityPolicyAes256Sha256RsaPss,
}

# The library says each trouble in many lines, and at its finest all requests with their passwords; ours are said once.
logging.getLogger("asyncua").setLevel(logging.CRITICAL + 1)


def connector(clock: Clock, counters: Counters | None = None) -> Connect:
    """Give what makes sessions; the clock judges how long certificates are valid.

    Args:
        counters: Of the source: bytes of its connections are counted there, all that OPC UA sends over TCP.
    """
    counted = counters or Counters()

    async def connect(options: OpcuaOptions) -> OpcuaSession:
        return await _connect(options, clock, counted)

    return connect


async def _connect(options: OpcuaOptions, clock: Clock, counters: Counters) -> "OpcuaSession":
    client = _Client(options, counters)
    client.name = client.description = NAME
    client.application_uri = APPLICATION_URI
    client.session_timeout = SESSION_MS
    if options.username:
        client.set_user(options.username)
        client.set_password(options.password)
    session = OpcuaSession(client, options)
    refusal: list[str] = []
    try:
        if options.security != "none":
            await _secure(client, options, clock, refusal)
        await client.connect()
    except BaseException as why:  # Also when we are cancelled: the library's tasks and the socket must not stay.
        await session.close(is_for_good=True)
        if isinstance(why, Exception):
            raise LostError(refusal[0] if refusal else said(why)) from why
        raise
    return session


async def _secure(client: Client, options: OpcuaOptions, clock: Clock, refusal: list[str]) -> None:
    """Take our certificate, and judge the server's before anything is told it."""
    assert options.cert_file and options.key_file and options.ca_file, options.url  # noqa: PT018
    own_raw, key_raw, trusted_raw = await asyncio.to_thread(
        lambda: [Path(file).read_bytes() for file in (options.cert_file, options.key_file, options.ca_file) if file]
    )
    own = x509.load_pem_x509_certificate(own_raw) if _is_pem(own_raw) else x509.load_der_x509_certificate(own_raw)
    trusted = x509.load_pem_x509_certificates(trusted_raw)
    client.application_uri = application_uri(own) or APPLICATION_URI
    host = urlsplit(options.url).hostname or ""

    async def validate(shown: x509.Certificate, server: ua.ApplicationDescription) -> None:
        uri = server.ApplicationUri or ""
        why = judge_certificate(shown, trusted, host=host, uri=uri, now_ns=clock.wall_ns())
        if why:
            refusal.append(why)
            raise ServiceError(ua.StatusCodes.BadCertificateUntrusted)

    client.certificate_validator = validate
    certificate, key = (uacrypto.CertProperties(raw, "pem" if _is_pem(raw) else "der") for raw in (own_raw, key_raw))
    await client.set_security(_POLICY[options.policy], certificate, key, mode=_MODE[options.security])


def _is_pem(content: bytes) -> bool:
    return b"-----BEGIN" in content


class _Client(Client):  # type: ignore[misc]  # The library ships no types.
    """The library's client over a connection that can only read."""

    def __init__(self, options: OpcuaOptions, counters: Counters) -> None:
        super().__init__(options.url, timeout=options.timeout_s, watchdog_intervall=ALIVE_S)
        self._security = options.security
        self.uaclient = ReadOnlyClient(options.timeout_s, counters)
        self.uaclient.pre_request_hook = self.check_connection
        self.nodes = Shortcuts(self.uaclient)

    def _add_user_auth(self, params: Any, username: str, password: str) -> None:  # noqa: ANN401 - the library's
        """Say who we are; never in the clear on a line that is only signed."""
        policy = self.server_policy(ua.UserTokenType.UserName)
        if self._security == "sign" and policy.SecurityPolicyUri == security_policies.SecurityPolicyNone.URI:
            raise PermissionError("the server wants the password in the clear; use security sign-and-encrypt")
        super()._add_user_auth(params, username, password)


def said(why: BaseException) -> str:
    """Say what went wrong in a few words, never with a secret in them."""
    cause = why.__cause__
    if isinstance(why, ua.UaStatusCodeError):
        return f"the server answers {ua.StatusCode(why.code).name}"
    if isinstance(why, TimeoutError) or isinstance(cause, TimeoutError):
        return "no answer in time"
    if isinstance(why, OSError):
        return (why.strerror or str(why) or type(why).__name__)[:200]
    return f"{type(why).__name__}: {why}"[:200]


class OpcuaSession:
    """One session with one server."""

    def __init__(self, client: Client, options: OpcuaOptions) -> None:
        self._client = client
        self._wire: ReadOnlyClient = client.uaclient
        self._options = options
        self._publications: deque[Publication] = deque()
        self._room = asyncio.Semaphore(1)  # One publication waits.
        self._acknowledged: list[ua.SubscriptionAcknowledgement] = []
        self._publishing: list[asyncio.Task[None]] = []
        self._per_call = 0
        self._ending = ""

    @property
    def client(self) -> Client:
        """The library's client, for the browser of the command line; it can send nothing but what reads."""
        return self._client

    async def _ask(self, work: Awaitable[T]) -> T:
        """Wait for an answer; what goes wrong is the end of the session."""
        try:
            return await work
        except Exception as why:
            raise LostError(said(why)) from why

    async def _send(self, request: Any, answer: type[T], timeout_s: float | None = None) -> T:  # noqa: ANN401 - the library's
        """Send a request for which the library has no function of its own."""
        protocol = self._wire.protocol
        if protocol is None:
            raise ConnectionError("the connection is closed")
        data = await protocol.send_request(request, timeout=timeout_s)
        response = cast(Any, struct_from_binary(answer, data))
        response.ResponseHeader.ServiceResult.check()
        return cast(T, response)

    async def namespaces(self) -> list[str]:
        """Give the URIs of the server's namespaces, by index."""
        found = await self._ask(self._client.get_namespace_array())
        return [str(uri) for uri in found]

    # -------------------------------------------------------------------------------------------------- subscriptions

    async def create(self, period_s: float, life_s: float, items: Sequence[Item]) -> Made:
        """Make a subscription that tells every period, also when nothing changed."""
        request = ua.CreateSubscriptionRequest()
        request.Parameters.RequestedPublishingInterval = period_s * 1000.0
        request.Parameters.RequestedMaxKeepAliveCount = 1
        request.Parameters.RequestedLifetimeCount = max(3, math.ceil(life_s / period_s))
        request.Parameters.MaxNotificationsPerPublish = NOTIFICATIONS_MAX
        request.Parameters.PublishingEnabled = True
        made = (await self._ask(self._send(request, ua.CreateSubscriptionResponse))).Parameters
        publishing_s = made.RevisedPublishingInterval / 1000.0
        results = await self._watch(made.SubscriptionId, items)
        self._publish()
        return Made(
            id=made.SubscriptionId,
            publishing_s=publishing_s,
            keepalive_s=publishing_s * max(1, made.RevisedMaxKeepAliveCount),
            life_s=publishing_s * made.RevisedLifetimeCount,
            statuses=[one.StatusCode.value for one in results],
            sampling_s=[
                one.RevisedSamplingInterval / 1000.0 if one.StatusCode.is_good() else math.nan for one in results
            ],
        )

    async def add(self, subscription: int, items: Sequence[Item]) -> list[int]:
        """Watch further items in a subscription; give the status code of each."""
        return [one.StatusCode.value for one in await self._watch(subscription, items)]

    async def _watch(self, subscription: int, items: Sequence[Item]) -> list[ua.MonitoredItemCreateResult]:
        if not self._per_call:
            self._per_call = await self._ask(self._most_per_call())
        results: list[ua.MonitoredItemCreateResult] = []
        for first in range(0, len(items), self._per_call):
            request = ua.CreateMonitoredItemsRequest()
            request.Parameters.SubscriptionId = subscription
            request.Parameters.TimestampsToReturn = ua.TimestampsToReturn.Both
            request.Parameters.ItemsToCreate = [_asked(item) for item in items[first : first + self._per_call]]
            results += (await self._ask(self._send(request, ua.CreateMonitoredItemsResponse))).Results
        if len(results) != len(items):
            raise LostError(f"the server answers {len(results)} of {len(items)} items")
        return results

    async def _most_per_call(self) -> int:
        """Give how many items the server takes in one request (OPC 10000-5 §6.3.11: OperationLimits)."""
        node = self._client.get_node(
            ua.NodeId(ua.ObjectIds.Server_ServerCapabilities_OperationLimits_MaxMonitoredItemsPerCall)
        )
        try:
            told = await node.read_value()
        except ua.UaStatusCodeError:
            return PER_CALL_MAX
        return min(int(told), PER_CALL_MAX) if isinstance(told, int) and told > 0 else PER_CALL_MAX

    async def transfer(self, subscriptions: Sequence[int]) -> list[list[int] | None]:
        """Take over subscriptions of a session that was lost, with their current values."""
        request = ua.TransferSubscriptionsRequest()
        request.Parameters.SubscriptionIds = list(subscriptions)
        request.Parameters.SendInitialValues = True
        try:
            results = (await self._send(request, ua.TransferSubscriptionsResponse)).Parameters.Results
        except ua.UaStatusCodeError:  # Not every server has the service; then all are made anew.
            return [None] * len(subscriptions)
        except Exception as why:
            raise LostError(said(why)) from why
        found = [list(one.AvailableSequenceNumbers) if one.StatusCode.is_good() else None for one in results]
        if any(one is not None for one in found):
            self._publish()
        return (found + [None] * len(subscriptions))[: len(subscriptions)]

    # ----------------------------------------------------------------------------------------------------- publications

    def _publish(self) -> None:
        """Begin to ask for publications, at the first subscription."""
        while len(self._publishing) < PUBLISHING:
            self._publishing.append(asyncio.create_task(self._ask_on(), name="opcua publish"))

    async def _ask_on(self) -> None:
        """Ask for publications until the connection ends; one waits until the collector took the last."""
        try:
            while True:
                request = ua.PublishRequest()
                acknowledged, self._acknowledged = self._acknowledged, []
                request.Parameters.SubscriptionAcknowledgements = acknowledged
                try:
                    result = (await self._send(request, ua.PublishResponse, 0)).Parameters
                except (ua.uaerrors.BadTimeout, ua.uaerrors.BadTooManyPublishRequests):
                    continue  # Nothing happened: asked again (OPC 10000-4 §5.14.5.4).
                publication = _publication_of(result.SubscriptionId, result.NotificationMessage)
                if publication.samples:
                    acknowledgement = ua.SubscriptionAcknowledgement()
                    acknowledgement.SubscriptionId = publication.subscription
                    acknowledgement.SequenceNumber = publication.number
                    self._acknowledged.append(acknowledgement)
                await self._room.acquire()
                self._publications.append(publication)
                self._wire.stirred.set()
        except Exception as why:  # noqa: BLE001 - whatever it is, it is the end of the session, and receive() says it
            self._ending = self._ending or said(why)
            self._wire.lose()

    async def republish(self, subscription: int, number: int) -> Publication | None:
        """Ask for a publication again; None where the server has it no more."""
        request = ua.RepublishRequest()
        request.Parameters.SubscriptionId = subscription
        request.Parameters.RetransmitSequenceNumber = number
        try:
            response = await self._send(request, ua.RepublishResponse)
        except ua.UaStatusCodeError:
            return None
        except Exception as why:
            raise LostError(said(why)) from why
        return _publication_of(subscription, response.NotificationMessage)

    async def receive(self) -> Publication:
        """Wait for the next publication."""
        while not self._publications:
            if self._wire.is_lost:
                raise LostError(self._ending or "the connection broke")
            self._wire.stirred.clear()
            await self._wire.stirred.wait()
        self._room.release()
        return self._publications.popleft()

    async def close(self, *, is_for_good: bool) -> None:
        """End the session, as far as that is possible."""
        for task in self._publishing:
            task.cancel()
        await asyncio.gather(*self._publishing, return_exceptions=True)
        for background in (self._client._monitor_server_task, self._client._renew_channel_task):  # noqa: SLF001 - it has no other end
            if background is not None:
                background.cancel()
                await asyncio.gather(background, return_exceptions=True)
        self._wire.pre_request_hook = None
        with contextlib.suppress(Exception):  # The server may be gone: that is why we close.
            async with asyncio.timeout(CLOSE_S_MAX):
                if not self._wire.is_lost:
                    await self._wire.close_session(is_for_good)
                    await self._wire.close_secure_channel()
        with contextlib.suppress(Exception):
            self._wire.disconnect_socket()


def _asked(item: Item) -> ua.MonitoredItemCreateRequest:
    request = ua.MonitoredItemCreateRequest()
    request.ItemToMonitor.NodeId = node_id(item.node)
    request.ItemToMonitor.AttributeId = ua.AttributeIds.Value
    request.MonitoringMode = ua.MonitoringMode.Reporting
    request.RequestedParameters.ClientHandle = item.handle
    request.RequestedParameters.SamplingInterval = item.sampling_s * 1000.0
    request.RequestedParameters.QueueSize = item.queue_size
    request.RequestedParameters.DiscardOldest = True
    return request


def node_id(node: NodeAddress) -> ua.NodeId:
    """Give the library's node id of an address whose namespace index is known."""
    return ua.NodeId.from_string(node.written(node.index))


def _publication_of(subscription: int, message: ua.NotificationMessage) -> Publication:
    samples: list[Sample] = []
    ended = 0
    for notification in message.NotificationData or []:
        if isinstance(notification, ua.DataChangeNotification):
            samples += [_sample_of(one) for one in notification.MonitoredItems or []]
        elif isinstance(notification, ua.StatusChangeNotification):
            ended = notification.Status.value
    return Publication(
        subscription=subscription,
        number=message.SequenceNumber,
        published_ns=time_ns_of(message.PublishTime),
        samples=samples,
        ended=ended,
    )


def _sample_of(one: ua.MonitoredItemNotification) -> Sample:
    found = one.Value
    variant = found.Value
    status = found.StatusCode_
    stamp = found.SourceTimestamp or found.ServerTimestamp
    return Sample(
        handle=one.ClientHandle,
        value=None if variant is None else variant.Value,
        status=0 if status is None else status.value,
        time_ns=time_ns_of(stamp),
    )


def time_ns_of(stamp: datetime | None) -> int:
    """Give ns since 1970-01-01 UTC; -1 for none, and for what a server without a clock gives, which is 1601."""
    if stamp is None:
        return NO_TIME
    if stamp.tzinfo is None:
        stamp = stamp.replace(tzinfo=UTC)
    ns = (stamp - _EPOCH) // _MICROSECOND * 1_000
    return min(ns, TIME_NS_MAX) if ns > 0 else NO_TIME
