"""A slope or slag dump that creeps, is wetted by rain, and may come down.

Sources: Fukuzono 1985 and Voight 1989 (``dv/dt = A·v^α``; with α 2 the inverse velocity falls in a straight line to the
time of failure), Saito 1965 for creep.
"""

import math
from dataclasses import dataclass, field

BROKEN_M_S = 1.0  # It runs: beyond that the law of creep says nothing.


@dataclass(slots=True, kw_only=True)
class Slope:
    """One mass on a slip surface.

    Water in the ground: ``dw/dt = rain − w/τ``. While ``w`` is below ``critical_m`` it creeps with
    ``v0·(1 + k·w/critical)``; above it the mass accelerates after Voight, and goes on while it moves faster than
    ``doomed_m_s`` even when the ground dries.

    Attributes:
        creep_m_s: Quiet creep; 1e-9 is 3 cm a year.
        steep: ``A`` of ``dv/dt = A·v²``, 1/m.
        rain_m_s: Rain now; 1.39e-5 is 50 mm/h.
        moved_m, speed_m_s: Since the start, and now.
    """

    creep_m_s: float = 1e-8
    steep: float = 200.0
    wet: float = 3.0
    critical_m: float = 0.15
    dry_s: float = 5 * 86_400.0
    doomed_m_s: float = 1e-6
    rain_m_s: float = 0.0
    soak: float = 0.6

    moved_m: float = field(default=0.0, init=False)
    speed_m_s: float = field(default=0.0, init=False)
    water_m: float = field(default=0.0, init=False)
    is_sliding: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.speed_m_s = self.creep_m_s

    @property
    def is_broken(self) -> bool:
        """Tell whether it has come down."""
        return self.speed_m_s >= BROKEN_M_S

    @property
    def fails_in_s(self) -> float:
        """Give the time to failure that its own law says, infinite while it only creeps: ``1/(A·v)``."""
        return 1 / (self.steep * self.speed_m_s) if self.is_sliding else math.inf

    def step(self, dt_s: float) -> None:
        """Move on by dt_s; exact for the law of sliding: ``1/v = 1/v0 − A·t``, ``s = −ln(1 − A·v0·t)/A``."""
        if self.is_broken:
            self.moved_m += BROKEN_M_S * dt_s
            return
        keep = math.exp(-dt_s / self.dry_s)
        self.water_m = self.water_m * keep + self.soak * self.rain_m_s * self.dry_s * (1 - keep)
        self.is_sliding = self.water_m > self.critical_m or self.speed_m_s > self.doomed_m_s
        if not self.is_sliding:
            self.speed_m_s = self.creep_m_s * (1 + self.wet * self.water_m / self.critical_m)
            self.moved_m += self.speed_m_s * dt_s
            return
        left = 1 - self.steep * self.speed_m_s * dt_s
        after = self.speed_m_s / left if left > 0 else math.inf
        if after >= BROKEN_M_S:  # It comes down within this step.
            until_s = (1 / self.speed_m_s - 1 / BROKEN_M_S) / self.steep
            self.moved_m += math.log(BROKEN_M_S / self.speed_m_s) / self.steep + BROKEN_M_S * (dt_s - until_s)
            self.speed_m_s = BROKEN_M_S
            return
        self.moved_m -= math.log(left) / self.steep
        self.speed_m_s = after
