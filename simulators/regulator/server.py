"""The regulator's HTTP server, on the standard library alone: a thread for each connection.

Flow: request -> [Desk] -> answer
Why: not the gateway's web stack, so that both ends of the wire are different code.

    POST /notices   a signed notice -> receipt {receipt_id, received_at, key}
    GET  /notices   distinct keys with counts
    GET  /health    {"status": "ok"}
    GET  /control, PUT /control   mode, with ``Authorization: Bearer <token>``
"""

import hmac
import json
import socket
import struct
import sys
import threading
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from edge.clock import Clock
from simulators.regulator.ledger import ConflictError, Ledger
from simulators.regulator.mode import Mode, ModeError, read_mode
from simulators.regulator.signature import SignatureError, verify

BODY_BYTES_MAX: Final = 1_048_576
IDLE_S_MAX: Final = 30.0
TOKEN_LEAST: Final = 16

Answer = tuple[HTTPStatus | int, dict[str, Any]]


class Desk:
    """Where notices are received: signature, mode, ledger; one at a time.

    Raises:
        ModeError: When the control token is too short to be a secret.

    Attributes:
        mode: How it behaves today.
        counts: Notices by what became of them: accepted, repeated, unsigned, malformed, refused, conflicting, away.
    """

    def __init__(self, key: bytes, token: str, ledger: Ledger, clock: Clock) -> None:
        if len(token) < TOKEN_LEAST:
            raise ModeError(f"The control token must have {TOKEN_LEAST} characters or more (FENGSUI_REGULATOR_TOKEN).")
        self.mode = Mode()
        self.counts: Counter[str] = Counter()
        self.ending = threading.Event()
        self._key = key
        self._token = token
        self._ledger = ledger
        self._clock = clock
        self._one_at_a_time = threading.Lock()

    def receive(self, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Answer a notice; None to cut the connection."""
        mode = self.mode
        if mode.name == "down":
            self.counts["away"] += 1
            return None if mode.cuts else _error(HTTPStatus.SERVICE_UNAVAILABLE, "away", "Nobody is in the office.")
        if mode.name == "slow":
            self.ending.wait(mode.delay_s)
        now_ns = self._clock.wall_ns()
        with self._one_at_a_time:
            try:
                key = verify(self._key, headers, body, now_ns / 1e9)
            except SignatureError as error:
                self.counts["unsigned"] += 1
                return _error(HTTPStatus.UNAUTHORIZED, "signature", str(error))
            return self._take(key, body, mode, now_ns)

    def _take(self, key: str, body: bytes, mode: Mode, now_ns: int) -> Answer:
        try:
            content = json.loads(body)
        except ValueError:
            self.counts["malformed"] += 1
            return _error(HTTPStatus.BAD_REQUEST, "malformed", "The body is not JSON.")
        if mode.refuses(content):
            self.counts["refused"] += 1
            return _error(mode.status, "refused", "This notice is refused today.")
        received_at = (datetime.fromtimestamp(0, UTC) + timedelta(microseconds=now_ns // 1000)).isoformat()
        try:
            kept = self._ledger.keep(key, body, received_at)
        except ConflictError as error:
            self.counts["conflicting"] += 1
            return _error(HTTPStatus.CONFLICT, "conflict", str(error))
        self.counts["accepted" if kept.times == 1 else "repeated"] += 1
        return HTTPStatus.OK, {"receipt_id": kept.receipt_id, "received_at": kept.received_at, "key": kept.key}

    def listing(self) -> dict[str, Any]:
        """Give all distinct notices with how often each came."""
        with self._one_at_a_time:
            notices = [
                {
                    "key": kept.key,
                    "receipt_id": kept.receipt_id,
                    "received_at": kept.received_at,
                    "times": kept.times,
                    "body": kept.body,
                }
                for kept in self._ledger.kept.values()
            ]
        return {"distinct": len(notices), "counts": dict(self.counts), "notices": notices}

    def control(self, authorization: str, body: bytes | None) -> Answer:
        """Show the mode, or change it when there is a body."""
        if not hmac.compare_digest(authorization.encode(), f"Bearer {self._token}".encode()):
            return _error(HTTPStatus.UNAUTHORIZED, "token", "The control token is missing or wrong.")
        if body is not None:
            try:
                self.mode = read_mode(json.loads(body))
            except (ValueError, ModeError) as error:
                return _error(HTTPStatus.BAD_REQUEST, "mode", str(error))
        mode = self.mode
        return HTTPStatus.OK, {
            "mode": mode.name,
            "delay_s": mode.delay_s,
            "cuts": mode.cuts,
            "status": mode.status,
            "match": mode.match,
        }


def _error(status: HTTPStatus | int, code: str, message: str) -> Answer:
    return status, {"error": {"code": code, "message": message}}


class RegulatorServer(ThreadingHTTPServer):
    """The listening socket; ``server_address[1]`` is the port."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, host: str, port: int, desk: Desk) -> None:
        self.desk = desk
        super().__init__((host, port), _Conversation)

    def server_close(self) -> None:
        """Let waiting answers go, then close."""
        self.desk.ending.set()
        super().server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent about a client that went away; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Conversation(BaseHTTPRequestHandler):
    """One connection, kept open between requests."""

    protocol_version = "HTTP/1.1"
    server_version = "Regulator"
    sys_version = ""
    timeout = IDLE_S_MAX
    server: RegulatorServer

    def do_GET(self) -> None:
        desk = self.server.desk
        match self.path.partition("?")[0]:
            case "/notices":
                self._answer((HTTPStatus.OK, desk.listing()))
            case "/health":
                self._answer((HTTPStatus.OK, {"status": "ok"}))
            case "/control":
                self._answer(desk.control(self.headers.get("authorization", ""), None))
            case _:
                self._answer(_error(HTTPStatus.NOT_FOUND, "path", "There is nothing here."))

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != "/notices":
            self._answer(_error(HTTPStatus.NOT_FOUND, "path", "Notices go to /notices."))
            return
        answer = self.server.desk.receive({name.lower(): value for name, value in self.headers.items()}, body)
        if answer is None:
            self._cut()
        else:
            self._answer(answer)

    def do_PUT(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != "/control":
            self._answer(_error(HTTPStatus.NOT_FOUND, "path", "The mode is at /control."))
            return
        self._answer(self.server.desk.control(self.headers.get("authorization", ""), body))

    def _body(self) -> bytes | None:
        """Read the body, or answer that it cannot be taken and give None."""
        length = self.headers.get("content-length", "")
        if not length.isascii() or not length.isdigit():
            self.close_connection = True
            self._answer(_error(HTTPStatus.LENGTH_REQUIRED, "length", "Content-Length is required."))
            return None
        if int(length) > BODY_BYTES_MAX:
            self.close_connection = True
            self._answer(
                _error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "size", f"At most {BODY_BYTES_MAX} bytes are taken.")
            )
            return None
        return self.rfile.read(int(length))

    def _answer(self, answer: Answer) -> None:
        status, content = answer
        body = json.dumps(content, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _cut(self) -> None:
        """Reset the connection, as a firewall or a crash does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Write nothing; the counts tell."""
