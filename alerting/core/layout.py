"""Layout: what a rule table says about the tags of a scan, worked out once for sources that send the same tags again.

Flow: tag rows of a scan -> [layout_of] -> rules to judge, as indexes -> evaluate
Why: who is judged by which rule depends on the rows alone; finding it out cost more than judging.
Never: remembers a value; tells anything that the table does not.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alerting.core.guard import plain_rules
from alerting.core.spread import spread
from alerting.model.rule import Kind, RuleTable
from edge.few import every, some

Indexes = NDArray[np.int64]
Flags = NDArray[np.bool_]

SAMPLES_MAX = 1024  # Larger scans are judged in so few passes that looking them up would not pay.
LAYOUTS_MAX = 2048  # Beyond it all are forgotten: the sources send something else each time.
# Numbers, because a member of an enumeration is slower to look up and to compare with.
HH, STALE, BAD, RANGE = int(Kind.HH), int(Kind.STALE), int(Kind.BAD), int(Kind.RANGE)
EXPRESSION, GATE = int(Kind.EXPRESSION), int(Kind.GATE)
KINDS = max(Kind) + 1


@dataclass(slots=True, eq=False)
class Share:
    """Some rules that look at their own tag alone, in the order of the samples.

    Attributes:
        rules: Indexes in the rule table, (n,).
        place: The sample of each, int64 (n,).
        kind: uint8 (n,).
        is_value, is_stale: Whether it judges values, and whether it is STALE, bool (n,).
        is_data: It is STALE, BAD or RANGE, which let go of whatever sample is good, bool (n,).
    """

    rules: Indexes
    place: Indexes
    kind: NDArray[np.uint8]
    is_value: Flags
    is_stale: Flags
    is_data: Flags
    _valued: "Valued | None" = None

    @property
    def valued(self) -> "Valued":
        """Those that judge values."""
        if self._valued is None:
            at = np.flatnonzero(self.is_value)
            self._valued = Valued(at, self.rules[at], self.place[at], parts_of(self.kind[at]))
        return self._valued

    @classmethod
    def of(cls, table: RuleTable, rules: Indexes, place: Indexes) -> "Share":
        """Look up what kind of rules these are."""
        kind = table.kind[rules]
        is_stale = kind == STALE
        is_data = is_stale | (kind == BAD) | (kind == RANGE)
        return cls(rules, place, kind, table.is_value[rules], is_stale, is_data)


@dataclass(frozen=True, slots=True, eq=False)
class Valued:
    """The rules of a share that judge values: where they are in it, indexes and samples, (v,); places of each kind."""

    at: Indexes
    rules: Indexes
    place: Indexes
    parts: dict[int, Indexes]


def parts_of(kind: NDArray[np.uint8]) -> dict[int, Indexes]:
    """Sort rules by kind, as places among them; the limits, which are compared alike, are one part, under HH."""
    limits = np.flatnonzero(kind <= HH)
    parts = {HH: limits} if len(limits) else {}
    if len(limits) < len(kind):
        there = np.bincount(kind, minlength=KINDS)
        there[: HH + 1] = 0
        parts |= {each: np.flatnonzero(kind == each) for each in np.flatnonzero(there).tolist()}
    return parts


@dataclass(slots=True, eq=False)
class Reached:
    """The rules over several tags that a scan touches, each once, ascending; r of them.

    Attributes:
        rules: Indexes in the rule table, (r,).
        sample: Samples that touch them, rule after rule, (s,).
        start: Where those of each rule begin, (r,).
        inputs: Tag rows that each needs, int32 (r, w).
        by: The first tag row that touches each, int32 (r,).
        is_asked, is_gate: EXPRESSIONs and enable-conditions among them, bool (r,).
        parts: Fixed kinds, EXPRESSIONs and enable-conditions, as places; None where there are none, all for all.
        kinds: Of the fixed kinds the places of each.
    """

    rules: Indexes
    sample: Indexes
    start: Indexes
    inputs: NDArray[np.int32]
    by: NDArray[np.int32]
    parts: tuple[Indexes | None, Indexes | None, Indexes | None]
    kinds: dict[int, Indexes]


@dataclass(slots=True, eq=False)
class Layout:
    """What a table says about some tag rows.

    Attributes:
        alone: All rules that look at their own tag alone.
        is_plain: Which of ``alone`` a guard knows, bool (n,).
        reached: Rules over several tags; None for none.
        at: The rows, as a slice where they are a run: columns of memory need no gathering then.
        always, never: Read-only columns for samples of which all are alike, bool (samples,).
    """

    alone: Share
    is_plain: Flags
    reached: Reached | None
    at: slice | NDArray[np.int32]
    always: Flags
    never: Flags
    _odd: Share | None = None

    def odd(self, table: RuleTable) -> Share:
        """Give those of ``alone`` that no guard knows (``alerting.core.guard.plain_rules``)."""
        if self._odd is None:
            self._odd = Share.of(table, self.alone.rules[~self.is_plain], self.alone.place[~self.is_plain])
        return self._odd

    def without(self, table: RuleTable, quiet: Flags) -> Share:
        """Give the rules to judge where some samples are quiet: all of the others, and those that no guard knows."""
        kept = ~(self.is_plain & quiet[self.alone.place])
        return Share.of(table, self.alone.rules[kept], self.alone.place[kept])


def layout_of(table: RuleTable, rows: NDArray[np.int32]) -> Layout:
    """Give the layout of a scan's rows; remembered from the second time on."""
    if len(rows) > SAMPLES_MAX:
        return _lay_out(table, rows)
    known: dict[bytes, Layout | None] | None = table.made.get("layouts")
    if known is None:
        known = table.made["layouts"] = {}
    key = rows.tobytes()
    found = known.get(key)
    if found is not None:
        return found
    if len(known) >= LAYOUTS_MAX:
        known.clear()
    layout = _lay_out(table, rows)
    known[key] = layout if key in known else None
    return layout


def _lay_out(table: RuleTable, rows: NDArray[np.int32]) -> Layout:
    rules, place = spread(table.first, rows)
    reached = None
    if len(table.many):
        reached = _reach(table, rows, rules, place)
        alone = table.many_of[rules] < 0
        rules, place = rules[alone], place[alone]
    plain = plain_rules(table)[rules]
    always, never = np.ones(len(rows), dtype=np.bool_), np.zeros(len(rows), dtype=np.bool_)
    always.flags.writeable = never.flags.writeable = False
    return Layout(
        alone=Share.of(table, rules, place),
        is_plain=plain,
        reached=reached,
        at=_run_of(rows),
        always=always,
        never=never,
    )


def _run_of(rows: NDArray[np.int32]) -> slice | NDArray[np.int32]:
    """Give rows that follow one another as a slice, others as they are (a copy: the scan's may be a view)."""
    if len(rows) and rows[0] >= 0 and every(rows[1:] - rows[:-1] == 1):
        return slice(int(rows[0]), int(rows[-1]) + 1)
    return rows.copy()


def _reach(table: RuleTable, rows: NDArray[np.int32], own: Indexes, own_at: Indexes) -> Reached | None:
    """Find the rules over several tags that samples touch: by their own tag or by another."""
    if not some(_reached(table)[rows]):
        return None
    is_many = table.many_of[own] >= 0
    there, there_at = spread(table.input_first, rows)
    found = np.concatenate([own[is_many], table.input_rule[there]])
    if len(found) == 0:
        return None
    order = np.argsort(found, kind="stable")
    rules, start = np.unique(found[order], return_index=True)
    kind = table.kind[rules]
    is_asked, is_gate = kind == EXPRESSION, kind == GATE
    parts = [np.flatnonzero(mine) if mine.any() else None for mine in (~is_asked & ~is_gate, is_asked, is_gate)]
    sample = np.concatenate([own_at[is_many], there_at])[order]
    return Reached(
        rules=rules.astype(np.int64),
        sample=sample,
        start=start,
        inputs=table.inputs[table.many_of[rules]],
        by=rows[sample[start]],
        parts=(parts[0], parts[1], parts[2]),
        kinds={} if parts[0] is None else parts_of(kind[parts[0]]),
    )


def _reached(table: RuleTable) -> Flags:
    """Tell which tags have a rule over several tags or are an input of one, bool (tags,); worked out once."""
    if "reached" not in table.made:
        reached = np.diff(table.input_first) > 0
        reached[table.row[table.many_of >= 0]] = True
        table.made["reached"] = reached
    reached_by: Flags = table.made["reached"]
    return reached_by
