"""``fengsui devices``: one process is the field of a site, over every protocol; it is read by ours and by others."""

import asyncio
import csv
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from edge.clock_system import SystemClock
from edge.collect.door import Acknowledge
from edge.collect.registry import Collectors
from edge.model import Link, Scan
from gateway.bench.devices import measure
from gateway.cli import app
from gateway.load import load
from simulators.child import Child
from simulators.devices.signal import Signals, moving_of
from simulators.ports import free_ports
from tests.conftest import Server, need_program, take_free_port
from tests.integration.test_modbus_serial import pty_pair

pytestmark = [pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(120)]

ROWS = """tag,source,unit,period_s,table,register,type,order,range_lo,range_hi,scale,map,length,mask
A.f32,tcp,U,0.2,holding,0,float32,CDAB,0,10,,,,
A.i16,tcp,U,0.2,input,7,int16,,-50,50,0.1,,,
A.on,tcp,U,0.2,coil,3,,,,,,,,
A.mode,tcp,U,0.2,holding,20,string,,,,,RUN=1;STOP=0,6,
A.part,tcp,U,0.2,holding,40,uint16,,0,15,,,,0x0F00
B.f64,rtutcp,U,0.2,holding,4,float64,,100,200,,,,
C.u32,line1,U,0.2,holding,100,uint32,BADC,0,1000,,,,
D.f32,line2,U,0.2,input,9,float32,,0,1,,,,
GD-1.lel,gas,U,0.2,,,,,0,100,,,,
Z.in,gas,U,0.2,,,,,0,500,,,,
Z.out,gas,U,0.2,,,,,0,500,,,,
TK-1.level,plant,U,0.2,,,,,0,20,,,,
N1.volt,plant,U,0.2,,,,,0,30,,,,
TK-2.level,plant,U,0.2,,,,,0,20,,,,
w01001-Rtd,logger,U,0.2,,,,,0,14,,,,
"""


TOPICS = (
    '[[source.topic]]\npattern = "dev/gas/{tag}"\ntag = "{tag}.lel"\n'
    '[[source.topic]]\npattern = "dev/gate"\nformat = "json-batch"\ntags = ["Z.in", "Z.out"]\n'
)
NODES = 'group = "DEV"\nnodes = ["N1", "N2"]\n'


def site_of(folder: Path, broker: int, serial: str) -> Path:
    tcp, rtu, logger = take_free_port(), take_free_port(), take_free_port()
    test = 'nature = "test"\n'
    sources = [
        f'id = "tcp"\nprotocol = "modbus-tcp"\nhost = "127.0.0.1"\nport = {tcp}\ndevice_id = 9\n',
        f'id = "rtutcp"\nprotocol = "modbus-rtu-tcp"\nhost = "127.0.0.1"\nport = {rtu}\n',
        f'id = "line1"\nprotocol = "modbus-rtu"\nserial = "{serial}"\nbaudrate = 115200\ndevice_id = 1\n',
        f'id = "line2"\nprotocol = "modbus-rtu"\nserial = "{serial}"\nbaudrate = 115200\ndevice_id = 2\n',
        f'id = "gas"\nprotocol = "mqtt"\nhost = "127.0.0.1"\nport = {broker}\n' + TOPICS,
        f'id = "plant"\nprotocol = "sparkplug"\nhost = "127.0.0.1"\nport = {broker}\n' + NODES,
        f'id = "logger"\nprotocol = "hj212"\nport = {logger}\nstation = "MN7"\ntag = "{{name}}"\n',
    ]
    head = '[site]\nid = "p"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[[unit]]\nid = "U"\n'
    text = head + "".join("[[source]]\n" + source.replace("\n", "\n" + test, 1) for source in sources)
    (folder / "tags.csv").write_text(ROWS, "utf-8")
    (folder / "site.toml").write_text(text, "utf-8")
    return folder / "site.toml"


@contextmanager
def served(site: Path, *options: str) -> Iterator[Child]:
    arguments = [sys.executable, "-m", "gateway.cli", "devices", str(site), *options]
    child = Child("devices", arguments, logs=site.parent)
    try:
        give_up = time.monotonic() + 20.0
        while not any(said["event"] == "ready" for said in child.hear()):
            assert child.is_running, child.last_words()
            assert time.monotonic() < give_up, child.last_words()
            time.sleep(0.05)
        yield child
    finally:
        if child.is_running:
            child.stop()


async def collect(site: Path, seconds: float) -> dict[str, list[float]]:
    """Run the product's own collectors; give every good value of each tag."""
    loaded = load(site)
    found: dict[str, list[float]] = {}

    def take(item: Scan | Link, acknowledge: Acknowledge | None) -> None:
        if isinstance(item, Scan):
            for row, value, quality in zip(item.rows, item.values, item.quality, strict=True):
                if quality == 0:
                    found.setdefault(loaded.tags[int(row)].name, []).append(float(value))
        if acknowledge is not None:
            acknowledge()

    make = Collectors()
    running = [
        asyncio.create_task(make(source, loaded.tags, SystemClock(), 1, take).run()) for source in loaded.sources
    ]
    await asyncio.sleep(seconds)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    return found


def test_every_protocol_tells_the_values_that_the_seed_says(tmp_path: Path, mosquitto: Server) -> None:
    """Each collector reads each tag; what it reads is what the signals were in that time, whatever the way."""
    with pty_pair(tmp_path) as (gateways, ours):
        site = site_of(tmp_path, mosquitto.port, gateways)
        began = time.monotonic()
        with served(site, "--seed", "3", "--serial", f"{gateways}={ours}") as child:
            found = asyncio.run(collect(site, 6.0))
            level = subprocess.run(
                [need_program("mbpoll"), "-m", "tcp", "-a", "9", "-p", str(load(site).sources[0].modbus.port),  # type: ignore[union-attr]
                 "-1", "-q", "-t", "4:float", "-r", "1", "127.0.0.1"],
                capture_output=True, text=True, check=True,
            ).stdout  # fmt: skip
            passed_s = time.monotonic() - began
            assert child.stop() == 0
        books = next(said for said in child.hear() if said["event"] == "ended")
    rows = list(csv.DictReader(ROWS.splitlines()))
    signals = Signals(moving_of(rows), 3)
    told = np.array([signals.values(second) for second in np.arange(0.0, passed_s + 1.0, 0.05)])
    assert set(found) == {row["tag"] for row in rows}
    for place, tag in enumerate(signals.tags):
        step = 0.05 if tag.tag == "A.i16" else 0.51 if tag.tag in ("C.u32", "A.part") else 1e-3
        least, most = told[:, place].min() - step, told[:, place].max() + step
        assert all(least <= value <= most for value in found[tag.tag]), (tag.tag, found[tag.tag][:3], least, most)
        assert len(found[tag.tag]) >= 3, tag.tag
    read = float(level.rpartition("[1]:")[2])
    assert told[:, 0].min() - 1e-3 <= read <= told[:, 0].max() + 1e-3, (
        "an independent client, in the order of the table"
    )
    assert books["answered"] + books["refused"] == books["requests"] > 50
    assert books["refused"] == 0
    assert books["messages"] > 20
    assert books["frames"] >= 3


def test_time_can_be_quicker(tmp_path: Path) -> None:
    """A thousandfold: minutes of signals in the second between two looks."""
    (tmp_path / "tags.csv").write_text(
        "tag,source,unit,period_s,register,type,range_lo,range_hi\nA.x,d,U,0.1,0,float32,0,10\n"
    )
    (tmp_path / "site.toml").write_text(
        '[site]\nid = "p"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[[unit]]\nid = "U"\n[[source]]\nid = "d"\n'
        f'protocol = "modbus-tcp"\nhost = "127.0.0.1"\nport = {take_free_port()}\n'
    )
    with served(tmp_path / "site.toml", "--speed", "200"):
        found = asyncio.run(collect(tmp_path / "site.toml", 4.0))["A.x"]
    assert max(found) - min(found) > 3.0, "by real time it would not have moved by a tenth of that"


def test_one_process_serves_a_thousand_tags_and_both_books_agree() -> None:
    result = measure(1_000, 3.0, free_ports(1))
    assert result["unanswered"] == 0
    assert (result["bad"], result["simulator"]["refused"]) == (0, 0)
    assert result["rate_percent"] > 60
    assert result["simulator"]["refreshes"] >= 4
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (
            'protocol = "opcua"\nurl = "opc.tcp://127.0.0.1:1"\nsecurity = "none"\n',
            "speaks opcua, which is not simulated",
        ),
        (
            'protocol = "mqtt"\nhost = "127.0.0.1"\n[[source.topic]]\npattern = "x/{tag}"\n',
            "would be taken for the plant's own values",
        ),
        (
            'protocol = "mqtt"\nnature = "test"\nhost = "h"\n[[source.topic]]\npattern = "x/#"\nformat = "senml"\n',
            "format senml is not sent",
        ),
    ],
)
def test_what_is_not_simulated_is_refused_with_a_remedy(tmp_path: Path, source: str, told: str) -> None:
    node = ",node_id\nA.x,d,U,1,ns=2;s=x" if "opcua" in source else "\nA.x,d,U,1"
    (tmp_path / "tags.csv").write_text(f"tag,source,unit,period_s{node}\n")
    (tmp_path / "site.toml").write_text(
        '[site]\nid = "p"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[[unit]]\nid = "U"\n[[source]]\nid = "d"\n' + source
    )
    answer = CliRunner().invoke(app, ["devices", str(tmp_path / "site.toml"), "--serial", "x=y"])
    assert answer.exit_code == 2
    assert told in answer.output
    assert "--serial x=y: no source has this port" in answer.output


def test_a_site_with_mistakes_and_a_port_that_is_taken_are_refused(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text("[site]\n")
    answer = CliRunner().invoke(app, ["devices", str(tmp_path / "site.toml")])
    assert (answer.exit_code, "Remedy" in answer.output) == (2, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        (tmp_path / "tags.csv").write_text("tag,source,unit,period_s,register,type\nA.x,d,U,1,0,float32\n")
        (tmp_path / "site.toml").write_text(
            '[site]\nid = "p"\ntimezone = "UTC"\ntags = ["tags.csv"]\n[[unit]]\nid = "U"\n[[source]]\nid = "d"\n'
            f'protocol = "modbus-tcp"\nhost = "127.0.0.1"\nport = {taken.getsockname()[1]}\n'
        )
        answer = CliRunner().invoke(app, ["devices", str(tmp_path / "site.toml")])
    assert answer.exit_code == 2
    assert "cannot be listened on" in answer.output
