"""An atmospheric tank: liquid, heat, and a vapour space that breathes.

Why: level, flow, temperature and pressure come from one balance, so a rule that compares them has something to compare.
Never: knows a limit or an instrument; what is too high is the gateway's matter.
Source: the balances are conservation of mass, energy and molecules with the ideal gas law; API 2517 for
what a roof takes of the sun. How fast the vapour space follows, and when a seam opens, is ours and marked so.
"""

import math
from dataclasses import dataclass, field

from simulators.physics.leak import ATMOSPHERE_PA, GAS_CONSTANT
from simulators.physics.noise import approach
from simulators.physics.shape import Shape
from simulators.physics.substance import Substance

GAS_LEAST = 1e-3  # Share of the volume that stays gas: the roof above the overflow.


@dataclass(slots=True, kw_only=True)
class StorageTank:
    """One tank with a fixed roof and a pressure and vacuum valve.

    Liquid: ``dm/dt = in − out − overflow − evaporated``. Heat: ``d(m·cp·T)/dt = in·cp·Tin − (out + overflow)·cp·T +
    UA·(Tair − T) + α·A·G − evaporated·(hv + cp·T)``. Vapour space: ``p·V = n·R·T``; its vapour is in balance with the
    liquid, air or nitrogen make up the rest; the valve passes ``k·(p − p_set)`` above its set pressure and lets air in
    below its vacuum set, both solved implicitly, so that any step is stable and no molecule is lost.

    Attributes:
        overflow_m: Level at which liquid runs out of the roof's vents.
        inflow_m3_s, outflow_m3_s: What pumps are asked for; an empty tank gives less.
        feed_k: Temperature of what comes in.
        loss_w_k: UA of shell and roof, W/K.
        absorb: Share of the sun's heat on the roof that the shell takes, 0.17 white to 0.97 black (API 2517).
        vent_m3_s_pa: How much the valve passes for each pascal above its set pressure; 0 for one that is stuck.
        blanket_pa: Gauge pressure that nitrogen is fed up to; below ``-ATMOSPHERE_PA`` for none.
        spilt_kg, vented_mol, breathed_mol, evaporated_kg: Since the start.
    """

    shape: Shape
    substance: Substance
    level_m: float
    overflow_m: float
    temperature_k: float = 288.15
    inflow_m3_s: float = 0.0
    outflow_m3_s: float = 0.0
    feed_k: float = 288.15
    loss_w_k: float = 2_000.0
    absorb: float = 0.17
    roof_m2: float = 0.0
    relief_pa: float = 1_500.0
    vacuum_pa: float = -300.0
    vent_m3_s_pa: float = 2e-3
    blanket_pa: float = -2 * ATMOSPHERE_PA

    liquid_kg: float = field(default=0.0, init=False)
    heat_j: float = field(default=0.0, init=False)  # m·cp·T
    gas_k: float = field(default=0.0, init=False)
    air_mol: float = field(default=0.0, init=False)
    vapour_mol: float = field(default=0.0, init=False)
    pressure_pa: float = field(default=0.0, init=False)  # gauge
    spilt_kg: float = field(default=0.0, init=False)
    vented_mol: float = field(default=0.0, init=False)
    vented_vapour_mol: float = field(default=0.0, init=False)
    breathed_mol: float = field(default=0.0, init=False)
    evaporated_kg: float = field(default=0.0, init=False)
    taken_in_kg: float = field(default=0.0, init=False)
    given_out_kg: float = field(default=0.0, init=False)
    heat_taken_j: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        self.gas_k = self.temperature_k
        self.liquid_kg = self.shape.volume_at(self.level_m) * self.density_kg_m3
        self.heat_j = self.liquid_kg * self.substance.cp_j_kg_k * self.temperature_k
        room = self._gas_m3() / (GAS_CONSTANT * self.gas_k)
        self.vapour_mol = self._vapour_pa() * room
        self.air_mol = ATMOSPHERE_PA * room - self.vapour_mol

    @property
    def density_kg_m3(self) -> float:
        """Give the liquid's density now."""
        return self.substance.liquid_kg_m3(self.temperature_k)

    @property
    def free_m3(self) -> float:
        """Give what still goes in before it runs over."""
        return self.shape.volume_at(self.overflow_m) - self.liquid_kg / self.density_kg_m3

    def step(self, dt_s: float, air_k: float = 288.15, sun_w_m2: float = 0.0) -> None:
        """Move on by dt_s.

        Args:
            air_k, sun_w_m2: Outside temperature and the sun's heat on a horizontal plane.
        """
        self._flow(dt_s)
        self._warm(dt_s, air_k, sun_w_m2)
        self._spill()
        self.level_m = self.shape.level_of(self.liquid_kg / self.density_kg_m3)
        self._breathe(dt_s, air_k, sun_w_m2)

    def _flow(self, dt_s: float) -> None:
        cp = self.substance.cp_j_kg_k
        come = max(0.0, self.inflow_m3_s) * dt_s * self.substance.liquid_kg_m3(self.feed_k)
        self.liquid_kg += come
        self.heat_j += come * cp * self.feed_k
        self.taken_in_kg += come
        self.heat_taken_j += come * cp * self.feed_k
        self._take_temperature()
        gone = min(max(0.0, self.outflow_m3_s) * dt_s * self.density_kg_m3, self.liquid_kg)
        self._lose(gone)
        self.given_out_kg += gone

    def _lose(self, mass_kg: float) -> None:
        heat = mass_kg * self.substance.cp_j_kg_k * self.temperature_k
        self.liquid_kg -= mass_kg
        self.heat_j -= heat
        self.heat_taken_j -= heat

    def _take_temperature(self) -> None:
        if self.liquid_kg > 1e-6:
            self.temperature_k = self.heat_j / (self.liquid_kg * self.substance.cp_j_kg_k)

    def _warm(self, dt_s: float, air_k: float, sun_w_m2: float) -> None:
        """Follow air and sun: exact for constant ones, so any step is stable."""
        if self.liquid_kg <= 1e-6 or self.loss_w_k <= 0:
            return
        content = self.liquid_kg * self.substance.cp_j_kg_k
        target = air_k + self.absorb * self.roof_m2 * sun_w_m2 / self.loss_w_k
        after = approach(self.temperature_k, target, dt_s, content / self.loss_w_k)
        self.heat_taken_j += content * (after - self.temperature_k)
        self.heat_j = content * after
        self.temperature_k = after

    def _spill(self) -> None:
        over = max(0.0, self.liquid_kg / self.density_kg_m3 - self.shape.volume_at(self.overflow_m))
        if over > 0:
            mass = over * self.density_kg_m3
            self._lose(mass)
            self.spilt_kg += mass

    def _gas_m3(self) -> float:
        whole = self.shape.volume_m3
        return max(whole - self.liquid_kg / self.density_kg_m3, GAS_LEAST * whole)

    def _vapour_pa(self) -> float:
        return min(self.substance.vapour_pa(self.temperature_k), 0.9 * ATMOSPHERE_PA) if self.liquid_kg > 0 else 0.0

    def _breathe(self, dt_s: float, air_k: float, sun_w_m2: float) -> None:
        # Thin steel under the sun; a quarter of an hour (ours). Half follows the liquid's surface below it.
        roof_k = air_k + 0.04 * self.absorb * sun_w_m2
        self.gas_k = approach(self.gas_k, (roof_k + self.temperature_k) / 2, dt_s, 900.0)
        room = self._gas_m3() / (GAS_CONSTANT * self.gas_k)  # mol/Pa
        self._evaporate(room)
        total = self.air_mol + self.vapour_mol
        outside, set_pa = ATMOSPHERE_PA, ATMOSPHERE_PA + self.relief_pa
        passes = self.vent_m3_s_pa * dt_s / (GAS_CONSTANT * self.gas_k)
        pressure = total / room
        if pressure > set_pa and passes > 0:
            # room·p + passes·(p − set)·p = total
            half = room - passes * set_pa
            pressure = (-half + math.sqrt(half * half + 4 * passes * total)) / (2 * passes)
            gone = total - room * pressure
            share = self.vapour_mol / total
            self.vented_mol += gone
            self.vented_vapour_mol += gone * share
            self.vapour_mol -= gone * share
            self.air_mol -= gone * (1 - share)
        elif pressure < outside + self.vacuum_pa and self.vent_m3_s_pa > 0:
            # room·p = total + passes·(vacuum − p)·outside
            pressure = (total + passes * outside * (outside + self.vacuum_pa)) / (room + passes * outside)
            self.breathed_mol += room * pressure - total
            self.air_mol += room * pressure - total
        if pressure < outside + self.blanket_pa:
            self.breathed_mol += room * (outside + self.blanket_pa) - (self.air_mol + self.vapour_mol)
            self.air_mol = room * (outside + self.blanket_pa) - self.vapour_mol
            pressure = outside + self.blanket_pa
        self.pressure_pa = pressure - outside

    def _evaporate(self, room: float) -> None:
        """Bring the vapour to equilibrium with the liquid, as far as there is liquid."""
        molar_kg = self.substance.molar_kg
        wanted = self._vapour_pa() * room - self.vapour_mol
        moved = min(wanted, self.liquid_kg / molar_kg)
        mass = moved * molar_kg
        heat = mass * (self.substance.latent_j_kg(self.temperature_k) + self.substance.cp_j_kg_k * self.temperature_k)
        self.vapour_mol += moved
        self.liquid_kg -= mass
        self.heat_j -= heat
        self.heat_taken_j -= heat
        self.evaporated_kg += mass
        self._take_temperature()
