"""Gate: what every request passes before any route, and every answer on its way out.

Flow: uvicorn -> [gate: host, origin, CSRF, size] -> routes -> [gate: headers, last resort] -> uvicorn
Why: one small ASGI wrapper, so that no route can be added that goes around it.
Never: reads a body, waits.
"""

import traceback
from collections.abc import Callable, Sequence

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.api.answer import error
from gateway.disposal.photos import PHOTO_BYTES_MAX

log = structlog.get_logger("gateway.api")

#: A comment, a reason or a log-in; nothing that a person sends is longer.
BODY_MAX = 65_536

#: One batch of an edge node: its largest scan and its name table.
INGEST = "/api/v1/ingest"
#: Where a list of tags is sent to be looked at; 3,000 rows are some 0.5 MB.
LIST = "/api/v1/config/look"
#: Where a photo is sent: of a disposal, or of a record below ``LEDGERS``; and where it is given back.
DISPOSALS, PHOTO = "/api/v1/disposals/", "/photo"
#: Answers that are a picture and nothing else: their policy is a narrower one.
PICTURES = ("/api/v1/photos/", "/api/v1/register/risks/plan")
#: Where a roster is sent to be looked at; a year of three posts is some 0.3 MB.
ROSTER = "/api/v1/roster/look"
#: Where lists for the ledgers of the register are looked at: below here, at .../look.
LEDGERS = "/api/v1/register/ledgers/"
#: Where the systems at the gates say who is inside; 10,000 persons are some 2 MB.
ACCESS = "/api/v1/response/access/"
INGEST_BODY_MAX = 8 * 1024 * 1024

FAILED = "The gateway could not answer this; its log says why."

CSRF_HEADER = "x-fengsui-request"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
DEFAULT_PORTS = {"http": "80", "https": "443", "ws": "80", "wss": "443"}

SECURITY_HEADERS = {
    "content-security-policy": (
        "default-src 'self'; connect-src 'self' ws: wss:; style-src 'self' 'unsafe-inline'; "
        "img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; object-src 'none'; form-action 'self'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Gate:
    """ASGI wrapper around the whole application.

    Args:
        hosts: Host names that requests may be for, without port; empty for any.
        failed: Told of each exception that no route answered, for the meter.
    """

    def __init__(self, app: ASGIApp, *, hosts: Sequence[str], failed: Callable[[str], None]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refuse(scope, headers)
        if scope["type"] == "websocket":
            if refusal is not None:
                await receive()  # websocket.connect
                await send({"type": "websocket.close", "code": 4403, "reason": refusal[1]})
                return
            await self._app(scope, receive, send)
            return
        guarded = _Guarded(scope["path"], send)
        if refusal is not None:
            await error(refusal[0], refusal[1], code=refusal[2])(scope, receive, guarded.send)
            return
        try:
            await self._app(scope, _bounded(receive, _body_max(scope["path"])), guarded.send)
        except HTTPException as refused:
            await guarded.last_resort(scope, receive, refused.status_code, str(refused.detail))
        except Exception as failure:  # noqa: BLE001 - a bug in a route ends its request, never the gateway
            self._failed(f"{type(failure).__name__} at {scope['method']} {scope['path']}")
            # Without local variables: they hold cookies and passwords.
            trace = "".join(traceback.format_exception(failure))
            log.error("api.failed", method=scope["method"], path=scope["path"], trace=trace)  # noqa: TRY400
            await guarded.last_resort(scope, receive, 500, FAILED)

    def _refuse(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if self._hosts and _name(host) not in self._hosts:
            return 400, "The Host header names no host of this gateway.", "host"
        is_unsafe = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        origin = headers.get("origin")
        if is_unsafe and origin is not None and not _is_same(origin, host):
            return 403, "The request comes from a page of another site.", "origin"
        if scope["type"] == "http" and is_unsafe and headers.get(CSRF_HEADER) != "1":
            return 403, "The header X-Fengsui-Request: 1 is missing.", "csrf"
        length = headers.get("content-length", "0")
        body_max = _body_max(scope["path"])
        if not length.isdecimal() or int(length[:12]) > body_max:
            return 413, f"The body is larger than {body_max} bytes.", "too_large"
        return None


class _Guarded:
    """The way out: adds headers once, and knows whether an answer has begun."""

    def __init__(self, path: str, send: Send) -> None:
        self._path = path
        self._send = send
        self._has_begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_begun = True
            headers = MutableHeaders(scope=message)
            for name, value in SECURITY_HEADERS.items():
                if name != "content-security-policy" or not self._path.startswith(PICTURES):
                    headers[name] = value
            headers.setdefault("cache-control", "no-store")
        await self._send(message)

    async def last_resort(self, scope: Scope, receive: Receive, status: int, message: str) -> None:
        if not self._has_begun:
            await error(status, message)(scope, receive, self.send)


def _body_max(path: str) -> int:
    if path.startswith((DISPOSALS, LEDGERS)) and path.endswith(PHOTO):
        return PHOTO_BYTES_MAX
    is_list = path in (LIST, ROSTER) or path.startswith(ACCESS)
    is_list = is_list or (path.startswith(LEDGERS) and path.endswith("/look"))
    return INGEST_BODY_MAX if is_list or path == INGEST else BODY_MAX


def _bounded(receive: Receive, body_max: int) -> Receive:
    """Count a body that comes in pieces, for not every client says its length."""
    taken = 0

    async def count() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > body_max:
            raise HTTPException(413, f"The body is larger than {body_max} bytes.")
        return message

    return count


def _name(host: str) -> str:
    """Give the name of a Host header without its port: ``[::1]:8080`` is ``[::1]``."""
    return (host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]).lower()


def _is_same(origin: str, host: str) -> bool:
    """Tell whether an Origin is the Host that was asked.

    The scheme is left out: behind a proxy that ends TLS the origin is https and the request http.
    """
    scheme, _, authority = origin.lower().partition("://")
    port = DEFAULT_PORTS.get(scheme, "")
    asked, told = host.lower(), authority
    return bool(told) and told.removesuffix(f":{port}") == asked.removesuffix(f":{port}")
