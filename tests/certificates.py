"""Certificates for tests: an authority of our own that signs what a device, a broker or a client shows."""

import datetime as dt
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

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
