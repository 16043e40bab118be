"""What the loader says of tables of tags and of rules, in Chinese: every sentence that stands in its source."""

import re
from pathlib import Path

import pytest

from edge.load.mistake import Mistake
from edge.load.mistake_zh import WORDS, Chinese
from gateway.load import ConfigError, load
from gateway.load.chinese import CHINESE
from tests.sentences import HOLE, ROOT, templates

#: Rooms whose sentences people meet on the page: rows of tables, foreign lists, rules, expressions.
ROOMS = [
    *(f"edge/load/{name}" for name in ("address", "entry", "mistake", "register", "sheet", "tag", "template")),
    *(f"edge/load/{name}" for name in ("workbook", "opcua", "reading", "share", "__init__")),
    *(f"edge/tables/{name}" for name in ("kepware", "opened", "own", "registers", "thingsboard", "foreign")),
    *(f"gateway/load/{name}" for name in ("condition", "drift", "enable", "expression", "own", "rule", "silent")),
    *(f"gateway/load/{name}" for name in ("trend", "vote", "overlay", "schedule")),
    *(f"alerting/core/expression/{name}" for name in ("lexer", "parser", "check", "fault")),
    "gateway/rules/change",
    "gateway/tables",
]
#: Texts in those rooms that are nobody's mistake: what an operator is told to do when a rule of the row rings.
ADVICE = re.compile(r"^Check the instruments?\b.*meanwhile\.$")
CASES = sorted((Path(__file__).parents[2] / "golden" / "config").iterdir())


def said(text: str, who: str = "Tag T-1.x: ") -> str | None:
    return CHINESE.sentence(Mistake(file="f", line=1, path="p", sentence=f"{who}{text}", remedy=""))


@pytest.mark.parametrize("room", ROOMS)
def test_every_sentence_remedy_and_note_has_a_chinese_one(room: str) -> None:
    found = [text for text in templates(ROOT / f"{room}.py") if not ADVICE.match(text)]
    missing = []
    for text in found:
        holes = text.count(HOLE)
        filled = text
        for number in range(holes):
            filled = filled.replace(HOLE, str(71 + number), 1)
        chinese = said(filled, "") or said(filled)
        if chinese is None or not re.search("[\u4e00-\u9fff]", chinese):
            missing.append(text)
    assert missing == []


def test_the_rooms_are_read() -> None:
    """A reader that finds nothing would find nothing missing."""
    found = {text for room in ROOMS for text in templates(ROOT / f"{room}.py")}
    assert len(found) > 300
    assert {"“{}” is no byte order.", "Add {}.", "a bracket has no partner."} <= found


def test_what_is_told_holds_the_same_values() -> None:
    english = '"7 bar" is no number.'
    assert CHINESE.said("Row 12 (LT-101): “AX” is no byte order.") == "第 12 行(LT-101):“AX”不是字节序。"
    assert CHINESE.said(english) == '"7 bar" 不是数。'
    assert CHINESE.said('Did you mean "uint16"?') == "是否为“uint16”?"
    assert said("length is given; float32 has its own.") == "位号 T-1.x:填写了长度,而 float32 的长度是固定的。"
    assert said("no topic of source gas can give it.") == "位号 T-1.x:数据源 gas 没有能给出该位号的主题。"
    counted = "Manuals count from 1 and put the table's digit before: that is register 3 of table holding."
    assert CHINESE.said(counted) == "手册从 1 起数并在前面加表号:那是 holding 表的寄存器 3。", "another order"
    assert CHINESE.said('Did you mean "tank-1"? Or remove it.') == "是否为“tank-1”?或删除它。"


def test_what_is_not_known_stays_english_and_whole() -> None:
    assert CHINESE.said("Row 12: the moon is made of green cheese.") is None
    assert said("high is 7; the moon is made of green cheese.") is None


def test_words_in_the_files_are_used_and_whole() -> None:
    with pytest.raises(ValueError, match="two languages"):
        Chinese([ROOT / "pyproject.toml"])
    lines = [line.partition("|") for line in WORDS.read_text("utf-8").splitlines()]
    for english, _, chinese in lines:
        assert chinese.count("{") <= english.count("{") + 1, english


@pytest.mark.parametrize("case", [one for one in CASES if one.name.startswith("csv_")], ids=lambda case: case.name)
def test_mistakes_of_tables_come_with_remedies_in_chinese(case: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(case / "site.toml", environ={})
    for mistake in caught.value.mistakes:
        assert CHINESE.sentence(mistake), mistake.sentence
        assert CHINESE.said(mistake.remedy), mistake.remedy
