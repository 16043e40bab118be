"""Modem line: commands to a GSM modem on a serial port and what it says (3GPP TS 27.005, TS 27.007).

Flow: port -> lines -> answer of the command under way, or what came by itself
Never: blocks the loop; keeps more than a line that is too long for any modem.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from edge.collect.modbus.serial_port import open_serial
from edge.config import SerialOptions

#: Ends of an answer (TS 27.005, 3.1; V.250, 5.7.1).
OK: Final = "OK"
_ERRORS: Final = ("ERROR", "+CMS ERROR:", "+CME ERROR:", "NO CARRIER", "COMMAND NOT SUPPORT")
PROMPT: Final = "> "
LINE_MAX: Final = 4096


@dataclass(slots=True, eq=False)
class ModemError(Exception):
    """A command was not done.

    Attributes:
        said: The modem's own line.
        code: Of ``+CMS ERROR`` or ``+CME ERROR``; -1 where it gave none.
    """

    said: str
    code: int = field(default=-1)

    def __str__(self) -> str:
        return self.said


class ModemLine(asyncio.Protocol):
    """One serial port with a modem.

    Args:
        came: Takes the PDU of each status report that comes by itself.
        stored: Takes the name of the memory in which the modem stored one.
    """

    def __init__(self, path: str, baudrate: int, came: Callable[[str], None], stored: Callable[[str], None]) -> None:
        self._options = SerialOptions(path=path, baudrate=baudrate)
        self._came, self._stored = came, stored
        self._port: asyncio.Transport | None = None
        self._rest = ""
        self._said: asyncio.Queue[str] = asyncio.Queue()
        self._is_asked = self._is_report_next = False
        self._lost = ""

    @property
    def is_open(self) -> bool:
        """Tell whether the port is open."""
        return self._port is not None

    def open(self) -> None:
        """Open the port.

        Raises:
            OSError: There is none, or somebody else has it.
        """
        self._lost, self._rest, self._said = "", "", asyncio.Queue()
        self._port = open_serial(asyncio.get_running_loop(), self._options, self)

    def close(self) -> None:
        """Let go of the port."""
        port, self._port = self._port, None
        if port is not None:
            port.close()

    async def ask(self, command: str, *, wait_s: float = 5.0, end: str = "\r") -> list[str]:
        """Say one command and give the lines of its answer, without the ``OK``; of ``AT+CMGS=`` up to the prompt.

        Raises:
            ModemError: It answers with an error.
            TimeoutError: It does not answer.
            OSError: The port is gone.
        """
        while not self._said.empty():
            self._said.get_nowait()
        self._is_asked = True
        try:
            if self._port is None:
                raise OSError(self._lost or "the port is closed")
            self._port.write((command + end).encode("ascii"))
            lines: list[str] = []
            async with asyncio.timeout(wait_s):
                while True:
                    line = await self._said.get()
                    if self._port is None:
                        raise OSError(self._lost)
                    if line in (OK, PROMPT):
                        return lines
                    if line.startswith(_ERRORS):
                        raise ModemError(line[:200], _code(line))
                    if line != command:  # its echo
                        lines.append(line)
        finally:
            self._is_asked = False

    # ------------------------------------------------------------------------------------------------ what it says

    def connection_lost(self, exc: Exception | None) -> None:
        """Say that the port is gone, also to who waits for an answer."""
        self._lost = f"the port is gone: {exc or 'closed'}"[:200]
        self._port = None
        self._said.put_nowait("")

    def data_received(self, data: bytes) -> None:
        """Take what the modem says."""
        text = self._rest + data.decode("ascii", "replace")
        *lines, self._rest = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._rest = self._rest[-LINE_MAX:]
        for line in lines:
            self._heard(line.strip())
        if self._rest.lstrip() == PROMPT or self._rest == ">":
            self._rest = ""
            self._said.put_nowait(PROMPT)

    def _heard(self, line: str) -> None:
        if self._is_report_next:
            self._is_report_next = False
            self._came(line)
        elif line.startswith("+CDS:"):
            self._is_report_next = True
        elif line.startswith("+CDSI:"):
            self._stored(line.partition(":")[2].partition(",")[0].strip(' "'))
        elif line and self._is_asked:
            self._said.put_nowait(line)


def _code(line: str) -> int:
    said = line.partition(":")[2].strip()
    return int(said) if said.isascii() and said.isdigit() else -1
