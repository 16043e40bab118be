"""Quarantine: what a spool cannot use is kept for inspection, as far as there is room."""

from pathlib import Path
from typing import Final

import structlog

BYTES_MAX: Final = 16 * 1024 * 1024

log = structlog.get_logger("spool")


class Quarantine:
    """A folder; made with the first thing that goes there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, name: str, content: bytes) -> None:
        """Put content behind what is in a file, while there is room; a medium that takes nothing is logged."""
        if not content:
            return
        try:
            self._folder.mkdir(exist_ok=True, mode=0o700)
            size = sum(path.stat().st_size for path in self._folder.iterdir())
            if size + len(content) <= BYTES_MAX:
                with (self._folder / name).open("ab") as file:
                    file.write(content)
        except OSError as failure:
            log.warning("spool.not_set_aside", name=name, error=str(failure))
