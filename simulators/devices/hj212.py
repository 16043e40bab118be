"""A data logger that calls and tells its values, HJ 212-2017 over TCP.

Flow: readings -> [compose] -> the gateway's port
Why: written from the standard (§6.3 frame, appendix A CRC), bit by bit where the gateway uses a table.
Never: keeps what nobody takes; a value that finds no connection is counted as lost.
"""

import asyncio
import contextlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from simulators.wiring_senders import Logger

BEIJING: Final = timezone(timedelta(hours=8))
REAL_TIME: Final = 2011  # CN: real-time data of pollutants.
SYSTEM: Final = 32  # ST: surface water, as the codes of the values say otherwise.
RETRY_S: Final = 1.0
WAITING_MAX: Final = 1_048_576  # Bytes that a gateway has not taken yet.
BYTES_MAX: Final = 1024  # Of a frame's data segment (§6.3.1); more values make more frames.


def crc_of(segment: bytes) -> int:
    """Compute the CRC of a data segment (appendix A): the high byte of the register alone meets each byte."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            register = (register >> 1) ^ 0xA001 if register & 1 else register >> 1
    return register


def frame_of(segment: str) -> bytes:
    """Put a data segment between its head and its CRC."""
    content = segment.encode("ascii")
    return b"##%04d%b%04X\r\n" % (len(content), content, crc_of(content))


def compose(logger: Logger, time_ns: int, readings: Mapping[str, float]) -> list[bytes]:
    """Give the frames that tell a logger's values at a time; ``x-Rtd`` comes with its flag N."""
    moment = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time_ns // 1000)
    local = moment.astimezone(BEIJING)
    number = f"{local:%Y%m%d%H%M%S}{local.microsecond // 1000:03d}"
    head = f"QN={number};ST={SYSTEM};CN={REAL_TIME};PW={logger.password};MN={logger.station};Flag=4"
    head = f"{head};CP=&&DataTime={local:%Y%m%d%H%M%S}"
    frames, body = [], ""
    for tag, name in logger.names.items():
        code, _, kind = name.rpartition("-")
        told = f"{name}={readings[tag]:.6g}" + (f",{code}-Flag=N" if kind == "Rtd" else "")
        if body and len(head) + len(body) + len(told) + 3 > BYTES_MAX:
            frames.append(frame_of(f"{head}{body}&&"))
            body = ""
        body += f";{told}"
    return [*frames, frame_of(f"{head}{body}&&")] if body else frames


class LoggerSender:
    """One logger; ``sent`` and ``lost`` count its frames."""

    def __init__(self, logger: Logger, *, host: str = "") -> None:
        self.logger = logger
        self.sent = self.lost = 0
        self._host = host or logger.host
        self._due_s = 0.0
        self._writer: asyncio.StreamWriter | None = None
        self._calling: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Call in the background and go on trying."""
        self._calling = asyncio.create_task(self._call())

    async def _call(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, self._writer = await asyncio.open_connection(self._host, self.logger.port)
                while await reader.read(4096):  # Answers are heard and need nothing.
                    pass
            self._hang_up()
            await asyncio.sleep(RETRY_S)

    def _hang_up(self) -> None:
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def publish(self, time_s: float, time_ns: int, readings: Mapping[str, float]) -> None:
        """Send where the period has passed."""
        if time_s < self._due_s:
            return
        self._due_s = max(self._due_s + self.logger.period_s, time_s)
        frames = compose(self.logger, time_ns, readings)
        writer = self._writer
        if writer is None or writer.is_closing() or writer.transport.get_write_buffer_size() > WAITING_MAX:
            self.lost += len(frames)
            return
        for frame in frames:
            writer.write(frame)
        self.sent += len(frames)

    async def stop(self) -> None:
        """Hang up."""
        if self._calling is not None:
            self._calling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._calling
        self._hang_up()
