"""Asking: a running process is asked to read its files again, through its data folder.

Flow: `fengsui reload` -> [Mailbox.ask] file, SIGHUP -> the process -> [Mailbox.take, answer] file -> `fengsui reload`
Why: who keeps a site's files under version control wants them in force without a restart, and to be told what came of
    it; without a network and without a password, because who may write the data folder may do anything to the process.
"""

import fcntl
import os
import signal
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import orjson

from edge.disk import SystemDisk

LOOK_S: Final = 0.1
WHO_MAX, REASON_MAX = 64, 2000
#: Mode of asking that changes nothing.
LOOK: Final = "look"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """The files of one kind of process in its data folder.

    Attributes:
        lock: Held by the process for as long as it lives, however it ends.
        process: Its number, written once the lock is held.
        asked, answer: What it is asked, what it says.
        itself: Who asks where a bare signal does.
    """

    lock: str
    process: str
    asked: str
    answer: str
    itself: str

    def ask(self, data: Path, said: dict[str, str], seconds: float = 120.0) -> dict[str, Any] | None:
        """Ask the process that runs on a data folder to read its files again; None where none runs.

        Args:
            said: ``who``, ``reason`` and ``approved_by``; ``mode`` is empty, or ``look`` and the like.
            seconds: How long to wait for its answer.

        Raises:
            TimeoutError: It did not answer in time.
        """
        if not self.is_running(data):
            return None
        disk, ticket = SystemDisk(data), uuid4().hex
        disk.replace(self.asked, orjson.dumps({**said, "ticket": ticket}))
        os.kill(int((data / self.process).read_text()), signal.SIGHUP)
        waited = threading.Event()
        for _ in range(round(seconds / LOOK_S)):
            raw = disk.read(self.answer)
            answer: dict[str, Any] = {} if raw is None else orjson.loads(raw)
            if answer.get("ticket") == ticket:
                return answer
            waited.wait(LOOK_S)
        raise TimeoutError("The process did not answer; look into its log.")

    def is_running(self, data: Path) -> bool:
        """Tell whether a process holds a data folder; it writes its number only after that."""
        if not (data / self.lock).exists() or not (data / self.process).exists():
            return False
        with (data / self.lock).open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def take(self, data: Path) -> dict[str, str]:
        """Take what was asked: ``who``, ``reason``, ``approved_by``, ``ticket``, ``mode``; a bare signal says none."""
        said: dict[str, str] = {"who": self.itself, "reason": "SIGHUP", "approved_by": "", "ticket": "", "mode": ""}
        raw = SystemDisk(data).read(self.asked)
        (data / self.asked).unlink(missing_ok=True)
        try:
            given = orjson.loads(raw) if raw is not None else {}
        except orjson.JSONDecodeError:
            given = {}
        if isinstance(given, dict):
            said |= {key: given[key] for key in said if isinstance(given.get(key), str)}
        return {key: text[: REASON_MAX if key == "reason" else WHO_MAX] for key, text in said.items()}

    def say(self, data: Path, answer: dict[str, Any]) -> None:
        """Leave an answer."""
        SystemDisk(data).replace(self.answer, orjson.dumps(answer))
