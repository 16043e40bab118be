"""The uplink through a broker, and the gateway's side of it: what is read and what is refused."""

from pathlib import Path

import pytest

from edge.load import ConfigError
from edge.load.node import load_node
from gateway.load import load

NODE = """[site]
id = "plant"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "modbus-tcp"
host = "10.0.0.1"
[uplink]
node = "north"
token_env = "TOKEN"
{keys}
"""
SITE = """[site]
id = "plant"
timezone = "Asia/Shanghai"
tags = ["tags.csv"]
[[source]]
id = "plc"
protocol = "node"
node = "north"
[[unit]]
id = "U"
kind = "tank"
[node_broker]
{keys}
"""
TAGS = "tag,source,unit,register,type\nlevel,plc,U,0,uint16\n"
ENVIRON = {"TOKEN": "t" * 40, "PW": "right"}


def write(folder: Path, text: str) -> Path:
    (folder / "tags.csv").write_text(TAGS, "utf-8")
    (folder / "site.toml").write_text(text, "utf-8")
    return folder / "site.toml"


def mistakes(folder: Path, text: str, *, is_node: bool) -> list[str]:
    path = write(folder, text)
    try:
        if is_node:
            load_node(path, environ=ENVIRON)
        else:
            load(path, environ=ENVIRON)
    except ConfigError as error:
        return [str(one) for one in error.mistakes]
    return []


def test_a_node_behind_a_broker(tmp_path: Path) -> None:
    keys = 'broker = "mq.plant"\nusername = "north"\npassword_env = "PW"\ntls = true'
    uplink = load_node(write(tmp_path, NODE.format(keys=keys)), environ=ENVIRON).uplink
    assert uplink.broker is not None
    assert (uplink.broker.host, uplink.broker.port, uplink.broker.username) == ("mq.plant", 8883, "north")
    assert uplink.broker.client_id == "fengsui-plant-node-north"
    assert (uplink.topic, uplink.url) == ("fengsui/plant", "")


def test_the_gateway_meets_it_there(tmp_path: Path) -> None:
    site = load(write(tmp_path, SITE.format(keys='host = "mq.plant"\ntls = true')), environ=ENVIRON)
    assert site.node_broker is not None
    assert (site.node_broker.topic, site.node_broker.options.client_id) == ("fengsui/plant", "fengsui-plant-nodes")


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ('broker = "mq"\nurl = "https://gateway"', "one way"),
        ('url = "https://gateway"\nport = 1883', "without broker"),
        ('url = "https://gateway"\ntopic = "x"', "without broker"),
        ('broker = "mq"\ntopic = "a/+"', "wildcard"),
        ('broker = "mq"\ntopic = "a/"', "end with"),
        ('broker = "mq"\npassword_env = "PW"', "without username"),
        ('broker = "mq:1883"', "without port"),
        ('broker = "mq"\nca_file = "ca.pem"', "without tls"),
        ("", "url is missing"),
    ],
)
def test_a_mistake_of_a_node(tmp_path: Path, keys: str, word: str) -> None:
    found = mistakes(tmp_path, NODE.format(keys=keys), is_node=True)
    assert len(found) == 1
    assert word in found[0]


@pytest.mark.parametrize(("keys", "word"), [("", "host is missing"), ('host = "mq"\nurl = "x"', "not known")])
def test_a_mistake_of_the_gateway(tmp_path: Path, keys: str, word: str) -> None:
    found = mistakes(tmp_path, SITE.format(keys=keys), is_node=False)
    assert len(found) == 1
    assert word in found[0]


def test_a_node_has_no_node_broker(tmp_path: Path) -> None:
    text = NODE.format(keys='url = "https://gateway"') + '[node_broker]\nhost = "mq"\n'
    found = mistakes(tmp_path, text, is_node=True)
    assert len(found) == 1
    assert "gateway's" in found[0]
