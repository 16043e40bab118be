"""Every example of the page is right, and every function and limit stands in it."""

import re
from pathlib import Path

import pytest

from alerting.core.expression import read
from alerting.core.expression.check import COUNT_MAX, FUNCTIONS, TIME_S
from alerting.core.expression.lexer import KEYWORDS, TEXT_LENGTH_MAX
from alerting.core.expression.parser import DEPTH_MAX, HEIGHT_MAX, NODES_MAX

PAGE = (Path(__file__).parents[5] / "docs/expressions.md").read_text(encoding="utf-8")
EXAMPLES = [
    text.strip("` ") if not text.startswith("`` ") else text.removeprefix("`` ").removesuffix(" ``")
    for text in re.findall(r"^\| (`.+?`+) \| .+ \| .+ \|$", PAGE.split("## Grammar")[0], re.MULTILINE)
]
UNITS = dict.fromkeys(
    [
        *(
            "TK-101.level",
            "TK-101.level_2",
            "TK-101.inlet_flow",
            "TK-101.temperature",
            "G-1.lel",
            "G-2.lel",
            "G-3.lel",
            "P-1.run",
        ),
        *("XV-1.open", "ESD.word", "PT-1.pressure", "PT-2.pressure", "储罐 1.液位"),
    ],
    "",
) | {"TK-101.level": "m"}


@pytest.mark.parametrize("text", EXAMPLES)
def test_example_is_right(text: str) -> None:
    assert read(text, UNITS)


def test_page_has_examples_functions_units_and_limits() -> None:
    assert len(EXAMPLES) >= 10
    listed = "".join(re.findall(r"^\| (`\w+\(.+) \|", PAGE.split("## Functions")[1], re.MULTILINE))
    assert set(re.findall(r"`(\w+)\(", listed)) == set(FUNCTIONS)
    assert [word for word in (*KEYWORDS, *TIME_S) if f'"{word}"' not in PAGE] == []
    for limit in (f"{TEXT_LENGTH_MAX:,} characters", f"{NODES_MAX} numbers", f"{DEPTH_MAX} levels", f"of {HEIGHT_MAX}"):
        assert limit in PAGE
    assert f"at most {COUNT_MAX}" in PAGE
