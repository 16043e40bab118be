"""An edge node's messages, byte for byte as an independent library read them."""

import json
from pathlib import Path

from edge.decode.codec.sparkplug.schema import PAYLOAD
from simulators.devices.sparkplug import SparkplugNode
from simulators.wiring_senders import EdgeNode, Metric

GOLDEN = json.loads(Path("tests/golden/sparkplug/simulated.json").read_text("utf-8"))
NOON_NS = 1_767_268_800_000_000_000
NODE = EdgeNode(
    source="s",
    host="127.0.0.1",
    port=1883,
    group="G",
    node="N1",
    metrics=(
        Metric(tag="N1.volt", device="", name="volt"),
        Metric(tag="TK-1.level", device="TK-1", name="level"),
        Metric(tag="TK-1.temp", device="TK-1", name="temp"),
    ),
    period_s=1.0,
)
READINGS = {"N1.volt": 24.5, "TK-1.level": 4.25, "TK-1.temp": -7.0}


def messages() -> list[tuple[str, bytes]]:
    node = SparkplugNode(NODE)
    return [*node.birth(NOON_NS, READINGS), *node.data(NOON_NS + 1_000_000_000, READINGS)]


def test_messages_are_those_that_were_read_elsewhere() -> None:
    assert [{"topic": topic, "payload": payload.hex()} for topic, payload in messages()] == [
        {"topic": one["topic"], "payload": one["payload"]} for one in GOLDEN["messages"]
    ]


def test_what_was_read_there_is_what_was_meant() -> None:
    read = [one["read"] for one in GOLDEN["messages"]]
    assert [one["seq"] for one in read] == [0, 1, 2, 3], "without a hole"
    named = {name: (alias, value) for one in read[:2] for name, alias, value in one["metrics"]}
    assert named == {
        "bdSeq": (None, 0),
        "Node Control/Rebirth": (None, False),
        "volt": (1, 24.5),
        "level": (2, 4.25),
        "temp": (3, -7.0),
    }
    assert [one["metrics"] for one in read[2:]] == [[[None, 1, 24.5]], [[None, 2, 4.25], [None, 3, -7.0]]]


def test_numbers_wrap_and_begin_anew_with_each_birth() -> None:
    node = SparkplugNode(NODE)
    told = [*node.birth(NOON_NS, READINGS)]
    for _ in range(128):
        told += node.data(NOON_NS, READINGS)
    told += node.birth(NOON_NS, READINGS)
    numbers = [PAYLOAD.FromString(payload).seq for _, payload in told]
    assert numbers == [*range(256), 0, 1, 0, 1]
