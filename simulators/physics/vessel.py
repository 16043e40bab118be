"""A vessel under its own vapour pressure: a sphere or bullet of LPG, chlorine or ammonia.

Why: mass and energy are the state; temperature and pressure follow from them, so both balances close exactly.
Source: conservation of mass and energy, saturation by Perry's equations (``substance``); API 520-1 for the valve. The
stiffness of a vessel without vapour is ours.
"""

from dataclasses import dataclass, field

from simulators.physics.leak import ATMOSPHERE_PA, flash_fraction, gas_kg_s, hole_area_m2, liquid_kg_s
from simulators.physics.shape import Shape
from simulators.physics.substance import Substance

BULK_PA = 2e8  # Stiffness of a liquid-full vessel, liquid and shell together (ours; LPG alone about 3e8).
KELVIN_MOST = 60.0  # A step changes the temperature by less; the search for it stays near.


@dataclass(slots=True, kw_only=True)
class PressureVessel:
    """One vessel, liquid and vapour at saturation.

    ``M = Ml + Mv``, ``V = Ml/ρl + Mv/ρv``, ``U = Ml·ul + Mv·uv + Cw·(T − T0)``; each outflow takes its enthalpy along,
    from the liquid's or the vapour's side. Without liquid the vapour thins as a gas; without vapour the pressure is the
    liquid's stiffness.

    Attributes:
        fill: Share of the volume that is liquid at the start.
        wall_j_k: Heat capacity of the shell.
        loss_w_k: UA to the air; fire is a large ``heat_w``.
        hole_m: Diameter of a hole, 0 for none; at ``hole_level_m`` above the bottom.
        relief_pa: Absolute pressure at which the safety valve opens; it shuts at 0.93 of it (API 520: 7 % blowdown).
        leaking_kg_s, flashed: What leaves by the hole now, and which share of it flashes to vapour.
    """

    shape: Shape
    substance: Substance
    fill: float
    temperature_k: float = 288.15
    wall_j_k: float = 2e7
    loss_w_k: float = 300.0
    heat_w: float = 0.0
    inflow_kg_s: float = 0.0
    feed_k: float = 288.15
    outflow_kg_s: float = 0.0
    hole_m: float = 0.0
    hole_level_m: float = 0.0
    relief_pa: float = 1.77e6
    relief_m: float = 0.05

    mass_kg: float = field(default=0.0, init=False)
    energy_j: float = field(default=0.0, init=False)
    pressure_pa: float = field(default=0.0, init=False)
    liquid_kg: float = field(default=0.0, init=False)
    level_m: float = field(default=0.0, init=False)
    leaking_kg_s: float = field(default=0.0, init=False)
    flashed: float = field(default=0.0, init=False)
    relieving_kg_s: float = field(default=0.0, init=False)
    is_relieving: bool = field(default=False, init=False)
    leaked_kg: float = field(default=0.0, init=False)
    relieved_kg: float = field(default=0.0, init=False)
    taken_j: float = field(default=0.0, init=False)
    _start_k: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self._start_k = self.temperature_k
        dense, thin = self.substance.liquid_kg_m3, self.substance.vapour_kg_m3
        volume, at = self.shape.volume_m3, self.temperature_k
        self.mass_kg = volume * (self.fill * dense(at) + (1 - self.fill) * thin(at))
        self.energy_j = self._energy_at(at)
        self._settle()

    @property
    def is_liquid_at_hole(self) -> bool:
        """Tell whether the hole lies below the liquid."""
        return self.level_m > self.hole_level_m

    def step(self, dt_s: float, air_k: float = 288.15) -> None:
        """Move on by dt_s: flows at the present state, then the state that holds what is left."""
        self._leak()
        self._relieve()
        heat_w = self.loss_w_k * (air_k - self.temperature_k) + self.heat_w
        come = self.inflow_kg_s * dt_s
        gone = min(self.outflow_kg_s * dt_s, self.liquid_kg)
        leaked, relieved = self.leaking_kg_s * dt_s, self.relieving_kg_s * dt_s
        scale = min(1.0, 0.5 * self.mass_kg / max(leaked + relieved, 1e-12))  # A long step never takes more than half.
        leaked, relieved = leaked * scale, relieved * scale
        feed_j_kg = self._liquid_j_kg(self.feed_k) + self.pressure_pa / self.substance.liquid_kg_m3(self.feed_k)
        liquid_j_kg = self._liquid_j_kg(self.temperature_k) + self.pressure_pa / self.substance.liquid_kg_m3(
            self.temperature_k
        )
        vapour_j_kg = liquid_j_kg + self.substance.latent_j_kg(self.temperature_k)
        hole_j_kg = liquid_j_kg if self.is_liquid_at_hole else vapour_j_kg
        taken = heat_w * dt_s + come * feed_j_kg - gone * liquid_j_kg - leaked * hole_j_kg - relieved * vapour_j_kg
        self.mass_kg += come - gone - leaked - relieved
        self.energy_j += taken
        self.taken_j += taken
        self.leaked_kg += leaked
        self.relieved_kg += relieved
        self._settle()

    def _leak(self) -> None:
        self.flashed = 0.0
        if self.hole_m <= 0:
            self.leaking_kg_s = 0.0
            return
        area, own = hole_area_m2(self.hole_m), self.substance
        if self.is_liquid_at_hole:
            head = self.level_m - self.hole_level_m
            self.leaking_kg_s = liquid_kg_s(
                own.liquid_kg_m3(self.temperature_k), area, head_m=head, pressure_pa=self.pressure_pa
            )
            self.flashed = flash_fraction(
                own.cp_j_kg_k, self.temperature_k, own.boiling_k, own.latent_j_kg(own.boiling_k)
            )
        else:
            self.leaking_kg_s = gas_kg_s(
                self.pressure_pa, self.temperature_k, area, molar_kg=own.molar_kg, gamma=own.gamma
            )
            self.flashed = 1.0

    def _relieve(self) -> None:
        if self.pressure_pa >= self.relief_pa:
            self.is_relieving = True
        elif self.pressure_pa < 0.93 * self.relief_pa:
            self.is_relieving = False
        own = self.substance
        self.relieving_kg_s = (
            gas_kg_s(
                self.pressure_pa, self.temperature_k, hole_area_m2(self.relief_m), molar_kg=own.molar_kg,
                gamma=own.gamma, discharge=0.975,  # API 520-1: a valve's effective coefficient for gas.
            )
            if self.is_relieving
            else 0.0
        )  # fmt: skip

    def _liquid_j_kg(self, at_k: float) -> float:
        return self.substance.cp_j_kg_k * (at_k - self._start_k)

    def _split(self, at_k: float) -> tuple[float, float]:
        """Give the masses of (liquid, vapour) at a temperature."""
        dense, thin = self.substance.liquid_kg_m3(at_k), self.substance.vapour_kg_m3(at_k)
        liquid = (self.mass_kg - thin * self.shape.volume_m3) / (1 - thin / dense)
        liquid = min(max(0.0, liquid), self.mass_kg)
        return liquid, self.mass_kg - liquid

    def _energy_at(self, at_k: float) -> float:
        own = self.substance
        liquid, vapour = self._split(at_k)
        evaporating = own.latent_j_kg(at_k) - own.vapour_pa(at_k) * (
            1 / own.vapour_kg_m3(at_k) - 1 / own.liquid_kg_m3(at_k)
        )
        inner = self._liquid_j_kg(at_k)
        return liquid * inner + vapour * (inner + evaporating) + self.wall_j_k * (at_k - self._start_k)

    def _settle(self) -> None:
        """Find the temperature that holds the energy (Newton), then pressure and level."""
        at, lean = self.temperature_k, 0.01
        for _ in range(20):
            miss = self._energy_at(at) - self.energy_j
            slope = (self._energy_at(at + lean) - miss - self.energy_j) / lean
            move = max(-KELVIN_MOST, min(KELVIN_MOST, -miss / slope))
            at += move
            if abs(move) < 1e-7:
                break
        own = self.substance
        self.temperature_k = at
        self.liquid_kg, vapour = self._split(at)
        dense, volume = own.liquid_kg_m3(at), self.shape.volume_m3
        self.pressure_pa = own.vapour_pa(at)
        if self.liquid_kg <= 0:
            self.pressure_pa *= vapour / (own.vapour_kg_m3(at) * volume)  # Thinner than saturated.
        elif vapour <= 0:
            self.pressure_pa += BULK_PA * max(0.0, 1 - volume * dense / self.mass_kg)
        self.pressure_pa = max(self.pressure_pa, 1e-3 * ATMOSPHERE_PA)
        self.level_m = self.shape.level_of(min(self.liquid_kg / dense, volume))
