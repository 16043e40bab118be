"""Tags: rows of the tag tables, as the collectors want them.

The columns that rules are made of are known here and passed by; the gateway reads them from the same rows.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from typing import Any, Final, TypeVar

from edge.config import ModbusOptions
from edge.load.address import read_address
from edge.load.entry import Entry, Span
from edge.load.locate import Path as KeyPath
from edge.load.mistake import Place, meant, show
from edge.load.opcua import read_opcua_address
from edge.load.reading import Reading
from edge.load.register import warn_of_registers
from edge.load.row import Header, Row
from edge.load.sheet import read_sheet
from edge.load.source import PROTOCOLS, SourceDraft, tags_of_topic
from edge.load.sparkplug import tags_of_sparkplug
from edge.load.words import COLUMNS, MODBUS_COLUMNS, OPCUA_COLUMNS, RESERVED, TAG_RULE, is_tag
from edge.model import Nature, Tag
from edge.model.title import OneTitle

PERIOD: Final = Span(least=0.1, most=3600)
STEP: Final = Span(least=0)
FACTS: Final = ("unit", "eu", "kind", "range_lo", "range_hi", "resolution", "period_s")
ADDRESS: Final = ("range_lo", "range_hi", *MODBUS_COLUMNS, *OPCUA_COLUMNS)
T = TypeVar("T")
TITLES: Final = ("title_en", "title_zh")


@dataclass(slots=True)
class TagDraft:
    """A tag with its row, for the rules that are made of the same row."""

    tag: Tag
    row: Entry


@dataclass(frozen=True, slots=True)
class Facts:
    """What a row says of a tag beside its name and address; NaN where there is no range."""

    unit: str
    eu: str
    kind: str
    range_lo: float
    range_hi: float
    resolution: float
    period_s: float


class Once:
    """What tags say alike, read and kept once: like devices have their registers at like places.

    Never: passes by a mistake. What was wrong or doubtful in a row is read anew in the next one that says the same.
    """

    def __init__(self) -> None:
        self._numbers: dict[float, float] = {}
        self._addresses: dict[str, dict[str, Any]] = {}
        self._read: dict[object, Any] = {}

    def read(self, row: Entry, columns: tuple[str, ...], beside: object, read: Callable[[], T]) -> T:
        """Give what a row says in some columns; like rows of one table share what the first of them was read to.

        Args:
            columns: All that ``read`` looks at.
            beside: What else it depends on, hashable.
        """
        if not isinstance(row, Row):
            return read()
        key = columns, beside, row.said(columns)
        found: T | None = self._read.get(key)
        if found is None:
            noted = row.reading.noted
            found = read()
            if row.reading.noted == noted:
                self._read[key] = found
        return found

    def number(self, number: float) -> float:
        """Give the same object for the same number; -0.0 becomes 0.0."""
        return self._numbers.setdefault(number, number + 0.0)

    def address(self, address: dict[str, Any]) -> dict[str, Any]:
        """Give the same dict for the same address; 1 and 1.0 are told apart."""
        return self._addresses.setdefault(repr(address), address)


def rows_of_sheet(reading: Reading, name: str, named_at: Place) -> list[Entry]:
    """Give the rows of one tag table."""
    sheet = read_sheet(reading, name, named_at, known=COLUMNS, needed=("tag", "source"))
    if sheet is None:
        return []
    header = Header(sheet)
    return [Row(reading, header, line, cells) for line, cells in sheet.lines]


def read_tags(
    rows: Iterable[Entry], sources: Sequence[SourceDraft], *, is_complete: bool
) -> tuple[list[TagDraft], list[TagDraft]]:
    """Read all tags, and apart from them those whose names stand already; their rows are judged all the same.

    A tag whose name is wrong keeps it here, so that what names the tag is not told that it does not exist.

    Args:
        sources: Also those that are refused for their id.
        is_complete: All tables could be read; if not, that a source has no tag is no news.
    """
    by_id: dict[str, SourceDraft] = {}
    for source in sources:
        by_id.setdefault(source.name, source)
    once = Once()
    drafts: dict[str, TagDraft] = {}
    refused: list[TagDraft] = []
    for row in rows:
        draft = _read_tag(row, by_id, once)
        name = draft.tag.name
        if name in drafts:
            other = drafts[name].row.place("tag")
            row.wrong("tag", f"it stands twice; {other.file}:{other.line} has it already.", "Give each tag one row.")
        if not name or name in drafts:
            refused.append(draft)
        else:
            drafts[name] = draft
    _check_reach(sources, drafts, refused, is_complete=is_complete)
    warn_of_registers((draft.tag.name, draft.tag.source, draft.tag.address, draft.row) for draft in drafts.values())
    return list(drafts.values()), refused


def _read_tag(row: Entry, sources: Mapping[str, SourceDraft], once: Once) -> TagDraft:
    name = row.required("tag", TAG_RULE, is_tag) or row.text("tag")
    if name.startswith(f"{RESERVED}."):
        row.wrong("tag", f'names that begin with "{RESERVED}." are kept for the gateway itself.', "Rename the tag.")
    source_id = row.required("source", "a tag comes from a source")
    draft = sources.get(source_id)
    if source_id and sources and draft is None:
        row.wrong("source", f"source {show(source_id)} does not exist.", meant(source_id, tuple(sources)))
    facts = once.read(row, FACTS, None, lambda: _read_facts(row, once))
    # What a column of another protocol is told of names the source; a Modbus device's registers are read by its ways.
    beside = source_id if draft is None or draft.source.modbus is None else _ways(draft.source.modbus)
    address = once.read(row, ADDRESS, beside, lambda: once.address(_read_address(row, draft)))
    tag = Tag(
        name=name,
        source=intern(source_id),  # A hundred thousand rows say the same few words.
        title=row.titles("title", name) if row.has_any(TITLES) else OneTitle(name),
        unit=facts.unit,
        eu=facts.eu,
        range_lo=facts.range_lo,
        range_hi=facts.range_hi,
        resolution=facts.resolution,
        period_s=facts.period_s,
        kind=facts.kind,
        address=address,
        nature=Nature.ACTUAL if draft is None else draft.source.nature,
    )
    return TagDraft(tag, row)


def _read_facts(row: Entry, once: Once) -> Facts:
    """Read the columns that every protocol has."""
    lo, hi = row.number_or_none("range_lo"), row.number_or_none("range_hi")
    if lo is not None and hi is not None and lo >= hi:
        row.wrong("range_lo", f"range_lo ({lo:g}) must be below range_hi ({hi:g}).", "Put the instrument range right.")
        lo = hi = None  # What limits would be outside of it is no second mistake.
    return Facts(
        unit=intern(row.text("unit")),
        eu=intern(row.text("eu")),
        kind=intern(row.text("kind")),
        range_lo=math.nan if lo is None else once.number(lo),
        range_hi=math.nan if hi is None else once.number(hi),
        resolution=once.number(row.number("resolution", 0.0, STEP)),
        period_s=once.number(row.number("period_s", 1.0, PERIOD)),
    )


def _ways(options: ModbusOptions) -> tuple[int, int, int, str]:
    """Give what the reading of an address depends on beside its row."""
    return options.coils_from, options.registers_from, options.registers_max, options.order


def _read_address(row: Entry, draft: SourceDraft | None) -> dict[str, Any]:
    """Read the columns that say where a tag is; they are empty for protocols whose topics or frames say it."""
    if draft is None or draft.source.protocol not in PROTOCOLS:
        return {}
    if draft.source.opcua is not None:
        return read_opcua_address(row)
    for column in OPCUA_COLUMNS:
        if row.has(column):
            row.wrong(
                column,
                f"{column} is an OPC UA column; source {draft.name} speaks {draft.source.protocol}.",
                "Leave the cell empty, or name an OPC UA source.",
            )
    if draft.source.modbus is not None:
        return read_address(row, draft.source.modbus)
    for column in MODBUS_COLUMNS:
        if row.has(column):
            row.wrong(
                column,
                f"{column} is a Modbus column; source {draft.name} speaks {draft.source.protocol}.",
                "Leave the cell empty, or name a Modbus source.",
            )
    return {}


def _check_reach(
    sources: Sequence[SourceDraft], tags: Mapping[str, TagDraft], refused: Sequence[TagDraft], *, is_complete: bool
) -> None:
    """Check that sources and tags meet: no source without tag, no tag without topic, no topic without tag."""
    by_source: dict[str, list[TagDraft]] = {}
    for draft in tags.values():
        by_source.setdefault(draft.tag.source, []).append(draft)
    asked = {draft.tag.source for draft in refused}  # that a row is refused does not make its source one without tags
    for source in sources:
        mine = by_source.get(source.name, [])
        if not mine and is_complete and source.source.id and source.name not in asked:
            source.entry.wrong(
                (), "it gives no tag.", f"Add rows with source {source.source.id} to a tag table, or remove the source."
            )
        elif mine and source.source.mqtt is not None and not source.is_twice:
            _check_topics(source, mine)


def _check_topics(source: SourceDraft, mine: Sequence[TagDraft]) -> None:
    assert source.source.mqtt is not None, source.source.id
    names = {draft.tag.name for draft in mine}
    patterns = [tags_of_topic(topic) for topic in source.source.mqtt.topics]
    what, remedy = "topic", "Name it as a topic's tag says, or add a [[source.topic]]."
    if source.source.sparkplug is not None:
        patterns = [tags_of_sparkplug(source.source.sparkplug)]
        what, remedy = "metric", "Name it as tag or node_tag of the source says."
    if None not in patterns and patterns:
        for draft in mine:
            name = draft.tag.name
            if is_tag(name) and not any(pattern and pattern.fullmatch(name) for pattern in patterns):
                draft.row.wrong("tag", f"no {what} of source {source.source.id} can give it.", remedy)
    for entry, topic in zip(source.topics, source.source.mqtt.topics, strict=True):
        fixed: list[tuple[KeyPath, str]] = [(("tags", at), name) for at, name in enumerate(topic.tags)]
        if topic.format in ("json-value", "number"):
            fixed = [(("tag",), topic.tag)]
        for path, name in fixed:
            if name and "{tag}" not in name and name not in names:
                entry.wrong(
                    path,
                    f"tag {show(name)} is not a tag of source {source.source.id}.",
                    f"{meant(name, tuple(names))} Or add a row for it to a tag table.",
                )
