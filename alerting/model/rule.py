"""Rule: what is judged about a tag, and the table of all rules as columns."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from enum import IntEnum
from operator import attrgetter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from alerting.model.alarm import digest
from alerting.model.blocks import BLOCKS_LEAST, GAP_SHARE, Blocks, BlockTable
from alerting.model.drift import Drift, DriftTable
from alerting.model.gate import GateTable
from alerting.model.rationale import Rationale
from alerting.model.schedule import Calendar, Schedule
from alerting.model.states import StateTable
from alerting.model.tier import Tier
from alerting.model.vote import VoteTable
from edge.model import Tag, TagTable

if TYPE_CHECKING:
    from alerting.model.compact import Columns

S_TO_NS = 1_000_000_000
T = TypeVar("T", bound=np.generic)


class Kind(IntEnum):
    """Kind of condition. Outermost first within a direction has the higher number."""

    L = 1
    LL = 2
    H = 3
    HH = 4
    RATE = 5  # |rate of change| over a stated window
    STALE = 6  # data stopped coming
    BAD = 7  # quality BAD for longer than t
    TREND = 8  # time to limit: the limit is reached within a horizon if the tag goes on like this
    DRIFT = 9  # left for good where it usually is at this time of the day
    DEVIATION = 10  # |value - reference|, the reference being a number or another tag
    EXPRESSION = 20  # a condition over tags, as in docs/expressions.md
    STATE = 11  # the value is one of some states, or some of its bits have a pattern
    FROZEN = 12  # the value keeps coming and does not change, while it should
    VOTE = 14  # k of n limits stand
    RANGE = 13  # out of the instrument's range, or a fill value, for longer than t
    SCHEDULE = 31  # outside the schedule of rules on tags of one source; made by the table, never rings
    GATE = 30  # an enable-condition of other rules is known to be false; made by the table, never rings


#: A rule as machine code reads it: an exception walks over its tag's rules, which lie next to each other.
RECORD = np.dtype(
    [("setpoint", "f8"), ("deadband", "f8"), ("on_ns", "i8"), ("off_ns", "i8"), ("kind", "u1")], align=True
)
LIMITS = (Kind.L, Kind.LL, Kind.H, Kind.HH)
GROUP = {
    Kind.L: "low",
    Kind.LL: "low",
    Kind.H: "high",
    Kind.HH: "high",
    Kind.RATE: "rate",
    Kind.STALE: "stale",
    Kind.BAD: "bad",
    Kind.TREND: "trend",
    Kind.DRIFT: "drift",
    Kind.DEVIATION: "deviation",
    Kind.EXPRESSION: "expression",
    Kind.STATE: "state",
    Kind.FROZEN: "frozen",
    Kind.RANGE: "range",
    Kind.VOTE: "vote",
    Kind.GATE: "gate",
    Kind.SCHEDULE: "schedule",
}
#: Kinds that no person writes and that never ring.
HIDDEN_KINDS = (Kind.GATE, Kind.SCHEDULE)
#: Kinds whose condition is an expression.
FORMULA_KINDS = (Kind.EXPRESSION, Kind.GATE)
#: Rule groups of what is learnt: alone they are silent, shown and journalled but pushed to nobody (design §3).
SILENT_GROUPS = frozenset({"drift"})
#: Kinds that look at how data comes, not at the value; BAD quality does not pause them.
DATA_KINDS = (Kind.STALE, Kind.BAD, Kind.RANGE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One limit or other condition on one tag.

    Attributes:
        id: ``<tag>.<kind>``, e.g. ``TK-101.level.HH``.
        setpoint: In the tag's engineering unit; per second for RATE; in s for STALE, BAD, RANGE and FROZEN; for TREND
            the limit that the tag runs to; for DRIFT in standard deviations of its statistic; not used by STATE.
        name: Tells rules of one kind on one tag apart; empty for the only one. Part of the alarm's identity.
        reference: What a DEVIATION is measured from: a number in the tag's engineering unit, or the name of a tag.
        when: The text of an EXPRESSION; of a VOTE over tags the one condition of its members.
        asked: Names of the tags that it asks about.
        states: States of a STATE rule; empty where its bits count.
        mask, pattern: Bits of a STATE rule: ``value & mask == pattern``.
        band: How far a FROZEN value may stray from where its flat stretch began, in the tag's engineering unit.
        enable: Expression that says when the rule is judged at all; empty for always.
        enable_asked: Names of the tags that it asks about.
        schedule: Spans of the week in which the rule is judged; None for always.
        while_tag, while_above: Only time in which this tag is above this counts as FROZEN; empty for any time.
        deadband: How far the value must come back, same unit as the setpoint.
        on_delay_s, off_delay_s: How long true before trip, false before clear, s.
        window_s: Span over which a rate is taken, s (RATE only).
        to: Name of the limit that the tag runs to, e.g. ``HH``; empty where it is a number (TREND only, as all below).
        is_falling: The limit is run to from above.
        horizon_s: A time to limit of at most this trips, s.
        alpha: Gain that the level settles at with one sample a period, above 0 and below 1; 0 with blocks.
        samples_min: Samples after a start or gap before the slope is judged; 0 with blocks.
        blocks: The line through block means that it judges by; None for the filter.
        gap_s: After a longer pause between two samples it starts anew, s; 0 for ``period_s / alpha``, with blocks for a
            quarter of the line's span, of a DRIFT for ``span_s``.
        drift: How a DRIFT judges; None for other kinds.
        tier: Tier of the alarm while this condition is active.
        is_latching: The alarm stays until reset although the value came back.
        members: Ids of the limits that vote; a VOTE alone has some, and its setpoint is k.
        keeps_k: k stays while members are out; else each lowers it by one, to 1 at least (VOTE only).
        revision: Rises with each change of this rule; stands on each event, never in an identity.
        response: What the operator should do, by language; an alarm without one is flagged.
        rationale: Why it is there: cause, consequence, time to respond, basis of its tier; None where nobody said.
    """

    id: str
    tag: str
    kind: Kind
    setpoint: float
    tier: Tier
    deadband: float = 0.0
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    window_s: float = 0.0
    to: str = ""
    is_falling: bool = False
    horizon_s: float = 0.0
    alpha: float = 0.0
    samples_min: int = 0
    blocks: Blocks | None = None
    gap_s: float = 0.0
    drift: Drift | None = None
    is_latching: bool = False
    name: str = ""
    reference: float | str = 0.0
    when: str = ""
    asked: tuple[str, ...] = ()
    states: tuple[float, ...] = ()
    mask: int = 0
    pattern: int = 0
    band: float = 0.0
    while_tag: str = ""
    while_above: float = 0.0
    enable: str = ""
    enable_asked: tuple[str, ...] = ()
    schedule: Schedule | None = None
    members: tuple[str, ...] = ()
    keeps_k: bool = False
    revision: int = 1
    response: dict[str, str] = field(default_factory=dict)
    rationale: Rationale | None = None

    @property
    def group(self) -> str:
        """Rule group: the limits of one direction are one alarm, all else is an alarm of its own."""
        group = GROUP[self.kind]
        return f"{group}:{self.name}" if self.name else group

    @property
    def drift_memory(self) -> tuple[str, float, float] | None:
        """What a DRIFT has learnt hangs on these: season, span, baseline."""
        return None if self.drift is None else (self.drift.season, self.drift.span_s, self.drift.base_s)

    @property
    def other(self) -> str:
        """Name of the tag that the value is judged against; empty where the rule looks at its own tag alone."""
        return self.reference if isinstance(self.reference, str) else self.while_tag

    @property
    def is_alone(self) -> bool:
        """Tell whether the rule looks at no other tag than its own; a vote's own tag says how its members stand."""
        return self.kind is Kind.VOTE or not (self.asked or self.while_tag or isinstance(self.reference, str))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of all tags whose last judged values the rule needs, its own first."""
        return tuple(dict.fromkeys((self.tag, *((self.other,) if self.other else ()), *self.asked)))

    @property
    def is_hidden(self) -> bool:
        """Tell whether the rule is there for others alone, as a gate or a member of a vote; people never see it."""
        return self.kind in HIDDEN_KINDS or self.tier is Tier.NONE


def gate_id(enable: str) -> str:
    """Name the gate of an enable-condition; rules that say the same share it."""
    return f"@enable.{digest(enable)}"


def cell_id(rule: Rule, tags: TagTable) -> str:
    """Name the gate of a schedule, one for each source, because each source has a time of its own."""
    assert rule.schedule is not None, rule.id
    return f"@schedule.{digest(rule.schedule.words(), tags[tags.row_of[rule.tag]].source)}"


def with_gates(rules: Sequence[Rule], tags: TagTable) -> list[Rule]:
    """Add the gates that rules ask for and that are not among them yet."""
    gated = [rule for rule in rules if (rule.enable or rule.schedule is not None) and not rule.is_hidden]
    known = {rule.id for rule in rules if rule.is_hidden} if gated else set()
    gates: dict[str, Rule] = {}
    for rule in gated:
        name = gate_id(rule.enable)
        if rule.enable and name not in known:
            gates[name] = Rule(
                id=name,
                tag=rule.enable_asked[0],
                kind=Kind.GATE,
                setpoint=math.nan,
                tier=Tier.NONE,
                name=name,
                when=rule.enable,
                asked=rule.enable_asked,
            )
        name = "" if rule.schedule is None else cell_id(rule, tags)
        if name and name not in known:
            source = tags[tags.row_of[rule.tag]].source
            gates.setdefault(
                name,
                Rule(
                    id=name,
                    tag=tags[int(tags.rows_of_source(source)[0])].name,
                    kind=Kind.SCHEDULE,
                    setpoint=math.nan,
                    tier=Tier.NONE,
                    name=name,
                    schedule=rule.schedule,
                ),
            )
    return [*rules, *gates.values()]


class TrendTable:
    """What the filters of TREND rules need, as columns of equal length n.

    Attributes:
        sign: +1 towards a limit above, -1 towards one below, float64 (n,).
        horizon_s, period_s: float64 (n,).
        drive: Density of the acceleration noise q, in units of the noise of one sample, 1/s^3, float64 (n,); 0 with
            blocks.
        noise_least: Variance that one sample has at least, eu^2, float64 (n,): its rounding, and what is nothing
            beside the limit.
        jump: Excess of outliers in a row that makes them a new course, float64 (n,).
        samples_min: Samples, or blocks, before it is judged, float64 (n,).
        gap_ns: int64 (n,).
        has_blocks: Judged by a line through block means, bool (n,).
        lines: What these ask for, in their order.
    """

    def __init__(self, rules: Sequence[Rule], tags: TagTable) -> None:
        of = [tags[tags.row_of[rule.tag]] for rule in rules]
        self.sign = _column([-1.0 if rule.is_falling else 1.0 for rule in rules])
        self.horizon_s = _column([rule.horizon_s for rule in rules])
        self.period_s = _column([tag.period_s for tag in of])
        self.drive = _column([drive(rule.alpha, tag.period_s) for rule, tag in zip(rules, of, strict=True)])
        self.noise_least = _column(
            [
                max(tag.resolution**2 / 12, (1e-9 * max(1.0, abs(rule.setpoint))) ** 2)
                for rule, tag in zip(rules, of, strict=True)
            ]
        )
        self.jump = _column([max(5.0, 0.4 / rule.alpha) if rule.alpha else 0.0 for rule in rules])
        self.samples_min = _column([float(BLOCKS_LEAST if rule.blocks else rule.samples_min) for rule in rules])
        self.gap_ns: NDArray[np.int64] = np.array(
            [round((rule.gap_s or _usual_gap_s(rule, tag)) * S_TO_NS) for rule, tag in zip(rules, of, strict=True)],
            dtype=np.int64,
        )
        self.has_blocks: NDArray[np.bool_] = np.array([rule.blocks is not None for rule in rules], dtype=np.bool_)
        self.lines = BlockTable(
            [(rule.id, rule.blocks, tag.period_s) for rule, tag in zip(rules, of, strict=True) if rule.blocks]
        )


def _usual_gap_s(rule: Rule, tag: Tag) -> float:
    return GAP_SHARE * rule.blocks.span_s if rule.blocks else tag.period_s / rule.alpha


def drive(alpha: float, period_s: float) -> float:
    """Give the acceleration noise with which the filter of ``alerting.core.trend`` settles at a gain, 1/s^3.

    From the steady state of white acceleration noise in continuous time: with T = 1 and the noise of a sample 1,
    ``alpha^2 = (2 - alpha) beta - beta^2 / 6`` and ``q = beta^2 / (1 - alpha)`` (Bar-Shalom et al. 2001, 6.5.3).
    """
    root = math.sqrt((2 - alpha) ** 2 - alpha**2 * 2 / 3)
    beta = 2 * alpha**2 / (2 - alpha + root)
    return beta**2 / (1 - alpha) / period_s**3


def _column(values: Sequence[float]) -> NDArray[np.float64]:
    return np.array(values, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Author:
    """Who changed rules in one revision, and who approved of it; empty where nobody had to."""

    who: str
    approved_by: str = ""


NOBODY: Mapping[int, Author] = {}


class RuleTable:
    """The same rules as columns, ordered by (tag row, group, kind).

    Attributes:
        authors: By revision who made it, where a person did; stands on the events of the rules that it changed.
        row: Tag row of each rule, int32 (r,).
        kind: ``Kind``, uint8 (r,).
        sign: +1 for H, HH and a rising TREND; -1 for L, LL and a falling one; 0 otherwise, float64 (r,).
            ``sign * v >= sign * setpoint`` is then the comparison of every limit.
        setpoint, deadband: float64 (r,).
        on_ns, off_ns, window_ns: int64 (r,).
        trends: What the filters of the TREND rules need, as columns in the order of these rules.
        drifts: What the DRIFT rules ask for, likewise.
        tier: uint8 (r,).
        is_latching: bool (r,).
        alarm: Index of the alarm that the rule belongs to, int32 (r,).
        first: Rules of tag row t are ``first[t]:first[t + 1]``, int32 (tags + 1,).
        reference: The number that a deviation is measured from, float64 (r,); NaN where it is a tag.
        states: What the STATE rules compare with.
        band, while_above: Of FROZEN rules, float64 (r,).
        flat_ns: How long flat is FROZEN, int64 (r,).
        votes: The VOTE rules and their members.
        has_range: Rules whose tag has a RANGE rule too, bool (r,).
        other_row: Tag row that the rule's value is judged against, int32 (r,); -1 for none.
        is_value: Rules that judge values, so that BAD quality pauses them, bool (r,).
        kinds: The kinds that there are.
        gates: Which rules hang on which gates; the table makes the gates that are not there yet.
        is_formula: Rules whose condition is an expression, bool (r,).
        many: Rules that look at more than their own tag, and all expressions, int64 (m,).
        many_of: Place of a rule in ``many``, int32 (r,); -1 for rules on their own tag alone.
        inputs: Tag rows that each of ``many`` needs, its own first; short ones are filled up with it, int32 (m, w).
        input_first, input_rule: Rules to judge when another than their own tag gets a sample: those of tag row t are
            ``input_rule[input_first[t]:input_first[t + 1]]``, int32 (tags + 1,) and int32 (n,).
    """

    def __init__(self, rules: Sequence[Rule], tags: TagTable, authors: Mapping[int, Author] = NOBODY) -> None:
        from alerting.model.compact import Alarms, Columns, IndexOf, compact  # noqa: PLC0415  # It is made of Rule.

        every = compact(with_gates(rules, tags))
        columns = Columns(every)
        row = _whole(map(tags.row_of.__getitem__, map(attrgetter("tag"), every)), len(every), np.int64)
        sequence, group = _in_order(columns, row)
        columns.of = columns.of[sequence]
        order = [every[k] for k in sequence.tolist()]
        del every
        self.tags = tags
        self.authors = authors
        self.rules: tuple[Rule, ...] = tuple(order)
        self.row: NDArray[np.int32] = row[sequence].astype(np.int32)
        #: What judging a rule needs, of each rule in one place; the columns of these names are views of it.
        self.record: NDArray[Any] = np.zeros(len(order), dtype=RECORD)
        self.record["kind"] = columns.field("kind", np.uint8)
        self.kind: NDArray[np.uint8] = self.record["kind"]
        self.sign: NDArray[np.float64] = np.isin(self.kind, (Kind.H, Kind.HH)).astype(np.float64)
        self.sign -= np.isin(self.kind, (Kind.L, Kind.LL))
        trends = columns.where(lambda r: r.kind is Kind.TREND)
        self.trends = TrendTable([order[k] for k in trends], tags)
        self.sign[trends] = self.trends.sign
        drifts = [order[k] for k in columns.where(lambda r: r.kind is Kind.DRIFT)]
        self.drifts = DriftTable([(r.drift or Drift(), r.setpoint, r.gap_s, tags[tags.row_of[r.tag]]) for r in drifts])
        self.record["setpoint"] = _whole(map(attrgetter("setpoint"), order), len(order), np.float64)
        self.record["deadband"] = columns.field("deadband", np.float64)
        self.setpoint: NDArray[np.float64] = self.record["setpoint"]
        self.deadband: NDArray[np.float64] = self.record["deadband"]
        # "BAD for longer than t" is a delay, and so is RANGE: its setpoint is its on-delay.
        is_held = np.isin(self.kind, (Kind.BAD, Kind.RANGE))
        self.record["on_ns"] = _to_ns(np.where(is_held, self.setpoint, columns.field("on_delay_s", np.float64)))
        self.record["off_ns"] = _to_ns(columns.field("off_delay_s", np.float64))
        self.on_ns: NDArray[np.int64] = self.record["on_ns"]
        self.off_ns: NDArray[np.int64] = self.record["off_ns"]
        self.window_ns: NDArray[np.int64] = _to_ns(columns.field("window_s", np.float64))
        self.tier: NDArray[np.uint8] = columns.field("tier", np.uint8)
        self.is_latching: NDArray[np.bool_] = columns.field("is_latching", np.bool_)
        begins = np.ones(len(order), dtype=np.bool_)
        begins[1:] = (self.row[1:] != self.row[:-1]) | (group[1:] != group[:-1])
        self.alarm: NDArray[np.int32] = (np.cumsum(begins) - 1).astype(np.int32)
        #: Rules of alarm a are ``alarm_first[a]:alarm_first[a + 1]``, outermost last, int32 (alarms + 1,).
        self.alarm_first: NDArray[np.int32] = np.append(np.flatnonzero(begins), len(order)).astype(np.int32)
        #: (tag name, rule group) of each alarm index.
        self.alarms: Sequence[tuple[str, str]] = Alarms(self.rules, self.alarm_first)
        self.first: NDArray[np.int32] = np.searchsorted(self.row, np.arange(len(tags) + 1)).astype(np.int32)
        #: What the core has made of the table, by name, once: compiled expressions.
        self.made: dict[str, Any] = {}
        self.index_of: Mapping[str, int] = IndexOf(self.rules, tags, self.first)
        self.kinds: frozenset[Kind] = frozenset(map(Kind, np.unique(self.kind).tolist()))
        self.is_value: NDArray[np.bool_] = ~np.isin(self.kind, DATA_KINDS)
        self.is_formula: NDArray[np.bool_] = np.isin(self.kind, FORMULA_KINDS)
        gated = columns.where(lambda r: bool(r.enable or r.schedule is not None) and not r.is_hidden)
        self.gates = GateTable(
            len(order),
            {
                k: (
                    self.index_of[gate_id(r.enable)] if r.enable else -1,
                    -1 if r.schedule is None else self.index_of[cell_id(r, tags)],
                )
                for k, r in ((k, order[k]) for k in gated)
            },
            np.flatnonzero(self.kind == Kind.GATE),
            {
                k: Calendar(r.schedule)
                for k, r in ((k, order[k]) for k in columns.where(lambda r: r.is_hidden))
                if r.schedule is not None
            },
            self.row,
        )
        self.reference: NDArray[np.float64] = np.zeros(len(order))
        self.other_row: NDArray[np.int32] = np.full(len(order), -1, dtype=np.int32)
        for k in columns.where(lambda r: bool(r.reference or r.while_tag)):
            rule = order[k]
            self.reference[k] = np.nan if isinstance(rule.reference, str) else rule.reference
            self.other_row[k] = tags.row_of[rule.other] if rule.other else -1
        self.states = StateTable(
            self.kind == Kind.STATE,
            [
                (order[k].states, order[k].mask, order[k].pattern)
                for k in np.flatnonzero(self.kind == Kind.STATE).tolist()
            ],
        )
        self._lay_out_frozen(columns.where(lambda r: r.kind is Kind.FROZEN))
        self.has_range: NDArray[np.bool_] = np.isin(self.row, self.row[self.kind == Kind.RANGE])
        wide = columns.where(lambda r: r.kind in FORMULA_KINDS or not r.is_alone)
        self._index_inputs({k: [tags.row_of[name] for name in order[k].inputs] for k in wide})
        self.votes = VoteTable(
            order,
            np.flatnonzero(self.kind == Kind.VOTE).tolist(),
            np.flatnonzero(self.kind == Kind.STALE).tolist() if Kind.VOTE in self.kinds else (),
            self.index_of,
            tags,
            self.gates.is_gated,
        )

    def _lay_out_frozen(self, frozen: list[int]) -> None:
        """Fill the columns of FROZEN rules; what other rules have in them is never touched, nor held in memory."""
        self.band: NDArray[np.float64] = np.zeros(len(self))
        self.while_above: NDArray[np.float64] = np.zeros(len(self))
        self.flat_ns: NDArray[np.int64] = np.zeros(len(self), dtype=np.int64)
        self.band[frozen] = [self.rules[k].band for k in frozen]
        self.while_above[frozen] = [self.rules[k].while_above for k in frozen]
        self.flat_ns[frozen] = _to_ns(self.setpoint[frozen])

    def _index_inputs(self, rows: Mapping[int, list[int]]) -> None:
        """Tell which rules to judge when which tag gets a sample, given the tag rows that rules look at."""
        self.many: NDArray[np.int64] = np.array(
            [k for k, mine in rows.items() if len(mine) > 1 or self.is_formula[k]], dtype=np.int64
        )
        self.many_of: NDArray[np.int32] = np.full(len(self), -1, dtype=np.int32)
        self.many_of[self.many] = np.arange(len(self.many))
        width = max((len(rows[int(k)]) for k in self.many), default=1)
        self.inputs: NDArray[np.int32] = np.array(
            [rows[k] + rows[k][:1] * (width - len(rows[k])) for k in self.many.tolist()], dtype=np.int32
        ).reshape(-1, width)
        pairs = sorted((row, k) for k in self.many.tolist() for row in rows[k][1:])
        self.input_rule: NDArray[np.int32] = np.array([k for _, k in pairs], dtype=np.int32)
        self.input_first: NDArray[np.int32] = np.searchsorted(
            np.array([row for row, _ in pairs], dtype=np.int64), np.arange(len(self.tags) + 1)
        ).astype(np.int32)

    def numbered(self, revisions: Sequence[int], authors: Mapping[int, Author] | None = None) -> "RuleTable":
        """Give the same table with other revisions of its rules, (r,); itself where they are the same.

        Args:
            authors: Who made which; those that no rule has are left out. None leaves those of the table.
        """
        from alerting.model.compact import compact  # noqa: PLC0415  # It is made of Rule.

        pairs = list(zip(self.rules, revisions, strict=True))
        here = set(revisions)
        kept = self.authors if authors is None else {at: author for at, author in authors.items() if at in here}
        is_same = all(rule.revision == mine for rule, mine in pairs)
        if is_same and kept == self.authors:
            return self
        table = copy(self)
        table.authors = kept
        if is_same:
            return table
        table.rules = tuple(
            compact([rule if rule.revision == mine else replace(rule, revision=mine) for rule, mine in pairs])
        )
        return table

    def within(self, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        """Give the rules that look at no other tags than these, and whose gates do not, ascending."""
        mine = np.zeros(len(self), dtype=np.bool_)
        mine[runs(self.first, rows)] = True
        asked = self.touching(rows)
        mine[asked] = np.isin(self.inputs[self.many_of[asked]], rows).all(axis=1)
        if self.gates:
            mine &= ((self.gates.of < 0) | mine[self.gates.of]).all(axis=1)
        return np.flatnonzero(mine)

    def touching(self, rows: NDArray[np.int32]) -> NDArray[np.int64]:
        """Give those of ``many`` that look at any of these tags, ascending."""
        own = runs(self.first, rows)
        others = self.input_rule[runs(self.input_first, rows)]
        return np.unique(np.append(own[self.many_of[own] >= 0], others)).astype(np.int64)

    def __len__(self) -> int:
        return len(self.row)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __getitem__(self, index: int) -> Rule:
        return self.rules[index]


def _in_order(columns: "Columns", row: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Order rules by tag row, group and kind, int64 (r,); give the rank of each one's group too, in that order."""
    if len(row) == 0:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    groups = [rule.group for rule in columns.shapes]
    ranks = np.array([sorted(set(groups)).index(group) for group in groups], dtype=np.int64)[columns.of]
    order = np.lexsort((columns.field("kind", np.int64), ranks, row))
    return order, ranks[order]


def runs(first: NDArray[np.int32], rows: NDArray[np.int32]) -> NDArray[np.int64]:
    """Give the places between ``first[row]`` and ``first[row + 1]`` of some rows."""
    runs = [np.arange(start, end) for start, end in zip(first[rows].tolist(), first[rows + 1].tolist(), strict=True)]
    return np.concatenate([np.empty(0, np.int64), *runs])


def _whole(values: Iterable[Any], n: int, dtype: type[T]) -> NDArray[T]:
    return np.fromiter(values, dtype=dtype, count=n)


def _to_ns(seconds: NDArray[np.float64]) -> NDArray[np.int64]:
    return np.rint(seconds * S_TO_NS).astype(np.int64)
