"""The door for data loggers: one port, and the stations that may send there.

Flow: logger -> [door] -> frames by station -> collector; durable -> answer -> logger
Why: a logger calls by itself and repeats what is not answered; one connection may bring the frames of several stations.
Never: sends anything but the answer to data (CN 9014). A frame of an unknown station or with a wrong password is
    counted and not answered. Who may come in is ``edge.collect.calling``'s.
"""

import asyncio
import hmac
import re
from collections.abc import Callable, Hashable
from typing import Final, Protocol

from edge.collect import calling
from edge.config import Hj212Options
from edge.decode.codec.hj212 import Frame, Unframer, answer_of, read_frame
from edge.decode.payload import Refusal

QUIET_S: Final = 600.0  # Who sent no right frame for so long is closed: half-open, or somebody who is no logger.
#: Who never sent one goes earlier. Loggers send each 30 s where nothing else is set (RtdInterval), and call again.
SILENT_S: Final = 90.0
CALLERS_MAX: Final = 1024
UNSENT_BYTES_MAX: Final = 65_536  # Answers that a logger does not take; it will ask again.

_PASSWORD = re.compile(rb"PW\s*=[^;&]*")


class Station(Protocol):
    """What a door asks of a collector."""

    @property
    def options(self) -> Hj212Options:
        """Who may send for it."""
        ...

    def take(self, frame: Frame, size: int, answer: Callable[[], None]) -> None:
        """Take a frame of so many bytes; ``answer`` is called when it is durable, where the logger wants an answer."""
        ...

    def refuse(self, reason: str, payload: bytes) -> None:
        """Count what was sent for it and went no further."""
        ...

    def answered(self, size: int) -> None:
        """Count an answer of so many bytes."""
        ...

    def caller_changed(self, *, is_up: bool) -> None:
        """Know that a logger that speaks for it has come, or that the last one has gone."""
        ...


class Door(calling.Door[Station]):
    """One port and the stations that may be sent for, by name.

    ``refused`` has also what belonged to no station: ``unknown_station``, ``malformed`` (length or CRC),
    ``stray_bytes``; and ``takes_no_answers``.
    """

    def __init__(self, listen: str, port: int) -> None:
        super().__init__(listen, port, CALLERS_MAX)
        #: Who spoke for stations that nobody expects now; as many as there are stations.
        self._left: dict[Hashable, tuple[tuple[object, ...], tuple[Caller, ...]]] = {}

    def visit(self) -> "Caller":
        """Make the protocol of a new connection."""
        return Caller(self)

    def networks(self, guest: Station) -> tuple[str, ...]:
        """Give the networks that a station may be sent from."""
        return guest.options.allow

    async def enter(self, key: Hashable, guest: Station) -> None:
        """Expect a station; who sent for it before, and stayed because of others, speaks for it again at once.

        Not where another password or other networks hold now: then its next frame has to be right first.
        """
        await super().enter(key, guest)
        before, callers = self._left.pop(key, (None, ()))
        if before == _terms(guest):
            for caller in callers:
                if caller in self.inside:
                    caller.names.add(str(key))

    def leave(self, key: Hashable) -> None:
        """Expect a station no more; its callers are remembered for as long as they stay because of others."""
        guest = self.expected.get(key)
        super().leave(key)
        spoke = [one for one in self.inside if isinstance(one, Caller) and str(key) in one.names]
        for caller in spoke:
            caller.names.discard(str(key))
        if guest is not None and spoke:
            self._left[key] = (_terms(guest), tuple(spoke))

    def speaks(self, name: str) -> bool:
        """Tell whether a connected caller has sent for a station."""
        return any(name in caller.names for caller in self.inside if isinstance(caller, Caller))


def _terms(guest: Station) -> tuple[object, ...]:
    """Give what a caller must fulfil to speak for a station."""
    return guest.options.password, guest.options.allow


class Caller(calling.Visit):
    """One connection.

    Attributes:
        names: Stations that it has sent for.
    """

    silent_s = SILENT_S

    def __init__(self, door: Door) -> None:
        super().__init__(door)
        self.names: set[str] = set()
        self._door = door
        self._cut = Unframer()

    def data_received(self, data: bytes) -> None:
        """Give each whole frame to its station."""
        if self._transport is None:
            return
        strays = self._cut.stray
        frames = self._cut.feed(data)
        if self._cut.stray > strays:
            self._door.refuse("stray_bytes", self.peer, self._cut.stray - strays)
        for payload in frames:
            if self._transport is not None:  # A frame may have been the one too many.
                self._take(payload)

    def _take(self, payload: bytes) -> None:
        frame = read_frame(payload)
        if isinstance(frame, Refusal):
            self._door.refuse(frame, self.peer)
            return
        station = self._door.expected.get(frame.station)
        if station is None or not self._door.may_call(station, self.peer):
            self._door.refuse("unknown_station", self.peer)
            return
        password = station.options.password
        if password and not hmac.compare_digest(password.encode(), frame.password.encode()):
            station.refuse("password", _PASSWORD.sub(b"PW=***", payload))  # What is kept is shown at the API.
            return
        self.is_known()
        self.wait(QUIET_S)
        if frame.station not in self.names:
            was_spoken_for = self._door.speaks(frame.station)
            self.names.add(frame.station)
            if not was_spoken_for:
                station.caller_changed(is_up=True)
        station.take(frame, len(payload), lambda: self._answer(frame))

    def _answer(self, frame: Frame) -> None:
        if self._transport is None or not frame.wants_answer:
            return
        if self._transport.get_write_buffer_size() > UNSENT_BYTES_MAX:
            self.refuse("takes_no_answers")  # It would keep the connection open for ever with what is unsent.
            return
        answer = answer_of(frame)
        station = self._door.expected.get(frame.station)
        if station is not None:
            station.answered(len(answer))
        self._transport.write(answer)

    def depart(self) -> asyncio.Transport | None:
        """Leave, and tell the stations that nobody else speaks for."""
        transport = super().depart()
        names, self.names = self.names, set()
        for name in names:
            station = self._door.expected.get(name)
            if station is not None and not self._door.speaks(name):
                station.caller_changed(is_up=False)
        return transport


class Doors:
    """The doors of one process: stations with the same address and port share one."""

    def __init__(self) -> None:
        self._doors: dict[tuple[str, int], Door] = {}

    def door(self, options: Hj212Options) -> Door:
        """Give the door of a station."""
        return self._doors.setdefault((options.listen, options.port), Door(options.listen, options.port))
