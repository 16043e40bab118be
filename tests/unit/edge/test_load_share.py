"""What check says of shared topics that may be so, and which session a node takes among others of its group."""

from pathlib import Path

import pytest

from edge.load.mistake import ConfigError, Mistake
from edge.load.node import load_node
from gateway.load import load
from gateway.plan import plan, render

SITE = """[site]
id = "plant"
timezone = "UTC"
tags = ["tags.csv"]
[[source]]
id = "gas"
{source}
"""
MQTT = 'protocol = "mqtt"\nhost = "192.0.2.20"\n{more}[[source.topic]]\npattern = "{pattern}"\n{topic}'
UPLINK = '[uplink]\nnode = "north"\nurl = "https://gateway.example"\ntoken_env = "TOKEN"\n'
ENVIRON = {"TOKEN": "t" * 43}


def written(folder: Path, source: str) -> Path:
    (folder / "tags.csv").write_text("tag,source,unit,period_s\nGD-1.lel,gas,T,1\n", "utf-8")
    (folder / "site.toml").write_text(SITE.format(source=source), "utf-8")
    return folder / "site.toml"


def with_unit(path: Path) -> Path:
    path.write_text(path.read_text("utf-8") + '[[unit]]\nid = "T"\nkind = "tank"\n', "utf-8")
    return path


def mqtt(pattern: str, topic: str = 'tag = "{tag}.lel"', more: str = "") -> str:
    return MQTT.format(pattern=pattern, topic=topic, more=more)


def warned(folder: Path, source: str) -> list[Mistake]:
    warnings: list[Mistake] = []
    load(with_unit(written(folder, source)), environ={}, warnings=warnings)
    return [one for one in warnings if one.path != "destination"]


def test_what_each_hears_whole_needs_no_word(tmp_path: Path) -> None:
    assert warned(tmp_path, mqtt("gas/{tag}")) == []


def test_of_a_share_its_order_is_said_where_it_stands(tmp_path: Path) -> None:
    said, kept = warned(tmp_path, mqtt("$share/gw/gas/{tag}"))
    if "session_s" in said.sentence:
        said, kept = kept, said
    assert kept.path == said.path
    assert "604800 s (session_s)" in kept.sentence
    assert (said.line, said.path) == (10, "source[0].topic[0].pattern")
    assert "each message to one member" in said.sentence
    assert "not judged" in said.sentence
    assert "nodes" in said.remedy


def test_the_plan_says_that_it_is_a_part(tmp_path: Path) -> None:
    site = load(with_unit(written(tmp_path, mqtt("$share/gw/gas/{tag}"))), environ={})
    text = render(plan(site))
    assert "$share/gw/gas/+" in text
    assert "gas: $share/gw/gas/+ is shared; this member hears its part of these messages." in text


@pytest.mark.parametrize(
    "topic",
    ['format = "number"\ntag = "{tag}.lel"', 'time = ""\ntag = "{tag}.lel"', 'format = "binary"\ntags = ["GD-1.lel"]'],
)
def test_a_payload_without_time_is_ordered_by_clocks(tmp_path: Path, topic: str) -> None:
    said = warned(tmp_path, mqtt("$share/gw/gas/" + ("x" if "binary" in topic else "{tag}"), topic))
    assert sum("carry no time" in one.sentence for one in said) == 1


def test_the_older_version_cannot_say_that_it_has_none(tmp_path: Path) -> None:
    said = warned(tmp_path, mqtt("$share/gw/gas/{tag}", more='version = "3.1.1"\n'))
    assert sum(one.path == "source[0].version" for one in said) == 1
    assert sum("until it ends the session itself" in one.sentence for one in said) == 1


def test_how_long_a_session_lasts_is_said_by_mqtt_5_alone(tmp_path: Path) -> None:
    site = load(with_unit(written(tmp_path, mqtt("gas/{tag}", more="session_s = 3600\n"))), environ={})
    assert site.sources[0].mqtt is not None
    assert site.sources[0].mqtt.session_s == 3600
    for more, path in (('version = "3.1.1"\nsession_s = 3600\n', "session_s"), ("session_s = 5\n", "session_s")):
        with pytest.raises(ConfigError) as refused:
            load(with_unit(written(tmp_path, mqtt("gas/{tag}", more=more))), environ={})
        assert [one.path for one in refused.value.mistakes] == [f"source[0].{path}"]


def test_a_source_of_several_nodes(tmp_path: Path) -> None:
    path = written(tmp_path, 'protocol = "node"\nnodes = ["north", "south"]')
    site = load(with_unit(path), environ={})
    (source,) = site.sources
    assert (source.node, source.nodes, source.is_merged) == ("north", ("north", "south"), True)


@pytest.mark.parametrize(
    ("pattern", "more", "client"),
    [
        ("gas/{tag}", "", "fengsui-plant-gas"),
        ("$share/gw/gas/{tag}", "", "fengsui-plant-gas-north"),
        ("$share/gw/gas/{tag}", 'client_id = "mine"\n', "mine"),
    ],
)
def test_members_of_a_group_have_sessions_of_their_own(tmp_path: Path, pattern: str, more: str, client: str) -> None:
    """Two of one client id would cut each other off for ever."""
    path = written(tmp_path, mqtt(pattern, more=more))
    path.write_text(path.read_text("utf-8") + UPLINK, "utf-8")
    (source,) = load_node(path, environ=ENVIRON).sources
    assert source.mqtt is not None
    assert source.mqtt.client_id == client
