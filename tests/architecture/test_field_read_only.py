"""Every place in the collectors where bytes can leave for the field, and what leaves there; a new one shows here.

What is sent byte by byte is in the test of each protocol: Modbus ``tests/integration/test_modbus_read_only.py``, MQTT
and Sparkplug ``tests/integration/test_sparkplug_collector.py``, HJ 212 ``tests/unit/edge/decode/test_codecs.py`` (the
answer), OPC UA ``tests/integration/test_opcua.py`` (the services).
"""

import ast
from collections import Counter
from pathlib import Path

import edge.collect

FOLDER = Path(edge.collect.__file__).parent
LEAVING = {"write", "writelines", "sendall", "sendto", "send", "publish", "transmit", "will_set", "_send_request"}
EXPECTED = {
    # Modbus: a request of functions 1 to 4, made by ``frame.request``; the serial port passes it on.
    ("modbus/wire.py", "write"): 1,
    ("modbus/serial_port.py", "write"): 1,
    # MQTT: bytes that paho made; a message of ours is an ``Outgoing``, made in two functions.
    ("mqtt/buffered.py", "send"): 1,
    ("mqtt/paho.py", "send"): 2,  # The pipe that wakes the thread, and presence.
    ("mqtt/paho.py", "publish"): 1,
    ("mqtt/paho.py", "will_set"): 1,
    ("mqtt/loopback.py", "send"): 1,
    ("mqtt/loopback.py", "publish"): 1,
    ("sparkplug/collector.py", "send"): 1,  # The wish that a node is born again.
    # HJ 212: the answer that the logger waits for.
    ("hj212/door.py", "write"): 1,
    # OPC UA: requests of ``ALLOWED``, checked where all pass; each named function of the session asks for one service.
    ("opcua/wire.py", "_send_request"): 1,
    ("opcua/wire.py", "write"): 1,  # Of the counting transport: what the library made of such a request.
}


def found() -> Counter[tuple[str, str]]:
    return Counter(
        (path.relative_to(FOLDER).as_posix(), node.func.attr)
        for path in sorted(FOLDER.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEAVING
    )


def test_bytes_leave_where_the_list_says_and_nowhere_else() -> None:
    assert dict(found()) == EXPECTED
