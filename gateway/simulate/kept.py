"""Kept: runs of a suite that are done, one line each, so that a long one goes on where it was stopped.

Flow: Run -> [keep] -> JSON lines -> [Ledger] -> Run
Why: a night of runs must not be lost to a power cut, and a run of other rules must not pass for one of these.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from gateway.simulate.mix import Mix
from gateway.simulate.run import Run
from gateway.simulate.score import Lead, Score

#: What a run's outcome hangs on: all code of these rooms, the stories with their sites, and the demonstration's, which
#: a wheel has in a room of its own.
ROOMS: Final = ("alerting", "edge", "gateway", "simulators", "config/demo")
KINDS: Final = (".py", ".toml", ".csv")


def digest_of(root: Path) -> str:
    """Give a name to what is played and what plays it: it changes with any file that may change an outcome."""
    found = hashlib.sha256()
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in KINDS and path.is_file():
                found.update(str(path.relative_to(root)).encode())
                found.update(path.read_bytes())
    return found.hexdigest()[:16]


class Ledger:
    """Runs of one story that are done with the very same files; others in the file are passed over and stay.

    Attributes:
        runs: In the order in which they were kept.
    """

    def __init__(self, path: Path, digest: str) -> None:
        self.path, self.digest = path, digest
        self.runs: list[Run] = []
        if path.is_file():
            self.runs = list(self._read(path.read_text(encoding="utf-8").splitlines()))

    def _read(self, lines: Iterable[str]) -> Iterable[Run]:
        for line in lines:
            try:
                told = json.loads(line)
            except ValueError:  # The line that a power cut cut; its run is played again.
                continue
            if told["digest"] == self.digest:
                yield _run(told["run"])

    def keep(self, run: Run) -> None:
        """Keep a run; on the disk when this returns.

        Raises:
            OSError: It cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        is_cut = self.path.is_file() and not self.path.read_bytes().endswith(b"\n")
        with self.path.open("a", encoding="utf-8") as file:
            file.write(
                "\n" * is_cut + json.dumps({"digest": self.digest, "run": asdict(run)}, ensure_ascii=False) + "\n"
            )
        self.runs.append(run)

    def forget(self) -> None:
        """Begin anew.

        Raises:
            OSError: It cannot be removed.
        """
        self.path.unlink(missing_ok=True)
        self.runs.clear()

    def find(self, seed: int, mix: Mix) -> Run | None:
        """Give the run with that seed and mix, if it is done."""
        return next((run for run in self.runs if (run.seed, run.mix) == (seed, mix)), None)


def _run(told: dict[str, Any]) -> Run:
    score = told.pop("score")
    leads = tuple(Lead(**lead) for lead in score.pop("leads"))
    missed = tuple(dict(why) for why in told.pop("missed"))
    mix = Mix(told.pop("mix"))
    return Run(**told, mix=mix, missed=missed, score=Score(**score, leads=leads))
