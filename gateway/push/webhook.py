"""Webhook: a POST, signed after Standard Webhooks, in the form of the destination's profile.

Flow: parcel -> [resolve, sign, POST] -> receipt
Never: follows a redirect, connects to an address that was not judged, reads a long answer, waits for ever.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from edge.clock import Clock
from gateway.config import Destination
from gateway.push.address import Resolve, make_resolver, refusal
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.receipt import ANSWER_MAX, judge, read_answer
from gateway.push.sealing import Sealer

REPEAT = 409  # The receiver has this key already.
REDIRECTS = range(300, 400)
OK = range(200, 300)
#: Statuses that speak of the destination or of us, not of this notice: every other notice would fare the same.
TROUBLE = frozenset({401, 403, 404, 405, 407, 408, 410, 421, 425, 429})
RETRY_AFTER_S_MAX = 60.0
#: Receivers of Standard Webhooks refuse a signature that is 5 minutes off; half of it is told as a clock's fault.
SKEW_S = 150.0
ID_NAMES = ("receipt_id", "receipt", "id")


class Webhook:
    """The channel of one destination.

    Args:
        resolve: How names become addresses; the system's own by default.

    Raises:
        ValueError: The URL or the secret cannot be used.
    """

    def __init__(self, destination: Destination, clock: Clock, *, resolve: Resolve | None = None) -> None:
        parts = urlsplit(destination.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError(f"Destination {destination.id}: the URL must be http(s)://host/path without a user.")
        if parts.scheme == "http" and not destination.is_loopback_allowed:
            raise ValueError(f"Destination {destination.id}: the URL must be https, or allow_loopback set.")
        self._destination = destination
        self._clock = clock
        self._sealer = Sealer(destination)
        self._url = httpx.URL(destination.url)
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._dns = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"dns-{destination.id}")
        self._resolve = resolve or make_resolver(self._dns)
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,  # A proxy from the environment would resolve the name again, for itself.
            timeout=destination.timeout_s,
            limits=httpx.Limits(max_connections=2, max_keepalive_connections=1),
        )

    async def send(self, parcel: Parcel) -> Receipt:
        """Deliver one notice within the destination's time-out, all told."""
        try:
            async with asyncio.timeout(self._destination.timeout_s):
                status, answer, after = await self._post(parcel, await self._address())
        except (TimeoutError, httpx.TimeoutException):
            raise PushError(retry=True, reason="timeout", detail=f"{self._destination.timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            detail = f"{type(failure).__name__} {failure}".strip()[:300]
            raise PushError(retry=True, reason="connection", detail=detail) from None
        try:
            return self._judge(parcel, status, answer, after)
        except PushError as error:
            error.status = status
            raise

    def _judge(self, parcel: Parcel, status: int, answer: bytes, after: tuple[str, str]) -> Receipt:
        """Turn an answer into a receipt or an error."""
        text = answer.decode("utf-8", "replace")
        is_repeat = status == REPEAT
        if status in OK or is_repeat:
            rule = self._destination.profile.receipt
            if is_repeat:  # Whoever has it already gave the receipt when it came first.
                return Receipt(status=status, id=_receipt_id(answer), is_repeat=True, answer=text)
            found = judge(rule, parcel, status, answer, self._sealer.believes)
            return found if found.id or rule.id else replace(found, id=_receipt_id(answer))
        retry_after, date = after
        after_s = (
            min(float(retry_after), RETRY_AFTER_S_MAX) if retry_after.isascii() and retry_after.isdigit() else None
        )
        is_trouble = status in TROUBLE or status in REDIRECTS or not 400 <= status < 500  # noqa: PLR2004 - HTTP's borders
        reason, detail = f"status_{status}", text[:300]
        off_s = _clock_off_s(date, self._clock.wall_ns())
        if status in (401, 403) and abs(off_s) > SKEW_S:
            reason = "clock_skew"
            detail = f"the destination's clock is {off_s:+.0f} s from ours, and it refuses our signature. {detail}"
        raise PushError(retry=is_trouble, reason=reason, detail=detail, after_s=after_s)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
        self._dns.shutdown(wait=False, cancel_futures=True)

    async def _address(self) -> str:
        is_local_allowed = self._destination.is_loopback_allowed
        return await judged_address(self._resolve, self._host, self._port, is_local_allowed=is_local_allowed)

    async def _post(self, parcel: Parcel, address: str) -> tuple[int, bytes, tuple[str, str]]:
        timestamp_s = self._clock.wall_ns() // 1_000_000_000
        body = self._sealer.body(parcel.body)
        headers = {
            "host": self._url.netloc.decode("ascii"),
            "content-type": parcel.content,
            "user-agent": "fengsui",
            "webhook-id": parcel.key,
            "webhook-timestamp": str(timestamp_s),
        }
        if signature := self._sealer.signature(parcel.key, timestamp_s, body):
            headers["webhook-signature"] = signature
        request = self._client.build_request(
            "POST",
            self._url.copy_with(host=address),
            content=body,
            headers=headers,
            # The certificate must be for the name, though the connection goes to the address.
            extensions={"sni_hostname": self._host},
        )
        answer = await self._client.send(request, stream=True)
        try:
            head = b""
            async for piece in answer.aiter_raw():
                head += piece
                if len(head) >= ANSWER_MAX:
                    break
            after = answer.headers.get("retry-after", ""), answer.headers.get("date", "")
            return answer.status_code, head[:ANSWER_MAX], after
        finally:
            await answer.aclose()


async def judged_address(resolve: Resolve, host: str, port: int, *, is_local_allowed: bool) -> str:
    """Resolve a host once and give its address; every address that it has must be allowed, not just the first.

    Raises:
        PushError: It has none, or one that must not be connected to.
    """
    try:
        found = await resolve(host, port)
    except (socket.gaierror, UnicodeError) as failure:
        raise PushError(retry=True, reason="dns", detail=str(failure)[:300]) from None
    if not found:
        raise PushError(retry=True, reason="dns", detail=f"{host} has no address")
    for address in found:
        why = refusal(address, is_local_allowed=is_local_allowed)
        if why:
            raise PushError(retry=True, reason="address_refused", detail=why)
    return str(found[0])


def _clock_off_s(date: str, now_ns: int) -> float:
    """Give how far the destination's clock is ahead of ours by its ``Date`` (RFC 9110, §6.6.1), s; 0 where unknown."""
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return 0.0
    return told.timestamp() - now_ns / 1e9 if told.tzinfo else 0.0


def _receipt_id(answer: bytes) -> str:
    told = read_answer(answer)
    if told is None:
        return ""
    return next((str(told[name])[:128] for name in ID_NAMES if isinstance(told.get(name), str | int)), "")
