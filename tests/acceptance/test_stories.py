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
from gateway.simulate.known import known_of, load_site, site_of
from gateway.simulate.play import Played, play
from gateway.simulate.stage import set_stage
from simulators.plant.port import PlantKind
from simulators.scenario import Known, Scenario, find_scenario, read_scenario
from simulators.scenario.read import SCENARIOS, WEEKS

PLAYED: Final[dict[str, Played]] = {}
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
            PLAYED[name] = play(scenario, site, scenario.seed, Path(folder), SystemClock())
    return PLAYED[name]


def rang(one: Played) -> list[tuple[str, str]]:
    return [(event.tag, event.condition) for event in one.seen.events if event.what == "raised"]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIOS.glob("*.toml")))
def test_a_story_comes_out_as_it_says(name: str) -> None:
    one = played(name)
    spent = sum(one.spent_s.values())
    print(f"{name}: {one.scenario.lasts_s:g} s in {spent:.1f} s, {one.pace:.0f} times real time")

    assert [verdict.why["en"] for verdict in one.verdicts if not verdict.is_met] == []
    assert set(one.balances.values()) == {0}


@pytest.mark.parametrize(("plant", "name"), QUIET.items())
def test_a_quiet_hour_is_quiet_everywhere(plant: str, name: str) -> None:
    """A quiet story says so of its units; here nothing rings at all, of no unit and not of the gateway."""
    one = played(name)

    assert one.scenario.kind.name == plant
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


def test_a_pump_that_starts_at_night_lifts_the_pressure_to_the_breather_valve_and_nothing_rings(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "night.toml"
    path.write_text(NIGHT, encoding="utf-8")
    scenario, site = set_stage(path)
    one = play(scenario, site, 3, tmp_path / "data", SystemClock())
    pressure = np.array(one.trace.sent)[:, one.tags.index("TK-301.pressure")]

    assert np.nanmax(pressure) > 1.4
    assert rang(one) == []
