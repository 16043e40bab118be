"""A private certificate authority for a plant that has none: one key, certificates for devices, a list of the revoked.

Flow: fengsui ca init -> ca.crt, ca.key -> [issue] -> NAME.crt, NAME.key -> broker, gateway, edge nodes, devices
Why: TLS in both directions stands and falls with somebody who issues certificates; without one, plants share passwords
    in the clear. Everything is a file that other tools read: PEM, X.509 (RFC 5280), a CRL, a ledger as JSON lines.
Never: overwrites the key of an authority, lets others read a key, issues beyond the authority's own end, forgets what
    it issued.
"""

import ipaddress
import os
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CERTIFICATE, KEY, REVOKED, LEDGER = "ca.crt", "ca.key", "ca.crl", "issued.jsonl"

YEARS_MAX = 30
#: Of certificates: machines refuse longer ones of servers more and more (CA/Browser Forum Ballot SC-22: 398 days).
DAYS, DAYS_MAX = 397, 3_660
#: A list of the revoked is to be made anew within this time.
LIST_DAYS = 30
#: Clocks in a plant differ; a certificate is good a little before it was made.
EARLY = timedelta(minutes=10)
SOON = timedelta(days=30)

#: Extension that carries a role to a Modbus server, as a UTF8String (Modbus/TCP Security v21, R-65).
MODBUS_ROLE = x509.ObjectIdentifier("1.3.6.1.4.1.50316.802.1")
UTF8_STRING = 0x0C
SHORT_FORM_MAX = 127

NAME_RULE = "1 to 64 letters, digits, dots, dashes or underscores, beginning with a letter or digit"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_HOST = re.compile(
    r"(?=.{1,253}$)([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)


class CaError(ValueError):
    """Raised when something cannot be issued; the text is a sentence for the person who asked."""


class Purpose(StrEnum):
    """What a certificate is for: ``server`` answers calls, ``client`` calls, ``both`` does either."""

    SERVER = "server"
    CLIENT = "client"
    BOTH = "both"


_USES = {
    Purpose.SERVER: [ExtendedKeyUsageOID.SERVER_AUTH],
    Purpose.CLIENT: [ExtendedKeyUsageOID.CLIENT_AUTH],
    Purpose.BOTH: [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """One line of the ledger.

    Attributes:
        serial: Of the certificate, hexadecimal.
        until: When it ends, ISO 8601 in UTC; so ``issued`` and ``revoked``, which is empty while it is good.
    """

    name: str
    purpose: str
    hosts: list[str]
    serial: str
    issued: str
    until: str
    by: str
    revoked: str = ""
    reason: str = ""

    def state(self, now: datetime) -> str:
        """Tell how it stands: ``revoked``, ``over``, ``soon`` (within 30 days) or ``good``."""
        if self.revoked:
            return "revoked"
        left = datetime.fromisoformat(self.until) - now
        return "over" if left <= timedelta() else "soon" if left <= SOON else "good"


class Authority:
    """A certificate authority in a folder.

    Raises:
        CaError: There is none in the folder, or its key needs another passphrase.
    """

    def __init__(self, folder: Path, passphrase: str = "") -> None:
        self.folder = folder
        try:
            self.certificate = x509.load_pem_x509_certificate((folder / CERTIFICATE).read_bytes())
            held = (folder / KEY).read_bytes()
        except FileNotFoundError as failure:
            raise CaError(f"There is no certificate authority in {folder}: {failure.filename} is missing.") from None
        except (OSError, ValueError) as failure:
            raise CaError(f"The certificate authority in {folder} cannot be read: {failure}.") from None
        try:
            key = serialization.load_pem_private_key(held, passphrase.encode() or None)
        except (TypeError, ValueError):
            raise CaError(f"{folder / KEY} needs its passphrase, or another one: see --passphrase-env.") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != self.certificate.public_key():
            raise CaError(f"{folder / KEY} is not the key of {folder / CERTIFICATE}.")
        self._key = key

    def issue(
        self,
        name: str,
        *,
        purpose: Purpose,
        hosts: Sequence[str],
        days: int,
        now: datetime,
        by: str,
        modbus_role: str = "",
    ) -> Issued:
        """Make a key and a certificate for a machine: ``NAME.key``, ``NAME.crt``.

        Args:
            hosts: Names and addresses that a server answers to; the first is not special.
            now: Time of issue, UTC.
            by: Who asked, for the ledger.
            modbus_role: Role that a device with Modbus/TCP Security gives to the caller.

        Raises:
            CaError: The name is odd or in use, a host is none, a server has none, or the time is too long.
        """
        if not _NAME.fullmatch(name) or name == "ca":
            raise CaError(f"The name {name[:80]!r} is none; it has {NAME_RULE}, and is not 'ca'.")
        if not 1 <= days <= DAYS_MAX:
            raise CaError(f"A certificate lasts 1 to {DAYS_MAX} days, not {days}.")
        if purpose is not Purpose.CLIENT and not hosts:
            raise CaError("A server's certificate names what it is reached by: give --host at least once.")
        standing = [one for one in self.ledger() if one.name == name and one.state(now) in ("good", "soon")]
        if standing and standing[-1].state(now) == "good":
            raise CaError(f"{name} has a certificate until {standing[-1].until[:10]}; revoke it first.")
        until = now + timedelta(days=days)
        if until > self.certificate.not_valid_after_utc:
            raise CaError(
                f"The authority itself ends on {self.certificate.not_valid_after_utc:%Y-%m-%d}; give fewer --days, or "
                "make a new authority."
            )
        key = ec.generate_private_key(ec.SECP256R1())
        made = (
            _begin(name, self.certificate.subject, key.public_key(), now, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(_USES[purpose]), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
        )
        if hosts:
            made = made.add_extension(x509.SubjectAlternativeName([_host(one) for one in hosts]), critical=False)
        if modbus_role:
            made = made.add_extension(x509.UnrecognizedExtension(MODBUS_ROLE, _utf8(modbus_role)), critical=False)
        certificate = made.sign(self._key, hashes.SHA256())
        entry = Issued(
            name=name,
            purpose=purpose,
            hosts=list(hosts),
            serial=f"{certificate.serial_number:x}",
            issued=_iso(now),
            until=_iso(until),
            by=by,
        )
        # The ledger first: a certificate that nobody knows of could never be revoked.
        self._write_ledger([*self.ledger(), entry])
        _put(self.folder / f"{name}.key", _pem(key, ""), mode=0o600)
        _put(self.folder / f"{name}.crt", certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        return entry

    def revoke(self, name: str, *, reason: str, now: datetime) -> Issued:
        """Take a machine's certificates back; the list of the revoked is made anew.

        Raises:
            CaError: It has no certificate that is still good.
        """
        entries = self.ledger()
        good = [at for at, one in enumerate(entries) if one.name == name and one.state(now) in ("good", "soon")]
        if not good:
            raise CaError(f"{name[:80]!r} has no certificate that is still good.")
        for at in good:
            entries[at] = Issued(**(asdict(entries[at]) | {"revoked": _iso(now), "reason": reason}))
        self._write_ledger(entries)
        self.list_revoked(now=now)
        return entries[good[-1]]

    def list_revoked(self, *, now: datetime) -> int:
        """Write the list of the revoked (CRL, RFC 5280 clause 5) anew, good for 30 days; gives how many it names."""
        revoked = [one for one in self.ledger() if one.revoked]
        made = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(now - EARLY)
            .next_update(now + timedelta(days=LIST_DAYS))
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        )
        for one in revoked:
            made = made.add_revoked_certificate(
                x509.RevokedCertificateBuilder()
                .serial_number(int(one.serial, 16))
                .revocation_date(datetime.fromisoformat(one.revoked))
                .build()
            )
        text = made.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        _put(self.folder / REVOKED, text, mode=0o644)
        return len(revoked)

    def ledger(self) -> list[Issued]:
        """Give all that was ever issued, the oldest first.

        Raises:
            CaError: The ledger was changed by hand and cannot be read.
        """
        path = self.folder / LEDGER
        if not path.exists():
            return []
        entries = []
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                entries.append(Issued(**orjson.loads(line)))
            except (TypeError, ValueError) as failure:
                raise CaError(f"{path}:{number} is no line of the ledger: {failure}.") from None
        return entries

    def _write_ledger(self, entries: Sequence[Issued]) -> None:
        _put(self.folder / LEDGER, b"".join(orjson.dumps(asdict(one)) + b"\n" for one in entries), mode=0o600)


def found(folder: Path, name: str, *, years: int, now: datetime, passphrase: str = "") -> Authority:
    """Found an authority: a key, and a certificate signed by itself that may sign others, but no further authority.

    Args:
        name: What people read in the certificate, e.g. ``North terminal CA``.
        passphrase: The key is encrypted by it; empty leaves it to the folder's permissions.

    Raises:
        CaError: There is one already, or a part is odd.
    """
    if not (1 <= len(name) <= 64) or not name.isprintable() or name != name.strip():  # noqa: PLR2004 - RFC 5280 ub-common-name
        raise CaError(f"The authority's name {name[:80]!r} must have 1 to 64 printable characters.")
    if not 1 <= years <= YEARS_MAX:
        raise CaError(f"An authority lasts 1 to {YEARS_MAX} years, not {years}.")
    if any((folder / one).exists() for one in (CERTIFICATE, KEY, LEDGER)):
        raise CaError(f"There is a certificate authority in {folder} already; its key is never overwritten.")
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as failure:
        raise CaError(f"The folder {folder} cannot be made: {failure.strerror}.") from None
    key = ec.generate_private_key(ec.SECP256R1())
    until = now + timedelta(days=round(years * 365.25))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    certificate = (
        _begin(name, subject, key.public_key(), now, until)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    _put(folder / KEY, _pem(key, passphrase), mode=0o600)
    _put(folder / CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
    made = Authority(folder, passphrase)
    made.list_revoked(now=now)
    return made


def _begin(
    name: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, until: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLY)
        .not_valid_after(until)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        if not _HOST.fullmatch(text):
            raise CaError(f"{text[:80]!r} is neither a host name nor an address.") from None
        return x509.DNSName(text)


def _utf8(text: str) -> bytes:
    """Encode a role as DER; its length fits one octet."""
    octets = text.encode()
    if not 1 <= len(octets) <= SHORT_FORM_MAX or not text.isprintable():
        raise CaError(f"The Modbus role {text[:80]!r} must have 1 to {SHORT_FORM_MAX} octets.")
    return bytes([UTF8_STRING, len(octets)]) + octets


def _pem(key: ec.EllipticCurvePrivateKey, passphrase: str) -> bytes:
    lock: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        lock = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, lock)


def _put(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file whole or not at all, readable by whom it is for from its first byte on."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as failure:
        raise CaError(f"{path} cannot be written: {failure.strerror}.") from None


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
