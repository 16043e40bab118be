"""Serve: run a gateway with its API and page until a signal, in one event loop.

Flow: fengsui run -> [serve] -> gateway, HTTP
"""

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from collections.abc import Collection
from functools import partial
from pathlib import Path
from typing import Any

import structlog
import uvloop
from sqlalchemy import create_engine

from alerting.core.backend import Backend
from alerting.model.rule import RuleTable
from edge.clock_system import SystemClock
from edge.model import TagTable
from gateway.api.app import Application, make_app
from gateway.api.matrix import matrix
from gateway.api.server import listen, serve
from gateway.api.small_house import SmallHouse
from gateway.app import Gateway, Parts
from gateway.config import Site
from gateway.executor import ThreadExecutor
from gateway.heap import one_arena, settle
from gateway.kernels import UnknownBackendError, choose, warm
from gateway.load import ConfigError
from gateway.record import EventLog
from gateway.rules.files import BOX, DOES_NOT_FIT, compile_from, disk_of, reload

GOOD, WRONG = 0, 2
SWITCH_S = 0.001  # A thread that judges hands the interpreter back so often; the default keeps the loop for 5 ms.
log = structlog.get_logger("gateway")


class _StandardError:
    """Writes log lines to standard error; a log that nobody can take must never end the gateway."""

    def msg(self, message: str) -> None:
        """Write one line, to whatever standard error is now."""
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(f"{message}\n")
            sys.stderr.flush()

    log = debug = info = warning = error = critical = fatal = exception = msg


def serve_site(
    site: Site,
    *,
    config: Path | None = None,
    record: Path | None = None,
    events: Path | None = None,
    given: Collection[str] = ("data", "host", "port"),
) -> int:
    """Run a site until SIGINT or SIGTERM; give the exit code.

    Args:
        config: The site file, which is read again when something changes; SIGHUP lets edits of the files take over.
        given: What of ``site`` was said in place of the file; it stays over reloads.
    """
    structlog.configure(logger_factory=lambda *_: _StandardError())
    one_arena()
    try:
        backend = choose(os.environ, len(site.tags))
    except UnknownBackendError as failure:
        sys.stderr.write(f"{failure}\n")
        return WRONG
    try:
        door = listen(site.host, site.port)
    except (OSError, UnicodeError) as failure:  # UnicodeError: a name that cannot be one in the DNS
        reason = getattr(failure, "strerror", None) or "it is no address of this machine"
        said = f"The page cannot listen on {site.host}:{site.port}: {reason}. Choose another with --port."
        sys.stderr.write(f"{said}\n")
        return WRONG
    with contextlib.ExitStack() as stack:
        site.data.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = stack.enter_context((site.data / BOX.lock).open("wb"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # It goes with this process, however that ends.
        except OSError:
            door.close()
            sys.stderr.write(f"Another gateway runs on {site.data}; give each its own folder with --data.\n")
            return WRONG
        (site.data / BOX.process).write_text(str(os.getpid()))
        event_log = None
        if events is not None:
            event_log = EventLog(stack.enter_context(events.open("ab")), f"{site.id}-{SystemClock().wall_ns()}")
        compiled = partial(warm, site.data) if backend is Backend.COMPILED else None
        compiler = None if config is None else compile_from(config, site, given)
        on_disk = (lambda _: None) if config is None else disk_of(config)
        parts = Parts(
            record=record, event_log=event_log, warm=compiled, compile=compiler, on_disk=on_disk, config=config,
            judging=ThreadExecutor("judge"),
        )  # fmt: skip
        try:
            gateway = Gateway(site, SystemClock(), parts)
        except ConfigError as error:
            door.close()
            sys.stderr.write(f"{error}\n{DOES_NOT_FIT}\n")
            return WRONG
        del site  # The gateway's own, with what it watches of itself, is another.
        sys.setswitchinterval(SWITCH_S)
        settle()
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_run(gateway, door))
    return GOOD


async def _run(gateway: Gateway, door: Any) -> None:  # noqa: ANN401  # a socket
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    reloads: set[asyncio.Task[None]] = set()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    site = gateway.site
    app = make_app(gateway, hosts=site.hosts, metrics_token=site.metrics_token)
    async with gateway.running():
        loop.add_signal_handler(signal.SIGHUP, lambda: reloads.add(asyncio.create_task(reload(gateway), name="reload")))
        http = asyncio.create_task(
            serve(app, "", 0, door=door, listening=lambda port: _say(gateway.site, port)), name="http"
        )
        await stop.wait()
        http.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await http


def _say(site: Site, port: int) -> None:
    host = f"[{site.host}]" if ":" in site.host else site.host
    sys.stdout.write(f"http://{host}:{port}/\n")
    sys.stdout.flush()
    log.info("gateway.serving", site=site.id, port=port, tags=len(site.tags), rules=len(site.rules))


def describe_api() -> dict[str, Any]:
    """Give the OpenAPI document without a site."""
    return _siteless().openapi()


def describe_roles() -> str:
    """Give the matrix of roles and doors as Markdown, without a site."""
    return matrix(_siteless().doors.declared)


def _siteless() -> Application:
    tags = TagTable([])
    site = Site(id="-", title={}, timezone="UTC", sources=(), tags=tags, units=(), rules=RuleTable([], tags))
    house = SmallHouse(site=site, engine=create_engine("sqlite://"), clock=SystemClock())
    return make_app(house)
