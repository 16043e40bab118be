"""Votes from the site file to rules; what must hold for them stands in tests/golden/config/vote_*."""

import math
from dataclasses import replace
from pathlib import Path

import pytest

from alerting.desk import Desk
from alerting.model.rule import S_TO_NS, Kind, Rule
from alerting.model.tier import Tier
from gateway.load import ConfigError, load
from gateway.load.overlay import Overlay, written

SITE = """
[site]
id = "plant"
timezone = "Asia/Shanghai"
tags = ["tags.csv"]

[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"

[[unit]]
id = "R-1"
kind = "room"

[[unit]]
id = "R-2"
kind = "room"

[[vote]]
id = "gas"
unit = "R-2"
members = ["G-1.lel.H", "G-2.lel.H", "3号/探头.L"]
"""
TAGS = """tag,source,unit,eu,period_s,range_lo,range_hi,register,type,H,L,stale_s
G-1.lel,plc,R-1,%LEL,1,-50,100,0,float32,20,,5
G-2.lel,plc,R-2,%LEL,4,-50,100,2,float32,0.1,,0
3号/探头,plc,R-2,V,1,-50,100,4,float32,,-2.5,5
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "tags.csv").write_text(TAGS, encoding="utf-8")
    return tmp_path / "site.toml"


def rules_of(site: Path, vote: str = "k = 2", overlay: Overlay | None = None) -> dict[str, Rule]:
    site.write_text(f"{SITE}{vote}\n", encoding="utf-8")
    found = load(site, environ={}, overlay=overlay or Overlay())
    return {rule.id: rule for rule in found.rules}


def pair(rules: dict[str, Rule]) -> tuple[Rule, Rule]:
    return rules["G-2.lel.EXPRESSION:gas"], rules["G-2.lel.EXPRESSION:gas-lost"]


def test_a_vote_is_two_rules_on_the_first_member_of_its_unit(site: Path) -> None:
    rules = rules_of(site)
    vote, lost = pair(rules)
    assert sum(rule.kind is Kind.EXPRESSION for rule in rules.values()) == 2
    assert vote.when == "vote(2, G-1.lel >= 20, G-2.lel >= 0.1, `3号/探头` <= -2.5)"
    assert set(vote.asked) == set(lost.asked) == {"G-1.lel", "G-2.lel", "3号/探头"}
    assert (vote.group, lost.group) == ("expression:gas", "expression:gas-lost")
    assert (vote.tier, vote.on_delay_s, vote.off_delay_s, vote.is_latching) == (Tier.YELLOW, 0, 0, False)
    assert math.isnan(vote.setpoint)
    # G-2.lel cannot fall stale, and is the slowest with a period of 4 s.
    assert lost.when == (
        "vote_keep(3, is_bad(G-1.lel) or is_stale(G-1.lel), is_bad(G-2.lel), "
        "is_bad(`3号/探头`) or is_stale(`3号/探头`))"
    )
    assert (lost.tier, lost.on_delay_s, lost.off_delay_s) == (Tier.YELLOW, 12.0, 0.0)
    assert set(lost.response) == {"en", "zh"}


@pytest.mark.parametrize(
    ("k", "degrade", "function", "out"),
    [
        (1, "lower-k", "vote(1, ", "vote_keep(3, "),
        (3, "lower-k", "vote(3, ", "vote_keep(3, "),
        (1, "keep-k", "vote_keep(1, ", "vote_keep(3, "),
        (2, "keep-k", "vote_keep(2, ", "vote_keep(2, "),
        (3, "keep-k", "vote_keep(3, ", "vote_keep(1, "),
    ],
)
def test_a_vote_is_lost_when_it_can_no_longer_be_met(site: Path, k: int, degrade: str, function: str, out: str) -> None:
    vote, lost = pair(rules_of(site, f'k = {k}\ndegrade = "{degrade}"'))
    assert vote.when.startswith(function)
    assert lost.when.startswith(out)


def test_what_a_vote_says_of_its_alarms(site: Path) -> None:
    text = """k = 2
tier = "RED"
tier_lost = "ORANGE"
on_delay_s = 2
off_delay_s = 30
lost_s = 7
latching = true
response = { en = "Leave the room", zh = "撤离" }
enable = "G-1.lel > -40"
schedule = { days = ["mon"], from = "08:00", to = "20:00" }
"""
    vote, lost = pair(rules_of(site, text))
    assert (vote.tier, vote.on_delay_s, vote.off_delay_s, vote.is_latching) == (Tier.RED, 2.0, 30.0, True)
    assert vote.response == {"en": "Leave the room", "zh": "撤离"}
    assert (lost.tier, lost.on_delay_s, lost.is_latching) == (Tier.ORANGE, 7.0, False)
    assert lost.response != vote.response
    for rule in (vote, lost):
        assert rule.enable == "G-1.lel > -40"
        assert rule.schedule is not None


def test_a_changed_limit_changes_the_vote_and_a_removed_one_is_refused(site: Path) -> None:
    limit = replace(rules_of(site)["G-1.lel.H"], setpoint=25.0)
    vote, _ = pair(rules_of(site, overlay=Overlay({limit.id: written(limit)})))
    assert vote.when.startswith("vote(2, G-1.lel >= 25, ")
    with pytest.raises(ConfigError, match=r'limit "G-1\.lel\.H" does not exist'):
        rules_of(site, overlay=Overlay({limit.id: None}))


def test_a_votes_rule_can_be_changed_and_removed_while_running(site: Path) -> None:
    vote, lost = pair(rules_of(site))
    other = replace(vote, tier=Tier.RED)
    changed, still = pair(rules_of(site, overlay=Overlay({vote.id: written(other)})))
    assert (changed.tier, changed.when, changed.asked) == (Tier.RED, vote.when, vote.asked)
    assert still == lost
    left = rules_of(site, overlay=Overlay({lost.id: None}))
    assert vote.id in left
    assert lost.id not in left


@pytest.mark.parametrize(
    ("setpoint", "shown"), [("1e-7", "0.0000001"), ("20.0", "20"), ("-0.25", "-0.25"), ("0.1", "0.1")]
)
def test_a_setpoint_is_compared_to_the_last_digit(site: Path, setpoint: str, shown: str) -> None:
    members = 'members = ["G-1.lel.H", "G-2.lel.H", "3号/探头.L"]'
    text = SITE.replace(members, 'members = ["G-1.lel", "G-2.lel"]\nk = 1\nkind = "LL"\nsetpoint = ' + setpoint)
    site.write_text(text, encoding="utf-8")
    rules = {rule.id: rule for rule in load(site, environ={}).rules}
    assert rules["G-2.lel.EXPRESSION:gas"].when == f"vote(1, G-1.lel <= {shown}, G-2.lel <= {shown})"


def test_a_group_that_never_came_is_lost_by_the_clock_alone(site: Path) -> None:
    (site.parent / "tags.csv").write_text(
        TAGS.replace("-50,100,2,float32,0.1,,0", "-50,100,2,float32,0.1,,15"), "utf-8"
    )
    site.write_text(f"{SITE}k = 2\n", encoding="utf-8")
    found = load(site, environ={})
    start_ns = 1_700_000_000 * S_TO_NS
    desk = Desk("plant", found.rules, found.units, (), start_ns)
    raised = []
    for second in range(1, 60):
        desk.begin(start_ns + second * S_TO_NS)
        raised += [(second, event.group, event.unit) for event in desk.finish().events if event.what == "raised"]
    # The last member falls stale after 15 s; lost_s is three periods of the slowest, 12 s.
    assert [each for each in raised if each[1].startswith("expression")] == [(27, "expression:gas-lost", "R-2")]


LEARNED = """k = 2

[[derived]]
tag = "U-1"
kind = "unusual"
unit = "R-2"
inputs = { tag = "G-1.lel" }
H = 9

[[derived]]
tag = "U-2"
kind = "unusual"
unit = "R-2"
inputs = { tag = "G-2.lel" }
H = 9

[[vote]]
id = "odd"
unit = "R-2"
k = 2
members = ["U-1.H", "U-2.H"]
"""


def test_a_vote_among_learned_detectors_alone_is_blue_and_its_loss_is_heard(site: Path) -> None:
    rules = rules_of(site, LEARNED)
    assert rules["U-1.EXPRESSION:odd"].tier is Tier.BLUE
    assert rules["U-1.EXPRESSION:odd-lost"].tier is Tier.YELLOW
    assert pair(rules)[0].tier is Tier.YELLOW
    with pytest.raises(ConfigError, match="what a learned detector says alone is a silent BLUE"):
        rules_of(site, LEARNED + 'tier = "RED"')
