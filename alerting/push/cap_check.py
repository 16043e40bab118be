"""What the CAP schema does not say and the standard does, checked on a finished message.

Flow: XML -> [findings] -> sentences; empty for a message that may go
Sources: CAP 1.2, §3.2.1 (sender, identifier, restriction, addresses, references, note), §3.2.2, §3.2.4 (polygon,
    circle), §3.3.2 (time).
Never: parses what is not ours: it is for messages that this program composed.
"""

import re
from typing import Final
from xml.etree.ElementTree import Element, ParseError, fromstring

from alerting.push.cap import NAMESPACE

_AT: Final = f"{{{NAMESPACE}}}"
_NAME: Final = re.compile(r"[^\s,<&]+")
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d")
_GB: Final = re.compile(r"\d{14}_\d{14}_\d")
#: A coordinate as the standard writes it (§3.2.4): no exponent, no sign but minus, digits of ASCII.
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]+)?")
_RADIUS: Final = re.compile(r"[0-9]{1,5}(\.[0-9]+)?")
_LAT_MOST: Final = 90.0
_LON_MOST: Final = 180.0
POINTS_LEAST: Final = 4
_NO_AREA: Final = 1e-14  # Square degrees, some square millimetres: points on one line but for rounding.
_EARTH_KM_MOST: Final = 20_040.0  # half of the way round


def is_name(text: str) -> bool:
    """Tell whether a text can be a sender or an identifier: no space, comma, ``<`` or ``&``."""
    return _NAME.fullmatch(text) is not None


def is_gb(text: str) -> bool:
    """Tell whether a text is an identifier of 31 characters, ``ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N``."""
    return _GB.fullmatch(text) is not None


def wrong_polygon(text: str) -> str:
    """Give the rule that a polygon breaks; empty where it is right."""
    points = [_point(pair) for pair in text.split()]
    if None in points:
        return "each of its points is lat,lon in degrees of WGS 84"
    if len(points) < POINTS_LEAST:
        return "it has at least four points, the first again at the end"
    if points[0] != points[-1]:
        return "its last point is its first one again"
    return "" if _has_area([point for point in points if point]) else "it encloses an area"


def _has_area(points: list[tuple[float, float]]) -> bool:
    """Tell whether points are more than one place and a way there and back."""
    lat, lon = points[0]
    ways = [(one[0] - lat, one[1] - lon) for one in points[1:-1]]
    far = max(ways, key=lambda way: abs(way[0]) + abs(way[1]))
    return any(abs(far[0] * way[1] - far[1] * way[0]) > _NO_AREA for way in ways)


def wrong_circle(text: str) -> str:
    """Give the rule that a circle breaks; empty where it is right."""
    centre, _, radius = text.partition(" ")
    if _point(centre) is None:
        return "its centre is lat,lon in degrees of WGS 84"
    is_right = _RADIUS.fullmatch(radius) is not None and float(radius) <= _EARTH_KM_MOST
    return "" if is_right else "a radius in km follows its centre"


def _point(pair: str) -> tuple[float, float] | None:
    lat, comma, lon = pair.partition(",")
    if not (comma and _DEGREES.fullmatch(lat) and _DEGREES.fullmatch(lon)):
        return None
    found = float(lat), float(lon)
    return found if abs(found[0]) <= _LAT_MOST and abs(found[1]) <= _LON_MOST else None


def findings(text: str) -> list[str]:
    """Give all that is wrong with a message of ours beyond its schema."""
    try:
        alert = fromstring(text)  # noqa: S314 - composed by this program, never received
    except ParseError as failure:
        return [f"It is no XML: {failure}."]
    return [*_of_alert(alert), *_of_scope(alert), *_of_chain(alert), *_of_areas(alert)]


def _of_alert(alert: Element) -> list[str]:
    found = [
        f"{name} {_said(alert, name)!r} has a space, a comma, < or &, or is empty."
        for name in ("identifier", "sender")
        if not is_name(_said(alert, name))
    ]
    if "_" in _said(alert, "identifier") and not is_gb(_said(alert, "identifier")):
        found.append("identifier is not of the form ZZZZZZDDDUUUXX_YYYYMMDDhhmmss_N.")
    for element in alert.iter():
        name = element.tag.removeprefix(_AT)
        if name in ("sent", "onset", "expires", "effective") and not _TIME.fullmatch(element.text or ""):
            found.append(f"{name} {element.text!r} is not written to the second with an offset.")
    if _said(alert, "status") == "Exercise" and not _said(alert, "note"):
        found.append("status is Exercise and note does not say for whom and what for.")
    if not alert.findall(f"{_AT}info"):
        found.append("It has no info, so nobody knows what it is about.")
    return found


def _of_scope(alert: Element) -> list[str]:
    scope = _said(alert, "scope")
    rules = {"Restricted": "restriction", "Private": "addresses"}
    return [
        f"scope is {scope} and {name} is {'missing' if scope == needed else 'there'}."
        for needed, name in rules.items()
        if bool(_said(alert, name)) != (scope == needed)
    ]


def _of_chain(alert: Element) -> list[str]:
    kind, named = _said(alert, "msgType"), _said(alert, "references").split()
    found = []
    if (kind == "Alert") == bool(named):
        found.append(f"msgType is {kind} and references is {'there' if named else 'missing'}.")
    for one in named:
        parts = one.split(",")
        if len(parts) != 3 or not _TIME.fullmatch(parts[2]):  # noqa: PLR2004 - sender, identifier, sent
            found.append(f"reference {one!r} is not sender,identifier,sent.")
        elif parts[1] == _said(alert, "identifier"):
            found.append("references names the message itself.")
    return found


def _of_areas(alert: Element) -> list[str]:
    found = []
    for name, rule_of in (("polygon", wrong_polygon), ("circle", wrong_circle)):
        for element in alert.iter(f"{_AT}{name}"):
            rule = rule_of(element.text or "")
            if rule:
                found.append(f"{name} {(element.text or '')[:60]!r}: {rule}.")
    return found


def _said(alert: Element, name: str) -> str:
    return (alert.findtext(f"{_AT}{name}") or "").strip()
