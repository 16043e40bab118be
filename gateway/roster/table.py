"""Table: a roster as people keep it, CSV or XLSX: out, in, and what an import would change.

Flow: file -> [read rows] -> [look: judge each row, compare] -> Looked -> book.exchange
Why: rosters are made in spreadsheets; a list with a wrong row changes nothing, and every wrong row is told.
Never: changes what was, evaluates a formula, takes a list in part.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from alerting.roster.watch import Watch, clash
from edge.load.workbook import is_workbook, read_lines, write_workbook
from gateway.roster.book import Order, RosterError, judge

COLUMNS: Final = ("date", "shift", "post", "person", "substitute", "reason")
HEADINGS: Final = {
    "date": "日期",
    "shift": "班次",
    "post": "岗位",
    "person": "值班人",
    "substitute": "替班人",
    "reason": "原因",
}
NEEDED: Final = COLUMNS[:4]
ROWS_MAX: Final = 20_000
MISTAKES_MAX: Final = 500
#: Signs with which a spreadsheet begins a formula; such a text is not written into CSV as it is.
RUNS: Final = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True, kw_only=True)
class RowMistake:
    """One thing that is wrong in a list: where, and one sentence in each language."""

    line: int
    column: str
    en: str
    zh: str


@dataclass(slots=True, kw_only=True)
class Looked:
    """What an import came to.

    Attributes:
        first, last: The days that the list speaks of; on these days it replaces the roster, where that is not over.
        added, removed: What would come, and what would go.
        past: Rows that were passed by, for their shift is over.
    """

    rows: int = 0
    first: date | None = None
    last: date | None = None
    added: list[Watch] = field(default_factory=list)
    removed: list[Watch] = field(default_factory=list)
    unchanged: int = 0
    past: int = 0
    mistakes: list[RowMistake] = field(default_factory=list)


def export(name: str, watches: Iterable[Watch], language: str) -> bytes:
    """Write watches as a table; the end of the name says whether it is a workbook."""
    head = [HEADINGS[column] if language == "zh" else column for column in COLUMNS]
    lines = [[w.date.isoformat(), w.shift, w.post, w.person, w.substitute, w.reason] for w in watches]
    return write_table("roster" if language == "en" else "值班表", name, head, lines, language)


def write_table(title: str, name: str, head: Sequence[str], lines: Sequence[Sequence[str]], language: str) -> bytes:
    """Write a table of texts, CSV or XLSX."""
    if is_workbook(name):
        return write_workbook(title, [head, *lines], {}, {})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(head)
    writer.writerows([f"'{cell}" if cell.startswith(RUNS) else cell for cell in line] for line in lines)
    return out.getvalue().encode("utf-8-sig" if language == "zh" else "utf-8")  # Spreadsheets know Chinese by the mark.


def read_rows(
    name: str, raw: bytes, headings: Mapping[str, str], needed: Sequence[str], mistakes: list[RowMistake]
) -> list[tuple[int, dict[str, str]]]:
    """Give line and cells by column of each row; what is wrong with the table itself is noted.

    Args:
        headings: Column → what it is called in Chinese; both are known.
        needed: Columns that must be there.
    """

    def tell(row: int, column: int, sentence: str, _remedy: str) -> None:
        where = f"column {column}" if column else ""
        mistakes.append(RowMistake(line=max(row, 1), column=where, en=sentence, zh=f"表格无法读取：{sentence}"))

    if is_workbook(name):
        _, lines = read_lines(raw, "", tell, has_dates=True)
    else:
        lines = _lines_of_text(raw, tell)
    if mistakes:
        return []
    if len(lines) < 1:
        mistakes.append(RowMistake(line=1, column="", en="The table is empty.", zh="表格是空的。"))
        return []
    known = {**{column: column for column in headings}, **{zh: column for column, zh in headings.items()}}
    number, cells = lines[0]
    columns = [known.get(cell.strip(), "") for cell in cells]
    for cell, column in zip(cells, columns, strict=True):
        if cell and not column:
            en = f"Column {cell[:60]!r} is not known; there are {', '.join(headings)}."
            zh = f"不认识的列“{cell[:60]}”；可用的列：{'、'.join(headings.values())}。"
            mistakes.append(RowMistake(line=number, column=cell[:60], en=en, zh=zh))
    for column in needed:
        if columns.count(column) != 1:
            en = f"Column {column!r} must stand in the header once."
            zh = f"表头中必须有且仅有一列“{headings[column]}”。"
            mistakes.append(RowMistake(line=number, column=column, en=en, zh=zh))
    if len(lines) > ROWS_MAX:
        en, zh = f"The table has more than {ROWS_MAX} rows.", f"表格超过 {ROWS_MAX} 行。"
        mistakes.append(RowMistake(line=ROWS_MAX, column="", en=en, zh=zh))
    if mistakes:
        return []
    return [
        (number, {column: cell.strip() for column, cell in zip(columns, cells, strict=False) if column})
        for number, cells in lines[1:]
    ]


def _lines_of_text(raw: bytes, tell: object) -> list[tuple[int, list[str]]]:
    """Read CSV: UTF-8, or GB 18030 as Chinese spreadsheets save it."""
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        try:
            text = raw.decode("gb18030")
        except UnicodeDecodeError:
            assert callable(tell)
            tell(1, 0, "it is neither UTF-8 nor GB 18030.", "")
            return []
    reader = csv.reader(io.StringIO(text.replace("\0", "")))
    return [(reader.line_num, [_bare(cell) for cell in row]) for row in reader if any(cell.strip() for cell in row)]


def _bare(cell: str) -> str:
    """Take off the mark that keeps a spreadsheet from running a cell, which ``write_table`` puts there."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(RUNS) else cell


def look(order: Order, name: str, raw: bytes, kept: Sequence[Watch], known: Iterable[str]) -> Looked:
    """Judge a list, and compare it with what is kept.

    Args:
        kept: All that may be meant: the whole roster.
        known: Users who may be on duty.
    """
    found = Looked()
    rows = read_rows(name, raw, HEADINGS, NEEDED, found.mistakes)
    found.rows = len(rows)
    people = set(known)
    wanted: list[tuple[int, Watch]] = []
    places: set[tuple[date, str, str, str]] = set()
    for line, cells in rows:
        watch = _watch(line, cells, found.mistakes)
        if watch is None:
            continue
        if order.is_over(watch):
            found.past += 1
            continue
        try:
            judge(watch, order.plan, people)
        except RosterError as error:
            found.mistakes.append(RowMistake(line=line, column="", **error.said))
            continue
        if watch.place in places:
            en, zh = "The same person stands in this shift twice.", "同一人在该班次中出现两次。"
            found.mistakes.append(RowMistake(line=line, column="person", en=en, zh=zh))
            continue
        places.add(watch.place)
        wanted.append((line, watch))
    if not rows and not found.mistakes:
        found.mistakes.append(RowMistake(line=1, column="", en="The table has no rows.", zh="表格没有数据行。"))
    if wanted and len(found.mistakes) < MISTAKES_MAX:
        _compare(order, wanted, kept, found)
    return found


def _compare(order: Order, wanted: Sequence[tuple[int, Watch]], kept: Sequence[Watch], found: Looked) -> None:
    """Tell what would come and go, and which rows have one person at two places."""
    found.first = min(watch.date for _, watch in wanted)
    found.last = max(watch.date for _, watch in wanted)
    there = [w for w in kept if found.first <= w.date <= found.last and not order.is_over(w)]
    same = {(w.place, w.substitute, w.reason) for w in there}
    asked = {(w.place, w.substitute, w.reason) for _, w in wanted}
    found.removed = [w for w in there if (w.place, w.substitute, w.reason) not in asked]
    found.added = [w for _, w in wanted if (w.place, w.substitute, w.reason) not in same]
    found.unchanged = len(wanted) - len(found.added)
    gone = {w.number for w in found.removed}
    by_day: dict[date, list[Watch]] = {}
    for each in kept:
        if each.number not in gone and (each.place, each.substitute, each.reason) not in asked:
            by_day.setdefault(each.date, []).append(each)
    for line, watch in wanted:
        near = [w for shift in (-1, 0, 1) for w in by_day.get(date.fromordinal(watch.date.toordinal() + shift), ())]
        other = clash(order.plan, near, watch, order.zone)
        if other is not None:
            en = f"{watch.on_duty!r} is on duty at the same time: {other.date} {other.shift}, {other.post}."
            zh = f"“{watch.on_duty}”同一时间已值班：{other.date} {other.shift}，{other.post}。"
            found.mistakes.append(RowMistake(line=line, column="person", en=en, zh=zh))
        by_day.setdefault(watch.date, []).append(watch)


def _watch(line: int, cells: Mapping[str, str], mistakes: list[RowMistake]) -> Watch | None:
    """Read a row."""
    before = len(mistakes)
    for column in NEEDED:
        if not cells.get(column):
            en, zh = f"{column} is empty.", f"“{HEADINGS[column]}”为空。"
            mistakes.append(RowMistake(line=line, column=column, en=en, zh=zh))
    long = next((column for column in COLUMNS if len(cells.get(column, "")) > (500 if column == "reason" else 64)), "")
    if long:
        en, zh = f"{long} is too long.", f"“{HEADINGS[long]}”过长。"
        mistakes.append(RowMistake(line=line, column=long, en=en, zh=zh))
    on = date.min
    try:
        on = date.fromisoformat(cells.get("date", "").replace("/", "-").split(" ")[0])
    except ValueError:
        if cells.get("date"):
            en = f"date {cells['date'][:40]!r} is no day; write it as 2026-11-22."
            zh = f"日期“{cells['date'][:40]}”无法识别，请写成 2026-11-22。"
            mistakes.append(RowMistake(line=line, column="date", en=en, zh=zh))
    if len(mistakes) > before:
        return None
    return Watch(
        date=on,
        shift=cells["shift"],
        post=cells["post"],
        person=cells["person"],
        substitute=cells.get("substitute", ""),
        reason=cells.get("reason", ""),
    )
