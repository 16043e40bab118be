"""What every test may ask for: free ports and real servers, each on loopback and in a folder of its own.

A server that is not on the machine skips its tests with the reason. With ``FENGSUI_NO_SKIP=1`` a skip is a failure.
"""

import gc
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import settings

from simulators import ports

START_S_MAX = 20.0  # A server that does not listen by then is reported with its own words.
STOP_S_MAX = 10.0
SYSTEM_FOLDERS = ("/usr/sbin", "/usr/local/sbin", "/sbin")  # Not on the PATH of an ordinary user.


#: Where in the run the last file of a folder begins, of its length; the others to its very end.
ENDS = {"acceptance": 0.3, "browser": 0.8, "simulation": 0.8, "integration": 0.9, "contract": 0.9}

#: A machine that does something else meanwhile is no mistake of what is tested; pytest-timeout ends what hangs.
settings.register_profile("fengsui", deadline=None)
settings.load_profile("fengsui")


# ----------------------------------------------------------------------------------------------- which tests, and skips


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", default=False, help="run only the long runs (marker: long)")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long runs out, or everything else."""
    long_folder = Path(__file__).parent / "long"
    for item in items:
        if long_folder in item.path.parents:
            item.add_marker(pytest.mark.long)
    is_long_run = config.getoption("--long")
    kept = [item for item in items if (item.get_closest_marker("long") is not None) == is_long_run]
    dropped = [item for item in items if (item.get_closest_marker("long") is not None) != is_long_run]
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    if is_long_run:
        for item in items:
            item.add_marker(pytest.mark.timeout(0))
    else:
        mix(items)


def pytest_collection_finish() -> None:
    """Let the collector of cycles look at what tests make, not again and again at all that was imported.

    Why: a quarter of the processor time of tests of the API went into it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def mix(items: list[pytest.Item]) -> None:
    """Put files that wait for processes among those that calculate, and short ones last.

    Why: processes take files in turn. All browsers at once would be slow, and the rest would leave a processor idle; a
    long file that comes last is waited for by all others.
    """
    rooms: dict[str, list[Path]] = {}
    for path in dict.fromkeys(item.path for item in items):
        rooms.setdefault(path.relative_to(Path(__file__).parent).parts[0], []).append(path)
    places = {
        path: (at + 0.5) / len(paths) * ENDS.get(room, 1.0)
        for room, paths in rooms.items()
        for at, path in enumerate(paths)
    }
    items.sort(key=lambda item: places[item.path])  # Stable: the tests of a file stay as they were.


def is_skip_a_failure() -> bool:
    return os.environ.get("FENGSUI_NO_SKIP", "") not in {"", "0"}


def forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Turn a skip into a failure where everything is installed, so that no test goes missing unseen."""
    if report.skipped and not hasattr(report, "wasxfail") and is_skip_a_failure():
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"FENGSUI_NO_SKIP=1 and this was skipped: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    forbid_skip(report)
    return report


# ------------------------------------------------------------------------------------------------------- free ports


def take_free_port() -> int:
    """Give a TCP port on which nothing listened a moment ago."""
    return ports.free_port()


@pytest.fixture
def free_port() -> int:
    """One free TCP port on loopback."""
    return take_free_port()


@pytest.fixture
def free_ports() -> Callable[[], int]:
    """A function that gives one more free TCP port at each call."""
    return take_free_port


# ------------------------------------------------------------------------------------------------------ real servers


def find_program(*names: str) -> str | None:
    """Find the first of these programs, also where servers live that ordinary users do not start."""
    folders = os.pathsep.join([os.environ.get("PATH", os.defpath), *SYSTEM_FOLDERS])
    return next((path for name in names if (path := shutil.which(name, path=folders))), None)


def need_program(*names: str) -> str:
    program = find_program(*names)
    if program is None:
        pytest.skip(f"{' or '.join(names)} is not installed on this machine")
    return program


@dataclass(slots=True, kw_only=True)
class Server:
    """A server process on one loopback port; it can be stopped and started again on the same data."""

    arguments: list[str]
    folder: Path
    port: int
    host: str = "127.0.0.1"
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        """Start and wait until the port answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(self.arguments, stdout=log, stderr=subprocess.STDOUT, cwd=self.folder)
        give_up_at = time.monotonic() + START_S_MAX
        while True:
            try:
                socket.create_connection((self.host, self.port), timeout=1.0).close()
            except OSError:
                if self.process.poll() is not None or time.monotonic() > give_up_at:
                    self.kill()
                    pytest.fail(f"{self.arguments[0]} did not listen on port {self.port}; it said:\n{self.log[-2000:]}")
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """Ask to end, and wait."""
        if self.process is not None:
            self.process.terminate()
            try:
                self.process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.process = None

    def kill(self) -> None:
        """End at once, as a power cut does."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


def make_mosquitto(folder: Path) -> Server:
    program = need_program("mosquitto")
    port = take_free_port()
    (folder / "mosquitto.conf").write_text(
        f"listener {port} 127.0.0.1\n"
        "allow_anonymous true\n"
        "max_inflight_messages 0\n"  # No window: acknowledging after commit must not be what slows the broker.
        "max_queued_messages 0\n"
        "persistence true\n"
        f"persistence_location {folder}/\n"
        f"user {'root' if os.geteuid() == 0 else 'mosquitto'}\n",
        encoding="utf-8",
    )
    return Server(arguments=[program, "-c", str(folder / "mosquitto.conf")], folder=folder, port=port)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real broker for the whole run; tests keep apart by topic and client id."""
    server = make_mosquitto(tmp_path_factory.mktemp("mosquitto"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def mosquitto_alone(tmp_path: Path) -> Iterator[Server]:
    """A real broker for one test, which may stop, kill and start it; sessions are kept over a stop."""
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    server = make_mosquitto(folder)
    server.start()
    yield server
    server.stop()


def make_victoria_metrics(folder: Path) -> Server:
    program = need_program("victoria-metrics", "victoria-metrics-prod")
    port = take_free_port()
    arguments = [
        program,
        f"-storageDataPath={folder / 'data'}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
        "-search.latencyOffset=0s",  # What was written is read back at once.
        "-search.disableCache",
    ]
    return Server(arguments=arguments, folder=folder, port=port)


@pytest.fixture(scope="session")
def victoria_metrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A real time-series server with InfluxDB's write API at ``url + '/api/v2/write'``."""
    server = make_victoria_metrics(tmp_path_factory.mktemp("victoria_metrics"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def victoria_metrics_alone(tmp_path: Path) -> Iterator[Server]:
    """A real time-series server for one test, which may stop, kill and start it."""
    folder = tmp_path / "victoria_metrics"
    folder.mkdir()
    server = make_victoria_metrics(folder)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium on this machine."""
    return need_program("chromium", "chromium-browser", "google-chrome")
