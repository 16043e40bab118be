"""All kinds of plants that a scenario may name."""

from typing import Final

from simulators.plant import (
    ammonia_yard,
    chlorine_store,
    cold_store,
    dance_hall,
    demonstration,
    gas_line,
    lpg_bay,
    methanol_depot,
    petrol_depot,
    pipe_gallery,
    slag_dump,
    stairway,
)
from simulators.plant.port import PlantKind

PLANTS: Final[dict[str, PlantKind]] = {
    kind.name: kind
    for kind in (
        demonstration.KIND,
        ammonia_yard.KIND,
        chlorine_store.KIND,
        cold_store.KIND,
        dance_hall.KIND,
        gas_line.KIND,
        lpg_bay.KIND,
        methanol_depot.KIND,
        petrol_depot.KIND,
        pipe_gallery.KIND,
        slag_dump.KIND,
        stairway.KIND,
    )
}
