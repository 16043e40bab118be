"""Environments of their own for other programs that ours are compared with; the product has none of their libraries."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

INSTALL_S: Final = 1_500
MAKE_S: Final = 300


def python_with(program: str) -> Path:
    """Give the interpreter of the environment kept in ``var/long`` for ``program`` (``name==version``).

    It is made where it is missing; where there is no network to make it the test is skipped.
    """
    home = Path("var/long") / program.partition("==")[0]
    inside = home / "bin" / "python"
    mark = home / program
    if not mark.is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(home)], check=True, timeout=MAKE_S)
        done = subprocess.run(
            [str(inside), "-m", "pip", "install", "--quiet", program], capture_output=True, text=True, check=False,
            timeout=INSTALL_S,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"{program} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
        mark.touch()
    return inside


def run_with(program: str, script: Path) -> str:
    """Give what ``script`` prints in the environment of ``program``."""
    return subprocess.run(
        [str(python_with(program)), str(script)], capture_output=True, text=True, check=True, timeout=MAKE_S
    ).stdout
