"""Uplink: sends what the spool holds to the gateway, and frees it when the gateway says that it is durable.

Flow: spool -> [live lane, then back-fill] -> POST /api/v1/ingest -> settle
Why live first: a warning must not wait behind an hour of history. What is younger than ``LIVE_S`` is live and goes
    first, in order; what was spooled while the gateway was away follows in the room that is left, marked as back-fill.
Why settle late: only the answer 200 says "committed, and in the historian". Everything else leaves the record where it
    is; it is sent again, and the gateway knows it by source, epoch and number.
Never: more than one request at a time; gives up; frees on a time-out.

Under a failure the pauses double with jitter, up to ``retry_s_max``; 503 with Retry-After is obeyed.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from http import HTTPStatus
from typing import Any, Final, Protocol

import httpx
import orjson
import structlog

from edge.clock import Clock
from edge.collect.backoff import BackOff
from edge.config import UplinkOptions
from edge.model.wire import RECORDS_MAX, Coded, digest_of, encode, encode_batch
from edge.spool import Kept, Spool, SpoolState

LIVE_S: Final = 5.0  # Older than this, a record is back-fill: newer ones of its source are told first.
FRESH_S: Final = 1.0  # Where live begins anew after an outage.
HEARTBEAT_S: Final = 2.0  # A request at least that often, so that the gateway knows that the node lives.
RETRY_S_LEAST: Final = 0.5
RETRY_AFTER_S_MAX: Final = 60.0
TRIES_OF_ONE: Final = 5  # A single record that the gateway calls wrong so often is set aside.
PATH: Final = "/api/v1/ingest"
BLAMED: Final = frozenset({"malformed", "too_large"})  # Codes with which the gateway blames what was sent.
ANSWER_BYTES_MAX: Final = 1_048_576

log = structlog.get_logger("uplink")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the gateway said: status, the JSON object of the body (empty for none), and when to come again."""

    status: int
    body: dict[str, Any]
    retry_after_s: float | None = None


class Post(Protocol):
    """Sends one body to the gateway."""

    async def __call__(self, body: bytes) -> Answer:
        """Send.

        Raises:
            OSError: No answer came.
        """
        ...


@dataclass(slots=True, kw_only=True)
class UplinkState:
    """The uplink's books.

    Attributes:
        sent: Records that the gateway made durable, ``known`` of them it had already.
        failures: Requests without a good answer, by reason.
        last_ok_ns: Wall clock of the last good answer; 0 for none yet.
        lag_s: Age of the oldest record not settled when the last batch was made.
        last_error: Empty while all is well.
    """

    is_up: bool = False
    sent: int = 0
    known: int = 0
    requests: int = 0
    bytes: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    last_ok_ns: int = 0
    lag_s: float = 0.0
    last_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    body: bytes
    kept: list[Kept]
    is_more: bool
    has_table: bool


class Uplink:
    """Sends until cancelled.

    Args:
        run: Runs a function of the spool in the spool's thread.
        post: Sends a body.
        jitter: Gives luck in [0, 1), so that many nodes do not come back at once.
        status: What the node says of itself besides the spool.
    """

    def __init__(
        self,
        spool: Spool,
        options: UplinkOptions,
        clock: Clock,
        *,
        run: Callable[[Callable[[], Any]], Any],
        post: Post,
        jitter: Callable[[], float],
        status: Callable[[], dict[str, Any]],
    ) -> None:
        self._spool, self._options, self._clock = spool, options, clock
        self._run, self._post, self._jitter, self._status = run, post, jitter, status
        self._wake = asyncio.Event()
        self._backoff = BackOff(RETRY_S_LEAST, options.retry_s_max)
        self._live_from = spool.next_place  # What earlier starts left behind is back-fill.
        self._is_table_due = True
        self._records_most = RECORDS_MAX
        self._tries_of_one: tuple[int, int] = (0, 0)  # (place, tries)
        self._is_more = False
        self._digest = b""
        self._digest_of = (-1, -1)
        self.state = UplinkState()

    def wake(self) -> None:
        """Say that there is something new to send."""
        self._wake.set()

    async def run(self) -> None:
        """Send until cancelled."""
        while True:
            if not self._is_more:
                with contextlib.suppress(TimeoutError):
                    # Not wait_for: woken and cancelled at once, it would forget that it was cancelled (CPython 86296).
                    async with asyncio.timeout(HEARTBEAT_S):
                        await self._wake.wait()
            self._wake.clear()
            pause_s = await self.send_once()
            if pause_s:
                await asyncio.sleep(pause_s)

    async def drain(self) -> None:
        """Send what is there, as long as the gateway takes it: the last thing a node does."""
        while not await self.send_once() and self._is_more:
            pass

    async def send_once(self) -> float:
        """Send one batch; give the pause before the next try, s; 0 after a good answer."""
        told = self._status()
        batch: _Batch = await self._run(lambda: self._compose(told))
        self._is_more = batch.is_more
        self.state.requests += 1
        self.state.bytes += len(batch.body)
        try:
            answer = await self._post(batch.body)
        except OSError as failure:
            return self._failed("connection", str(failure) or type(failure).__name__)
        if answer.status == HTTPStatus.OK:
            await self._run(lambda: self._take(batch, answer.body))
            self._succeeded(batch, answer.body)
            return 0.0
        return await self._refused(batch, answer)

    # ---------------------------------------------------------------------------------------- in the spool's thread

    def _compose(self, told: dict[str, Any]) -> _Batch:
        """Read what goes next: live, then back-fill in the room that is left."""
        spool = self._spool
        self._move_live()
        live_from, end = self._live_from, spool.next_place
        live = spool.read("live", live_from, end, self._options.batch_bytes, self._records_most)
        room = self._options.batch_bytes - sum(one.size for one in live)
        late: list[Kept] = []
        first = spool.first_unsettled()
        if room > 0 and len(live) < self._records_most and first < live_from:
            late = spool.read("late", first, live_from, room, self._records_most - len(live))
        has_table = self._is_table_due | self._has_new_names()  # After reading: it may have met new ones.
        records = [(one.place, encode(one.record)) for one in live]
        records += [(one.place, encode(_as_backfill(one.record))) for one in late]
        kept = live + late
        now_ns = self._clock.wall_ns()
        oldest_ns = min((one.record.received_ns for one in kept), default=now_ns)
        self.state.lag_s = max(0.0, (now_ns - oldest_ns) / 1e9)
        books = spool.state
        status = {
            **told,
            "now_ns": now_ns,
            "lag_s": self.state.lag_s,
            "spool": _books(books, books.waiting - len(kept)),
        }
        body = encode_batch(status, self._digest, (spool.sources, spool.tags) if has_table else None, records)
        return _Batch(body=body, kept=kept, is_more=books.waiting > len(kept), has_table=has_table)

    def _has_new_names(self) -> bool:
        """Keep the digest of the name table; tables only grow, so their lengths tell."""
        sources, tags = self._spool.sources, self._spool.tags
        if self._digest_of == (len(sources), len(tags)):
            return False
        self._digest, self._digest_of = digest_of(sources, tags), (len(sources), len(tags))
        self._is_table_due = True
        return True

    def _move_live(self) -> None:
        """Let live begin anew where its oldest record has waited too long."""
        spool, now_ns = self._spool, self._clock.monotonic_ns()
        first = spool.first_unsettled(self._live_from)
        if first >= spool.next_place:
            self._live_from = first
            return
        appended_ns = spool.appended_ns(first)
        if appended_ns is None or now_ns - appended_ns > LIVE_S * 1e9:
            self._live_from = max(self._live_from, spool.first_since(now_ns - round(FRESH_S * 1e9)))

    def _take(self, batch: _Batch, said: dict[str, Any]) -> None:
        """Settle what the gateway made durable; set aside what it will never take."""
        spool = self._spool
        refused = said.get("refused_at", {})
        set_aside: set[int] = set()
        for reason, places in refused.items() if isinstance(refused, dict) else ():
            wanted = set(places) if isinstance(places, list) else set()
            mine = [one for one in batch.kept if one.place in wanted]
            spool.refuse(mine, str(reason))
            set_aside |= {one.place for one in mine}
        spool.settle([one.place for one in batch.kept if one.place not in set_aside])

    # --------------------------------------------------------------------------------------------------------- answers

    def _succeeded(self, batch: _Batch, said: dict[str, Any]) -> None:
        state = self.state
        if not state.is_up:
            log.info("uplink.up", url=self._options.url or "through a broker")
        state.is_up, state.last_error, state.last_ok_ns = True, "", self._clock.wall_ns()
        state.sent += len(batch.kept)
        known = said.get("known", 0)
        state.known += known if isinstance(known, int) else 0
        if batch.has_table:
            self._is_table_due = False
        self._records_most = RECORDS_MAX
        self._backoff.reset()

    async def _refused(self, batch: _Batch, answer: Answer) -> float:
        error = answer.body.get("error", {})
        error = error if isinstance(error, dict) else {}
        code, message = str(error.get("code", ""))[:40], str(error.get("message", ""))[:200]
        said = f"status {answer.status}: {message}"
        if answer.status == HTTPStatus.CONFLICT and code == "table" and not batch.has_table:
            self._is_table_due = True  # A gateway that was started anew; nothing is wrong.
            self._is_more = True
            return 0.001
        if code in BLAMED or answer.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            await self._narrow(batch, said, is_gateway=code in BLAMED)
        pause_s = self._failed(code or f"status_{answer.status}", said)
        if answer.retry_after_s is None:
            return pause_s
        return min(RETRY_AFTER_S_MAX, answer.retry_after_s * (1 + self._jitter() / 4))

    async def _narrow(self, batch: _Batch, said: str, *, is_gateway: bool) -> None:
        """Look for the record that is called wrong: half as many, down to one.

        Only the gateway's own word condemns a record; a proxy that lets nothing through must not empty the spool.
        """
        if len(batch.kept) > 1:
            self._records_most = max(1, len(batch.kept) // 2)
            return
        for one in batch.kept if is_gateway else ():
            place, tries = self._tries_of_one
            self._tries_of_one = (one.place, tries + 1 if place == one.place else 1)
            if self._tries_of_one[1] >= TRIES_OF_ONE:
                log.error("uplink.set_aside", place=one.place, said=said)
                await self._run(partial(self._spool.refuse, [one], said))
                self._records_most = RECORDS_MAX

    def _failed(self, reason: str, said: str) -> float:
        """Count a failure; give the pause, s."""
        state = self.state
        if state.is_up or said != state.last_error:
            log.warning("uplink.away", reason=reason, said=said)
        if reason in state.failures or len(state.failures) < 32:  # noqa: PLR2004 - a gateway of lies must not fill memory
            state.failures[reason] = state.failures.get(reason, 0) + 1
        state.is_up, state.last_error = False, said
        return self._backoff.pause_s() * (0.5 + self._jitter() / 2)


def _as_backfill(record: Coded) -> Coded:
    return replace(record, is_backfill=True)


def _books(state: SpoolState, waiting: int) -> dict[str, Any]:
    return {
        "waiting": waiting,  # behind this request
        "bytes": state.bytes,
        "dropped": sum(state.dropped.values()),
        "corrupt": state.corrupt,
        "refused": state.refused,
    }


class HttpPost:
    """A ``Post`` over HTTP or HTTPS, with the node's token; redirects are never followed."""

    def __init__(self, options: UplinkOptions) -> None:
        context: ssl.SSLContext | bool = True
        if options.ca_file is not None:
            context = ssl.create_default_context(cafile=str(options.ca_file))
        self._url = options.url + PATH
        self._headers = {
            "authorization": f"Bearer {options.token}",
            "content-type": "application/octet-stream",
            "x-fengsui-request": "1",
        }
        self._client = httpx.AsyncClient(
            verify=context,
            timeout=options.timeout_s,
            trust_env=False,  # A proxy of the shell is not the plant's.
            limits=httpx.Limits(max_connections=1, keepalive_expiry=15.0),
        )

    async def __call__(self, body: bytes) -> Answer:
        """Send one body."""
        try:
            async with self._client.stream("POST", self._url, content=body, headers=self._headers) as response:
                content = b""
                async for part in response.aiter_bytes():
                    content += part
                    if len(content) > ANSWER_BYTES_MAX:
                        raise OSError("The answer is too long to be the gateway's.")
        except (httpx.HTTPError, httpx.InvalidURL) as failure:
            raise OSError(f"{type(failure).__name__}: {failure}") from failure
        try:
            told = orjson.loads(content)
        except orjson.JSONDecodeError:
            told = {}
        after = response.headers.get("retry-after", "")
        return Answer(
            status=response.status_code,
            body=told if isinstance(told, dict) else {},
            retry_after_s=float(after) if after.isdecimal() and len(after) < 6 else None,  # noqa: PLR2004 - a day
        )

    async def close(self) -> None:
        """Close the connection."""
        await self._client.aclose()
