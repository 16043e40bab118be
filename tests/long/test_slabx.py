"""The golden reaches of heavy clouds, made anew by the other model in an environment of its own.

The environment is kept in ``var/long/slabx``: a model to compare with is no part of the product.
"""

import csv
import io
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

HOME: Final = Path("var/long/slabx")
GOLDEN: Final = Path("tests/golden/zones")
PROGRAM: Final = "slabx==1.0.7"
INSTALL_S, MAKE_S = 900, 300
NUMBERS: Final = ("slabx_m", "smooth_m")


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
def test_the_other_model_says_today_what_is_kept() -> None:
    made = subprocess.run(
        [str(python()), str(GOLDEN / "make_slabx.py")], capture_output=True, text=True, check=True, timeout=MAKE_S
    )
    told = list(csv.DictReader(io.StringIO(made.stdout)))
    kept = list(csv.DictReader(io.StringIO((GOLDEN / "slabx.csv").read_text(encoding="utf-8"))))

    assert len(told) == len(kept) == 20
    for ours, theirs in zip(kept, told, strict=True):
        assert {key: theirs[key] for key in ours if key not in NUMBERS} == {
            key: ours[key] for key in ours if key not in NUMBERS
        }
        for key in NUMBERS:
            assert float(theirs[key]) == pytest.approx(float(ours[key]), rel=1e-3)
