"""The golden reaches of heavy clouds, made anew by the other model in an environment of its own."""

import csv
import io
from pathlib import Path
from typing import Final

import pytest

from tests.environments import INSTALL_S, MAKE_S, run_with

GOLDEN: Final = Path("tests/golden/zones")
PROGRAM: Final = "slabx==1.0.7"
NUMBERS: Final = ("slabx_m", "smooth_m")


@pytest.mark.network
@pytest.mark.timeout(INSTALL_S + MAKE_S)
def test_the_other_model_says_today_what_is_kept() -> None:
    made = run_with(PROGRAM, GOLDEN / "make_slabx.py")
    told = list(csv.DictReader(io.StringIO(made)))
    kept = list(csv.DictReader(io.StringIO((GOLDEN / "slabx.csv").read_text(encoding="utf-8"))))

    assert len(told) == len(kept) == 20
    for ours, theirs in zip(kept, told, strict=True):
        assert {key: theirs[key] for key in ours if key not in NUMBERS} == {
            key: ours[key] for key in ours if key not in NUMBERS
        }
        for key in NUMBERS:
            assert float(theirs[key]) == pytest.approx(float(ours[key]), rel=1e-3)
