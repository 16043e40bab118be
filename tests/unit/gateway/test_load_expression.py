"""EXPRESSION rules from the site file to the event's sentence."""

from pathlib import Path

import numpy as np
import pytest

from alerting.core.formula import compiled
from alerting.desk import Desk
from alerting.model.rule import Kind
from edge.model import Scan
from gateway.load import load
from gateway.why import why

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
id = "farm"
kind = "tank"

[[template]]
id = "tank"
tags = "tank.csv"
devices = "tanks.csv"

[[template.rule]]
tag = "{tank}.level"
kind = "EXPRESSION"
name = "overfill"
when = "{tank}.level > {limit} m and {tank}.flow > 0 for {hold} s"
tier = "ORANGE"
response = { en = "Close the inlet of {tank}", zh = "关闭 {tank} 进料阀" }

[[rule]]
tag = "wind"
kind = "EXPRESSION"
when = "avg(wind, gust) > 20"
off_delay_s = 60
"""
TANK = """tag,source,unit,kind,eu,range_lo,range_hi,register,type
{tank}.level,plc,farm,level,m,0,10,{base},float32
{tank}.flow,plc,farm,flow,m3/h,0,100,{base}+2,float32
"""
TAGS = """tag,source,unit,kind,eu,register,type
wind,plc,farm,wind,m/s,1000,float32
gust,plc,farm,wind,m/s,1002,float32
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    (tmp_path / "tank.csv").write_text(TANK, encoding="utf-8")
    (tmp_path / "tags.csv").write_text(TAGS, encoding="utf-8")
    rows = "".join(f"TK-{n},{4 * n},{4 + n / 100},{n + 1}\n" for n in range(200))
    (tmp_path / "tanks.csv").write_text("tank,base,limit,hold\n" + rows, encoding="utf-8")
    return tmp_path / "site.toml"


def test_a_templates_expression_is_one_program_for_all_devices(site: Path) -> None:
    rules = load(site, environ={}).rules
    asked = [rule for rule in rules if rule.kind is Kind.EXPRESSION]
    assert len(asked) == 201
    assert sorted(len(program) for _, program, _ in compiled(rules)) == [1, 200]

    rule = rules[rules.index_of["TK-7.level.EXPRESSION:overfill"]]
    assert (rule.on_delay_s, rule.tier.name, rule.group) == (8.0, "ORANGE", "expression:overfill")
    assert rule.asked == ("TK-7.level", "TK-7.flow")
    assert rule.response["zh"] == "关闭 TK-7 进料阀"


def test_from_the_file_to_the_sentence(site: Path) -> None:
    found = load(site, environ={})
    start_ns = 1_700_000_000_000_000_000
    desk = Desk("plant", found.rules, found.units, (), start_ns)
    rows = np.array([found.tags.row_of["TK-7.level"], found.tags.row_of["TK-7.flow"]], np.int32)
    events = []
    for second in range(1, 12):
        now_ns = start_ns + second * 1_000_000_000
        desk.begin(now_ns)
        desk.take(
            Scan(
                source="plc",
                epoch=1,
                number=second,
                received_ns=now_ns,
                rows=rows,
                values=np.array([4.62, 12.1]),
                quality=np.zeros(2, np.uint8),
                times_ns=np.full(2, now_ns),
            )
        )
        events += [(second, event) for event in desk.finish().events]
    ((second, event),) = [
        (second, event) for second, event in events if event.what == "raised" and event.condition == "EXPRESSION"
    ]
    assert second == 9
    assert event.setpoint is None
    assert why({**event.cause, "tier": event.tier.name}, "en") == (
        "TK-7.level > 4.07 m and TK-7.flow > 0 for 8 s: true TK-7.level > 4.07 m (4.62 m), TK-7.flow > 0 (12.1 m3/h) "
        "(scan plc/1/9, quality GOOD) → ORANGE"
    )
    assert why({**event.cause, "tier": event.tier.name}, "zh") == (
        "条件 TK-7.level > 4.07 m and TK-7.flow > 0 for 8 s: 成立 TK-7.level > 4.07 m (4.62 m), TK-7.flow > 0 "
        "(12.1 m3/h)(采样批次 plc/1/9,质量良好)→ 橙色预警"
    )
