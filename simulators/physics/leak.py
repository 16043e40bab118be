"""Leak: mass flow through a hole, of liquid and of gas.

Sources: AQ/T 3046-2013 annex E (liquid and gas, discharge coefficients), the same as the "Yellow Book" CPR 14E, chapter
2, and Perry's Chemical Engineers' Handbook, 8th edition, section 23.
"""

import math
from typing import Final

GAS_CONSTANT: Final = 8.314_462_618  # J/(mol·K), CODATA 2018.
ATMOSPHERE_PA: Final = 101_325.0
GRAVITY_M_S2: Final = 9.806_65  # ISO 80000-3, standard gravity.

SHARP: Final = 0.61  # Liquid through a sharp edge, Re > 30,000 (AQ/T 3046-2013 annex E).
NOZZLE: Final = 0.81  # Liquid through a stub at least three diameters long (there).
ROUND_GAS: Final = 1.0  # Gas through a round hole (there); triangle 0.95, rectangle 0.90.


def hole_area_m2(hole_m: float) -> float:
    """Give the area of a round hole of that diameter."""
    return math.pi / 4 * hole_m * hole_m


def critical_ratio(gamma: float) -> float:
    """Give ``p0/p`` at and below which flow is choked: ``(2/(γ+1))^(γ/(γ−1))``; 0.5439 for γ 1.31."""
    return float((2 / (gamma + 1)) ** (gamma / (gamma - 1)))


def gas_kg_s(
    pressure_pa: float,
    temperature_k: float,
    area_m2: float,
    *,
    molar_kg: float,
    gamma: float,
    discharge: float = ROUND_GAS,
    outside_pa: float = ATMOSPHERE_PA,
) -> float:
    """Give the mass flow of an ideal gas through a hole, kg/s; choked and not.

    Choked: ``m = Cd·A·p·sqrt(M·γ/(R·T)·(2/(γ+1))^((γ+1)/(γ−1)))``; else
    ``m = Cd·A·p·sqrt(2M/(R·T)·γ/(γ−1)·((p0/p)^(2/γ) − (p0/p)^((γ+1)/γ)))``.

    Args:
        pressure_pa: Absolute pressure inside, Pa; at or below ``outside_pa`` nothing flows.
    """
    if pressure_pa <= outside_pa or area_m2 <= 0:
        return 0.0
    ratio = outside_pa / pressure_pa
    per_energy = molar_kg / (GAS_CONSTANT * temperature_k)
    if ratio <= critical_ratio(gamma):
        under = per_energy * gamma * (2 / (gamma + 1)) ** ((gamma + 1) / (gamma - 1))
    else:
        under = 2 * per_energy * gamma / (gamma - 1) * (ratio ** (2 / gamma) - ratio ** ((gamma + 1) / gamma))
    return discharge * area_m2 * pressure_pa * math.sqrt(under)


def liquid_kg_s(
    density_kg_m3: float,
    area_m2: float,
    *,
    head_m: float = 0.0,
    pressure_pa: float = ATMOSPHERE_PA,
    outside_pa: float = ATMOSPHERE_PA,
    discharge: float = SHARP,
) -> float:
    """Give the mass flow of liquid through a hole, kg/s: ``m = ρ·A·Cd·sqrt(2(p−p0)/ρ + 2gh)``; never negative.

    Args:
        head_m: Liquid above the hole.
        pressure_pa: Absolute pressure above the liquid.
    """
    drive = 2 * (pressure_pa - outside_pa) / density_kg_m3 + 2 * GRAVITY_M_S2 * max(0.0, head_m)
    return 0.0 if drive <= 0 else density_kg_m3 * area_m2 * discharge * math.sqrt(drive)


def flash_fraction(cp_j_kg_k: float, temperature_k: float, boiling_k: float, latent_j_kg: float) -> float:
    """Give the share of a superheated liquid that flashes: ``1 − exp(−cp·(T − Tb)/hv)``, 0 below the boiling point.

    CPR 14E ("Yellow Book") 2.5; the adiabatic flash of a liquid that keeps its heat capacity.
    """
    return 0.0 if temperature_k <= boiling_k else -math.expm1(-cp_j_kg_k * (temperature_k - boiling_k) / latent_j_kg)
