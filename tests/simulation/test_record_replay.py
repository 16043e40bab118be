"""A recording replayed gives live's events in every field but ``run``; a foreign CSV the same bytes each time."""

import asyncio
import io
from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from alerting.model.blocks import Blocks
from alerting.model.command import Command, Verb
from alerting.model.drift import Drift
from alerting.model.philosophy import Philosophy
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.shelving import Shelving
from alerting.model.tier import Tier
from edge.clock_manual import ManualClock, run_manual
from gateway.record import EventLog
from gateway.recording import RecordingError
from gateway.replay import replay
from tests.scripted import run_for, small_gateway, small_site
from tests.time_matrix import (
    LAST_S,
    SOURCE,
    START_NS,
    TROUBLES,
    S,
    Trouble,
    arrivals,
    as_items,
    tag_table,
)


def both_limits() -> RuleTable:
    """One tag with a rule of every kind that one tag can have."""
    common = {"tag": "T.v", "deadband": 0.5}
    return RuleTable(
        [
            Rule(id="T.v.H", kind=Kind.H, setpoint=7.0, tier=Tier.YELLOW, on_delay_s=2.0, **common),
            Rule(id="T.v.HH", kind=Kind.HH, setpoint=8.0, tier=Tier.RED, on_delay_s=5.0, **common),
            Rule(id="T.v.RATE", kind=Kind.RATE, setpoint=0.5, window_s=3.0, tier=Tier.BLUE, **common),
            Rule(
                id="T.v.TREND", tag="T.v", kind=Kind.TREND, setpoint=20.0, horizon_s=100.0, alpha=0.2, samples_min=5,
                tier=Tier.BLUE,
            ),
            Rule(
                id="T.v.TREND:line", tag="T.v", name="line", kind=Kind.TREND, setpoint=20.0, horizon_s=100.0,
                blocks=Blocks(block_s=1.0, count=6), gap_s=4.0, tier=Tier.BLUE,
            ),
            Rule(
                id="T.v.DRIFT", tag="T.v", kind=Kind.DRIFT, setpoint=4.0, tier=Tier.BLUE,
                drift=Drift(season="none", span_s=2.0, base_s=8.0, warm_up_s=8.0),
            ),
            Rule(id="T.v.STALE", tag="T.v", kind=Kind.STALE, setpoint=5.0, tier=Tier.BLUE),
            Rule(id="T.v.BAD", tag="T.v", kind=Kind.BAD, setpoint=1.0, tier=Tier.BLUE),
            Rule(id="T.v.DEVIATION", kind=Kind.DEVIATION, reference=5.0, setpoint=1.0, tier=Tier.BLUE, **common),
            Rule(id="T.v.STATE:a", tag="T.v", name="a", kind=Kind.STATE, setpoint=0.0, states=(9.0,), tier=Tier.BLUE),
            Rule(
                id="T.v.STATE:g", tag="T.v", name="g", kind=Kind.STATE, setpoint=0.0, states=(9.0, 9.8), tier=Tier.BLUE,
                on_delay_s=3.0, enable="T.v < 9.5 or T.v > 99 for 2 s", enable_asked=("T.v",),
            ),
            Rule(id="T.v.FROZEN", tag="T.v", kind=Kind.FROZEN, setpoint=4.0, band=0.1, tier=Tier.BLUE),
            Rule(id="T.v.RANGE", tag="T.v", kind=Kind.RANGE, setpoint=1.0, tier=Tier.BLUE),
        ],
        tag_table(),
    )  # fmt: skip


def without_run(raw: bytes) -> list[dict[str, object]]:
    lines = [orjson.loads(line) for line in raw.splitlines()]
    return [{name: value for name, value in line.items() if name != "run"} for line in lines]


CASES = [(Kind.H, trouble) for trouble in TROUBLES] + [
    (kind, trouble)
    for kind in (Kind.TREND, Kind.DRIFT, Kind.GATE)
    for trouble in TROUBLES
    if trouble.name in ("none", "gap", "restart in mid-delay")
]


@pytest.mark.parametrize(("kind", "trouble"), CASES, ids=lambda one: one.name)
def test_a_recording_gives_lives_events(kind: Kind, trouble: Trouble, tmp_path: Path) -> None:
    """Scans, link changes, clock readings and commands of two runs on the same data, each with its recording."""
    site = small_site(both_limits(), SOURCE, tmp_path / "data")
    clock = ManualClock(START_NS)
    items = list(as_items(arrivals(kind, trouble)))

    async def one_run(seconds: float, record: Path, log: EventLog) -> None:
        gateway = small_gateway(site, clock, items, record=record, event_log=log)
        async with run_for(gateway, seconds * 0.8):
            for alarm in list(gateway.desk.alarms.values()):
                now_ns = clock.wall_ns()
                if alarm.group == "drift":
                    relearn = Command(verb=Verb.RELEARN, alarm=alarm.rule, who="op", reason="换表", received_ns=now_ns)
                    await gateway.command(relearn)
                for verb in (Verb.ACK, Verb.SHELVE):
                    until_ns = now_ns + 3 * S if verb is Verb.SHELVE else 0
                    name = alarm.id or alarm.key
                    await gateway.command(
                        Command(
                            verb=verb,
                            alarm=name,
                            who="op",
                            reason="看过",
                            until_ns=until_ns,
                            received_ns=now_ns,
                            is_one_shot=verb is Verb.SHELVE and alarm.is_active,
                        )
                    )
            await asyncio.sleep(seconds * 0.2)

    for number, seconds in enumerate((trouble.restart_s or 20.0, LAST_S - 18.0)):
        record, live = tmp_path / f"{number}.rec", io.BytesIO()
        run_manual(one_run(seconds, record, EventLog(live, "live")), clock)
        again = io.BytesIO()
        replay(site, record, EventLog(again, "replay"))

        assert without_run(again.getvalue()) == without_run(live.getvalue())
        assert number == 0 or without_run(live.getvalue()), "the second run has something to show"


def test_a_replay_goes_by_the_longest_shelves_of_its_recording(tmp_path: Path) -> None:
    short, default = Philosophy(shelving=Shelving(minutes=(1, 1, 1, 1))), Philosophy()
    site = small_site(both_limits(), SOURCE, tmp_path / "data", philosophy=short)
    clock, record, live = ManualClock(START_NS), tmp_path / "r.rec", io.BytesIO()
    gateway = small_gateway(
        site, clock, list(as_items(arrivals(Kind.H, TROUBLES[0]))), record=record, event_log=EventLog(live, "live")
    )

    async def main() -> None:
        async with run_for(gateway, 20.0):
            for minutes in (2, 1):
                now_ns = clock.wall_ns()
                for alarm in list(gateway.desk.alarms.values()):
                    answer = await gateway.command(
                        Command(
                            verb=Verb.SHELVE,
                            alarm=alarm.key,
                            who="op",
                            reason="r",
                            until_ns=now_ns + minutes * 59 * S,
                            received_ns=now_ns,
                        )
                    )
                    assert (answer.refused is None) is (minutes == 1)

    run_manual(main(), clock)
    again = io.BytesIO()
    replay(replace(site, philosophy=default), record, EventLog(again, "replay"))
    assert b'"shelved"' in live.getvalue()
    assert without_run(again.getvalue()) == without_run(live.getvalue())


CSV = "time,T.v\n" + "".join(
    f"2026-01-01T08:00:{second:02d}+08:00,{9.0 if 10 <= second < 30 else 5.0}\n" for second in range(1, 50)
)


def carry(text: str, tmp_path: Path, name: str = "r.csv") -> bytes:
    recording, out = tmp_path / name, io.BytesIO()
    recording.write_text(text, encoding="utf-8")
    replay(small_site(both_limits(), SOURCE, tmp_path / "data"), recording, EventLog(out, "replay"))
    return out.getvalue()


def test_a_foreign_csv_gives_the_same_bytes_twice(tmp_path: Path) -> None:
    first = carry(CSV, tmp_path)

    assert first == carry(CSV, tmp_path)
    told = [
        (e["event"], e["condition"], e["time"][17:19]) for e in without_run(first) if e["tag"] and e["group"] == "high"
    ]
    assert told == [("raised", "H", "12"), ("escalated", "HH", "15"), ("returned", "HH", "30")]


def test_local_time_is_not_taken_for_utc(tmp_path: Path) -> None:
    """08:00 in Shanghai is 00:00 UTC, and the events say so."""
    first = without_run(carry(CSV, tmp_path))[0]

    assert str(first["time"]).startswith("2026-01-01T00:00:")


def test_long_form_and_wide_form_agree(tmp_path: Path) -> None:
    rows = [line.split(",") for line in CSV.splitlines()[1:]]
    long = "time,tag,value,quality\n" + "".join(f"{time},T.v,{value},GOOD\n" for time, value in rows)

    assert without_run(carry(long, tmp_path)) == without_run(carry(CSV, tmp_path))


def test_nan_is_bad_and_neither_trips_nor_clears(tmp_path: Path) -> None:
    """A low limit would trip if NaN were read as 0."""
    text = CSV.replace(":20+08:00,9.0", ":20+08:00,nan").replace(":40+08:00,5.0", ":40+08:00,nan")
    told = [
        (e["event"], e["condition"]) for e in without_run(carry(text, tmp_path)) if e["tag"] and e["group"] == "high"
    ]

    assert told == [("raised", "H"), ("escalated", "HH"), ("returned", "HH")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1"),
        ("zeit,T.v\n", "the first column must be 'time'"),
        ("time,nope\n", "no tags of the site: nope"),
        ("time,T.v\n2026-01-01T08:00:00,1\n", "has no offset"),
        ("time,T.v\nyesterday,1\n", "no time"),
        ("time,T.v\n2026-01-01T08:00:00Z,abc\n", "no number"),
        ("time,tag,value\n2026-01-01T08:00:00Z,nope,1\n", "no tag of the site"),
        ('{"format":"other"}\n', "not the head of a"),
    ],
)
def test_what_is_no_recording_is_refused_with_its_line(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=said):
        carry(text, tmp_path)
