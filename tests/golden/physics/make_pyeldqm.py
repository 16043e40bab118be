"""Make ``pyeldqm.json``: leak rates and plumes by another program, kept as golden data.

Run in an environment of its own, because the program brings two hundred libraries that the product must not have:
``python -m venv E; E/bin/pip install pyeldqm==0.1.3; E/bin/python make_pyeldqm.py > pyeldqm.json``
"""

import json
import math
import sys
from importlib.metadata import version

import numpy as np
from pyeldqm.core.dispersion_models.dispersion_utils import get_sigmas
from pyeldqm.core.dispersion_models.gaussian_model import single_source_concentration
from pyeldqm.core.source_models.tank_release.tank_gas import compute_Z, simulate_tank_gas_leak
from pyeldqm.core.source_models.tank_release.tank_liquid import simulate_tank_liquid_leak

R = 8.314
#: (gas, g/mol, γ, Tc K, pc Pa, stock kg in 5 m³, K, hole m): from barely above the atmosphere to far above it.
GASES = [
    ("methane", 16.04, 1.31, 190.6, 4_599_000.0, 3.8, 288.15, 0.010),
    ("methane", 16.04, 1.31, 190.6, 4_599_000.0, 5.0, 288.15, 0.010),
    ("methane", 16.04, 1.31, 190.6, 4_599_000.0, 37.0, 288.15, 0.025),
    ("hydrogen sulphide", 34.08, 1.32, 373.1, 8_960_000.0, 9.0, 293.15, 0.005),
    ("ammonia", 17.03, 1.30, 405.6, 11_360_000.0, 8.0, 298.15, 0.010),
    ("propane", 44.10, 1.13, 369.9, 4_251_000.0, 30.0, 300.15, 0.010),
]
#: (liquid, kg/m³, Cd, head m, pressure above it Pa, hole m²)
LIQUIDS = [
    ("petrol", 740.0, 0.61, 10.0, 101_325.0, math.pi / 4 * 0.025**2),
    ("ammonia", 610.0, 0.61, 2.0, 861_325.0, math.pi / 4 * 0.025**2),
    ("propane", 507.0, 0.61, 1.5, 801_325.0, math.pi / 4 * 0.010**2),
    ("methanol", 792.0, 0.81, 6.0, 101_325.0, math.pi / 4 * 0.050**2),
]
#: (class, Q kg/s, u m/s, x m, y m, z m, H m), all rural.
PLUMES = [
    ("A", 1.0, 2.0, 300.0, 0.0, 0.0, 0.0),
    ("B", 1.0, 3.0, 400.0, 20.0, 1.5, 0.0),
    ("C", 2.0, 4.0, 500.0, 0.0, 0.0, 10.0),
    ("D", 1.0, 5.0, 500.0, 0.0, 0.0, 0.0),
    ("D", 0.5, 5.0, 1_000.0, 50.0, 2.0, 20.0),
    ("D", 1.0, 8.0, 5_000.0, 0.0, 0.0, 0.0),
    ("E", 1.0, 3.0, 800.0, 0.0, 0.0, 0.0),
    ("E", 1.0, 2.5, 2_000.0, 60.0, 0.0, 5.0),
    ("F", 1.0, 1.5, 500.0, 0.0, 0.0, 0.0),
    ("F", 0.1, 2.0, 3_000.0, 0.0, 1.5, 3.0),
]


def gas_case(row: tuple) -> dict:
    name, molar, gamma, critical_k, critical_pa, stock, kelvin, hole = row
    told = simulate_tank_gas_leak(
        duration_s=1, dt=1.0, R=R, Tc=critical_k, Pc=critical_pa, Tt0=kelvin, M_gas=molar, V_tank=5.0, m_gas0=stock,
        gamma=gamma, C_dis=1.0, r_h=hole / 2, r_t=hole,
    )  # fmt: skip
    molar_volume = 5.0 / (stock * 1000 / molar)
    z = compute_Z(
        kelvin, molar_volume, 0.4278 * R**2 * critical_k**2.5 / critical_pa, 0.0867 * R * critical_k / critical_pa, R
    )
    return {
        "kind": "gas", "substance": name, "molar_kg": molar / 1000, "gamma": gamma, "temperature_k": kelvin,
        "hole_m": hole, "pressure_pa": float(told["pressure"][0]), "z": float(z), "kg_s": float(told["Qt"][0]),
    }  # fmt: skip


def liquid_case(row: tuple) -> dict:
    name, density, discharge, head, pressure, area = row
    told = simulate_tank_liquid_leak(
        total_time_s=0, dt=1.0, C_dis=discharge, Ah=area, zeta_h=0.01, rho_l=density, ecs=pressure, rp0=1.0, Vl0=head
    )
    return {
        "kind": "liquid", "substance": name, "density_kg_m3": density, "discharge": discharge, "head_m": head,
        "pressure_pa": pressure, "area_m2": area, "kg_s": float(told["Qt"][0]),
    }  # fmt: skip


def plume_case(row: tuple) -> dict:
    stability, source, wind, along, across, up, height = row
    sigma_x, sigma_y, sigma_z = get_sigmas(np.float64(along), stability, "RURAL")
    told = single_source_concentration(
        along, across, up, 0, 0, source, wind, sigma_x, sigma_y, sigma_z, height, mode="continuous"
    )
    return {
        "kind": "plume", "stability": stability, "source_kg_s": source, "wind_m_s": wind, "along_m": along,
        "across_m": across, "up_m": up, "height_m": height, "kg_m3": float(told),
    }  # fmt: skip


cases = [*map(gas_case, GASES), *map(liquid_case, LIQUIDS), *map(plume_case, PLUMES)]
json.dump({"program": "pyeldqm", "version": version("pyeldqm"), "cases": cases}, sys.stdout, indent=1)
print()
