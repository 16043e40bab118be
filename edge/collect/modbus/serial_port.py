"""A serial port as a transport of asyncio.

Why: pyserial opens and sets the port; reading is the loop's own, so that no thread stands between a byte and its frame.
"""

import asyncio
import os
from typing import Final

import serial

from edge.config import SerialOptions

READ_BYTES: Final = 512
PARITY: Final = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
BITS_MIN: Final = 10  # Start, eight of data, stop.
GAP_CHARACTERS: Final = 3.5  # Silence between frames: Modbus over serial line V1.02, 2.5.1.1 …
GAP_FAST_S: Final = 1.75e-3  # … and the same for rates above 19200.
FAST_BAUD: Final = 19_200


def character_s(options: SerialOptions) -> float:
    """Give how long one character takes on the line, s."""
    return (BITS_MIN - 1 + options.stop_bits + (options.parity != "none")) / options.baudrate


def gap_s(options: SerialOptions) -> float:
    """Give the silence that parts two frames, s."""
    return GAP_FAST_S if options.baudrate > FAST_BAUD else GAP_CHARACTERS * character_s(options)


class SerialTransport(asyncio.Transport):
    """An open port; frames of requests are small enough for the driver's own buffer."""

    def __init__(self, loop: asyncio.AbstractEventLoop, port: serial.Serial, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self._loop = loop
        self._port = port
        self._protocol = protocol
        self._file = port.fileno()
        loop.add_reader(self._file, self._read)
        protocol.connection_made(self)

    def _read(self) -> None:
        try:
            data = os.read(self._file, READ_BYTES)
        except BlockingIOError:
            return
        except OSError as error:  # The adapter was pulled out.
            self._end(error)
            return
        if data:
            self._protocol.data_received(data)
        else:
            self._end(None)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a frame."""
        try:
            os.write(self._file, data)
        except OSError as error:
            self._end(error)

    def is_closing(self) -> bool:
        """The port is closed."""
        return not self._port.is_open

    def close(self) -> None:
        """Close the port."""
        self._end(None)

    def abort(self) -> None:
        """Close the port."""
        self._end(None)

    def _end(self, error: OSError | None) -> None:
        if not self._port.is_open:
            return
        self._loop.remove_reader(self._file)
        self._port.close()
        self._protocol.connection_lost(error)


def open_serial(loop: asyncio.AbstractEventLoop, options: SerialOptions, protocol: asyncio.Protocol) -> SerialTransport:
    """Open a port for this process alone.

    Raises:
        OSError: It is not there, belongs to somebody else, or does not know the settings.
    """
    try:
        port = serial.Serial(
            options.path,
            baudrate=options.baudrate,
            bytesize=serial.EIGHTBITS,
            parity=PARITY[options.parity],
            stopbits=options.stop_bits,
            timeout=0,
            exclusive=True,
        )
    except ValueError as error:
        raise OSError(f"{options.path} does not know these settings: {error}.") from error
    return SerialTransport(loop, port, protocol)
