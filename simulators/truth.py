"""Truth: when each tag was beyond each of its limits, as the plant itself saw it.

Flow: readings -> [Truth] -> JSON lines on disk -> whoever judges the gateway
Why: a gateway that was killed must not be judged by its own memory. Nothing of the gateway is used here.
Never: applies deadband or delay; the judge does, because they are the gateway's promise.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from simulators.wiring import Limit

NS = 1_000_000_000


class Truth:
    """Writes one line whenever a tag crosses a setpoint, in either way.

    Lines are ``{"time_ns", "tag", "direction", "kind", "setpoint", "on_delay_s", "value", "is_beyond"}``.
    """

    def __init__(self, limits: Iterable[Limit], write: Callable[[str], object]) -> None:
        self._limits = tuple(limits)
        self._beyond = [False] * len(self._limits)
        self._write = write

    def observe(self, time_ns: int, readings: Mapping[str, float]) -> None:
        """Compare what the instruments show now with every limit."""
        for place, limit in enumerate(self._limits):
            value = readings.get(limit.tag)
            if value is None:
                continue
            is_beyond = limit.is_beyond(value)
            if is_beyond != self._beyond[place]:
                self._beyond[place] = is_beyond
                self._write(json.dumps(self._line(time_ns, limit, value, is_beyond=is_beyond)) + "\n")

    def _line(self, time_ns: int, limit: Limit, value: float, *, is_beyond: bool) -> dict[str, object]:
        return {
            "time_ns": time_ns,
            "tag": limit.tag,
            "direction": limit.direction,
            "kind": limit.kind,
            "setpoint": limit.setpoint,
            "on_delay_s": limit.on_delay_s,
            "value": value,
            "is_beyond": is_beyond,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Excursion:
    """One stretch of time in which a tag was beyond a limit.

    Attributes:
        until_ns: When it came back; None while it has not.
    """

    tag: str
    direction: str
    kind: str
    setpoint: float
    on_delay_s: float
    from_ns: int
    until_ns: int | None

    def lasted_s(self, now_ns: int) -> float:
        """Give how long it lasted, up to now while it lasts, s."""
        return ((now_ns if self.until_ns is None else self.until_ns) - self.from_ns) / NS


def read_excursions(path: Path, *, gap_s: float = 1.0) -> list[Excursion]:
    """Read a truth file as excursions, in order of their start.

    Args:
        gap_s: Excursions of one limit with less than this between them are one: noise at the setpoint is no return.
    """
    found: dict[tuple[str, str], list[Excursion]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.endswith("}"):
            break  # The plant was killed in the middle of its last line.
        row = json.loads(line)
        of_limit = found.setdefault((row["tag"], row["kind"]), [])
        last = of_limit[-1] if of_limit else None
        if not row["is_beyond"]:
            assert last is not None, line
            of_limit[-1] = replace(last, until_ns=row["time_ns"])
        elif last is not None and last.until_ns is not None and row["time_ns"] - last.until_ns < gap_s * NS:
            of_limit[-1] = replace(last, until_ns=None)
        else:
            of_limit.append(
                Excursion(
                    tag=row["tag"],
                    direction=row["direction"],
                    kind=row["kind"],
                    setpoint=row["setpoint"],
                    on_delay_s=row["on_delay_s"],
                    from_ns=row["time_ns"],
                    until_ns=None,
                )
            )
    return sorted((item for items in found.values() for item in items), key=lambda item: item.from_ns)
