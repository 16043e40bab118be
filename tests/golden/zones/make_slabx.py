"""Make ``slabx.csv``: how far twenty heavy clouds reach by another model, SLAB, kept as golden data.

Run in an environment of its own, it prints the file:
``python -m venv E; E/bin/pip install slabx==1.0.7; E/bin/python make_slabx.py > slabx.csv``

A liquid at 303.15 K leaves a round hole as a level jet near the ground: its rate and speed are those of the orifice,
its liquid share is what does not flash, its area follows from rate, speed and the density of the two-phase jet. Air of
293.15 K, 50 % humidity, wind at 10 m, at the ground, 3,600 s long.
"""

import csv
import sys
from importlib.metadata import version

from slabx.core.plume import run_dispersion
from slabx.core.source import HorizontalJet
from slabx.post.concentration import concentration_field
from slabx.submodels.atmosphere import Atmosphere
from slabx.thermo.base import LegacyThermo, Substance, water_backend

#: As SLAB's manual gives them (Ermak 1990, table of substances).
GASES = {
    "7782-50-5": Substance(
        name="chlorine", mw=0.070906, cp_vapour=498.1, cp_liquid=926.3, dh_vap=287_840.0, T_boil=239.1,
        rho_liquid=1_574.0, sat_B=1_978.34, sat_C=-27.01,
    ),
    "7664-41-7": Substance(
        name="ammonia", mw=0.017031, cp_vapour=2_170.0, cp_liquid=4_294.0, dh_vap=1_370_840.0, T_boil=239.7,
        rho_liquid=682.8, sat_B=2_132.52, sat_C=-32.98,
    ),
    "7446-09-5": Substance(
        name="sulphur dioxide", mw=0.064063, cp_vapour=622.6, cp_liquid=1_331.0, dh_vap=386_500.0, T_boil=263.0,
        rho_liquid=1_462.0, sat_B=2_302.35, sat_C=-35.97,
    ),
    "74-98-6": Substance(
        name="propane", mw=0.044097, cp_vapour=1_678.0, cp_liquid=2_520.0, dh_vap=425_740.0, T_boil=231.1,
        rho_liquid=500.5, sat_B=1_872.46, sat_C=-25.16,
    ),
}  # fmt: skip
#: (CAS, level as a volume fraction, share of liquid, speed m/s, rates kg/s): of holes of 5 and 25 mm, for ammonia and
#: propane 25 and 100 mm: so that both models end between some tens of metres and some kilometres.
SOURCES = [
    ("7782-50-5", 20e-6, 0.79, 33.9, (0.559, 13.98)),
    ("7664-41-7", 1_000e-6, 0.775, 59.8, (10.64, 170.2)),
    ("7446-09-5", 15e-6, 0.858, 23.4, (0.380, 9.489)),
    ("74-98-6", 0.0105, 0.538, 63.7, (9.207, 147.3)),
]
#: (which hole, class, wind m/s)
WEATHER = [(0, "D", 5.0), (1, "D", 5.0), (0, "F", 2.0), (1, "D", 2.0), (1, "E", 3.0)]
LAST_M, LASTS_S = 40_000.0, 3_600.0


def reach_m(
    gas: Substance, air: Atmosphere, rate: float, liquid: float, speed: float, level: float, average: float
) -> float:
    dense = HorizontalJet(substance=gas, rate=rate, area=1.0, duration=LASTS_S, liquid_fraction=liquid).rho_source(air)
    jet = HorizontalJet(
        substance=gas, rate=rate, area=rate / (dense * speed), duration=LASTS_S, liquid_fraction=liquid, height=0.5
    )
    path, _ = run_dispersion(jet, air, LegacyThermo(gas), water_backend(), x_max=LAST_M, n_puff_steps=80)
    return concentration_field(path, air, z=0.0, t_avg=average, t_release=LASTS_S).distance_to(level)


rows = csv.writer(sys.stdout, lineterminator="\n")
rows.writerow(
    ["cas", "level", "rate_kg_s", "liquid", "speed_m_s", "stability", "wind_m_s", "slabx_m", "smooth_m", "slabx"]
)
for cas, level, liquid, speed, rates in SOURCES:
    for which, stability, wind in WEATHER:
        rate, far = rates[which], []
        # Once as zones are drawn, once over water or mud and as short as in the trials that the correlations are from.
        for rough, average in ((0.1, 600.0), (0.0003, 10.0)):
            air = Atmosphere(u_ref=wind, z_ref=10.0, T=293.15, rh=50.0, z0=rough, stability=stability)
            far.append(f"{reach_m(GASES[cas], air, rate, liquid, speed, level, average):.1f}")
        rows.writerow([cas, level, rate, liquid, speed, stability, wind, *far, version("slabx")])
