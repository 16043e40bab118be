"""What a TREND and a DRIFT take where their rules say nothing, by what the tag measures."""

from pathlib import Path

import pytest

from alerting.model.signal import ELSE, SIGNALS, signal_of
from gateway.load import load

SITE = """
[site]
id = "plant"
timezone = "UTC"
tags = ["tags.csv"]

[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"

[[unit]]
id = "U"

[[rule]]
tag = "a.v"
kind = "TREND"
to = "HH"
horizon_s = 7200

[[rule]]
tag = "a.v"
kind = "DRIFT"
"""


@pytest.mark.parametrize(
    ("kind", "period_s", "alpha", "drift"),
    [
        ("level", 1, 0.05, ("day", 300.0, 14_400.0)),
        ("level", 10, 0.2, ("day", 300.0, 14_400.0)),
        ("gas", 1, 0.001, ("day", 300.0, 14_400.0)),
        ("gas", 30, 0.03, ("day", 300.0, 14_400.0)),
        ("count", 1, 0.01, ("none", 300.0, 14_400.0)),
        ("temperature", 30, 0.2, ("none", 300.0, 14_400.0)),
        ("displacement", 600, 0.2, ("day", 900.0, 86_400.0)),
        ("pH", 1, 0.02, ("day", 300.0, 14_400.0)),
        ("pH", 600, 0.2, ("day", 600.0, 14_400.0)),
    ],
)
def test_defaults(kind: str, period_s: int, alpha: float, drift: tuple[str, float, float], tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(SITE, "utf-8")
    row = f"a.v,plc,U,{kind},{period_s},0,float32,90"
    (tmp_path / "tags.csv").write_text(f"tag,source,unit,kind,period_s,register,type,HH\n{row}\n", "utf-8")
    rules = load(tmp_path / "site.toml", environ={}).rules

    assert rules[rules.index_of["a.v.TREND"]].alpha == alpha
    found = rules[rules.index_of["a.v.DRIFT"]].drift
    assert found is not None
    assert (found.season, found.span_s, found.base_s) == drift


def test_what_the_rule_says_counts(tmp_path: Path) -> None:
    said = 'season = "day"\nspan_s = 100\nbase_s = 800\n'
    (tmp_path / "site.toml").write_text(SITE.replace("7200", "7200\nalpha = 0.1") + said, "utf-8")
    row = "a.v,plc,U,temperature,1,0,float32,90"
    (tmp_path / "tags.csv").write_text(f"tag,source,unit,kind,period_s,register,type,HH\n{row}\n", "utf-8")
    rules = load(tmp_path / "site.toml", environ={}).rules
    found = rules[rules.index_of["a.v.DRIFT"]].drift

    assert rules[rules.index_of["a.v.TREND"]].alpha == 0.1
    assert found is not None
    assert (found.season, found.span_s, found.base_s) == ("day", 100.0, 800.0)


def test_the_table_of_the_documents_is_the_table_of_the_code() -> None:
    text = Path("docs/core.md").read_text("utf-8")
    rows = [line for line in text[text.index("## Defaults by what") :].splitlines() if line.startswith("| `")]
    told = {kind.strip(" `"): row for row in rows[: len(SIGNALS)] for kind in row.split("|")[1].split(",")}

    assert set(SIGNALS) <= set(told)
    for kind, signal in SIGNALS.items():
        cells = [cell.strip() for cell in told[kind].split("|")]
        assert cells[2] == f"{signal.memory_s:,.0f} s"
        assert cells[3] == " / ".join(f"{signal.alpha(period):g}" for period in (1.0, 10.0, 30.0))
        assert cells[4] == f"{signal.season}, {signal.span_s:g} s, {signal.base_s / 3600:g} h"
    assert signal_of("whatever") is ELSE
