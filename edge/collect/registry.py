"""Which collector a protocol has."""

from collections.abc import Callable
from typing import Final

from edge.clock import Clock
from edge.collect.door import Collector, Deliver
from edge.config import Source
from edge.model import TagTable


def _modbus(source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
    from edge.collect.modbus.collector import ModbusCollector  # noqa: PLC0415 - a protocol's library loads on use

    return ModbusCollector(source, tags, clock, epoch, deliver)


def _mqtt(source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
    from edge.collect.mqtt.collector import MqttCollector  # noqa: PLC0415 - a protocol's library loads on use

    return MqttCollector(source, tags, clock, epoch, deliver)


#: Constructors by ``Source.protocol``. Protocols that are not here have no collector (``system``, ``replay``).
COLLECTORS: Final[dict[str, Callable[[Source, TagTable, Clock, int, Deliver], Collector]]] = {
    "modbus-tcp": _modbus,
    "mqtt": _mqtt,
}


def make_collector(source: Source, tags: TagTable, clock: Clock, epoch: int, deliver: Deliver) -> Collector:
    """Make the collector of a source.

    Args:
        source: With the options of its protocol.
        tags: All tags of the site; the collector takes those of its source.
        clock: Its ``wall_ns`` is the receive time that scans are stamped with.
        epoch: Durable, higher at each start; with the scan's number it is the sequence that intake judges by.
        deliver: Called on the event loop with each scan or link change, and with the function that acknowledges
            it once it is durable (None where the source needs none).
    """
    return COLLECTORS[source.protocol](source, tags, clock, epoch, deliver)
