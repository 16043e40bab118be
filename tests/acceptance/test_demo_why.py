"""The demonstration's story, told event by event: one sentence each, in either language, that needs no other source."""

import io
import re
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from alerting.desk import Desk
from alerting.model.command import Command, Verb
from alerting.model.event import Event
from edge.model import Scan, TagTable
from gateway.config import Site
from gateway.intake import Intake
from gateway.load import load
from gateway.record import EventLog
from gateway.turn import take_turn
from gateway.why import Language, facts_of, why
from simulators.plant.site import Plant
from simulators.story import read_story

START_NS = 1_767_225_600_000_000_000
NS = 1_000_000_000
LAST_S = 200  # The story ends after 110 s; tiers of units fall later.
#: What an operator does meanwhile, s after the start: verb, tag, rule group, length of a suppression, s.
DEEDS = (
    (20, Verb.ACK, "TK-103.level", "high", 0),
    (22, Verb.SHELVE, "GD-312.lel", "high", 20),
    (24, Verb.SUPPRESS, "GD-311.lel", "high", 30),
    (30, Verb.UNSHELVE, "GD-312.lel", "high", 0),
    (150, Verb.ACK, "GD-312.lel", "high", 0),
    (152, Verb.ACK, "GD-311.lel", "high", 0),
    (155, Verb.RESET, "GD-312.lel", "high", 0),
)


def scans_of(site: Site, readings: dict[str, float], number: int, now_ns: int) -> list[Scan]:
    """One scan a source of the plant's readings, to the resolution of each tag."""
    by_source: dict[str, list[int]] = {}
    for name in readings:
        row = site.tags.row_of[name]
        by_source.setdefault(site.tags[row].source, []).append(row)
    found = []
    for source, rows in by_source.items():
        steps = [site.tags[row].resolution for row in rows]
        values = [readings[site.tags[row].name] for row in rows]
        found.append(
            Scan(
                source=source,
                epoch=1,
                number=number,
                received_ns=now_ns,
                rows=np.array(rows, dtype=np.int32),
                values=np.array([round(v / s) * s if s else v for v, s in zip(values, steps, strict=True)]),
                quality=np.zeros(len(rows), dtype=np.uint8),
                times_ns=np.full(len(rows), now_ns, dtype=np.int64),
                nature=site.tags[rows[0]].nature,
            )
        )
    return found


def play(site: Site) -> list[Event]:
    """Play the story once, a second a tick; the gas source falls silent for a while, and an operator acts."""
    desk = Desk(site.id, site.rules, site.units, site.tasks, START_NS, site.derived, tiering=site.tiering)
    intake = Intake(site.sources, site.tags)
    plant, story = Plant(np.random.default_rng(1)), read_story("first_light")
    events: list[Event] = []
    for second in range(1, LAST_S + 1):
        now_ns = START_NS + second * NS
        for moment in story.due(float(second)):
            plant.do(moment.act)
        for _ in range(10):
            plant.step(0.1)
        scans = scans_of(site, plant.readings(), second, now_ns)
        if 170 <= second < 180:
            scans = [scan for scan in scans if scan.source != "gas"]
        commands = [
            Command(
                verb=verb,
                alarm=key,
                who="zhang",
                received_ns=now_ns,
                reason="到现场" if verb is Verb.ACK else "maintenance",
                until_ns=now_ns + length_s * NS,
            )
            for at_s, verb, tag, group, length_s in DEEDS
            if at_s == second
            for key, alarm in desk.alarms.items()
            if (alarm.tag, alarm.group) == (tag, group)
        ]
        events += take_turn(desk, intake, scans, commands, now_ns).outcome.events
    return events


@pytest.fixture(scope="module")
def told() -> tuple[TagTable, list[dict[str, Any]]]:
    site = load(Path("config/demo/site.toml"), environ={})
    file = io.BytesIO()
    EventLog(file, "story").write(play(site))
    return site.tags, [orjson.loads(line) for line in file.getvalue().splitlines()]


def test_the_story_has_events_of_every_sort(told: tuple[TagTable, list[dict[str, Any]]]) -> None:
    """So that the test below looks at something."""
    _, events = told
    assert {event["event"] for event in events} >= {
        "raised", "escalated", "returned", "acknowledged", "cleared", "shelved", "unshelved", "suppressed",
        "unsuppressed", "realarmed", "unit_raised", "unit_lowered",
    }  # fmt: skip
    assert {event["condition"] for event in events} >= {"H", "HH", "TREND", "RATE", "STALE"}


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_event_is_one_whole_sentence(told: tuple[TagTable, list[dict[str, Any]]], lang: Language) -> None:
    """It names tag and value with its unit, and the limit where the condition has one; of a unit the unit and tiers."""
    tags, events = told
    for event in events:
        facts = facts_of(event, tags)
        sentence = why(facts, lang)
        assert sentence
        assert "\n" not in sentence
        assert not re.search(r"\?|None|\bnan\b|\{|\}|\bcondition\b", sentence), sentence
        assert bool(re.search(r"[\u4e00-\u9fff]", re.sub("到现场", "", sentence))) is (lang == "zh"), sentence
        if not event["alarm"]:
            assert event["unit"] in sentence
            continue
        assert event["tag"] in sentence, sentence
        if event["condition"] in ("STALE", "BAD") and event["tier"] != "NONE" and "who" not in facts:
            continue  # There is no value to name.
        eu = tags[tags.row_of[event["tag"]]].eu
        assert re.search(rf"-?\d[\d.]* ?{re.escape(eu)}", sentence), sentence
        if event["condition"] in ("H", "HH", "L", "LL"):
            limit = f"{event['setpoint']:.{facts['decimals']}f}"
            assert limit in sentence, sentence


def test_the_vote_of_the_gas_detectors_is_told_as_itself(told: tuple[TagTable, list[dict[str, Any]]]) -> None:
    """Two of three detectors agree during the leak; the alarm is the vote's own."""
    tags, events = told
    vote = next(each for each in events if each["tag"] == "GL-301-gas" and each["event"] == "raised")
    assert (vote["unit"], vote["condition"], vote["value"], vote["setpoint"]) == ("GL-301", "VOTE", 2.0, 2.0)
    assert "2 of 3 agree" in why(facts_of(vote, tags), "en")
    assert "3 个成员中 2 个成立" in why(facts_of(vote, tags), "zh")
