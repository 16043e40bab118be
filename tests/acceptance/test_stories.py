"""Every story that ships, once, on the whole gateway: what it expects is seen, and the books of the road balance.

Each runs with its own seed, so that a failure is the same the next time; twenty drawn seeds are in ``tests/long``.
"""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import orjson
import pytest

from edge.clock_system import SystemClock
from gateway.config import Site
from gateway.demo_roster import CREWS
from gateway.simulate.known import known_of, load_site, site_of
from gateway.simulate.play import Played, play
from gateway.simulate.stage import set_stage
from simulators.plant.port import PlantKind
from simulators.regulator.ledger import Ledger
from simulators.scenario import Known, Scenario, find_scenario, read_scenario
from simulators.scenario.read import SCENARIOS, WEEKS
from tests.acceptance.persons import Json, Persons
from tests.acceptance.persons_of_stories import SCRIPTS

PLAYED: Final[dict[str, Played]] = {}
#: Of stories in which persons act: what they saw, the after-action report by language, what the authority was told.
ACTED: Final[dict[str, tuple[Json, dict[str, str], list[Json]]]] = {}
#: In which languages the report is set, each for half a second.
PAPERS: Final = {"ammonia_turn": ("zh", "en"), "lpg_hose": ("en",), "stair_surge": ("zh",)}
#: Kinds of plants, each with the quiet hour that stands for it.
QUIET: Final[Mapping[str, str]] = {
    "petrol-depot": "quiet_depot",
    "lpg-bay": "quiet_bay",
    "pipe-gallery": "quiet_gallery",
    "dance-hall": "quiet_hall",
    "ammonia-yard": "quiet_ammonia",
    "gas-line": "quiet_gas_line",
    "slag-dump": "quiet_dump",
    "chlorine-store": "quiet_chlorine",
    "methanol-depot": "quiet_methanol",
    "stairway": "quiet_stairway",
    "cold-store": "quiet_cold",
}
#: Quiet hours of each change; the others take two minutes, and the long run plays all of them with twenty seeds.
EACH_CHANGE: Final = ("quiet_depot", "quiet_gallery", "quiet_methanol")
STORIES: Final = [
    pytest.param(name, marks=pytest.mark.long) if name in QUIET.values() and name not in EACH_CHANGE else name
    for name in sorted(path.stem for path in SCENARIOS.glob("*.toml"))
]


def read(name: str) -> tuple[Scenario, Site]:
    sites: list[Site] = []

    def known(named: Path | None, kind: PlantKind) -> Known:
        tags = kind.make(np.random.default_rng(0)).tags
        sites.append(load_site(site_of(named, kind), kind, tags))
        return known_of(sites[-1], tags)

    return read_scenario(find_scenario(name), known), sites[-1]


def played(name: str) -> Played:
    if name not in PLAYED:
        scenario, site = read(name)
        memory = Path("/dev/shm")  # noqa: S108  # a folder of our own is made in it
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as folder:
            persons = Persons(SCRIPTS[name]) if name in SCRIPTS else None
            PLAYED[name] = play(
                scenario, site, scenario.seed, Path(folder), SystemClock(),
                attend=None if persons is None else persons.attend,
            )  # fmt: skip
            if persons is not None:
                told = [each.body for each in Ledger(Path(folder) / "authority" / "authority.jsonl").kept.values()]
                ACTED[name] = (persons.kept, persons.read_papers(1, PAPERS[name]), told)
    return PLAYED[name]


def acted(name: str) -> tuple[Json, dict[str, str], list[Json]]:
    played(name)
    return ACTED[name]


def rang(one: Played) -> list[tuple[str, str]]:
    return [(event.tag, event.condition) for event in one.seen.events if event.what == "raised"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", STORIES)
def test_a_story_comes_out_as_it_says(name: str) -> None:
    one = played(name)
    spent = sum(one.spent_s.values())
    print(f"{name}: {one.scenario.lasts_s:g} s in {spent:.1f} s, {one.pace:.0f} times real time")

    assert [verdict.why["en"] for verdict in one.verdicts if not verdict.is_met] == []
    assert set(one.balances.values()) == {0}


@pytest.mark.parametrize("name", [each for each in STORIES if each in EACH_CHANGE or not isinstance(each, str)])
def test_a_quiet_hour_is_quiet_everywhere(name: str) -> None:
    """A quiet story says so of its units; here nothing rings at all, of no unit and not of the gateway."""
    one = played(name)

    assert QUIET[one.scenario.kind.name] == name
    assert one.scenario.lasts_s == 3600
    assert rang(one) == []
    assert one.scans > 0


@pytest.mark.parametrize("path", sorted(WEEKS.glob("*.toml")), ids=lambda path: path.stem)
def test_a_quiet_week_can_be_played_and_is_a_week_of_all_units(path: Path) -> None:
    """They run for hours, so that only ``tests/long`` plays them; here they are read against their sites."""
    week, site = read(path.stem)

    assert week.lasts_s == 7 * 86_400
    assert {each.unit for each in week.expectations} == {unit.id for unit in site.units} | {"fengsui"}
    assert path.stem == QUIET[week.kind.name].replace("quiet_", "quiet_week_")


def test_buncefield_runs_over_when_the_report_says() -> None:
    assert played("buncefield").seen.milestones["TK-912 runs over"] == pytest.approx(145 * 60, abs=180), "05:20"


def test_a_lost_plc_makes_up_no_gas() -> None:
    once = rang(played("plc_lost"))

    assert len(once) == len(set(once)) == 7, "five detectors, the vote, the link: each once"
    assert all("GD-5" in tag or tag in {"bay-gas", "fengsui.link.gas-plc"} for tag, _ in once)


def test_a_flood_drops_nothing_and_its_first_out_was_told_after_others() -> None:
    one = played("unit_trip")
    (flood,) = one.seen.floods
    raised = [orjson.loads(line) for line in one.log.splitlines()]
    told = sorted((e["received_ns"], e["tag"]) for e in raised if e["event"] == "raised")

    assert flood.count == len(told) == 14
    assert [tag for _, tag in told].index("C-801.oil_pressure") >= 3
    assert (
        len({notice.event for notice in one.seen.notices} & {e["id"] for e in raised if e["event"] == "raised"}) == 14
    )


def test_planned_maintenance_lists_all_of_the_machine_and_rings_for_gas_alone() -> None:
    one = played("planned_maintenance")
    rung = {(e.tag, e.condition) for e in one.seen.events if e.what == "raised" and not e.is_quiet}
    quiet = {e.alarm for e in one.seen.events if e.what == "raised" and e.is_quiet}

    assert rung == {("GD-801.nh3", "H")}
    assert len(quiet) >= 5
    assert quiet == {each.alarm for each in one.seen.listed or ()}


def test_a_pin_hole_is_found_by_the_books_alone() -> None:
    one = played("gas_pinhole")

    assert rang(one) == [("GL-701.lost", "H")]
    times, lost = one.computed["GL-701.lost"]
    before, late = lost[times < 1_800], lost[times > 3_900]
    assert np.nanmax(np.abs(before)) < 100, "a fifth more demand is no leak"
    held = 1_800 * 0.0925 / (0.016_043 / 0.022_414)  # half an hour of 92.5 g/s, in Nm³
    assert np.nanmean(late) == pytest.approx(held, rel=0.1)


NIGHT: Final = """
title = { en = "A pump starts at night", zh = "夜间来料" }
plant = "methanol-depot"
begins = 2026-07-21T01:40:00+08:00
forward_s = 21_600
lasts_s = 3_600
step_s = 10

[[act]]
at_s = -21_600
verb = "level"
unit = "TK-301"
amount = 5

[[act]]
at_s = -21_000
verb = "outlet"
unit = "TK-301"
amount = 20

[[act]]
at_s = 1_200
verb = "inlet"
unit = "TK-301"
amount = 80

[[expect]]
id = "quiet"
see = "quiet"
unit = "TK-301"
"""


@pytest.mark.long
def test_a_pump_that_starts_at_night_lifts_the_pressure_to_the_breather_valve_and_nothing_rings(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "night.toml"
    path.write_text(NIGHT, encoding="utf-8")
    scenario, site = set_stage(path)
    one = play(scenario, site, 3, tmp_path / "data", SystemClock())
    pressure = np.array(one.trace.sent)[:, one.tags.index("TK-301.pressure")]

    assert np.nanmax(pressure) > 1.4
    assert rang(one) == []


# --------------------------------------------------------------------------------------- persons act: three incidents


def test_ammonia_opens_its_plan_calls_the_shift_and_the_zone_turns_with_the_wind() -> None:
    kept, papers, told = acted("ammonia_turn")
    opened, closed = kept["opened"], kept["closed"]

    assert (opened["plan"], opened["grade"], opened["unit"], opened["opened_by"]) == ("PL-NH3", 2, "V-601", "fengsui")
    rose = next(each.time_s for each in played("ammonia_turn").seen.events if each.what == "unit_raised")
    began = np.datetime64(opened["opened"].rstrip("Z")) - np.datetime64("2026-09-14T02:00:00")
    assert began / np.timedelta64(1, "s") == rose, "in the tick in which the unit rose to ORANGE"
    crews = {post: {name for name, _ in crew} for post, crew in CREWS.items()}
    assert kept["leader"] in crews["leader"]
    assert kept["room"] in crews["control-room"]
    assert [each["headquarters"] for each in opened["headquarters"]] == ["general", "leak"]
    assert_called(kept, papers["zh"])

    west, south = kept["west"]["body"], kept["south"]["body"]
    assert west["weather"][0]["from_deg"] == pytest.approx(270, abs=15)
    assert south["weather"][0]["from_deg"] == pytest.approx(200, abs=30), "the front turns it from west to south"
    first, last = (next(each for each in one["levels"] if each["name"] == "ERPG-2") for one in (west, south))
    east, north = ((each["people"]["neighbours"][0]["code"], each["people"]["persons"]) for each in (first, last))
    assert (east, north) == (("SU-E", 18), ("SU-N", 240)), "first the warehouse lies downwind, then the housing"
    assert first["is_valid"]
    lon, lat = np.array(first["outline"]).mean(axis=0) - west["place"]
    assert lon > 10 * abs(lat), "drawn to the east"
    assert west["release"]["rate_kg_s"] == pytest.approx(lost_kg_s(played("ammonia_turn")), rel=0.15)

    assert (kept["hasty"], kept["early"]) == ("not_back", "not_complete")
    assert (closed["state"], closed["grade"], closed["is_holding"]) == ("ended", 1, True)
    carried = [body["zone"] for body in told if body.get("zone")]
    assert carried
    assert {(each["level"], each["confirmed_by"]) for each in carried} == {("ERPG-2", kept["leader"])}
    assert_paper(
        papers["zh"], "1号事件应急处置总结报告", f"指挥人{kept['leader']}", "PL-NH3", "北侧居民区", "北140m,240人",
        "确认危害区可用于通报", "撤离北侧", "空气呼吸器", "r1更换法兰垫片并试压", "垫片周期更换", "GD-603.nh3高高报",
        "危害区：", "ERPG-2200ppm", "危害区计算依据", "筛查结果，不是预测", f"确认用于通报ERPG-2,{kept['leader']}",
    )  # fmt: skip
    assert_paper(
        papers["en"], "Incident1:after-actionreport", "RED,RED", "consequencezoneconfirmedfornotices", "103.1ppm",
        "stooddown", "notallowedyet", "6/0/7",
    )  # fmt: skip


def lost_kg_s(one: Played) -> float:
    """Give what left the bullet, by its gauge alone: a lying cylinder of 3 m by 12 m, ammonia of 609 kg/m³ (22 °C)."""
    level = np.array(one.trace.sent)[:, one.tags.index("V-601.level")]
    before, after = level[64:74].mean(), level[299:309].mean()
    wide = 2 * np.sqrt(1.5**2 - ((before + after) / 2 - 1.5) ** 2)
    return float((before - after) * wide * 12 * 609 / 235)


def test_a_torn_hose_opens_its_plan_and_a_windsock_gives_the_zone_its_side() -> None:
    kept, papers, told = acted("lpg_hose")
    opened, closed, blind, seen = kept["opened"], kept["closed"], kept["blind"]["body"], kept["seen"]["body"]

    assert (opened["plan"], opened["kind"], opened["unit"]) == ("PL-LPG", "16", "V-501")
    assert [each["headquarters"] for each in opened["headquarters"]] == ["general", "fire"]
    assert_called(kept, papers["en"])
    assert [each["from_deg"] for each in blind["weather"]] == [None, None], "the bay has no wind mast"
    assert not any(level["is_valid"] for level in blind["levels"])
    lfl = next(level for level in seen["levels"] if level["name"] == "½ LFL")
    assert (lfl["is_valid"], lfl["model"], lfl["people"]["persons"]) == (True, "heavy", 60)
    assert (np.array(lfl["outline"]).mean(axis=0) - seen["place"])[0] > 0, "downwind is to the east"
    assert {task["step"]: task["state"] for task in closed["tasks"]} == {
        "1": "done", "2": "done", "3": "done", "4": "done", "5": "void", "6": "done",
    }  # fmt: skip
    assert (closed["state"], closed["is_holding"]) == ("ended", False)
    assert {body["zone"]["level"] for body in told if body.get("zone")} == {"½ LFL"}
    assert_paper(
        papers["en"], "Incident1:after-actionreport", "Busdepottotheeast(east80m,60persons)", "NONE,RED", "5/0/6",
        "call119", "unitloweredNONE", "combustiblegasexplosion", "LPGreleasewhileunloading", "doesnotapply",
        "Consequencezone:", "yes(heavygas)",
        "roundholeof25mm", "from270°", "Screening,notprediction", f"½LFL,{kept['leader']}",
    )  # fmt: skip


def test_a_surge_opens_one_incident_a_unit_which_are_merged_and_the_deck_is_held() -> None:
    kept, papers, _ = acted("stair_surge")
    opened, deck, closed = kept["opened"], kept["deck"], kept["closed"]

    assert [(one["unit"], one["plan"]) for one in (opened, deck)] == [("Z-462", "PL-STAIR"), ("Z-463", "PL-STAIR")]
    assert [each["headquarters"] for each in opened["headquarters"]] == ["general", "crowd"]
    assert_called(kept, papers["zh"])
    (zone,) = kept["crowd"]["zones"]
    assert (zone["takes"], zone["advice"]["limit"], zone["advice"]["let_in_min"]) == (600, "full", 0.0)
    assert {one["action"] for one in kept["crowd"]["actions"]} == {"hold-foot", "one-way", "announce"}
    assert (closed["state"], closed["merged"]) == ("ended", [2])
    late = {task["step"] for task in closed["tasks"] if task["is_late"] and task["state"] == "done"}
    assert late == {"2", "4"}
    assert_paper(
        papers["zh"], "并入的事件2", "提出客流措施", "确认客流措施", "台阶只上、坡道只下", "不采取客流措施", "恐慌",
        "公安接管", "5/2/10", "Z-462.camera表达式条件2.59p/m²",
    )  # fmt: skip


def assert_called(kept: Json, paper: str) -> None:
    """Hold that the shift alone was called, in order, by messages with receipts, and that both answers stand."""
    room, leader = ([call for call in line["calls"] if call["person"]] for line in kept["calls"])
    (first,), (second,) = room, leader
    assert [line["line"] for line in kept["calls"]] == ["control-room", "leader"]
    assert [line["state"] for line in kept["calls"]] == ["enough", "enough"]
    assert (first["person"], second["person"]) == (kept["room"], kept["leader"])
    assert first["person"] in {name for name, _ in CREWS["control-room"]}
    assert first["called"] < second["called"]
    soon = np.datetime64(first["called"].rstrip("Z")) - np.datetime64(kept["opened"]["opened"].rstrip("Z"))
    assert soon <= np.timedelta64(1500, "ms"), "a second after it opened, however rarely the store is asked else"
    for call in (first, second):
        assert (call["notice"]["channel"], call["notice"]["state"]) == ("calls", "delivered")
        assert call["notice"]["receipt"]
        assert call["notice"]["delivered"] >= call["called"]
    assert (first["answered_by"], first["answered_how"]) == (kept["room"], "page")
    assert (second["answered_by"], second["answered_how"]) == ("li.min", "telephone")
    assert kept["leader"] in paper
    assert any(word in paper for word in ("能到,4min,电话,li.min登记", "coming,4min,bytelephone,byli.min"))


def assert_paper(text: str, *words: str) -> None:
    missing = [word for word in words if word not in text]
    assert missing == [], f"{missing} not in {text}"
    raw = [word for word in ("{", "crowd_", "zone_", "_done", "None") if word in text]
    assert raw == [], f"what only programs read: {raw} in {text}"
