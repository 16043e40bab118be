"""Which collector a protocol has, and what collectors of one process share."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from edge.clock import Clock
from edge.collect.door import Collector, Counters, Deliver
from edge.config import Source
from edge.model import TagTable

if TYPE_CHECKING:
    from edge.collect.hj212.door import Doors
    from edge.collect.modbus.line import Lines

HEARD_MAX: Final = 1_000  # Filters of one session that are remembered; a source has a few.
MODBUS: Final = ("modbus-tcp", "modbus-rtu", "modbus-rtu-tcp", "modbus-dtu")


class Collectors:
    """Makes the collectors of one process; Modbus sources with the same way out get one line, loggers one door a port.

    Args:
        lines: Made at the first Modbus source where it is left out.
    """

    def __init__(self, lines: "Lines | None" = None) -> None:
        self._lines = lines
        self._doors: Doors | None = None
        self._heard: dict[tuple[str, ...], tuple[str, ...]] = {}  # Filters that a session at a broker may have, by us.

    def __call__(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
        """Make the collector of a source, as ``make_collector`` does."""
        return COLLECTORS[source.protocol](self, source, tags, clock, epoch, deliver)

    def _modbus(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
        from edge.collect.modbus.collector import ModbusCollector  # noqa: PLC0415 - a protocol's library loads on use
        from edge.collect.modbus.line import Lines  # noqa: PLC0415

        if self._lines is None:
            self._lines = Lines()
        return ModbusCollector(source, tags, clock, epoch, deliver, self._lines)

    def _mqtt(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
        from edge.collect.mqtt.collector import MqttCollector  # noqa: PLC0415 - a protocol's library loads on use

        assert source.mqtt is not None, source.id
        session = (source.id, source.mqtt.host, str(source.mqtt.port), source.mqtt.client_id)
        before = self._heard.get(session, ())
        collector = MqttCollector(source, tags, clock, epoch, deliver, left=before)
        self._heard[session] = tuple(dict.fromkeys((*before, *collector.filters)))[-HEARD_MAX:]
        return collector

    def _sparkplug(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
        from edge.collect.sparkplug.collector import SparkplugCollector  # noqa: PLC0415 - a protocol loads on use

        return SparkplugCollector(source, tags, clock, epoch, deliver)

    def _hj212(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
        from edge.collect.hj212.collector import Hj212Collector  # noqa: PLC0415 - a protocol loads on use
        from edge.collect.hj212.door import Doors  # noqa: PLC0415

        if self._doors is None:
            self._doors = Doors()
        return Hj212Collector(source, tags, clock, epoch, deliver, self._doors)

    def _opcua(self, source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
        from edge.collect.opcua.client import connector  # noqa: PLC0415 - a protocol's library loads on use
        from edge.collect.opcua.collector import OpcuaCollector  # noqa: PLC0415

        counters = Counters()
        return OpcuaCollector(source, tags, clock, epoch, deliver, connector(clock, counters), counters)


#: Constructors by ``Source.protocol``. Protocols that are not here have no collector (``system``, ``replay``).
COLLECTORS: Final[dict[str, Callable[[Collectors, Source, TagTable, Clock, int, Deliver], Collector]]] = {
    **dict.fromkeys(MODBUS, Collectors._modbus),  # noqa: SLF001 - its own
    "mqtt": Collectors._mqtt,  # noqa: SLF001
    "sparkplug": Collectors._sparkplug,  # noqa: SLF001
    "hj212": Collectors._hj212,  # noqa: SLF001
    "opcua": Collectors._opcua,  # noqa: SLF001
}


def make_collector(source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
    """Make the collector of a source that shares nothing with others.

    Args:
        source: With the options of its protocol.
        tags: All tags of the site; the collector takes those of its source.
        clock: Its ``wall_ns`` is the receive time that scans are stamped with.
        epoch: Durable, higher at each start; with the scan's number it is the sequence that intake judges by.
        deliver: Called on the event loop with each scan or link change, and with the function that acknowledges
            it once it is durable (None where the source needs none).
    """
    return Collectors()(source, tags, clock, epoch, deliver)
