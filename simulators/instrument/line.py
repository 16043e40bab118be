"""Line: what one source sends of what its instruments show, when, and with which time stamps.

Flow: values of a source's tags -> [SourceLine.send] -> deliveries, each with the moment at which it arrives
Never: knows the gateway; a delivery is columns and a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from simulators.instrument.fault import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What arrives at the gateway's side.

    Attributes:
        at_s: When, seconds of the story.
        link: True or False where the link came up or went down; None for samples.
        rows: Places in the source's own list of tags, int64 (n,); values and times go with them.
        times_s: Time stamps by the source's clock, seconds of the story.
    """

    at_s: float
    link: bool | None = None
    rows: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    values: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))
    times_s: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


class SourceLine:
    """One source's line.

    Attributes:
        is_up: How the link stands.
        withheld: Samples that never left, by kind of fault.
    """

    def __init__(self, source: str, faults: Sequence[Fault], dice: Generator) -> None:
        self.source = source
        self.is_up = True
        self.withheld: dict[str, int] = {}
        self._faults = [fault for fault in faults if fault.is_of_line and fault.target == source]
        self._dice = dict(zip(map(id, self._faults), dice.spawn(len(self._faults)), strict=True))
        self._last_s = -np.inf

    def add(self, fault: Fault, dice: Generator) -> None:
        """Let one more thing be wrong with the line."""
        self._faults.append(fault)
        self._dice[id(fault)] = dice

    def send(self, time_s: float, rows: NDArray[np.int64], values: NDArray[np.float64]) -> list[Delivery]:
        """Give what is delivered of the samples taken now, in order of arrival.

        Args:
            rows: Which of the source's tags were sampled, ascending; all of its tags for ``shifted_registers``.
        """
        on = [fault for fault in self._faults if fault.is_on(time_s)]
        found = self._links(time_s, on)
        if not self.is_up or any(fault.kind == "silent" for fault in on):
            kind = "silent" if self.is_up else next(f.kind for f in on if f.kind in ("dropout", "flapping"))
            self.withheld[kind] = self.withheld.get(kind, 0) + len(rows)
            return found
        times = np.full(len(rows), time_s)
        late_s = 0.0
        for fault in on:
            match fault.kind:
                case "shifted_clock":
                    times = times + fault.amount
                case "jumping_stamps":
                    times = times + self._dice[id(fault)].uniform(-fault.amount, fault.amount)
                case "shifted_registers":
                    values = np.roll(values, -1)
                case "slow":
                    late_s = max(late_s, fault.amount)
                case "repeated_stamps":
                    if np.isfinite(self._last_s):
                        again = np.full(len(rows), self._last_s)
                        rows, values, times = np.tile(rows, 2), np.tile(values, 2), np.append(again, times)
                case _:
                    pass
        self._last_s = time_s
        found.append(Delivery(at_s=time_s + late_s, rows=rows, values=values, times_s=times))
        return found

    def _links(self, time_s: float, on: Sequence[Fault]) -> list[Delivery]:
        """Tell of a change of the link."""
        is_up = True
        for fault in on:
            if fault.kind == "dropout":
                is_up = False
            elif fault.kind == "flapping":
                is_up = is_up and (time_s - fault.from_s) % fault.amount >= fault.amount / 2
        if is_up == self.is_up:
            return []
        self.is_up = is_up
        return [Delivery(at_s=time_s, link=is_up)]
