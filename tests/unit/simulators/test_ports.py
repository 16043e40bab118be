"""Ports that are given away for a moment: nobody else's outgoing connection may get one meanwhile."""

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from simulators import ports


def test_a_port_lies_below_those_that_outgoing_connections_get() -> None:
    given = ports.free_ports(50)
    assert len(set(given)) == 50
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))  # The system picks as it does for an outgoing connection.
        picked = door.getsockname()[1]
    assert max(given) < picked


def test_a_taken_port_is_not_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = tmp_path / "range"
    told.write_text("21000 60999\n")
    monkeypatch.setattr(ports, "RANGE", told)
    with socket.create_server(("127.0.0.1", ports.free_port())) as taken:
        assert 20_000 <= taken.getsockname()[1] < 21_000
        assert taken.getsockname()[1] not in ports.free_ports(150)
    told.write_text("1024 65535\n")  # No room below: the system picks.
    assert ports.free_port() >= 1_024


def test_a_port_that_another_program_was_given_is_not_given_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = tmp_path / "range"
    told.write_text("21000 60999\n")
    monkeypatch.setattr(ports, "RANGE", told)
    say = "import sys; from simulators import ports; ports.RANGE = __import__('pathlib').Path(sys.argv[1]);"
    say += "print(*ports.free_ports(150), flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", say, str(told)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = {int(word) for word in other.stdout.readline().split()}  # Nobody listens on them yet.
        assert len(theirs) == 150
        assert not theirs & set(ports.free_ports(150))
