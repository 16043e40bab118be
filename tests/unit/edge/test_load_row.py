"""A row that keeps its cells only answers as an entry with a dict does; what rows say alike is kept once."""

from functools import partial
from pathlib import Path

from edge.load.entry import Entry
from edge.load.mistake import Place
from edge.load.reading import Reading
from edge.load.row import Header, Row
from edge.load.sheet import Sheet
from edge.load.tag import Once
from edge.model.title import OneTitle

COLUMNS = ("tag", "H", "title_zh")
CELLS = ("T-1", "", "罐")


def rows() -> tuple[Row, Entry]:
    sheet = Sheet(file="tags.csv", columns=COLUMNS, headings={"tag": "位号"}, lines=[(3, CELLS)])
    reading = Reading(Path("site.toml"), {})
    plain = Entry(
        reading, "Tag T-1", dict(zip(COLUMNS, CELLS, strict=True)), lambda _: Place("tags.csv", 3, "row"), is_row=True
    )
    return Row(reading, Header(sheet), *sheet.lines[0]), plain


def test_a_row_answers_as_an_entry_does() -> None:
    row, plain = rows()
    assert (row.who, dict(row.values)) == (plain.who, plain.values)
    for key in (*COLUMNS, "LL"):
        assert row.has(key) == plain.has(key), key
        assert row.text(key) == plain.text(key), key
        assert row.values.get(key) == plain.values.get(key), key
    for keys in (("H", "LL"), ("LL", "title_zh"), (), COLUMNS):
        assert row.has_any(keys) == plain.has_any(keys), keys
    assert row.titles("title", "T-1") == plain.titles("title", "T-1") == {"en": "罐", "zh": "罐"}
    assert row.titles("response", "") == plain.titles("response", "") == {}


def test_a_row_knows_its_line_and_the_headings_of_its_table() -> None:
    row, _ = rows()
    assert row.place("tag") == Place("tags.csv", 3, "位号")
    assert row.place("H") == Place("tags.csv", 3, "H")
    assert row.place() == Place("tags.csv", 3, "row")
    row.who = "Somebody"
    row.wrong("H", "it is wrong.", "Put it right.")
    (mistake,) = row.reading.mistakes
    assert "tags.csv:3" in str(mistake)
    assert "Somebody: it is wrong." in str(mistake)


def test_like_addresses_are_one_object_and_unlike_ones_are_not() -> None:
    once = Once()
    first = once.address({"register": 1, "scale": 1.0})
    assert once.address({"register": 1, "scale": 1.0}) is first
    assert once.address({"register": 1, "scale": 1}) is not first
    assert str(once.number(-0.0)) == "0.0"
    assert once.number(2.5) is once.number(5.0 / 2)


def test_rows_alike_are_read_once_and_each_is_told_its_mistakes() -> None:
    cells = (("A", "5", ""), ("B", "5", ""), ("C", "x", ""), ("D", "x", ""), ("E", "x", ""))
    lines: list[tuple[int, tuple[str, ...]]] = list(enumerate(cells, start=2))
    sheet = Sheet(file="tags.csv", columns=COLUMNS, headings={}, lines=lines)
    reading = Reading(Path("site.toml"), {})
    reading.mistakes.add(Place("tags.csv", 4, "H"), "Cell B4: it holds a fault.", "Put it right.", closes=True)
    header, once = Header(sheet), Once()
    asked: list[str] = []

    def number(row: Row) -> tuple[float | None]:
        asked.append(row.who)
        return (row.number_or_none("H"),)

    rows_of = [Row(reading, header, *line) for line in lines]
    found = [once.read(row, ("H", "LL"), "d", partial(number, row)) for row in rows_of]
    assert found == [(5.0,), (5.0,), (None,), (None,), (None,)]
    assert asked == ["Tag A", "Tag C", "Tag D", "Tag E"]
    assert sorted(mistake.line for mistake in reading.mistakes) == [4, 5, 6]
    other = Row(reading, header, 7, ("F", "5", ""))
    assert once.read(other, ("H", "LL"), "another device", lambda: number(other)) == (5.0,)
    assert asked[-1] == "Tag F"
    assert once.read(other, ("LL",), "d", lambda: number(other)) == (5.0,)
    assert asked[-2:] == ["Tag F", "Tag F"]


def test_one_title_is_the_dict_that_says_so() -> None:
    title, said = OneTitle("T-1"), {"en": "T-1", "zh": "T-1"}
    assert title == said
    assert said == title
    assert (repr(title), dict(title), title.get("fr")) == (repr(said), said, None)
