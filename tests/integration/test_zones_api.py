"""Consequence zones over the API: from live tags to a revision, its doubts, a person's confirmation, and a notice."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import numpy as np
import orjson
import pytest
from shapely.geometry import Point, shape
from sqlalchemy import insert

from alerting.model.event import Event, What
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.model.zone_source import Quantity, ZoneSource
from alerting.outcome import Outcome
from alerting.push.cap_check import findings, wrong_polygon
from alerting.push.cap_options import CapOptions
from alerting.push.profile import Profile
from edge.model import Tag, TagTable
from edge.model.quality import Quality, Reason, encode
from gateway.auth import add_user
from gateway.config import Destination
from gateway.push.compose import Composer
from gateway.response.zones import confirmed_in
from gateway.store import schema
from gateway.system import main_nature
from tests.integration.test_register_api import PASSWORD, PLANT, UNIT, Desk, desk, enter

__all__ = ["desk"]
AT = "/api/v1/response/zones"
INCIDENTS = "/api/v1/response/incidents"
PLACE = (120.7, 31.3)
GOOD, LOST = encode(Quality.GOOD, Reason.NONE), encode(Quality.BAD, Reason.COMMS)
RISK = {
    "code": "R-E", "name": "deck", "dossier": "TK-1", "place": "storage", "department": "tank farm", "liable": "zhao",
}  # fmt: skip
TAGS = {
    "T.temperature": ("°C", 25.0), "T.pressure": ("kPa", 600.0), "T.loss": ("kg/s", 0.0), "W.speed": ("m/s", 4.0),
    "W.from": ("°", 270.0), "D.heads": ("", 40.0),
}  # fmt: skip
SULPHUR = ZoneSource(
    id="so2", title={"en": "SO2 vessel", "zh": "二氧化硫储罐"}, unit="U-1", substance="7446-09-5", phase="liquid",
    place=PLACE, temperature=Quantity(tag="T.temperature"), pressure=Quantity(tag="T.pressure"),
    rate=Quantity(tag="T.loss"), wind_speed=Quantity(tag="W.speed"), wind_from=Quantity(tag="W.from"),
)  # fmt: skip


class Field:
    """The site's tags as they are measured."""

    def __init__(self, desk: Desk) -> None:
        self.desk, house = desk, desk.house
        tags = TagTable([Tag(name=name, source="plc", unit="U-1", eu=eu) for name, (eu, _) in TAGS.items()])
        units = (HazardUnit(id="U-1", kind="vessel"), HazardUnit(id="U-2", kind="zone"))
        house.site = replace(house.site, tags=tags, zones=(SULPHUR,), units=units)
        house.__post_init__()
        for name, (_, value) in TAGS.items():
            self.put(name, value)

    def put(self, name: str, value: float, quality: int = GOOD, age_s: float = 0.0) -> None:
        """Let a tag be measured."""
        picture = self.desk.house.picture
        row = picture.site.tags.row_of[name]
        picture.values[row], picture.quality[row] = value, quality
        picture.times_ns[row] = self.desk.clock.wall_ns() - round(age_s * 1e9)

    def again(self) -> None:
        """Let all be measured once more, now."""
        picture = self.desk.house.picture
        picture.times_ns[:] = self.desk.clock.wall_ns()


@pytest.fixture
async def field(desk: Desk) -> Field:
    return Field(desk)


async def open_incident(client: httpx.AsyncClient, unit: str = "U-1") -> int:
    answer = await client.post(INCIDENTS, json={"unit": unit, "title": "leak", "reason": "smell"})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["number"])


async def compute(client: httpx.AsyncClient, **asked: object) -> dict[str, Any]:
    answer = await client.post(f"{AT}/so2/compute", json=asked)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def level(body: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in body["levels"] if one["name"] == name)


def sentences(body: dict[str, Any]) -> str:
    doubts = [one["en"] for each in body["levels"] for one in each["doubts"]]
    assert all(one["zh"] for each in body["levels"] for one in (*each["doubts"], *each["unverified"]))
    return " ".join([one["en"] for one in body["assumed"]] + doubts)


async def test_a_zone_is_worked_out_from_what_is_measured(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    (told,) = (await li.get(AT)).json()["zones"]
    assert {one["role"]: (one["value"], one["eu"], one["state"]) for one in told["inputs"]} == {
        "temperature": (25.0, "°C", "live"), "pressure": (600.0, "kPa", "live"), "rate": (0.0, "kg/s", "live"),
        "wind_speed": (4.0, "m/s", "live"), "wind_from": (270.0, "°", "live"),
    }  # fmt: skip
    body = (await compute(li))["body"]
    assert body["refused"] is None
    assert body["release"]["basis"] == "hole 25 mm"
    assert body["isolation"]["large"] == {"isolate_m": 1000.0, "day_m": 11000.0, "night_m": 11000.0}
    assert body["isolation"]["is_unverified"] is True
    for words in ("Screening, not prediction", "Heat and blast", "Round hole of 25 mm", "nothing leaves"):
        assert words in sentences(body), words
    erpg = level(body, "ERPG-3")
    assert (erpg["value"], erpg["eu"], erpg["model"]) == (15, "ppm", "heavy")
    drawn = shape({"type": "Polygon", "coordinates": [erpg["outline"]]})
    degree_m = 111_320 * np.cos(np.radians(PLACE[1]))
    assert drawn.bounds[2] - PLACE[0] == pytest.approx(erpg["distance_m"] / degree_m, rel=0.01), "wind from the west"
    assert drawn.contains(Point(PLACE[0] + 0.5 * erpg["distance_m"] / degree_m, PLACE[1]))
    assert not drawn.contains(Point(PLACE[0] - 0.5 * erpg["distance_m"] / degree_m, PLACE[1]))


async def test_a_measured_rate_stands_for_the_hole_until_a_hole_is_asked_for(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    field.put("T.loss", 2.0)
    measured, wide = (await compute(li))["body"], (await compute(li, hole_mm=100))["body"]
    assert (measured["release"]["basis"], measured["release"]["rate_kg_s"]) == ("measured", 2.0)
    assert (wide["release"]["basis"], wide["hole_mm"]) == ("hole 100 mm", 100)
    assert wide["release"]["rate_kg_s"] > 10 * 2.0
    assert level(wide, "ERPG-3")["distance_m"] > level(measured, "ERPG-3")["distance_m"]
    field.put("T.loss", 2.0, LOST)
    lost = (await compute(li))["body"]
    assert lost["release"]["basis"] == "hole 25 mm"
    assert "T.loss is BAD(comms)" in sentences(lost)


@pytest.mark.parametrize(("quality", "age_s"), [(LOST, 0.0), (GOOD, 3600.0)])
async def test_a_wind_that_is_lost_or_stale_is_all_directions_and_never_valid(
    desk: Desk, field: Field, quality: int, age_s: float
) -> None:
    li = await desk.come("li")
    field.put("W.speed", 4.0, quality, age_s)
    body = (await compute(li))["body"]
    assert [one["from_deg"] for one in body["weather"]] == [None, None]
    assert "No wind is known or it is stale" in sentences(body)
    assert "W.speed is" in sentences(body)
    assert not any(one["is_valid"] for one in body["levels"])
    ring = np.array(level(body, "ERPG-3")["outline"]) - PLACE
    around = np.hypot(ring[:, 0] * np.cos(np.radians(PLACE[1])), ring[:, 1])
    assert around.max() == pytest.approx(around.min(), rel=0.01), "a circle"


async def test_calm_is_one_metre_a_second_all_around_and_never_valid(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    field.put("W.speed", 0.2)
    body = (await compute(li))["body"]
    assert body["is_calm"] is True
    assert {one["wind_m_s"] for one in body["weather"]} == {1.0}
    assert "Calm" in sentences(body)
    assert not any(one["is_valid"] for one in body["levels"])


@pytest.mark.parametrize(
    ("tag", "value", "quality", "words"),
    [
        ("T.temperature", 400.0, GOOD, "critical temperature"),
        ("T.pressure", 0.0, GOOD, "Nothing drives"),
        ("T.pressure", float("nan"), LOST, "The pressure is not known now"),
    ],
)
async def test_an_impossible_source_is_a_sentence_and_no_distance(
    desk: Desk, field: Field, tag: str, value: float, quality: int, words: str
) -> None:
    li = await desk.come("li")
    field.put(tag, value, quality)
    body = (await compute(li))["body"]
    assert words in body["refused"]["en"]
    assert body["refused"]["zh"] != body["refused"]["en"]
    assert body["levels"] == []


async def test_an_old_value_of_the_vessel_is_taken_and_flagged(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    field.put("T.temperature", 25.0, age_s=3_600)
    body = (await compute(li))["body"]
    assert "the last value known is taken" in sentences(body)
    assert not any(one["is_valid"] for one in body["levels"])


async def test_what_cannot_be_asked_for_is_refused(desk: Desk, field: Field) -> None:
    add_user(desk.engine, desk.clock, "guest", "viewer", PASSWORD)
    li, viewer = await desk.come("li"), await desk.come("guest")
    for asked in ({"hole_mm": 50}, {"wind_m_s": 3}, {"wind_m_s": -1, "from_deg": 0}, {"colour": "red"}):
        assert (await li.post(f"{AT}/so2/compute", json=asked)).status_code == 422, asked
    nowhere = await li.post(f"{AT}/nowhere/compute", json={})
    assert (nowhere.status_code, nowhere.json()["error"]["details"]["zh"]) == (404, "没有危害区 nowhere。")
    assert (await viewer.post(f"{AT}/so2/compute", json={})).status_code == 403
    other = await open_incident(li, "U-2")
    wrong = await li.post(f"{AT}/so2/compute", json={"incident": other})
    assert (wrong.status_code, wrong.json()["error"]["code"]) == (409, "not_alike")
    assert (await li.get(f"{AT}/revisions/7")).status_code == 404
    assert (await li.get(f"{INCIDENTS}/77/zones")).status_code == 404


async def test_the_sky_that_an_operator_sets_gives_the_class_for_three_hours(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    assert len((await compute(li))["body"]["weather"]) == 2, "the worse of D and F"
    assert (await li.post(f"{AT}/cloud", json={"eighths": 9})).status_code == 422
    set_now = (await li.post(f"{AT}/cloud", json={"eighths": 8})).json()["cloud"]
    assert (set_now["eighths"], set_now["who"]) == (8, "li")
    overcast = (await compute(li))["body"]
    assert [one["stability"] for one in overcast["weather"]] == ["D"]
    assert "cloud of 8/8" in sentences(overcast)
    desk.clock.advance_ns(round((3 * 3_600 + 1) * 1e9))
    field.again()
    assert (await li.get(AT)).json()["cloud"] is None
    assert len((await compute(li))["body"]["weather"]) == 2


async def test_an_open_incident_has_its_zone_and_a_new_one_when_the_wind_turns(desk: Desk, field: Field) -> None:
    li, house = await desk.come("li"), desk.house
    assert await house.zones.turn() == 0, "no incident"
    number = await open_incident(li)
    assert await house.zones.turn() == 1
    assert await house.zones.turn() == 0, "nothing has changed, and a minute has not passed"
    desk.clock.advance_ns(round((61) * 1e9))
    field.again()
    assert await house.zones.turn() == 0, "nothing has changed"
    field.put("W.from", 300.0)
    assert await house.zones.turn() == 1
    field.put("W.from", 90.0)
    assert await house.zones.turn() == 0, "at most one a minute"
    told = (await li.get(f"{INCIDENTS}/{number}/zones")).json()
    assert [one["number"] for one in told["revisions"]] == [2, 1]
    assert [one["is_last"] for one in told["zones"]] == [True]
    assert told["zones"][0]["body"]["weather"][0]["from_deg"] == 300.0
    first = (await li.get(f"{AT}/revisions/1")).json()
    assert (first["is_last"], first["body"]["weather"][0]["from_deg"]) == (False, 270.0), "what was is kept"
    lines = (await li.get(f"{INCIDENTS}/{number}")).json()["timeline"]
    assert [line["what"] for line in lines].count("zone") == 1


async def test_a_hole_that_a_person_asked_for_stays_when_the_wind_turns(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    number = await open_incident(li)
    kept = await compute(li, hole_mm=100, incident=number)
    assert (kept["number"], kept["who"], kept["body"]["hole_mm"]) == (1, "li", 100)
    desk.clock.advance_ns(round((61) * 1e9))
    field.again()
    field.put("W.from", 0.0)
    assert await desk.house.zones.turn() == 1
    again = (await li.get(f"{AT}/revisions/2")).json()
    assert (again["who"], again["body"]["hole_mm"], again["body"]["release"]["basis"]) == (
        "fengsui",
        100,
        "hole 100 mm",
    )


async def test_a_zone_counts_who_is_in_it(desk: Desk, field: Field) -> None:
    """A crowd zone half a kilometre downwind counts whole; one upwind and one nobody drew do not."""
    officer = await desk.come("li")
    degree = 111_320 * np.cos(np.radians(PLACE[1]))

    def square(east_m: float) -> str:
        west, south = PLACE[0] + (east_m - 20) / degree, PLACE[1] - 0.0002
        east, north = PLACE[0] + (east_m + 20) / degree, PLACE[1] + 0.0002
        return f"{west:.6f} {south:.6f}; {east:.6f} {south:.6f}; {east:.6f} {north:.6f}; {west:.6f} {north:.6f}"

    for ledger, values in (("enterprises", PLANT), ("units", UNIT)):
        await enter(officer, ledger, values)
    await enter(officer, "risk_units", RISK | {"unit": "U-2", "outline": square(500)})
    crowd = {
        "sort": "deck",
        "area_m2": 100,
        "space_m2": 1,
        "space_basis": "own",
        "open_h": 9,
        "stay_h": 2,
        "load_persons": 60,
    }
    await enter(officer, "crowd_zones", {"code": "Z-E", "name": "deck", "unit": "U-2", "tag": "D.heads", **crowd})
    await enter(officer, "crowd_zones", {"code": "Z-N", "name": "nowhere", "tag": "D.heads", **crowd})
    inside = level((await compute(officer))["body"], "ERPG-3")["people"]
    assert [(one["code"], one["persons"], one["share"]) for one in inside["counted"]] == [("Z-E", 40.0, 1.0)]
    assert (inside["persons"], inside["unplaced"], inside["is_whole"]) == (40, ["nowhere"], False)
    field.put("W.from", 90.0)
    assert level((await compute(officer))["body"], "ERPG-3")["people"]["counted"] == []
    field.put("W.from", 270.0)
    field.put("D.heads", 40.0, LOST)
    blind = level((await compute(officer))["body"], "ERPG-3")["people"]
    assert (blind["counted"][0]["persons"], blind["persons"], blind["is_whole"]) == (None, 0, False)


async def test_only_what_a_named_person_confirmed_goes_into_notices(desk: Desk, field: Field) -> None:
    li, op = await desk.come("li"), await desk.come("op")
    number = await open_incident(li)
    nature = main_nature(desk.house.site)

    def outside() -> dict[str, Any]:
        with desk.engine.connect() as connection:
            return confirmed_in(connection, {"U-1"}, nature)

    await compute(li, incident=number)
    assert outside() == {}, "nobody confirmed it"
    wanted = {"level": "ERPG-3", "reason": "seen on site"}
    mine = await op.post(f"{AT}/revisions/1/confirm", json=wanted)
    assert (mine.status_code, mine.json()["error"]["code"]) == (403, "not_yours")
    no_level = await li.post(f"{AT}/revisions/1/confirm", json=wanted | {"level": "LFL"})
    assert (no_level.status_code, no_level.json()["error"]["code"]) == (409, "no_area")
    done = (await li.post(f"{AT}/revisions/1/confirm", json=wanted)).json()
    assert (done["confirmed"]["who"], done["confirmed"]["level"], done["confirmed"]["reason"]) == (
        "li", "ERPG-3", "seen on site",
    )  # fmt: skip
    out = outside()["U-1"]
    assert (out["level"], out["confirmed_by"], out["revision"]) == ("ERPG-3", "li", 1)
    assert wrong_polygon(out["polygon"]) == ""
    await compute(li, hole_mm=100, incident=number)
    assert outside()["U-1"]["revision"] == 1, "a newer revision does not go out by itself"
    old = await li.post(f"{AT}/revisions/1/confirm", json=wanted)
    assert (old.status_code, old.json()["error"]["code"]) == (409, "changed_meanwhile")
    assert (await li.post(f"{AT}/revisions/2/withdraw", json={"reason": "x"})).status_code == 409
    assert (await li.post(f"{AT}/revisions/1/withdraw", json={"reason": "wind turned"})).status_code == 200
    assert outside() == {}
    whats = [act["action"] for act in desk.acts()]
    assert {"zone_computed", "zone_confirmed", "zone_withdrawn"} <= set(whats)
    lines = (await li.get(f"{INCIDENTS}/{number}")).json()["timeline"]
    assert [line["what"] for line in lines if line["what"].startswith("zone_")] == ["zone_confirmed", "zone_withdrawn"]


async def test_a_zone_of_an_incident_that_is_over_is_in_no_notice(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    number = await open_incident(li)
    await compute(li, incident=number)
    await li.post(f"{AT}/revisions/1/confirm", json={"level": "ERPG-3", "reason": "seen"})
    ended = {"revision": 1, "reason": "over", "despite": True}
    assert (await li.post(f"{INCIDENTS}/{number}/stand-down", json=ended)).status_code == 200
    with desk.engine.connect() as connection:
        assert confirmed_in(connection, {"U-1"}, main_nature(desk.house.site)) == {}
    late = await li.post(f"{AT}/so2/compute", json={"incident": number})
    assert (late.status_code, late.json()["error"]["code"]) == (409, "ended")
    assert await desk.house.zones.turn() == 0


async def test_geojson_is_wound_against_the_clock_and_closed(desk: Desk, field: Field) -> None:
    li = await desk.come("li")
    await compute(li, incident=await open_incident(li))
    answer = await li.get(f"{AT}/revisions/1/geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    point, *areas = answer.json()["features"]
    assert point["geometry"]["coordinates"] == list(PLACE)
    assert len(areas) >= 5
    distances = [one["properties"]["distance_m"] for one in areas]
    assert distances == sorted(distances, reverse=True), "the widest lies below"
    for one in areas:
        (ring,) = one["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        assert shape(one["geometry"]).exterior.is_ccw


async def test_a_confirmed_zone_is_the_area_of_the_next_notice(desk: Desk, field: Field) -> None:
    """The Composer of a tick asks the store: nothing before it is confirmed, then the polygon, none in a cancel."""
    li = await desk.come("li")
    cap = CapOptions(sender="plant@fengsui.example", restriction="bureau", languages=("zh", "en"))
    district = Destination(
        id="district", url="https://district.example", profile=Profile(id="c", envelope="cap", cap=cap)
    )
    site = replace(desk.house.site, destinations=(district,), timezone="Asia/Shanghai")
    composer = Composer(site, SimpleNamespace(heads={}))  # type: ignore[arg-type]
    number, now_ns = await open_incident(li), desk.clock.wall_ns()

    def rings(what: What, tier: Tier, told: str) -> dict[str, Any]:
        event = Event(
            id=told, what=what, time_ns=now_ns, received_ns=now_ns, nature=main_nature(site), unit="U-1", tier=tier,
            alarm="a" * 32, alarm_key="k", tag="T.pressure", group="high", condition="HH", state="UNACK",
        )  # fmt: skip
        outcome = Outcome(number=1, now_ns=now_ns, events=[event])
        with desk.engine.begin() as connection:
            (row,) = composer(connection, outcome)
            connection.execute(insert(schema.outbox), [row])
        return row

    await compute(li, incident=number)
    before = rings(What.RAISED, Tier.ORANGE, "e1")
    assert "zone" not in orjson.loads(before["body"])
    assert "polygon" not in before["wire"]
    await li.post(f"{AT}/revisions/1/confirm", json={"level": "ERPG-3", "reason": "seen on site"})
    after = rings(What.RAISED, Tier.RED, "e2")
    zone = orjson.loads(after["body"])["zone"]
    assert (zone["level"], zone["confirmed_by"]) == ("ERPG-3", "li")
    assert after["wire"].count(f"<polygon>{zone['polygon']}</polygon>") == 2, "in both languages"
    assert findings(after["wire"]) == []
    assert "screening, not prediction" in after["wire"]
    ended = rings(What.CLEARED, Tier.NONE, "e3")
    assert "zone" not in orjson.loads(ended["body"])
