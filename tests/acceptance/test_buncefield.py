"""Buncefield, 11 December 2005: a gauge that froze while the tank went on filling, found by the demonstration site.

The recording is made of what the Major Incident Investigation Board published (third progress report, 2006, as quoted
by the press and by encyclopaedias): filling since 19:00, all normal at 00:00, the gauge of tank 912 frozen at about
03:00 with the tank about two thirds full, about 550 m³/h on and on, calculated full at 05:20. What the report does not
give is chosen so that these agree, and says so in ``KNOTS``. The demonstration's tank TK-103 plays tank 912.
"""

import io
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest

from gateway.load import load
from gateway.record import EventLog
from gateway.replay import replay
from gateway.why import why

DEMO = Path("config/demo")
RECORDING = DEMO / "recordings" / "buncefield.csv"
FULL_M = 6.0  # The demonstration's shell; two thirds of it are 4 m.
FULL_M3 = 3 * 550 * (140 / 60)  # The last third went in between 03:00 and 05:20 with 550 m³/h [computed]
STEP_S = 4
#: (h UTC, level m, flow m³/h until the next knot, where that is from)
KNOTS = (
    (0.0, 4.0 - 550 / FULL_M3 * FULL_M - 206 / FULL_M3 * FULL_M * 2, 206.0, "chosen: a slower fill before"),
    (2.0, 4.0 - 550 / FULL_M3 * FULL_M, 550.0, "chosen: an hour before the freeze"),
    (3.0, 4.0, 550.0, "found: frozen, two thirds full, about 550 m³/h go on"),
    (3.0 + 1 / 3, 4.0, 550.0, "the end of this recording"),
)
FROZEN_AT = datetime(2005, 12, 11, 3, tzinfo=UTC)


def rows() -> list[str]:
    """The recording, line by line: a sample of each tag every 4 s, level to the millimetre."""
    lines = ["time,TK-103.level,TK-103.inlet_flow"]
    start = FROZEN_AT - timedelta(hours=3)
    for (from_h, from_m, flow, _), (to_h, to_m, _, _) in pairwise(KNOTS):
        for second in range(round(from_h * 3600), round(to_h * 3600), STEP_S):
            share = (second / 3600 - from_h) / (to_h - from_h)
            level_m = from_m + (to_m - from_m) * share
            lines.append(f"{start + timedelta(seconds=second):%Y-%m-%dT%H:%M:%SZ},{level_m:.3f},{flow:g}")
    return lines


@pytest.fixture(scope="module")
def events() -> list[dict[str, Any]]:
    file = io.BytesIO()
    replay(load(DEMO / "site.toml", environ={}), RECORDING, EventLog(file, "buncefield"))
    return [orjson.loads(line) for line in file.getvalue().splitlines()]


def time_of(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"][:19]).replace(tzinfo=UTC)


def test_the_recording_is_that_of_the_table() -> None:
    assert RECORDING.read_text("utf-8").splitlines() == rows()


def test_the_frozen_gauge_is_found_within_five_minutes_by_a_rule_that_ships(events: list[dict[str, Any]]) -> None:
    (found,) = [e for e in events if e["event"] == "raised" and e["condition"] == "FROZEN"]

    assert found["tag"] == "TK-103.level"
    assert timedelta(0) < time_of(found) - FROZEN_AT <= timedelta(minutes=5)
    assert found["tier"] == "ORANGE"


def test_nothing_rings_in_the_hours_before(events: list[dict[str, Any]]) -> None:
    assert [e for e in events if time_of(e) < FROZEN_AT] == []


def test_one_sentence_says_it_in_both_languages(events: list[dict[str, Any]]) -> None:
    (found,) = [e for e in events if e["event"] == "raised" and e["condition"] == "FROZEN"]
    facts = {**found["cause"], "tier": found["tier"]}

    assert why(facts, "en").startswith(
        "TK-103.level has stayed at 4 m within 0.001 m for 180 s while TK-103.inlet_flow was above 10 m³/h ("
    )
    assert why(facts, "zh").startswith("TK-103.level 在 TK-103.inlet_flow 高于 10 m³/h 期间,停在 4 m")
