"""Sealed: a message of an edge node or to it, as it goes through a broker that neither has to trust.

Flow: node -> seal("up") -> broker -> unseal -> gateway; gateway -> seal("down") -> broker -> unseal -> node
Why: whoever may publish on a broker could else send values in a node's name, or tell a node that its records are safe
    and so empty its spool. HMAC-SHA256 (RFC 2104, FIPS 198-1) over way, node, numbers and body, with a key made of the
    node's token; the token itself never goes through the broker.
Why numbers: an answer belongs to one request; a request that comes again, or is older than one that was taken, is
    refused, so that nobody can play back what was recorded.

Layout, little-endian: ``"FSSM"``, version u8 = 1, three bytes 0, epoch u64, number u64, HMAC 32 bytes, body. What is
inside is readable for the broker: use TLS, and a broker that lets each node speak on its own topics only.
"""

import hashlib
import hmac
import struct
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Way: TypeAlias = Literal["up", "down"]

MARK: Final = b"FSSM"
VERSION: Final = 1
_HEAD: Final = struct.Struct("<4sB3xQQ")
_MAC_BYTES: Final = hashlib.sha256().digest_size
OVERHEAD_BYTES: Final = _HEAD.size + _MAC_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """What was inside: the request's epoch and number, rising, and the body."""

    epoch: int
    number: int
    body: bytes


def token_hash(token: str) -> str:
    """Hash a token as the gateway keeps it, so that both sides have the same."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def key_of(hashed: str) -> bytes:
    """Make the key of a node's messages from its token's hash; another purpose would make another key."""
    return hmac.digest(hashed.encode(), b"fengsui node messages v1", "sha256")


def seal(key: bytes, way: Way, node: str, content: Sealed) -> bytes:
    """Make a message."""
    head = _HEAD.pack(MARK, VERSION, content.epoch, content.number)
    return head + _mac(key, way, node, head, content.body) + content.body


def unseal(key: bytes, way: Way, node: str, message: bytes) -> Sealed | None:
    """Open a message; None for one that was not sealed with this key, in this way, for this node."""
    if len(message) < OVERHEAD_BYTES:
        return None
    head, mac, body = message[: _HEAD.size], message[_HEAD.size : OVERHEAD_BYTES], message[OVERHEAD_BYTES:]
    mark, version, epoch, number = _HEAD.unpack(head)
    if mark != MARK or version != VERSION or not hmac.compare_digest(mac, _mac(key, way, node, head, body)):
        return None
    return Sealed(epoch=epoch, number=number, body=body)


def _mac(key: bytes, way: Way, node: str, head: bytes, body: bytes) -> bytes:
    name = node.encode()
    made = hmac.new(key, struct.pack("<4sH", way.encode().ljust(4), len(name)) + name + head, "sha256")
    made.update(body)
    return made.digest()
