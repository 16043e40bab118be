"""An edge node of Sparkplug B for tests: it counts its messages as the standard says, or wrongly where told to."""

from typing import Any

from edge.collect.mqtt.loopback import LoopbackBroker
from edge.decode.codec.sparkplug.schema import PAYLOAD

NOON_MS = 1_767_268_800_000
BOOLEAN, DOUBLE, INT64 = 11, 10, 4
FIELDS = {BOOLEAN: "boolean_value", DOUBLE: "double_value", INT64: "long_value"}


def metric(name: str = "", value: float | None = None, **more: Any) -> dict[str, Any]:  # noqa: ANN401 - any field
    """Make a metric; a Double unless told, with a type only where it has a name."""
    datatype = more.pop("datatype", DOUBLE)
    made: dict[str, Any] = {"datatype": datatype} if name else {}
    made |= {"name": name.encode()} if name else {}
    made |= {FIELDS[datatype]: value} if value is not None else {"is_null": True}
    return made | more


class Edge:
    """One edge node at a broker in memory.

    Attributes:
        now_ms: Its clock; whoever tells the story moves it.
    """

    def __init__(self, broker: LoopbackBroker, node: str = "N1", group: str = "G") -> None:
        self.broker, self.node, self.group = broker, node, group
        self.seq, self.bdseq, self.now_ms = 0, 0, NOON_MS

    def send(self, kind: str, device: str, metrics: list[dict[str, Any]], *, seq: int | None, **more: Any) -> None:  # noqa: ANN401
        payload = PAYLOAD(timestamp=self.now_ms, metrics=metrics, **({} if seq is None else {"seq": seq}))
        topic = f"spBv1.0/{self.group}/{kind}/{self.node}" + (f"/{device}" if device else "")
        self.broker.publish(topic, payload.SerializeToString(), **{"qos": 0} | more)

    def count(self) -> int:
        """Give the next number; a message that nobody hears is counted too."""
        self.seq = (self.seq + 1) % 256
        return self.seq

    def birth(self, *metrics: dict[str, Any], seq: int = 0) -> None:
        self.seq = seq
        own = metric("bdSeq", self.bdseq, datatype=INT64)
        control = metric("Node Control/Rebirth", value=False, datatype=BOOLEAN)
        self.send("NBIRTH", "", [own, control, *metrics], seq=seq)

    def device_birth(self, device: str, *metrics: dict[str, Any]) -> None:
        self.send("DBIRTH", device, list(metrics), seq=self.count())

    def data(self, device: str, *metrics: dict[str, Any], **more: Any) -> None:  # noqa: ANN401
        self.send("DDATA" if device else "NDATA", device, list(metrics), seq=self.count(), **more)

    def device_death(self, device: str) -> None:
        self.send("DDEATH", device, [], seq=self.count())

    def death(self, bdseq: int | None = None) -> None:
        number = self.bdseq if bdseq is None else bdseq
        self.send("NDEATH", "", [metric("bdSeq", number, datatype=INT64)], seq=None)
