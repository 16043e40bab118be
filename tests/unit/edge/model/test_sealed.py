"""Sealed messages: opened by who has the key, in their way, for their node; nothing else opens."""

import hashlib
import hmac
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.model.sealed import Sealed, key_of, seal, token_hash, unseal
from gateway.auth import hash_token

KEY = key_of(token_hash("the-token-of-the-node-of-32-chars"))
CONTENT = Sealed(epoch=1_800_000_000, number=7, body=b"scans")


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1), st.binary(max_size=200), st.text(max_size=20))
def test_what_is_sealed_opens_again(epoch: int, number: int, body: bytes, node: str) -> None:
    content = Sealed(epoch=epoch, number=number, body=body)
    assert unseal(KEY, "up", node, seal(KEY, "up", node, content)) == content


def test_both_sides_hash_a_token_alike() -> None:
    assert token_hash("äbc") == hash_token("äbc")


def test_the_layout_made_by_hand() -> None:
    """With the standard library alone: HMAC-SHA256 over way, name, head and body (RFC 2104)."""
    key = hmac.new(
        token_hash("the-token-of-the-node-of-32-chars").encode(), b"fengsui node messages v1", "sha256"
    ).digest()
    head = b"FSSM\x01\0\0\0" + struct.pack("<QQ", 1_800_000_000, 7)
    mac = hmac.new(key, b"down" + struct.pack("<H", 5) + b"north" + head + b"scans", hashlib.sha256).digest()
    assert seal(KEY, "down", "north", CONTENT) == head + mac + b"scans"


def test_no_changed_byte_opens() -> None:
    message = seal(KEY, "up", "north", CONTENT)
    for at in range(len(message)):
        for bit in (0, 7):
            changed = bytearray(message)
            changed[at] ^= 1 << bit
            assert unseal(KEY, "up", "north", bytes(changed)) is None, at


@pytest.mark.parametrize(
    ("key", "way", "node"),
    [
        (key_of(token_hash("another-token-of-32-characters-xx")), "up", "north"),
        (KEY, "down", "north"),
        (KEY, "up", "south"),
    ],
)
def test_another_key_way_or_node_does_not_open(key: bytes, way: str, node: str) -> None:
    assert unseal(key, way, node, seal(KEY, "up", "north", CONTENT)) is None  # type: ignore[arg-type]


@given(st.binary(max_size=120))
def test_anything_else_does_not_open(message: bytes) -> None:
    assert unseal(KEY, "up", "north", message) is None
