"""Ledger: what the regulator received, in an append-only file that survives it.

Flow: accepted notice -> [Ledger.keep] -> line on disk -> receipt
Why: "exactly once" means one distinct key here, so the ledger is flushed to the medium before a receipt leaves.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class ConflictError(Exception):
    """A known key came with another body."""


@dataclass(slots=True, kw_only=True)
class Kept:
    """One distinct notice.

    Attributes:
        key: Idempotency key, the ``webhook-id``.
        times: How often it came.
        sha256: Of the body's bytes.
    """

    key: str
    receipt_id: str
    received_at: str
    sha256: str
    body: Any
    times: int = 1


@dataclass(slots=True)
class Ledger:
    """All notices by key, in the order of their first arrival."""

    path: Path
    kept: dict[str, Kept] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._read()

    def keep(self, key: str, body: bytes, received_at: str) -> Kept:
        """Keep a notice, or count it again under its old receipt. On disk before this returns.

        Raises:
            ConflictError: When the key is known with another body; nothing is written.
        """
        sha256 = hashlib.sha256(body).hexdigest()
        known = self.kept.get(key)
        if known is not None and known.sha256 != sha256:
            raise ConflictError(f"Key {key} is known with another body.")
        if known is not None:
            self._append({"again": key, "received_at": received_at})
            known.times += 1
            return known
        notice = Kept(
            key=key,
            receipt_id=f"R{len(self.kept) + 1:06d}-{hashlib.sha256(key.encode()).hexdigest()[:8]}",
            received_at=received_at,
            sha256=sha256,
            body=json.loads(body),
        )
        line = {name: getattr(notice, name) for name in ("key", "receipt_id", "received_at", "sha256", "body")}
        self._append(line)
        self.kept[key] = notice
        return notice

    def _append(self, line: dict[str, Any]) -> None:
        with self.path.open("ab") as file:
            file.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def _read(self) -> None:
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole != len(content):  # Killed while writing: no receipt left for this line, so it never was.
            with self.path.open("r+b") as file:
                file.truncate(whole)
        for line in content[:whole].splitlines():
            row = json.loads(line)
            if "again" in row:
                self.kept[row["again"]].times += 1
            else:
                self.kept[row["key"]] = Kept(**row)
