"""Modbus on the wire: requests, answers, and the two ways to frame them. Pure.

Flow: request -> [wrap] -> wire;  bytes -> [feed] -> frames -> [answer] -> words
Why: one small codec of our own serves TCP, TLS, serial lines and modems that dial in; each way in differs by how its
    bytes are cut into frames and by nothing else.
Never: makes a request that writes. ``request`` is the only maker of bytes for a device in this product, and it knows
    four functions. Never raises for what a device sent, never keeps more than one frame and one chunk of it.

Modbus application protocol V1.1b3 §4 and §6.1-6.4 (functions, answers, exceptions); Modbus messaging on TCP/IP V1.0b
§3.1.3 (MBAP header); Modbus over serial line V1.02 §2.5.1 (RTU frame) and §6.2.2 (CRC).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from edge.collect.modbus.address import BIT_TABLES, FUNCTION
from edge.config import Table
from edge.model import Reason

Words: TypeAlias = NDArray[np.uint16]

PDU_MAX: Final = 253
TCP_HEADER: Final = 6  # Transaction, protocol, length; the length counts unit and PDU.
TCP_LENGTH_MIN: Final = 2
TCP_LENGTH_MAX: Final = 1 + PDU_MAX
RTU_MAX: Final = 256
RTU_FRAME: Final = 5  # Unit, function, byte count or exception code, CRC.
LOOKED_THROUGH_MAX: Final = 4 * RTU_MAX
EXCEPTION_BIT: Final = 0x80
#: Exceptions by which a device refuses an address or a count: illegal address, illegal value.
REFUSED_CODES: Final = (2, 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A read that gave no values.

    Attributes:
        reason: Why, as it stands in the quality of the tags concerned.
        code: Exception code of the device, 0 for none.
    """

    reason: Reason
    code: int = 0

    @property
    def is_refusal(self) -> bool:
        """The device does not have some register of the request."""
        return self.reason is Reason.EXCEPTION and self.code in REFUSED_CODES

    @property
    def is_answer(self) -> bool:
        """The device is there and said something."""
        return self.reason not in (Reason.COMMS, Reason.TIMEOUT)


@dataclass(frozen=True, slots=True)
class Asked:
    """One outstanding read."""

    unit: int
    table: Table
    address: int
    count: int

    @property
    def function(self) -> int:
        """Its function code, 1 to 4."""
        return FUNCTION[self.table]

    @property
    def size(self) -> int:
        """Data bytes that its answer has."""
        return (self.count + 7) // 8 if self.table in BIT_TABLES else 2 * self.count


def request(asked: Asked) -> bytes:
    """Give the PDU of a read. There is no other maker of requests in this product."""
    return bytes([asked.function]) + asked.address.to_bytes(2, "big") + asked.count.to_bytes(2, "big")


def answer(asked: Asked, pdu: bytes) -> Words | Failure:
    """Check an answer's PDU and give its words; a bit is a word of 0 or 1.

    Returns:
        uint16 (count,), or why there are none.
    """
    function = pdu[0] if pdu else 0
    if function == asked.function | EXCEPTION_BIT and len(pdu) > 1:
        return Failure(reason=Reason.EXCEPTION, code=pdu[1])
    if function != asked.function:
        return Failure(reason=Reason.MALFORMED)
    data = pdu[2:]
    if len(pdu) < 2 or pdu[1] != len(data) or len(data) != asked.size:  # noqa: PLR2004 - function and byte count
        return Failure(reason=Reason.LENGTH)
    if asked.table in BIT_TABLES:
        bits = np.unpackbits(np.frombuffer(data, dtype=np.uint8), count=asked.count, bitorder="little")
        return bits.astype(np.uint16)
    return np.frombuffer(data, dtype=">u2").astype(np.uint16)


class Framing(Protocol):
    """How bytes on a connection are cut into frames.

    Attributes:
        strays: Bytes that came and belonged to no outstanding request.
        is_lost: What came cannot be cut into frames any more; only a new connection helps.
    """

    strays: int
    is_lost: bool

    def wrap(self, asked: Asked) -> bytes:
        """Give the bytes of a request; what came before it is forgotten."""
        ...

    def feed(self, data: bytes) -> Words | Failure | None:
        """Take received bytes; give the answer to the outstanding request, if it is complete."""
        ...

    def forget(self) -> None:
        """Nobody waits for an answer any more; what comes now is stray."""
        ...


class TcpFraming:
    """Frames with an MBAP header: Modbus TCP, also within TLS.

    Args:
        heartbeat: Bytes that a modem sends by itself between frames; empty for none.
    """

    def __init__(self, heartbeat: bytes = b"") -> None:
        self.strays = 0
        self.is_lost = False
        self._heartbeat = heartbeat
        self._asked: Asked | None = None
        self._transaction = 0
        self._buffer = b""

    def wrap(self, asked: Asked) -> bytes:
        """Give the bytes of a request, under a transaction of its own."""
        self._asked = asked
        self._transaction = self._transaction % 0xFFFF + 1
        pdu = bytes([asked.unit]) + request(asked)
        return self._transaction.to_bytes(2, "big") + b"\0\0" + len(pdu).to_bytes(2, "big") + pdu

    def forget(self) -> None:
        """Nobody waits for an answer any more. A frame begun stays: its rest must be cut off when it comes."""
        self._asked = None

    def feed(self, data: bytes) -> Words | Failure | None:
        """Take received bytes; give the answer to the outstanding request, if it is complete."""
        found: Words | Failure | None = None
        self._buffer += data
        for transaction, unit, pdu in self._frames():
            asked = self._asked
            if asked is None or transaction != self._transaction:
                self.strays += TCP_HEADER + 1 + len(pdu)
                continue
            self._asked = None
            found = answer(asked, pdu) if unit == asked.unit else Failure(reason=Reason.MALFORMED)
        if self.is_lost and self._asked is not None and found is None:
            self._asked = None
            found = Failure(reason=Reason.MALFORMED)
        return found

    def _frames(self) -> Iterator[tuple[int, int, bytes]]:
        """Cut off whole frames: transaction, unit, PDU."""
        buffer, start = self._buffer, 0
        while start < len(buffer):
            begun = buffer[start : start + len(self._heartbeat)]
            if begun and self._heartbeat.startswith(begun):
                if len(begun) < len(self._heartbeat):  # Its rest is on the way.
                    break
                start += len(begun)
                continue
            if len(buffer) - start < TCP_HEADER:
                break
            size = int.from_bytes(buffer[start + 4 : start + 6], "big")
            if buffer[start + 2 : start + 4] != b"\0\0" or not TCP_LENGTH_MIN <= size <= TCP_LENGTH_MAX:
                self.is_lost = True
                self.strays += len(buffer) - start
                self._buffer = b""
                return
            end = start + TCP_HEADER + size
            if end > len(buffer):
                break
            yield int.from_bytes(buffer[start : start + 2], "big"), buffer[start + 6], buffer[start + 7 : end]
            start = end
        self._buffer = buffer[start:]


class RtuFraming:
    """Frames with unit, PDU and CRC: serial lines, and devices that speak so over TCP.

    Time does not cut frames here: a USB adapter or a mobile network tears and joins them. An answer's unit, function
    and byte count are known beforehand, and the CRC proves it; what does not fit is passed over byte by byte.

    Args:
        heartbeat: Bytes that a modem sends by itself between frames; empty for none.
    """

    def __init__(self, heartbeat: bytes = b"") -> None:
        self.strays = 0
        self.is_lost = False
        self._heartbeat = heartbeat
        self._asked: Asked | None = None
        self._sent = b""
        self._buffer = b""

    def wrap(self, asked: Asked) -> bytes:
        """Give the bytes of a request; what came before it is forgotten, it can be no answer to it."""
        self.strays += len(self._buffer)
        self._buffer = b""
        self._asked = asked
        frame = bytes([asked.unit]) + request(asked)
        self._sent = frame + crc16(frame).to_bytes(2, "little")
        return self._sent

    def forget(self) -> None:
        """Nobody waits for an answer any more."""
        self._asked = None
        self.strays += len(self._buffer)
        self._buffer = b""

    def feed(self, data: bytes) -> Words | Failure | None:
        """Take received bytes; give the answer to the outstanding request, if it is complete."""
        asked = self._asked
        if asked is None:
            self.strays += 0 if data == self._heartbeat else len(data)
            return None
        buffer = self._buffer + data
        # No answer has so many bytes; whoever sends more must not keep the event loop busy with looking through them.
        over = max(0, len(buffer) - LOOKED_THROUGH_MAX)
        self.strays += over
        buffer = buffer[over:]
        start = 0
        while start < len(buffer):
            if buffer.startswith(self._sent, start):  # A two-wire adapter gives back what it sends.
                start += len(self._sent)
                continue
            size = _rtu_size(buffer, start)
            is_whole = size is not None and start + size <= len(buffer)
            if size is not None and is_whole and is_sealed(buffer[start : start + size]):
                if buffer[start] == asked.unit:
                    return self._end(buffer[start + size :], answer(asked, buffer[start + 1 : start + size - 2]))
                self.strays += size  # The late answer of another device on the line.
                start += size
            elif self._heartbeat and buffer.startswith(self._heartbeat, start):
                start += len(self._heartbeat)
            elif size is not None and not is_whole:
                # Not yet complete, or no frame at all: an answer behind it must not wait for its rest.
                found = self._search(asked, buffer, start + 1)
                if found is not None:
                    return found
                break
            else:
                is_ours = buffer[start] == asked.unit and buffer[start + 1] == asked.function
                if is_ours and size == RTU_FRAME + asked.size:  # The answer, torn on the line.
                    found = self._search(asked, buffer, start + 1)
                    return self._end(b"", Failure(reason=Reason.MALFORMED)) if found is None else found
                start += 1
                self.strays += 1
        self.strays += max(0, len(buffer) - start - 2 * RTU_MAX)
        self._buffer = buffer[start:][-2 * RTU_MAX :]
        return None

    def _search(self, asked: Asked, buffer: bytes, start: int) -> Words | Failure | None:
        """Look for exactly the answer that is waited for, or an exception, anywhere behind a place."""
        best: tuple[int, int] | None = None
        for head, size in (
            (bytes([asked.unit, asked.function, asked.size]), RTU_FRAME + asked.size),
            (bytes([asked.unit, asked.function | EXCEPTION_BIT]), RTU_FRAME),
        ):
            at = buffer.find(head, start)
            while 0 <= at <= len(buffer) - size:
                if is_sealed(buffer[at : at + size]):
                    best = min(best or (at, size), (at, size))
                    break
                at = buffer.find(head, at + 1)
        if best is None:
            return None
        at, size = best
        return self._end(buffer[at + size :], answer(asked, buffer[at + 1 : at + size - 2]))

    def _end(self, rest: bytes, found: Words | Failure) -> Words | Failure:
        self._asked = None
        self._buffer = b""
        self.strays += len(rest)
        return found


def _rtu_size(buffer: bytes, start: int) -> int | None:
    """Give how long the answer is that begins here; None where none can. Too few bytes to tell give the least size."""
    if start + 1 >= len(buffer):
        return RTU_FRAME
    function = buffer[start + 1]
    if function in FUNCTION.values():
        return RTU_FRAME + (buffer[start + 2] if start + 2 < len(buffer) else 0)
    return RTU_FRAME if function & ~EXCEPTION_BIT in FUNCTION.values() else None


def _crc_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)  # The polynomial x16 + x15 + x2 + 1, low bit first.
        table.append(crc)
    return tuple(table)


_CRC: Final = _crc_table()


def crc16(data: bytes) -> int:
    """Give the CRC of an RTU frame; it goes on the wire low byte first."""
    crc = 0xFFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC[(crc ^ byte) & 0xFF]
    return crc


def is_sealed(frame: bytes) -> bool:
    """Tell whether the last two bytes of a frame are its CRC."""
    return crc16(frame) == 0  # The CRC over a frame with its own CRC is zero.
