"""The time matrix of design §7: each kind of condition under each trouble with time, as one table.

A *stream* is what one source sends, a sample a second from t = 1 s. From ``BEGIN_S`` to ``END_S`` the condition
holds. A *trouble* changes how and when samples arrive. The expectation is always the same: the tag is judged right, or
it is said within three scans that it is not being judged.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from alerting.desk import Desk
from alerting.model.blocks import Blocks
from alerting.model.drift import Drift
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.schedule import Schedule, Span
from alerting.model.tier import Tier
from edge.config import Source
from edge.model import Link, Quality, Reason, Scan, Tag, TagTable
from edge.model.quality import encode

START_NS = 1_767_225_600_000_000_000
S = 1_000_000_000
BEGIN_S, END_S, LAST_S = 10, 30, 45
DELAY_S = 5.0
STALE_S = 5.0
SOURCE = Source(id="plc", protocol="mqtt", silent_after_s=5.0)
BAD = encode(Quality.BAD, Reason.TIMEOUT)
OUT_OF_RANGE = encode(Quality.BAD, Reason.RANGE)


#: The world begins at 08:00 by the clock in Shanghai.
EIGHT_S = 8 * 3600
TWENTY_SECONDS = Schedule(
    spans=(Span(days=(0, 1, 2, 3, 4, 5, 6), from_s=EIGHT_S + BEGIN_S, to_s=EIGHT_S + END_S),), zone="Asia/Shanghai"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample on its way: when it comes, what time it claims, what it says. Times in s after the start."""

    at_s: float
    time_s: float
    value: float
    quality: int = 0
    is_backfill: bool = False
    is_retained: bool = False


@dataclass(frozen=True, slots=True)
class LinkChange:
    """The link goes up or down."""

    at_s: float
    is_up: bool


Step = Sample | LinkChange
#: What a row is about: a kind of condition, or one of the ways in which a kind judges.
BLOCKS = "TREND by blocks"
Row = Kind | Literal["TREND by blocks"]


def tag_table() -> TagTable:
    """One tag."""
    return TagTable([Tag(name="T.v", source="plc", unit="T", eu="m", period_s=1.0)])


def rule_table(kind: Row) -> RuleTable:
    """One rule of the kind, with an on-delay of 5 s; STALE and BAD rules trip after 5 s."""
    rules: dict[Row, Rule] = {
        Kind.H: Rule(
            id="T.v.H", tag="T.v", kind=Kind.H, setpoint=8.0, deadband=0.5, on_delay_s=DELAY_S, tier=Tier.YELLOW
        ),
        Kind.HH: Rule(
            id="T.v.HH",
            tag="T.v",
            kind=Kind.HH,
            setpoint=8.0,
            deadband=0.5,
            on_delay_s=DELAY_S,
            off_delay_s=2.0,
            tier=Tier.RED,
        ),
        Kind.L: Rule(
            id="T.v.L", tag="T.v", kind=Kind.L, setpoint=2.0, deadband=0.5, on_delay_s=DELAY_S, tier=Tier.YELLOW
        ),
        Kind.LL: Rule(
            id="T.v.LL", tag="T.v", kind=Kind.LL, setpoint=2.0, on_delay_s=DELAY_S, off_delay_s=2.0, tier=Tier.ORANGE
        ),
        Kind.RATE: Rule(
            id="T.v.RATE", tag="T.v", kind=Kind.RATE, setpoint=0.5, window_s=3.0, on_delay_s=3.0, tier=Tier.YELLOW
        ),
        Kind.STALE: Rule(id="T.v.STALE", tag="T.v", kind=Kind.STALE, setpoint=STALE_S, tier=Tier.BLUE),
        Kind.BAD: Rule(id="T.v.BAD", tag="T.v", kind=Kind.BAD, setpoint=DELAY_S, tier=Tier.BLUE),
        Kind.TREND: Rule(
            id="T.v.TREND",
            tag="T.v",
            kind=Kind.TREND,
            setpoint=20.0,
            horizon_s=100.0,
            alpha=0.2,
            samples_min=5,
            tier=Tier.YELLOW,
        ),
        BLOCKS: Rule(
            id="T.v.TREND",
            tag="T.v",
            kind=Kind.TREND,
            setpoint=20.0,
            horizon_s=100.0,
            blocks=Blocks(block_s=1.0, count=6),
            gap_s=4.0,
            tier=Tier.YELLOW,
        ),
        Kind.DRIFT: Rule(
            id="T.v.DRIFT",
            tag="T.v",
            kind=Kind.DRIFT,
            setpoint=3.0,
            on_delay_s=DELAY_S,
            gap_s=15.0,
            tier=Tier.BLUE,
            drift=Drift(season="none", span_s=2.0, base_s=8.0, warm_up_s=8.0),
        ),
        Kind.DEVIATION: Rule(
            id="T.v.DEVIATION",
            tag="T.v",
            kind=Kind.DEVIATION,
            reference=5.0,
            setpoint=3.0,
            deadband=1.0,
            on_delay_s=DELAY_S,
            tier=Tier.YELLOW,
        ),
        Kind.STATE: Rule(
            id="T.v.STATE",
            tag="T.v",
            kind=Kind.STATE,
            setpoint=0.0,
            mask=8,
            pattern=8,
            on_delay_s=DELAY_S,
            tier=Tier.RED,
        ),
        Kind.FROZEN: Rule(id="T.v.FROZEN", tag="T.v", kind=Kind.FROZEN, setpoint=DELAY_S, band=0.1, tier=Tier.YELLOW),
        Kind.EXPRESSION: Rule(
            id="T.v.EXPRESSION",
            tag="T.v",
            kind=Kind.EXPRESSION,
            setpoint=float("nan"),
            when="T.v > 8 and not (T.v < 8.5 or abs(T.v) > 100) for 5 s",
            asked=("T.v",),
            on_delay_s=DELAY_S,
            tier=Tier.ORANGE,
        ),
        Kind.GATE: Rule(
            id="T.v.H",
            tag="T.v",
            kind=Kind.H,
            setpoint=8.0,
            on_delay_s=DELAY_S,
            off_delay_s=20.0,
            tier=Tier.YELLOW,
            enable="T.v < 9.5",
            enable_asked=("T.v",),
        ),
        Kind.SCHEDULE: Rule(
            id="T.v.H",
            tag="T.v",
            kind=Kind.H,
            setpoint=8.0,
            on_delay_s=DELAY_S,
            tier=Tier.YELLOW,
            off_delay_s=20.0,
            schedule=TWENTY_SECONDS,
        ),
        Kind.RANGE: Rule(id="T.v.RANGE", tag="T.v", kind=Kind.RANGE, setpoint=DELAY_S, tier=Tier.YELLOW),
    }
    stale = rules[Kind.STALE]
    chosen = [rules[kind]] if kind is Kind.STALE else [rules[kind], stale]
    if kind is Kind.RANGE:
        chosen.append(rules[Kind.BAD])  # It must not ring too.
    return RuleTable(chosen, tag_table())


def stream(kind: Row) -> list[Step]:
    """What the source sends when all is well with time."""
    steps: list[Step] = []
    for second in range(1, LAST_S + 1):
        holds = BEGIN_S <= second < END_S
        value, quality = 5.0, 0
        match kind:
            case Kind.H | Kind.HH | Kind.DEVIATION | Kind.STATE | Kind.EXPRESSION:
                value = 9.0 if holds else 5.0
            case Kind.SCHEDULE:
                value = 9.0
            case Kind.GATE:  # Above the limit all the time, but enabled only in between.
                value = 9.0 if holds else 9.8
            case Kind.DRIFT:
                value = (9.0 if holds else 5.0) + 0.1 * (second % 2)
            case Kind.FROZEN:
                value = 9.0 if holds else 5.0 + second % 2
            case Kind.RANGE:
                value, quality = (12.0, OUT_OF_RANGE) if holds else (5.0, 0)
            case Kind.L | Kind.LL:
                value = 1.0 if holds else 5.0
            case Kind.RATE | Kind.TREND | "TREND by blocks":
                slope = 0.9 if kind is Kind.RATE else 0.2
                value = 5.0 + slope * min(max(second - BEGIN_S, 0), END_S - BEGIN_S)
            case Kind.BAD:
                value, quality = (np.nan, BAD) if holds else (5.0, 0)
        if kind is Kind.STALE and holds:
            continue
        steps.append(Sample(second + 0.05, float(second), value, quality))
    return steps


#: When the condition's alarm is raised and over when nothing disturbs, s: the trip of the rule, its clear.
RIGHT: dict[Row, tuple[float, float]] = {
    Kind.H: (15.0, 30.0),
    Kind.HH: (15.0, 32.0),
    Kind.L: (15.0, 30.0),
    Kind.LL: (15.0, 32.0),
    Kind.RATE: (15.0, 32.0),  # a 3 s window fills by 12 s, delay 3 s; the slope leaves the window after 30 s
    Kind.STALE: (14.0, 30.0),
    Kind.BAD: (15.0, 30.0),
    # Three outliers (from 11 s and from 31 s) are a new course, five samples of it say where it leads.
    Kind.TREND: (17.0, 37.0),
    # Three blocks off the line (11 to 13 s) are a new course; the line keeps two of them and needs five. At the end two
    # flat blocks bend it so much that its slope is no longer sure.
    BLOCKS: (17.0, 33.0),
    # The first sample away is three standard deviations of the average at once; its return takes longer to believe.
    Kind.DRIFT: (15.0, 34.0),
    Kind.DEVIATION: (15.0, 30.0),
    Kind.STATE: (15.0, 30.0),
    Kind.FROZEN: (15.0, 30.0),
    Kind.RANGE: (15.0, 30.0),
    Kind.EXPRESSION: (15.0, 30.0),
    Kind.SCHEDULE: (15.0, 30.0),
    Kind.GATE: (15.0, 30.0),  # disabled, it lets go without its off-delay of 20 s
}
#: What a row's events are called, where that is not its kind.
CONDITIONS: dict[Row, str] = {Kind.GATE: "H", Kind.SCHEDULE: "H", BLOCKS: "TREND"}


def name_of(row: Row) -> str:
    """Name a row of the matrix."""
    return row.name if isinstance(row, Kind) else row


def _none(steps: list[Step]) -> list[Step]:
    return steps


def _late_one(steps: list[Step]) -> list[Step]:
    """One normal sample from before comes 70 s late, while the condition holds or not: at 44.5 s of a shifted world."""
    return [*steps, Sample(44.5, -70.0, 5.0, is_backfill=True)]


def _future(steps: list[Step]) -> list[Step]:
    """The source's clock is an hour ahead."""
    return [replace(s, time_s=s.time_s + 3600) if isinstance(s, Sample) else s for s in steps]


def _duplicate(steps: list[Step]) -> list[Step]:
    """Everything comes twice, the second time 0.2 s later."""
    return [twin for s in steps for twin in (s, replace(s, at_s=s.at_s + 0.2))]


def _retained(steps: list[Step]) -> list[Step]:
    """The broker hands out an old value at each subscription, before and in the middle."""
    old = [Sample(at, at - 500.0, 9.9, is_retained=True) for at in (0.5, 5.4, 20.4)]
    return [*steps, *old]


def _ahead_8h(steps: list[Step]) -> list[Step]:
    return [replace(s, time_s=s.time_s + 8 * 3600) if isinstance(s, Sample) else s for s in steps]


def _behind_8h(steps: list[Step]) -> list[Step]:
    return [replace(s, time_s=s.time_s - 8 * 3600) if isinstance(s, Sample) else s for s in steps]


def _clock_step(steps: list[Step]) -> list[Step]:
    """The source's clock is set back by 20 s just before the condition begins."""
    return [replace(s, time_s=s.time_s - 20) if isinstance(s, Sample) and s.time_s >= BEGIN_S - 4 else s for s in steps]


def _gap(steps: list[Step]) -> list[Step]:
    """The link is down from 12.5 s to 20.5 s; what was missed comes as back-fill afterwards."""
    missed = [s for s in steps if isinstance(s, Sample) and 12.5 < s.at_s < 20.5]
    back = [replace(s, at_s=24.6 + 0.01 * n, is_backfill=True) for n, s in enumerate(missed)]
    kept = [s for s in steps if s not in missed]
    return [*kept, LinkChange(12.5, is_up=False), LinkChange(20.5, is_up=True), *back]


def _bad_in_delay(steps: list[Step]) -> list[Step]:
    """The samples at 12 s and 13 s are BAD."""
    return [
        replace(s, quality=BAD, value=np.nan) if isinstance(s, Sample) and s.time_s in (12.0, 13.0) else s
        for s in steps
    ]


@dataclass(frozen=True, slots=True)
class Trouble:
    """One column of the matrix.

    Attributes:
        lag_s: By how much the judgement may come later than right (three scans where the clock has to be doubted).
        restart_s: The gateway is killed and started again at this time.
    """

    name: str
    change: Callable[[list[Step]], list[Step]] = _none
    lag_s: float = 0.3
    restart_s: float | None = None


TROUBLES = (
    Trouble("none"),
    Trouble("late", _late_one),
    Trouble("future-stamped", _future, lag_s=0.5),
    Trouble("duplicate", _duplicate),
    Trouble("retained", _retained),
    Trouble("plus 8 h", _ahead_8h, lag_s=0.5),
    Trouble("minus 8 h", _behind_8h, lag_s=0.5),
    Trouble("clock step", _clock_step, lag_s=3.5),
    Trouble("gap", _gap, lag_s=9.0),
    Trouble("restart in mid-delay", restart_s=12.4, lag_s=1.5),
    Trouble("BAD in mid-delay", _bad_in_delay, lag_s=3.5),
)


def arrivals(kind: Row, trouble: Trouble) -> list[Step]:
    """Everything that arrives, in order of arrival."""
    return sorted(trouble.change(stream(kind)), key=lambda step: step.at_s)


def as_items(steps: list[Step], *, epoch: int = 1, first: int = 1) -> Iterator[Scan | Link]:
    """Make scans and links of the steps."""
    number = first
    for step in steps:
        at_ns = START_NS + round(step.at_s * S)
        if isinstance(step, LinkChange):
            yield Link(source="plc", is_up=step.is_up, received_ns=at_ns)
            continue
        yield Scan(
            source="plc",
            epoch=epoch,
            number=number,
            received_ns=at_ns,
            rows=np.array([0], dtype=np.int32),
            values=np.array([step.value]),
            quality=np.array([step.quality], dtype=np.uint8),
            times_ns=np.array([START_NS + round(step.time_s * S)], dtype=np.int64),
            is_backfill=step.is_backfill,
            is_retained=step.is_retained,
        )
        number += 1


def begin_anew(desk: Desk, now_ns: int) -> None:
    """Let silence count from now, as in a gateway that starts: its checkpoint does not keep since when it waits."""
    for memory in desk.memories.values():
        memory.awaited_ns[:] = now_ns


def judge_cell(kind: Row, trouble: Trouble, seen: list[tuple[str, str, str, float]], doubted: list[str]) -> list[str]:
    """Compare the live events of the tag with what is right; give what is wrong, in words.

    Args:
        seen: (event, rule group, condition, s after the start) of live events, in order.
        doubted: What the gateway said about not judging (remarks), by kind.
    """
    wanted = CONDITIONS.get(kind) or name_of(kind)
    raised = [s for what, _, condition, s in seen if what == "raised" and condition == wanted]
    over = [s for what, _, condition, s in seen if what in ("returned", "cleared") and condition == wanted]
    right_on, right_off = RIGHT[kind]
    if kind is Kind.STALE and trouble.restart_s is not None:
        # Silence counts anew from a restart: while the gateway was away it cannot know who was silent.
        right_on = trouble.restart_s + STALE_S
    wrong = []
    if len(raised) != 1:
        wrong.append(f"raised {len(raised)} times: {raised}")
    elif not right_on - 0.06 <= raised[0] <= right_on + trouble.lag_s:
        wrong.append(f"raised at {raised[0]:.2f} s, right is {right_on} s + {trouble.lag_s} s")
    if len(over) != 1:
        wrong.append(f"over {len(over)} times: {over}")
    elif not right_off - 0.06 <= over[0] <= right_off + max(trouble.lag_s, 1.2):
        wrong.append(f"over at {over[0]:.2f} s, right is {right_off} s")
    if trouble.name == "clock step" and "clock_step" not in doubted:
        wrong.append("the clock step was not said")
    return wrong
