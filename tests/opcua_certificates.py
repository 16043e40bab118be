"""Application instance certificates for OPC UA tests (OPC 10000-6 §6.2.2): RSA, with a URI and a host."""

import datetime as dt
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

SINCE = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@cache
def key_of(name: str) -> rsa.RSAPrivateKey:
    """Give one key a name; making one takes a second."""
    return rsa.generate_private_key(65_537, 2048)


@dataclass
class Authority:
    """Signs certificates and writes them to files; in one way or the other not as they should be, where it is asked."""

    folder: Path
    name: str
    other_uri: bool = False
    other_host: bool = False
    expired: bool = False

    def __post_init__(self) -> None:
        self.key = key_of(self.name)
        made = self._sign(self.name, self.key, None)
        self.certificate = made
        self.ca_file = self._write(f"{self.name}-ca.pem", made.public_bytes(serialization.Encoding.PEM))

    def _sign(self, name: str, key: rsa.RSAPrivateKey, uri: str | None) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        days = 30 if self.expired and uri is not None else 36_500
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject if uri is None else self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(SINCE)
            .not_valid_after(SINCE + dt.timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=uri is None, path_length=None), critical=True)
        )
        if uri is not None:
            host = IPv4Address("127.0.0.9" if self.other_host else "127.0.0.1")
            names = [x509.UniformResourceIdentifier("urn:else" if self.other_uri else uri), x509.IPAddress(host)]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
            usage = x509.KeyUsage(
                digital_signature=True, content_commitment=True, key_encipherment=True, data_encipherment=True,
                key_agreement=False, key_cert_sign=False, crl_sign=False, encipher_only=False, decipher_only=False,
            )  # fmt: skip
            builder = builder.add_extension(usage, critical=True)
            roles = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(roles), critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, name: str, uri: str) -> tuple[Path, Path]:
        """Give the files of a certificate for an application and of its key."""
        key = key_of(name)
        pem = self._sign(name, key, uri).public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return self._write(f"{self.name}-{name}.pem", pem), self._write(f"{self.name}-{name}.key", private)

    def _write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(content)
        return path
