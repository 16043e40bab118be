"""Coordinates: outlines in longitude and latitude, and the two shifted systems that Chinese maps give them in.

Flow: text of a cell -> [parts, system, numbers] -> corners in CGCS2000 -> text as it is kept
Why: a polygon in GCJ-02 lies some 500 m off; drawn on a plan, or in a notice, it warns the wrong street.

CGCS2000 and WGS 84 differ by centimetres and are taken as one. GCJ-02 and BD-09 are not published by those who
made them; the formulas here are those that everybody uses, ``unverified`` by a standard, and agree with PyPI
``prcoords`` to 0.3 m (``tests/unit/alerting/register/test_coordinates.py``).
"""

import math
import re
from typing import Final

#: Longitude and latitude, degrees.
Corner = tuple[float, float]
CORNERS_MAX: Final = 200
#: An outline is a plant, not a province.
SPAN_MAX_DEG: Final = 1.0
SYSTEMS: Final = ("CGCS2000", "WGS84", "GCJ-02", "BD-09")
_SYSTEM: Final = re.compile(r"^\s*(CGCS\s?2000|WGS\s?-?84|GCJ-?02|BD-?09)\s*[:：]?\s+", re.IGNORECASE)
_NUMBER: Final = re.compile(r"^[+-]?\d{1,3}(\.\d+)?$")
_CHINA: Final = ((72.004, 137.8347), (0.8293, 55.8271))
#: Krasovsky's ellipsoid, which GCJ-02 is made on.
_A, _EE = 6378245.0, 0.00669342162296594323


class NoOutline(Exception):  # noqa: N818 - a refusal, not a failure
    """What is wrong with a text as an outline: ``form``, ``place``, ``few``, ``many``, ``wide``, ``crossing``.

    Attributes:
        what: Which of them.
        shown: The part of the text that shows it.
    """

    def __init__(self, what: str, shown: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.shown = shown


def read_outline(text: str) -> list[Corner]:
    """Read an outline as people write it, converted to CGCS2000; corners once each, the last not the first again.

    Raises:
        NoOutline: It is none.
    """
    named = _SYSTEM.match(text)
    system = named[1].upper().replace(" ", "").replace("-", "") if named else "CGCS2000"
    corners: list[Corner] = []
    for part in re.split(r"[;；\n]+", text[named.end() :] if named else text):
        if not part.strip():
            continue
        corners.append(_corner(part, system))
    if len(corners) > 1 and corners[0] == corners[-1]:
        corners.pop()
    _check(corners)
    return corners


def read_place(text: str) -> Corner:
    """Read one place as people write it, converted to CGCS2000: longitude and latitude, degrees.

    Raises:
        NoOutline: It is none.
    """
    named = _SYSTEM.match(text)
    system = named[1].upper().replace(" ", "").replace("-", "") if named else "CGCS2000"
    return _corner(text[named.end() :] if named else text, system)


def write_outline(corners: list[Corner]) -> str:
    """Write corners as they are kept: to 0.1 m, parted by semicolons."""
    return "; ".join(f"{lon:.6f} {lat:.6f}" for lon, lat in corners)


def _corner(part: str, system: str) -> Corner:
    numbers = re.split(r"[\s,，]+", part.strip())
    if len(numbers) != 2 or not all(_NUMBER.match(number) for number in numbers):  # noqa: PLR2004 - lon and lat
        raise NoOutline("form", part.strip())
    lon, lat = float(numbers[0]), float(numbers[1])
    if not (-180 <= lon <= 180 and -85 <= lat <= 85):  # noqa: PLR2004 - degrees
        raise NoOutline("place", part.strip())
    return _to_cgcs(lon, lat, system)


def _check(corners: list[Corner]) -> None:
    if len(set(corners)) < 3:  # noqa: PLR2004 - fewer enclose nothing
        raise NoOutline("few", str(len(set(corners))))
    if len(corners) > CORNERS_MAX:
        raise NoOutline("many", str(len(corners)))
    for axis in (0, 1):
        along = [corner[axis] for corner in corners]
        if max(along) - min(along) > SPAN_MAX_DEG:
            raise NoOutline("wide", f"{max(along) - min(along):.1f}°")
    edges = list(zip(corners, [*corners[1:], corners[0]], strict=True))
    for n, one in enumerate(edges):
        for m in range(n + 1, len(edges)):
            is_next = m == n + 1 or (n == 0 and m == len(edges) - 1)
            if not is_next and _cross(*one, *edges[m]):
                raise NoOutline("crossing", f"{one[0][0]:.6f} {one[0][1]:.6f}")
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in edges)
    if abs(area) < 1e-12:  # noqa: PLR2004 - about 0.01 m²
        raise NoOutline("few", "0")


def _side(a: Corner, b: Corner, c: Corner) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])


def _cross(a: Corner, b: Corner, c: Corner, d: Corner) -> bool:
    return _side(a, b, c) * _side(a, b, d) < 0 and _side(c, d, a) * _side(c, d, b) < 0


def _to_cgcs(lon: float, lat: float, system: str) -> Corner:
    if system == "BD09":
        lon, lat = _bd_to_gcj(lon, lat)
    if system in {"BD09", "GCJ02"}:
        return gcj_to_wgs(lon, lat)
    return lon, lat


def is_in_china(lon: float, lat: float) -> bool:
    """Tell whether the shift applies: the rectangle that everybody uses."""
    (west, east), (south, north) = _CHINA
    return west <= lon <= east and south <= lat <= north


def wgs_to_gcj(lon: float, lat: float) -> Corner:
    """Shift WGS 84 into GCJ-02, degrees."""
    if not is_in_china(lon, lat):
        return lon, lat
    x, y = lon - 105.0, lat - 35.0
    both = 20.0 * (math.sin(6.0 * x * math.pi) + math.sin(2.0 * x * math.pi))
    north = both + 20.0 * math.sin(y * math.pi) + 40.0 * math.sin(y / 3.0 * math.pi)
    north += 160.0 * math.sin(y / 12.0 * math.pi) + 320.0 * math.sin(y / 30.0 * math.pi)
    east = both + 20.0 * math.sin(x * math.pi) + 40.0 * math.sin(x / 3.0 * math.pi)
    east += 150.0 * math.sin(x / 12.0 * math.pi) + 300.0 * math.sin(x / 30.0 * math.pi)
    root = math.sqrt(abs(x))
    north = north * 2.0 / 3.0 - 100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    east = east * 2.0 / 3.0 + 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    phi = math.radians(lat)
    magic = 1.0 - _EE * math.sin(phi) ** 2
    return (
        lon + math.degrees(east / (_A / math.sqrt(magic) * math.cos(phi))),
        lat + math.degrees(north / (_A * (1.0 - _EE) / magic**1.5)),
    )


def gcj_to_wgs(lon: float, lat: float) -> Corner:
    """Take the shift of GCJ-02 back, degrees; by trying, to below 0.01 m."""
    if not is_in_china(lon, lat):
        return lon, lat
    x, y = lon, lat
    for _ in range(10):
        shifted = wgs_to_gcj(x, y)
        x, y = x + lon - shifted[0], y + lat - shifted[1]
    return x, y


def _bd_to_gcj(lon: float, lat: float) -> Corner:
    x, y, k = lon - 0.0065, lat - 0.006, math.pi * 3000.0 / 180.0
    z = math.hypot(x, y) - 0.00002 * math.sin(y * k)
    theta = math.atan2(y, x) - 0.000003 * math.cos(x * k)
    return z * math.cos(theta), z * math.sin(theta)
