"""A whole site: typed values, default rules, templates, what ``fengsui check`` prints."""

import gc
import json
import math
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from alerting.model.rule import Kind, Rule
from alerting.model.tier import Tier
from alerting.model.unit import HazardUnit
from edge.load.mistake import meant
from edge.model import Nature, Tag
from gateway.load import ConfigError, Mistake, check_json, check_text, load

SITE = """
[site]
id = "plant"
title = { zh = "厂区" }
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "192.0.2.10"
[[unit]]
id = "TK-1"
kind = "tank"
grade = 2
"""
HEAD = "tag,source,unit,period_s,register,type,range_lo,range_hi,LL,L,H,HH,tier_HH,deadband,on_delay_s,off_delay_s"
ROW = "TK-1.level,plc,TK-1,2,0,float32,0,10,0.5,1,8,9,RED,0.1,2,5"
DESTINATION = """
[[destination]]
id = "district"
url = "https://district.example/notices"
secret_file = "district.key"
natures = ["actual", "test", "actual"]
"""
SECRET = "whsec_" + "c2VjcmV0" * 5


@pytest.fixture
def site(tmp_path: Path) -> Callable[..., Path]:
    def write(toml: str = SITE, tags: str = f"{HEAD}\n{ROW}\n", **files: str) -> Path:
        path = tmp_path / "site.toml"
        path.write_text(toml, "utf-8")
        (tmp_path / "tags.csv").write_text(tags, "utf-8")
        (tmp_path / "district.key").write_text(SECRET + "\n", "utf-8")
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text, "utf-8")
        return path

    return write


def rules_of(path: Path, tag: str = "TK-1.level") -> dict[Kind, Rule]:
    return {rule.kind: rule for rule in load(path, environ={}).rules if rule.tag == tag}


def test_limits_become_rules_with_their_own_tiers(site: Callable[..., Path]) -> None:
    rules = rules_of(site())
    assert {kind: (rule.setpoint, rule.tier) for kind, rule in rules.items()} == {
        Kind.LL: (0.5, Tier.ORANGE),
        Kind.L: (1.0, Tier.YELLOW),
        Kind.H: (8.0, Tier.YELLOW),
        Kind.HH: (9.0, Tier.RED),
        Kind.STALE: (6.0, Tier.BLUE),
        Kind.BAD: (6.0, Tier.BLUE),
    }
    high = rules[Kind.HH]
    assert (high.id, high.deadband, high.on_delay_s, high.off_delay_s) == ("TK-1.level.HH", 0.1, 2.0, 5.0)
    assert high.revision == 1
    assert rules[Kind.STALE].on_delay_s == 0.0
    assert rules[Kind.STALE].response["zh"]


@pytest.mark.parametrize(
    ("period_s", "stale_s", "bad_s", "stale", "bad"),
    [
        ("0.1", "", "", 3.0, 3.0),  # three scans, but at least 3 s
        ("1", "", "", 3.0, 3.0),
        ("60", "", "", 180.0, 180.0),
        ("1", "7", "9", 7.0, 9.0),
        ("1", "0", "", None, 3.0),
        ("1", "", "0", 3.0, None),
    ],
)
def test_no_data_is_an_alarm(
    site: Callable[..., Path], period_s: str, stale_s: str, bad_s: str, stale: float | None, bad: float | None
) -> None:
    tags = f"tag,source,register,type,period_s,stale_s,bad_s\nx,plc,0,int16,{period_s},{stale_s},{bad_s}\n"
    rules = rules_of(site(tags=tags), "x")
    assert {kind: rule.setpoint for kind, rule in rules.items()} == {
        kind: setpoint for kind, setpoint in ((Kind.STALE, stale), (Kind.BAD, bad)) if setpoint is not None
    }


def test_a_rule_of_its_own_goes_before_the_default(site: Callable[..., Path]) -> None:
    extra = '[[rule]]\ntag = "TK-1.level"\nkind = "STALE"\nsetpoint = 30\ntier = "RED"\n'
    rate = '[[rule]]\ntag = "TK-1.level"\nkind = "RATE"\nsetpoint = 0.05\nwindow_s = 10\nlatching = true\n'
    rules = rules_of(site(SITE + extra + rate))
    assert (rules[Kind.STALE].setpoint, rules[Kind.STALE].tier) == (30.0, Tier.RED)
    assert (rules[Kind.RATE].window_s, rules[Kind.RATE].is_latching, rules[Kind.RATE].tier) == (10.0, True, Tier.YELLOW)
    assert rules[Kind.BAD].setpoint == 6.0


def test_a_deadband_is_judged_on_its_way_back_only(site: Callable[..., Path]) -> None:
    """H at 8 with LL at 0.5: what matters is whether 8 - 7 is still above L."""
    head, wide = "tag,source,register,type,L,H,deadband", "x,plc,0,int16,1,8"
    assert rules_of(site(tags=f"{head}\n{wide},6.9\n"), "x")[Kind.H].deadband == 6.9
    with pytest.raises(ConfigError, match="as large as the distance"):
        load(site(tags=f"{head}\n{wide},7\n"), environ={})


def test_a_setpoint_at_the_end_of_the_range_is_inside_it(site: Callable[..., Path]) -> None:
    tags = "tag,source,register,type,range_lo,range_hi,H\nx,plc,0,bit,0,1,1\n".replace("type,", "type,bit,").replace(
        "bit,0,1,1", "bit,0,0,1,1"
    )
    assert rules_of(site(tags=tags), "x")[Kind.H].setpoint == 1.0


def test_the_rest_of_the_site(site: Callable[..., Path]) -> None:
    path = site(SITE + DESTINATION + '[influx]\nurl = "http://influx:8086"\ntoken_env = "TOKEN"\n')
    loaded = load(path, environ={"TOKEN": "t0ken"})
    assert loaded.title == {"en": "厂区", "zh": "厂区"}
    assert loaded.data == path.parent / "var"
    assert (loaded.host, loaded.port, loaded.raw_days, loaded.is_demonstration) == ("127.0.0.1", 8080, 90, False)
    assert loaded.units == (HazardUnit(id="TK-1", title={"en": "TK-1", "zh": "TK-1"}, kind="tank", grade=2),)
    (district,) = loaded.destinations
    assert (district.secret, district.tier_least) == (SECRET, Tier.YELLOW)
    assert district.natures == (Nature.ACTUAL, Nature.TEST)
    assert loaded.influx is not None
    assert (loaded.influx.token, loaded.influx.org) == ("t0ken", "fengsui")
    assert SECRET not in repr(loaded)
    assert "t0ken" not in repr(loaded)


@pytest.mark.parametrize(
    ("written", "area", "title"),
    [
        ('area = "Jetty"', "Jetty", {}),
        ('area = { en = "Jetty", zh = "码头" }', "Jetty", {"en": "Jetty", "zh": "码头"}),
        ('area = { zh = "码头" }', "码头", {"en": "码头", "zh": "码头"}),
    ],
)
def test_an_area_is_a_text_or_one_for_each_language(
    site: Callable[..., Path], written: str, area: str, title: dict[str, str]
) -> None:
    (unit,) = load(site(SITE + written + "\n")).units

    assert (unit.area, unit.area_title) == (area, title)


@pytest.mark.parametrize("written", ["area = 3", 'area = { fr = "quai" }'])
def test_an_area_that_is_neither_is_refused(site: Callable[..., Path], written: str) -> None:
    with pytest.raises(ConfigError, match="area"):
        load(site(SITE + written + "\n"))


def test_the_data_folder_comes_from_the_environment_first(site: Callable[..., Path]) -> None:
    assert load(site(), environ={"FENGSUI_DATA": "/srv/x"}).data == Path("/srv/x")
    absolute = site(SITE.replace('id = "plant"', 'id = "plant"\ndata = "/srv/y"'))
    assert load(absolute, environ={}).data == Path("/srv/y")


def test_a_destination_on_this_machine_needs_a_word(site: Callable[..., Path]) -> None:
    near = DESTINATION.replace("https://district.example", "http://127.0.0.1:18090")
    with pytest.raises(ConfigError, match="private network"):
        load(site(SITE + near), environ={})
    assert load(site(SITE + near + "allow_loopback = true\n"), environ={}).destinations[0].is_loopback_allowed


@pytest.mark.parametrize("host", ["[::1]", "10.0.0.1", "169.254.1.1", "localhost", "gw.local", "[fd00::1]", "0.0.0.0"])  # noqa: S104
def test_addresses_that_are_near(site: Callable[..., Path], host: str) -> None:
    with pytest.raises(ConfigError, match="private network"):
        load(site(SITE + DESTINATION.replace("district.example", host)), environ={})


def test_the_gateways_own_tags_are_appended(site: Callable[..., Path]) -> None:
    loaded = load(
        site(),
        environ={},
        extra_tags=[Tag(name="fengsui.clock_offset", source="fengsui", unit="fengsui")],
        extra_rules=[
            Rule(id="fengsui.clock_offset.H", tag="fengsui.clock_offset", kind=Kind.H, setpoint=2.0, tier=Tier.BLUE)
        ],
        extra_units=[HazardUnit(id="fengsui", kind="gateway")],
    )
    assert loaded.tags.names == ("TK-1.level", "fengsui.clock_offset")
    assert loaded.rules.index_of["fengsui.clock_offset.H"] == 6
    assert loaded.units[-1].id == "fengsui"


def test_a_template_makes_units_too(site: Callable[..., Path]) -> None:
    path = site(
        SITE + '[[template]]\nid = "tank"\ntags = "tank.csv"\ndevices = "tanks.csv"\n'
        '[template.unit]\nid = "{tank}"\ntitle = { en = "Tank {tank}" }\nkind = "tank"\ngrade = "{grade}"\n',
        tank="tag,source,unit,register,type\n{tank}.level,plc,{tank},{base}+2,int16\n",
        tanks="tank,base,grade\nTK-2,100,1\nTK-3,200,\n",
    )
    with pytest.raises(ConfigError, match='grade is ""'):
        load(path, environ={})
    (path.parent / "tanks.csv").write_text("tank,base,grade\nTK-2,100,1\nTK-3,200,4\n", "utf-8")
    loaded = load(path, environ={})
    assert [(unit.id, unit.grade, unit.title["en"]) for unit in loaded.units[1:]] == [
        ("TK-2", 1, "Tank TK-2"),
        ("TK-3", 4, "Tank TK-3"),
    ]
    assert [tag.address["register"] for tag in loaded.tags] == [0, 102, 202]


# ---- fengsui check


def test_check_says_that_a_site_is_right(site: Callable[..., Path]) -> None:
    path = site()
    text, code = check_text(path, environ={})
    assert code == 0
    verdict = text.splitlines()[-1]
    assert verdict.startswith(f"{path}: right. Site plant: 1 source, 1 tag, 1 unit, 6 rules, 0 destinations. Revision ")
    facts, code = check_json(path, environ={})
    assert code == 0
    assert json.loads(facts) == {
        "ok": True,
        "file": str(path),
        "site": "plant",
        "revision": load(path, environ={}).revision,
        "sources": 1,
        "tags": 1,
        "units": 1,
        "rules": 6,
        "destinations": 0,
        "mistakes": [],
        "warnings": json.loads(facts)["warnings"],
    }
    assert len(json.loads(facts)["warnings"]) == 1  # nobody is told


def test_check_lists_all_mistakes(site: Callable[..., Path]) -> None:
    path = site(SITE.replace("grade = 2", "grade = 7"), tags=f"{HEAD}\n{ROW.replace('TK-1,2', 'TK-9,2')}\n")
    text, code = check_text(path, environ={})
    assert code == 2
    assert text.splitlines()[-1] == f"{path}: 2 mistakes; put them right. 1 warning."
    assert text.count("Remedy: ") == 3
    facts, code = check_json(path, environ={})
    assert code == 2
    assert [(m["line"], m["path"]) for m in json.loads(facts)["mistakes"]] == [(14, "unit[0].grade"), (2, "unit")]


@pytest.mark.parametrize("name", ["absent.toml", "a\0b.toml", "."])
def test_a_file_that_cannot_be_read_is_a_mistake(tmp_path: Path, name: str) -> None:
    text, code = check_text(tmp_path / name, environ={})
    assert code == 2
    assert "cannot be read" in text


# ---- what is doubtful

MODBUS = "tag,source,unit,table,register,type,order,bit"


def warned(path: Path) -> list[tuple[str, int, str]]:
    """Give (file, line, sentence) of each warning of a site without mistakes."""
    warnings: list[Mistake] = []
    load(path, environ={}, warnings=warnings)
    return [(Path(one.file).name, one.line, one.sentence) for one in warnings if one.path != "destination"]


@pytest.mark.parametrize(
    ("table", "register", "offset"),
    [("holding", 40001, 0), ("holding", 40108, 107), ("input", 30011, 10), ("discrete", 10005, 4)],
)
def test_a_register_as_manuals_count_is_warned_of(
    site: Callable[..., Path], table: str, register: int, offset: int
) -> None:
    kind = "" if table == "discrete" else "int16"
    rows = f"a,plc,TK-1,{table},{register},{kind},,\nb,plc,TK-1,{table},{register + 4},{kind},,\n"
    path = site(tags=f"{MODBUS}\n{rows}")
    ((file, line, sentence),) = warned(path)
    assert (file, line) == ("tags.csv", 2)
    assert sentence.startswith(f"Tag a: register is {register}; manuals count table {table} from ")
    assert "1 more of source plc are like it" in sentence
    text, code = check_text(path, environ={})
    assert code == 0
    assert f"Remedy: Write {offset} if the manual says {register}" in text


@pytest.mark.parametrize(("table", "register"), [("holding", 40000), ("input", 30000), ("coil", 40001)])
def test_other_registers_are_not(site: Callable[..., Path], table: str, register: int) -> None:
    kind = "" if table == "coil" else "int16"
    assert warned(site(tags=f"{MODBUS}\na,plc,TK-1,{table},{register},{kind},,\n")) == []


@pytest.mark.parametrize(
    ("first", "second", "is_doubtful"),
    [
        ("0,float32,,", "1,uint16,,", True),
        ("0,float32,,", "0,int32,,", True),
        ("0,float32,,", "1,float32,,", True),
        ("0,float32,,", "0,float32,CDAB,", True),
        ("0,float32,,", "1,bit,,3", True),
        ("0,float32,,", "0,float32,,", False),
        ("0,float32,,", "2,uint16,,", False),
        ("0,uint16,,", "0,bit,,3", False),
        ("0,bit,,2", "0,bit,,3", False),
    ],
)
@pytest.mark.parametrize("is_turned", [False, True])
def test_two_readings_of_one_register_are_warned_of(
    site: Callable[..., Path], first: str, second: str, *, is_doubtful: bool, is_turned: bool
) -> None:
    one, other = (second, first) if is_turned else (first, second)
    found = warned(site(tags=f"{MODBUS}\na,plc,TK-1,holding,{one}\nb,plc,TK-1,holding,{other}\n"))
    assert len(found) == is_doubtful
    assert all("overlaps tag " in sentence for _, _, sentence in found)


def test_tables_and_sources_do_not_overlap(site: Callable[..., Path]) -> None:
    more = '[[source]]\nid = "plc2"\nprotocol = "modbus-tcp"\nhost = "192.0.2.11"\n'
    rows = "a,plc,TK-1,holding,0,int16,,\nb,plc,TK-1,input,0,uint16,,\nc,plc2,TK-1,holding,0,int32,,\n"
    assert warned(site(SITE + more, tags=f"{MODBUS}\n{rows}")) == []


def test_a_register_that_could_not_be_read_overlaps_nothing(site: Callable[..., Path]) -> None:
    path = site(tags=f"{MODBUS}\na,plc,TK-1,holding,0,int32,,\nb,plc,TK-1,holding,x,int16,,\n")
    text, code = check_text(path, environ={})
    assert code == 2
    assert "overlaps" not in text


def test_warnings_come_after_the_mistakes_and_change_nothing(site: Callable[..., Path]) -> None:
    path = site(tags=f"{MODBUS}\na,plc,TK-9,holding,40001,int16,,\n")
    text, code = check_text(path, environ={})
    assert code == 2
    mistakes, warnings = text.split("\nWarnings (nothing has to be changed):\n")
    assert "TK-9" in mistakes
    assert "40001" not in mistakes
    assert "site.toml:1: destination: Site file: the site has no destination" in warnings
    assert warnings.splitlines()[-1] == f"{path}: 1 mistake; put it right. 2 warnings."
    facts, code = check_json(path, environ={})
    assert code == 2
    assert [one["path"] for one in json.loads(facts)["mistakes"]] == ["unit"]
    assert [one["path"] for one in json.loads(facts)["warnings"]] == ["destination", "register"]


def test_a_site_that_tells_an_authority_has_no_warning(site: Callable[..., Path]) -> None:
    text, code = check_text(site(SITE + DESTINATION), environ={})
    assert (code, text.count("arning")) == (0, 0)


def test_a_folder_is_no_site_file_but_may_hold_one(site: Callable[..., Path]) -> None:
    path = site()
    text, code = check_text(path.parent, environ={})
    assert code == 2
    assert f"Remedy: Give the site file in it: {path}." in text


def test_many_known_words_are_not_all_named() -> None:
    known = [f"column_{number}" for number in range(40)]
    assert meant("colum_7", known) == 'Did you mean "column_7"?'
    assert meant("x", known[:3]) == "Known here: column_0, column_1, column_2."
    said = meant("xyzzy", known)
    assert said.startswith("The nearest of 40 are ")
    assert said.count("column_") == 3
    assert meant("xyzzy", [f"tag_{number}" for number in range(3000)]) == "There are 3000, none like it."


# ---- size

ROWS = 3000


def test_four_times_the_rows_take_no_more_than_eight_times_the_time(site: Callable[..., Path]) -> None:
    spent_s: list[float] = []
    for rows in (ROWS // 4, ROWS):
        lines = [ROW.replace("TK-1.level", f"TK-{row}.level") for row in range(rows)]
        path = site(tags="\n".join([HEAD, *lines]) + "\n")
        took_s: list[float] = []
        for _ in range(2):  # The better of two, without the rubbish of other tests being collected meanwhile.
            gc.collect()
            gc.disable()
            before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
            loaded = load(path, environ={})
            took_s.append(resource.getrusage(resource.RUSAGE_SELF).ru_utime - before)
            gc.enable()
        spent_s.append(min(took_s))
        assert (len(loaded.tags), len(loaded.rules)) == (rows, 6 * rows)
    assert spent_s[1] < 8 * spent_s[0]
    assert math.isclose(loaded.tags.range_hi.sum(), 10.0 * ROWS)
