"""Set-up says one sentence with its remedy when it cannot go on, and does nothing when nothing has changed."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SYSTEM_PROGRAMS = (
    "sh",
    "basename",
    "cat",
    "cut",
    "date",
    "dirname",
    "find",
    "sha256sum",
    "sort",
    "tail",
    "xargs",
    "rm",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with bin/ and the locks alone: as far as set-up gets before it needs the rest."""
    folder = tmp_path / "tree"
    shutil.copytree(ROOT / "bin", folder / "bin")
    for name in ("pyproject.toml", "requirements.lock", "requirements-test.lock", "requirements-page.lock"):
        shutil.copy(ROOT / name, folder)
    return folder


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """The only folder on PATH: what every Debian has, and stand-ins that a test writes."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in SYSTEM_PROGRAMS:
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    return folder


def write_program(folder: Path, name: str, body: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def run(command: Path, *arguments: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = dict(os.environ) if path is None else {"PATH": str(path), "HOME": str(path)}
    return subprocess.run(
        [str(command), *arguments], check=False, capture_output=True, text=True, timeout=100, env=environment
    )


def test_ordinary_user_without_venv_is_told_the_one_command(tree: Path, programs: Path) -> None:
    write_program(programs, "id", "echo 1000")
    write_program(programs, "python3", f'case "$*" in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"')
    result = run(tree / "bin" / "run", path=programs)
    assert result.returncode == 1
    assert result.stderr == "set-up: this system lacks python3-venv; install with: sudo apt-get install python3-venv\n"
    assert not (tree / ".venv").exists()


def test_ordinary_user_without_python_is_told_the_one_command(tree: Path, programs: Path) -> None:
    write_program(programs, "id", "echo 1000")
    result = run(tree / "bin" / "test", path=programs)
    assert result.returncode == 1
    assert result.stderr.endswith("install with: sudo apt-get install python3 python3-venv ca-certificates\n")


def test_root_installs_what_is_missing_after_saying_so(tree: Path, programs: Path) -> None:
    write_program(programs, "id", "echo 0")
    write_program(programs, "python3", f'case "$*" in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"')
    write_program(programs, "apt-get", f'echo "$*" >>{tree}/asked; [ "$1" = update ]')
    result = run(tree / "bin" / "run", path=programs)
    assert result.returncode == 1
    assert result.stderr.startswith("set-up: this system lacks python3-venv; installing with apt-get\n")
    assert "apt-get could not install python3-venv" in result.stderr
    assert (tree / "asked").read_text(encoding="utf-8").splitlines()[1].endswith(" python3-venv")


def test_old_python_is_refused_with_remedy(tree: Path, programs: Path) -> None:
    write_program(programs, "python3", "exit 1")
    result = run(tree / "bin" / "run", path=programs)
    assert result.returncode == 1
    assert "older than Python 3.11; install a newer one and name it: PYTHON=python3.13 bin/run" in result.stderr


def test_newer_python_beside_an_old_one_is_taken(tree: Path, programs: Path) -> None:
    write_program(programs, "id", "echo 1000")
    write_program(programs, "python3", "exit 1")
    write_program(programs, "python3.12", f'case "$*" in *ensurepip*) exit 1 ;; esac; exec {sys.executable} "$@"')
    result = run(tree / "bin" / "run", path=programs)
    assert result.stderr.endswith("install with: sudo apt-get install python3.12-venv\n")


def test_unreachable_index_is_one_sentence(tree: Path, programs: Path) -> None:
    write_program(programs, "id", "echo 1000")
    write_program(programs, "python3", f'exec {sys.executable} "$@"')
    (tree / ".venv" / "bin").mkdir(parents=True)
    write_program(tree / ".venv" / "bin", "pip", "exit 1")
    write_program(
        tree / ".venv" / "bin", "python", '[ "$1" = -c ] && exit 0; echo "ERROR: no matching library" >&2; exit 1'
    )
    result = run(tree / "bin" / "run", path=programs)
    assert result.returncode == 1
    *_, words, sentence = result.stderr.splitlines()
    assert words == "ERROR: no matching library"
    assert sentence.startswith("set-up: The libraries could not be installed: check the network and pip's own settings")


@pytest.mark.skipif(not (ROOT / ".venv" / "requirements-test.lock.key").exists(), reason="bin/test was not used here")
def test_second_time_does_nothing_quickly() -> None:
    first = run(ROOT / "bin" / "setup", "test")
    started = time.monotonic()
    second = run(ROOT / "bin" / "setup", "test")
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert second.stderr == ""
    assert time.monotonic() - started < 5.0


def test_scripts_are_good_shell() -> None:
    shellcheck = shutil.which("shellcheck")
    if shellcheck is None:
        pytest.skip("shellcheck is not installed on this machine")
    scripts = [*(ROOT / "bin").iterdir(), *(ROOT / ".ci").iterdir(), ROOT / "deploy/make-env"]
    shell = [path for path in scripts if path.read_text(encoding="utf-8").startswith("#!/bin/")]
    assert {"run", "test", "setup"} <= {path.name for path in shell}
    result = subprocess.run([shellcheck, *map(str, shell)], check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout
