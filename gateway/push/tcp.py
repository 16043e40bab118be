"""TCP: a frame on a connection that stays, ended by ``@@``, answered by a frame ended the same way.

Flow: parcel -> [resolve, connect, frame] -> answer frame -> receipt
Source: delimiter and largest frame (2 MiB) as found in public code of one province's senders.
Never: connects to an address that was not judged, sends a frame that holds the delimiter, waits for ever.
"""

import asyncio
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

from edge.clock import Clock
from gateway.config import Destination
from gateway.push.address import Resolve, make_resolver
from gateway.push.channel import Parcel, PushError, Receipt
from gateway.push.post import judged_address
from gateway.push.receipt import ANSWER_MAX, judge
from gateway.push.sealing import Sealer

DELIMITER: Final = b"@@"
FRAME_MAX: Final = 2 * 1024 * 1024


class FrameChannel:
    """The channel of one destination; one frame at a time.

    Raises:
        ValueError: The address or a key cannot be used.
    """

    def __init__(self, destination: Destination, clock: Clock, *, resolve: Resolve | None = None) -> None:
        parts = urlsplit(destination.url)
        if parts.scheme not in ("tcp", "tls") or not parts.hostname or not parts.port:
            raise ValueError(f"Destination {destination.id}: the URL must be tcp://host:port or tls://host:port.")
        self._destination = destination
        self._clock = clock
        self._sealer = Sealer(destination)
        self._host, self._port = parts.hostname, parts.port
        self._is_tls = parts.scheme == "tls"
        self._dns = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"dns-{destination.id}")
        self._resolve = resolve or make_resolver(self._dns)
        self._turn = asyncio.Lock()
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, parcel: Parcel) -> Receipt:
        """Send one frame and wait for its answer, within the destination's time-out, all told."""
        frame = self._sealer.body(parcel.body)
        if DELIMITER in frame or len(frame) > FRAME_MAX:
            why = "the frame would hold the delimiter @@" if DELIMITER in frame else f"{len(frame)} bytes"
            raise PushError(retry=False, reason="frame", detail=why)
        async with self._turn:
            try:
                async with asyncio.timeout(self._destination.timeout_s):
                    answer = await self._exchange(frame)
            except TimeoutError:
                await self._drop()
                raise PushError(retry=True, reason="timeout", detail=f"{self._destination.timeout_s:g} s") from None
            except (OSError, EOFError, asyncio.LimitOverrunError) as failure:
                await self._drop()
                detail = f"{type(failure).__name__} {failure}".strip()[:300]
                raise PushError(retry=True, reason="connection", detail=detail) from None
            except asyncio.CancelledError:
                await self._drop()
                raise
        return judge(self._destination.profile.receipt, parcel, 0, answer, self._sealer.believes)

    async def close(self) -> None:
        """Let go of the connection."""
        await self._drop()
        self._dns.shutdown(wait=False, cancel_futures=True)

    async def _exchange(self, frame: bytes) -> bytes:
        if self._ends is None or self._ends[0].at_eof():
            await self._drop()
            self._ends = await self._connect()
        reader, writer = self._ends
        writer.write(frame + DELIMITER)
        await writer.drain()
        if self._destination.profile.receipt.by != "answer":
            return b""
        return (await reader.readuntil(DELIMITER)).removesuffix(DELIMITER)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        is_local_allowed = self._destination.is_loopback_allowed
        address = await judged_address(self._resolve, self._host, self._port, is_local_allowed=is_local_allowed)
        context = None
        if self._is_tls:
            context = ssl.create_default_context(cafile=self._destination.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
        name = (self._destination.server_name or self._host) if self._is_tls else None
        return await asyncio.open_connection(address, self._port, ssl=context, server_hostname=name, limit=ANSWER_MAX)

    async def _drop(self) -> None:
        if self._ends is None:
            return
        (_, writer), self._ends = self._ends, None
        writer.transport.abort()  # An answer that still comes would be taken for the next frame's.
