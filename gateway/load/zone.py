"""Zone: what ``[[zone]]`` says of a place from which a substance may escape, and by which tags its zone is worked out.

Why: a tag in the wrong unit, or a substance that nothing is known of, would show itself first in an emergency.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from alerting.model.zone_source import HOLE_MM, HOLES_MM, STALE_S, Quantity, ZoneSource
from alerting.register.coordinates import NoOutline, read_place
from alerting.response.zone.substances import SUBSTANCES
from edge.load.entry import Entry, Span
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of
from edge.model import Tag
from gateway.load.derived.units import scale_of, units_of

ABOVE_0: Final = Span(above=0)
ZONES_MOST: Final = 200
HEIGHT: Final = Span(least=0, most=300)
STALE: Final = Span(least=5, most=3_600)
PLACE_RULE: Final = "it is longitude and latitude of the place, e.g. 120.7000 31.3000"
#: Quantities that may be a number or a tag: dimension of the tag, unit and bounds of the number.
_EITHER: Final = {
    "temperature": ("temperature", "°C", Span(least=-260, most=1_200)),
    "pressure": ("pressure", "kPa", Span(least=-100, most=100_000)),
    "level": ("level", "m", Span(least=0, most=200)),
    "stock": ("mass", "kg", ABOVE_0),
    "air_temperature": ("temperature", "°C", Span(least=-60, most=60)),
}
#: Quantities that only a tag has.
_TAGGED: Final = {
    "rate": "mass flow", "wind_speed": "speed", "wind_from": "angle", "sun": "irradiance", "sigma_theta": "angle",
}  # fmt: skip
_NEEDED: Final = ("temperature", "pressure")
#: What a gas has none of.
_OF_LIQUID: Final = ("level", "hole_at_m", "bund_m2")


def read_zones(entries: Sequence[Entry], units: Collection[str], tags: Mapping[str, Tag]) -> tuple[ZoneSource, ...]:
    """Read them.

    Args:
        entries: The ``[[zone]]`` of the site file.
        units: Ids of the hazard units.
        tags: Of the site, by name.
    """
    if len(entries) > ZONES_MOST:
        en = f"there are {len(entries)} zones; a site has at most {ZONES_MOST}."
        entries[ZONES_MOST].wrong("id", en, "Keep those that matter most.")
    found: dict[str, ZoneSource] = {}
    seen: set[str] = set()
    for entry in entries:
        entry.refuse_unknown(keys_of("zone"))
        before = len(entry.reading.mistakes)
        zone = _zone(entry, units, tags)
        if zone.id in seen:
            entry.wrong("id", f"id {show(zone.id)} stands twice.", "Give each zone an id of its own.")
        seen |= {zone.id} - {""}
        if len(entry.reading.mistakes) == before:
            found[zone.id] = zone
    return tuple(found.values())


def _zone(entry: Entry, units: Collection[str], tags: Mapping[str, Tag]) -> ZoneSource:
    name = entry.required("id", ID_RULE, is_id)
    unit = entry.required("unit", "it is the id of a [[unit]]")
    if unit and unit not in units:
        entry.wrong("unit", f"unit {show(unit)} does not exist.", meant(unit, tuple(units)))
    substance = entry.required("substance", "it is the CAS number of what may escape")
    if substance and substance not in SUBSTANCES:
        en = f"no zone is known for the substance {show(substance)}."
        entry.wrong("substance", en, f"Known: {', '.join(SUBSTANCES)}.")
    phase = entry.choice("phase", ("liquid", "gas"), "liquid") if entry.has("phase") else ""
    if not phase:
        entry.wrong("phase", "phase is missing; it is liquid or gas, as it leaves the hole.", 'Write phase = "liquid".')
    for key in _OF_LIQUID:
        if phase == "gas" and entry.has(key):
            entry.wrong(key, f"{key} is given; a gas has none.", f'Remove {key}, or write phase = "liquid".')
    hole = entry.whole("hole_mm", HOLE_MM, 1, 1_000)
    if hole not in HOLES_MM:
        entry.wrong("hole_mm", f"hole_mm is {hole}; it is one of 5, 25, 100.", "Write hole_mm = 25.")
    given = {key: _either(entry, key, tags, *told) for key, told in _EITHER.items() if entry.has(key)}
    given |= {key: _tagged(entry, key, tags, dimension) for key, dimension in _TAGGED.items() if entry.has(key)}
    for key in _NEEDED:
        if key not in given:
            unit_of = _EITHER[key][1]
            entry.wrong(key, f"{key} is missing; it is a tag or a number in {unit_of}.", f"Add {key}.")
    if ("wind_speed" in given) != ("wind_from" in given):
        there = "wind_speed" if "wind_speed" in given else "wind_from"
        en = f"{there} is given alone; a wind has speed and direction."
        entry.wrong(there, en, "Give wind_speed and wind_from, or neither.")
    _one_nature(entry, given, tags)
    nothing = Quantity(fixed=0.0)
    return ZoneSource(
        id=name,
        title=entry.titles("title", name),
        unit=unit,
        substance=substance,
        phase="gas" if phase == "gas" else "liquid",
        place=_place(entry),
        temperature=given.get("temperature", nothing),
        pressure=given.get("pressure", nothing),
        is_gauge=entry.choice("pressure_is", ("gauge", "absolute"), "gauge") == "gauge",
        height_m=entry.number("height_m", 0.0, HEIGHT),
        hole_mm=hole,
        level=given.get("level"),
        hole_at_m=entry.number("hole_at_m", 0.0, Span(least=0, most=200)),
        stock=given.get("stock"),
        rate=given.get("rate"),
        bund_m2=entry.number_or_none("bund_m2", ABOVE_0) if entry.has("bund_m2") else None,
        wind_speed=given.get("wind_speed"),
        wind_from=given.get("wind_from"),
        sun=given.get("sun"),
        sigma_theta=given.get("sigma_theta"),
        air_temperature=given.get("air_temperature"),
        is_urban=entry.choice("land", ("open", "built-up"), "open") == "built-up",
        stale_s=entry.number("stale_s", STALE_S, STALE),
    )


def _place(entry: Entry) -> tuple[float, float]:
    text = entry.required("place", PLACE_RULE)
    if not text:
        return 0.0, 0.0
    try:
        return read_place(text)
    except NoOutline:
        en = f"place is {show(text)}; it is longitude and latitude."
        entry.wrong("place", en, 'Write e.g. place = "120.7000 31.3000"; GCJ-02 or BD-09 before it is converted.')
        return 0.0, 0.0


def _either(entry: Entry, key: str, tags: Mapping[str, Tag], dimension: str, eu: str, span: Span) -> Quantity:
    value = entry.values.get(key)
    if isinstance(value, str):
        return _tagged(entry, key, tags, dimension)
    number = entry.number_or_none(key, span)
    if number is not None and not isinstance(value, int | float):
        entry.wrong(key, f"{key} is no tag and no number in {eu}.", "Name a tag, or write a number.")
    return Quantity(fixed=number if number is not None else 0.0)


def _tagged(entry: Entry, key: str, tags: Mapping[str, Tag], dimension: str) -> Quantity:
    name = entry.text(key)
    if not name:
        return Quantity(fixed=0.0)
    tag = tags.get(name)
    if tag is None:
        entry.wrong(key, f"tag {show(name)} does not exist.", meant(name, tuple(tags)))
        return Quantity(tag=name)
    scale = scale_of(dimension, tag.eu)
    if scale is None:
        en = f"tag {name} is in {show(tag.eu)}; {key} is in one of {units_of(dimension)}."
        entry.wrong(key, en, "Put the tag's eu right, or name another tag.")
    return Quantity(tag=name, scale=scale or (1.0, 0.0))


def _one_nature(entry: Entry, given: Mapping[str, Quantity], tags: Mapping[str, Tag]) -> None:
    """Refuse tags of several natures: what is simulated never meets what is measured."""
    natures: dict[str, str] = {}
    for key, one in given.items():
        if one.tag in tags:
            natures.setdefault(tags[one.tag].nature.value, key)
    if len(natures) > 1:
        (first, _), (second, key) = list(natures.items())[:2]
        en = f"its tags are of nature {first} and {second}; natures never mix."
        entry.wrong(key, en, "Name tags of the same nature.")
