"""Pedestrian: how fast a crowd walks, how many pass a metre of width, and how safe a walkway is.

Sources: Weidmann 1993 (speed), Fruin 1971 (level of service). Above 5 persons/m² Weidmann's formula goes to a
standstill at 5.4, where films of real crowds show none even at 10 (Helbing, Johansson and Al-Abideen 2007); the floor
of 0.03 m/s and the stop-and-go of what leaves such a zone are ours.
"""

import math
from typing import Final

FREE_M_S: Final = 1.34
PACKED: Final = 5.0  # Persons per m² up to which Weidmann's formula is taken.
FLOOR_M_S: Final = 0.03  # ours
#: Density of greatest flow by Weidmann's formula, persons per m² (1.22 persons/s/m there).
BUSIEST: Final = 1.75
WAVE_S: Final = 45.0  # Time between two waves of stop-and-go; ours.
WAVE_SHARE: Final = 1 / 3  # Share of that time in which people move; ours.
#: Fruin's walkways: level, persons per m² below which it holds (from 35, 25, 15, 10 and 5 ft² a person).
LEVELS: Final = (("A", 0.31), ("B", 0.43), ("C", 0.72), ("D", 1.08), ("E", 2.17))


def weidmann_m_s(density: float) -> float:
    """Give the speed of a crowd on the level, m/s: ``v = 1.34·(1 − exp(−1.913·(1/ρ − 1/5.4)))``.

    Args:
        density: Persons per m²; 5.4 and more do not move.
    """
    if density <= 0:
        return FREE_M_S
    return max(0.0, FREE_M_S * (1 - math.exp(-1.913 * (1 / density - 1 / 5.4))))


def walking_m_s(density: float) -> float:
    """Give the speed of a real crowd, m/s: Weidmann's, but never below the floor."""
    return max(FLOOR_M_S, weidmann_m_s(density))


def flow_s_m(density: float) -> float:
    """Give the flow of a walking crowd, persons per second and metre of width: ``ρ·v(ρ)``."""
    return density * walking_m_s(density)


def stop_and_go(density: float, time_s: float) -> float:
    """Give by what the flow out of a zone is multiplied now: 1 up to 5 persons/m², above it 0 or 3 by turns (ours).

    Over a whole wave the mean is 1: the same people leave, in gushes.
    """
    if density <= PACKED:
        return 1.0
    return 1 / WAVE_SHARE if time_s % WAVE_S < WAVE_S * WAVE_SHARE else 0.0


def level_of_service(density: float) -> str:
    """Give Fruin's level of service of a walkway, A (free) to F (shoving)."""
    return next((level for level, below in LEVELS if density < below), "F")
