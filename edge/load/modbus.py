"""Modbus sources: the device, and the line to it. TCP, TLS, a serial line, RTU over TCP, a modem that dials in.

Sources with the same way out share one line, so what they say of it must agree.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, cast, get_args

from edge.config import CallOptions, ModbusOptions, SerialOptions, Source, TlsOptions, WordOrder
from edge.load.callers import read_callers
from edge.load.entry import Entry, Span
from edge.load.mistake import show
from edge.load.register import order_advice

PORT_MAX: Final = 65535
REGISTERS_MAX: Final = 125  # Modbus Application Protocol V1.1b3, §6.3
DEVICE_ID_MAX: Final = 255  # 0 and 248..255 are for gateways; over TCP many devices answer to 0 or 255.
RTU_ID_MAX: Final = 247  # Modbus over serial line V1.02, §2.2: 0 is broadcast, 248..255 are reserved.
PORT: Final = 502
TLS_PORT: Final = 802  # Modbus/TCP Security, mbap-s
BAUD: Final = (300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400, 460800, 921600)
REGISTRATION_BYTES: Final = (4, 256)  # Shorter ones are met by chance.
HEARTBEAT_BYTES: Final = (2, 64)
TLS_FILES: Final = ("ca_file", "cert_file", "key_file")

_HEX_BYTES = re.compile(r"0x((?:[0-9a-fA-F]{2})+)")


def read_modbus(entry: Entry, protocol: str, host: str) -> ModbusOptions:
    """Read the options of a Modbus source; what is wrong is noted."""
    is_serial, is_call = protocol == "modbus-rtu", protocol == "modbus-dtu"
    framing: Literal["tcp", "rtu"] = "tcp" if protocol == "modbus-tcp" else "rtu"
    if is_call:
        framing = cast(Literal["tcp", "rtu"], entry.choice("framing", ("rtu", "tcp"), "rtu"))
    is_tls = protocol == "modbus-tcp" and entry.flag("tls", default=False)
    if is_call and not entry.has("port"):
        entry.wrong("port", "port is missing; it is the one of this machine that the device calls.", "Add port.")
    least, most = (0, DEVICE_ID_MAX) if framing == "tcp" else (1, RTU_ID_MAX)
    return ModbusOptions(
        host=host,
        port=0 if is_serial else entry.whole("port", TLS_PORT if is_tls else PORT, 1, PORT_MAX),
        device_id=entry.whole("device_id", 1, least, most),
        timeout_s=entry.number("timeout_s", 1.0, Span(least=0.05, most=60)),
        registers_max=entry.whole("registers_max", REGISTERS_MAX, 1, REGISTERS_MAX),
        gap_max=entry.whole("gap_max", 16, 0, REGISTERS_MAX),
        retry_s_max=entry.number("retry_s_max", 5.0, Span(above=0, most=3600)),
        probe_s_max=entry.number("probe_s_max", 60.0, Span(least=1, most=3600)),
        pause_s=entry.number("pause_s", 0.0, Span(least=0, most=10)),
        order=cast(WordOrder, entry.choice("order", get_args(WordOrder), "ABCD", order_advice)),
        registers_from=entry.whole("registers_from", 0, 0, 1),
        coils_from=entry.whole("coils_from", 0, 0, 1),
        framing=framing,
        serial=_read_serial(entry) if is_serial else None,
        tls=_read_tls(entry, is_tls=is_tls),
        call=_read_call(entry) if is_call else None,
    )


def _read_serial(entry: Entry) -> SerialOptions:
    path = entry.required("serial", "it is the path of a serial port, e.g. /dev/ttyUSB0", is_path)
    baudrate = entry.whole("baudrate", 9600, BAUD[0], BAUD[-1])
    if baudrate not in BAUD:
        entry.wrong(
            "baudrate", f"baudrate is {baudrate}; no line has it.", f"Write one of {', '.join(map(str, BAUD))}."
        )
    return SerialOptions(
        path=path,
        baudrate=baudrate,
        parity=cast(Literal["none", "even", "odd"], entry.choice("parity", ("none", "even", "odd"), "none")),
        stop_bits=entry.whole("stop_bits", 1, 1, 2),
    )


def is_path(text: str) -> bool:
    """Tell whether a text can be the path of a serial port."""
    return text.startswith("/") and "\0" not in text


def _read_tls(entry: Entry, *, is_tls: bool) -> TlsOptions | None:
    """Read the certificates; without all of them there is no connection, and no key turns verification off."""
    if not is_tls:
        for key in (*TLS_FILES, "server_name"):
            if entry.has(key):
                entry.wrong(key, f"{key} is given without tls.", "Add tls = true, or remove it.")
        return None
    files = {key: _read_file(entry, key) for key in TLS_FILES}
    return TlsOptions(**files, server_name=entry.text("server_name"))


def _read_file(entry: Entry, key: str) -> Path:
    what = {
        "ca_file": "the certificates (PEM) that the device's must be signed by",
        "cert_file": "our own certificate (PEM), which the device asks for",
        "key_file": "the key (PEM) of our own certificate",
    }[key]
    name = entry.required(key, f"it is the file of {what}")
    file = entry.reading.path.parent / name
    if name and ("\0" in name or not file.is_file()):
        entry.wrong(key, f"{key} {show(name)} is no file.", f"Give the path of {what}.")
    return file


def _read_call(entry: Entry) -> CallOptions:
    listen, networks = read_callers(entry)
    usual = CallOptions(listen=listen, registration=b"")
    return CallOptions(
        listen=listen,
        registration=_read_bytes(entry, "registration", REGISTRATION_BYTES, is_needed=True),
        heartbeat=_read_bytes(entry, "heartbeat", HEARTBEAT_BYTES, is_needed=False),
        allow=networks or usual.allow,
    )


def _read_bytes(entry: Entry, key: str, span: tuple[int, int], *, is_needed: bool) -> bytes:
    """Read bytes, written as text or as ``0x…``."""
    if is_needed and not entry.has(key):
        entry.wrong(key, f"{key} is missing; by it the device is told from others.", f"Add {key}, a text or 0x….")
    if not entry.has(key):
        return b""
    text = entry.text(key)
    found = _HEX_BYTES.fullmatch(text)
    raw = bytes.fromhex(found[1]) if found else text.encode()
    if not span[0] <= len(raw) <= span[1]:
        entry.wrong(
            key, f"{key} has {len(raw)} bytes; it has {span[0]} to {span[1]}.", "Write it as the device sends it."
        )
    return raw


def check_lines(sources: Sequence[tuple[Source, Entry]]) -> None:
    """Check that sources which share a line say the same of it, and that callers can be told apart."""
    lines: dict[tuple[str, ...], Source] = {}
    doors: dict[tuple[str, int], list[Source]] = {}
    for source, entry in sources:
        options = source.modbus
        if options is None:
            continue
        first = lines.setdefault(options.line, source)
        assert first.modbus is not None, first.id
        if (first.modbus.serial, first.modbus.tls, first.modbus.call, first.modbus.framing) != (
            options.serial,
            options.tls,
            options.call,
            options.framing,
        ):
            key = "serial" if options.serial is not None else "registration" if options.call is not None else "host"
            entry.wrong(
                key,
                f"source {first.id} uses the same line with other settings.",
                "Give both the same settings of the line; they differ in device_id only.",
            )
        if options.call is not None and first is source:
            _check_door(source, options.call, entry, doors.setdefault((options.call.listen, options.port), []))


def _check_door(source: Source, call: CallOptions, entry: Entry, others: list[Source]) -> None:
    """A registration that begins like another could be either."""
    for other in others:
        assert other.modbus is not None, other.id
        assert other.modbus.call is not None, other.id
        theirs = other.modbus.call.registration
        if (
            theirs
            and call.registration
            and (theirs.startswith(call.registration) or call.registration.startswith(theirs))
        ):
            entry.wrong(
                "registration",
                f"registration begins like that of source {other.id}; who of the two calls could not be told.",
                "Give each device a registration that none of the others begins with.",
            )
    others.append(source)
