"""Units: which engineering units a derived tag's inputs may have, and how they become the kind's own.

``value * factor + offset`` is in the unit that a kind computes in; it stands first in each dimension.
Source: SI Brochure, 9th edition (2019), chapters 4 and 5; 1 bar = 100 kPa; 0 °C = 273.15 K.
"""

from collections.abc import Mapping
from typing import Final

from alerting.model.derivation import Scale

UNITS: Final[Mapping[str, Mapping[str, Scale]]] = {
    "level": {"m": (1.0, 0.0), "cm": (0.01, 0.0), "mm": (0.001, 0.0)},
    "volume": {"m³": (1.0, 0.0), "m3": (1.0, 0.0), "L": (0.001, 0.0), "l": (0.001, 0.0)},
    "mass": {"kg": (1.0, 0.0), "t": (1000.0, 0.0)},
    "temperature": {
        "°C": (1.0, 0.0), "℃": (1.0, 0.0), "degC": (1.0, 0.0), "C": (1.0, 0.0), "K": (1.0, -273.15),
    },
    "pressure": {"kPa": (1.0, 0.0), "Pa": (0.001, 0.0), "MPa": (1000.0, 0.0), "bar": (100.0, 0.0)},
    "flow": {
        "m³/h": (1.0, 0.0), "m3/h": (1.0, 0.0), "m³/s": (3600.0, 0.0), "m3/s": (3600.0, 0.0),
        "m³/min": (60.0, 0.0), "m3/min": (60.0, 0.0), "L/s": (3.6, 0.0), "L/min": (0.06, 0.0),
    },
    "normal flow": {"Nm³/h": (1.0, 0.0), "Nm3/h": (1.0, 0.0), "Nm³/s": (3600.0, 0.0), "Nm3/s": (3600.0, 0.0)},
    "normal volume": {"Nm³": (1.0, 0.0), "Nm3": (1.0, 0.0)},
    "percent": {"%": (1.0, 0.0)},
    "count": {"": (1.0, 0.0), "count": (1.0, 0.0), "persons": (1.0, 0.0), "p": (1.0, 0.0), "人": (1.0, 0.0)},
    "crowd": {"p/m²": (1.0, 0.0), "p/m2": (1.0, 0.0), "persons/m²": (1.0, 0.0), "人/m²": (1.0, 0.0)},
    "state": {"": (1.0, 0.0)},
    # Which of them a tag has is the method's matter: it needs LEL, M, T and p for it.
    "gas": {
        "%LEL": (1.0, 0.0), "%VOL": (1.0, 0.0), "ppm": (1.0, 0.0), "mg/m³": (1.0, 0.0), "mg/m3": (1.0, 0.0),
    },
    "concentration": {"mg/m³": (1.0, 0.0), "mg/m3": (1.0, 0.0), "ppm": (1.0, 0.0)},
    "mass flow": {"kg/s": (1.0, 0.0), "kg/h": (1 / 3600, 0.0), "t/h": (1 / 3.6, 0.0)},
    "speed": {"m/s": (1.0, 0.0), "km/h": (1 / 3.6, 0.0)},
    "angle": {"°": (1.0, 0.0), "deg": (1.0, 0.0)},
    "irradiance": {"W/m²": (1.0, 0.0), "W/m2": (1.0, 0.0)},
    "number": {"": (1.0, 0.0), "1": (1.0, 0.0)},
}  # fmt: skip

#: A dimension whose unit is free: the inputs' and the tag's own are one and the same.
SAME: Final = "same"
#: A dimension whose unit is free, one input's from another's.
ANY: Final = "any"


def units_of(dimension: str) -> str:
    """Name the units of a dimension for a sentence."""
    return ", ".join(eu or "none" for eu in UNITS[dimension])


def scale_of(dimension: str, eu: str) -> Scale | None:
    """Give what brings a value of this unit into the kind's, or None where the unit is none of the dimension."""
    return (1.0, 0.0) if dimension in (SAME, ANY) else UNITS[dimension].get(eu)
