"""Modbus/TCP Security: both sides show certificates; whoever cannot is neither asked nor answered."""

import asyncio
import datetime as dt
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pymodbus.server import ModbusTlsServer
from pymodbus.simulator import DataType, SimData, SimDevice

from edge.collect.modbus.dial import tls_context
from edge.config import ModbusOptions, TlsOptions
from tests.modbus_peers import Device

pytestmark = pytest.mark.network

SINCE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")  # MB-TCP-Security, R-65.


@dataclass
class Authority:
    """Signs certificates and writes them to files."""

    folder: Path
    name: str

    def __post_init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._sign(self.name, self.key, is_authority=True)
        self.ca_file = self._write(f"{self.name}-ca.pem", self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name: str, key: ec.EllipticCurvePrivateKey, *, is_authority: bool) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        issuer = subject if is_authority else self.certificate.subject
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(SINCE)
            .not_valid_after(SINCE + dt.timedelta(days=36_500))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        )
        if not is_authority:
            names = [x509.DNSName(name), x509.IPAddress(IPv4Address("127.0.0.1"))]
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names if name == "device" else names[:1]), critical=False
            )
            builder = builder.add_extension(x509.UnrecognizedExtension(ROLE, b"\x0c\x08Operator"), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name: str) -> tuple[Path, Path]:
        key = ec.generate_private_key(ec.SECP256R1())
        pem = self._sign(name, key, is_authority=False).public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._write(f"{self.name}-{name}.pem", pem), self._write(f"{self.name}-{name}.key", private)

    def _write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path


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
