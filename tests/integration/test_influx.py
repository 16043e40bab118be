"""The InfluxDB writer against a real server with InfluxDB's write API: written, read back, through outages."""

import asyncio
import http.server
import json
import math
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest

from edge.clock_system import SystemClock
from edge.model import Scan, Tag, TagTable
from gateway.config import Influx
from gateway.historian.embedded import EmbeddedHistorian
from gateway.historian.influx import InfluxLines, InfluxWriter, LinesRefusedError, ServerAwayError
from gateway.historian.line import escape

pytestmark = [pytest.mark.network, pytest.mark.service]

HOSTILE = [
    "a b",
    "c,d=e",
    "q\"u'o",
    "储罐一",
    "back\\slash",
    "ends\\",
    "new\nline",
    "#hash",
    "{curly}",
    "a\\,b",
    "tab\tbed",
]
TAGS = TagTable([Tag(name=name, source="a", unit="TK 1,2") for name in ["TK-101.level", *HOSTILE]])
N = len(TAGS)
ROWS = np.arange(N, dtype=np.int32)


class Server(Protocol):
    url: str

    def start(self) -> None: ...
    def stop(self) -> None: ...
    def kill(self) -> None: ...


def make_scan(number: int, start_ns: int, values: np.ndarray | None = None) -> Scan:
    return Scan(
        source="a",
        epoch=1,
        number=number,
        received_ns=start_ns,
        rows=ROWS,
        values=np.full(N, number + 0.25) if values is None else values,
        quality=np.zeros(N, dtype=np.uint8)
        if values is None
        else np.where(np.isfinite(values), 0, 0x82).astype(np.uint8),
        times_ns=np.full(N, start_ns + number * 1_000_000_000, dtype=np.int64),
    )


def export(url: str, metric: str = "fengsui_value") -> dict[str, dict[int, float]]:
    """Read everything back by the server's own door: tag label → {time ms: value}."""
    query = urllib.parse.urlencode({"match[]": metric, "start": "2000-01-01T00:00:00Z"})
    found: dict[str, dict[int, float]] = {}
    # What was just written is else shown only some ten seconds later.
    urllib.request.urlopen(f"{url}/internal/force_flush", timeout=10).close()
    with urllib.request.urlopen(f"{url}/api/v1/export?{query}", timeout=10) as answer:
        for raw in answer:
            series: dict[str, Any] = json.loads(raw)
            assert series["metric"]["site"] == "demo"
            assert series["metric"]["unit"] == "TK 1,2"
            own = found.setdefault(series["metric"]["tag"], {})
            own.update(zip(series["timestamps"], series["values"], strict=True))
    return found


def count_invalid(url: str) -> int:
    """Give what the server dropped without saying so in its answer."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    return sum(int(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("vm_rows_invalid_total"))


async def until(is_so: Callable[[], bool], seconds: float = 20.0) -> None:
    give_up_at = time.monotonic() + seconds
    while not await asyncio.to_thread(is_so):
        assert time.monotonic() < give_up_at, "did not come true in time"
        await asyncio.sleep(0.1)


@asynccontextmanager
async def house(folder: Path, url: str) -> AsyncIterator[tuple[EmbeddedHistorian, InfluxWriter]]:
    clock = SystemClock()
    historian = EmbeddedHistorian(folder / "history.db", TAGS, clock)
    writer = InfluxWriter(
        historian.open_spool("influx"),
        InfluxLines(Influx(url=url), timeout_ms=2000),
        TAGS,
        site="demo",
        clock=clock,
        jitter=lambda: 0.0,
        quarantine=folder / "refused.lp",
    )
    task = asyncio.create_task(writer.run())
    yield historian, writer
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await historian.close()


async def test_hostile_names_and_all_values_are_read_back(victoria_metrics: Server, tmp_path: Path) -> None:
    values = [1.0, -0.5, 1e-9, 1.7976931348623157e308, 123456789.123, 1 / 3, -1e22, 0.1, math.nan, 5e-5, 2.0, 3.0]
    start_ns = SystemClock().wall_ns() // 10**9 * 10**9 - 3600 * 10**9
    before = count_invalid(victoria_metrics.url)
    async with house(tmp_path, victoria_metrics.url) as (historian, writer):
        historian.append(make_scan(1, start_ns, np.array(values)))
        await historian.flush()
        await until(lambda: writer.counts.sent >= N)
        await until(lambda: len(export(victoria_metrics.url)) >= N - 1)
        found = export(victoria_metrics.url)
        quality = export(victoria_metrics.url, "fengsui_quality")

    at_ms = start_ns // 10**6 + 1000
    written = {name: escape(name).replace("\\", "") for name in TAGS.names}
    assert {written[name] for name in HOSTILE if "\\" not in name and name.isprintable()} <= set(HOSTILE)
    for name, value in zip(TAGS.names, values, strict=True):
        if math.isfinite(value):
            assert found[written[name]][at_ms] == pytest.approx(value, rel=1e-12), name
        else:
            assert written[name] not in found, "no value was made up for one that is no number"
        assert quality[written[name]][at_ms] == (0 if math.isfinite(value) else 0x82)
    assert count_invalid(victoria_metrics.url) == before, "no line was dropped silently"


async def test_an_outage_in_the_middle_loses_nothing(victoria_metrics_alone: Server, tmp_path: Path) -> None:
    """The server is killed, so that it forgets what it had confirmed; then started on the same data."""
    server = victoria_metrics_alone
    start_ns = SystemClock().wall_ns() // 10**9 * 10**9 - 7200 * 10**9
    async with house(tmp_path, server.url) as (historian, writer):
        for number in range(1, 31):
            historian.append(make_scan(number, start_ns))
            await historian.flush()
        await until(lambda: writer.counts.sent >= 30 * N)
        await asyncio.to_thread(server.kill)
        for number in range(31, 61):
            historian.append(make_scan(number, start_ns))
            await historian.flush()
        await until(lambda: writer.counts.failures >= 2)
        assert "onnection" in writer.counts.last_error
        await asyncio.to_thread(server.start)
        for number in range(61, 71):
            historian.append(make_scan(number, start_ns))
        await historian.flush()
        await until(lambda: sum(len(own) for own in export(server.url).values()) >= 70 * N)
        found = export(server.url)

    expected = {start_ns // 10**6 + number * 1000: number + 0.25 for number in range(1, 71)}
    assert found["TK-101.level"] == expected
    assert len(found) == N
    assert writer.counts.refused == 0


async def test_a_restart_of_the_gateway_during_an_outage_loses_nothing(
    victoria_metrics_alone: Server, tmp_path: Path
) -> None:
    server = victoria_metrics_alone
    start_ns = SystemClock().wall_ns() // 10**9 * 10**9 - 7200 * 10**9
    await asyncio.to_thread(server.stop)
    async with house(tmp_path, server.url) as (historian, writer):
        for number in range(1, 21):
            historian.append(make_scan(number, start_ns))
        await historian.flush()
        await until(lambda: writer.counts.failures >= 1)
    await asyncio.to_thread(server.start)
    async with house(tmp_path, server.url) as (historian, writer):
        await until(lambda: writer.counts.sent >= 20 * N)
        await until(lambda: len(export(server.url).get("TK-101.level", {})) == 20)


# ------------------------------------------------------------------------- answers that the real one never gives


@contextmanager
def answering(status: int, headers: dict[str, str] | None = None) -> Iterator[str]:
    """A server that gives one answer to every write."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"code":"some code","message":"some message"}'
            self.send_response(status)
            for key, value in (headers or {}).items():
                self.send_header(key, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(0 if status == 204 else len(body)))
            self.end_headers()
            if status != 204:
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, LinesRefusedError),
        (413, LinesRefusedError),
        (422, LinesRefusedError),
        (401, ServerAwayError),
        (403, ServerAwayError),
        (404, ServerAwayError),
        (429, ServerAwayError),
        (500, ServerAwayError),
        (503, ServerAwayError),
    ],
)
def test_each_answer_says_whether_the_lines_or_the_moment_are_wrong(status: int, error: type[Exception]) -> None:
    with answering(status, {"Retry-After": "7"}) as url:
        lines = InfluxLines(Influx(url=url))
        with pytest.raises(error, match=f"status {status}: some message") as raised:
            lines.write(b"fengsui value=1 1")
        lines.close()
    if isinstance(raised.value, ServerAwayError):
        assert raised.value.after_s == 7.0


def test_no_server_is_a_server_away(free_port: int) -> None:
    lines = InfluxLines(Influx(url=f"http://127.0.0.1:{free_port}"), timeout_ms=500)
    with pytest.raises(ServerAwayError, match="onnection"):
        lines.write(b"fengsui value=1 1")
    lines.close()
