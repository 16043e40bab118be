"""Zone work: one consequence zone from the live tags of its source, with every input, assumption and doubt.

Flow: source, picture -> [inputs] -> what is known, with quality and age
      -> [work, off the event loop] -> result as JSON
Why: whoever reads a distance must see what it hangs on; a stale or bad value is said to be one, never taken silently.
Never: does I/O, reads a clock.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Final, Literal

import numpy as np

from alerting.model.site_plan import Corner
from alerting.model.zone_source import Quantity, ZoneSource
from alerting.push.words import quality_zh
from alerting.register.field import Words
from alerting.response.zone.substances import SUBSTANCES, Named
from alerting.response.zone.weather import WORST, Cases, Seen, sun_height_deg, weather_cases
from edge.model.quality import describe, is_bad
from gateway.live import Picture, iso

NS: Final = 1_000_000_000
ATMOSPHERE_KPA: Final = 101.325
ZERO_C_K: Final = 273.15
AIR_C: Final = 20.0
#: How long a cloud that an operator set holds, s; ours.
CLOUD_S: Final = 3 * 3_600.0
EUS: Final = {
    "temperature": "°C", "pressure": "kPa", "level": "m", "stock": "kg", "rate": "kg/s", "wind_speed": "m/s",
    "wind_from": "°", "sun": "W/m²", "sigma_theta": "°", "air_temperature": "°C",
}  # fmt: skip
ROLES: Final = {
    "temperature": Words("temperature", "温度"), "pressure": Words("pressure", "压力"), "level": Words("level", "液位"),
    "stock": Words("stock", "存量"), "rate": Words("release rate", "泄漏速率"),
    "air_temperature": Words("air temperature", "气温"),
}  # fmt: skip
State = Literal["live", "fixed", "asked", "old", "unknown", "none"]
#: Inputs that a zone is worked out with although they are old, and flagged; of the weather an old one is not known.
_KEPT_WHEN_OLD: Final = frozenset(ROLES) - {"rate", "air_temperature"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One number that a zone is worked out with.

    Attributes:
        value: In the role's own unit; None where it is not known.
        state: ``live``; ``fixed`` by the configuration; ``asked`` by who works the zone out; ``old``: stale or bad, the
            last one known; ``unknown``: stale or bad and not taken; ``none``: the site has no tag for it.
        quality: Of the tag's last value.
    """

    role: str
    tag: str
    value: float | None
    state: State
    quality: str = ""
    time_ns: int = 0

    def shown(self) -> dict[str, Any]:
        """Write it for the page."""
        return {
            "role": self.role, "tag": self.tag, "value": None if self.value is None else round(self.value, 4),
            "eu": EUS[self.role], "state": self.state, "quality": self.quality, "time": iso(self.time_ns),
        }  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a person asks for instead of what is configured and measured; None for that.

    Attributes:
        hole_mm: A round hole; a measured rate then does not count.
        wind_m_s, from_deg: Of the wind.
        cloud_eighths: Sky as an operator set it.
        since_ns: When it was asked for.
    """

    hole_mm: int | None = None
    wind_m_s: float | None = None
    from_deg: float | None = None
    cloud_eighths: int | None = None
    since_ns: int = 0

    def kept(self) -> dict[str, Any]:
        """Write what holds on: all but the sky, which is kept by itself."""
        return {
            "hole_mm": self.hole_mm,
            "wind_m_s": self.wind_m_s,
            "from_deg": self.from_deg,
            "since_ns": self.since_ns,
        }


def inputs(zone: ZoneSource, picture: Picture, now_ns: int, asked: Asked) -> dict[str, Input]:
    """Read what is known now, by role; on the event loop."""
    found = {role: _input(role, getattr(zone, role), picture, zone.stale_s, now_ns) for role in EUS}
    for role, value in (("wind_speed", asked.wind_m_s), ("wind_from", asked.from_deg)):
        if value is not None:
            found[role] = Input(role=role, tag="", value=value, state="asked")
    return found


def _input(role: str, given: Quantity | None, picture: Picture, stale_s: float, now_ns: int) -> Input:
    if given is None:
        return Input(role=role, tag="", value=None, state="none")
    if not given.tag:
        return Input(role=role, tag="", value=given.fixed, state="fixed")
    row = picture.site.tags.row_of.get(given.tag)
    if row is None:
        return Input(role=role, tag=given.tag, value=None, state="unknown")
    raw, byte, time_ns = float(picture.values[row]), int(picture.quality[row]), int(picture.times_ns[row])
    factor, offset = given.scale
    value = raw * factor + offset if math.isfinite(raw) and time_ns else None
    is_old = bool(is_bad(np.array([byte], dtype=np.uint8))[0]) or now_ns - time_ns > stale_s * NS
    state: State = "live"
    if value is None or is_old:
        state = "old" if value is not None and role in _KEPT_WHEN_OLD else "unknown"
    return Input(
        role=role, tag=given.tag, value=None if state == "unknown" else value, state=state, quality=describe(byte),
        time_ns=time_ns,
    )  # fmt: skip


class NotKnownError(ValueError):
    """What a zone needs is not known, or cannot be.

    Attributes:
        said: What, in a sentence by language.
    """

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.said = Words(en, zh)


def work(zone: ZoneSource, given: Mapping[str, Input], now_ns: int, asked: Asked) -> dict[str, Any]:
    """Work a zone out; a refusal is a result with ``refused`` and no level. Runs in a thread.

    The first call loads tables of substances, 0.5 s.
    """
    from alerting.response.zone.place import on_earth  # noqa: PLC0415  # Only sites with zones pay for these.
    from alerting.response.zone.release import ImpossibleSourceError  # noqa: PLC0415  # likewise
    from alerting.response.zone.screen import ALWAYS, screen  # noqa: PLC0415  # likewise

    named = SUBSTANCES[zone.substance]
    cases, more, doubts = _weather(zone, given, now_ns, asked)
    told = _head(zone, named, given, now_ns, cases, asked)
    try:
        source, air, said = _source(zone, given, asked, cases)
        found = screen(zone.substance, source, cases, air, is_urban=zone.is_urban, height_m=zone.height_m)
    except (ImpossibleSourceError, NotKnownError) as refusal:
        assumed = [*ALWAYS, *more, *cases.assumed]
        return told | {"refused": refusal.said.both(), "assumed": [one.both() for one in assumed], "levels": []}
    doubts += _doubts_of(given)
    levels = []
    for reach in found.reaches:
        every = [*reach.doubts, *doubts]
        levels.append(
            {
                "name": reach.level.name,
                **_amount(reach.level.name, reach.level.fraction),
                "source": reach.level.source.both(),
                "distance_m": None if reach.distance_m is None else round(reach.distance_m),
                "model": reach.model,
                "wind_m_s": reach.case.wind_m_s,
                "stability": reach.case.stability,
                "from_deg": reach.case.from_deg,
                "doubts": [one.both() for one in every],
                "unverified": [one.both() for one in reach.unverified],
                "is_valid": reach.is_valid and not doubts,
                "outline": [] if reach.outline is None else on_earth(zone.place, reach.outline),
            }
        )
    given_off, isolation = found.release, found.isolation
    return told | {
        "refused": None,
        "assumed": [one.both() for one in (*found.assumed, *said, *more)],
        "release": {
            "basis": given_off.basis,
            "rate_kg_s": round(given_off.rate_kg_s, 4),
            "airborne_kg_s": round(given_off.airborne_kg_s, 4),
            "airborne_kg": round(given_off.airborne_kg, 1),
            "duration_s": round(given_off.duration_s),
            "flash": round(given_off.flash, 3),
            "is_two_phase": given_off.is_two_phase,
        },
        "isolation": None
        if isolation is None
        else {
            "un": isolation.un,
            "source": isolation.source.both(),
            "is_unverified": isolation.is_unverified,
            **{
                name: {"isolate_m": one.isolate_m, "day_m": one.day_m, "night_m": one.night_m}
                for name, one in (("small", isolation.small), ("large", isolation.large))
            },
        },
        "levels": levels,
    }


def _head(
    zone: ZoneSource, named: Named, given: Mapping[str, Input], now_ns: int, cases: Cases, asked: Asked
) -> dict[str, Any]:
    return {
        "zone": zone.id,
        "title": dict(zone.title),
        "unit": zone.unit,
        "substance": {"cas": named.cas, "en": named.en, "zh": named.zh},
        "place": list(zone.place),
        "time": iso(now_ns),
        "hole_mm": asked.hole_mm or zone.hole_mm,
        "asked": asked.kept(),
        "is_calm": cases.is_calm,
        "inputs": [one.shown() for one in given.values() if one.state != "none"],
        "weather": [
            {"wind_m_s": one.wind_m_s, "stability": one.stability, "from_deg": one.from_deg} for one in cases.cases
        ],
        "release": None,
        "isolation": None,
    }


def _amount(name: str, fraction: float) -> dict[str, Any]:
    """Give a level as people know it: burning ones in per cent by volume, others in ppm."""
    is_burning = name.endswith("LFL")
    return {"value": float(f"{fraction * (1e2 if is_burning else 1e6):.6g}"), "eu": "%VOL" if is_burning else "ppm"}


def _weather(
    zone: ZoneSource, given: Mapping[str, Input], now_ns: int, asked: Asked
) -> tuple[Cases, list[Words], list[Words]]:
    """Give the cases, what was assumed beside them, and what makes every distance doubtful."""
    value = {role: one.value for role, one in given.items()}
    seen = Seen(
        wind_m_s=value["wind_speed"],
        from_deg=value["wind_from"],
        sun_w_m2=value["sun"],
        sigma_theta_deg=value["sigma_theta"],
        sun_deg=sun_height_deg(zone.place[1], zone.place[0], now_ns / NS),
        cloud_eighths=asked.cloud_eighths,
    )
    cases = weather_cases(seen)
    more: list[Words] = []
    for role in ("wind_speed", "wind_from", "sun", "sigma_theta"):
        one = given[role]
        if one.state == "unknown":
            en = f"{one.tag} is {one.quality or 'not there'} or stale and is not taken."
            more.append(Words(en, f"{one.tag} 为{quality_zh(one.quality) or '缺失'}或已过期，未采用。"))
        if one.state == "asked":
            more.append(Words("The wind is the one that was asked for.", "风速风向为人工设定。"))
    doubts: list[Words] = []
    if value["wind_speed"] is None:
        en = "No wind is known: which way the cloud goes is not known either."
        doubts.append(Words(en, "风未知，云团去向也未知。"))
    return cases, list(dict.fromkeys(more)), doubts


def _source(zone: ZoneSource, given: Mapping[str, Input], asked: Asked, cases: Cases) -> tuple[Any, Any, list[Words]]:
    from alerting.response.zone.release import Air, Source  # noqa: PLC0415  # see ``work``

    said: list[Words] = []
    temperature, pressure = (_needed(given[role]) for role in ("temperature", "pressure"))
    rate = given["rate"].value if asked.hole_mm is None else None
    if given["rate"].state == "unknown":
        one = given["rate"]
        en = f"The measured rate {one.tag} is {one.quality} or stale: a hole is taken."
        said.append(Words(en, f"实测泄漏速率 {one.tag} 为{quality_zh(one.quality)}或已过期，按孔径计算。"))
    elif rate is not None and rate <= 0:
        said.append(Words("The balance shows that nothing leaves: a hole is taken.", "物料平衡未见泄漏，按孔径计算。"))
    head_m = 0.0
    if given["level"].state != "none":
        head_m = _needed(given["level"]) - zone.hole_at_m
        if head_m <= 0 and zone.phase == "liquid":
            en = f"The liquid stands {-head_m:.2f} m below the hole: no liquid leaves it."
            raise NotKnownError(en, f"液面低于泄漏孔 {-head_m:.2f} m，不会泄漏液体。")
    air_c = given["air_temperature"].value
    if air_c is None:
        air_c = AIR_C
        said.append(Words("The air is taken as 20 °C.", "气温按 20 °C 计算。"))
    wind = given["wind_speed"].value
    source = Source(
        phase=zone.phase,
        temperature_k=temperature + ZERO_C_K,
        pressure_pa=(pressure + (ATMOSPHERE_KPA if zone.is_gauge else 0.0)) * 1_000,
        head_m=head_m,
        stock_kg=given["stock"].value,
        hole_mm=asked.hole_mm or zone.hole_mm,
        measured_kg_s=rate if rate is not None and rate > 0 else None,
        bund_m2=zone.bund_m2,
    )
    # Of a pool more evaporates the faster the wind: where it is not known, the faster of the worse cases.
    wind_m_s = max(speed for speed, _ in WORST) if wind is None else max(1.0, *(c.wind_m_s for c in cases.cases))
    return source, replace(Air(), temperature_k=air_c + ZERO_C_K, wind_m_s=wind_m_s), said


def _needed(one: Input) -> float:
    if one.value is None:
        what = ROLES[one.role]
        en = f"The {what.en} is not known now: {one.tag} is {one.quality or 'not there'} and has no value."
        raise NotKnownError(en, f"{what.zh}目前未知：{one.tag} 为{quality_zh(one.quality) or '缺失'}，没有数值。")
    return one.value


def _doubts_of(given: Mapping[str, Input]) -> list[Words]:
    doubts = []
    for one in given.values():
        if one.state == "old" and one.value is not None:
            what = ROLES[one.role]
            en = f"The {what.en} is of {iso(one.time_ns)}, {one.quality}: the last value known is taken."
            doubts.append(Words(en, f"{what.zh}为 {iso(one.time_ns)} 的值（{one.quality}），取最后已知值。"))
    return doubts


# ------------------------------------------------------------------------------------------- has it changed?

TURNED_DEG: Final = 15.0
CHANGED_SHARE: Final = 0.2
CHANGED_M_S: Final = 0.5


def has_changed(before: Mapping[str, Any], now: Mapping[str, Any]) -> bool:
    """Tell whether wind, class, release or what is known differ so much that the zone is another one."""
    if before["refused"] != now["refused"]:
        return True
    states = [{one["role"]: one["state"] for one in each["inputs"]} for each in (before, now)]
    letters = [[one["stability"] for one in each["weather"]] for each in (before, now)]
    if states[0] != states[1] or letters[0] != letters[1]:
        return True
    one, other = before["weather"][0], now["weather"][0]
    if (one["from_deg"] is None) != (other["from_deg"] is None):
        return True
    if one["from_deg"] is not None and abs((one["from_deg"] - other["from_deg"] + 180) % 360 - 180) > TURNED_DEG:
        return True
    if abs(one["wind_m_s"] - other["wind_m_s"]) > max(CHANGED_M_S, CHANGED_SHARE * one["wind_m_s"]):
        return True
    if before["release"] is None or now["release"] is None:
        return bool(before["release"] != now["release"])
    was, is_now = before["release"]["airborne_kg_s"], now["release"]["airborne_kg_s"]
    return bool(abs(was - is_now) > CHANGED_SHARE * max(was, 1e-6))


def geojson(body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a result as GeoJSON (RFC 7946), WGS 84: the source, and each level that is drawn, the farthest first."""
    head = {name: body[name] for name in ("zone", "unit", "substance", "time", "hole_mm")}
    point = {"type": "Feature", "geometry": {"type": "Point", "coordinates": body["place"]}, "properties": head}
    drawn = sorted((one for one in body["levels"] if one["outline"]), key=lambda one: -one["distance_m"])
    areas = [
        {
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [_wound(one["outline"])]},
            "properties": head | {name: value for name, value in one.items() if name != "outline"},
        }
        for one in drawn
    ]
    return {"type": "FeatureCollection", "features": [point, *areas]}


def _wound(ring: list[Corner]) -> list[Corner]:
    """Turn a ring the way RFC 7946 wants it: against the clock."""
    area = sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring))
    return ring if area > 0 else ring[::-1]
