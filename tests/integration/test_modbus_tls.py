"""Modbus/TCP Security: both sides show certificates; whoever cannot is neither asked nor answered."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pymodbus.server import ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.collect.modbus.dial import tls_context
from edge.config import ModbusOptions, TlsOptions
from tests.certificates import Authority
from tests.modbus_peers import Device

pytestmark = pytest.mark.network


def options(port: int, ca: Authority, own: tuple[Path, Path], **changes: object) -> ModbusOptions:
    tls = TlsOptions(ca_file=ca.ca_file, cert_file=own[0], key_file=own[1])
    made = ModbusOptions(host="127.0.0.1", port=port, timeout_s=2.0, tls=tls)
    return replace(made, **changes)  # type: ignore[arg-type]


@asynccontextmanager
async def secure_server(ca: Authority, name: str = "device", **limits: ssl.TLSVersion) -> AsyncIterator[int]:
    """pymodbus' TLS server, which wants a certificate of the same authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate, key = ca.issue(name)
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(ca.ca_file)
    context.verify_mode = ssl.CERT_REQUIRED
    for limit, version in limits.items():
        setattr(context, limit, version)
    data = [SimData(0, values=[1802], datatype=DataType.REGISTERS)]
    server = ModbusTlsServer(SimDevice(1, simdata=data), address=("127.0.0.1", 0), sslctx=context)
    await server.serve_forever(background=True)
    try:
        yield server.transport.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


@pytest.fixture
def plant(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "plant")


async def reads(made: ModbusOptions) -> bool:
    device = Device(made)
    if not await device.connect():
        return False
    words = await device.read("holding", 0, 1)
    device.close()
    await asyncio.sleep(0.05)  # The transport's own farewell.
    return isinstance(words, np.ndarray) and words.tolist() == [1802]


async def test_with_both_certificates_it_reads(plant: Authority) -> None:
    async with secure_server(plant) as port:
        assert await reads(options(port, plant, plant.issue("gateway")))


async def test_a_device_of_another_authority_is_not_asked(plant: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with secure_server(stranger) as port:
        assert not await reads(options(port, plant, plant.issue("gateway")))


async def test_a_certificate_with_another_name_is_refused_unless_the_name_is_given(plant: Authority) -> None:
    own = plant.issue("gateway")
    async with secure_server(plant, "plc-7") as port:
        made = options(port, plant, own)
        assert not await reads(made)
        assert made.tls is not None
        assert await reads(replace(made, tls=replace(made.tls, server_name="plc-7")))


async def test_we_are_refused_without_a_certificate_that_the_device_trusts(plant: Authority, tmp_path: Path) -> None:
    stranger = Authority(tmp_path, "stranger")
    async with secure_server(plant) as port:
        assert not await reads(options(port, plant, stranger.issue("gateway")))


async def test_older_than_tls_1_2_is_refused(plant: Authority) -> None:
    made = options(1, plant, plant.issue("gateway"))
    assert made.tls is not None
    context = tls_context(made.tls)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


async def test_a_plain_device_is_no_secure_one(plant: Authority) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(64)
        writer.write(b"\0\1\0\0\0\3\1\3\0")
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    assert not await reads(options(port, plant, plant.issue("gateway")))
    server.close()


async def test_files_that_hold_no_certificate_are_a_failed_try(plant: Authority, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("", "utf-8")
    made = options(1, plant, plant.issue("gateway"))
    assert made.tls is not None
    assert not await reads(replace(made, tls=replace(made.tls, cert_file=empty)))
