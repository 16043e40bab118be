"""Sheets: a ledger as a spreadsheet, out and in, with every wrong cell told where it stands.

Flow: file -> [lines] -> [look: headings, cells, codes] -> what would be made and changed, or the mistakes by row
Why: ledgers live in spreadsheets before they live here. A wrong cell among 5,000 rows must be found by its row and
    column, and nothing may be half-written.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection

from alerting.register.field import Choice, Field, Kind, Surroundings, Values, Words
from alerting.register.ledger import Ledger, read_row
from edge.load.workbook import is_workbook, read_lines, write_workbook
from gateway.register import rivals
from gateway.register.reading import of_codes
from gateway.register.record import By, NotDone, Record
from gateway.register.records import put, surround

ROWS_MAX: Final = 20_000
LIST_LETTERS_MAX: Final = 250  # A spreadsheet's own limit of a list of words, less some.


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetMistake:
    """One wrong cell.

    Attributes:
        row: Line of the file, from 1; 0 for the file as a whole.
        column: Heading as it stands in the file; empty for the whole row.
    """

    sheet: str
    row: int
    column: str
    value: str
    rule: Words
    remedy: Words


@dataclass(slots=True, kw_only=True)
class Looked:
    """What an import would do, or why it cannot.

    Attributes:
        new: Values of records that are not there yet.
        changed: Records that are there, with the values that they would have.
        unchanged: How many rows say what is there already.
    """

    rows: int = 0
    new: list[Values] = field(default_factory=list)
    changed: list[tuple[Record, Values]] = field(default_factory=list)
    unchanged: int = 0
    mistakes: list[SheetMistake] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """A file as lines of text cells, with their numbers."""

    sheet: str
    lines: Sequence[tuple[int, Sequence[str]]]
    mistakes: Sequence[SheetMistake] = ()


def write(ledger: Ledger, records: Iterable[Record], name: str, language: str) -> bytes:
    """Write records as a sheet that can be read in again; without records it is the blank form."""
    headings = [each.heading(language) for each in ledger.fields]
    rows = [[_shown(each, one.values.get(each.name), language) for each in ledger.fields] for one in records]
    if not is_workbook(name):
        return write_table("", [headings, *rows], name, language)
    offered = {at: _words(each.choices, language) for at, each in enumerate(ledger.fields, start=1) if each.choices}
    offered = {at: words for at, words in offered.items() if len(",".join(words)) <= LIST_LETTERS_MAX}
    helps = {at: _help(each, language) for at, each in enumerate(ledger.fields, start=1) if each.help}
    title = ledger.title.zh if language == "zh" else ledger.title.en
    return write_workbook(title, [headings, *rows], offered, helps)


def write_table(title: str, lines: Sequence[Sequence[str | float]], name: str, language: str) -> bytes:
    """Write lines as CSV, or as a workbook where the name says so; the first line is the header."""
    if is_workbook(name):
        return write_workbook(title, lines, {}, {})
    out = io.StringIO(newline="")
    csv.writer(out).writerows(lines)
    return out.getvalue().encode("utf-8-sig" if language == "zh" else "utf-8")


def lines_of(content: bytes, name: str) -> Lines:
    """Read a file as lines of text cells."""
    wrong: list[SheetMistake] = []
    if is_workbook(name):

        def tell(row: int, column: int, sentence: str, remedy: str) -> None:
            place = f"column {column}" if column else ""
            said = Words(sentence, f"文件无法按表格读取（{sentence}）")
            wrong.append(_mistake("", row, place, "", said, Words(remedy, "请另存为 .xlsx 后重试。")))

        sheet, lines = read_lines(content, "", tell)
        return Lines(sheet=sheet, lines=lines, mistakes=wrong)
    try:
        said = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            said = content.decode("gb18030")  # What a Chinese spreadsheet program saves as CSV.
        except UnicodeDecodeError:
            rule = Words("it is neither UTF-8 nor GB 18030 text", "不是 UTF-8 或 GB 18030 编码的文本")
            remedy = Words("Save it as CSV UTF-8 or as .xlsx.", "请另存为 UTF-8 CSV 或 .xlsx。")
            return Lines(sheet="", lines=[], mistakes=[_mistake("", 0, "", "", rule, remedy)])
    found: list[tuple[int, list[str]]] = []
    reader = csv.reader(io.StringIO(said, newline=""), strict=True)
    start = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                found.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        rule = Words(f"it is not CSV ({error})", f"不是有效的 CSV（{error}）")
        remedy = Words("Close every quotation mark.", "请检查引号是否成对。")
        wrong.append(_mistake("", start, "", "", rule, remedy))
    return Lines(sheet="", lines=found, mistakes=wrong)


def look(connection: Connection, ledger: Ledger, lines: Lines, around: Surroundings) -> Looked:
    """Look at what an import would do; nothing is written."""
    found = Looked(mistakes=list(lines.mistakes))
    if found.mistakes:
        return found
    if len(lines.lines) > ROWS_MAX + 1:
        rule = Words(
            f"{len(lines.lines) - 1} rows; at most {ROWS_MAX} at once",
            f"共 {len(lines.lines) - 1} 行，一次最多 {ROWS_MAX} 行",
        )
        found.mistakes.append(_mistake(lines.sheet, 0, "", "", rule, Words("Part the file.", "请分批导入。")))
        return found
    if len(lines.lines) < 2:  # noqa: PLR2004 - a header and a row
        rule = Words("it has no row below its headings", "表头下没有数据行")
        remedy = Words("Write a header row and a row for each record.", "请填写表头和数据行。")
        found.mistakes.append(_mistake(lines.sheet, 0, "", "", rule, remedy))
        return found
    header, headings = lines.lines[0]
    columns = _columns(ledger, lines.sheet, header, headings, found.mistakes)
    if columns is None:
        return found
    raws = [
        (number, {each.name: cells[at] if at < len(cells) else "" for at, each in columns.items()})
        for number, cells in lines.lines[1:]
    ]
    found.rows = len(raws)
    around = surround(connection, ledger, [raw for _, raw in raws], around)
    had = of_codes(connection, ledger.id, sorted({raw[ledger.code] for _, raw in raws if raw[ledger.code]}))
    shown = {each.name: headings[at] for at, each in columns.items()}
    seen: dict[str, int] = {}
    for number, raw in raws:
        code = raw[ledger.code]
        there = had.get(code)
        kept = {} if there is None else {name: value for name, value in there.values.items() if name not in raw}
        row = read_row(ledger, {**kept, **raw}, around, None if there is None else there.values)
        for wrong in row.wrongs:
            column = shown.get(wrong.field, ledger.field(wrong.field).heading("en"))
            found.mistakes.append(_mistake(lines.sheet, number, column, wrong.value, wrong.rule, wrong.remedy))
        if code and code in seen:
            rule = Words(f"the same code stands in row {seen[code]}", f"与第 {seen[code]} 行编号重复")
            remedy = Words("Give each record its own code.", "请为每条记录使用不同的编号。")
            found.mistakes.append(_mistake(lines.sheet, number, shown[ledger.code], code, rule, remedy))
        seen.setdefault(code, number)
        if row.wrongs:
            continue
        if there is None:
            found.new.append(row.values)
        elif there.values == row.values:
            found.unchanged += 1
        else:
            found.changed.append((there, row.values))
    for code, wrong in rivals.wrongs(connection, ledger.id, [*found.new, *(values for _, values in found.changed)]):
        column = shown.get(wrong.field, ledger.field(wrong.field).heading("en"))
        found.mistakes.append(_mistake(lines.sheet, seen[code], column, wrong.value, wrong.rule, wrong.remedy))
    return found


def take(
    connection: Connection, ledger: Ledger, found: Looked, by: By, words: Mapping[str, Sequence[str]] | None = None
) -> None:
    """Write what a look found: all of it or nothing.

    Args:
        words: Search words by code, where they were made before the transaction began.

    Raises:
        NotDone: Somebody changed one of the records since the look, or a code was taken.
    """
    now = of_codes(connection, ledger.id, [had.code for had, _ in found.changed])
    for had, _ in found.changed:
        there = now.get(had.code)
        if there is None or there.revision != had.revision:
            said = Words(
                f"{had.code} was changed meanwhile; look at the list once more.",
                f"{had.code} 已被他人修改，请重新查看该文件。",
            )
            raise NotDone("changed_meanwhile", said)
    put(connection, ledger, found.new, found.changed, by, words=words)


def _columns(
    ledger: Ledger, sheet: str, header: int, headings: Sequence[str], mistakes: list[SheetMistake]
) -> dict[int, Field] | None:
    """Find the field of each column; None where the rows cannot be read with them."""
    by_heading: dict[str, Field] = {}
    for each in ledger.fields:
        for word in (each.name, each.heading("en"), each.heading("zh"), each.title.en, each.title.zh):
            by_heading.setdefault(word.casefold(), each)
    columns: dict[int, Field] = {}
    told = len(mistakes)
    for at, heading in enumerate(headings):
        if not heading:
            continue
        known = by_heading.get(heading.casefold())
        if known is None:
            rule = Words("the ledger has no such column", "该台账没有此列")
            remedy = Words(
                f"Remove it, or rename it; columns are: {', '.join(each.heading('en') for each in ledger.fields)}.",
                f"请删除或改名；可用列：{'、'.join(each.heading('zh') for each in ledger.fields)}。",
            )
            mistakes.append(_mistake(sheet, header, heading, heading, rule, remedy))
        elif known in columns.values():
            rule = Words("the same column stands twice", "该列重复")
            mistakes.append(_mistake(sheet, header, heading, heading, rule, Words("Remove one.", "请删除其中一列。")))
        else:
            columns[at] = known
    for each in ledger.fields:
        if each.is_required and each not in columns.values():
            rule = Words(f"column {each.heading('en')} is missing", f"缺少“{each.heading('zh')}”列")
            mistakes.append(_mistake(sheet, header, "", "", rule, Words("Add the column.", "请补充该列。")))
    return columns if len(mistakes) == told else None


def _mistake(sheet: str, row: int, column: str, value: str, rule: Words, remedy: Words) -> SheetMistake:
    return SheetMistake(sheet=sheet, row=row, column=column, value=value, rule=rule, remedy=remedy)


def _shown(of: Field, value: object, language: str) -> str | float:
    if value is None:
        return ""
    if of.kind is Kind.FLAG:
        return ("是" if value else "否") if language == "zh" else ("yes" if value else "no")
    if of.kind is Kind.CHOICE:
        found = next((choice for choice in of.choices if choice.code == value), None)
        return str(value) if found is None else (found.title.zh if language == "zh" else found.title.en)
    return value if isinstance(value, int | float) else str(value)


def _words(choices: Sequence[Choice], language: str) -> list[str]:
    words = [choice.title.zh if language == "zh" else choice.title.en for choice in choices]
    return [word for word in words if "," not in word and '"' not in word]


def _help(of: Field, language: str) -> str:
    assert of.help is not None, "asked only where there is one"
    return of.help.zh if language == "zh" else of.help.en
