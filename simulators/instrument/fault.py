"""Fault: one thing that is wrong with an instrument or its source, from when to when.

Flow: [Fault] on a value -> ``Faults``; on a source -> ``line``; both -> labels of the truth
"""

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

HOUR_S: Final = 3600.0
CUT_MA, SHORT_MA = 3.5, 21.5  # A cut wire and a short circuit (NAMUR NE 43: 3.6 and less, 21 and more).


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of fault: what its ``amount`` means, and which amounts make sense.

    Attributes:
        amount: In words; empty where the kind takes none.
        least, most: Amounts that are allowed.
    """

    means: str
    amount: str = ""
    least: float = -math.inf
    most: float = math.inf


#: What may be wrong with a value.
VALUE_KINDS: Final[Mapping[str, Kind]] = {
    "frozen": Kind(means="shows what it showed when the fault began"),
    "drift": Kind(means="moves away from the truth", amount="engineering units an hour"),
    "bias": Kind(means="is off by a constant", amount="engineering units"),
    "spike": Kind(means="jumps for single samples, one in twenty", amount="engineering units, either way"),
    "noise": Kind(means="is noisier", amount="standard deviation, engineering units", least=0.0),
    "poisoned": Kind(
        means="loses sensitivity, as a catalytic bead does", amount="share lost an hour", least=0.0, most=100.0
    ),
    "stuck_at": Kind(means="shows this value", amount="engineering units"),
    "cut": Kind(means="the wire is cut: 3.5 mA"),
    "short": Kind(means="the loop is short-circuited: 21.5 mA"),
    "nan": Kind(means="sends no number"),
    "swapped_words": Kind(means="the two words of its 32-bit number are exchanged"),
    "failed_switch": Kind(means="never closes: always 0"),
}
#: What may be wrong with a source: its clock, its line.
LINE_KINDS: Final[Mapping[str, Kind]] = {
    "dropout": Kind(means="sends nothing; its link is down"),
    "silent": Kind(means="sends nothing though its link is up"),
    "repeated_stamps": Kind(means="every sample carries the time of the one before as well"),
    "jumping_stamps": Kind(means="times jump to and fro", amount="seconds at most, either way", least=0.0),
    "shifted_clock": Kind(means="its clock is off; 28800 is a time zone", amount="seconds", least=-1e6, most=1e6),
    "slow": Kind(means="answers late", amount="seconds", least=0.0, most=3600.0),
    "flapping": Kind(means="its link comes and goes", amount="seconds of a whole turn", least=0.2, most=3600.0),
    "shifted_registers": Kind(means="every value is its neighbour's: one register off"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault.

    Attributes:
        kind: One of ``VALUE_KINDS`` for a tag, of ``LINE_KINDS`` for a source.
        target: The tag or source.
        from_s, until_s: Seconds of the story; until may be infinite.
    """

    kind: str
    target: str
    from_s: float
    until_s: float = math.inf
    amount: float = 0.0
    name: str = ""

    def is_on(self, time_s: float) -> bool:
        """Tell whether it is there now."""
        return self.from_s <= time_s < self.until_s

    @property
    def is_of_line(self) -> bool:
        """Tell whether it is a source's."""
        return self.kind in LINE_KINDS


@dataclass(slots=True)
class _Standing:
    """A fault with its own dice and memory."""

    fault: Fault
    row: int
    dice: Generator
    held: float = math.nan


class Faults:
    """Faults of values, in the order given: a later one works on what the ones before it left.

    Each has dice of its own, so that adding one changes no other one's luck.
    """

    def __init__(
        self,
        faults: Sequence[Fault],
        tags: Sequence[str],
        dice: Generator,
        *,
        ranges: Mapping[str, tuple[float, float]] | None = None,
    ) -> None:
        row_of = {tag: row for row, tag in enumerate(tags)}
        own = [fault for fault in faults if not fault.is_of_line]
        luck = dice.spawn(len(own))
        self._standing = [
            _Standing(fault=fault, row=row_of[fault.target], dice=each) for fault, each in zip(own, luck, strict=True)
        ]
        self._ranges = dict(ranges or {})
        self._row_of = row_of

    def add(self, fault: Fault, dice: Generator) -> None:
        """Let one more thing be wrong, after those that are."""
        self._standing.append(_Standing(fault=fault, row=self._row_of[fault.target], dice=dice))

    def apply(self, time_s: float, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give what the instruments send, a copy where anything is wrong."""
        on = [each for each in self._standing if each.fault.is_on(time_s)]
        if not on:
            return values
        sent = values.copy()
        for each in on:
            sent[each.row] = _WORK[each.fault.kind](self, each, time_s, float(sent[each.row]))
        return sent

    def _loop(self, each: _Standing, current_ma: float) -> float:
        low, high = self._ranges[each.fault.target]
        return low + (current_ma - 4) / 16 * (high - low)

    def _frozen(self, each: _Standing, _: float, value: float) -> float:
        if math.isnan(each.held):
            each.held = value
        return each.held

    def _drift(self, each: _Standing, time_s: float, value: float) -> float:
        return value + each.fault.amount * (time_s - each.fault.from_s) / HOUR_S

    def _bias(self, each: _Standing, _: float, value: float) -> float:
        return value + each.fault.amount

    def _spike(self, each: _Standing, _: float, value: float) -> float:
        chance, way = each.dice.random(2)
        return value + (each.fault.amount if way < 0.5 else -each.fault.amount) if chance < 0.05 else value

    def _noisy(self, each: _Standing, _: float, value: float) -> float:
        return value + each.fault.amount * float(each.dice.standard_normal())

    def _poisoned(self, each: _Standing, time_s: float, value: float) -> float:
        return value * math.exp(-each.fault.amount * (time_s - each.fault.from_s) / HOUR_S)

    def _stuck(self, each: _Standing, _: float, __: float) -> float:
        return each.fault.amount

    def _cut(self, each: _Standing, _: float, __: float) -> float:
        return self._loop(each, CUT_MA)

    def _short(self, each: _Standing, _: float, __: float) -> float:
        return self._loop(each, SHORT_MA)

    def _nan(self, _: _Standing, __: float, ___: float) -> float:
        return math.nan

    def _swapped(self, _: _Standing, __: float, value: float) -> float:
        words = np.array([value], dtype=">f4").view(">u2")[::-1].copy()
        return float(words.view(">f4")[0])

    def _open(self, _: _Standing, __: float, ___: float) -> float:
        return 0.0


_WORK: Final[Mapping[str, Callable[[Faults, _Standing, float, float], float]]] = {
    "frozen": Faults._frozen,  # noqa: SLF001
    "drift": Faults._drift,  # noqa: SLF001
    "bias": Faults._bias,  # noqa: SLF001
    "spike": Faults._spike,  # noqa: SLF001
    "noise": Faults._noisy,  # noqa: SLF001
    "poisoned": Faults._poisoned,  # noqa: SLF001
    "stuck_at": Faults._stuck,  # noqa: SLF001
    "cut": Faults._cut,  # noqa: SLF001
    "short": Faults._short,  # noqa: SLF001
    "nan": Faults._nan,  # noqa: SLF001
    "swapped_words": Faults._swapped,  # noqa: SLF001
    "failed_switch": Faults._open,  # noqa: SLF001
}


def why_not(
    fault: Fault, ranges: Mapping[str, tuple[float, float]], sources: Collection[str]
) -> tuple[str, str] | None:
    """Say why a fault cannot be: one sentence in English and one in Chinese; None where it can.

    Args:
        ranges: Of each instrument, in its engineering unit; NaN for an end that there is not.
        sources: Ids of the sources.
    """
    kinds = LINE_KINDS if fault.is_of_line else VALUE_KINDS
    kind = kinds.get(fault.kind)
    if kind is None:
        return f"There is no fault {fault.kind[:32]!r}.", f"没有名为“{fault.kind[:32]}”的故障。"
    if fault.target not in (sources if fault.is_of_line else ranges):
        what, what_zh = ("source", "数据源") if fault.is_of_line else ("instrument", "仪表")
        return (
            f"{fault.target[:64]} is no simulated {what} of this run; faults are for simulated plants alone.",
            f"{fault.target[:64]} 不是本次试验的仿真{what_zh};只能向仿真装置注入故障。",
        )
    if not (math.isfinite(fault.amount) and kind.least <= fault.amount <= kind.most):
        return (
            f"{fault.kind} takes {kind.amount}, from {kind.least:g} to {kind.most:g}; {fault.amount:g} is none.",
            f"故障量应在 {kind.least:g} 至 {kind.most:g} 之间,{fault.amount:g} 不符。",
        )
    if not kind.amount and fault.amount:
        return f"{fault.kind} takes no amount.", "该故障不需要故障量。"
    if fault.kind in ("cut", "short") and not all(map(math.isfinite, ranges[fault.target])):
        return (
            f"{fault.target} has no range, so no current stands for its values.",
            f"{fault.target} 没有量程,无法换算电流。",
        )
    if not fault.until_s > fault.from_s:
        return "The fault ends before it begins.", "故障的结束时间早于开始时间。"
    return None


def labels(faults: Sequence[Fault], lasts_s: float) -> list[tuple[float, float, str, str]]:
    """Give each fault's label: (from, until, tag or source, kind), seconds of the story, in order of time."""
    found = [
        (fault.from_s, min(fault.until_s, lasts_s), fault.target, fault.name or fault.kind)
        for fault in faults
        if fault.from_s < lasts_s
    ]
    return sorted(found)
