"""Child: a process that ends with its parent and keeps its words in a file.

Why: plant, broker, regulator and gateway are processes of their own, and none of them may outlive the program that
    started them, however it ended.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

STOP_S_MAX = 15.0
SAID_LINES = 12

_PR_SET_PDEATHSIG = 1  # prctl(2), Linux
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Child:
    """One process, started at once.

    Attributes:
        name: Also the name of its log, ``<name>.log``.
        log: Everything it said.
    """

    def __init__(
        self, name: str, arguments: Sequence[str], *, logs: Path, environ: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.log = logs / f"{name}.log"
        self._heard = self.log.stat().st_size if self.log.exists() else 0
        self._start = self._heard
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                list(arguments),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=None if environ is None else dict(environ),
                start_new_session=True,  # Ctrl-C is for the parent, which ends its children in order.
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - one system call, before the program is there
            )

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self.process.poll() is None

    def hear(self) -> list[dict[str, Any]]:
        """Give the JSON lines that it said since the last call; other lines stay in the log."""
        with self.log.open("rb") as log:
            log.seek(self._heard)
            content = log.read()
        whole = content.rfind(b"\n") + 1
        self._heard += whole
        return [json.loads(line) for line in content[:whole].splitlines() if line.startswith(b'{"event"')]

    def last_words(self) -> str:
        """Give the last lines of what it said, for a person."""
        with self.log.open("rb") as log:
            log.seek(self._start)
            return "\n".join(log.read().decode(errors="replace").splitlines()[-SAID_LINES:])

    def stop(self) -> int:
        """Ask it to end and wait; kill it when it does not. Gives its exit code."""
        self.process.terminate()
        try:
            return self.process.wait(STOP_S_MAX)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it at once, as a power cut does."""
        self.process.kill()
        return self.process.wait()


def _end_with_parent() -> None:
    """Have the kernel tell this process when its parent dies, also by kill -9."""
    parent = os.getppid()
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # It died in between.
            os._exit(1)
