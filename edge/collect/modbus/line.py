"""A line: one connection, kept, and the devices that share it; one request at a time.

Flow: collectors -> [line] -> wire
Why: devices on one serial line, behind one converter or one modem have one way out. A request to a silent one takes
    its whole time-out from the others, so silent ones leave the cycle (``breaker``); whoever waits gets the line in
    the order of asking.
Never: opens a serial port anew because a device is silent. A network connection on which nobody answers is half-open,
    and is.
"""

import asyncio
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Final, Protocol, TypeAlias

import structlog

from edge.collect.backoff import BackOff
from edge.collect.modbus.breaker import UNANSWERED_MAX, Breaker
from edge.collect.modbus.call import Caller, Door
from edge.collect.modbus.dial import Dial, dial
from edge.collect.modbus.frame import Asked, Failure, Words
from edge.collect.modbus.serial_port import gap_s
from edge.collect.modbus.wire import Wire
from edge.config import ModbusOptions, Table
from edge.model import Reason

RETRY_S_LEAST: Final = 0.2
CRASH_PAUSE_S: Final = 1.0
#: A late RTU answer carries no number that tells what it answers; so long after a time-out, in time-outs, the same
#: device is not asked again, unless the late answer has come.
GRACE_TIMEOUTS: Final = 2.0

#: Called when a device or its line is lost, with the reason.
Watch: TypeAlias = Callable[[str], None]

_log = structlog.get_logger(__name__)


class Way(Protocol):
    """How a line comes to its connection: by dialling, or by waiting for a call."""

    async def connect(self) -> Wire:
        """Give a connected wire.

        Raises:
            OSError: There is none, with a sentence.
        """
        ...

    def close(self) -> None:
        """Nobody wants one any more."""
        ...

    def troubles(self) -> dict[str, int]:
        """Count what else came this way, by reason."""
        ...


class Dialled:
    """A way out: each connection is dialled."""

    def __init__(self, options: ModbusOptions, dial: Dial) -> None:
        self._options = options
        self._dial = dial

    async def connect(self) -> Wire:
        """Dial once."""
        return await self._dial(self._options)

    def close(self) -> None:
        """Nothing stays open between two calls."""

    def troubles(self) -> dict[str, int]:
        """Nobody comes this way."""
        return {}


class Line:
    """One connection and who uses it.

    Attributes:
        connection: How often it has been made; a request plan is begun anew with each.
        tried: Set once it has been made, or could not be.
        exchanged: Bytes sent and received by the last question; to be read before anything else is awaited.
    """

    def __init__(self, options: ModbusOptions, way_of: Callable[[ModbusOptions], Way]) -> None:
        self.connection = 0
        self.tried = asyncio.Event()
        self.exchanged = (0, 0)
        self._way_of = way_of
        self._take_options(options)
        self._wire: Wire | None = None
        self._turn = asyncio.Lock()
        self._stations: dict[int, Station] = {}
        self._users = 0
        self._keeper: asyncio.Task[None] | None = None
        self._unanswered = 0
        self._strays = 0
        self._free_at_s = 0.0

    def _take_options(self, options: ModbusOptions) -> None:
        self._options = options
        self._way = self._way_of(options)
        self._backoff = BackOff(RETRY_S_LEAST, options.retry_s_max)
        self._gap_s = gap_s(options.serial) if options.serial is not None else 0.0

    @property
    def is_up(self) -> bool:
        """The connection stands, as far as is known."""
        return self._wire is not None and self._wire.is_up

    def has_speakers_beside(self, station: "Station") -> bool:
        """Tell whether another device on it answers, and so loses the time that a silent one takes."""
        others = (other for other in self._stations.values() if other is not station)
        return any(other.is_collected and not other.is_silent for other in others)

    def woke(self) -> None:
        """Ask every silent device at once: where all were silent, it was the line that is back."""
        for station in self._stations.values():
            station.probe()

    @property
    def is_numbered(self) -> bool:
        """Answers carry the number of their request."""
        return self._options.framing == "tcp"

    def station(self, device_id: int) -> "Station":
        """Give the device with this unit id; all who ask for it share it."""
        return self._stations.setdefault(device_id, Station(self, device_id))

    def guest(self, device_id: int) -> "Station":
        """Give a device for one look: the one that is collected, or one that counts for nobody else on the line."""
        return self._stations.get(device_id) or Station(self, device_id)

    # ------------------------------------------------------------------------------------------------ the connection

    @contextmanager
    def used(self, options: ModbusOptions | None = None) -> Iterator[None]:
        """Keep the line connected while the body runs; the last user closes it.

        Args:
            options: Those of the first user count, for a reload ends all who use a line before it changes the line;
                None for those that the line was made with.
        """
        if not self._users and options is not None and options != self._options:
            self._take_options(options)
        self._users += 1
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(), name="modbus line")
        try:
            yield
        finally:
            self._users -= 1
            if not self._users:
                self._keeper.cancel()
                self._keeper = None
                self._drop("closed")
                self._way.close()
                self.tried.clear()

    async def _keep(self) -> None:
        """Connect, wait until the connection is lost, begin again with growing pauses."""
        while True:
            # A modem dials when it likes: whoever waits for the first try does not wait for that.
            asyncio.get_running_loop().call_later(self._options.timeout_s, self.tried.set)
            reason = "no connection"
            try:
                reason = await self._connected()
            except OSError as error:
                reason = f"no connection: {error}" if str(error) else reason
            except Exception as error:  # noqa: BLE001 - the line's users live on; its loop must too
                _log.error("modbus.line", line=str(self._options.line), exc_info=error)
                await asyncio.sleep(CRASH_PAUSE_S)
            self._drop(reason)
            self._tell(reason)
            self.tried.set()
            await asyncio.sleep(self._backoff.pause_s())

    async def _connected(self) -> str:
        """Connect and stay so; give why it ended."""
        self._wire = wire = await self._way.connect()
        self.connection += 1
        self._unanswered = 0
        for station in self._stations.values():
            station.renew()
        self.tried.set()
        await wire.lost.wait()
        return wire.lost_reason

    def _drop(self, reason: str) -> None:
        if self._wire is not None:
            self._wire.close(reason)
            self._strays += self._wire.strays
            self._wire = None

    def _tell(self, reason: str) -> None:
        for station in self._stations.values():
            station.tell(reason)

    def troubles(self) -> dict[str, int]:
        """Count what came without being asked for (bytes), and callers that were not let in, by reason."""
        strays = self._strays + (self._wire.strays if self._wire is not None else 0)
        return {"stray_bytes": strays, **self._way.troubles()} if strays else self._way.troubles()

    # ---------------------------------------------------------------------------------------------------- the requests

    async def ask(
        self, asked: Asked, timeout_s: float, pause_s: float, may_go: Callable[[], bool]
    ) -> Words | Failure | None:
        """Send one read when it is its turn, after the silence that line and device want.

        Args:
            may_go: Asked when the turn has come: what happened to those before may have made the device silent.

        Returns:
            uint16 (count,), or why there are none; None where it was not sent.
        """
        loop = asyncio.get_running_loop()
        async with self._turn:
            if not may_go():
                return None
            wait_s = self._free_at_s + max(self._gap_s, pause_s) - loop.time()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            wire = self._wire
            self.exchanged = (0, 0)
            if wire is None or not wire.is_up:
                return Failure(reason=Reason.COMMS)
            sent, received = wire.sent_bytes, wire.received_bytes
            answer = await wire.ask(asked, timeout_s)
            self.exchanged = wire.sent_bytes - sent, wire.received_bytes - received
            self._free_at_s = loop.time()
        if isinstance(answer, Failure) and answer.reason is Reason.TIMEOUT:
            self._unanswered += 1
            if self._unanswered >= UNANSWERED_MAX and self._options.serial is None:
                wire.close("no answer")
        elif not isinstance(answer, Failure) or answer.is_answer:
            self._unanswered = 0
            self._backoff.reset()
        return answer


class Station:
    """One device on a line.

    Attributes:
        generation: Rises when it may have become another: a new connection, or it is back after a silence.
        exchanged: Bytes sent and received by the last ``read``; to be taken before anything else is awaited.
    """

    def __init__(self, line: Line, device_id: int) -> None:
        self.generation = 0
        self.exchanged = (0, 0)
        self._line = line
        self._device_id = device_id
        self._breaker = Breaker()
        self._quiet_until_s = 0.0
        self._watches: list[Watch] = []

    @property
    def is_silent(self) -> bool:
        """It does not answer and only probes go out."""
        return self._breaker.is_open

    @property
    def is_collected(self) -> bool:
        """Somebody collects from it now; after a reload nobody may."""
        return bool(self._watches)

    def watch(self, watch: Watch) -> None:
        """Be told when the device or its line is lost; who is the first may have come to put it right."""
        if not self._watches:
            self.probe()
        self._watches.append(watch)

    def unwatch(self, watch: Watch) -> None:
        """Be told no more."""
        self._watches.remove(watch)

    def tell(self, reason: str) -> None:
        """Tell all who watch."""
        for watch in tuple(self._watches):
            watch(reason)

    def renew(self) -> None:
        """Take note of a new connection."""
        self.generation += 1
        self._quiet_until_s = 0.0
        self.probe()

    def probe(self) -> None:
        """Let the next request out, also to a silent device: it may be back."""
        self._breaker.probe_now()

    def _may_go(self) -> bool:
        now_s = asyncio.get_running_loop().time()
        return self._breaker.may_ask(now_s) and self._quiet_until_s <= now_s

    async def read(
        self, table: Table, address: int, count: int, options: ModbusOptions
    ) -> tuple[bool, Words | Failure]:
        """Read registers, or bits as words of 0 and 1; a silent device is not asked, nor one without connection.

        Returns:
            Whether it was asked; and uint16 (count,), or why there are none.
        """
        loop = asyncio.get_running_loop()
        asked = Asked(self._device_id, table, address, count)
        answer: Words | Failure | None = None
        self.exchanged = (0, 0)
        while answer is None:
            if not self._line.is_up:
                return False, Failure(reason=Reason.COMMS)
            if not self._breaker.may_ask(loop.time()):
                return False, Failure(reason=Reason.TIMEOUT)
            if self._quiet_until_s > loop.time():
                await asyncio.sleep(self._quiet_until_s - loop.time())
                continue
            answer = await self._line.ask(asked, options.timeout_s, options.pause_s, self._may_go)
        self.exchanged = self._line.exchanged
        now_s = loop.time()
        if isinstance(answer, Failure) and answer.reason is Reason.TIMEOUT:
            if not self._line.is_numbered:
                self._quiet_until_s = now_s + GRACE_TIMEOUTS * options.timeout_s
            is_dear = self._line.has_speakers_beside(self)
            if self._breaker.missed(now_s, options.probe_s_max if is_dear else options.retry_s_max):
                self.tell("no answer")
        elif not isinstance(answer, Failure) or answer.is_answer:
            if self._breaker.is_open:
                self.generation += 1
                if not self._line.has_speakers_beside(self):
                    self._line.woke()
            self._breaker.answered(now_s)
        return True, answer


class Lines:
    """All lines of one process: sources with the same way out share one."""

    def __init__(self, dial: Dial = dial) -> None:
        self._dial = dial
        self._doors: dict[tuple[str, int], Door] = {}
        self._lines: dict[Hashable, Line] = {}

    def line(self, options: ModbusOptions) -> Line:
        """Give the line of a device; made at the first asking."""
        found = self._lines.get(options.line)
        if found is None:
            found = self._lines[options.line] = Line(options, self._way)
        return found

    def door(self, listen: str, port: int) -> Door:
        """Give the door for devices that dial in; made at the first asking."""
        return self._doors.setdefault((listen, port), Door(listen, port))

    def _way(self, options: ModbusOptions) -> Way:
        if options.call is None:
            return Dialled(options, self._dial)
        return Caller(self.door(options.call.listen, options.port), options)
