"""Children end with their parent, whatever ended it, and keep their words."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from simulators.child import Child

SLEEPER = "import time; print('{\"event\": \"ready\"}', flush=True); print('plain', flush=True); time.sleep(60)"


def wait_until_gone(pid: int) -> None:
    for _ in range(100):
        try:
            status = Path(f"/proc/{pid}/stat").read_text()
        except FileNotFoundError:
            return
        if status.rpartition(")")[2].split()[0] == "Z":
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} outlived its parent")


def hear_first(child: Child) -> list[dict[str, object]]:
    for _ in range(200):
        if heard := child.hear():
            return heard
        time.sleep(0.02)
    pytest.fail("nothing was heard")


def test_json_lines_are_heard_once_and_all_words_kept(tmp_path: Path) -> None:
    child = Child("sleeper", [sys.executable, "-c", SLEEPER], logs=tmp_path)

    assert hear_first(child) == [{"event": "ready"}]
    assert child.hear() == []
    assert child.is_running
    assert child.stop() == -signal.SIGTERM
    assert not child.is_running
    assert child.last_words() == '{"event": "ready"}\nplain'


def test_a_second_start_hears_only_its_own_words(tmp_path: Path) -> None:
    first = Child("sleeper", [sys.executable, "-c", SLEEPER], logs=tmp_path)
    hear_first(first)
    first.kill()
    second = Child("sleeper", [sys.executable, "-c", "print('again')"], logs=tmp_path)
    second.process.wait(10)

    assert second.last_words() == "again"
    assert (tmp_path / "sleeper.log").read_text().startswith('{"event": "ready"}')


@pytest.mark.skipif(sys.platform != "linux", reason="prctl is Linux's own")
def test_kill_9_of_the_parent_ends_the_child(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from simulators.child import Child\n"
        "sleep = [sys.executable, '-c', 'import time; time.sleep(60)']\n"
        f"child = Child('sleeper', sleep, logs=Path({str(tmp_path)!r}))\n"
        "print(child.process.pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    parent.kill()
    parent.wait()
    parent.stdout.close()

    wait_until_gone(pid)
