"""Sealing: a notice signed and enciphered the way a profile wants it, anew at every attempt.

Flow: the kept text -> [encipher] -> body -> [sign] -> transport
Why not kept: a signature tells when it was made, and receivers refuse an old one. The text under it never changes.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

import orjson
from cryptography.hazmat.primitives.ciphers import Cipher, CipherAlgorithm
from cryptography.hazmat.primitives.ciphers.algorithms import AES, SM4
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from alerting.push.profile import Profile, Signature
from gateway.config import Destination
from gateway.push.national import Sm2Key, hmac_sm3
from gateway.push.signature import read_keys

BLOCK: Final = 16  # bytes, of AES (FIPS 197) and of SM4 (GB/T 32907)

Sign: TypeAlias = Callable[[bytes], str]
_ALGORITHMS: Final[Mapping[str, Callable[[bytes], CipherAlgorithm]]] = {"aes-cbc": AES, "sm4-cbc": SM4}
#: What an acknowledgement that comes later is signed over, parted by dots.
ACK_FIELDS: Final = ("key", "receipt", "code", "time")


class Sealer:
    """Seals for one destination.

    Raises:
        ValueError: A key cannot be used; the text never holds it.
    """

    def __init__(self, destination: Destination) -> None:
        self._profile: Profile = destination.profile
        self._key, self._vector = destination.cipher_key, destination.vector
        self._signs = _signers(destination, self._profile.signature)
        kind: Signature = "hmac-sm3" if self._profile.signature == "hmac-sm3" else "hmac-sha256"
        self._checks = _signers(destination, kind) if self._profile.receipt.is_signed else []
        if self._profile.cipher != "none":
            _ALGORITHMS[self._profile.cipher](self._key)

    def body(self, text: bytes) -> bytes:
        """Give what is sent of a text: enciphered where the profile says so."""
        profile = self._profile
        if profile.cipher == "none":
            return text
        if profile.envelope == "regional":
            frame = orjson.loads(text)
            inner = json.dumps(frame["data"], ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
            return orjson.dumps({**frame, "data": self.encipher(inner)})
        sealed = self.encipher(text)
        return orjson.dumps({profile.sealed_as: sealed}) if profile.sealed_as else sealed.encode()

    def encipher(self, text: bytes) -> str:
        """Give base64 of the text in CBC with PKCS 7 padding; a fresh vector stands before it unless one is agreed."""
        vector = self._vector if self._profile.vector == "fixed" else secrets.token_bytes(BLOCK)
        padder = PKCS7(BLOCK * 8).padder()
        padded = padder.update(text) + padder.finalize()
        encryptor = Cipher(_ALGORITHMS[self._profile.cipher](self._key), CBC(vector)).encryptor()
        sealed = encryptor.update(padded) + encryptor.finalize()
        return base64.b64encode(sealed if self._profile.vector == "fixed" else vector + sealed).decode()

    def signature(self, key: str, timestamp_s: int, body: bytes) -> str:
        """Give the signatures over ``key.timestamp.body``, one a key, parted by spaces; empty where none is asked.

        ``v1,`` is HMAC-SHA256 of Standard Webhooks; ``sm3,`` and ``sm2,`` are ours, over the same text.
        """
        text = f"{key}.{timestamp_s}.".encode() + body
        return " ".join(sign(text) for sign in self._signs)

    def believes(self, told: Mapping[str, Any]) -> bool:
        """Tell whether an answer or an acknowledgement carries one of our shared keys' signatures.

        It stands in ``signature``, in the form of ``signature`` above, over ``key.receipt.code.time``.
        """
        given = told.get("signature")
        if not isinstance(given, str) or not given:
            return False
        text = ".".join(str(told.get(name, "")) for name in ACK_FIELDS).encode()
        given_each = [one.encode() for one in given.split()]
        return any(hmac.compare_digest(sign(text).encode(), one) for sign in self._checks for one in given_each)


def _signers(destination: Destination, kind: Signature) -> list[Sign]:
    if kind == "none":
        return []
    if kind == "sm2":
        key = Sm2Key(destination.secret)
        return [lambda text: "sm2," + base64.b64encode(key.sign(text)).decode()]
    if kind == "hmac-sm3":
        return [_sm3(one) for one in read_keys(destination.secret)]
    return [_sha256(one) for one in read_keys(destination.secret)]


def _sha256(key: bytes) -> Sign:
    return lambda text: "v1," + base64.b64encode(hmac.digest(key, text, hashlib.sha256)).decode()


def _sm3(key: bytes) -> Sign:
    return lambda text: "sm3," + base64.b64encode(hmac_sm3(key, text)).decode()
