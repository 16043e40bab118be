"""Demo: plant, broker, regulator and gateway as processes of their own, on one machine, on loopback.

Flow: copy of config/demo with free ports -> past into the historian -> [broker, regulator, plant, gateway] -> summary
Why: what a newcomer sees is the product itself on real protocols; only the plant and the authority are made of code.
Never: lets a child outlive it, keeps a default password, listens beyond loopback.
"""

import fcntl
import getpass
import json
import locale
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

import httpx
import numpy as np
from sqlalchemy import Engine, func, select

from alerting.model.tier import Tier
from edge.clock_system import SystemClock
from gateway.auth import make_link
from gateway.furnish import furnish
from gateway.historian.backfill import backfill
from gateway.load import load
from gateway.store.engine import open_store, store_url
from gateway.store.schema import event, outbox, source_mark
from gateway.system import with_system
from simulators.child import Child
from simulators.plant import past
from simulators.ports import free_port, free_ports
from simulators.regulator.ledger import Ledger
from simulators.story import StoryError, read_story

PORT_DEFAULT: Final = 8080
NS: Final = 1_000_000_000
READY_S_MAX: Final = 30.0
DRAIN_S_MAX: Final = 5.0
LOOK_S: Final = 0.1
AWAY_S: Final = 10.0  # A broker or an authority that ends stays away that long: an outage to look at.
USER, ROLE = "demo", "safety_officer"  # May acknowledge, shelve, take out of service and read the audit.
#: Ports as they stand in config/demo; each number stands there for nothing else.
PORTS: Final = {"tankfarm-1": 15021, "tankfarm-2": 15022, "broker": 18830, "regulator": 18090}


class DemoError(Exception):
    """The demonstration cannot go on; one sentence with its remedy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """Where a demonstration plays: its folder, its ports, its secrets.

    Attributes:
        data: Data folder of the gateway, with ``site/``, ``logs/``, ``truth.jsonl`` and ``regulator.jsonl`` in it.
        ports: Of both tank farms, broker, regulator and page.
        environ: What the children are given; secrets go by it, never by arguments.
        is_mosquitto: A real broker; else the embedded one.
    """

    data: Path
    ports: dict[str, int]
    environ: dict[str, str]
    is_mosquitto: bool
    scenario: str = "first_light"
    seed: int = 1

    @property
    def site(self) -> Path:
        """Give the site file that the gateway runs."""
        return self.data / "site" / "site.toml"

    @property
    def truth(self) -> Path:
        """Give the plant's own record of what was beyond its limits."""
        return self.data / "truth.jsonl"

    @property
    def ledger(self) -> Path:
        """Give what the regulator keeps."""
        return self.data / "regulator.jsonl"

    @property
    def page(self) -> str:
        """Give the page's address."""
        return f"http://127.0.0.1:{self.ports['page']}"

    # ---- one child each

    def start_broker(self) -> Child:
        """Start mosquitto, or the embedded broker."""
        if not self.is_mosquitto:
            return self._start("broker", sys.executable, "-m", "simulators.broker", "--port", str(self.ports["broker"]))
        (self.data / "broker").mkdir(exist_ok=True)
        config = self.data / "broker" / "mosquitto.conf"
        config.write_text(
            f"listener {self.ports['broker']} 127.0.0.1\n"
            "allow_anonymous true\n"
            "max_inflight_messages 0\n"  # Acknowledging after the commit must not be what slows the broker.
            "max_queued_messages 100000\n"
            "persistence true\n"
            f"persistence_location {self.data / 'broker'}/\n"
            f"user {getpass.getuser()}\n",
            encoding="utf-8",
        )
        return self._start("broker", find_mosquitto() or "mosquitto", "-c", str(config))

    def start_regulator(self) -> Child:
        """Start the authority that is told."""
        port = str(self.ports["regulator"])
        return self._start(
            "regulator", sys.executable, "-m", "simulators.regulator", "--port", port, "--ledger", str(self.ledger)
        )

    def start_plant(self) -> Child:
        """Start plant, devices and publishers; the story begins at once."""
        return self._start(
            "plant", sys.executable, "-m", "simulators.devices", "--site", str(self.site), "--truth", str(self.truth),
            "--story", self.scenario, "--seed", str(self.seed),
        )  # fmt: skip

    def start_gateway(self, *more: str) -> Child:
        """Start the gateway on this stage's site and data.

        Args:
            more: More arguments of ``fengsui run``.
        """
        return self._start(
            "gateway", sys.executable, "-m", "gateway.cli", "run", str(self.site), "--data", str(self.data), *more
        )

    def _start(self, name: str, *arguments: str) -> Child:
        logs = self.data / "logs"
        logs.mkdir(exist_ok=True)
        return Child(name, arguments, logs=logs, environ=self.environ)


def set_stage(
    data: Path, *, port: int = 0, scenario: str = "first_light", seed: int = 1, is_mosquitto: bool | None = None
) -> Stage:
    """Make a stage: a copy of the demonstration site with free ports and fresh secrets.

    Args:
        is_mosquitto: False for the embedded broker; None for mosquitto where it is installed.

    Raises:
        DemoError: The page's port is taken, the story does not exist, or the demonstration site is missing.
    """
    try:
        read_story(scenario)
    except StoryError as error:
        raise DemoError(str(error)) from error
    data = data.resolve()
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    ports = {"page": _page_port(port), **dict(zip(PORTS, free_ports(len(PORTS)), strict=True))}
    is_mosquitto = find_mosquitto() is not None if is_mosquitto is None else is_mosquitto
    secret = "whsec_" + b64encode(secrets.token_bytes(32)).decode()
    _copy_site(data / "site", ports, secret, is_mosquitto=is_mosquitto)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FENGSUI_")}
    environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), environ.get("PYTHONPATH")]))
    environ["FENGSUI_DISTRICT_SECRET"] = secret
    environ["FENGSUI_REGULATOR_TOKEN"] = secrets.token_urlsafe(24)
    return Stage(data=data, ports=ports, environ=environ, is_mosquitto=is_mosquitto, scenario=scenario, seed=seed)


def seed_past(stage: Stage, now_ns: int) -> int:
    """Put 48 h of quiet history into the historian, once; gives the number of samples."""
    path = stage.data / "history.db"
    if path.exists():
        return 0
    site = with_system(load(stage.site, environ={}))
    moments = list(past(np.random.default_rng(stage.seed)))
    times_ns = np.array([now_ns - round(before_s * NS) for before_s, _ in moments], dtype=np.int64)
    columns = {tag: np.array([readings[tag] for _, readings in moments]) for tag in moments[0][1]}
    return backfill(path, site.tags, [(tag, times_ns, values, None) for tag, values in columns.items()])


# ------------------------------------------------------------------------------------------------------- the command


def demo(
    *,
    headless: bool = False,
    seconds: float | None = None,
    port: int = PORT_DEFAULT,
    data: Path | None = None,
    scenario: str = "first_light",
    seed: int = 1,
) -> int:
    """Play the demonstration until its time is over, Ctrl-C, or a child's end; gives the exit code.

    Args:
        headless: The last line of output is the JSON summary.
        seconds: Counted from the plant's start, s; None until someone ends it.
        port: Of the page; 0 for any free one.
        data: Kept between runs; default FENGSUI_DATA, then ``var/demo``.
    """
    folder = data or Path(os.environ.get("FENGSUI_DATA") or "var/demo")
    with _stop_asked() as stop:
        try:
            with ExitStack() as ending:
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                ending.enter_context(_alone_in(folder))
                stage = set_stage(folder, port=port, scenario=scenario, seed=seed)
                started_ns, engine = _play(stage, stop, seconds, ending)
                summary = summarise(engine, stage.ledger, started_ns)
                engine.dispose()
        except DemoError as failure:
            print(f"The demonstration ended: {failure}", file=sys.stderr)
            return 2
    if headless:
        print(json.dumps(summary), flush=True)
    else:
        print(f"Ended. Everything is kept in {stage.data}: {json.dumps(summary)}", flush=True)
    return 0


def _play(stage: Stage, stop: threading.Event, seconds: float | None, ending: ExitStack) -> tuple[int, Engine]:
    """Start everything, watch until the end, and stop the gateway first, so that nobody hears the plant go silent."""
    clock = SystemClock()
    engine = open_store(store_url(stage.data))
    started_ns = clock.wall_ns()
    _say(f"Page: {stage.page}/login/{make_link(engine, USER, ROLE, clock)}")
    _say("      The link logs you in once. Everything runs on this machine and is simulated; nature: test.")
    if not stage.is_mosquitto:
        _say("      mosquitto is not installed: an embedded broker takes its place, for demonstration only.")
    samples = seed_past(stage, started_ns)
    if samples:
        _say(f"      48 h of history were made: {samples} samples.")
    furnish(stage.site.parent, with_system(load(stage.site, environ={})), engine, started_ns)
    children = [_keep(ending, stage.start_broker()), _keep(ending, stage.start_regulator())]
    await_port(stage.ports["broker"], children, stop)
    plant = _keep(ending, stage.start_plant())
    gateway = _keep(ending, stage.start_gateway())
    children += [plant, gateway]
    began_ns = clock.monotonic_ns()
    await_ready(stage, children, stop)
    if not stop.is_set():
        _say(f"      Ready after {(clock.monotonic_ns() - began_ns) / NS:.1f} s. Ctrl-C ends it.")
    away: dict[int, int] = {}
    language = 0 if (locale.getlocale()[0] or "").startswith(("zh", "Chinese")) else 1
    while not stop.is_set() and (seconds is None or (clock.monotonic_ns() - began_ns) / NS < seconds):
        for told in plant.hear():
            if told["event"] == "act":
                _say(f"{told['at_s']:5.0f} s  {told['say'].get(('zh', 'en')[language], '')}")
        _check([plant, gateway])
        for place, start in ((0, stage.start_broker), (1, stage.start_regulator)):
            if not children[place].is_running and _is_over(away, place, clock.monotonic_ns()):
                children[place] = _keep(ending, start())
                _say(f"      The {children[place].name} is started again.")
            elif not children[place].is_running and place not in away:
                away[place] = clock.monotonic_ns()
                _say(f"      The {children[place].name} ended. The gateway goes on; it comes back in {AWAY_S:.0f} s.")
        stop.wait(LOOK_S)
    _drain(engine, children)
    if (code := gateway.stop()) not in (0, -signal.SIGTERM):  # The signal itself, when it was still starting.
        raise DemoError(f"the gateway ended with {code}; its log is {gateway.log}.")
    return started_ns, engine


def summarise(engine: Engine, ledger: Path, since_ns: int) -> dict[str, Any]:
    """Count what happened since then: from the store after shutdown, receipts from the regulator's own ledger.

    Returns:
        ``scans, events, alarms_by_tier`` (by highest tier), ``notices_sent, receipts``.
    """
    recent = event.c.received_ns >= since_ns
    with engine.connect() as connection:
        scans = connection.execute(select(func.sum(source_mark.c.number))).scalar_one() or 0
        events = connection.execute(select(func.count()).select_from(event).where(recent)).scalar_one()
        highest = connection.execute(
            select(event.c.alarm, func.max(event.c.tier)).where(recent, event.c.alarm != "").group_by(event.c.alarm)
        ).all()
        sent = set(
            connection.execute(
                select(outbox.c.key).where(outbox.c.created_ns >= since_ns, outbox.c.state == "delivered")
            ).scalars()
        )
    tiers = [tier for _, tier in highest]
    return {
        "scans": int(scans),
        "events": events,
        "alarms_by_tier": {tier.name: tiers.count(tier) for tier in sorted(Tier, reverse=True) if tier},
        "notices_sent": len(sent),
        "receipts": len(sent & set(Ledger(ledger).kept)),
    }


# ------------------------------------------------------------------------------------------------------- small parts


def _copy_site(target: Path, ports: dict[str, int], secret: str, *, is_mosquitto: bool) -> None:
    source = next(
        (f for f in (Path(__file__).parent / "demo_site", Path(__file__).parents[1] / "config" / "demo") if f.is_dir()),
        None,
    )
    if source is None:
        raise DemoError("the demonstration site (config/demo) is missing; install the package again.")
    shutil.copytree(source, target, dirs_exist_ok=True)
    text = (target / "site.toml").read_text(encoding="utf-8")
    text = with_ports(text, {str(number): str(ports[name]) for name, number in {**PORTS, "page": PORT_DEFAULT}.items()})
    text = text.replace('data = "var"', 'data = ".."').replace("secrets/district.example", "secrets/district")
    if not is_mosquitto:
        text = text.replace('version = "5"', 'version = "3.1.1"')  # All that the embedded broker speaks.
    (target / "site.toml").write_text(text, encoding="utf-8")
    private = target / "secrets" / "district"
    private.touch(mode=0o600)
    private.write_text(secret + "\n", encoding="utf-8")


def with_ports(text: str, given: Mapping[str, str]) -> str:
    """Put ports in place of others in a site file; what a comment says stays as it is."""
    found: set[str] = set()

    def replaced(part: re.Match[str]) -> str:
        if part["port"] is None:
            return part[0]
        found.add(part["port"])
        return given[part["port"]]

    text = re.sub(rf"#.*|\b(?P<port>{'|'.join(given)})\b", replaced, text)
    assert found == set(given), "config/demo/site.toml has lost a port"
    return text


def find_mosquitto() -> str | None:
    """Give the program, or None; look also where servers live that ordinary users do not start."""
    folders = [*os.environ.get("PATH", os.defpath).split(os.pathsep), "/usr/sbin", "/usr/local/sbin"]
    return shutil.which("mosquitto", path=os.pathsep.join(folders))


def _page_port(wanted: int) -> int:
    if wanted == 0:
        return free_port()
    with socket.socket() as door:
        door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            door.bind(("127.0.0.1", wanted))
        except OSError as error:
            if wanted != PORT_DEFAULT:
                raise DemoError(f"port {wanted} is taken; choose another with --port, or 0 for any.") from error
            return free_port()
    return wanted


@contextmanager
def _stop_asked() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C and SIGTERM set."""
    stop = threading.Event()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stop.set()) for number in numbers]
    try:
        yield stop
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def _alone_in(folder: Path) -> Iterator[IO[bytes]]:
    """Hold the folder against a second demonstration; the lock goes with this process, however it ends."""
    with (folder / "demo.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise DemoError(f"another demonstration runs in {folder}; choose another folder with --data.") from error
        yield lock


def _keep(ending: ExitStack, child: Child) -> Child:
    ending.callback(child.stop)
    return child


def _check(children: list[Child]) -> None:
    for child in children:
        if not child.is_running:
            raise DemoError(
                f"the {child.name} ended with {child.process.returncode}. It said last:\n{child.last_words()}"
            )


def await_port(port: int, children: list[Child], stop: threading.Event) -> None:
    """Wait until something listens on a port."""
    while not stop.is_set():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            _check(children)
            stop.wait(LOOK_S / 2)
        else:
            return


def await_ready(stage: Stage, children: list[Child], stop: threading.Event) -> None:
    """Wait until the gateway judges and commits."""
    clock = SystemClock()
    give_up_ns = clock.monotonic_ns() + round(READY_S_MAX * NS)
    with httpx.Client(trust_env=False, timeout=2.0) as client:
        while not stop.is_set():
            try:
                if client.get(f"{stage.page}/api/v1/ready").is_success:
                    return
            except httpx.TransportError:
                pass  # It does not listen yet.
            _check(children)
            if clock.monotonic_ns() > give_up_ns:
                raise DemoError(f"the gateway was not ready after {READY_S_MAX:.0f} s; see {stage.data / 'logs'}.")
            stop.wait(LOOK_S)


def _is_over(away: dict[int, int], place: int, now_ns: int) -> bool:
    """Tell whether a child was away long enough to see what the gateway does without it; forget it then."""
    if place not in away or now_ns - away[place] < AWAY_S * NS:
        return False
    del away[place]
    return True


def _drain(engine: Engine, children: list[Child]) -> None:
    """Give notices under way a moment to arrive, so that the summary is not cut in mid-sentence."""
    waiting = select(func.count()).select_from(outbox).where(outbox.c.state == "waiting")
    patience = threading.Event()
    for _ in range(round(DRAIN_S_MAX / LOOK_S)):
        _check(children)
        with engine.connect() as connection:
            if not connection.execute(waiting).scalar_one():
                return
        patience.wait(LOOK_S)


def _say(line: str) -> None:
    print(line, flush=True)
