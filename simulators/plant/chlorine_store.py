"""A store of liquid chlorine in a vessel of 10 t at a waterworks, and a school to the north."""

from typing import Final

from simulators.plant.port import PlantKind
from simulators.plant.toxic_yard import Yard, kind_of

CHLORINE: Final = Yard(
    name="chlorine-store",
    substance="chlorine",
    vessel="V-651",
    line="L-651",
    vane="WS-651",
    gas="cl2",
    detectors={
        "GD-651": (6.0, 1.5, 0.5),
        "GD-652": (6.0, -2.0, 0.5),
        "GD-653": (4.0, 4.0, 0.5),
        "GD-654": (-1.5, 6.0, 0.5),
        "GD-655": (-6.0, 0.0, 0.5),
        "GD-661": (60.0, 0.0, 1.0),  # on the fence, east
        "GD-662": (0.0, 70.0, 1.0),  # on the fence, north
    },
    people_m=(0.0, 250.0, 1.5),
    people={"en": "school", "zh": "学校"},
    diameter_m=1.6,
    length_m=4.5,
    fill=0.7,
    t90_s=45.0,  # electrochemical
    ppm_most=10.0,
    resolution=0.01,
    noise=0.02,
    wander=0.02,
    noticed_ppm=0.3,
    idlh_ppm=10.0,  # NIOSH 1994
)
KIND: Final[PlantKind] = kind_of(CHLORINE)
