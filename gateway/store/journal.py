"""Journal: append-only, hash-chained, one chain per nature, with a signed head.

Flow: events, audited actions, remarks -> [journal] -> verify
Why: alarm data must not be changed, dropped or cut unnoticed (危险化学品安全法, art. 38: no tampering with such data).
A bare chain misses truncation; so each transaction also updates a head row (count, last hash), signed by the install
key, which lives outside the database, and the last head goes into ``head.json`` and with every notice.

hash = SHA-256(previous hash, nature, number, time, kind, body), joined by newlines; the first previous hash is 64
zeros.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import Connection, delete, insert, select

from edge.disk import Disk
from edge.model import Nature
from gateway.store.schema import head, journal

GENESIS = "0" * 64
KEY_FILE = "install.key"
HEAD_FILE = "head.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """End of one chain."""

    nature: str
    count: int
    hash: str
    time_ns: int
    signature: str

    def signed_text(self) -> bytes:
        """Give the bytes that the signature covers."""
        return f"{self.nature}\n{self.count}\n{self.hash}\n{self.time_ns}".encode()


def chain_hash(previous: str, nature: str, number: int, time_ns: int, kind: str, body: str) -> str:
    """Give the hash of a row, 64 hexadecimal digits."""
    text = "\n".join((previous, nature, str(number), str(time_ns), kind, body))
    return hashlib.sha256(text.encode()).hexdigest()


def canonical(body: dict[str, Any]) -> str:
    """Give the one JSON text of a body: sorted keys, no spaces."""
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS).decode()


def install_key(disk: Disk) -> Ed25519PrivateKey:
    """Give the install key; it is made at the first start and never leaves its folder."""
    raw = disk.read(KEY_FILE)
    if raw is None:
        key = Ed25519PrivateKey.generate()
        disk.replace(KEY_FILE, key.private_bytes_raw())
        return key
    return Ed25519PrivateKey.from_private_bytes(raw)


def is_signed(end: Head, key: Ed25519PublicKey) -> bool:
    """Tell whether a head carries this install's signature."""
    try:
        key.verify(bytes.fromhex(end.signature), end.signed_text())
    except (InvalidSignature, ValueError):
        return False
    return True


class Journal:
    """Appends to the chains inside the transaction of the caller; one writer at a time."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.heads: dict[str, Head] = {}
        self._open: dict[str, Head] = {}

    def sign(self, text: bytes) -> tuple[str, str]:
        """Sign a text with the installation's key: its public half and the signature, hexadecimal."""
        return self._key.public_key().public_bytes_raw().hex(), self._key.sign(text).hex()

    def load(self, connection: Connection) -> None:
        """Read the ends of the chains at start."""
        self.heads = {row["nature"]: Head(**row) for row in connection.execute(select(head)).mappings()}
        self._open = dict(self.heads)

    def append(self, connection: Connection, nature: Nature, time_ns: int, kind: str, bodies: list[str]) -> None:
        """Append rows of one kind to a chain."""
        end = self._open.get(nature) or Head(nature=nature, count=0, hash=GENESIS, time_ns=0, signature="")
        count, last = end.count, end.hash
        rows = []
        for body in bodies:
            count += 1
            last = chain_hash(last, nature, count, time_ns, kind, body)
            rows.append(
                {
                    "nature": str(nature),
                    "number": count,
                    "time_ns": time_ns,
                    "kind": kind,
                    "body": body,
                    "hash": last,
                }
            )
        connection.execute(insert(journal), rows)
        self._open[nature] = Head(nature=str(nature), count=count, hash=last, time_ns=time_ns, signature="")

    def seal(self, connection: Connection) -> None:
        """Sign the new ends, as the last act before the caller commits."""
        for nature, end in self._open.items():
            if self.heads.get(nature) == end:
                continue
            signature = self._key.sign(end.signed_text()).hex()
            sealed = Head(nature=end.nature, count=end.count, hash=end.hash, time_ns=end.time_ns, signature=signature)
            connection.execute(delete(head).where(head.c.nature == nature))
            connection.execute(
                insert(head).values(
                    nature=sealed.nature,
                    count=sealed.count,
                    hash=sealed.hash,
                    time_ns=sealed.time_ns,
                    signature=sealed.signature,
                )
            )
            self._open[nature] = sealed

    def committed(self) -> bool:
        """Take the new ends as durable; tell whether any moved."""
        moved = self._open != self.heads
        self.heads = dict(self._open)
        return moved

    def rolled_back(self) -> None:
        """Forget what the transaction that failed had appended."""
        self._open = dict(self.heads)

    def begins(self) -> list[str]:
        """Name the chains that the open transaction begins."""
        return sorted(set(self._open) - set(self.heads))

    def as_json(self, begun: list[str] | None = None) -> bytes:
        """Give ``head.json``: the ends of all chains and the public key.

        Args:
            begun: Chains that are about to begin; they are told with no rows before they have any, so that a file
                that does not name a chain was tampered with.
        """
        return orjson.dumps(
            {
                "public_key": self._key.public_key().public_bytes_raw().hex(),
                "heads": [
                    {"nature": nature, "count": 0, "hash": GENESIS, "time_ns": 0, "signature": ""}
                    for nature in begun or ()
                ]
                + [
                    {
                        "nature": h.nature,
                        "count": h.count,
                        "hash": h.hash,
                        "time_ns": h.time_ns,
                        "signature": h.signature,
                    }
                    for h in self.heads.values()
                ],
            },
            option=orjson.OPT_INDENT_2,
        )
