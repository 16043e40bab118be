"""An ammonia bullet, toxic gas detectors around its flange, and housing to the north."""

from typing import Final

from simulators.plant.port import PlantKind
from simulators.plant.toxic_yard import Yard, kind_of

AMMONIA: Final = Yard(
    name="ammonia-yard",
    substance="ammonia",
    vessel="V-601",
    line="L-601",
    vane="WS-601",
    gas="nh3",
    detectors={
        "GD-601": (8.0, 2.0, 1.5),
        "GD-602": (10.0, -2.0, 1.5),
        "GD-603": (5.0, 5.0, 1.5),
        "GD-604": (-2.0, 10.0, 1.5),
        "GD-605": (-9.0, 0.0, 1.5),
        "GD-611": (110.0, 0.0, 1.5),  # on the fence, east
        "GD-612": (0.0, 120.0, 1.5),  # on the fence, north
    },
    people_m=(0.0, 260.0, 1.5),
    people={"en": "housing", "zh": "居民区"},
    diameter_m=3.0,
    length_m=12.0,
    fill=0.6,
    t90_s=30.0,  # electrochemical
    ppm_most=100.0,
    resolution=0.1,
    noise=0.3,
    wander=0.5,
    noticed_ppm=25.0,
    idlh_ppm=300.0,  # NIOSH 1994
)
KIND: Final[PlantKind] = kind_of(AMMONIA)
