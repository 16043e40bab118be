"""Rule: what is judged about a tag, and the table of all rules as columns."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from alerting.model.tier import Tier
from edge.model import TagTable

S_TO_NS = 1_000_000_000


class Kind(IntEnum):
    """Kind of condition. Outermost first within a direction has the higher number."""

    L = 1
    LL = 2
    H = 3
    HH = 4
    RATE = 5  # |rate of change| over a stated window
    STALE = 6  # data stopped coming
    BAD = 7  # quality BAD for longer than t


LIMITS = (Kind.L, Kind.LL, Kind.H, Kind.HH)
GROUP = {
    Kind.L: "low",
    Kind.LL: "low",
    Kind.H: "high",
    Kind.HH: "high",
    Kind.RATE: "rate",
    Kind.STALE: "stale",
    Kind.BAD: "bad",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One limit or other condition on one tag.

    Attributes:
        id: ``<tag>.<kind>``, e.g. ``TK-101.level.HH``.
        setpoint: In the tag's engineering unit; per second for RATE; in s for STALE and BAD.
        deadband: How far the value must come back, same unit as the setpoint.
        on_delay_s, off_delay_s: How long true before trip, false before clear, s.
        window_s: Span over which a rate is taken, s (RATE only).
        tier: Tier of the alarm while this condition is active.
        is_latching: The alarm stays until reset although the value came back.
        revision: Rises with each change of this rule; stands on each event, never in an identity.
        response: What the operator should do, by language; an alarm without one is flagged.
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
    is_latching: bool = False
    revision: int = 1
    response: dict[str, str] = field(default_factory=dict)

    @property
    def group(self) -> str:
        """Rule group: the limits of one direction are one alarm, all else is an alarm of its own."""
        return GROUP[self.kind]


class RuleTable:
    """The same rules as columns, ordered by (tag row, group, kind).

    Attributes:
        row: Tag row of each rule, int32 (r,).
        kind: ``Kind``, uint8 (r,).
        sign: +1 for H, HH; -1 for L, LL; 0 otherwise, float64 (r,). ``sign * v >= sign * setpoint``
            is then the comparison of every limit.
        setpoint, deadband: float64 (r,).
        on_ns, off_ns, window_ns: int64 (r,).
        tier: uint8 (r,).
        alarm: Index of the alarm that the rule belongs to, int32 (r,).
        first: Rules of tag row t are ``first[t]:first[t + 1]``, int32 (tags + 1,).
    """

    def __init__(self, rules: Sequence[Rule], tags: TagTable) -> None:
        order = sorted(rules, key=lambda rule: (tags.row_of[rule.tag], rule.group, rule.kind))
        self.tags = tags
        self.rules: tuple[Rule, ...] = tuple(order)
        self.row: NDArray[np.int32] = np.array([tags.row_of[r.tag] for r in order], dtype=np.int32)
        self.kind: NDArray[np.uint8] = np.array([r.kind for r in order], dtype=np.uint8)
        sign = {Kind.L: -1.0, Kind.LL: -1.0, Kind.H: 1.0, Kind.HH: 1.0}
        self.sign: NDArray[np.float64] = np.array([sign.get(r.kind, 0.0) for r in order], dtype=np.float64)
        self.setpoint: NDArray[np.float64] = np.array([r.setpoint for r in order], dtype=np.float64)
        self.deadband: NDArray[np.float64] = np.array([r.deadband for r in order], dtype=np.float64)
        # "BAD for longer than t" is a delay: its setpoint is its on-delay.
        self.on_ns: NDArray[np.int64] = np.array(
            [round((r.setpoint if r.kind is Kind.BAD else r.on_delay_s) * S_TO_NS) for r in order], dtype=np.int64
        )
        self.off_ns: NDArray[np.int64] = np.array([round(r.off_delay_s * S_TO_NS) for r in order], dtype=np.int64)
        self.window_ns: NDArray[np.int64] = np.array([round(r.window_s * S_TO_NS) for r in order], dtype=np.int64)
        self.tier: NDArray[np.uint8] = np.array([r.tier for r in order], dtype=np.uint8)
        groups: dict[tuple[str, str], int] = {}
        self.alarm: NDArray[np.int32] = np.array(
            [groups.setdefault((r.tag, r.group), len(groups)) for r in order], dtype=np.int32
        )
        #: (tag name, rule group) of each alarm index.
        self.alarms: tuple[tuple[str, str], ...] = tuple(groups)
        #: Rules of alarm a are ``alarm_first[a]:alarm_first[a + 1]``, outermost last, int32 (alarms + 1,).
        self.alarm_first: NDArray[np.int32] = np.searchsorted(self.alarm, np.arange(len(groups) + 1)).astype(np.int32)
        self.first: NDArray[np.int32] = np.searchsorted(self.row, np.arange(len(tags) + 1)).astype(np.int32)
        self.index_of: dict[str, int] = {rule.id: index for index, rule in enumerate(order)}

    def __len__(self) -> int:
        return len(self.rules)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules)

    def __getitem__(self, index: int) -> Rule:
        return self.rules[index]
