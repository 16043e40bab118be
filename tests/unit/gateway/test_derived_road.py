"""Derived tags on the road: the time matrix, bulk and one by one, record and replay, backtest, restart."""

import asyncio
import io
import re
from pathlib import Path

import orjson
import pytest

from alerting.desk import Desk
from alerting.model.derivation import Derivation
from alerting.model.rule import Kind, Rule, RuleTable
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.clock_manual import ManualClock
from edge.model import Tag, TagTable
from gateway.backtest.run import Asked, backtest
from gateway.intake import Intake
from gateway.load import load
from gateway.load.derived.kinds import KINDS as CONFIGURED
from gateway.record import EventLog, restore_snapshot, snapshot_of
from gateway.replay import replay
from gateway.turn import take_turn
from tests.scripted import live, small_gateway, small_site
from tests.time_matrix import (
    LAST_S,
    RIGHT,
    SOURCE,
    START_NS,
    TROUBLES,
    S,
    Trouble,
    arrivals,
    as_items,
    begin_anew,
    judge_cell,
    rule_table,
)

#: The same course as the measured tag's, so that the matrix's times are right for the derived one too.
SAME = Derivation(
    tag="T.d",
    kind="volume",
    inputs={"level": ("T.v",)},
    scales={"level": ((1.0, 0.0),)},
    table=((-100.0, -100.0), (100.0, 100.0)),
)
KINDS = (Kind.H, Kind.L, Kind.RATE, Kind.STALE, Kind.BAD, Kind.TREND, Kind.FROZEN)


def derived_table(kind: Kind) -> RuleTable:
    """The matrix's rules of a kind, about the derived tag; the measured one has a STALE rule."""
    rules = [
        Rule(
            **{
                **{name: getattr(rule, name) for name in Rule.__dataclass_fields__},
                "tag": "T.d",
                "id": f"T.d.{rule.kind.name}",
            }
        )
        for rule in rule_table(kind)
    ]
    tags = [
        Tag(name="T.v", source="plc", unit="T", eu="m", period_s=1.0),
        Tag(name="T.d", source="derived:plc", unit="T", eu="m³", period_s=1.0),
    ]
    stale = Rule(id="T.v.STALE", tag="T.v", kind=Kind.STALE, setpoint=5.0, tier=Tier.BLUE)
    return RuleTable([*rules, stale], TagTable(tags))


def new_side(table: RuleTable, start_ns: int) -> tuple[Desk, Intake]:
    return Desk("site", table, [HazardUnit(id="T")], [], start_ns, [SAME]), Intake((SOURCE,), table.tags)


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda t: t.name)
@pytest.mark.parametrize("kind", KINDS, ids=lambda k: k.name)
@pytest.mark.parametrize("is_bulk", [True, False])
def test_time_matrix(kind: Kind, trouble: Trouble, is_bulk: bool) -> None:
    """Each cell: judged right, or said within three scans that it is not."""
    assert kind in RIGHT
    table = derived_table(kind)
    desk, intake = new_side(table, START_NS)
    waiting = list(as_items(arrivals(kind, trouble)))
    seen, remarks = [], []
    restart_ns = None if trouble.restart_s is None else START_NS + round(trouble.restart_s * S)
    for turn in range(1, int((LAST_S + 5) / 0.25)):
        now_ns = START_NS + round(turn * 0.25 * S)
        if restart_ns is not None and now_ns >= restart_ns:
            snapshot = orjson.loads(orjson.dumps(snapshot_of(desk, intake, ""), option=orjson.OPT_SERIALIZE_NUMPY))
            desk, intake = new_side(table, now_ns)
            restore_snapshot(snapshot, desk, intake)
            begin_anew(desk, now_ns)
            restart_ns = None
        items = [item for item in waiting if item.received_ns <= now_ns]
        del waiting[: len(items)]
        outcome = take_turn(desk, intake, items, [], now_ns, is_bulk=is_bulk).outcome
        seen += [
            (str(e.what), e.group, e.condition, (e.time_ns - START_NS) / S)
            for e in outcome.events
            if e.tag == "T.d" and not e.is_late
        ]
        remarks += [remark["kind"] for remark in outcome.remarks]

    assert judge_cell(kind, trouble, seen, remarks) == [], seen
    assert trouble.name != "gap" or "late_derived_left_out" in remarks


def test_a_recording_gives_lives_events_and_history_holds_the_values(tmp_path: Path) -> None:
    table = derived_table(Kind.H)
    site = small_site(table, SOURCE, tmp_path / "data", derived=(SAME,))
    clock = ManualClock(START_NS)
    items = list(as_items(arrivals(Kind.H, TROUBLES[0])))
    record, told = tmp_path / "one.rec", io.BytesIO()
    gateway = small_gateway(site, clock, items, record=record, event_log=EventLog(told, "live"))
    live(gateway, 40.0, clock)
    again = io.BytesIO()
    replay(site, record, EventLog(again, "live"))

    assert b"T.d" in told.getvalue()
    assert again.getvalue() == told.getvalue()
    kept = asyncio.run(gateway.historian.range(table.tags.row_of["T.d"], START_NS, START_NS + 60 * S, 1000))
    assert len(kept.times_ns) == 39, "each sample of the derived tag is in the historian"
    assert gateway.picture.values[table.tags.row_of["T.d"]] == 5.0


CASE = Path("tests/golden/core/derived_volume_mass")


def test_a_backtest_hears_what_replay_hears(tmp_path: Path) -> None:
    site = load(CASE / "site.toml", environ={})
    log = io.BytesIO()
    replay(site, CASE / "recording.csv", EventLog(log, "r"))
    raised = [
        f"{e['tag']}.{e['condition']}"
        for e in map(orjson.loads, log.getvalue().splitlines())
        if e["event"] == "raised" and e["time"] <= "2026-01-01T02:54:00Z"
    ]
    found = backtest(site, Asked(recording=CASE / "recording.csv"))
    heard = {rule["rule"]: rule["alarms"] for rule in found["rules"] if rule["alarms"]}

    assert heard == {name: raised.count(name) for name in raised}
    assert "T-912.mass.H" in heard


def test_what_a_file_says_of_a_derived_tag_is_passed_over(tmp_path: Path) -> None:
    site = load(CASE / "site.toml", environ={})
    file = tmp_path / "r.csv"
    file.write_text("time,T-912.level,T-912.temperature,T-912.volume\n2026-01-01T00:00:00Z,1,15,5000\n", "utf-8")
    log = io.BytesIO()

    assert replay(site, file, EventLog(log, "r"), until_ns=1_767_225_601_000_000_000).refused == 1
    assert b"T-912.volume" not in log.getvalue(), "5000 m³ would have tripped H"
    assert backtest(site, Asked(recording=file))["rules"]


def test_one_that_hangs_on_a_tag_that_the_file_does_not_have_says_nothing(tmp_path: Path) -> None:
    """Live, a temperature that never came makes the mass BAD; a file that has no temperatures is no fault."""
    site = load(CASE / "site.toml", environ={})
    file = tmp_path / "r.csv"
    file.write_text("time,T-912.level\n" + "".join(f"2026-01-01T00:{n:02d}:00Z,10.5\n" for n in range(30)), "utf-8")
    log = io.BytesIO()
    replay(site, file, EventLog(log, "r"), until_ns=1_767_225_600_000_000_000 + 29 * 60 * S)

    assert b"T-912.volume" in log.getvalue()
    assert b"T-912.mass" not in log.getvalue()
    assert {r["rule"] for r in backtest(site, Asked(recording=file))["rules"] if r["alarms"]} == {"T-912.volume.H"}


def test_every_kind_stands_in_the_document_and_on_the_page() -> None:
    said = Path("docs/derived.md").read_text("utf-8")
    headings = {word for line in said.splitlines() if line.startswith("## ") for word in re.findall(r"\w+", line)}
    assert set(CONFIGURED) <= headings
    for language in ("en", "zh"):
        words = Path(f"dashboards/web/src/words/{language}/plant.ts").read_text("utf-8")
        kinds = re.split(r"export const derivedKind\b.*= {", words)[1].split("}")[0]
        roles = re.split(r"export const derivedRole\b.*= {", words)[1].split("}")[0]
        assert {kind for kind in CONFIGURED if f" {kind}: " not in kinds} == set()
        assert {role for spec in CONFIGURED.values() for role in spec.roles if f" {role}: " not in roles} == set()
