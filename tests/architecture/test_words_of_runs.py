"""Every plant, fault and amount that a tester may choose has a word on the page, in both languages."""

import re
from pathlib import Path

import pytest

from simulators.instrument.fault import LINE_KINDS, VALUE_KINDS
from simulators.plant.kinds import PLANTS

WORDS = Path(__file__).parents[2] / "dashboards/web/src/words"
KINDS = {**VALUE_KINDS, **LINE_KINDS}


def words(language: str, block: str) -> set[str]:
    text = (WORDS / language / "run.ts").read_text("utf-8")
    (inside,) = re.findall(rf"^  {block}: {{\n(.*?)^  }},", text, re.MULTILINE | re.DOTALL)
    return set(re.findall(r'^    "?([\w-]+)"?: "', inside, re.MULTILINE))


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_a_tester_chooses_from_has_words(language: str) -> None:
    assert words(language, "plants") == set(PLANTS)
    assert words(language, "kinds") == set(KINDS)
    assert words(language, "amounts") == {name for name, kind in KINDS.items() if kind.amount}
