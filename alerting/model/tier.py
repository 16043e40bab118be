"""Tier: colour of our early warning (预警)."""

from enum import IntEnum


class Tier(IntEnum):
    """How urgent, RED highest. Neither the enterprise's risk colour nor a statutory public warning."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4
