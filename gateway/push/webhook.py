"""Webhook: a signed POST of JSON, after Standard Webhooks.

Flow: parcel -> [resolve, sign, POST] -> receipt
Never: follows a redirect, connects to an address that was not judged, reads a long answer, waits for ever.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson

from edge.clock import Clock
from gateway.config import Destination
from gateway.push.address import Resolve, make_resolver, refusal
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.signature import read_keys, sign

ANSWER_MAX = 4096
REPEAT = 409  # The receiver has this key already.
REDIRECTS = range(300, 400)
OK = range(200, 300)
#: Statuses that speak of the destination or of us, not of this notice: every other notice would fare the same.
TROUBLE = frozenset({401, 403, 404, 405, 407, 408, 410, 421, 425, 429})
RETRY_AFTER_S_MAX = 60.0
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
        self._keys = read_keys(destination.secret)
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
                status, answer, after = await self._post(parcel, await self._judged_address())
        except (TimeoutError, httpx.TimeoutException):
            raise PushError(retry=True, reason="timeout", detail=f"{self._destination.timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            detail = f"{type(failure).__name__} {failure}".strip()[:300]
            raise PushError(retry=True, reason="connection", detail=detail) from None
        return _judge(status, answer, after)

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
        self._dns.shutdown(wait=False, cancel_futures=True)

    async def _judged_address(self) -> str:
        """Resolve the host once; every address must be allowed, not just the first."""
        try:
            found = await self._resolve(self._host, self._port)
        except (socket.gaierror, UnicodeError) as failure:
            raise PushError(retry=True, reason="dns", detail=str(failure)[:300]) from None
        if not found:
            raise PushError(retry=True, reason="dns", detail=f"{self._host} has no address")
        for address in found:
            why = refusal(address, is_local_allowed=self._destination.is_loopback_allowed)
            if why:
                raise PushError(retry=True, reason="address_refused", detail=why)
        return str(found[0])

    async def _post(self, parcel: Parcel, address: str) -> tuple[int, bytes, str]:
        timestamp_s = self._clock.wall_ns() // 1_000_000_000
        headers = {
            "host": self._url.netloc.decode("ascii"),
            "content-type": "application/json; charset=utf-8",
            "user-agent": "fengsui",
            "webhook-id": parcel.key,
            "webhook-timestamp": str(timestamp_s),
            "webhook-signature": sign(self._keys, parcel.key, timestamp_s, parcel.body),
        }
        request = self._client.build_request(
            "POST",
            self._url.copy_with(host=address),
            content=parcel.body,
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
            return answer.status_code, head[:ANSWER_MAX], answer.headers.get("retry-after", "")
        finally:
            await answer.aclose()


def _judge(status: int, answer: bytes, after: str) -> Receipt:
    """Turn an answer into a receipt or an error."""
    text = answer.decode("utf-8", "replace")
    if status in OK or status == REPEAT:
        return Receipt(status=status, id=_receipt_id(answer), is_repeat=status == REPEAT, answer=text)
    after_s = min(float(after), RETRY_AFTER_S_MAX) if after.isascii() and after.isdigit() else None
    is_trouble = status in TROUBLE or status in REDIRECTS or not 400 <= status < 500  # noqa: PLR2004 - HTTP's borders
    raise PushError(retry=is_trouble, reason=f"status_{status}", detail=text[:300], after_s=after_s)


def _receipt_id(answer: bytes) -> str:
    try:
        told: Any = orjson.loads(answer)
    except orjson.JSONDecodeError:
        return ""
    if not isinstance(told, dict):
        return ""
    return next((str(told[name])[:128] for name in ID_NAMES if isinstance(told.get(name), str | int)), "")
