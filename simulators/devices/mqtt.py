"""MQTT publisher: what gas detectors and crowd counters send.

Flow: readings -> [publish] -> broker
Why: detectors stamp their values with local time and its offset, counters with epoch milliseconds, as real ones do;
    a collector must tell both apart from UTC.
Never: keeps more than a minute while the broker is away; a sensor has no disk. What is lost is counted.
"""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from simulators.wiring import Broker, Topic

LOCAL = timezone(timedelta(hours=8))
QUEUE_MAX = 600  # Messages; about a minute of the demonstration.
QUEUED_EACH = 3  # Messages of one topic, where there are many.
MILLISECOND_NS = 1_000_000


def compose(topic: Topic, time_ns: int, readings: Mapping[str, float]) -> bytes:
    """Give the JSON payload of one message, ASCII.

    A single value carries ISO 8601 in local time with its offset, a batch epoch milliseconds.
    """
    message: dict[str, object] = {}
    if topic.is_batch:
        rounded = {tag: _number(readings[tag]) for tag in topic.tags}
        _put(message, topic.time, time_ns // MILLISECOND_NS)
        _put(message, topic.value, list(rounded.values()) if topic.is_listed else rounded)
    else:
        stamp = datetime.fromtimestamp(0, UTC) + timedelta(microseconds=time_ns // 1000)
        _put(message, topic.time, stamp.astimezone(LOCAL).isoformat(timespec="milliseconds"))
        _put(message, topic.value, _number(readings[topic.tags[0]]))
    return json.dumps(message, separators=(",", ":")).encode()


def _number(value: float) -> float | int | str:
    if not math.isfinite(value):  # JSON has no such numbers; devices write them as text.
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return int(value) if value.is_integer() else round(value, 4)


def _put(message: dict[str, object], path: str, value: object) -> None:
    *outer, last = path.split(".")
    place = message
    for key in outer:
        inner = place.setdefault(key, {})
        assert isinstance(inner, dict), path
        place = inner
    place[last] = value


class Publisher:
    """Sends the topics of one broker, QoS 1, from a thread of paho's.

    Attributes:
        sent, lost: Messages handed to paho, and refused because its queue was full.
    """

    def __init__(self, broker: Broker, *, client_id: str = "plant", host: str = "") -> None:
        self.broker = broker
        self.sent = 0
        self.lost = 0
        self._due_s = [0.0] * len(broker.topics)
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id=client_id, protocol=paho.MQTTv311)
        self._client.max_queued_messages_set(max(QUEUE_MAX, QUEUED_EACH * len(broker.topics)))
        self._client.max_inflight_messages_set(100)
        self._client.reconnect_delay_set(1, 5)
        self._client.connect_async(host or broker.host, broker.port, keepalive=15)

    def start(self) -> None:
        """Connect in the background and go on trying."""
        self._client.loop_start()

    def publish(self, time_s: float, time_ns: int, readings: Mapping[str, float]) -> None:
        """Send every topic whose period has passed.

        Args:
            time_s: The plant's own time, s; periods count by it.
            time_ns: What the stamps say, ns since 1970-01-01 UTC.
        """
        for place, topic in enumerate(self.broker.topics):
            if time_s < self._due_s[place]:
                continue
            self._due_s[place] = max(self._due_s[place] + topic.period_s, time_s)
            answer = self._client.publish(topic.name, compose(topic, time_ns, readings), qos=1)
            if answer.rc == paho.MQTT_ERR_QUEUE_SIZE:
                self.lost += 1
            else:
                self.sent += 1

    def begin_anew(self) -> None:
        """Let the plant's time begin at 0 once more; every topic is due then."""
        self._due_s = [0.0] * len(self.broker.topics)

    def stop(self) -> None:
        """Say goodbye to the broker and end the thread."""
        self._client.disconnect()
        self._client.loop_stop()
