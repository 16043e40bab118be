"""How a line gets its connection: TCP, TLS, a serial port. One try each; whoever wants more tries again.

Why: names are looked up at each try, so that a device that moved is found; a connection of before is never used again.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from edge.collect.modbus.frame import Framing, RtuFraming, TcpFraming
from edge.collect.modbus.serial_port import open_serial
from edge.collect.modbus.wire import Wire
from edge.config import ModbusOptions, TlsOptions

#: Give a connected wire, or raise OSError (also TimeoutError and ssl.SSLError) with a sentence.
Dial: TypeAlias = Callable[[ModbusOptions], Awaitable[Wire]]

#: A half-open connection is found also where nothing is asked: first probe, distance of probes, their number.
KEEPALIVE: Final = ((socket.TCP_KEEPIDLE, 15), (socket.TCP_KEEPINTVL, 5), (socket.TCP_KEEPCNT, 3))


def framing_of(options: ModbusOptions) -> Framing:
    """Make what cuts a line's bytes into frames."""
    heartbeat = options.call.heartbeat if options.call is not None else b""
    return TcpFraming(heartbeat) if options.framing == "tcp" else RtuFraming(heartbeat)


async def dial(options: ModbusOptions) -> Wire:
    """Connect once to where the options say.

    Raises:
        OSError: It cannot be reached, or not in time, or its certificate is not to be trusted.
    """
    wire = Wire(framing_of(options))
    loop = asyncio.get_running_loop()
    if options.serial is not None:
        open_serial(loop, options.serial, wire)
        return wire
    context = tls_context(options.tls) if options.tls is not None else None
    async with asyncio.timeout(options.timeout_s):
        transport, _ = await loop.create_connection(
            lambda: wire,
            options.host,
            options.port,
            ssl=context,
            server_hostname=(options.tls.server_name or options.host) if options.tls is not None else None,
        )
    keep_alive(transport)
    return wire


def keep_alive(transport: asyncio.BaseTransport) -> None:
    """Let the system look whether the other side is still there."""
    raw = transport.get_extra_info("socket")
    if raw is None:
        return
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE:
        raw.setsockopt(socket.IPPROTO_TCP, option, value)


def tls_context(options: TlsOptions) -> ssl.SSLContext:
    """Make the client's side of Modbus/TCP Security (MB-TCP-Security V2.1): both sides show certificates.

    TLS 1.2 or newer. The device must be who the certificate says; there is no way to turn that off. A role in our own
    certificate (R-65, OID 1.3.6.1.4.1.50316.802.1) is the device's matter and passed by here.

    Raises:
        OSError: A file cannot be read, or holds no certificate or key.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # Verifies the chain and the name.
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_verify_locations(cafile=options.ca_file)
    context.load_cert_chain(options.cert_file, options.key_file)
    return context
