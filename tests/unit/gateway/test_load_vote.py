"""Votes from the site file to rules; what must hold for them stands in tests/golden/config/vote_*."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alerting.desk import Desk
from alerting.model.rule import S_TO_NS, Kind, Rule
from alerting.model.tier import Tier
from edge.model import Nature, Scan
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
    return rules["gas.VOTE"], rules["gas.EXPRESSION:lost"]


def test_a_vote_is_a_tag_of_its_own_with_two_rules(site: Path) -> None:
    rules = rules_of(site, 'k = 2\ntitle = { en = "Gas in R-2", zh = "R-2 可燃气体" }')
    vote, lost = pair(rules)
    found = load(site, environ={})
    tag = found.tags[found.tags.row_of["gas"]]
    assert (tag.unit, tag.title, tag.source) == ("R-2", {"en": "Gas in R-2", "zh": "R-2 可燃气体"}, "derived:plc")
    assert (tag.period_s, tag.resolution, tag.eu) == (1.0, 1.0, "")
    assert (vote.tag, vote.kind, vote.setpoint, vote.keeps_k) == ("gas", Kind.VOTE, 2.0, False)
    assert vote.members == ("G-1.lel.H", "G-2.lel.H", "3号/探头.L")
    assert set(vote.asked) == set(lost.asked) == {"G-1.lel", "G-2.lel", "3号/探头"}
    assert (vote.group, lost.group) == ("vote", "expression:lost")
    assert (vote.tier, vote.on_delay_s, vote.off_delay_s, vote.is_latching) == (Tier.YELLOW, 0, 0, False)
    # G-2.lel cannot fall stale, and is the slowest with a period of 4 s.
    assert lost.when == (
        "vote_keep(3, is_bad(G-1.lel) or is_stale(G-1.lel), is_bad(G-2.lel), "
        "is_bad(`3号/探头`) or is_stale(`3号/探头`))"
    )
    assert (lost.tier, lost.on_delay_s, lost.off_delay_s) == (Tier.YELLOW, 12.0, 0.0)
    assert set(lost.response) == {"en", "zh"}
    assert not any(rule.id.startswith("gas.") for rule in rules.values() if rule.kind in (Kind.STALE, Kind.BAD))


@pytest.mark.parametrize(
    ("k", "degrade", "keeps", "out"),
    [(1, "lower-k", False, 3), (3, "lower-k", False, 3), (1, "keep-k", True, 3), (2, "keep-k", True, 2),
     (3, "keep-k", True, 1)],
)  # fmt: skip
def test_a_vote_is_lost_when_it_can_no_longer_be_met(site: Path, k: int, degrade: str, keeps: bool, out: int) -> None:
    vote, lost = pair(rules_of(site, f'k = {k}\ndegrade = "{degrade}"'))
    assert (vote.setpoint, vote.keeps_k) == (k, keeps)
    assert lost.when.startswith(f"vote_keep({out}, ")


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


def test_a_removed_limit_that_votes_is_refused(site: Path) -> None:
    limit = replace(rules_of(site)["G-1.lel.H"], setpoint=25.0)
    rules = rules_of(site, overlay=Overlay({limit.id: written(limit)}))
    assert rules["G-1.lel.H"].setpoint == 25.0
    assert limit.id in rules["gas.VOTE"].members
    with pytest.raises(ConfigError, match=r'limit "G-1\.lel\.H" does not exist'):
        rules_of(site, overlay=Overlay({limit.id: None}))


def test_a_votes_rule_can_be_changed_and_removed_while_running(site: Path) -> None:
    vote, lost = pair(rules_of(site))
    other = replace(vote, tier=Tier.RED, on_delay_s=3.0, response={"en": "Go", "zh": "走"})
    longer = replace(lost, on_delay_s=60.0)
    overlay = Overlay({vote.id: written(other), lost.id: written(longer)})
    assert pair(rules_of(site, overlay=overlay)) == (other, longer)
    left = rules_of(site, overlay=Overlay({lost.id: None}))
    assert vote.id in left
    assert lost.id not in left
    for wrong in (replace(vote, setpoint=3.0), replace(vote, members=vote.members[:2]), replace(vote, keeps_k=True)):
        with pytest.raises(ConfigError, match="of a vote stands in the site file"):
            rules_of(site, overlay=Overlay({vote.id: written(wrong)}))


def test_members_that_are_tags_get_limits_that_never_ring(site: Path) -> None:
    members = 'members = ["G-1.lel.H", "G-2.lel.H", "3号/探头.L"]'
    text = 'members = ["G-1.lel", "G-2.lel"]\nk = 1\nkind = "LL"\nsetpoint = -0.25\ndeadband = 0.5'
    site.write_text(SITE.replace(members, text), encoding="utf-8")
    rules = {rule.id: rule for rule in load(site, environ={}).rules}
    assert rules["gas.VOTE"].members == ("G-1.lel.LL:gas", "G-2.lel.LL:gas")
    assert rules["gas.VOTE"].when == "LL -0.25"
    limit = rules["G-1.lel.LL:gas"]
    assert (limit.kind, limit.setpoint, limit.deadband, limit.tier) == (Kind.LL, -0.25, 0.5, Tier.NONE)
    assert limit.is_hidden


def test_a_template_brings_a_vote_for_each_device(site: Path) -> None:
    (site.parent / "gas.csv").write_text("tag,source,unit,eu,register,type,H\n{room}.a,plc,{room},%LEL,0,float32,20\n"
                                         "{room}.b,plc,{room},%LEL,2,float32,20\n", "utf-8")  # fmt: skip
    (site.parent / "rooms.csv").write_text("room\nR-1\nR-2\n", "utf-8")
    text = (
        SITE[: SITE.index("[[vote]]")]
        + """
[[template]]
id = "room"
tags = "gas.csv"
devices = "rooms.csv"

[[template.vote]]
id = "{room}-gas"
title = { en = "Gas in {room}", zh = "{room} 可燃气体" }
unit = "{room}"
k = 2
members = ["{room}.a.H", "{room}.b.H"]
"""
    )
    site.write_text(text, encoding="utf-8")
    found = load(site, environ={})
    votes = [rule for rule in found.rules if rule.kind is Kind.VOTE]
    assert [(rule.id, rule.members) for rule in votes] == [
        ("R-1-gas.VOTE", ("R-1.a.H", "R-1.b.H")),
        ("R-2-gas.VOTE", ("R-2.a.H", "R-2.b.H")),
    ]
    assert found.tags[found.tags.row_of["R-2-gas"]].title == {"en": "Gas in R-2", "zh": "R-2 可燃气体"}


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
    assert [each for each in raised if each[1].startswith("expression")] == [(27, "expression:lost", "R-2")]


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
    assert rules["odd.VOTE"].tier is Tier.BLUE
    assert rules["odd.EXPRESSION:lost"].tier is Tier.YELLOW
    assert pair(rules)[0].tier is Tier.YELLOW
    with pytest.raises(ConfigError, match="what a learned detector says alone is a silent BLUE"):
        rules_of(site, LEARNED + 'tier = "RED"')


def test_a_line_of_the_tiering_asks_for_a_vote(site: Path) -> None:
    text = """k = 2

[[tiering]]
unit = "R-2"
when = { voted = true }
tier = "RED"
"""
    rules_of(site, text)
    found = load(site, environ={})
    assert found.tiering.lines[0].kinds == ("VOTE",)
    start_ns = 1_700_000_000 * S_TO_NS
    desk = Desk("plant", found.rules, found.units, (), start_ns, tiering=found.tiering)
    names = ("G-1.lel", "G-2.lel", "3号/探头")
    for second, values in ((1, (0.0, 0.0, 0.0)), (2, (30.0, 0.0, 0.0)), (3, (30.0, 5.0, 0.0))):
        at_ns = start_ns + second * S_TO_NS
        desk.begin(at_ns)
        rows = np.array([found.tags.row_of[name] for name in names], np.int32)
        desk.take(
            Scan(
                source="plc", epoch=1, number=second, received_ns=at_ns, rows=rows, values=np.array(values),
                quality=np.zeros(3, np.uint8), times_ns=np.full(3, at_ns), nature=Nature.ACTUAL,
            )
        )  # fmt: skip
        desk.finish()
        assert desk.unit_tiers.get((Nature.ACTUAL, "R-2"), Tier.NONE) is (Tier.RED if second == 3 else Tier.NONE)
