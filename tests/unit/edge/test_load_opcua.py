"""OPC UA sources and their tags: what is refused, with the remedy, and what is warned of."""

import sys
from pathlib import Path

import pytest

from edge.load import ConfigError, load, read_field

SITE = """[site]
id = "plant"
tags = ["tags.csv"]

[[source]]
id = "dcs"
protocol = "opcua"
{keys}
"""
TAGS = "tag,source,node_id\nlevel,dcs,ns=2;s=Tank.Level\n"
OPEN = 'url = "opc.tcp://127.0.0.1:4840"\nsecurity = "none"'


def mistakes(folder: Path, keys: str, tags: str = TAGS, environ: dict[str, str] | None = None) -> list[str]:
    (folder / "site.toml").write_text(SITE.format(keys=keys), "utf-8")
    (folder / "tags.csv").write_text(tags, "utf-8")
    try:
        load(folder / "site.toml", environ=environ or {})
    except ConfigError as error:
        return [str(one) for one in error.mistakes]
    return []


def warnings(folder: Path, keys: str, environ: dict[str, str] | None = None) -> list[str]:
    assert mistakes(folder, keys, environ=environ) == []
    return [str(one) for one in read_field(folder / "site.toml", environ or {}).reading.warnings]


def test_an_open_server_on_this_machine_is_right(tmp_path: Path) -> None:
    assert mistakes(tmp_path, OPEN) == []
    assert warnings(tmp_path, OPEN) == []


def test_certificates_are_needed_unless_the_site_says_none(tmp_path: Path) -> None:
    found = mistakes(tmp_path, 'url = "opc.tcp://dcs:4840"')
    assert sorted(one.split(" is missing")[0].split()[-1] for one in found) == ["ca_file", "cert_file", "key_file"]
    assert all('security = "none"' in one for one in found)


def test_everything_is_read(tmp_path: Path) -> None:
    for name in ("a.pem", "a.key", "dcs.pem"):
        (tmp_path / name).write_text("x", "utf-8")
    (tmp_path / "password").write_text("right\n", "utf-8")
    keys = """url = "opc.tcp://dcs:4840/plant"
security = "sign"
policy = "Aes256_Sha256_RsaPss"
cert_file = "a.pem"
key_file = "a.key"
ca_file = "dcs.pem"
username = "gateway"
password_file = "password"
timeout_s = 2
retry_s_max = 60
sampling_s = 0.5
queue_size = 3
items_max = 200"""
    assert mistakes(tmp_path, keys) == []
    options = load(tmp_path / "site.toml", environ={}).sources[0].opcua
    assert options is not None
    assert (options.url, options.security, options.policy) == (
        "opc.tcp://dcs:4840/plant",
        "sign",
        "Aes256_Sha256_RsaPss",
    )
    assert (options.username, options.password, options.queue_size, options.items_max) == ("gateway", "right", 3, 200)
    assert options.ca_file == tmp_path / "dcs.pem"
    assert "right" not in repr(options)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ('url = "http://dcs:4840"\nsecurity = "none"', "endpoint"),
        ('url = "opc.tcp://me:secret@dcs:4840"\nsecurity = "none"', "endpoint"),
        ('url = "opc.tcp://dcs:0"\nsecurity = "none"', "endpoint"),
        (OPEN + '\npolicy = "Basic256Sha256"', "security is none"),
        (OPEN + '\nca_file = "x.pem"', "security is none"),
        (OPEN + '\npassword = "x"', "written into the file"),
        (OPEN + '\npassword_env = "PW"', "without username"),
        (OPEN + "\nqueue_size = 0", "queue_size"),
        (OPEN + "\ntimeout_s = 0", "timeout_s"),
        (OPEN + '\nhost = "dcs"', "host belongs to"),
        (OPEN + "\nregisters_max = 3", "registers_max belongs to"),
        ('url = "opc.tcp://dcs:4840"\nsecurity = "off"', "security"),
    ],
)
def test_a_mistake_has_its_sentence(tmp_path: Path, keys: str, word: str) -> None:
    found = mistakes(tmp_path, keys, environ={"PW": "right"})
    assert len(found) == 1 or "security" in word
    assert any(word in one for one in found)
    assert not any("secret@" in one and "right" in one for one in found)


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("level,dcs,", "node_id is missing"),
        ("level,dcs,Tank.Level", "it is ns=N;"),
        ("level,dcs,ns=2;i=x", "it is ns=N;"),
    ],
)
def test_a_node_id_is_one(tmp_path: Path, row: str, word: str) -> None:
    found = mistakes(tmp_path, OPEN, f"tag,source,node_id\n{row}\n")
    assert len(found) == 1
    assert word in found[0]
    assert "tags.csv:2" in found[0]


def test_columns_of_another_protocol_are_refused_both_ways(tmp_path: Path) -> None:
    found = mistakes(tmp_path, OPEN, "tag,source,node_id,register,scale,map\nlevel,dcs,i=7,4,2,RUN=1\n")
    assert len(found) == 1
    assert "register is a Modbus column" in found[0]
    mqtt = '[[source]]\nid = "gas"\nprotocol = "mqtt"\nhost = "x"\n[[source.topic]]\npattern = "{tag}"'
    found = mistakes(tmp_path, f"{OPEN}\n{mqtt}", TAGS + "lel,gas,i=7\n")
    assert len(found) == 1
    assert "node_id is an OPC UA column" in found[0]


def test_chinese_headings(tmp_path: Path) -> None:
    assert mistakes(tmp_path, OPEN, "位号,数据源,节点标识,系数\nlevel,dcs,nsu=urn:plant;s=液位,0.1\n") == []
    (tag,) = load(tmp_path / "site.toml", environ={}).tags
    assert tag.address == {"node_id": "nsu=urn:plant;s=液位", "scale": 0.1, "offset": 0.0}


def test_an_open_line_to_another_machine_is_warned_of(tmp_path: Path) -> None:
    keys = 'url = "opc.tcp://10.0.1.5:4840"\nsecurity = "none"'
    assert "security is none" in warnings(tmp_path, keys)[0]
    named = f'{keys}\nusername = "me"\npassword_env = "PW"'
    assert "may read the password" in warnings(tmp_path, named, {"PW": "x"})[0]


def test_without_the_library_the_source_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncua", None)
    found = mistakes(tmp_path, OPEN)
    assert len(found) == 1
    assert "fengsui[opcua]" in found[0]
