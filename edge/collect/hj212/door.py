"""The door for data loggers: one port, and the stations that may send there.

Flow: logger -> [door] -> frames by station -> collector; durable -> answer -> logger
Why: a logger calls by itself and repeats what is not answered; one connection may bring the frames of several stations.
Never: sends anything but the answer to data (CN 9014). A caller from an address that nobody allows is closed without a
    byte; a frame of an unknown station or with a wrong password is counted and not answered.
"""

import asyncio
import hmac
import re
from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol, cast

import structlog

from edge.collect.callers import is_told, is_within
from edge.config import Hj212Options
from edge.decode.codec.hj212 import Frame, Unframer, answer_of, read_frame
from edge.decode.payload import Refusal

QUIET_S: Final = 600.0  # Who sent no right frame for so long is closed: half-open, or somebody who is no logger.
CALLERS_MAX: Final = 1024
UNSENT_BYTES_MAX: Final = 65_536  # Answers that a logger does not take; it will ask again.

_PASSWORD = re.compile(rb"PW\s*=[^;&]*")
_log = structlog.get_logger(__name__)


class Station(Protocol):
    """What a door asks of a collector."""

    @property
    def options(self) -> Hj212Options:
        """Who may send for it."""
        ...

    def take(self, frame: Frame, answer: Callable[[], None]) -> None:
        """Take a frame; ``answer`` is called when it is durable, where the logger wants an answer."""
        ...

    def refuse(self, reason: str, payload: bytes) -> None:
        """Count what was sent for it and went no further."""
        ...

    def caller_changed(self, *, is_up: bool) -> None:
        """Know that a logger that speaks for it has come, or that the last one has gone."""
        ...


class Door:
    """One port; open while a station is expected.

    Attributes:
        refused: What belonged to no station, by reason: ``address``, ``crowd``, ``unknown_station``, ``malformed``.
    """

    def __init__(self, listen: str, port: int) -> None:
        self.refused: Counter[str] = Counter()
        self.stations: dict[str, Station] = {}
        self.callers: set[Caller] = set()
        self._listen = listen
        self._port = port
        self._server: asyncio.Server | None = None
        self._opening = asyncio.Lock()

    @property
    def port(self) -> int:
        """The port that it really listens on."""
        return int(self._server.sockets[0].getsockname()[1]) if self._server is not None else self._port

    async def enter(self, name: str, station: Station) -> None:
        """Expect a station; the first one opens the port.

        Raises:
            OSError: The port cannot be listened on.
        """
        async with self._opening:
            if self._server is None:
                loop = asyncio.get_running_loop()
                self._server = await loop.create_server(lambda: Caller(self), self._listen, self._port)
            self.stations[name] = station

    def leave(self, name: str) -> None:
        """Expect a station no more; the last one closes the port."""
        self.stations.pop(name, None)
        if self._server is not None and not self.stations:
            self._server.close()
            self._server = None
            for caller in tuple(self.callers):
                caller.close()

    def is_allowed(self, peer: str) -> bool:
        """Tell whether any station may be sent from there."""
        return any(is_within(peer, station.options.allow) for station in self.stations.values())

    def speaks(self, name: str) -> bool:
        """Tell whether a connected caller has sent for a station."""
        return any(name in caller.names for caller in self.callers)


class Caller(asyncio.Protocol):
    """One connection.

    Attributes:
        names: Stations that it has sent for.
    """

    def __init__(self, door: Door) -> None:
        self.names: set[str] = set()
        self._door = door
        self._cut = Unframer()
        self._peer = ""
        self._transport: asyncio.Transport | None = None
        self._quiet: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Let in whom the configuration allows."""
        self._transport = cast(asyncio.Transport, transport)
        self._peer = str((transport.get_extra_info("peername") or ("",))[0])
        reason = "crowd" if len(self._door.callers) >= CALLERS_MAX else ""
        reason = reason or ("" if self._door.is_allowed(self._peer) else "address")
        if reason:
            self._door.refused[reason] += 1
            if is_told(self._door.refused[reason]):
                _log.warning("hj212.caller_refused", reason=reason, peer=self._peer, count=self._door.refused[reason])
            self._transport.abort()
            self._transport = None
            return
        self._door.callers.add(self)
        self._heard()

    def _heard(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
        self._quiet = asyncio.get_running_loop().call_later(QUIET_S, self._drop)

    def data_received(self, data: bytes) -> None:
        """Give each whole frame to its station."""
        if self._transport is None:
            return
        for payload in self._cut.feed(data):
            self._take(payload)

    def _take(self, payload: bytes) -> None:
        frame = read_frame(payload)
        if isinstance(frame, Refusal):
            self._door.refused[frame] += 1
            return
        station = self._door.stations.get(frame.station)
        if station is None or not is_within(self._peer, station.options.allow):
            self._door.refused["unknown_station"] += 1
            return
        password = station.options.password
        if password and not hmac.compare_digest(password.encode(), frame.password.encode()):
            station.refuse("password", _PASSWORD.sub(b"PW=***", payload))  # What is kept is shown at the API.
            return
        self._heard()
        if frame.station not in self.names:
            was_spoken_for = self._door.speaks(frame.station)
            self.names.add(frame.station)
            if not was_spoken_for:
                station.caller_changed(is_up=True)
        station.take(frame, lambda: self._answer(frame))

    def _answer(self, frame: Frame) -> None:
        if self._transport is None or not frame.wants_answer:
            return
        if self._transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self._drop()
            return
        self._transport.write(answer_of(frame))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - as asyncio calls it
        """Tell the stations that nobody else speaks for."""
        self._transport = None
        if self._quiet is not None:
            self._quiet.cancel()
        self._door.callers.discard(self)
        for name in self.names:
            station = self._door.stations.get(name)
            if station is not None and not self._door.speaks(name):
                station.caller_changed(is_up=False)

    def _drop(self) -> None:
        """End the connection now: who takes nothing would keep it open for ever with what is unsent."""
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """End the connection."""
        if self._transport is not None:
            self._transport.close()


class Doors:
    """The doors of one process: stations with the same address and port share one."""

    def __init__(self) -> None:
        self._doors: dict[tuple[str, int], Door] = {}

    def door(self, options: Hj212Options) -> Door:
        """Give the door of a station."""
        return self._doors.setdefault((options.listen, options.port), Door(options.listen, options.port))
