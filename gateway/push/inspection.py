"""Inspection of an exported ledger, without the gateway: is it what was exported, and does it hold together?

Flow: ZIP -> [inspect] -> sentences; none for a ledger that nobody touched
Never: believes the key that lies in the file itself without saying so; unpacks more than a bound.
"""

import csv
import hashlib
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from gateway.push.answers import chain_hash
from gateway.push.export import FILES, MANIFEST, SIGNATURE
from gateway.store.journal import Head, is_signed

SIZE_MAX: Final = 1 << 30  # bytes unpacked, all told
#: What an answer in the chain must be for a notice to stand as confirmed.
CONFIRMING: Final = frozenset({"receipt", "repeat"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspected:
    """What was found.

    Attributes:
        public_key: That signed it, hexadecimal; empty where none fits.
        findings: Sentences; none for a ledger that nobody touched.
    """

    site: str
    notices: int
    answers: int
    public_key: str
    findings: tuple[str, ...]


def inspect(content: bytes, public_key: str = "") -> Inspected:
    """Check an exported ledger.

    Args:
        public_key: As the plant handed it over, 64 hexadecimal digits; empty to take the file's own.
    """
    try:
        files = _unpack(content)
        manifest = orjson.loads(files[MANIFEST])
        used = (public_key or str(manifest["public_key"])).strip().lower()
        found = [*_signature(files, used), *_digests(files, manifest), *_content(files, manifest, used)]
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, RecursionError) as failure:
        said = f"The file is no exported ledger, or it is damaged: {str(failure) or type(failure).__name__}."
        return Inspected(site="", notices=0, answers=0, public_key="", findings=(said,))
    return Inspected(
        site=str(manifest.get("site", "")),
        notices=int(manifest["notices"]),
        answers=int(manifest["answers"]["count"]),
        public_key=used,
        findings=tuple(found),
    )


def _unpack(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as packed:
        sizes = {one.filename: one.file_size for one in packed.infolist()}
        if sorted(sizes) != sorted((*FILES, MANIFEST, SIGNATURE)):
            raise ValueError(f"it holds {', '.join(sorted(sizes))[:200]}")
        if sum(sizes.values()) > SIZE_MAX:
            raise ValueError("it is too large")
        return {name: packed.read(name) for name in sizes}


def _signature(files: dict[str, bytes], public_key: str) -> Iterator[str]:
    try:
        key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
        key.verify(bytes.fromhex(files[SIGNATURE].decode("ascii").strip()), files[MANIFEST])
    except (InvalidSignature, ValueError):
        yield f"{MANIFEST} is not signed by the key {public_key[:16]}…: it was changed, or another plant made it."


def _digests(files: dict[str, bytes], manifest: dict[str, Any]) -> Iterator[str]:
    for name in FILES:
        if hashlib.sha256(files[name]).hexdigest() != manifest["files"].get(name):
            yield f"{name} is not what was exported: its digest does not fit the manifest."


def _content(files: dict[str, bytes], manifest: dict[str, Any], public_key: str) -> Iterator[str]:
    notices = [orjson.loads(line) for line in files["notices.jsonl"].splitlines()]
    answers = [orjson.loads(line) for line in files["answers.jsonl"].splitlines()]
    yield from _chain(answers, manifest)
    kinds = {one["number"]: (one["key"], one["what"]) for one in answers}
    for notice in notices:
        if hashlib.sha256(notice["sent"].encode()).hexdigest() != notice["sha256"]:
            yield f"Notice {notice['key']}: its text does not fit its digest."
        told = [kinds.get(number, ("", "")) for number in notice["answers"]]
        if any(key != notice["key"] for key, _ in told):
            yield f"Notice {notice['key']}: an answer that it names is missing or another's."
        if notice["state"] == "delivered" and not any(what in CONFIRMING for _, what in told):
            yield f"Notice {notice['key']} stands as confirmed, and no receipt of it is in the chain of answers."
    lines = list(csv.reader(io.StringIO(files["ledger.csv"].decode("utf-8-sig"))))[1:]
    if [line[-2:] for line in lines] != [[one["key"], one["sha256"]] for one in notices]:
        yield "ledger.csv does not list the same notices as notices.jsonl."
    if len(notices) != manifest["notices"]:
        yield f"The manifest counts {manifest['notices']} notices; there are {len(notices)}."
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key))
    for row in orjson.loads(files["heads.json"]):
        if row["count"] and not is_signed(Head(**row), key):
            yield f"The journal's head of {row['nature']} is not signed by this plant's key."


def _chain(answers: list[dict[str, Any]], manifest: dict[str, Any]) -> Iterator[str]:
    before = manifest["answers"]["before"]
    number = answers[0]["number"] if answers else 0
    for one in answers:
        given = one.pop("hash")
        if one["number"] != number or chain_hash(before, one) != given:
            yield f"Answer {number} was changed, or one before it is missing."
        before, number = given, one["number"] + 1
    if before != manifest["answers"]["last"] or len(answers) != manifest["answers"]["count"]:
        yield "The chain of answers does not end where the manifest says."
