"""Node-RED as a process: installed into a folder, given a flow, asked for its books.

Flow: flow (a list of nodes) -> [NodeRed] -> JSON lines on its standard output
Why: what it does is counted in its own process by one object that all function nodes share, so that counting costs
    about what it costs us; processor time is what the process says of itself, while the flow runs.

The flows are those that its own examples show, in the quickest of the settings that its nodes have: one ``modbus-read``
a request, its requests not queued a millisecond apart; ``mqtt in`` that parses JSON itself. Each value is checked as
ours are: a number, no fill value, in its range.
"""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

#: The newest releases whose parts are all on the npm registry; later Modbus nodes take a part from elsewhere.
PACKAGES: Final = ("node-red@4", "node-red-contrib-modbus@5.23.3")
START_S: Final = 60.0

Nodes = list[dict[str, Any]]

_PLACE: Final = {"x": 100, "y": 100}  # A node without a place on its tab is taken for a setting.

#: What all function nodes share. Lines of ours begin with @@, the others are Node-RED's log.
_SETTINGS: Final = """
const out = (told) => process.stdout.write('@@' + JSON.stringify(told) + '\\n');
const cpu = () => { const u = process.cpuUsage(); return (u.user + u.system) / 1e6; };
const wall = () => Number(process.hrtime.bigint()) / 1e9;
const book = {
  values: 0, requests: 0, bad: 0, left: Infinity, first: null, latest: new Map(), arrivals: {}, turns: [], asked: 0,
  check(name, value) {
    if (typeof value !== 'number' || !isFinite(value) || value === -9999 || value < -1e38 || value > 1e38) this.bad++;
    else this.latest.set(name, value);
  },
  floats(name, buffer) {
    const n = buffer.length >> 2;
    for (let at = 0; at < n; at++) this.check(name + at, buffer.readFloatBE(4 * at));
    this.values += n; this.requests++;
  },
  arrived(name) { (this.arrivals[name] ||= []).push(wall()); },
  take(n) {
    if (this.first === null) this.first = [wall(), cpu()];
    this.left -= n;
    if (this.left <= 0 && this.first) {
      out({wall_s: wall() - this.first[0], cpu_s: cpu() - this.first[1], bad: this.bad});
      this.left = Infinity;
    }
  },
};
book.left = %(count)d || Infinity;
let began = null;
process.stdin.on('data', (line) => {
  if (String(line).startsWith('begin')) {
    Object.assign(book, {values: 0, requests: 0, bad: 0, arrivals: {}, turns: []});
    began = [wall(), cpu()];
  } else out({values: book.values, requests: book.requests, bad: book.bad, arrivals: book.arrivals,
    turns: book.turns, wall_s: wall() - began[0], cpu_s: cpu() - began[1],
    memory_mb: process.resourceUsage().maxRSS / 1024});
});
module.exports = {
  uiPort: 0, httpAdminRoot: false, httpNodeRoot: false, flowFile: 'flows.json', userDir: %(folder)s,
  credentialSecret: false, telemetry: {enabled: false, updateNotification: false},
  nodesDir: [], logging: {console: {level: 'warn', metrics: false, audit: false}},
  functionGlobalContext: {book, wall}, editorTheme: {projects: {enabled: false}},
};
out({ready: true});
"""


class PeerError(Exception):
    """Node-RED cannot be installed or does not answer."""


async def install(folder: Path) -> dict[str, str]:
    """Install Node-RED and its Modbus nodes where they are not there yet; give what is installed, by name.

    Raises:
        PeerError: npm is missing or refuses.
    """
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise PeerError("node and npm are not installed on this machine; Node-RED needs both.")
    if not (folder / "node_modules" / "node-red-contrib-modbus").is_dir():
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        child = await asyncio.create_subprocess_exec(
            npm, "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", *PACKAGES,
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, told = await child.communicate()
        if child.returncode:
            raise PeerError(f"npm could not install {' and '.join(PACKAGES)}: {told.decode(errors='replace')[-300:]}")
    return {
        name: json.loads((folder / "node_modules" / name / "package.json").read_text("utf-8"))["version"]
        for name in ("node-red", "node-red-contrib-modbus")
    }


class NodeRed:
    """One running Node-RED."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def begin(self) -> None:
        """Begin to count anew."""
        await self._say("begin")

    async def tell(self) -> dict[str, Any]:
        """Give the books since it began to count."""
        await self._say("tell")
        return await self.told()

    async def told(self) -> dict[str, Any]:
        """Wait for the next line of books.

        Raises:
            PeerError: It ended.
        """
        assert self._child.stdout is not None
        while line := await self._child.stdout.readline():
            if line.startswith(b"@@"):
                found = json.loads(line[2:])
                assert isinstance(found, dict)
                return found
        raise PeerError("Node-RED ended by itself.")

    async def _say(self, word: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(word.encode() + b"\n")
        await self._child.stdin.drain()


@asynccontextmanager
async def running(packages: Path, folder: Path, nodes: Nodes, count: int = 0) -> AsyncIterator[NodeRed]:
    """Run a flow while the body runs.

    Args:
        packages: Where Node-RED is installed.
        folder: An empty folder for its files.
        nodes: The flow.
        count: Messages after which it tells wall and processor time since the first, for ``take``.
    """
    (folder / "settings.js").write_text(_SETTINGS % {"count": count, "folder": json.dumps(str(folder))}, "utf-8")
    (folder / "flows.json").write_text(json.dumps(nodes), "utf-8")
    for name in ("package.json", "node_modules"):  # Where it looks for nodes: its own folder of users.
        if not (folder / name).exists():
            (folder / name).symlink_to(packages / name)
    node = shutil.which("node")
    assert node is not None, "looked for before"
    child = await asyncio.create_subprocess_exec(
        node, str(packages / "node_modules" / "node-red" / "red.js"), "-s", str(folder / "settings.js"),
        "-u", str(folder), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=64 * 1024 * 1024,
    )  # fmt: skip
    try:
        one = NodeRed(child)
        async with asyncio.timeout(START_S):
            await one.told()
        yield one
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()


# ---------------------------------------------------------------------------------------------------------------- flows


def _client(at: int, port: int, *, is_queued: bool) -> dict[str, Any]:
    return {
        "id": f"client{at}", "type": "modbus-client", "name": f"d{at}", "clienttype": "tcp",
        "bufferCommands": is_queued, "stateLogEnabled": False, "queueLogEnabled": False, "failureLogEnabled": False,
        "tcpHost": "127.0.0.1", "tcpPort": str(port), "tcpType": "DEFAULT", "unit_id": "1", "commandDelay": "1",
        "clientTimeout": "1000", "reconnectOnTimeout": True, "reconnectTimeout": "2000", "parallelUnitIdsAllowed": True,
    }  # fmt: skip


def _tab() -> dict[str, Any]:
    return {"id": "tab", "type": "tab", "label": "bench", "disabled": False, "info": ""}


def _function(name: str, code: str, wires: list[list[str]]) -> dict[str, Any]:
    return {
        "id": name, "type": "function", "z": "tab", **_PLACE, "name": name, "func": code, "outputs": len(wires),
        "noerr": 0, "initialize": "", "finalize": "", "libs": [], "wires": wires,
    }  # fmt: skip


def closed_loop_flow(port: int, count: int) -> Nodes:
    """Ask one device for ``count`` holding registers, decode, check, ask again."""
    ask = f"msg = {{payload: {{fc: 3, unitid: 1, address: 0, quantity: {count}}}, began: global.get('wall')()}};"
    decode = (
        "const book = global.get('book');"
        f"book.floats('d0.', msg.responseBuffer.buffer.subarray(0, {4 * (count // 2)}));"
        "const now = global.get('wall')(); book.turns.push(now - book.asked); book.asked = now;"
    )
    return [
        _tab(),
        _client(0, port, is_queued=False),
        {"id": "inject", "type": "inject", "z": "tab", **_PLACE, "name": "", "props": [], "repeat": "", "crontab": "",
         "once": True, "onceDelay": "3", "topic": "", "wires": [["ask"]]},
        _function("ask", ask + " return msg;", [["get"]]),
        {"id": "get", "type": "modbus-flex-getter", "z": "tab", **_PLACE, "name": "", "showStatusActivities": False,
         "showErrors": True, "logIOActivities": False, "server": "client0", "useIOFile": False, "ioFile": "",
         "useIOForPayload": False, "emptyMsgOnFail": False, "keepMsgProperties": False, "wires": [["decode"], []]},
        _function("decode", decode + ask + " return msg;", [["get"]]),
    ]  # fmt: skip


def plant_flow(
    ports: Sequence[int], requests: Sequence[Sequence[tuple[int, int]]], period_s: float, *, is_queued: bool
) -> Nodes:
    """Poll a plant: a node ``modbus-read`` for each request of each device.

    Args:
        ports: Of each device.
        requests: First register and count of each request, by device.
        is_queued: Whether a client sends its requests one after another, a millisecond apart; else all at once.
    """
    decode = (
        "const book = global.get('book');"
        "book.floats(msg.topic, msg.responseBuffer.buffer);"
        "if (msg.topic.endsWith('#0')) book.arrived(msg.topic); return null;"
    )
    nodes: Nodes = [_tab(), _function("decode", decode, [])]
    for at, (port, plan) in enumerate(zip(ports, requests, strict=True)):
        nodes.append(_client(at, port, is_queued=is_queued))
        nodes += [
            {"id": f"read{at}.{n}", "type": "modbus-read", "z": "tab", **_PLACE, "name": "", "topic": f"d{at}#{n}",
             "unitid": "1", "dataType": "HoldingRegister", "adr": str(first), "quantity": str(count),
             "rate": str(round(period_s * 1_000)), "rateUnit": "ms", "delayOnStart": False, "startDelayTime": "",
             "showStatusActivities": False, "logIOActivities": False, "showErrors": False, "server": f"client{at}",
             "useIOFile": False, "ioFile": "", "useIOForPayload": False, "emptyMsgOnFail": False,
             "wires": [["decode"], []]}
            for n, (first, count) in enumerate(plan)
        ]  # fmt: skip
    return nodes


def mqtt_flow(port: int, client_id: str, pattern: str) -> Nodes:
    """Hear a broker: each value of each message is checked and kept under its tag."""
    take = (
        "const book = global.get('book'), found = msg.payload.v;"
        "if (Array.isArray(found)) for (let at = 0; at < found.length; at++) book.check(at + '.v', found[at]);"
        "else book.check(msg.topic.slice(msg.topic.lastIndexOf('/') + 1) + '.v', found);"
        "book.take(1); return null;"
    )
    return [
        _tab(),
        {"id": "broker", "type": "mqtt-broker", "name": "", "broker": "127.0.0.1", "port": str(port),
         "clientid": client_id, "autoConnect": True, "usetls": False, "protocolVersion": "4", "keepalive": "60",
         "cleansession": False, "autoUnsubscribe": False},
        {"id": "in", "type": "mqtt in", "z": "tab", **_PLACE, "name": "", "topic": pattern, "qos": "1",
         "datatype": "json", "broker": "broker", "nl": False, "rap": True, "rh": 0, "inputs": 0, "wires": [["take"]]},
        _function("take", take, []),
    ]  # fmt: skip
