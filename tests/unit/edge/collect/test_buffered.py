"""The buffered socket behaves as the socket under it would."""

import socket
from collections.abc import Iterator

import pytest

from edge.collect.mqtt.buffered import READ_BYTES, WRITE_BYTES_MAX, BufferedSocket

pytestmark = pytest.mark.network


@pytest.fixture
def pair() -> Iterator[tuple[BufferedSocket, socket.socket]]:
    own, other = socket.socketpair()
    own.setblocking(False)
    buffered = BufferedSocket(own)
    yield buffered, other
    buffered.close()
    other.close()


def test_small_reads_come_from_one_large_one(pair: tuple[BufferedSocket, socket.socket]) -> None:
    buffered, other = pair
    with pytest.raises(BlockingIOError):
        buffered.recv(1)
    other.send(b"abcdef")
    assert buffered.recv(1) == b"a"
    assert buffered.pending() == 5
    assert buffered.recv(3) == b"bcd"
    other.send(b"gh")
    assert buffered.recv(10) == b"ef", "what was read first comes first"
    assert buffered.pending() == 0
    assert buffered.recv(10) == b"gh"
    other.close()
    assert buffered.recv(1) == b""


def test_writes_wait_for_the_flush(pair: tuple[BufferedSocket, socket.socket]) -> None:
    buffered, other = pair
    other.setblocking(False)
    assert buffered.send(b"ab") == 2
    assert buffered.send(b"cd") == 2
    with pytest.raises(BlockingIOError):
        other.recv(10)
    assert buffered.flush()
    assert other.recv(10) == b"abcd"


def test_a_reader_that_takes_nothing_is_noticed_and_nothing_is_lost(
    pair: tuple[BufferedSocket, socket.socket],
) -> None:
    buffered, other = pair
    sent = 0
    while buffered.flush():
        sent += buffered.send(b"x" * READ_BYTES)
        assert sent < 8 * WRITE_BYTES_MAX
    for _ in range(WRITE_BYTES_MAX // READ_BYTES - 1):
        sent += buffered.send(b"x" * READ_BYTES)
    sent += buffered.send(b"x" * READ_BYTES)
    with pytest.raises(BlockingIOError):
        buffered.send(b"x")
    received = 0
    while received < sent:
        received += len(other.recv(READ_BYTES))
        buffered.flush()
    assert received == sent


def test_closing_sends_what_waits(pair: tuple[BufferedSocket, socket.socket]) -> None:
    buffered, other = pair
    buffered.send(b"last")
    buffered.close()
    assert other.recv(10) == b"last"
    assert other.recv(10) == b""
