"""Longest shelves from the site file; what is refused stands in tests/golden/config/shelving_wrong."""

from pathlib import Path

import pytest

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
id = "R-1"
kind = "room"
"""
TAGS = "tag,source,unit,eu,register,type,H\nG-1.lel,plc,R-1,%LEL,0,float32,20\n"


@pytest.mark.parametrize(
    ("said", "minutes"),
    [
        ("", (1440, 480, 240, 60)),
        ("[shelving]", (1440, 480, 240, 60)),
        ("[shelving]\nmax_minutes = { RED = 0 }", (1440, 480, 240, 0)),
        ("[shelving]\nmax_minutes = { YELLOW = 30 }", (1440, 30, 30, 30)),
        ("[shelving.max_minutes]\nBLUE = 100\nORANGE = 100", (100, 100, 100, 60)),
        ("[shelving]\nmax_minutes = { BLUE = 1440, YELLOW = 1440, ORANGE = 1440, RED = 1440 }", (1440,) * 4),
    ],
)
def test_a_tier_that_is_not_named_takes_its_default_or_less(
    said: str, minutes: tuple[int, ...], tmp_path: Path
) -> None:
    (tmp_path / "tags.csv").write_text(TAGS, "utf-8")
    (tmp_path / "site.toml").write_text(SITE + said + "\n", "utf-8")
    assert load(tmp_path / "site.toml", environ={}).philosophy.shelving.minutes == minutes
