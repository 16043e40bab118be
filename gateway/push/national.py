"""National ciphers: SM2 signatures (GB/T 32918.2), SM3 (GB/T 32905), SM4 (GB/T 32907); the only user of gmssl.

Why two libraries: SM3 and SM4 come from cryptography, which is OpenSSL's own code; it has no SM2, which gmssl has.
gmssl's own random numbers come from a generator that can be guessed, so ours are handed in.
"""

import binascii
import re
import secrets
from typing import Final

from cryptography.hazmat.primitives import hashes, hmac

_KEY: Final = re.compile(r"[0-9a-fA-F]{64}")
#: Order of the curve, GB/T 32918.5.
_ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


class Sm2Key:
    """A private key, 64 hexadecimal digits, with the user id of GB/T 32918.2, ``1234567812345678``.

    Raises:
        ValueError: It is none.
    """

    def __init__(self, private: str) -> None:
        if not _KEY.fullmatch(private) or not 0 < int(private, 16) < _ORDER - 1:
            raise ValueError("The key is not an SM2 private key of 64 hexadecimal digits.")
        from gmssl import sm2  # noqa: PLC0415 - the one signature that needs it; a site without it needs no gmssl

        self._key = sm2.CryptSM2(private_key=private.lower(), public_key="", asn1=True)
        point = self._key._kg(int(private, 16), sm2.default_ecc_table["g"])  # noqa: SLF001 - gmssl has no public way
        self.public: str = point
        self._key.public_key = point

    def sign(self, text: bytes) -> bytes:
        """Give the signature of a text, ASN.1 DER, over SM3 with the signer's identity."""
        signature = None
        while signature is None:  # gmssl gives None where the random number fits none; GB/T 32918.2, 6.1, A5 and A6.
            signature = self._key.sign_with_sm3(text, f"{secrets.randbelow(_ORDER - 1) + 1:064x}")
        return binascii.unhexlify(signature)

    def holds(self, signature: bytes, text: bytes) -> bool:
        """Tell whether a signature is this key's."""
        return bool(self._key.verify_with_sm3(signature.hex(), text))


def hmac_sm3(key: bytes, text: bytes) -> bytes:
    """Give the HMAC over SM3 (GB/T 15852.2, the construction of RFC 2104), 32 bytes."""
    code = hmac.HMAC(key, hashes.SM3())
    code.update(text)
    return code.finalize()
