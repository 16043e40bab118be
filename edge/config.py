"""Configuration of the field side: sources and their options, as typed values.

The loader that reads TOML and CSV into these and lists every mistake stands in ``edge.load`` (sources and
tags) and ``gateway.load`` (the whole site file).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from edge.model import Nature

Table = Literal["holding", "input", "coil", "discrete"]
WordOrder = Literal["ABCD", "CDAB", "BADC", "DCBA"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialOptions:
    """A serial port; always eight data bits, as RTU has them."""

    path: str
    baudrate: int = 9600
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """Modbus/TCP Security: files in PEM, each side shows a certificate.

    Attributes:
        server_name: Name that the device's certificate must have; empty for its host.
    """

    ca_file: Path
    cert_file: Path
    key_file: Path
    server_name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOptions:
    """A device that dials in.

    Attributes:
        listen: Address of our own that it reaches.
        registration: Bytes that it sends first; they tell it from others on the same port.
        heartbeat: Bytes that it sends by itself now and then; empty for none.
        allow: Networks that it may call from, e.g. ``10.8.0.0/16``.
    """

    listen: str
    registration: bytes
    heartbeat: bytes = b""
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True, kw_only=True)
class ModbusOptions:
    """One Modbus device and the line to it.

    Attributes:
        host, port: Where it is; of a device that dials in, ``port`` is ours; of a serial line neither is used.
        timeout_s: Longer than the device's worst answer; a time-out costs only its own request.
        registers_max: Most registers in one request (protocol limit 125).
        gap_max: Unused registers that may be read along to save a request.
        retry_s_max: Longest pause between reconnects, s.
        probe_s_max: Longest pause between two questions to a silent device that shares its line, s.
        pause_s: Silence that the device wants before each request, s.
        order: Byte order of the tags that give none.
        registers_from, coils_from: Number that the device's manual gives the first register, and the first coil or
            discrete input: 0 or 1. Tags are written as the manual counts and planned as on the wire, from 0.
        framing: How frames are cut: with an MBAP header (``tcp``), or with a CRC (``rtu``).
        serial, tls, call: What the line is, where it is not plain TCP.
    """

    host: str = ""
    port: int = 502
    device_id: int = 1
    timeout_s: float = 1.0
    registers_max: int = 125
    gap_max: int = 16
    retry_s_max: float = 5.0
    probe_s_max: float = 60.0
    pause_s: float = 0.0
    order: WordOrder = "ABCD"
    registers_from: int = 0
    coils_from: int = 0
    framing: Literal["tcp", "rtu"] = "tcp"
    serial: SerialOptions | None = None
    tls: TlsOptions | None = None
    call: CallOptions | None = None

    @property
    def line(self) -> tuple[str, ...]:
        """What names the line; sources whose lines have one name share one connection."""
        if self.serial is not None:
            return ("serial", self.serial.path)
        if self.call is not None:
            return ("call", self.call.listen, str(self.port), self.call.registration.hex())
        return ("tls" if self.tls is not None else self.framing, self.host, str(self.port))

    @property
    def place(self) -> str:
        """Where the line leads, for people."""
        if self.serial is not None:
            parity = self.serial.parity[0].upper()
            return f"{self.serial.path} ({self.serial.baudrate} 8{parity}{self.serial.stop_bits})"
        if self.call is not None:
            return f"{self.call.listen}:{self.port} (dials in)"
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicOptions:
    """One topic pattern of an MQTT source.

    Attributes:
        pattern: Topic with ``{tag}`` or ``+`` where a level varies, e.g. ``gas/{tag}/value``.
        format: ``json-value`` one value a message; ``json-batch`` many; ``number`` one value as text; ``senml`` packs
            of RFC 8428; ``hj212`` frames of HJ 212-2017; ``binary`` an array; ``event`` what
            cameras and access systems tell.
        tag: Name of the tag, with ``{tag}`` filled from the topic, e.g. ``GD-{tag}.lel`` (json-value).
        value: Path of the value in the JSON, dots between keys, e.g. ``v`` (json-value); of the list or
            object of values (json-batch).
        time: Path of the time (ISO 8601 with offset, or epoch s, ms or ns); empty for none.
        tags: Names of the positional values (json-batch with a list, binary); empty where the values are an object.
        event, device, names, codes: Layout of an event, see ``edge.decode.codec.event``; empty ``device`` for none.
        type, endian, skip, time_at, time_in: Layout of a binary payload, see ``edge.decode.codec.binary``.
    """

    pattern: str
    format: Literal["json-value", "json-batch", "number", "senml", "hj212", "binary", "event"] = "json-value"
    tag: str = "{tag}"
    value: str = "v"
    time: str = "ts"
    tags: tuple[str, ...] = ()
    type: str = "float32"
    endian: Literal["little", "big"] = "little"
    skip: int = 0
    time_at: int = -1
    time_in: Literal["s", "ms", "us", "ns"] = "ms"
    event: str = "event"
    device: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerTls:
    """How a broker proves who it is, and we to it; files in PEM.

    Attributes:
        ca_file: Certificates that the broker's must be signed by; None for the system's.
        cert_file, key_file: Our own certificate and its key; None where the broker asks for none.
        server_name: Name that the broker's certificate must have; empty for its host.
    """

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    server_name: str = ""


#: A broker keeps our messages so long: longer than a weekend without us.
SESSION_S: Final = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttOptions:
    """One broker and the topics that one source hears there.

    Attributes:
        also: Further brokers, tried in turn when one cannot be reached.
        presence: Topic where we say whether we are there, retained, and by our will; empty for none.
        session_s: How long the broker keeps our session, and what comes meanwhile, after we are gone; MQTT 5 only.
    """

    host: str
    port: int = 1883
    also: tuple[tuple[str, int], ...] = ()
    presence: str = ""
    version: Literal["3.1.1", "5"] = "5"
    client_id: str = ""  # empty: "fengsui-<site>-<source>", fixed, because the session is persistent
    username: str = ""
    password: str = field(default="", repr=False)  # filled from password_env or password_file, never from the TOML
    topics: tuple[TopicOptions, ...] = ()
    payload_bytes_max: int = 262_144
    keepalive_s: int = 30
    tls: BrokerTls | None = None
    session_s: int = SESSION_S

    @property
    def brokers(self) -> tuple[tuple[str, int], ...]:
        """Hosts and ports, in the order in which they are tried."""
        return ((self.host, self.port), *self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class SparkplugOptions:
    """Edge nodes of one Sparkplug group, heard by a host application; their broker stands in ``Source.mqtt``.

    Attributes:
        group: Group id.
        nodes: Edge node ids that are heard; each is asked for its birth at every connection.
        host_id: Under which we say whether we are there.
        tag: Name of the tag of a device's metric, with ``{name}`` for the metric's and perhaps ``{group}``,
            ``{node}``, ``{device}``.
        node_tag: The same of a metric of the node itself.
        reorder_s: How long a message waits for one that was sent before it.
        birth_s: How long a birth may take until tags that nobody tells are BAD(comms).
        rebirth_s: Least pause between two requests for a rebirth to one node; each further one doubles it.
    """

    group: str
    nodes: tuple[str, ...]
    host_id: str
    tag: str = "{device}.{name}"
    node_tag: str = "{node}.{name}"
    reorder_s: float = 2.0
    birth_s: float = 10.0
    rebirth_s: float = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hj212Options:
    """A data logger that calls.

    Attributes:
        listen, port: Address of our own that it reaches.
        station: MN, by which its frames are told.
        tag: Name of the tag, with ``{name}`` for the value's own name and perhaps ``{station}``.
        password: PW that its frames must have; empty: not compared.
        allow: Networks that it may call from.
    """

    port: int
    station: str
    listen: str = "127.0.0.1"
    tag: str = "{station}.{name}"
    password: str = field(default="", repr=False)  # filled from password_env or password_file, never from the TOML
    allow: tuple[str, ...] = ("127.0.0.0/8", "::1/128")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpcuaOptions:
    """One OPC UA server and how we prove ourselves there.

    Attributes:
        url: Of its endpoint, ``opc.tcp://host:port/path``, without a password.
        security: What protects the messages; ``none`` only where the site says so.
        policy: The security policy, by its name in OPC 10000-7; without meaning where security is ``none``.
        cert_file, key_file: Our application instance certificate and its key, PEM or DER; its URI is our name.
        ca_file: Certificates (PEM) that the server's must be, or be signed by.
        timeout_s: How long one answer may take.
        retry_s_max: Longest pause between two tries to connect.
        sampling_s: How often the server looks at a node; 0 for as often as it publishes, which is the tag's period.
        queue_size: Samples of a tag that the server keeps between two of its messages; beyond, the oldest goes, and we
            count that it said so.
        items_max: Most tags in one subscription; more are split.
    """

    url: str
    security: Literal["sign-and-encrypt", "sign", "none"] = "sign-and-encrypt"
    policy: Literal["Basic256Sha256", "Aes128_Sha256_RsaOaep", "Aes256_Sha256_RsaPss"] = "Basic256Sha256"
    cert_file: Path | None = None
    key_file: Path | None = None
    ca_file: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)  # filled from password_env or password_file, never from the TOML
    timeout_s: float = 5.0
    retry_s_max: float = 30.0
    sampling_s: float = 0.0
    queue_size: int = 10
    items_max: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One device or topic group that gives scans in its own sequence.

    Attributes:
        silent_after_s: The source counts as silent when no scan came for so long, s.
        lateness_s: Samples older than this are late (design §3: 60 s).
        node: Name of the edge node whose collector has it; empty where a collector of our own has.
        partners: Further edge nodes among which a broker deals it out, by a shared subscription.
    """

    id: str
    protocol: Literal[
        "modbus-tcp",
        "modbus-rtu",
        "modbus-rtu-tcp",
        "modbus-dtu",
        "mqtt",
        "sparkplug",
        "hj212",
        "opcua",
        "node",
        "replay",
        "system",
    ]
    nature: Nature = Nature.ACTUAL
    modbus: ModbusOptions | None = None
    mqtt: MqttOptions | None = None
    sparkplug: SparkplugOptions | None = None
    hj212: Hj212Options | None = None
    opcua: OpcuaOptions | None = None
    node: str = ""
    partners: tuple[str, ...] = ()
    silent_after_s: float = 10.0
    lateness_s: float = 60.0

    @property
    def nodes(self) -> tuple[str, ...]:
        """All edge nodes that bring it; none where a collector of our own has it."""
        return (self.node, *self.partners) if self.node else ()

    @property
    def is_merged(self) -> bool:
        """Tell whether it comes in parts by several ways, which nobody keeps in order."""
        return bool(self.partners)


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkOptions:
    """How an edge node reaches its gateway.

    Attributes:
        node: The node's name, as the gateway knows it.
        url: Of the gateway, without path; empty where a broker stands between.
        broker: The broker through which the gateway is reached; None where it is reached itself.
        topic: First levels of the topics there.
        token: The node's credential, from environment or file only.
        ca_file: Certificates that the gateway's own must be signed by; None for the system's.
        batch_bytes: Records in one request, bytes.
        timeout_s: How long one request may take.
        retry_s_max: Longest pause between two tries.
    """

    node: str
    url: str = ""
    broker: MqttOptions | None = None
    topic: str = ""
    token: str = field(default="", repr=False)
    ca_file: Path | None = None
    batch_bytes: int = 262_144
    timeout_s: float = 15.0
    retry_s_max: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolBounds:
    """How much an edge node keeps while its gateway is away; beyond, the oldest goes, and is counted.

    Attributes:
        sync_s: How long records may wait for their common flush to the medium.
        sync_scans: So many do not wait.
    """

    records_max: int = 10_000_000
    bytes_max: int = 1_073_741_824
    age_s_max: float = 7 * 86_400.0
    sync_s: float = 0.2
    sync_scans: int = 500
