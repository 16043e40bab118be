"""Tag: one measured or computed point, and the table of all tags of a site."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.model.nature import Nature


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One point.

    Attributes:
        name: Unique in the site, e.g. ``TK-101.level``.
        title: What people call it, by language, e.g. ``{"en": "TK-101 level", "zh": "TK-101 液位"}``.
        source: Id of the source that gives it.
        unit: Id of the hazard unit it belongs to; empty for none.
        eu: Engineering unit of the scaled value, e.g. ``m``; empty for none.
        range_lo, range_hi: Instrument range in ``eu``; a value outside is BAD(range). NaN for none.
        resolution: Smallest step that matters, in ``eu``; 0 means keep values exactly.
        period_s: How often the source gives it (its scan class), s.
        kind: What it measures: level, temperature, pressure, flow, gas, count, density, state …
        address: Where it is at its source, protocol-specific (see the collector's README).
        nature: Actual, exercise or test; taken from the source.
    """

    name: str
    source: str
    title: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""
    eu: str = ""
    range_lo: float = float("nan")
    range_hi: float = float("nan")
    resolution: float = 0.0
    period_s: float = 1.0
    kind: str = ""
    address: dict[str, Any] = field(default_factory=dict)
    nature: Nature = Nature.ACTUAL


class TagTable:
    """All tags of a site; a tag's row is its place here, from 0, as ``int32`` in scans."""

    def __init__(self, tags: Sequence[Tag]) -> None:
        self.tags: tuple[Tag, ...] = tuple(tags)
        self.names: tuple[str, ...] = tuple(tag.name for tag in self.tags)
        self.row_of: dict[str, int] = {name: row for row, name in enumerate(self.names)}
        assert len(self.row_of) == len(self.tags), "tag names are unique; the configuration checks it"
        self._rows_of: dict[str, list[int]] = {}
        self.range_lo: NDArray[np.float64] = self._column("range_lo")
        self.range_hi: NDArray[np.float64] = self._column("range_hi")
        self.period_s: NDArray[np.float64] = self._column("period_s")
        self.resolution: NDArray[np.float64] = self._column("resolution")

    def _column(self, name: str) -> NDArray[np.float64]:
        return np.array([getattr(tag, name) for tag in self.tags], dtype=np.float64)

    def rows_of_source(self, source: str) -> NDArray[np.int32]:
        """Give the rows of one source's tags, ascending, int32 (n,)."""
        if not self._rows_of:
            for row, tag in enumerate(self.tags):
                self._rows_of.setdefault(tag.source, []).append(row)
        return np.array(self._rows_of.get(source, ()), dtype=np.int32)

    def __len__(self) -> int:
        return len(self.tags)

    def __iter__(self) -> Iterator[Tag]:
        return iter(self.tags)

    def __getitem__(self, row: int) -> Tag:
        return self.tags[row]
