"""Checkpoint: live values and filters of the core, every 10 s and at shutdown.

Why: alarms and delays are exact through the tick's transaction; rates and last values may lose 10 s (design §3, Pure).
Content: an ``npz`` of columns with the names they belong to, so that a changed configuration keeps what still fits.
"""

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, delete, insert, select

from alerting.core import Memory
from alerting.core.derived.state import freeze, thaw
from alerting.core.memory import LINE_COLUMNS, steps_of
from alerting.desk import Desk
from alerting.model.derivation import DERIVED
from alerting.model.rule import Kind, Rule
from edge.model import Nature
from gateway.store import schema
from gateway.store.npz import pack_npz

TAG_COLUMNS = ("last_ns", "value", "value_ns", "quality")
RATE_COLUMNS = ("ring_ns", "ring_value")
TREND_COLUMNS = ("trend_ns", "trend_state")
LINES = "lines"  # Names of the TREND rules with blocks.
DRIFT_COLUMNS = ("drift_ns", "drift_state")
SEASON_COLUMNS = ("season", "season_days")
FROZEN_COLUMNS = ("anchor", "flat")


def pack(desk: Desk, nature: Nature) -> bytes:
    """Copy one nature's memory into bytes."""
    memory = desk.memory(nature)
    columns: dict[str, Any] = {
        name: getattr(memory, name)
        for name in (
            *TAG_COLUMNS,
            *RATE_COLUMNS,
            *TREND_COLUMNS,
            *LINE_COLUMNS,
            *DRIFT_COLUMNS,
            *SEASON_COLUMNS,
            "season_at",
            *FROZEN_COLUMNS,
            "mark_ns",
        )
    }
    columns |= _names(desk)
    columns |= memory.formulas.freeze()
    columns["sources"] = _written(list(memory.source_of))
    columns |= freeze(desk.derived, desk.derived_states[nature])
    return pack_npz(columns)


def _names(desk: Desk) -> dict[str, NDArray[np.bytes_]]:
    """Name what the columns belong to; worked out once for a table."""
    if "checkpoint_names" not in desk.table.made:
        names = {
            "tags": list(desk.table.tags.names),
            "rates": _rates(desk),
            "trends": _filters(desk),
            LINES: _lines(desk),
            "drifts": _drifts(desk),
            "frozen": _frozen(desk),
        }
        desk.table.made["checkpoint_names"] = {name: _written(column) for name, column in names.items()}
    found: dict[str, NDArray[np.bytes_]] = desk.table.made["checkpoint_names"]
    return found


def _written(names: list[str]) -> NDArray[np.bytes_]:
    """Write names as UTF-8: a quarter of what four bytes a character take, 3 MB a checkpoint of 100,000 tags."""
    return np.array([name.encode() for name in names], dtype=np.bytes_)


def _read(column: NDArray[Any]) -> list[str]:
    """Read names; those of older checkpoints lie there as text."""
    told: list[Any] = column.tolist()
    return [name.decode() if isinstance(name, bytes) else str(name) for name in told]


def unpack(desk: Desk, nature: Nature, content: bytes) -> None:
    """Put a memory back, tag by tag and rule by rule where the names still fit."""
    memory = desk.memory(nature)
    with np.load(io.BytesIO(content), allow_pickle=False) as columns:
        here, there = _match(desk.table.tags.names, columns["tags"])
        for name in TAG_COLUMNS:
            getattr(memory, name)[here] = columns[name][there]
        here, there = _match(_rates(desk), columns["rates"])
        for name in RATE_COLUMNS:
            getattr(memory, name)[here] = columns[name][there]
        if "trends" in columns and columns["trend_state"].shape[1:] == memory.trend_state.shape[1:]:
            here, there = _match(_filters(desk), columns["trends"])
            for name in TREND_COLUMNS:
                getattr(memory, name)[here] = columns[name][there]
        if LINES in columns and columns["block_ns"].shape[1:] == memory.block_ns.shape[1:]:
            here, there = _match(_lines(desk), columns[LINES])
            for name in LINE_COLUMNS:
                getattr(memory, name)[here] = columns[name][there]
        if "drifts" in columns and columns["drift_state"].shape[1:] == memory.drift_state.shape[1:]:
            _unpack_drifts(desk, memory, columns)
        memory.formulas.thaw(columns)
        if "frozen" in columns and columns["flat"].shape[1:] == memory.flat.shape[1:]:
            here, there = _match(_frozen(desk), columns["frozen"])
            for name in FROZEN_COLUMNS:
                getattr(memory, name)[here] = columns[name][there]
        thaw(desk.derived, desk.derived_states[nature], columns)
        # Derived tags have no committed mark that follows; with an old one their silence would never be over.
        sources = _read(columns["sources"])
        here, there = _match(list(memory.source_of), columns["sources"])
        is_measured = np.array([not sources[at].startswith(f"{DERIVED}:") for at in there], dtype=np.bool_)
        memory.mark_ns[here[is_measured]] = columns["mark_ns"][there[is_measured]]
    memory.timers.forget()


def _unpack_drifts(desk: Desk, memory: Memory, columns: Mapping[str, NDArray[Any]]) -> None:
    here, there = _match(_drifts(desk), columns["drifts"])
    for name in DRIFT_COLUMNS:
        getattr(memory, name)[here] = columns[name][there]
    to, of = steps_of(memory.season_at[here]), steps_of(columns["season_at"][there])
    for name in SEASON_COLUMNS:
        getattr(memory, name)[to] = columns[name][of]


def _rates(desk: Desk) -> list[str]:
    return [rule.id for rule in _of_kind(desk, Kind.RATE)]


def _drifts(desk: Desk) -> list[str]:
    """Name the detector of each DRIFT rule by all that shapes what it has learnt."""
    found = []
    for rule in _of_kind(desk, Kind.DRIFT):
        if rule.drift is not None:
            tag = desk.table.tags[desk.table.tags.row_of[rule.tag]]
            drift = rule.drift
            found.append(f"{rule.id} {drift.season} {drift.span_s:g} {drift.base_s:g} {tag.period_s:g}")
    return found


def _filters(desk: Desk) -> list[str]:
    """Name the filter of each TREND rule by all that shapes it, so that one with another gain starts anew."""
    trends = _of_kind(desk, Kind.TREND)
    period_s = desk.table.trends.period_s.tolist()
    return [
        f"{rule.id} {rule.alpha:g} {period:g}" if rule.blocks is None else _line(rule, period)
        for rule, period in zip(trends, period_s, strict=True)
    ]


def _lines(desk: Desk) -> list[str]:
    """Name the blocks of each TREND rule that has some, likewise."""
    trends = [rule for rule in desk.table if rule.kind is Kind.TREND]
    pairs = zip(trends, desk.table.trends.period_s.tolist(), strict=True)
    return [_line(rule, period) for rule, period in pairs if rule.blocks is not None]


def _line(rule: Rule, period_s: float) -> str:
    assert rule.blocks is not None, rule.id
    return f"{rule.id} {rule.blocks.line} {rule.blocks.block_s:g} {rule.blocks.count} {period_s:g}"


def _frozen(desk: Desk) -> list[str]:
    return [rule.id for rule in _of_kind(desk, Kind.FROZEN)]


def _of_kind(desk: Desk, kind: Kind) -> list[Rule]:
    """Give the rules of a kind without looking at all others."""
    return [desk.table[k] for k in np.flatnonzero(desk.table.kind == kind).tolist()]


def save(connection: Connection, now_ns: int, contents: dict[Nature, bytes]) -> None:
    """Write the checkpoints of all natures."""
    for nature, content in contents.items():
        connection.execute(delete(schema.checkpoint).where(schema.checkpoint.c.name == nature.value))
        connection.execute(insert(schema.checkpoint).values(name=nature.value, time_ns=now_ns, content=content))


def load(connection: Connection, desk: Desk) -> None:
    """Put all checkpoints back; before the marks and delays, which are newer."""
    for row in connection.execute(select(schema.checkpoint)):
        unpack(desk, Nature(row.name), row.content)


def _match(here: Sequence[str], there: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    place = {name: index for index, name in enumerate(_read(there))}
    pairs = [(index, place[name]) for index, name in enumerate(here) if name in place]
    columns = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return columns[:, 0], columns[:, 1]
