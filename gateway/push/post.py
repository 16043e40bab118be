"""Post: one POST over HTTP to an address that was judged, with a bounded answer, in bounded time.

Flow: body, headers -> [resolve, connect to the judged address, POST] -> status, head of the answer, two headers
Never: follows a redirect, connects to an address that was not judged, reads a long answer, waits for ever, takes a
    proxy from the environment: it would resolve the name again, for itself.
"""

import asyncio
import socket
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import httpx

from gateway.config import Destination
from gateway.push.address import Resolve, make_resolver, refusal
from gateway.push.channel import PushError
from gateway.push.receipt import ANSWER_MAX

RETRY_AFTER_S_MAX = 60.0
#: Receivers of Standard Webhooks refuse a signature that is 5 minutes off; half of it is told as a clock's fault.
SKEW_S = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """What came back.

    Attributes:
        answer: Its first bytes.
        retry_after, date: The headers, empty where there is none.
    """

    status: int
    answer: bytes
    retry_after: str = ""
    date: str = ""

    @property
    def after_s(self) -> float | None:
        """When the destination asked to be tried again, s; None where it did not say."""
        told = self.retry_after
        return min(float(told), RETRY_AFTER_S_MAX) if told.isascii() and told.isdigit() else None

    def clock_off_s(self, now_ns: int) -> float:
        """Give how far the destination's clock is ahead of ours by its ``Date`` (RFC 9110, §6.6.1), s; 0 if unknown."""
        try:
            told = parsedate_to_datetime(self.date)
        except ValueError:
            return 0.0
        return told.timestamp() - now_ns / 1e9 if told.tzinfo else 0.0


class Poster:
    """POSTs to one destination.

    Args:
        resolve: How names become addresses; the system's own by default.

    Raises:
        ValueError: The URL cannot be used.
    """

    def __init__(self, destination: Destination, *, resolve: Resolve | None = None) -> None:
        parts = urlsplit(destination.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.password:
            raise ValueError(f"Destination {destination.id}: the URL must be http(s)://host/path without a user.")
        if parts.scheme == "http" and not destination.is_loopback_allowed:
            raise ValueError(f"Destination {destination.id}: the URL must be https, or allow_loopback set.")
        self._destination = destination
        self._url = httpx.URL(destination.url)
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._dns = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"dns-{destination.id}")
        self._resolve = resolve or make_resolver(self._dns)
        self._client = httpx.AsyncClient(
            follow_redirects=False,
            trust_env=False,
            timeout=destination.timeout_s,
            # One for each chain that may be under way, and one for a trial by hand; kept, for a handshake costs more
            # than a notice.
            limits=httpx.Limits(
                max_connections=destination.connections + 1, max_keepalive_connections=destination.connections
            ),
        )

    async def post(
        self, body: bytes, headers: Mapping[str, str], *, query: Mapping[str, str] | None = None, path: str = ""
    ) -> Posted:  # fmt: skip
        """POST within the destination's time-out, all told.

        Args:
            query: Added to the URL's own.
            path: Added to the URL's own, as it is.

        Raises:
            PushError: Nothing came back, or nothing could be sent; never with the query or the path, which may open
                a robot.
        """
        try:
            async with asyncio.timeout(self._destination.timeout_s):
                address = await judged_address(
                    self._resolve, self._host, self._port, is_local_allowed=self._destination.is_loopback_allowed
                )
                url = self._url.copy_with(host=address)
                if path:
                    url = url.copy_with(path=url.path.rstrip("/") + "/" + path)
                if query:
                    url = url.copy_merge_params(dict(query))
                return await self._send(url, body, headers)
        except (TimeoutError, httpx.TimeoutException):
            raise PushError(retry=True, reason="timeout", detail=f"{self._destination.timeout_s:g} s") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            detail = f"{type(failure).__name__} {failure}".strip()[:300]
            raise PushError(retry=True, reason="connection", detail=detail) from None

    async def _send(self, url: httpx.URL, body: bytes, headers: Mapping[str, str]) -> Posted:
        request = self._client.build_request(
            "POST",
            url,
            content=body,
            headers={"host": self._url.netloc.decode("ascii"), "user-agent": "fengsui", **headers},
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
            found = answer.headers
            return Posted(
                status=answer.status_code,
                answer=head[:ANSWER_MAX],
                retry_after=found.get("retry-after", ""),
                date=found.get("date", ""),
            )
        finally:
            await answer.aclose()

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()
        self._dns.shutdown(wait=False, cancel_futures=True)


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
