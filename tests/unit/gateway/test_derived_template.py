"""300 tanks are one template with derived tags and 300 rows."""

from pathlib import Path

import pytest

from gateway.load import ConfigError, load

SITE = """
[site]
id = "farm"
timezone = "Asia/Shanghai"

[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"

[[template]]
id = "tank"
tags = "tank.csv"
devices = "tanks.csv"

[template.unit]
id = "{tank}"

[[template.derived]]
tag = "{tank}.volume"
kind = "volume"
title = { en = "{tank} volume", zh = "{tank} 体积" }
unit = "{tank}"
eu = "m³"
inputs = { level = "{tank}.level" }
shape = "vertical-cylinder"
diameter_m = "{diameter}"
length_m = "{height}"
HH = "{full}"

[[template.derived]]
tag = "{tank}.balance"
kind = "tank_balance"
unit = "{tank}"
eu = "m³"
inputs = { volume = "{tank}.volume", in = ["{tank}.inflow"], out = ["{tank}.outflow"] }
L = -3
"""
TAGS = """tag,source,unit,eu,register,type
{tank}.level,plc,{tank},m,{base}+0,float32
{tank}.inflow,plc,{tank},m³/h,{base}+2,float32
{tank}.outflow,plc,{tank},m³/h,{base}+4,float32
"""


def site_of(folder: Path, devices: str, text: str = SITE) -> Path:
    (folder / "site.toml").write_text(text, "utf-8")
    (folder / "tank.csv").write_text(TAGS, "utf-8")
    (folder / "tanks.csv").write_text("tank,base,diameter,height,full\n" + devices, "utf-8")
    return folder / "site.toml"


def test_each_device_has_its_own(tmp_path: Path) -> None:
    rows = "".join(f"TK-{n},{n * 10},{10 + n % 7},12,{300 + n}\n" for n in range(300))
    site = load(site_of(tmp_path, rows), environ={})

    assert len(site.derived) == 600
    assert len({each.identity for each in site.derived}) == 600
    assert site.derived[7].table[-1][0] == 12.0
    assert site.rules[site.rules.index_of["TK-42.volume.HH"]].setpoint == 342.0
    assert site.tags[site.tags.row_of["TK-42.volume"]].title["zh"] == "TK-42 体积"


def test_a_mistake_of_a_device_is_told_at_its_row(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load(site_of(tmp_path, "TK-1,0,10,12,300\nTK-2,10,wide,12,300\n"), environ={})

    assert [(Path(each.file).name, each.line) for each in caught.value.mistakes] == [("tanks.csv", 3)]


def test_a_mistake_of_the_template_is_told_once(tmp_path: Path) -> None:
    text = SITE.replace('kind = "tank_balance"', 'kind = "tank_balanse"')
    with pytest.raises(ConfigError) as caught:
        load(site_of(tmp_path, "TK-1,0,10,12,300\nTK-2,10,9,12,300\n", text), environ={})

    assert len(caught.value.mistakes) == 1
