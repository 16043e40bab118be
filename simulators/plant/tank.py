"""An atmospheric tank: mass balance, heat, and the pressure that displaced vapour makes.

Why: level and inlet flow must agree with each other, or a rule that compares them could not be shown.
Never: knows a limit; what is too high is the gateway's matter.
"""

import math
from dataclasses import dataclass, field

from numpy.random import Generator

from simulators.physics.noise import Drift, approach

VAPOUR_DENSITY = 1.2  # kg/m³, air with some solvent at 25 °C.
ORIFICE = 0.61  # Discharge coefficient of a sharp edge, Re > 30,000 (AQ/T 3046-2013).


@dataclass(slots=True, kw_only=True)
class Tank:
    """One upright tank with a breather valve, a level controller on its outlet and a high-high switch.

    Attributes:
        diameter_m, height_m: Shell; liquid above ``height_m`` runs over into the bund.
        level_set_m: What the outlet controller holds while nobody forces the outlet.
        switch_m: Level at which the independent high-high switch closes.
        inlet_set_m3_s: What the inlet pump is asked for.
        outlet_forced_m3_s: Outlet set by hand; None for the controller.
        blanket_pa: Gauge pressure that the nitrogen blanket holds.
        breather_m: Bore of the breather valve.
        spilt_m3: What has run over since the start.
    """

    level_set_m: float
    inlet_set_m3_s: float
    feed_k: float = 298.0
    diameter_m: float = 3.0
    height_m: float = 6.0
    switch_m: float = 5.2
    outlet_forced_m3_s: float | None = None
    outlet_most_m3_s: float = 0.10
    blanket_pa: float = 400.0
    breather_m: float = 0.10
    ambient_k: float = 297.0

    level_m: float = field(default=float("nan"), init=False)
    temperature_k: float = field(default=float("nan"), init=False)
    pressure_pa: float = field(default=float("nan"), init=False)
    inflow_m3_s: float = field(default=float("nan"), init=False)
    outflow_m3_s: float = field(default=float("nan"), init=False)
    spilt_m3: float = field(default=0.0, init=False)
    level_seen_m: float = field(default=float("nan"), init=False)
    temperature_seen_k: float = field(default=float("nan"), init=False)
    pressure_seen_pa: float = field(default=float("nan"), init=False)
    inflow_seen_m3_s: float = field(default=float("nan"), init=False)
    _pump: Drift = field(init=False)

    def __post_init__(self) -> None:
        self.level_m = self.level_seen_m = self.level_set_m
        self.temperature_k = self.temperature_seen_k = self.feed_k
        self.pressure_pa = self.pressure_seen_pa = self.blanket_pa
        self.inflow_m3_s = self.outflow_m3_s = self.inflow_seen_m3_s = self.inlet_set_m3_s
        self._pump = Drift(sigma=0.04, tau_s=90.0)

    @property
    def area_m2(self) -> float:
        """Give the cross-section, m²."""
        return math.pi / 4 * self.diameter_m**2

    @property
    def is_switched(self) -> bool:
        """Tell whether the high-high switch is closed; it follows the liquid, not the level gauge."""
        return self.level_m >= self.switch_m

    @property
    def is_inlet_open(self) -> bool:
        """Tell whether the inlet valve reports open."""
        return self.inlet_set_m3_s > 0

    def step(self, dt_s: float, dice: Generator) -> None:
        """Move on by dt_s.

        Mass: ``A·dh/dt = q_in − q_out − q_over``. Heat: ``dT/dt = q_in/V·(T_feed − T) + (T_amb − T)/τ``.
        Vapour: what liquid displaces leaves through the breather, ``Δp = ρ/2·(q/(Cd·A_v))²`` (orifice equation).
        """
        self._flow(dt_s, dice)
        net_m3_s = self.inflow_m3_s - self.outflow_m3_s
        level_m = self.level_m + net_m3_s * dt_s / self.area_m2
        over_m = max(0.0, level_m - self.height_m)
        self.spilt_m3 += over_m * self.area_m2
        self.level_m = max(0.0, level_m - over_m)
        self._warm(dt_s)
        self._breathe(dt_s, net_m3_s)
        self._measure(dice)

    def _flow(self, dt_s: float, dice: Generator) -> None:
        wanted = self.inlet_set_m3_s * (1 + self._pump.step(dt_s, dice))
        self.inflow_m3_s = approach(self.inflow_m3_s, max(0.0, wanted), dt_s, 1.5)  # Valve travel, s.
        if self.outlet_forced_m3_s is None:
            gain_m2_s = self.area_m2 / 600.0  # Averaging level control: ten minutes.
            outlet = self.inlet_set_m3_s + gain_m2_s * (self.level_m - self.level_set_m)
        else:
            outlet = self.outlet_forced_m3_s
        outlet = min(max(0.0, outlet), self.outlet_most_m3_s, self.level_m * self.area_m2 / dt_s + self.inflow_m3_s)
        self.outflow_m3_s = approach(self.outflow_m3_s, outlet, dt_s, 1.5)

    def _warm(self, dt_s: float) -> None:
        volume_m3 = max(1.0, self.level_m * self.area_m2)
        stir = self.inflow_m3_s / volume_m3
        loss = 1 / 86_400.0  # An uninsulated tank follows the day with about a day's lag.
        target = (stir * self.feed_k + loss * self.ambient_k) / (stir + loss)
        self.temperature_k = approach(self.temperature_k, target, dt_s, 1 / (stir + loss))

    def _breathe(self, dt_s: float, net_m3_s: float) -> None:
        valve_m2 = math.pi / 4 * self.breather_m**2
        speed = net_m3_s / (ORIFICE * valve_m2)
        over_pa = math.copysign(VAPOUR_DENSITY / 2 * speed**2, net_m3_s)
        self.pressure_pa = approach(self.pressure_pa, self.blanket_pa + over_pa, dt_s, 2.0)

    def _measure(self, dice: Generator) -> None:
        noise = dice.standard_normal(4)
        self.level_seen_m = self.level_m + 0.0012 * float(noise[0])  # Radar gauge, ±1 mm class.
        self.temperature_seen_k = self.temperature_k + 0.05 * float(noise[1])  # Pt100 class A.
        self.pressure_seen_pa = self.pressure_pa + 8.0 * float(noise[2])
        self.inflow_seen_m3_s = max(0.0, self.inflow_m3_s * (1 + 0.004 * float(noise[3])))
