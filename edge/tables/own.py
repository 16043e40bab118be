"""Own: rows of our tag tables out of a site, what differs between two of them, and writing them down.

Flow: FieldDraft -> rows -> CSV text, workbook
Why: what is exported and imported again is the same site; a round trip that loses a column loses a limit.
"""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from edge.load import FieldDraft
from edge.load.heading import heading_of
from edge.load.words import COLUMNS, parse_number, parse_sum

#: Cells by column; an empty cell is left out.
Row: TypeAlias = dict[str, str]

#: Columns whose cells are words, not numbers.
WORDED: Final = frozenset(
    {
        "tag",
        "title_en",
        "title_zh",
        "source",
        "unit",
        "kind",
        "eu",
        "table",
        "type",
        "order",
        "sentinel",
        "map",
        "signal",
        "node_id",
    }
    | {"trend_to", "latching", "response_en", "response_zh"}
    | {column for column in COLUMNS if column.startswith("tier_")}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One tag that differs: column → (before, after), an empty text for an empty cell."""

    tag: str
    cells: dict[str, tuple[str, str]]


@dataclass(slots=True, kw_only=True)
class Difference:
    """What an import does to a table."""

    added: list[str] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: int = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing changes."""
        return not (self.added or self.changed or self.removed)


def rows_of(draft: FieldDraft) -> list[Row]:
    """Give the rows of all tags of a site as they stand in its tables, those of templates filled in."""
    return [_row(tag.row.values) for tag in (*draft.tags, *draft.refused)]


def _row(values: Mapping[str, object]) -> Row:
    row: Row = {}
    for column, value in values.items():
        text = str(value).strip()
        total = None if column in WORDED or "+" not in text else parse_sum(text)
        if text and column in COLUMNS:
            row[column] = text if total is None else str(total)
    return row


def columns_of(rows: Iterable[Row]) -> list[str]:
    """Give the columns that any row uses, in our order; ``tag`` and ``source`` always."""
    used = {"tag", "source"}.union(*rows)
    return [column for column in COLUMNS if column in used]


def csv_of(rows: Sequence[Row], language: str = "en") -> str:
    """Write rows as CSV."""
    columns = columns_of(rows)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([heading_of(column, language) for column in columns])
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return out.getvalue()


def compare(before: Sequence[Row], after: Sequence[Row]) -> Difference:
    """Say what differs, tag by tag; 10.50 and 10.5 are the same number."""
    old = {row["tag"]: row for row in before if "tag" in row}
    new = {row["tag"]: row for row in after if "tag" in row}
    found = Difference(removed=[tag for tag in old if tag not in new])
    for tag, row in new.items():
        if tag not in old:
            found.added.append(tag)
            continue
        cells = {
            column: (old[tag].get(column, ""), row.get(column, ""))
            for column in COLUMNS
            if not _is_same(column, old[tag].get(column, ""), row.get(column, ""))
        }
        if cells:
            found.changed.append(Change(tag=tag, cells=cells))
        else:
            found.unchanged += 1
    return found


def _is_same(column: str, left: str, right: str) -> bool:
    if left == right:
        return True
    numbers = parse_number(left), parse_number(right)
    return column not in WORDED and None not in numbers and numbers[0] == numbers[1]
