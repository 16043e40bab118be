"""Slow disturbance: what makes a quiet plant look alive."""

import math
from dataclasses import dataclass

from numpy.random import Generator


@dataclass(slots=True, kw_only=True)
class Drift:
    """An Ornstein-Uhlenbeck process around zero, exact for any step.

    ``x(t + dt) = x(t)·a + σ·sqrt(1 − a²)·N(0, 1)`` with ``a = exp(−dt / τ)`` (Gillespie, Phys. Rev. E 54,
    2084, 1996), so that a step of 0.1 s and one of 60 s have the same statistics.

    Attributes:
        sigma: Standard deviation in the long run, in the unit of what it disturbs.
        tau_s: Time after which it has forgotten most, s.
    """

    sigma: float
    tau_s: float
    now: float = 0.0

    def step(self, dt_s: float, dice: Generator) -> float:
        """Move on by dt_s and give the new disturbance."""
        keep = math.exp(-dt_s / self.tau_s)
        self.now = self.now * keep + self.sigma * math.sqrt(1 - keep * keep) * float(dice.standard_normal())
        return self.now


def approach(now: float, target: float, dt_s: float, tau_s: float) -> float:
    """Move a first-order lag towards its target: exact for a constant target, so any step is stable."""
    return target + (now - target) * math.exp(-dt_s / tau_s)
