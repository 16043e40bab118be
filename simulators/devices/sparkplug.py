"""A Sparkplug B edge node: births with aliases, data by alias, a death as its will, and birth anew when asked.

Flow: readings -> [compose] -> broker; NCMD Rebirth -> births
Why: written from Sparkplug 3.0.0 (§5.3 birth, §5.12 rebirth, §6.4 payload), with no word of the host's code but the
    message classes.
"""

import threading
from collections.abc import Mapping
from typing import Any, Final, TypeAlias

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.decode.codec.sparkplug.schema import PAYLOAD, DecodeError
from simulators.wiring_senders import EdgeNode

INT64, DOUBLE, BOOLEAN = 4, 10, 11  # Data types (§6.4.16).
SEQ_MAX: Final = 256  # A sequence number is one byte and begins anew (§6.4.5).
REBIRTH: Final = "Node Control/Rebirth"
MS_NS: Final = 1_000_000
KEEPALIVE_S: Final = 15
Told: TypeAlias = tuple[str, bytes]  # Topic and payload.


class SparkplugNode:
    """One edge node at its broker; ``sent`` counts messages, ``births`` how often it told all it has."""

    def __init__(self, node: EdgeNode, *, host: str = "") -> None:
        self.node = node
        self.sent = self.births = self.lost = 0
        self._host = host or node.host
        self._seq = 0
        self._bdseq = 0
        self._due_s = 0.0
        self._now_ns = 0
        self._alias = {metric.tag: at for at, metric in enumerate(node.metrics, start=1)}
        self._name = {metric.tag: metric.name for metric in node.metrics}
        self._of_device: dict[str, list[str]] = {}
        for metric in node.metrics:
            self._of_device.setdefault(metric.device, []).append(metric.tag)
        self._is_asked = threading.Event()
        self._is_up = threading.Event()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=f"node-{node.group}-{node.node}")
        self._client.on_connect = self._connected
        self._client.on_disconnect = self._gone
        self._client.on_message = self._told
        self._client.reconnect_delay_set(1, 5)

    def start(self, time_ns: int) -> None:
        """Connect in the background and go on trying; the will is each connection's own death (§5.3)."""
        self._now_ns = time_ns
        self._will()
        self._client.connect_async(self._host, self.node.port, keepalive=KEEPALIVE_S)
        self._client.loop_start()

    def publish(self, time_s: float, time_ns: int, readings: Mapping[str, float]) -> None:
        """Be born where that is due, and send what has changed where the period has passed."""
        self._now_ns = time_ns
        if not self._is_up.is_set():
            return
        if self._is_asked.is_set():
            self._is_asked.clear()
            self._send(self.birth(time_ns, readings))
            self.births += 1
        elif time_s >= self._due_s:
            self._due_s = max(self._due_s + self.node.period_s, time_s)
            self._send(self.data(time_ns, readings))

    def stop(self, time_ns: int) -> None:
        """Say goodbye as a will would, and end the thread."""
        if self._is_up.is_set():
            death = PAYLOAD(timestamp=time_ns // MS_NS, metrics=[self._bd(time_ns)])
            self._client.publish(self._topic("NDEATH"), death.SerializeToString(), qos=1).wait_for_publish(1.0)
        self._client.disconnect()
        self._client.loop_stop()

    # ------------------------------------------------------------------------------------------------------ messages

    def birth(self, time_ns: int, readings: Mapping[str, float]) -> list[Told]:
        """Compose all that it has, with names and aliases; the count begins anew."""
        self._seq = 0
        control = {"name": REBIRTH.encode(), "timestamp": time_ns // MS_NS, "datatype": BOOLEAN, "boolean_value": False}
        own = [self._named(tag, time_ns, readings) for tag in self._tags("")]
        told = [self._told_as("NBIRTH", "", [self._bd(time_ns), control, *own], time_ns)]
        for device in self._devices():
            if device:
                metrics = [self._named(tag, time_ns, readings) for tag in self._tags(device)]
                told.append(self._told_as("DBIRTH", device, metrics, time_ns))
        return told

    def data(self, time_ns: int, readings: Mapping[str, float]) -> list[Told]:
        """Compose the values of a moment, by alias."""
        told = []
        for device in self._devices():
            metrics = [self._metric(tag, time_ns, readings) for tag in self._tags(device)]
            told.append(self._told_as("DDATA" if device else "NDATA", device, metrics, time_ns))
        return told

    def _told_as(self, kind: str, device: str, metrics: list[dict[str, Any]], time_ns: int) -> Told:
        payload = PAYLOAD(timestamp=time_ns // MS_NS, metrics=metrics, seq=self._seq)
        self._seq = (self._seq + 1) % SEQ_MAX
        return self._topic(kind, device), payload.SerializeToString()

    def _send(self, told: list[Told]) -> None:
        for topic, payload in told:
            if self._client.publish(topic, payload, qos=0).rc == paho.MQTT_ERR_SUCCESS:
                self.sent += 1
            else:
                self.lost += 1

    def _metric(self, tag: str, time_ns: int, readings: Mapping[str, float]) -> dict[str, Any]:
        alias, time_ms = self._alias[tag], time_ns // MS_NS
        return {"alias": alias, "timestamp": time_ms, "datatype": DOUBLE, "double_value": readings[tag]}

    def _named(self, tag: str, time_ns: int, readings: Mapping[str, float]) -> dict[str, Any]:
        return {"name": self._name[tag].encode(), **self._metric(tag, time_ns, readings)}

    def _bd(self, time_ns: int) -> dict[str, Any]:
        return {"name": b"bdSeq", "timestamp": time_ns // MS_NS, "datatype": INT64, "long_value": self._bdseq}

    def _devices(self) -> list[str]:
        return sorted(self._of_device)

    def _tags(self, device: str) -> list[str]:
        return self._of_device.get(device, [])

    def _topic(self, kind: str, device: str = "") -> str:
        return "/".join(["spBv1.0", self.node.group, kind, self.node.node, *([device] if device else [])])

    def _will(self) -> None:
        """Give the next connection its death along."""
        death = PAYLOAD(timestamp=self._now_ns // MS_NS, metrics=[self._bd(self._now_ns)])
        self._client.will_set(self._topic("NDEATH"), death.SerializeToString(), qos=1)

    # ------------------------------------------------------------------------------- what paho calls, on its thread

    def _connected(self, client: paho.Client, *_: object) -> None:
        client.subscribe(self._topic("NCMD"), qos=1)
        self._is_asked.set()
        self._is_up.set()

    def _gone(self, *_: object) -> None:
        self._is_up.clear()
        self._bdseq = (self._bdseq + 1) % SEQ_MAX
        self._will()

    def _told(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        try:
            told = PAYLOAD.FromString(message.payload)
        except DecodeError:
            return
        if any(metric.name == REBIRTH.encode() and metric.boolean_value for metric in told.metrics):
            self._is_asked.set()
