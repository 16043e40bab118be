"""The private certificate authority, judged by OpenSSL: chains, purposes, names, the list of the revoked."""

import shutil
import ssl
import stat
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from gateway.ca import Authority, CaError, Issued, Purpose, found
from gateway.cli import app

NOW = datetime.now(UTC).replace(microsecond=0)  # OpenSSL judges by the machine's clock.
OPENSSL = shutil.which("openssl")
needs_openssl = pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return found(tmp_path / "ca", "North terminal CA", years=10, now=NOW)


def issue(authority: Authority, name: str = "broker", **more: Any) -> Issued:  # noqa: ANN401 - any part
    asked: dict[str, Any] = {
        "purpose": Purpose.SERVER,
        "hosts": ["localhost", "10.1.2.3"],
        "days": 90,
        "now": NOW,
        "by": "a test",
    }
    return authority.issue(name, **(asked | more))


def openssl(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(OPENSSL), *arguments], cwd=folder, capture_output=True, text=True, check=False)


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> dict[str, Any]:
    """Shake hands in memory; gives the client's certificate as the server saw it."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    answering = server.wrap_bio(to_server, to_client, server_side=True)
    calling = client.wrap_bio(to_client, to_server, server_hostname=host)
    waiting = [calling, answering]
    for _ in range(20):
        for one in list(waiting):
            try:
                one.do_handshake()
                waiting.remove(one)
            except ssl.SSLWantReadError:
                continue
        if not waiting:
            break
    return dict(answering.getpeercert() or {})


def contexts(folder: Path, *, server: str = "broker", client: str = "edge-1") -> tuple[ssl.SSLContext, ssl.SSLContext]:
    answering = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    answering.verify_mode = ssl.CERT_REQUIRED
    calling = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    answering.load_verify_locations(folder / "ca.crt")
    answering.load_cert_chain(folder / f"{server}.crt", folder / f"{server}.key")
    calling.load_cert_chain(folder / f"{client}.crt", folder / f"{client}.key")
    return answering, calling


def test_broker_and_edge_node_know_each_other(authority: Authority) -> None:
    issue(authority)
    issue(authority, "edge-1", purpose=Purpose.CLIENT, hosts=[])
    server, client = contexts(authority.folder)

    seen = handshake(server, client, "localhost")

    assert seen["subject"] == ((("commonName", "edge-1"),),)
    assert handshake(server, client, "10.1.2.3")["subject"]


def test_a_name_that_is_not_in_the_certificate_is_refused(authority: Authority) -> None:
    issue(authority)
    issue(authority, "edge-1", purpose=Purpose.CLIENT, hosts=[])

    with pytest.raises(ssl.SSLCertVerificationError, match=r"[Hh]ostname mismatch"):
        handshake(*contexts(authority.folder), "elsewhere")


def test_a_client_cannot_play_the_broker(authority: Authority) -> None:
    issue(authority, "edge-1", purpose=Purpose.CLIENT, hosts=["localhost"])

    with pytest.raises(ssl.SSLCertVerificationError, match="purpose"):
        handshake(*contexts(authority.folder, server="edge-1"), "localhost")


def test_a_revoked_machine_is_kept_out_by_the_list(authority: Authority) -> None:
    issue(authority)
    issue(authority, "edge-1", purpose=Purpose.CLIENT, hosts=[])
    authority.revoke("edge-1", reason="stolen", now=NOW)
    server, client = contexts(authority.folder)
    server.load_verify_locations(authority.folder / "ca.crl")
    server.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF

    with pytest.raises(ssl.SSLError, match=r"revoked|CERTIFICATE_VERIFY_FAILED"):
        handshake(server, client, "localhost")


@needs_openssl
def test_openssl_agrees_on_chain_purpose_and_list(authority: Authority) -> None:
    issue(authority)
    issue(authority, "edge-1", purpose=Purpose.CLIENT, hosts=[])
    at = authority.folder

    def verify(purpose: str, name: str, *more: str) -> bool:
        return (
            openssl("verify", "-CAfile", "ca.crt", "-purpose", purpose, *more, f"{name}.crt", folder=at).returncode == 0
        )

    assert verify("sslserver", "broker", "-x509_strict")
    assert verify("sslclient", "edge-1", "-x509_strict")
    assert not verify("sslclient", "broker")
    assert not verify("sslserver", "edge-1")
    assert verify("sslclient", "edge-1", "-CRLfile", "ca.crl", "-crl_check")
    authority.revoke("edge-1", reason="stolen", now=NOW)
    assert not verify("sslclient", "edge-1", "-CRLfile", "ca.crl", "-crl_check")
    assert verify("sslserver", "broker", "-CRLfile", "ca.crl", "-crl_check")


@needs_openssl
def test_an_issued_certificate_signs_nothing(authority: Authority, tmp_path: Path) -> None:
    issue(authority, "edge-1", purpose=Purpose.BOTH)
    at = authority.folder
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "x.key",
            "-subj", "/CN=forged", "-out", "x.csr", folder=at)  # fmt: skip
    openssl("x509", "-req", "-in", "x.csr", "-CA", "edge-1.crt", "-CAkey", "edge-1.key", "-out", "x.crt", folder=at)

    verdict = openssl("verify", "-CAfile", "ca.crt", "-untrusted", "edge-1.crt", "x.crt", folder=at)

    assert (at / "x.crt").exists()
    assert verdict.returncode != 0


@needs_openssl
def test_a_modbus_role_is_where_devices_look_for_it(authority: Authority) -> None:
    issue(authority, "reader", purpose=Purpose.CLIENT, hosts=[], modbus_role="Viewer")

    told = openssl("x509", "-in", "reader.crt", "-noout", "-text", folder=authority.folder).stdout

    assert "1.3.6.1.4.1.50316.802.1:" in told
    parsed = openssl("asn1parse", "-in", "reader.crt", folder=authority.folder).stdout
    assert "0C06566965776572" in parsed  # UTF8String, 6 octets, "Viewer"


def test_keys_are_for_their_owner_only(authority: Authority) -> None:
    issue(authority)

    for name in ("ca.key", "broker.key", "issued.jsonl"):
        assert stat.S_IMODE((authority.folder / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700


def test_an_authority_is_never_overwritten(authority: Authority) -> None:
    before = (authority.folder / "ca.key").read_bytes()

    with pytest.raises(CaError, match="never overwritten"):
        found(authority.folder, "another", years=1, now=NOW)
    assert (authority.folder / "ca.key").read_bytes() == before


def test_a_locked_key_needs_its_passphrase(tmp_path: Path) -> None:
    found(tmp_path, "locked", years=1, now=NOW, passphrase="open sesame")

    assert b"ENCRYPTED" in (tmp_path / "ca.key").read_bytes()
    for wrong in ("", "sesame"):
        with pytest.raises(CaError, match="passphrase"):
            Authority(tmp_path, wrong)
    assert issue(Authority(tmp_path, "open sesame")).name == "broker"


@pytest.mark.parametrize(
    ("name", "more", "said"),
    [
        ("../etc", {}, "is none"),
        ("ca", {}, "not 'ca'"),
        ("-x", {}, "is none"),
        ("broker", {"hosts": []}, "give --host"),
        ("broker", {"hosts": ["bad host"]}, "neither a host name nor an address"),
        ("broker", {"hosts": ["*.plant"]}, "neither a host name nor an address"),
        ("broker", {"days": 0}, "1 to"),
        ("broker", {"days": 3_661}, "1 to"),
        ("broker", {"modbus_role": "x" * 128}, "octets"),
    ],
)
def test_what_cannot_be_issued_is_one_sentence_and_no_file(
    authority: Authority, name: str, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(CaError, match=said):
        issue(authority, name, **more)

    assert authority.ledger() == []
    assert not list(authority.folder.glob("broker*"))


def test_nothing_outlives_its_authority(tmp_path: Path) -> None:
    short = found(tmp_path, "short", years=1, now=NOW)

    with pytest.raises(CaError, match="The authority itself ends"):
        issue(short, days=400)


def test_a_machine_has_one_good_certificate_and_a_new_one_before_the_old_ends(authority: Authority) -> None:
    issue(authority, days=90)
    with pytest.raises(CaError, match="revoke it first"):
        issue(authority)

    renewed = issue(authority, now=NOW + timedelta(days=61))

    assert [one.state(NOW + timedelta(days=61)) for one in authority.ledger()] == ["soon", "good"]
    assert renewed.serial != authority.ledger()[0].serial


def test_revoking_needs_something_to_revoke_and_is_remembered(authority: Authority) -> None:
    with pytest.raises(CaError, match="no certificate that is still good"):
        authority.revoke("broker", reason="x", now=NOW)
    issue(authority)
    authority.revoke("broker", reason="stolen", now=NOW)

    (one,) = authority.ledger()
    assert (one.state(NOW), one.reason) == ("revoked", "stolen")
    assert issue(authority).name == "broker"


def test_the_command_line_tells_what_ends_soon(tmp_path: Path) -> None:
    run = CliRunner().invoke
    at = ["--dir", str(tmp_path / "ca")]
    assert run(app, ["ca", "list", *at]).exit_code == 2
    assert run(app, ["ca", "init", "North CA", *at]).exit_code == 0
    assert run(app, ["ca", "issue", "broker", "--for", "server", *at]).exit_code == 2
    assert run(app, ["ca", "issue", "broker", "--for", "server", "--host", "broker.plant", *at]).exit_code == 0
    assert run(app, ["ca", "list", *at]).exit_code == 0
    assert run(app, ["ca", "issue", "edge-1", "--days", "7", *at]).exit_code == 0

    listed = run(app, ["ca", "list", *at])

    assert listed.exit_code == 1
    assert "edge-1\tclient\tsoon" in listed.output
    assert run(app, ["ca", "revoke", "edge-1", "--reason", "old", *at]).exit_code == 0
    assert run(app, ["ca", "crl", *at]).output.startswith(f"{tmp_path}/ca/ca.crl names 1 ")
