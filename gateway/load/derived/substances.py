"""Substances: molar mass and lower explosive limit, for gases by name.

Source: molar masses from the standard atomic weights (IUPAC 2021, abridged). LEL in %VOL in air: as in the tables of
    flammability limits that detectors are commonly calibrated by (NFPA 325); several differ from IEC 60079-20-1:2010,
    which is told in ``IEC``. A detector was calibrated to one of them: write that one as ``lel_percent``.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Substance:
    """One gas or vapour.

    Attributes:
        molar_mass_g_mol: M.
        lel_percent: LEL in %VOL; None where it does not burn in air.
    """

    molar_mass_g_mol: float
    lel_percent: float | None = None


SUBSTANCES: Final[Mapping[str, Substance]] = {
    "CH4": Substance(16.043, 5.0),
    "C3H8": Substance(44.097, 2.1),
    "C4H10": Substance(58.124, 1.8),
    "H2": Substance(2.016, 4.0),
    "C2H4": Substance(28.054, 2.7),
    "C3H6": Substance(42.081, 2.0),
    "C2H2": Substance(26.038, 2.5),
    "NH3": Substance(17.031, 15.0),
    "H2S": Substance(34.08, 4.0),
    "CO": Substance(28.010, 12.5),
    "benzene": Substance(78.114, 1.2),
    "toluene": Substance(92.141, 1.1),
    "methanol": Substance(32.042, 6.0),
    "ethanol": Substance(46.069, 3.3),
    "acetone": Substance(58.080, 2.5),
    "ethylene-oxide": Substance(44.053, 3.0),
    "Cl2": Substance(70.90),
    "SO2": Substance(64.06),
    "NO2": Substance(46.006),
    "HF": Substance(20.006),
    "HCl": Substance(36.46),
}

#: LEL by IEC 60079-20-1:2010 where it differs, %VOL; for the documents.
IEC: Final[Mapping[str, float]] = {
    "CH4": 4.4, "C3H8": 1.7, "C4H10": 1.4, "C2H4": 2.3, "C2H2": 2.3, "ethylene-oxide": 2.6,
}  # fmt: skip
