"""The InfluxDB writer: sends on what the historian has committed.

Flow: historian's spool -> lines -> POST /api/v2/write -> release
Why: influxdb-client's own batching keeps an outage in memory and loses it at shutdown, drops a batch at the first 4xx,
     and takes ten times the work. So: its SYNCHRONOUS write with bytes built here, the historian's own rows as the
     durable spool, and back-off of our own. What was sent in the last minute is sent again after every failure and
     restart, because a server that is killed forgets some seconds that it had confirmed; the receiver knows a sample
     by labels and time, so twice is once.
Never: in the way of the historian's writer; loses a sample without counting it.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Protocol

import structlog
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from edge.clock import Clock
from edge.model import TagTable
from gateway.config import Influx
from gateway.historian import line
from gateway.historian.spool import Spool, SpoolPart

LINES_MOST = 10_000  # Lines in one request: 1 MB, 5 ms of the server's work.
OVERLAP_NS = 60_000_000_000  # A killed VictoriaMetrics forgot 8 s; a slow medium may take a minute.
POLL_S = 1.0
RETRY_S_LEAST = 0.5
RETRY_S_MOST = 30.0
TIMEOUT_MS = 10_000
SPLITS_MOST = 40  # Requests spent on finding the refused lines of one batch: one bad line in 10,000 takes 28.
REFUSED_BYTES_MOST = 16_777_216
REFUSED_STATUS = frozenset(
    {HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY}
)

log = structlog.get_logger(__name__)


class LinesRefusedError(Exception):
    """Raised when the server says that these lines are wrong, whoever sends them and whenever."""


class ServerAwayError(Exception):
    """Raised when the same lines may be taken later: no answer, 5xx, 429, or rights to be put right (401, 403, 404).

    Attributes:
        after_s: When the server wants to hear from us again; None where it does not say.
    """

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class LineWriter(Protocol):
    """Hands lines to a server; blocks, and belongs to the writer's executor."""

    def write(self, lines: bytes) -> None:
        """Send lines; returns when the server has confirmed all of them.

        Raises:
            LinesRefusedError, ServerAwayError: Nothing, or only some of them, was taken.
        """
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class InfluxLines:
    """A ``LineWriter`` over influxdb-client."""

    def __init__(self, influx: Influx, timeout_ms: int = TIMEOUT_MS) -> None:
        self._client = InfluxDBClient(
            url=influx.url, token=influx.token or "none", org=influx.org, timeout=timeout_ms, enable_gzip=False
        )
        self._api = self._client.write_api(write_options=SYNCHRONOUS)
        self._bucket = influx.bucket

    def write(self, lines: bytes) -> None:
        """Send lines; returns when the server has confirmed all of them."""
        try:
            self._api.write(bucket=self._bucket, record=lines)  # Precision: nanoseconds, its default.
        except ApiException as error:
            reason = f"status {error.status}: {str(error.message or error.reason or '')[:200]}"
            if error.status in REFUSED_STATUS:
                raise LinesRefusedError(reason) from error
            after = "" if error.headers is None else str(error.headers.get("Retry-After", ""))
            raise ServerAwayError(reason, float(after) if after.isdecimal() else None) from error
        except (HTTPError, OSError) as error:
            raise ServerAwayError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Let go of the connection."""
        self._client.close()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxCounts:
    """The writer's books.

    Attributes:
        sent: Lines confirmed; those sent again count again.
        refused: Lines that the server called wrong; they lie in the quarantine file as far as it has room.
        failures: Requests that found the server away.
        is_up: The last request was answered.
        last_error: What the last failure said; empty while all is well.
    """

    sent: int = 0
    refused: int = 0
    failures: int = 0
    is_up: bool = False
    last_error: str = ""


class InfluxWriter:
    """Reads the spool, sends, releases; on one thread of its own.

    Args:
        spool: The historian's, see ``EmbeddedHistorian.open_spool``.
        lines: Where to.
        tags: For the labels.
        site: Id of the site, a label.
        clock: For the overlap.
        jitter: Gives luck in [0, 1), so that many gateways do not come back at once.
        quarantine: File for refused lines; bounded.
        executor: One thread; made here where none is given.
    """

    def __init__(
        self,
        spool: Spool,
        lines: LineWriter,
        tags: TagTable,
        *,
        site: str,
        clock: Clock,
        jitter: Callable[[], float],
        quarantine: Path,
        executor: Executor | None = None,
    ) -> None:
        self._spool = spool
        self._lines = lines
        self.tags = tags
        self._site = site
        self._clock = clock
        self._jitter = jitter
        self._quarantine = quarantine
        self._is_own_executor = executor is None
        self._executor = executor or ThreadPoolExecutor(1, thread_name_prefix="influx")
        self._prefixes: dict[int, bytes] = {}
        self._cursor = spool.released
        self._confirmed: deque[tuple[int, int]] = deque()  # (last id, when): not released before the overlap is over.
        self._sent = self._refused = self._failures = 0
        self._is_up = False
        self._last_error = ""
        self._splits = 0

    @property
    def counts(self) -> InfluxCounts:
        """Give the books."""
        return InfluxCounts(
            sent=self._sent,
            refused=self._refused,
            failures=self._failures,
            is_up=self._is_up,
            last_error=self._last_error,
        )

    async def run(self) -> None:
        """Send until cancelled; then let go of spool and connection."""
        loop = asyncio.get_running_loop()
        failures = 0
        try:
            while True:
                try:
                    is_more = await loop.run_in_executor(self._executor, self._step)
                except (ServerAwayError, sqlite3.Error, OSError) as error:
                    failures += 1
                    await asyncio.sleep(self._note_failure(error, failures))
                    continue
                failures = 0
                if not is_more:
                    await asyncio.sleep(POLL_S)
        finally:
            self._executor.submit(self._close)
            if self._is_own_executor:
                self._executor.shutdown(wait=False)

    def _note_failure(self, error: Exception, failures: int) -> float:
        """Go back to the last release and give the pause before the next try, s."""
        self._failures += 1
        if self._is_up or not self._last_error:
            log.warning("influx.away", error=str(error))
        self._is_up, self._last_error = False, str(error)
        self._cursor = self._spool.released
        self._confirmed.clear()
        pause_s = min(RETRY_S_MOST, RETRY_S_LEAST * 2.0 ** min(failures - 1, 16))
        asked_s = error.after_s if isinstance(error, ServerAwayError) else None
        return max(asked_s or 0.0, pause_s * (0.5 + self._jitter() / 2))

    # ------------------------------------------------------------------------------------------ on the writer's thread

    def _step(self) -> bool:
        """Send the next part; True where there was one."""
        part = self._spool.read(self._cursor, LINES_MOST)
        if part is not None:
            lines = self._compose(part)
            for i in range(0, len(lines), LINES_MOST):
                self._splits = 0
                self._send(lines[i : i + LINES_MOST])
            self._cursor = part.last_id
            self._confirmed.append((part.last_id, self._clock.monotonic_ns()))
            if not self._is_up:
                log.info("influx.up", sent=self._sent)
            self._is_up, self._last_error = True, ""
        self._release()
        return part is not None

    def _compose(self, part: SpoolPart) -> list[bytes]:
        series = part.series.tolist()
        for i in set(series) - self._prefixes.keys():
            name, nature = self._spool.names(i)
            row = self.tags.row_of.get(name)
            unit = "" if row is None else self.tags[row].unit
            self._prefixes[i] = line.make_prefix({"nature": nature, "site": self._site, "tag": name, "unit": unit})
        prefixes = [self._prefixes[i] for i in series]
        return line.compose(prefixes, part.times_ns, part.values, part.quality)

    def _send(self, lines: list[bytes]) -> None:
        """Send lines; where the server calls some of them wrong, find those and go on with the others."""
        try:
            self._lines.write(b"\n".join(lines))
        except LinesRefusedError as error:
            self._splits += 1
            if len(lines) == 1 or self._splits > SPLITS_MOST:
                self._set_aside(lines, str(error))
                return
            half = len(lines) // 2
            self._send(lines[:half])
            self._send(lines[half:])
        else:
            self._sent += len(lines)

    def _set_aside(self, lines: list[bytes], reason: str) -> None:
        """Keep refused lines for inspection, as far as there is room."""
        if not self._refused:
            log.error("influx.refused", lines=len(lines), first=lines[0].decode()[:200], reason=reason)
        self._refused += len(lines)
        size = self._quarantine.stat().st_size if self._quarantine.exists() else 0
        content = b"# " + reason.replace("\n", " ").encode() + b"\n" + b"\n".join(lines) + b"\n"
        if size + len(content) <= REFUSED_BYTES_MOST:
            with self._quarantine.open("ab") as file:
                file.write(content)

    def _release(self) -> None:
        """Release what was confirmed longer ago than the overlap."""
        before_ns = self._clock.monotonic_ns() - OVERLAP_NS
        last_id = 0
        while self._confirmed and self._confirmed[0][1] <= before_ns:
            last_id, _ = self._confirmed.popleft()
        if last_id:
            self._spool.release(last_id)

    def _close(self) -> None:
        self._spool.close()
        self._lines.close()
