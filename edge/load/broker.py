"""Brokers: where one is, how it proves who it is and we to it; for all protocols that MQTT carries."""

import re
from pathlib import Path
from typing import Final, Literal, cast

from edge.config import BrokerTls, MqttOptions
from edge.load.entry import Entry
from edge.load.mistake import show

PORT_MAX: Final = 65535
TOPIC_BYTES_MAX: Final = 65535  # MQTT 5.0, §1.5.4
MQTT_PAYLOAD_MAX: Final = 268_435_455  # MQTT 5.0, §2.1.4
KEEPALIVE_MAX: Final = 65535
MQTT_PORT: Final = 1883
MQTT_TLS_PORT: Final = 8883  # Both registered with IANA.
BROKERS_MAX: Final = 8

_ALSO = re.compile(r"(?P<host>[\w.%-]{1,253}|\[[0-9A-Fa-f:.%]+\])(:(?P<port>\d{1,5}))?")


def read_broker(entry: Entry, host: str, client_id: str) -> MqttOptions:
    """Read what a source says of its broker.

    Args:
        client_id: Ours where none is given.
    """
    username = entry.text("username")
    password = entry.secret("password")
    if password and not username:
        entry.wrong("username", "a password is given without username.", "Add username.")
    is_tls = entry.flag("tls", default=False)
    port = entry.whole("port", MQTT_TLS_PORT if is_tls else MQTT_PORT, 1, PORT_MAX)
    also = _read_also(entry, host, port)
    return MqttOptions(
        host=host,
        port=port,
        also=also,
        version=cast(Literal["3.1.1", "5"], entry.choice("version", ("3.1.1", "5"), "5")),
        client_id=entry.text("client_id") or client_id,
        username=username,
        password=password,
        payload_bytes_max=entry.whole("payload_bytes_max", 262_144, 1, MQTT_PAYLOAD_MAX),
        keepalive_s=entry.whole("keepalive_s", 30, 1, KEEPALIVE_MAX),
        tls=_read_tls(entry, is_tls=is_tls, has_password=bool(password), hosts=(host, *(other for other, _ in also))),
    )


def wrong_topic(topic: str) -> str:
    """Give the rule that a topic to publish to breaks, empty where it is right (MQTT 5.0, §4.7)."""
    if any(sign in topic for sign in "+#{}\0"):
        return "it has no wildcard, brace or NUL"
    if topic.startswith(("$", "spBv1.0/")):
        return "topics that begin with $ or spBv1.0/ belong to others"
    return f"it has at most {TOPIC_BYTES_MAX} bytes" if len(topic.encode()) > TOPIC_BYTES_MAX else ""


def read_prefix(entry: Entry, site: str) -> str:
    """Read the first levels of the topics between edge nodes and their gateway; both sides must have the same."""
    topic = entry.text("topic", f"fengsui/{site}") or f"fengsui/{site}"
    rule = wrong_topic(topic)
    if rule or topic.endswith("/"):
        said = rule or "it does not end with /"
        entry.wrong("topic", f"topic {show(topic)} cannot be one; {said}.", f"Write e.g. fengsui/{site}.")
    return topic


def _read_also(entry: Entry, host: str, port: int) -> tuple[tuple[str, int], ...]:
    """Read the further brokers; each is a host, perhaps with a port of its own."""
    found: list[tuple[str, int]] = []
    texts = entry.texts("also")
    if len(texts) >= BROKERS_MAX:
        entry.wrong("also", f"{len(texts)} further brokers; at most {BROKERS_MAX - 1} are.", "Name fewer.")
    for at, text in enumerate(texts[: BROKERS_MAX - 1]):
        matched = _ALSO.fullmatch(text)
        own_port = int((matched and matched["port"]) or port)
        if matched is None or not 1 <= own_port <= PORT_MAX:
            entry.wrong(
                ("also", at),
                f"{show(text)} is no broker; it is a name or an address, perhaps with a colon and a port.",
                'Write e.g. "192.0.2.21" or "broker-b:8883".',
            )
            continue
        one = (matched["host"].strip("[]"), own_port)
        if one == (host, port) or one in found:
            entry.wrong(("also", at), f"broker {show(text)} stands twice.", "Name each broker once.")
            continue
        found.append(one)
    return tuple(found)


def _read_tls(entry: Entry, *, is_tls: bool, has_password: bool, hosts: tuple[str, ...]) -> BrokerTls | None:
    """Read the certificates for a broker; no key turns the verification of the broker's off."""
    if not is_tls:
        for key in ("ca_file", "cert_file", "key_file", "server_name"):
            if entry.has(key):
                entry.wrong(key, f"{key} is given without tls.", "Add tls = true, or remove it.")
        if has_password and not all(_is_loopback(host) for host in hosts):
            entry.warn(
                "host",
                "the password goes to the broker in the clear, and with it whoever listens can send values.",
                "Add tls = true and the broker's TLS port, or keep the line to the broker to yourself.",
            )
        return None
    files = {key: _read_pem(entry, key) for key in ("ca_file", "cert_file", "key_file")}
    if entry.has("cert_file") != entry.has("key_file"):
        given, missing = ("cert_file", "key_file") if entry.has("cert_file") else ("key_file", "cert_file")
        entry.wrong(given, f"{given} is given without {missing}; one proves nothing.", f"Add {missing}.")
    return BrokerTls(**files, server_name=entry.text("server_name"))


def _read_pem(entry: Entry, key: str) -> Path | None:
    """Give a file of certificates or a key, None where none is given."""
    if not entry.has(key):
        return None
    name = entry.required(key, "it is the path of a file in PEM")
    file = entry.reading.path.parent / name
    if name and ("\0" in name or not file.is_file()):
        entry.wrong(key, f"{key} {show(name)} is no file.", "Give the path of a file in PEM.")
    return file


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1", "[::1]") or host.startswith("127.")
