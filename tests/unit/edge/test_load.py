"""The field side: sources, tags, tables and templates as collectors get them."""

import math
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.collect.modbus.address import address_of
from edge.config import CallOptions, SerialOptions, TlsOptions
from edge.load import ConfigError, load
from edge.load.mistake import Mistake, Place, meant, show
from edge.load.reading import Reading
from edge.load.sheet import read_sheet
from edge.load.source import wrong_pattern
from edge.load.words import parse_number, parse_whole
from edge.model import Nature

SITE = """
[site]
id = "plant"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"
nature = "test"
[[source]]
id = "gas"
protocol = "mqtt"
host = "192.0.2.20"
username = "gw"
password_env = "FENGSUI_PASSWORD"
[[source.topic]]
pattern = "gas/{tag}"
tag = "{tag}.lel"
"""
TAGS = """\
tag,title_zh,source,eu,range_hi,period_s,register,type,order,bit,scale,offset,sentinel,HH,tier_HH
TK-1.level,液位,plc,m,10,2,7,int16,,,0.5,-1,32767;0x8000,9,RED
TK-1.open,,plc,,,,8,bit,,3,,,,,
GD-1.lel,,gas,%LEL,100,,,,,,,,,,
"""
ENVIRON = {"FENGSUI_PASSWORD": "hunter2"}


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Path]:
    def write(toml: str = SITE, **files: str) -> Path:
        path = tmp_path / "site.toml"
        path.write_text(toml, "utf-8")
        for name, text in {"tags": TAGS, **files}.items():
            (tmp_path / f"{name}.csv").write_text(text, "utf-8")
        return path

    return write


def mistakes(path: Path, **environ: str) -> list[Mistake]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ=environ)
    return caught.value.mistakes


def test_sources_and_tags_are_typed(site: Callable[..., Path]) -> None:
    field = load(site(), environ=ENVIRON)
    assert field.site == "plant"
    plc, gas = field.sources
    assert plc.modbus is not None
    assert (plc.modbus.host, plc.modbus.port, plc.nature) == ("192.0.2.10", 502, Nature.TEST)
    assert gas.mqtt is not None
    assert (gas.mqtt.client_id, gas.mqtt.password, gas.mqtt.version) == ("fengsui-plant-gas", "hunter2", "5")
    assert gas.mqtt.topics[0].pattern == "gas/{tag}"
    level, is_open, lel = field.tags
    assert level.address == {
        "table": "holding",
        "register": 7,
        "type": "int16",
        "order": "ABCD",
        "bit": 0,
        "scale": 0.5,
        "offset": -1.0,
        "sentinel": (32767, "0x8000"),
    }
    assert level.title == {"en": "液位", "zh": "液位"}
    assert math.isnan(level.range_lo)
    assert (level.range_hi, level.period_s, level.nature) == (10.0, 2.0, Nature.TEST)
    assert is_open.address["bit"] == 3
    assert is_open.title == {"en": "TK-1.open", "zh": "TK-1.open"}
    assert (lel.address, lel.nature) == ({}, Nature.ACTUAL)


def test_a_password_stands_in_no_repr_and_in_no_mistake(site: Callable[..., Path]) -> None:
    assert "hunter2" not in repr(load(site(), environ=ENVIRON))
    path = site(SITE.replace('password_env = "FENGSUI_PASSWORD"', 'password = "hunter2"'))
    assert "hunter2" not in "".join(map(str, mistakes(path)))
    path = site(SITE.replace('"FENGSUI_PASSWORD"', '"hunter2"'))
    assert "hunter2" not in "".join(map(str, mistakes(path)))


def test_an_edge_node_passes_by_what_only_the_gateway_needs(site: Callable[..., Path]) -> None:
    path = site(SITE + '[[unit]]\nwrong = 1\n[[destination]]\nsecret_env = "ABSENT"\n')
    assert len(load(path, environ=ENVIRON).tags) == 3
    assert mistakes(site(SITE + "[[unti]]\n"), **ENVIRON)[0].path == "unti"


def test_the_edge_needs_neither_server_nor_database() -> None:
    code = (
        "import sys, edge.load\n"
        "heavy = {'fastapi', 'pydantic', 'sqlalchemy', 'pymodbus', 'paho'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
        "assert not [m for m in sys.modules if m.split('.')[0] in ('gateway', 'alerting')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_mistakes_are_told_at_once_sorted_by_file_and_line(site: Callable[..., Path]) -> None:
    path = site(
        SITE.replace('"test"', '"real"').replace("username", "user_name"),
        tags=TAGS.replace("int16", "int17").replace("plc,,,,8", "plcc,,,,8"),
    )
    told = [(Path(mistake.file).name, mistake.line, mistake.path) for mistake in mistakes(path, **ENVIRON)]
    assert told == [
        ("site.toml", 9, "source[0].nature"),
        ("site.toml", 10, "source[1].username"),
        ("site.toml", 14, "source[1].user_name"),
        ("tags.csv", 2, "type"),
        ("tags.csv", 3, "source"),
    ]


def test_the_revision_follows_every_file_and_no_secret(site: Callable[..., Path]) -> None:
    first = load(site(), environ=ENVIRON).revision
    assert len(first) == 64
    assert load(site(), environ={"FENGSUI_PASSWORD": "other"}).revision == first
    assert load(site(tags=TAGS + "# a remark\n"), environ=ENVIRON).revision != first
    assert load(site(SITE + "# a remark\n"), environ=ENVIRON).revision != first


def test_a_byte_order_mark_is_no_part_of_a_file(site: Callable[..., Path]) -> None:
    assert len(load(site("\ufeff" + SITE, tags="\ufeff" + TAGS), environ=ENVIRON).tags) == 3


# ---- tables

RFC_4180 = 'aaa,"b ""bb","c\r\nc, c"\r\n\r\n# a remark\r\n" x ",y,z\r\n'  # RFC 4180 §2, rules 5 to 7


def test_a_table_is_read_as_rfc_4180_says(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(b"one,two,three\r\n" + RFC_4180.encode())
    reading = Reading(tmp_path / "site.toml", {})
    sheet = read_sheet(reading, "t.csv", Place("site.toml", 1, "tags"))
    assert not list(reading.mistakes)
    assert sheet is not None
    assert sheet.rows == [
        (2, {"one": "aaa", "two": 'b "bb', "three": "c\r\nc, c"}),
        (6, {"one": "x", "two": "y", "three": "z"}),
    ]


# ---- what topics can give


@pytest.mark.parametrize(
    ("topic", "reached"),
    [
        ('format = "json-batch"\nvalue = ""', True),  # an object by tag name: anything may come
        ('format = "json-batch"\ntag = "{tag}.{name}"', True),
        ('format = "json-batch"\ntag = "{tag}_{name}"', False),
        ('format = "json-batch"\ntags = ["", "{tag}.lel"]', True),
        ('format = "json-batch"\ntags = ["{tag}.no2"]', False),
        ('tag = "{tag}.lel"', True),
        ('tag = "{tag}"', True),
        ('tag = "X{tag}"', False),
    ],
)
def test_a_tag_that_no_topic_can_give_is_a_mistake(site: Callable[..., Path], topic: str, reached: bool) -> None:
    path = site(SITE.replace('tag = "{tag}.lel"', topic))
    if reached:
        assert len(load(path, environ=ENVIRON).tags) == 3
    else:
        assert [mistake.line for mistake in mistakes(path, **ENVIRON)] == [4]


# ---- templates

TEMPLATE = """
[[template]]
id = "pump"
tags = "pump.csv"
devices = "pumps.csv"
[template.source]
id = "{pump}"
protocol = "mqtt"
host = "{host}"
port = "{port}+3"
[[template.source.topic]]
pattern = "pumps/{pump}/{tag}"
tag = "{pump}.{tag}"
"""


def test_a_template_makes_the_tags_and_sources_of_each_device(site: Callable[..., Path]) -> None:
    path = site(
        SITE + TEMPLATE,
        pump="tag,title_en,source,range_hi\n{pump}.bearing,{pump} bearing,{pump},{port}+0.5\n",
        pumps="pump,host,port,remark\nP-1,a.example,1880,x\nP-2,b.example,1990,{y}\n",
    )
    told = mistakes(path, **ENVIRON)
    assert {mistake.path for mistake in told} == {"range_hi (template " + str(path.parent / "pump.csv") + ":2)"}
    path = site(
        SITE + TEMPLATE,
        pump="tag,title_en,source,range_hi\n{pump}.bearing,{pump} bearing,{pump},{port}+5\n",
        pumps="pump,host,port,remark\nP-1,a.example,1880,x\nP-2,b.example,1990,{y}\n",
    )
    field = load(path, environ=ENVIRON)
    mqtt = [source.mqtt for source in field.sources[2:]]
    assert [(m.host, m.port, m.topics[0].pattern, m.topics[0].tag) for m in mqtt if m] == [
        ("a.example", 1883, "pumps/P-1/{tag}", "P-1.{tag}"),
        ("b.example", 1993, "pumps/P-2/{tag}", "P-2.{tag}"),
    ]
    assert [(tag.name, tag.title["en"], tag.range_hi) for tag in list(field.tags)[3:]] == [
        ("P-1.bearing", "P-1 bearing", 1885.0),
        ("P-2.bearing", "P-2 bearing", 1995.0),
    ]


# ---- the small grammars


@pytest.mark.parametrize(
    ("text", "is_expanded", "number"),
    [
        ("4.2", False, 4.2),
        (" -1e3 ", False, -1000.0),
        (".5", False, 0.5),
        ("1e999", False, None),
        ("nan", False, None),
        ("inf", False, None),
        ("1_000", False, None),
        ("٣", False, None),  # float() would take an Arabic three
        ("100+4", False, None),
        ("100+4", True, 104),
        ("100 + 4 + 2", True, 106),
        ("-5+4", True, -1),
        ("100-4", True, None),
        ("2*3", True, None),
        ("__import__('os')", True, None),
        ("", True, None),
    ],
)
def test_numbers_in_tables(text: str, is_expanded: bool, number: float | None) -> None:
    assert parse_number(text, is_expanded=is_expanded) == number


def test_whole_numbers_in_tables() -> None:
    assert parse_whole("12") == 12
    assert parse_whole("12.0") is None
    assert parse_whole("9" * 40) is None
    assert parse_whole("1+2") is None
    assert parse_whole("1+2", is_expanded=True) == 3


SHARED = ["$share/g/a", "$share/g/a/{tag}", "$share/组/+/#", "$share/g/$SYS/x", "$shared/a", "$share/g//a"]
NO_SHARES = [
    *("$share", "$share/", "$share/g", "$share/g/", "$share//a", "$share/g+/a", "$share/{tag}/a", "$share/g/a#"),
    *("$share/g/spBv1.0/plant/#", "$share/g/{tag}/{tag}"),
]


@pytest.mark.parametrize(
    "pattern",
    [
        "a/{tag}",
        "a/+/b",
        "#",
        "a/#",
        "{tag}/+/#",
        "/",
        "a/GD-{tag}/v",
        "厂/{tag}",
        *SHARED,
    ],
)
def test_patterns_that_mqtt_allows(pattern: str) -> None:
    assert wrong_pattern(pattern) == ""


@pytest.mark.parametrize(
    "pattern",
    [
        "a/#/b",
        "a#",
        "a+/b",
        "+a",
        "{tag}/{tag}",
        "{tag",
        "{name}",
        "a\x00b",
        "a" * 65536,
        *NO_SHARES,
    ],
)
def test_patterns_that_mqtt_refuses(pattern: str) -> None:
    assert wrong_pattern(pattern)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a\nb\x1b[31m\u202e", '"a\\u000ab\\u001b[31m\\u202e"'),
        ("x" * 100, '"' + "x" * 60 + '…"'),
        (1 << 400, "a number of 401 bits"),
        (True, "true"),
        ([1, 2], "a list of 2"),
        ({}, "a table"),
        (0.1, "0.1"),
    ],
    ids=range(7),
)
def test_a_wrong_value_is_shown_short_and_on_one_line(value: object, text: str) -> None:
    assert show(value) == text


def test_the_word_that_was_meant() -> None:
    assert meant("titel", ("title", "kind")) == 'Did you mean "title"?'
    assert meant("red", ("BLUE", "RED")) == 'Did you mean "RED"?'
    assert meant("xyz", ("title",)) == "Known here: title."


def test_a_device_says_once_how_its_manual_counts_and_orders(site: Callable[..., Path]) -> None:
    toml = SITE.replace('nature = "test"', 'nature = "test"\norder = "CDAB"\nregisters_from = 1\ncoils_from = 1')
    rows = (
        "tag,source,table,register,type,order,mask,shift,length,map,signal,range_lo,range_hi\n"
        "a,plc,,1,float32,,,,,,,,\n"
        "b,plc,,65536,int16,ABCD,,,,,4-20mA,0,10\n"
        "c,plc,coil,1,,,,,,,,,\n"
        "d,plc,,10,uint16,,0x00F0,,,,,,\n"
        "e,plc,,11,uint32,,0xFF00,4,,,,,\n"
        "f,plc,,20,string,,,,5,RUN=1;a=b=2.5,,,\n"
        "GD-1.lel,gas,,,,,,,,,,,\n"
    )
    a, b, c, d, e, f, _ = load(site(toml, tags=rows), environ=ENVIRON).tags
    assert [t.address["register"] for t in (a, b, c, d, e, f)] == [0, 65535, 0, 9, 10, 19]
    assert [t.address["order"] for t in (a, b)] == ["CDAB", "ABCD"]
    assert b.address["signal"] == "4-20mA"
    assert (d.address["mask"], d.address["shift"]) == (0xF0, 4)
    assert (e.address["mask"], e.address["shift"]) == (0xFF00, 4)
    assert (f.address["length"], f.address["map"]) == (5, (("RUN", 1.0), ("a=b", 2.5)))
    address = address_of(f)
    assert (address.words, address.texts) == (3, (("RUN", 1.0), ("a=b", 2.5)))
    assert address_of(b).has_loop


def test_each_way_to_a_modbus_device_is_typed(site: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / f"{name}.pem").touch()
    toml = """
[site]
id = "plant"
tags = ["tags.csv"]
[[source]]
id = "rtu"
protocol = "modbus-rtu"
serial = "/dev/ttyUSB0"
baudrate = 19200
parity = "even"
device_id = 247
pause_s = 0.05
[[source]]
id = "rtu2"
protocol = "modbus-rtu"
serial = "/dev/ttyUSB0"
baudrate = 19200
parity = "even"
device_id = 2
[[source]]
id = "over"
protocol = "modbus-rtu-tcp"
host = "192.0.2.1"
[[source]]
id = "dtu"
protocol = "modbus-dtu"
port = 9000
listen = "10.8.0.1"
allow = ["10.8.0.0/16"]
registration = "0x7E0001"
heartbeat = "HB"
framing = "tcp"
[[source]]
id = "tls"
protocol = "modbus-tcp"
host = "192.0.2.2"
tls = true
ca_file = "ca.pem"
cert_file = "cert.pem"
key_file = "key.pem"
probe_s_max = 30
""".replace('"0x7E0001"', '"0x7E000102"')
    rows = "tag,source,register,type\n" + "".join(f"{n}.v,{n},0,int16\n" for n in ("rtu", "rtu2", "over", "dtu", "tls"))
    rtu, rtu2, over, dtu, tls = (source.modbus for source in load(site(toml, tags=rows), environ=ENVIRON).sources)
    assert rtu is not None and rtu2 is not None and over is not None and dtu is not None and tls is not None  # noqa: PT018
    assert rtu.serial == SerialOptions(path="/dev/ttyUSB0", baudrate=19200, parity="even")
    assert (rtu.framing, rtu.pause_s, rtu.line) == ("rtu", 0.05, rtu2.line)
    assert (over.framing, over.port, over.place) == ("rtu", 502, "192.0.2.1:502")
    assert dtu.call == CallOptions(
        listen="10.8.0.1", registration=b"\x7e\0\1\2", heartbeat=b"HB", allow=("10.8.0.0/16",)
    )
    assert (dtu.framing, dtu.place) == ("tcp", "10.8.0.1:9000 (dials in)")
    assert tls.tls == TlsOptions(
        ca_file=tmp_path / "ca.pem", cert_file=tmp_path / "cert.pem", key_file=tmp_path / "key.pem"
    )
    assert (tls.port, tls.probe_s_max) == (802, 30.0)
    assert len({one.line for one in (rtu, over, dtu, tls)}) == 4
