"""Lines of TOML keys: published examples, and every key that tomllib finds."""

import tomllib
from pathlib import Path

import pytest

from edge.load.locate import line_of, locate

TEXT = """\
# a comment
title = "x"  # line 2
'quoted key' = 1
"a.b" = { c = 1, d = [1, 2] }
dotted.one.two = 5
text = '''
[not.a.table]
key = "no"
'''
more = \"\"\"
a "" quote \\\"""
[[no]]\"\"\"
list = [
  1,  # one
  { x = 1 },

  [ "#", "]" ],
]
when = 1979-05-27 07:32:00Z

[a.b]
c = +1.5e3
[[source]]
id = "one"
[[source.topic]]
pattern = "p1"
[[source.topic]]
pattern = "p2"
[[source]]
id = "two"
[source.inner]
y = 1
[[ source . topic ]]
pattern = "p3"
"""

#: Path and line, counted by hand.
LINES = [
    (("title",), 2),
    (("quoted key",), 3),
    (("a.b",), 4),
    (("a.b", "d", 1), 4),
    (("dotted", "one", "two"), 5),
    (("text",), 6),
    (("more",), 10),
    (("list", 0), 14),
    (("list", 1, "x"), 15),
    (("list", 2), 17),
    (("list", 2, 1), 17),
    (("when",), 19),
    (("a", "b"), 21),
    (("a", "b", "c"), 22),
    (("source", 0), 23),
    (("source", 0, "id"), 24),
    (("source", 0, "topic", 0, "pattern"), 26),
    (("source", 0, "topic", 1), 27),
    (("source", 0, "topic", 1, "pattern"), 28),
    (("source", 1), 29),
    (("source", 1, "inner", "y"), 32),
    (("source", 1, "topic", 0, "pattern"), 34),
]


@pytest.mark.parametrize(("path", "line"), LINES)
def test_a_key_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert locate(TEXT)[path] == line


def test_a_missing_key_has_the_line_of_its_table() -> None:
    lines = locate(TEXT)
    assert line_of(lines, ("source", 1, "topic", 0, "value")) == 33
    assert line_of(lines, ("source", 7, "id")) == 23
    assert line_of(lines, ("nothing",)) == 1


def paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inside: list[tuple[str | int, ...]] = []
    if isinstance(value, dict):
        inside = [deep for key, item in value.items() for deep in paths(item, (*path, key))]
    elif isinstance(value, list):
        inside = [deep for at, item in enumerate(value) for deep in paths(item, (*path, at))]
    return [path, *inside]


@pytest.mark.parametrize(
    "text", [TEXT, *(Path(p).read_text("utf-8") for p in ("pyproject.toml", "config/example/site.toml"))]
)
def test_every_key_that_tomllib_finds_is_located_on_a_line_that_holds_it(text: str) -> None:
    """tomllib is the program from outside."""
    lines = locate(text)
    rows = text.splitlines()
    found = paths(tomllib.loads(text))
    assert set(found) == set(lines)
    for path in found:
        if path and isinstance(path[-1], str):
            assert path[-1] in rows[lines[path] - 1], path
