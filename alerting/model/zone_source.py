"""Zone source: one place from which a substance may escape, and by which tags a consequence zone is worked out there.

Never: holds a value that was measured; who works the zone out reads it when it is needed.
"""

from dataclasses import dataclass
from typing import Final, Literal

from alerting.model.derivation import Scale
from alerting.model.site_plan import Corner

#: Holes of AQ/T 3046-2013, mm; the middle one where nobody says another.
HOLES_MM: Final = (5, 25, 100)
HOLE_MM: Final = 25
#: How old a value may be that a zone is worked out with, s; ours.
STALE_S: Final = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """A number of the source: of a tag, or fixed.

    Attributes:
        tag: Its name; empty where the number is fixed.
        scale: Factor and offset that bring a value of the tag into the quantity's own unit.
        fixed: In the quantity's own unit; None where a tag has it.
    """

    tag: str = ""
    scale: Scale = (1.0, 0.0)
    fixed: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSource:
    """What a site says of one place.

    Attributes:
        unit: Hazard unit whose incidents it belongs to.
        substance: CAS number.
        phase: What comes out of the hole.
        place: Longitude and latitude, degrees, CGCS2000.
        height_m: Of the hole above the ground.
        hole_mm: Taken where no rate is measured and nobody asks for another.
        temperature, pressure: In the vessel or line, °C and kPa.
        is_gauge: The pressure is above the air's, not absolute.
        level, hole_at_m: Level in the vessel, m, and how high above its bottom the hole is; None for no head.
        stock: What can come out, kg; None where nobody knows.
        rate: What leaves by mass or line balance, kg/s; it stands for the hole. None where it is not measured.
        bund_m2: Area that holds a pool; None for none.
        wind_speed, wind_from: m/s at 10 m; where it comes from, degrees from north. None: not measured.
        sun, sigma_theta: Sun's heat, W/m²; standard deviation of the wind's direction, degrees.
        air_temperature: °C; None: 20 °C.
        is_urban: Built-up land.
        stale_s: A value that is older is taken as not known.
    """

    id: str
    title: dict[str, str]
    unit: str
    substance: str
    phase: Literal["liquid", "gas"]
    place: Corner
    temperature: Quantity
    pressure: Quantity
    is_gauge: bool = True
    height_m: float = 0.0
    hole_mm: int = HOLE_MM
    level: Quantity | None = None
    hole_at_m: float = 0.0
    stock: Quantity | None = None
    rate: Quantity | None = None
    bund_m2: float | None = None
    wind_speed: Quantity | None = None
    wind_from: Quantity | None = None
    sun: Quantity | None = None
    sigma_theta: Quantity | None = None
    air_temperature: Quantity | None = None
    is_urban: bool = False
    stale_s: float = STALE_S
