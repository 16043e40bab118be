"""Signal: what a TREND or DRIFT takes where its rule says nothing, by what the tag measures.

Why: a tank, a gas detector and a crowd move in ways so different that one setting serves none of them.
Source: ours, measured: ``python -m benchmarks.signals`` (docs/performance.md, "Which detector for which signal"); the
    order of the rows agrees with what other synthetic stories gave (``python -m benchmarks.trend``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from alerting.model.drift import BASE_S, SPAN_S

ALPHA_LEAST: Final = 0.001
ALPHA_MOST: Final = 0.2  # A filter that remembers less than five samples sees slopes in noise.


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Defaults of one kind of signal.

    Attributes:
        memory_s: What a TREND's filter remembers, s.
        detector, season, span_s, base_s: As of a DRIFT.
    """

    memory_s: float = 50.0
    detector: str = "ewma"
    season: str = "day"
    span_s: float = SPAN_S
    base_s: float = BASE_S

    def alpha(self, period_s: float) -> float:
        """Give the gain with which a TREND's filter remembers so long with a sample a period, three digits."""
        return float(f"{min(max(period_s / self.memory_s, ALPHA_LEAST), ALPHA_MOST):.3g}")


#: Where the tag's kind is none of these.
ELSE: Final = Signal()
#: By ``kind`` of the tag. A level, a flow and a pressure that people move at will have no usual: no DRIFT finds much.
SIGNALS: Final[Mapping[str, Signal]] = {
    "level": Signal(memory_s=20.0),
    "pressure": Signal(memory_s=600.0),
    "temperature": Signal(memory_s=150.0, season="none"),
    "gas": Signal(memory_s=1000.0),
    "flow": Signal(memory_s=1500.0),
    "count": Signal(memory_s=100.0, season="none"),
    "density": Signal(memory_s=100.0, season="none"),
    "displacement": Signal(memory_s=3000.0, span_s=900.0, base_s=86_400.0),
}


def signal_of(kind: str) -> Signal:
    """Give the defaults for a tag by what it measures."""
    return SIGNALS.get(kind, ELSE)
