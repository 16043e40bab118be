"""Probe: lets an engineer look at raw registers through the running gateway.

Flow: API -> [probe] -> the source's own line, or a connection for one look -> words -> guesses
Why: a device that takes one client only would throw the gateway out; so whatever a running source speaks to is asked on
    that source's line, in turn with its polls and after its pauses, also where somebody typed its address.
Never: asks a line twice within ``PAUSE_S``, nor more than one typed address at a time; never writes.
"""

import asyncio
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.clock import Clock
from edge.collect.door import Collector
from edge.collect.modbus.collector import ModbusCollector
from edge.collect.modbus.frame import Failure, Words
from edge.collect.modbus.probe import Survey, survey, survey_address
from edge.config import ModbusOptions, Table

PAUSE_S: Final = 2.0
TYPED: Final = "an address"  # All typed addresses share one place in the queue.


class ProbeRefused(Exception):  # noqa: N818 - the sentence that the API answers with
    """The probe was not sent.

    Args:
        said: Why, by language.

    Attributes:
        status: As HTTP has it.
    """

    def __init__(self, status: int, said: Mapping[str, str]) -> None:
        super().__init__(said["en"])
        self.status, self.said = status, dict(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to look at.

    Attributes:
        source: A running source, or empty for ``options``.
        options: Where the device is; only TCP and RTU over TCP.
        register: From 0, as on the wire.
    """

    table: Table
    register: int
    count: int
    source: str = ""
    options: ModbusOptions | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What came of it.

    Attributes:
        source: Whose line was used; empty for a connection of its own.
        reason: Why there is no connection; empty where there is one.
        seconds: How long it took, with the waiting for the line.
    """

    survey: Survey
    source: str
    reason: str
    seconds: float


class Prober:
    """Looks at devices, one look at a time for each line."""

    def __init__(self, collectors: Mapping[str, Collector], clock: Clock) -> None:
        self._collectors = collectors
        self._clock = clock
        self._busy: set[str] = set()
        self._ended_ns: dict[str, int] = {}

    def options_of(self, source: str) -> ModbusOptions | None:
        """Give where a running source's device is; None where it is no Modbus source of ours."""
        found = self._collectors.get(source)
        return found.options if isinstance(found, ModbusCollector) else None

    async def probe(self, asked: Asked) -> Probed:
        """Read once.

        Raises:
            ProbeRefused: The source is not ours to ask, or somebody looks already, or did a moment ago.
        """
        name, collector = asked.source, self._collectors.get(asked.source)
        device_id: int | None = None
        if not name:
            assert asked.options is not None, asked
            name, collector = await self._who_speaks_there(asked.options)
            device_id = asked.options.device_id
        elif not isinstance(collector, ModbusCollector):
            said = {
                "en": f"Source {name} has no Modbus device that this gateway polls.",
                "zh": f"数据源 {name} 没有由本网关采集的 Modbus 设备。",
            }
            raise ProbeRefused(409, said)
        line = TYPED if not isinstance(collector, ModbusCollector) else "/".join(collector.options.line)
        began_ns = self._begin(line)
        try:
            if isinstance(collector, ModbusCollector):
                found, reason = await self._through(collector, asked, device_id), ""
            else:
                assert asked.options is not None, asked
                found, reason = await survey_address(asked.options, asked.table, asked.register, asked.count)
        finally:
            self._busy.discard(line)
            self._ended_ns[line] = ended_ns = self._clock.monotonic_ns()
        return Probed(survey=found, source=name, reason=reason, seconds=(ended_ns - began_ns) / 1e9)

    def _begin(self, line: str) -> int:
        now_ns = self._clock.monotonic_ns()
        passed_s = (now_ns - self._ended_ns[line]) / 1e9 if line in self._ended_ns else PAUSE_S
        if line in self._busy or passed_s < PAUSE_S:
            said = {
                "en": f"Somebody looks there already; a device is probed at most every {PAUSE_S:g} s.",
                "zh": f"已有人在探测;同一设备每 {PAUSE_S:g} s 至多探测一次。",
            }
            raise ProbeRefused(429, said)
        self._busy.add(line)
        return now_ns

    async def _through(self, collector: ModbusCollector, asked: Asked, device_id: int | None) -> Survey:
        async def read(table: Table, address: int, count: int) -> Words | Failure:
            return await collector.read(table, address, count, device_id)

        return await survey(read, asked.table, asked.register, asked.count, collector.options.registers_max)

    async def _who_speaks_there(self, options: ModbusOptions) -> tuple[str, Collector | None]:
        """Find the running source whose line leads to this address, also by another name of the machine."""
        wanted: set[str] | None = None
        for name, collector in tuple(self._collectors.items()):  # A reload may change them meanwhile.
            if not isinstance(collector, ModbusCollector):
                continue
            theirs = collector.options
            if theirs.serial is not None or theirs.call is not None or theirs.port != options.port:
                continue
            if wanted is None:
                wanted = await addresses_of(options.host)
            if theirs.host == options.host or wanted & await addresses_of(theirs.host):
                return name, collector
        return "", None


async def addresses_of(host: str) -> set[str]:
    """Give all addresses that a name has, and itself; a name that has none is found out by dialling."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return {host}
    return {host, *(str(each[4][0]) for each in found)}
