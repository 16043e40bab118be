"""The uplink's request against servers that answer as gateways, proxies and strangers do; plain and over TLS."""

import asyncio
import datetime as dt
import ipaddress
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from edge.config import UplinkOptions
from edge.uplink import ANSWER_BYTES_MAX, Answer, HttpPost

pytestmark = pytest.mark.network

Say = Callable[[bytes], bytes]


@asynccontextmanager
async def serving(say: Say, context: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Serve one answer per connection; give the port and what was asked."""
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-l"))
        asked.append(head + await reader.readexactly(length))
        writer.write(say(head))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1], asked
    finally:
        server.close()
        await server.wait_closed()


def answer(status: str, body: bytes, *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


async def post(port: int, scheme: str = "http", ca_file: Path | None = None) -> Answer:
    options = UplinkOptions(
        node="north", url=f"{scheme}://127.0.0.1:{port}", token="the-token", ca_file=ca_file, timeout_s=2.0
    )
    made = HttpPost(options)
    try:
        return await made(b"scans")
    finally:
        await made.close()


async def test_a_request_carries_token_and_body() -> None:
    async with serving(lambda _: answer("200 OK", b'{"taken":1}')) as (port, asked):
        assert await post(port) == Answer(status=200, body={"taken": 1})
    head, _, body = asked[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v1/ingest HTTP/1.1\r\n")
    assert b"authorization: Bearer the-token\r\n" in head
    assert b"x-fengsui-request: 1\r\n" in head
    assert body == b"scans"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        (
            answer("503 Busy", b'{"error":{}}', "retry-after: 7"),
            Answer(status=503, body={"error": {}}, retry_after_s=7),
        ),
        (answer("503 Busy", b"", "retry-after: Mon, 1 Jan"), Answer(status=503, body={})),
        (answer("502 Bad", b"<html>"), Answer(status=502, body={})),
        (answer("200 OK", b"[1]"), Answer(status=200, body={})),
        (answer("302 Found", b"", "location: http://127.0.0.1:1/"), Answer(status=302, body={})),
    ],
)
async def test_what_others_say_is_read_carefully(said: bytes, wanted: Answer) -> None:
    async with serving(lambda _: said) as (port, _asked):
        assert await post(port) == wanted


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}", b"SSH-2.0-x\r\n"])
async def test_no_answer_is_an_os_error(said: bytes) -> None:
    async with serving(lambda _: said) as (port, _asked):
        with pytest.raises(OSError, match="Error"):
            await post(port)


async def test_an_endless_answer_is_cut() -> None:
    async with serving(lambda _: answer("200 OK", b" " * (ANSWER_BYTES_MAX + 1))) as (port, _asked):
        with pytest.raises(OSError, match="too long"):
            await post(port)


async def test_over_tls_only_the_named_authority_is_believed(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gateway")])
    day = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(day)
        .not_valid_after(day.replace(year=2090))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (tmp_path / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    async with serving(lambda _: answer("200 OK", b"{}"), context) as (port, asked):
        assert (await post(port, "https", tmp_path / "ca.pem")).status == 200
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await post(port, "https")
    assert len(asked) == 1, "the token went to nobody else"
