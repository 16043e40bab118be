"""Site plan: the picture that the four-colour map lies on, and where on earth its corners are.

Never: holds the picture itself; whoever gives it has it from the files of the configuration.
"""

import math
from dataclasses import dataclass
from typing import Final

#: Longitude and latitude, degrees, CGCS2000.
Corner = tuple[float, float]
#: Metres of a degree of latitude in the middle of the meridian (WGS 84 gives 110,574 to 111,694); a plan needs no more.
DEGREE_M: Final = 111_132.0
LEAST_M: Final = 1.0
#: A plan is drawn to scale and at right angles: what is further off has corners in another order, or a wrong digit.
ANGLE_OFF_DEG: Final = 10.0
STRETCH_MOST: Final = 1.25


@dataclass(frozen=True, slots=True, kw_only=True)
class SitePlan:
    """A picture of the site.

    Attributes:
        file: Path relative to the site file.
        digest: SHA-256 of the picture, hexadecimal.
        type: Media type, by its content.
        width, height: Pixels.
        top_left, top_right, bottom_left: Where these corners of the picture lie; the fourth follows.
    """

    file: str
    digest: str
    type: str
    width: int
    height: int
    top_left: Corner
    top_right: Corner
    bottom_left: Corner

    @property
    def corners(self) -> tuple[Corner, Corner, Corner]:
        """The three corners that were given: top left, top right, bottom left."""
        return self.top_left, self.top_right, self.bottom_left

    def holds(self, place: Corner) -> bool:
        """Tell whether a place lies on the picture, its edges included."""
        east, south, way = (
            _metres(self.top_left, end) for end in (self.top_right, self.bottom_left, place)
        )  # fmt: skip
        whole = east[0] * south[1] - east[1] * south[0]
        across = (way[0] * south[1] - way[1] * south[0]) / whole
        down = (east[0] * way[1] - east[1] * way[0]) / whole
        return 0 <= across <= 1 and 0 <= down <= 1


def fault_of(top_left: Corner, top_right: Corner, bottom_left: Corner, width: int, height: int) -> tuple[str, str]:
    """Say what is wrong with the corners of a picture: a word and what shows it; two empty texts where nothing is.

    Words: ``small``; ``mirrored``: it would be seen from below; ``skewed``: its sides stand at no right angle;
    ``stretched``: a pixel would not be as high as it is wide.
    """
    east, south = _metres(top_left, top_right), _metres(top_left, bottom_left)
    across, down = math.hypot(*east), math.hypot(*south)
    if min(across, down) < LEAST_M:
        return "small", f"{min(across, down):.1f} m"
    cross = (east[0] * south[1] - east[1] * south[0]) / (across * down)
    angle = math.degrees(math.asin(min(1.0, abs(cross))))
    if 90 - angle > ANGLE_OFF_DEG:
        return "skewed", f"{angle:.0f}°"
    if cross > 0:
        return "mirrored", ""
    stretch = (across / width) / (down / height)
    if max(stretch, 1 / stretch) > STRETCH_MOST:
        return "stretched", f"{across:.0f} × {down:.0f} m, {width} × {height} px"
    return "", ""


def _metres(begin: Corner, end: Corner) -> tuple[float, float]:
    """Give the way from one corner to another, east and north, m; a plant is flat enough for it."""
    shrink = math.cos(math.radians((begin[1] + end[1]) / 2))
    return (end[0] - begin[0]) * DEGREE_M * shrink, (end[1] - begin[1]) * DEGREE_M
