"""What a site lays down about its alarms; what is refused stands in tests/golden/config."""

from pathlib import Path

from alerting.model.command import Verb
from alerting.model.rule import Kind
from alerting.model.tier import Tier
from edge.load import Mistake
from gateway.config import Site
from gateway.load import load
from gateway.record_philosophy import philosophy_as_json, philosophy_of
from gateway.rules.parts import parts_of
from tests.unit.gateway.test_load_shelving import SITE

TAGS = """tag,source,unit,eu,register,type,H,HH,tier_HH,stale_s
G-1.lel,plc,R-1,%LEL,0,float32,20,40,RED,30
G-1.mode,plc,R-1,,2,uint16,,,,30
"""
MORE = """
[[unit]]
id = "R-2"
parent = "R-1"

[out_of_service]
permit_from = "RED"
max_hours = { RED = 8 }

[realarm]
after_minutes = { RED = 10, ORANGE = 20 }
rules = { "G-1.lel.HH" = 5 }

[second_person]
out_of_service = "RED"
minutes = 5

[stop]
tier_most = "YELLOW"
max_days = 7
needs_permit = true

[[suppression]]
id = "calibration"
when = "G-1.mode == 2 and G-1.lel < 10"
units = ["R-1"]
groups = ["high"]
tier_most = "RED"
after_s = 3
hold_s = 60
reason = { en = "calibration gas", zh = "标定" }
"""


def read(tmp_path: Path, more: str = MORE, warnings: list[Mistake] | None = None) -> Site:
    (tmp_path / "tags.csv").write_text(TAGS, "utf-8")
    (tmp_path / "site.toml").write_text(SITE + more, "utf-8")
    return load(tmp_path / "site.toml", environ={}, warnings=warnings)


def test_all_of_it_is_read(tmp_path: Path) -> None:
    site = read(tmp_path)
    philosophy = site.philosophy
    assert (philosophy.absence.permit_from, philosophy.absence.hours) == (Tier.RED, (744, 744, 744, 8))
    assert (philosophy.realarm.minutes, philosophy.realarm.rules) == ((0, 0, 20, 10), {"G-1.lel.HH": 5})
    assert (philosophy.second.minutes, philosophy.second.tiers) == (5, {Verb.SUPPRESS: Tier.RED})
    assert site.units[1].parent == "R-1"
    stop = philosophy.stop
    assert (stop.tier_most, stop.days_most, stop.needs_permit) == (Tier.YELLOW, 7, True)
    (each,) = philosophy.suppressions
    assert (each.units, each.groups, each.tier_most, each.reason["zh"]) == (("R-1",), ("high",), Tier.RED, "标定")


def test_the_state_is_judged_by_a_hidden_rule_that_lets_go_where_it_is_not_known(tmp_path: Path) -> None:
    site = read(tmp_path)
    gate = site.rules[site.rules.index_of["@suppression.calibration"]]
    assert (gate.kind, gate.tier, gate.is_hidden) == (Kind.EXPRESSION, Tier.NONE, True)
    assert (gate.on_delay_s, gate.off_delay_s, gate.asked) == (3.0, 60.0, ("G-1.mode", "G-1.lel"))
    for name in ("G-1.mode", "G-1.lel"):
        assert f"is_bad({name})" in gate.when
        assert f"is_stale({name})" in gate.when


def test_one_that_covers_nothing_is_doubtful(tmp_path: Path) -> None:
    warnings: list[Mistake] = []
    read(tmp_path, MORE.replace('tier_most = "RED"\n', ""), warnings)
    assert [str(one).split(": ", 2)[-1].splitlines()[0] for one in warnings if "suppression" in str(one)] == [
        "Suppression calibration: it covers no alarm: none there can reach ORANGE at most and is one of high."
    ]


def test_a_recording_gives_back_what_it_was_given(tmp_path: Path) -> None:
    philosophy = read(tmp_path).philosophy
    assert philosophy_of({"philosophy": philosophy_as_json(philosophy)}) == philosophy
    assert philosophy_of({}).shelving.minutes == (1440,) * 4


def test_a_difference_is_written_out_in_words(tmp_path: Path) -> None:
    parts = parts_of(read(tmp_path))["philosophy"]
    assert parts["absence"]["permit_from"] == "RED"
    assert parts["second"]["tiers"] == {"suppress": "RED"}
    assert parts["suppressions"]["calibration"]["when"] == "G-1.mode == 2 and G-1.lel < 10"
    assert parts_of(read(tmp_path, ""))["philosophy"] == {}
