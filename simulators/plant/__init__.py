"""The plant: pure physics with a seed, SI inside.

Flow: [step] -> readings -> devices -> collect
Why: the same seed and the same steps give the same readings, so a story is a test.
Never: does I/O, reads a clock, throws dice that were not handed in.
"""

from simulators.plant.crowd import Gate, Zone
from simulators.plant.gas import Detector, GasLine
from simulators.plant.site import ACTS, Act, Plant, past
from simulators.plant.tank import Tank

__all__ = ["ACTS", "Act", "Detector", "GasLine", "Gate", "Plant", "Tank", "Zone", "past"]
