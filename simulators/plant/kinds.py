"""All kinds of plants that a scenario may name."""

from typing import Final

from simulators.plant import demonstration, lpg_bay, petrol_depot, pipe_gallery
from simulators.plant.port import PlantKind

PLANTS: Final[dict[str, PlantKind]] = {
    kind.name: kind for kind in (demonstration.KIND, lpg_bay.KIND, petrol_depot.KIND, pipe_gallery.KIND)
}
