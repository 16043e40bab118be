"""What the loader says of tables of tags and of rules, in Chinese: every sentence that stands in its source."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from edge.load.mistake import Mistake
from edge.load.mistake_zh import WORDS, Chinese
from edge.load.node import is_node_file, load_node
from gateway.load import ConfigError, load
from gateway.load.chinese import chinese as read_words
from tests.sentences import HOLE, ROOT, templates

CHINESE = read_words()
#: Rooms whose sentences people meet: everything that check says, foreign lists, rules, expressions.
ROOMS = [
    *(
        room
        for folder in ("edge/load", "gateway/load", "gateway/load/derived")
        for path in sorted((ROOT / folder).glob("*.py"))
        if (room := f"{folder}/{path.stem}") not in ("edge/load/mistake_zh", "gateway/load/chinese")
    ),
    *(f"edge/tables/{name}" for name in ("kepware", "opened", "own", "registers", "thingsboard", "foreign")),
    *(f"alerting/core/expression/{name}" for name in ("lexer", "parser", "check", "fault")),
    "gateway/rules/change",
    "gateway/tables",
]
#: Texts there that are nobody's mistake: what an operator is told when a rule of the row rings; check's verdict.
ADVICE = re.compile(r"^Check the instruments?\b.*meanwhile\.$|^right\. \{\}|^\{\}; put \{\} right\.$")
#: Three words of English in a row; not those of a form of times, nor what the library that reads TOML says.
ENGLISH = re.compile(r"[A-Za-z']{2,} [a-z']+ [a-z']{2,}")
OWN = re.compile(r'"[^"]*"|“[^”]*”|`[^`]*`|yyyy MM dd HH mm ss|有效的 TOML:.*|表决 [^:]*')
ENVIRON = {
    "FENGSUI_DISTRICT_SECRET": "whsec_" + "c2VjcmV0" * 5,
    "FENGSUI_PLAIN": "hunter2",
    "FENGSUI_CLEAR": "ntfy://tk_hunter2@ntfy.example/{room}",
    "FENGSUI_BLIND": "ntfys://192.168.1.9/room?verify=no",
}
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


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_mistake_that_is_shown_comes_whole_in_chinese(case: Path) -> None:
    """Sentence and remedy, with whose they are before them; what stands in quotation marks is the user's own."""
    path = case / "site.toml"
    with pytest.raises(ConfigError) as caught:
        load_node(path, environ=ENVIRON) if is_node_file(path) else load(path, environ=ENVIRON)
    for mistake in caught.value.mistakes:
        for english, chinese in (
            (mistake.sentence, CHINESE.sentence(mistake)),
            (mistake.remedy, CHINESE.remedy(mistake)),
        ):
            assert chinese is not None, english
            assert not ENGLISH.search(OWN.sub("", chinese)), chinese


def test_keys_of_a_file_keep_their_names_and_columns_have_headings() -> None:
    """Who reads of 高高限 looks for it in the table; in the site file the key is HH."""
    mistake = Mistake(file="site.toml", line=1, path="p", sentence="HH (8) must be above H (9).", remedy="Add kind.")
    assert (CHINESE.sentence(mistake), CHINESE.remedy(mistake)) == ("HH(8)必须高于 H(9)。", "请填写kind。")
    table = replace(mistake, file="tags.csv")
    assert (CHINESE.sentence(table), CHINESE.remedy(table)) == ("高高限(8)必须高于 高限(9)。", "请填写测量类型。")


def test_what_is_doubtful_comes_in_chinese(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\nid = "p"\ntimezone = "UTC"\ntags = ["t.csv"]\n'
        '[[unit]]\nid = "T"\n[[source]]\nid = "gas"\nprotocol = "mqtt"\n'
        'host = "192.0.2.1"\nusername = "u"\npassword_env = "WORD"\nversion = "3.1.1"\n[[source.topic]]\n'
        'pattern = "$share/g/{tag}"\nformat = "number"\n',
        "utf-8",
    )
    (tmp_path / "t.csv").write_text("tag,source,unit,period_s\nG,gas,T,1\n", "utf-8")
    warnings: list[Mistake] = []
    load(site, environ={"WORD": "secret"}, warnings=warnings)
    assert len(warnings) == 6
    for one in warnings:
        for chinese in (CHINESE.sentence(one), CHINESE.remedy(one)):
            assert chinese is not None, one
            assert not ENGLISH.search(OWN.sub("", chinese)), chinese
