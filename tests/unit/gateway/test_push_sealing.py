"""Signatures and ciphers of profiles, against published vectors and against OpenSSL's command."""

import base64
import hashlib
import hmac
import shutil
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import SM4
from cryptography.hazmat.primitives.ciphers.modes import ECB

from alerting.push.profile import Profile, ReceiptRule
from gateway.config import Destination
from gateway.push.national import Sm2Key, hmac_sm3
from gateway.push.sealing import Sealer

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
PRIVATE = (
    "3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8"  # GB/T 32918.5, annex A, example of signing
)
TEXT = '{"value":4.31,"text":"【测试】"}'.encode()


def sealer(**profile: Any) -> Sealer:  # noqa: ANN401 - any field
    more = {name: profile.pop(name) for name in ("cipher_key", "vector", "secret") if name in profile}
    profile["vector"] = "fixed" if "vector" in more else "prefix"
    return Sealer(Destination(id="d", url="", profile=Profile(id="p", **profile), **({"secret": SECRET} | more)))


def openssl(folder: Path, *arguments: str, text: bytes = TEXT) -> bytes:
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed on this machine")
    (folder / "text").write_bytes(text)
    done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sm3_and_sm4_are_those_of_the_standards() -> None:
    digest = hashes.Hash(hashes.SM3())
    digest.update(b"abc")  # GB/T 32905-2016, A.1
    assert digest.finalize().hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    key = bytes.fromhex("0123456789abcdeffedcba9876543210")  # GB/T 32907-2016, A.1
    # One block by itself is what the standard publishes.
    assert Cipher(SM4(key), ECB()).encryptor().update(key).hex() == "681edf34d206965e86b3e94f536e4246"  # noqa: S305


def test_hmac_over_sm3_is_openssls(tmp_path: Path) -> None:
    told = openssl(tmp_path, "dgst", "-sm3", "-hmac", "k" * 32, "-binary", "text")
    assert hmac_sm3(b"k" * 32, TEXT) == told


def test_an_sm2_signature_is_believed_by_openssl(tmp_path: Path) -> None:
    key = Sm2Key(PRIVATE)
    signature = sealer(signature="sm2", secret=PRIVATE).signature("id", 1700000000, TEXT)
    assert signature.startswith("sm2,")
    (tmp_path / "signature").write_bytes(base64.b64decode(signature.removeprefix("sm2,")))
    # A SubjectPublicKeyInfo of the curve SM2 (GB/T 35275), and the point after it.
    head = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d03420004")
    (tmp_path / "public.der").write_bytes(head + bytes.fromhex(key.public))
    (tmp_path / "message").write_bytes(b"id.1700000000." + TEXT)
    said = openssl(
        tmp_path, "pkeyutl", "-verify", "-rawin", "-digest", "sm3", "-pubin", "-keyform", "DER", "-inkey", "public.der",
        "-pkeyopt", "distid:1234567812345678", "-in", "message", "-sigfile", "signature",
    )  # fmt: skip
    assert b"Verified Successfully" in said or b"Success" in said
    assert key.holds(base64.b64decode(signature.removeprefix("sm2,")), b"id.1700000000." + TEXT)
    assert not key.holds(base64.b64decode(signature.removeprefix("sm2,")), b"id.1700000001." + TEXT)


def test_what_signs_twice_signs_with_other_numbers() -> None:
    key = Sm2Key(PRIVATE)
    assert key.sign(TEXT) != key.sign(TEXT)
    assert key.public.startswith("09f9df311e5421a150dd7d161e4bc5c672179fad1833fc07")  # GB/T 32918.5, annex A


@pytest.mark.parametrize("wrong", ["", "00" * 32, "ff" * 32, "g" * 64, PRIVATE[:-1]])
def test_no_key_is_no_key(wrong: str) -> None:
    with pytest.raises(ValueError, match="SM2"):
        Sm2Key(wrong)


@pytest.mark.parametrize(("cipher", "size"), [("aes-cbc", 16), ("aes-cbc", 32), ("sm4-cbc", 16)])
@pytest.mark.parametrize("fixed", [False, True])
def test_what_is_enciphered_openssl_can_read(tmp_path: Path, cipher: str, size: int, fixed: bool) -> None:
    key, vector = b"0123456789abcdef" * (size // 16), b"fedcba9876543210"
    made = sealer(cipher=cipher, cipher_key=key, sealed_as="datas", **({"vector": vector} if fixed else {}))
    sealed = base64.b64decode(orjson.loads(made.body(TEXT))["datas"])
    if not fixed:
        vector, sealed = sealed[:16], sealed[16:]
        assert made.body(TEXT) != made.body(TEXT)  # a fresh vector each time
    name = f"-aes-{size * 8}-cbc" if cipher == "aes-cbc" else "-sm4-cbc"
    assert (
        openssl(tmp_path, "enc", "-d", name, "-K", key.hex(), "-iv", vector.hex(), "-in", "text", text=sealed) == TEXT
    )


def test_of_the_regional_frame_only_the_rows_are_enciphered() -> None:
    made = sealer(envelope="regional", cipher="aes-cbc", cipher_key=b"k" * 16, vector=b"v" * 16, transport="tcp",
                  signature="none")  # fmt: skip
    frame = orjson.loads(made.body(orjson.dumps({"appId": "a", "data": [{"X": "水"}]})))
    assert frame["appId"] == "a"
    assert len(base64.b64decode(frame["data"])) % 16 == 0


def test_an_answer_is_believed_by_the_shared_key_alone() -> None:
    made = sealer(receipt=ReceiptRule(is_signed=True))
    told = {"key": "n1", "receipt": "R1", "code": "0", "time": "1700000000"}
    other = Destination(id="d", url="", secret="whsec_" + base64.b64encode(b"x" * 32).decode())
    right = _signed(Destination(id="d", url="", secret=SECRET), told)
    assert made.believes(told | {"signature": right})
    assert not made.believes(told | {"signature": right, "receipt": "R2"})
    assert not made.believes(told | {"signature": _signed(other, told)})
    assert not made.believes(told)
    assert not made.believes(told | {"signature": "v1,ä"})
    assert not sealer().believes(told | {"signature": right})  # nothing was agreed upon, nothing is believed


def _signed(destination: Destination, told: dict[str, str]) -> str:
    """Sign as the authority does, written a second time."""
    text = ".".join(told[name] for name in ("key", "receipt", "code", "time"))
    key = base64.b64decode(destination.secret.removeprefix("whsec_"))
    return "v1," + base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
