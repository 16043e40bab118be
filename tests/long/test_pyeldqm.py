"""The golden leaks and plumes of another program, made anew by that program in an environment of its own.

The environment is kept in ``var/long/pyeldqm``; it holds two hundred libraries that the product must not have.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

HOME: Final = Path("var/long/pyeldqm")
GOLDEN: Final = Path("tests/golden/physics")
PROGRAM: Final = "pyeldqm==0.1.3"
INSTALL_S, MAKE_S = 1_500, 300


def python() -> Path:
    """Give the interpreter of the environment, made where it is missing; skip where there is no network to make it."""
    inside = HOME / "bin" / "python"
    mark = HOME / PROGRAM
    if not mark.is_file():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True, timeout=MAKE_S)
        done = subprocess.run(
            [str(inside), "-m", "pip", "install", "--quiet", PROGRAM], capture_output=True, text=True, check=False,
            timeout=INSTALL_S,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"{PROGRAM} cannot be installed here: {done.stderr.strip().splitlines()[-1:]}")
        mark.touch()
    return inside


@pytest.mark.network
@pytest.mark.timeout(INSTALL_S + MAKE_S)
def test_the_other_program_says_today_what_is_kept() -> None:
    made = subprocess.run(
        [str(python()), str(GOLDEN / "make_pyeldqm.py")], capture_output=True, text=True, check=True, timeout=MAKE_S
    )
    told = json.loads(made.stdout)
    kept = json.loads((GOLDEN / "pyeldqm.json").read_text(encoding="utf-8"))

    assert told["version"] == kept["version"]
    assert len(told["cases"]) == len(kept["cases"]) == 20
    for ours, theirs in zip(kept["cases"], told["cases"], strict=True):
        assert ours.keys() == theirs.keys()
        words = {key for key, value in ours.items() if isinstance(value, str)}
        assert {key: ours[key] for key in words} == {key: theirs[key] for key in words}
        numbers = {key: value for key, value in ours.items() if key not in words}
        assert {key: theirs[key] for key in numbers} == pytest.approx(numbers, rel=1e-9)
