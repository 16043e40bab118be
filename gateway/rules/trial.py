"""Trial: rules as they are and as they would be, carried over the same samples; what would have rung, and when.

Flow: Tried (rules of both, samples) -> [carry twice] -> trips of each changed rule, advice -> figures as plain data
Why: a person who moves a limit at a desk sees what last month would have been like with it.
Never: judges by itself: the carrier is the backtest's, and every trip comes from the same turn as live. Runs in a
process of its own (``python -m gateway.rules.trial``), at low priority, so that the road has the machine to itself.
"""

import os
import pickle
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from alerting import kpi
from alerting.model.rule import LIMITS, Rule, RuleTable
from edge.config import Source
from edge.model import Tag, TagTable
from gateway.backtest.advice import advise
from gateway.backtest.carry import Carrier
from gateway.backtest.profile import Profile
from gateway.backtest.score import DAY_NS, Heard
from gateway.config import Site
from gateway.load.overlay import written
from gateway.recording import Samples, lay_out

PARTS: Final = 20  # Steps of the progress, a pass.
POINTS: Final = 600
TRIPS_MAX: Final = 500  # Excursions told of one rule; the figures count all.
NICE: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What is to be tried.

    Attributes:
        tags: Those that the changed rules look at.
        before, after: Rules on these tags, in force and as they would be.
        rules: Ids of the changed ones.
        times_ns, rows, values, quality: Samples of these tags, times never falling, (n,).
    """

    tags: tuple[Tag, ...]
    before: tuple[Rule, ...]
    after: tuple[Rule, ...]
    rules: tuple[str, ...]
    times_ns: NDArray[np.int64]
    rows: NDArray[np.int32]
    values: NDArray[np.float64]
    quality: NDArray[np.uint8]


def subject(tags: TagTable, old: RuleTable, new: RuleTable, rules: Sequence[str]) -> Tried:
    """Collect what changed rules need: their tags, and all rules that look at no others; without samples."""
    both = [table[table.index_of[name]] for table in (old, new) for name in rules if name in table.index_of]
    names = sorted({name for rule in both for name in rule.inputs}, key=tags.row_of.__getitem__)
    mine = set(names)
    empty = np.empty(0)
    return Tried(
        tags=tuple(tags[tags.row_of[name]] for name in names),
        before=tuple(rule for rule in old if mine.issuperset(rule.inputs)),
        after=tuple(rule for rule in new if mine.issuperset(rule.inputs)),
        rules=tuple(rules),
        times_ns=empty.astype(np.int64),
        rows=empty.astype(np.int32),
        values=empty,
        quality=empty.astype(np.uint8),
    )


def try_rules(tried: Tried, progress: Callable[[float], None]) -> dict[str, Any]:
    """Carry both sets of rules over the samples and compare.

    Args:
        progress: Told how much is done, 0 to 1.
    """
    tags = TagTable(tried.tags)
    tables = [RuleTable(list(rules), tags) for rules in (tried.before, tried.after)]
    profile = Profile(tags, [])
    heard = [
        _carry(tags, tables[0], tried, lambda done: progress(done / 2), profile),
        _carry(tags, tables[1], tried, lambda done: progress(0.5 + done / 2)),
    ]
    if len(tried.times_ns) == 0:
        progress(1.0)
        return {
            "days": 0.0,
            "samples": 0,
            "rules": [],
            "alarms": [0, 0],
            "per_day": [None, None],
            "pictures": [],
            "advice": [],
        }
    span = (int(tried.times_ns[0]), int(tried.times_ns[-1]))
    days = (span[1] - span[0]) / DAY_NS
    alarms = [len(each.time_ns) for each in heard]
    return {
        "from_ns": str(span[0]),
        "to_ns": str(span[1]),
        "days": days,
        "samples": len(tried.times_ns),
        "tags": list(tags.names),
        "alarms": alarms,
        "per_day": [n / days if days > 0 else None for n in alarms],
        "rules": [_compared(name, tables, heard, span) for name in tried.rules],
        "pictures": [_picture(tags, row, tried) for row in _drawn(tags, tables, tried.rules)],
        "advice": _advice(tags, tables, tried, profile, heard[0], span),
    }


def _advice(
    tags: TagTable, tables: Sequence[RuleTable], tried: Tried, profile: Profile, heard: Heard, span: tuple[int, int]
) -> list[dict[str, Any]]:
    """Give the tuning advice for the tags that changed rules hang on, by the rules in force over this span."""
    drawn = {tags.names[row] for row in _drawn(tags, tables, tried.rules)}
    found = advise(tables[0], profile, heard, [], span[1])
    return [each.as_json() for each in found if each.tag in drawn and each.proposed is not None]


def _carry(
    tags: TagTable, table: RuleTable, tried: Tried, progress: Callable[[float], None], profile: Profile | None = None
) -> Heard:
    sources = tuple(dict.fromkeys((tag.source, tag.nature) for tag in tags))
    site = Site(
        id="trial",
        title={},
        timezone="UTC",
        sources=tuple(Source(id=name, protocol="replay", nature=nature) for name, nature in sources),
        tags=tags,
        units=(),
        rules=table,
    )
    heard = Heard(table)
    carrier = Carrier(site, heard.tell, heard.hear)
    for part in _parts(tried):
        for steps in lay_out(part):
            carrier.take(steps)
            if profile is not None:
                profile.take(steps)
        progress(part.share)
    return heard


def _parts(tried: Tried) -> Iterator[Samples]:
    """Cut the samples where a time begins, into about equal parts."""
    n = len(tried.times_ns)
    wanted = [n * part // PARTS for part in range(1, PARTS)]
    if n == 0:
        return
    bounds = np.unique(np.array([0, *np.searchsorted(tried.times_ns, tried.times_ns[wanted]).tolist(), n]))
    for first, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        mine = slice(first, end)
        yield Samples(
            times_ns=tried.times_ns[mine],
            rows=tried.rows[mine],
            values=tried.values[mine],
            quality=tried.quality[mine].copy(),
            numbers=np.arange(first, end),
            share=end / n,
        )


def _compared(name: str, tables: Sequence[RuleTable], heard: Sequence[Heard], span: tuple[int, int]) -> dict[str, Any]:
    """Compare the excursions of one rule: which are in both, and by how much earlier or later."""
    found = [table.index_of.get(name) for table in tables]
    rules = [None if k is None else table[k] for k, table in zip(found, tables, strict=True)]
    (before, after) = (
        (np.empty(0, np.int64), np.empty(0, np.int64)) if k is None else each.excursions(k, span[1])
        for k, each in zip(found, heard, strict=True)
    )
    is_lost, is_new, shifts = match(before, after)
    rule = next(each for each in reversed(rules) if each is not None)
    days = (span[1] - span[0]) / DAY_NS
    pair = (before, after)
    return {
        "rule": name,
        "tag": rule.tag,
        "kind": rule.kind.name,
        "eu": tables[0].tags[tables[0].tags.row_of[rule.tag]].eu,
        "tables": [None if each is None else written(each) for each in rules],
        "alarms": [len(start) for start, _ in pair],
        "per_day": [len(start) / days if days > 0 else None for start, _ in pair],
        "active_s": [float((end - start).sum()) / kpi.S for start, end in pair],
        "missed": int(is_lost.sum()),
        "added": int(is_new.sum()),
        "earlier": sum(shift < 0 for shift in shifts),
        "later": sum(shift > 0 for shift in shifts),
        "shift_s_median": median(shifts) if shifts else None,
        "trips": [
            [
                {"from_ms": start // 1_000_000, "to_ms": end // 1_000_000, "is_in_both": not alone}
                for start, end, alone in zip(
                    starts[:TRIPS_MAX].tolist(), ends[:TRIPS_MAX].tolist(), only[:TRIPS_MAX].tolist(), strict=True
                )
            ]
            for (starts, ends), only in zip(pair, (is_lost, is_new), strict=True)
        ],
    }


Excursions = tuple[NDArray[np.int64], NDArray[np.int64]]


def match(before: Excursions, after: Excursions) -> tuple[NDArray[np.bool_], NDArray[np.bool_], list[float]]:
    """Match excursions of two rules that overlap in time.

    Returns:
        Which of the first have no partner, which of the second have none, and for each of the first with one by how
        many s its earliest partner begins later.
    """
    (start, end), (start2, end2) = before, after
    first = np.searchsorted(end2, start, side="left")  # the first that ends no earlier than this begins
    has = np.zeros(len(start), dtype=np.bool_)
    inside = first < len(start2)
    has[inside] = start2[first[inside]] <= end[inside]
    first2 = np.searchsorted(end, start2, side="left")
    has2 = np.zeros(len(start2), dtype=np.bool_)
    inside2 = first2 < len(start)
    has2[inside2] = start[first2[inside2]] <= end2[inside2]
    shifts = ((start2[first[has]] - start[has]) / kpi.S).tolist()
    return ~has, ~has2, shifts


def _drawn(tags: TagTable, tables: Sequence[RuleTable], names: Sequence[str]) -> list[int]:
    """Give the rows of the tags that changed rules hang on."""
    rules = [table[table.index_of[name]] for table in tables for name in names if name in table.index_of]
    return sorted({tags.row_of[rule.tag] for rule in rules})


def _picture(tags: TagTable, row: int, tried: Tried) -> dict[str, Any]:
    """Give the course of a tag, thinned to its least and greatest value of each stretch; gaps are None."""
    mine = (tried.rows == row) & np.isfinite(tried.values)
    times_ns, values = tried.times_ns[mine], tried.values[mine]
    span = (int(tried.times_ns[0]), int(tried.times_ns[-1]) + 1)
    width = max(-(-(span[1] - span[0]) // POINTS), round(tags[row].period_s * 1.5e9), 1)  # no hole between two scans
    bucket = (times_ns - span[0]) // width
    begins = np.flatnonzero(np.diff(bucket, prepend=-1))
    count = int((span[1] - span[0]) // width) + 1
    least, greatest = np.full(count, np.nan), np.full(count, np.nan)
    if len(begins):
        least[bucket[begins]] = np.minimum.reduceat(values, begins)
        greatest[bucket[begins]] = np.maximum.reduceat(values, begins)
    return {
        "tag": tags.names[row],
        "eu": tags[row].eu,
        "time_ms": ((span[0] + np.arange(count) * width) // 1_000_000).tolist(),
        "least": [_or_none(value) for value in least.tolist()],
        "greatest": [_or_none(value) for value in greatest.tolist()],
        "limits": [
            [
                {"rule": rule.id, "kind": rule.kind.name, "setpoint": rule.setpoint}
                for rule in rules
                if rule.tag == tags.names[row] and rule.kind in LIMITS
            ]
            for rules in (tried.before, tried.after)
        ],
    }


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None


def main() -> None:
    """Try what comes in on standard input; say how far it is, and then the result, as JSON lines."""
    os.nice(NICE)
    parent = os.getppid()
    tried = pickle.load(sys.stdin.buffer)  # noqa: S301  # From our own parent, through a pipe that only it writes.

    def say(line: dict[str, Any]) -> None:
        if os.getppid() != parent:  # The gateway is gone; nobody waits for this.
            raise SystemExit(1)
        sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SERIALIZE_NUMPY))
        sys.stdout.buffer.flush()

    say({"result": try_rules(tried, lambda share: say({"share": share}))})


if __name__ == "__main__":
    main()
