"""Area: what lies in a zone, and its outline for a notice; the one place of this room that calls ``shapely``."""

from collections.abc import Sequence
from math import cos, radians
from typing import Final

from shapely import Polygon, make_valid
from shapely.affinity import scale
from shapely.geometry.base import BaseGeometry

from alerting.model.site_plan import Corner

#: CAP names no bound; more points than these nobody draws.
POINTS_MOST: Final = 100
#: Outlines are kept to about 0.1 m; this much of them may be left out, degrees.
TOLERANCE_DEG: Final = 2e-6


def share_inside(zone: Sequence[Corner], place: Sequence[Corner]) -> float:
    """Give how much of a place's area lies in a zone, 0 to 1; both as longitude and latitude."""
    shrink = cos(radians(place[0][1]))
    whole, here = (scale(_polygon(ring), xfact=shrink, yfact=1.0, origin=(0, 0)) for ring in (zone, place))
    area = here.area
    return float(whole.intersection(here).area / area) if area > 0 else 0.0


def cap_polygon(zone: Sequence[Corner]) -> str:
    """Write a zone as CAP wants it: ``lat,lon`` parted by spaces, the first point again at the end (§3.2.4).

    Where an outline meets itself, the part that is largest is taken.
    """
    shape = _polygon(zone)
    parts = [part for part in getattr(shape, "geoms", [shape]) if isinstance(part, Polygon)]
    largest = max(parts, key=lambda part: part.area)
    tolerance = TOLERANCE_DEG
    ring = list(largest.simplify(tolerance).exterior.coords)
    while len(ring) > POINTS_MOST:
        tolerance *= 2
        ring = list(largest.simplify(tolerance).exterior.coords)
    return " ".join(f"{lat:.6f},{lon:.6f}" for lon, lat in ring)


def _polygon(ring: Sequence[Corner]) -> BaseGeometry:
    shape = Polygon(ring)
    return shape if shape.is_valid else make_valid(shape)
