"""A recording read ahead in another process: the same chunks, the same refusals, from any program."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from edge.model import Tag, TagTable
from gateway.backtest.ahead import steps_ahead
from gateway.recording import RecordingError, steps

ROOT = Path(__file__).resolve().parents[4]
TAGS = TagTable([Tag(name="a", source="s"), Tag(name="b", source="s")])
SCRIPT = """
from pathlib import Path
from edge.model import Tag, TagTable
from gateway.backtest.ahead import steps_ahead

print("begins")
tags = TagTable([Tag(name="a", source="s"), Tag(name="b", source="s")])
print(sum(chunk.count for chunk in steps_ahead(Path("recording.csv"), tags, worth=0)), "samples")
"""


def write(folder: Path, lines: list[str]) -> Path:
    path = folder / "recording.csv"
    path.write_text("time,a,b\n" + "".join(line + "\n" for line in lines), encoding="ascii")
    return path


def test_another_process_reads_the_same_and_refuses_the_same(tmp_path: Path) -> None:
    path = write(tmp_path, [f"{1_767_225_600 + n},{n},{n / 8 if n % 3 else ''}" for n in range(1_000)])

    for here, there in zip(steps(path, TAGS), steps_ahead(path, TAGS, worth=0), strict=True):
        np.testing.assert_array_equal(here.values, there.values)
        np.testing.assert_array_equal(here.times_ns, there.times_ns)
        assert (here.count, here.share) == (there.count, there.share)
    path = write(tmp_path, ["1767225600,1,2", "1767225601,1,2,3"])
    with pytest.raises(RecordingError, match="line 3: it has 3 cells"):
        list(steps_ahead(path, TAGS, worth=0))


def test_who_stops_listening_leaves_no_process(tmp_path: Path) -> None:
    path = write(tmp_path, [f"{1_767_225_600 + n},{n},1" for n in range(100)])
    reading = steps_ahead(path, TAGS, worth=0)
    next(reading)
    reading.close()  # A reader that is not waited for would be a warning here, and so a failure.


def test_a_script_need_not_ask_whether_it_is_the_main_one(tmp_path: Path) -> None:
    write(tmp_path, [f"{1_767_225_600 + n},{n},1" for n in range(100)])
    (tmp_path / "script.py").write_text(SCRIPT, encoding="ascii")
    done = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["begins", "200 samples"]
