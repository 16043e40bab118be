"""Disk: the port for small durable files (head, epochs, spool segments)."""

import os
from pathlib import Path
from typing import Protocol


class Disk(Protocol):
    """A folder of small files. Names have no separators."""

    def read(self, name: str) -> bytes | None:
        """Give a file's content, or None where there is none."""
        ...

    def replace(self, name: str, content: bytes) -> None:
        """Put content durably in place of what was there: after a crash, the old or the new, never half."""
        ...


class SystemDisk:
    """A folder on this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, name: str) -> bytes | None:
        """Give a file's content, or None where there is none."""
        path = self._folder / name
        return path.read_bytes() if path.exists() else None

    def replace(self, name: str, content: bytes) -> None:
        """Write beside, flush to the medium, rename into place, flush the folder."""
        self._folder.mkdir(parents=True, exist_ok=True)
        beside = self._folder / f"{name}.new"
        with beside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class MemoryDisk:
    """A folder that lives in memory, for simulations; the contract test runs it beside SystemDisk."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}

    def read(self, name: str) -> bytes | None:
        """Give a file's content, or None where there is none."""
        return self.files.get(name)

    def replace(self, name: str, content: bytes) -> None:
        """Put content in place of what was there."""
        self.files[name] = bytes(content)
