"""Learned detectors alone are a silent BLUE by default; mistakes: golden/config/learned_detector_loud."""

from pathlib import Path

from alerting.model.tier import Tier
from gateway.load import load

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
id = "P-7"

[[derived]]
tag = "P-7.q"
kind = "pca"
unit = "P-7"
model = "pump"
inputs = { tags = ["P-7.flow", "P-7.pressure"] }
H = 2
HH = 4
rate = 1
rate_window_s = 60
trend_to = "H"
trend_horizon_s = 600
tier_stale = "YELLOW"

[[derived]]
tag = "P-7.unusual"
kind = "unusual"
unit = "P-7"
inputs = { tag = "P-7.flow" }
H = 8
tier_H = "BLUE"
HH = 12

[[derived]]
tag = "P-7.both"
kind = "spread"
unit = "P-7"
inputs = { of = ["P-7.q", "P-7.unusual"] }
H = 3

[[derived]]
tag = "P-7.mixed"
kind = "spread"
unit = "P-7"
inputs = { of = ["P-7.q", "P-7.share"] }
H = 3

[[rule]]
tag = "P-7.q"
kind = "EXPRESSION"
name = "alone"
when = "P-7.q > 2 and P-7.unusual > 8"

[[rule]]
tag = "P-7.q"
kind = "EXPRESSION"
name = "with-flow"
when = "P-7.q > 2 and P-7.share > 0.9"
tier = "ORANGE"

[[rule]]
tag = "P-7.q"
kind = "DEVIATION"
reference = "P-7.unusual"
setpoint = 5
"""
TAGS = """tag,source,unit,eu,period_s,register,type,H
P-7.flow,plc,P-7,m³/h,1,0,float32,80
P-7.pressure,plc,P-7,kPa,1,2,float32,
P-7.share,plc,P-7,,1,4,float32,
"""


def test_rules_that_ask_learned_tags_only_are_blue(tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    (tmp_path / "tags.csv").write_text(TAGS, encoding="utf-8")
    tier_of = {rule.id: rule.tier for rule in load(tmp_path / "site.toml", environ={}).rules}

    alone = (
        "P-7.q.H", "P-7.q.HH", "P-7.q.RATE", "P-7.q.TREND", "P-7.q.DEVIATION", "P-7.q.EXPRESSION:alone",
        "P-7.unusual.H", "P-7.unusual.HH", "P-7.both.H",
    )  # fmt: skip
    assert {name: tier_of[name] for name in alone} == dict.fromkeys(alone, Tier.BLUE)
    assert tier_of["P-7.q.STALE"] is Tier.YELLOW  # no data is an alarm as of any tag
    assert tier_of["P-7.mixed.H"] is Tier.YELLOW  # not of learned tags alone
    assert tier_of["P-7.q.EXPRESSION:with-flow"] is Tier.ORANGE
    assert tier_of["P-7.flow.H"] is Tier.YELLOW
