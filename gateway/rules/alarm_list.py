"""Alarm list: every alarm of a site with why it is there and what to do, as rows, as a spreadsheet, and back.

Flow: rules in force -> [rows, write] -> page, XLSX, CSV -> edited -> [look: headings, rules, cells] -> changes of rules
Why: rationalisation is done in a meeting over one list (the master alarm database of ISA-18.2-2016, clause 6, and
    IEC 62682:2022; from memory, ``unverified``); a wrong cell among thousands must be found by its row and column.
Never: changes a limit or a tier. These stand in the list to be read; where they differ the row is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from alerting.model.rationale import MINUTES_MOST, TEXTS
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.register.field import Words
from edge.load.words import LANGUAGES, RESERVED, parse_number
from gateway.register.sheets import SheetMistake, lines_of, write_table
from gateway.rules.change import Change

ROWS_MAX: Final = 20_000
LETTERS_MAX: Final = 2_000
#: What is stated of an alarm; the first is the response, the others its rationale.
STATED: Final = ("response", *TEXTS)
WORDS: Final[Mapping[str, Words]] = {
    "rule": Words("Rule", "规则"),
    "title": Words("Tag", "位号名称"),
    "unit": Words("Hazard unit", "危险源单元"),
    "kind": Words("Kind", "类型"),
    "setpoint": Words("Setpoint", "设定值"),
    "eu": Words("Unit of measure", "计量单位"),
    "tier": Words("Tier", "预警等级"),
    "cause_en": Words("Cause (English)", "原因(英文)"),
    "cause_zh": Words("Cause (Chinese)", "原因(中文)"),
    "consequence_en": Words("Consequence (English)", "后果(英文)"),
    "consequence_zh": Words("Consequence (Chinese)", "后果(中文)"),
    "response_en": Words("What to do (English)", "处置措施(英文)"),
    "response_zh": Words("What to do (Chinese)", "处置措施(中文)"),
    "respond_min": Words("Time to respond (min)", "响应时限(分钟)"),
    "basis_en": Words("Basis of the tier (English)", "定级依据(英文)"),
    "basis_zh": Words("Basis of the tier (Chinese)", "定级依据(中文)"),
}
#: Columns that a list may change.
EDITED: Final = frozenset({*(f"{name}_{lang}" for name in STATED for lang in LANGUAGES), "respond_min"})
NO_DATA: Final = (Kind.STALE, Kind.BAD)


def listed(table: RuleTable, *, with_no_data: bool) -> Iterator[Rule]:
    """Give the alarms of the list, in the order of the tags: the site's own, without what the table made for others.

    Args:
        with_no_data: Also STALE and BAD, two of each tag, which have a response of their own.
    """
    for rule in table:
        if rule.is_hidden or rule.id.startswith(f"{RESERVED}."):
            continue
        if with_no_data or rule.kind not in NO_DATA:
            yield rule


def missing(rule: Rule) -> list[str]:
    """Name what is not stated of an alarm: ``response``, ``cause``, ``consequence``, ``basis``, ``respond_min``."""
    why = rule.rationale
    found = [] if any(rule.response.values()) else ["response"]
    found += [name for name in TEXTS if why is None or not why.text(name)]
    return found if why is not None and why.respond_min else [*found, "respond_min"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How far the list is filled in: alarms, and of how many each part is missing."""

    alarms: int = 0
    without: Mapping[str, int] = field(default_factory=dict)


def count(table: RuleTable, *, with_no_data: bool = False) -> Counts:
    """Count what is missing."""
    without = dict.fromkeys((*STATED, "respond_min"), 0)
    alarms = 0
    for rule in listed(table, with_no_data=with_no_data):
        alarms += 1
        for name in missing(rule):
            without[name] += 1
    return Counts(alarms=alarms, without=without)


def stated(rule: Rule, name: str) -> dict[str, str]:
    """Give one text of an alarm by language."""
    if name == "response":
        return dict(rule.response)
    return {} if rule.rationale is None else rule.rationale.text(name)


# ------------------------------------------------------------------------------------------------------- spreadsheet


def write(table: RuleTable, name: str, language: str, *, with_no_data: bool) -> bytes:
    """Write the list as a workbook or CSV that can be read in again."""
    lines: list[list[str | float]] = [[_heading(key, language) for key in WORDS]]
    for rule in listed(table, with_no_data=with_no_data):
        tag = table.tags[table.tags.row_of[rule.tag]]
        cells: dict[str, str | float] = {
            "rule": rule.id,
            "title": tag.title.get(language, rule.tag),
            "unit": tag.unit,
            "kind": rule.kind.name,
            "setpoint": "" if rule.setpoint != rule.setpoint else rule.setpoint,
            "eu": tag.eu,
            "tier": rule.tier.name,
            "respond_min": (rule.rationale.respond_min if rule.rationale else 0.0) or "",
        }
        for text in STATED:
            said = stated(rule, text)
            cells |= {f"{text}_{lang}": said.get(lang, "") for lang in LANGUAGES}
        lines.append([cells[key] for key in WORDS])
    return write_table("报警清单" if language == "zh" else "Alarm list", lines, name, language)


def _heading(key: str, language: str) -> str:
    return WORDS[key].zh if language == "zh" else WORDS[key].en


@dataclass(slots=True, kw_only=True)
class Looked:
    """What a list would change, or the mistakes by row and column."""

    rows: int = 0
    unchanged: int = 0
    changes: list[Change] = field(default_factory=list)
    mistakes: list[SheetMistake] = field(default_factory=list)


def look(table: RuleTable, content: bytes, name: str) -> Looked:
    """Look at a list that comes back; changes nothing.

    Args:
        name: Name of the file: ``.xlsx``, else CSV in UTF-8 or GB 18030.
    """
    read = lines_of(content, name)
    found = Looked(mistakes=list(read.mistakes))
    if found.mistakes:
        return found
    if not 1 <= len(read.lines) - 1 <= ROWS_MAX:  # beside the header
        said = Words(
            f"it has {max(len(read.lines) - 1, 0)} rows; 1 to {ROWS_MAX} are taken", f"应有 1 至 {ROWS_MAX} 行数据"
        )
        found.mistakes.append(
            _wrong(read.sheet, 0, "", "", said, Words("Export the list and fill that in.", "请导出清单后填写。"))
        )
        return found
    (first, headings), *rows = read.lines
    columns = _columns(read.sheet, first, headings, found)
    if found.mistakes:
        return found
    seen: dict[str, int] = {}
    for number, cells in rows:
        given = {key: (cells[at] if at < len(cells) else "") for key, at in columns.items()}
        found.rows += 1
        sheet = _Row(read.sheet, number, {key: headings[at] for key, at in columns.items()}, found)
        change = _change(table, given, seen, sheet)
        if change is not None:
            found.changes.append(change)
    found.unchanged = found.rows - len(found.changes) - len({m.row for m in found.mistakes})
    return found


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that is read, and where its mistakes go."""

    sheet: str
    number: int
    headings: Mapping[str, str]
    found: Looked

    def wrong(self, key: str, value: str, said: Words, remedy: Words) -> None:
        """Note a wrong cell."""
        self.found.mistakes.append(_wrong(self.sheet, self.number, self.headings[key], value, said, remedy))


def _columns(sheet: str, row: int, headings: Sequence[str], found: Looked) -> dict[str, int]:
    known = {said: key for key, words in WORDS.items() for said in (key, words.en, words.zh)}
    columns: dict[str, int] = {}
    for at, heading in enumerate(headings):
        key = known.get(heading.strip())
        if not heading.strip():
            continue
        if key is None:
            said = Words("this heading is not known", "不认识该表头")
            found.mistakes.append(_wrong(sheet, row, heading, "", said, Words("Remove the column.", "请删除该列。")))
        elif key in columns:
            said = Words("this heading stands twice", "表头重复")
            found.mistakes.append(_wrong(sheet, row, heading, "", said, Words("Keep one of them.", "请只保留一列。")))
        else:
            columns[key] = at
    if "rule" not in columns:
        said = Words("the column Rule is missing", "缺少“规则”列")
        found.mistakes.append(
            _wrong(sheet, row, "", "", said, Words("Export the list and fill that in.", "请导出清单后填写。"))
        )
    return columns


def _change(table: RuleTable, given: Mapping[str, str], seen: dict[str, int], row: _Row) -> Change | None:
    """Read a row; None where it changes nothing or is wrong."""
    name, wrong_before = given["rule"], len(row.found.mistakes)
    k = table.index_of.get(name)
    if k is None or table[k].is_hidden or name.startswith(f"{RESERVED}."):
        row.wrong(
            "rule",
            name,
            Words("the site has no such rule", "本站点没有该规则"),
            Words("Write its id as exported.", "请按导出的规则编号填写。"),
        )
        return None
    if name in seen:
        row.wrong(
            "rule",
            name,
            Words(f"it stands in row {seen[name]} already", f"与第 {seen[name]} 行重复"),
            Words("Keep one row.", "请只保留一行。"),
        )
        return None
    seen[name] = row.number
    rule = table[k]
    _check_read_only(rule, given, row)
    wanted: dict[str, Any] = {}
    for text in STATED:
        said = _text(rule, text, given, row)
        if said is not None:
            wanted[text] = said or None
    minutes = _minutes(rule, given, row)
    if minutes is not None:
        wanted["respond_min"] = minutes or None
    return Change(rule=name, set=wanted) if wanted and len(row.found.mistakes) == wrong_before else None


def _check_read_only(rule: Rule, given: Mapping[str, str], row: _Row) -> None:
    remedy = Words("Change it at the rule, not in the list.", "请在规则页修改,不要在清单中修改。")
    if given.get("tier", rule.tier.name) not in ("", rule.tier.name):
        row.wrong("tier", given["tier"], Words(f"in force is {rule.tier.name}", f"现行为 {rule.tier.name}"), remedy)
    if given.get("setpoint") and parse_number(given["setpoint"]) != rule.setpoint:
        row.wrong(
            "setpoint", given["setpoint"], Words(f"in force is {rule.setpoint:g}", f"现行为 {rule.setpoint:g}"), remedy
        )


def _text(rule: Rule, text: str, given: Mapping[str, str], row: _Row) -> dict[str, str] | None:
    """Give a text as the list has it, empty for none any more; None where it is as in force or not in the list."""
    keys = {lang: f"{text}_{lang}" for lang in LANGUAGES if f"{text}_{lang}" in given}
    if not keys:
        return None
    now = stated(rule, text)
    said = {**now, **{lang: given[key].strip() for lang, key in keys.items()}}
    for lang, key in keys.items():
        if len(said[lang]) > LETTERS_MAX:
            row.wrong(
                key,
                f"{said[lang][:40]}…",
                Words(f"it is longer than {LETTERS_MAX} characters", f"超过 {LETTERS_MAX} 字"),
                Words("Make it shorter.", "请缩短。"),
            )
    said = {lang: words for lang, words in said.items() if words}
    first = next(iter(said.values()), "")
    return None if ({lang: said.get(lang, first) for lang in LANGUAGES} if said else {}) == now else said


def _minutes(rule: Rule, given: Mapping[str, str], row: _Row) -> float | None:
    if "respond_min" not in given:
        return None
    cell, now = given["respond_min"].strip(), rule.rationale.respond_min if rule.rationale else 0.0
    minutes = parse_number(cell) if cell else 0.0
    if minutes is None or (cell and not 0 < minutes <= MINUTES_MOST):
        said = Words(
            f"it must be a number above 0, at most {MINUTES_MOST:g}", f"应为大于 0 且不超过 {MINUTES_MOST:g} 的数"
        )
        row.wrong("respond_min", cell, said, Words("Write minutes, e.g. 10.", "请填写分钟数,如 10。"))
        return None
    return None if minutes == now else minutes


def _wrong(sheet: str, row: int, column: str, value: str, rule: Words, remedy: Words) -> SheetMistake:
    return SheetMistake(sheet=sheet, row=row, column=column, value=value, rule=rule, remedy=remedy)
