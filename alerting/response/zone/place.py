"""Place: from metres around a source to longitude and latitude; the one place of this room that calls ``pyproj``.

Source: direct geodesic on the ellipsoid GRS 80 (Karney 2013, as PROJ has it), which CGCS2000 is made on; WGS 84 differs
    by 0.1 mm.
"""

from functools import cache

import numpy as np
from pyproj import Geod

from alerting.model.site_plan import Corner
from alerting.response.zone.contour import Outline
from alerting.response.zone.disperse import Floats


@cache
def _earth() -> Geod:
    return Geod(ellps="GRS80")


def on_earth(origin: Corner, line: Outline) -> list[Corner]:
    """Give longitude and latitude of each point of an outline around a source, degrees to 0.1 m."""
    metres = np.hypot(line.east_m, line.north_m)
    bearing = np.degrees(np.arctan2(line.east_m, line.north_m))
    lon, lat, _ = _earth().fwd(np.full(len(metres), origin[0]), np.full(len(metres), origin[1]), bearing, metres)
    return [(round(float(x), 6), round(float(y), 6)) for x, y in zip(lon, lat, strict=True)]


def bearing_deg(origin: Corner, place: Corner) -> float:
    """Give in which direction a place lies, degrees from north, 0 to 360."""
    forward, _, _ = _earth().inv(*origin, *place)
    return float(forward) % 360


def metres_between(origin: Corner, places: list[Corner]) -> Floats:
    """Give how far places lie from a source, m."""
    lon, lat = np.array(places, dtype=np.float64).T
    _, _, metres = _earth().inv(np.full(len(lon), origin[0]), np.full(len(lon), origin[1]), lon, lat)
    return np.asarray(metres, dtype=np.float64)
