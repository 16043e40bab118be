"""kill -9 at any moment loses nothing that was reported committed, doubles nothing and damages nothing."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from edge.model import Tag, TagTable
from gateway.historian.file import HistoryFile, HistoryReader

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
TAGS = TagTable([Tag(name=f"T-{row}", source="a") for row in range(600)])


def test_everything_reported_committed_is_there_after_each_kill(tmp_path: Path) -> None:
    path = tmp_path / "history.db"
    luck = random.Random(20260101)
    first = 1
    reported: set[int] = set()
    for _ in range(4):
        arguments = [sys.executable, str(HERE / "append_until_killed.py"), str(path), str(first)]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True, env=environment) as child:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == str(first), "the first scan is reported"
            reported.add(first)
            time.sleep(luck.uniform(0.05, 0.5))
            child.send_signal(signal.SIGKILL)
            lines = child.stdout.read().split("\n")
        reported |= {int(line) for line in lines[:-1]}  # The last line may be cut.
        first = max(reported) + 10_000

        with closing(HistoryFile(path, TAGS)) as file:
            assert file.connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            reader = HistoryReader(path, TAGS, file.names)
            kept = [reader.samples(row, 0, 1 << 62) for row in (0, 255, 256, 599)]
            reader.close()
        for samples in kept:
            assert reported <= set(samples.times_ns.tolist())
            assert samples.values.tolist() == samples.times_ns.tolist()
            assert samples.times_ns.tolist() == kept[0].times_ns.tolist(), "a scan is kept whole or not at all"

    assert len(reported) > 40
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM chunk").fetchone()[0] > 600, "the kills fell among folds"
