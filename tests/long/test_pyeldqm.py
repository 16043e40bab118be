"""The golden leaks and plumes of another program, made anew by that program in an environment of its own."""

import json
from pathlib import Path
from typing import Final

import pytest

from tests.environments import INSTALL_S, MAKE_S, run_with

GOLDEN: Final = Path("tests/golden/physics")
PROGRAM: Final = "pyeldqm==0.1.3"


@pytest.mark.network
@pytest.mark.timeout(INSTALL_S + MAKE_S)
def test_the_other_program_says_today_what_is_kept() -> None:
    made = run_with(PROGRAM, GOLDEN / "make_pyeldqm.py")
    told = json.loads(made)
    kept = json.loads((GOLDEN / "pyeldqm.json").read_text(encoding="utf-8"))

    assert told["version"] == kept["version"]
    assert len(told["cases"]) == len(kept["cases"]) == 20
    for ours, theirs in zip(kept["cases"], told["cases"], strict=True):
        assert ours.keys() == theirs.keys()
        words = {key for key, value in ours.items() if isinstance(value, str)}
        assert {key: ours[key] for key in words} == {key: theirs[key] for key in words}
        numbers = {key: value for key, value in ours.items() if key not in words}
        assert {key: theirs[key] for key in numbers} == pytest.approx(numbers, rel=1e-9)
