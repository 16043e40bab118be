"""A non-blocking socket with buffers, for a library that reads a packet in three small pieces.

Why: paho asks the system three times for each message and once for each acknowledgement; with buffers that is once for
each 64 KiB, a third of its whole cost.
"""

import contextlib
import socket
import ssl

READ_BYTES = 65_536
PART_S = 1.0  # How long the other side may take to hang up once we have said goodbye.
WRITE_BYTES_MAX = 1024 * 1024  # A broker that takes nothing must not fill the memory.


class BufferedSocket:
    """What paho asks of a socket: recv, send, pending, fileno, close, setblocking; and ``flush`` for us."""

    def __init__(self, own: socket.socket) -> None:
        self._own = own
        self._read = b""
        self._place = 0
        self._unsent = bytearray()
        self.is_parting = False

    def recv(self, size: int) -> bytes:
        """Give up to so many bytes; as a socket would: b"" at the end, BlockingIOError where there are none."""
        if self._place >= len(self._read):
            self._read = self._own.recv(READ_BYTES)
            self._place = 0
        part = self._read[self._place : self._place + size]
        self._place += len(part)
        return part

    def pending(self) -> int:
        """Bytes that were received and not yet taken, also those that TLS has decrypted; no selector sees them."""
        decrypted = self._own.pending() if isinstance(self._own, ssl.SSLSocket) else 0
        return len(self._read) - self._place + decrypted

    def send(self, data: bytes) -> int:
        """Take bytes for the next flush."""
        if len(self._unsent) >= WRITE_BYTES_MAX:
            raise BlockingIOError
        self._unsent += data
        return len(data)

    def flush(self) -> bool:
        """Send what waits; False: the other side takes no more now."""
        while self._unsent:
            try:
                sent = self._own.send(self._unsent)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return False
            del self._unsent[:sent]
        return True

    def fileno(self) -> int:
        """For selectors."""
        return self._own.fileno()

    def setblocking(self, is_blocking: bool) -> None:  # noqa: FBT001 - a socket's own signature
        """As a socket."""
        self._own.setblocking(is_blocking)

    def close(self) -> None:
        """Send what can still be sent, and close.

        In good order where ``is_parting``: a socket that is closed with something unread is reset, and that may take
        our last words from the other side before it has read them.
        """
        with contextlib.suppress(OSError):
            self.flush()
            if self.is_parting:
                self._own.settimeout(PART_S)
                self._own.shutdown(socket.SHUT_WR)
                while self._own.recv(READ_BYTES):
                    pass
        self._own.close()
