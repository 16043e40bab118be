"""The sample that people copy is the one in the README, and it means what it says."""

import dataclasses
import tomllib
from pathlib import Path

import pytest

from edge.collect.registry import COLLECTORS
from edge.config import Hj212Options, ModbusOptions, MqttOptions, OpcuaOptions, Source, SparkplugOptions, TopicOptions

COLLECT = Path(__file__).parents[4] / "edge" / "collect"
FOLDERS = {"modbus-tcp": "modbus", "mqtt": "mqtt", "hj212": "hj212", "sparkplug": "sparkplug", "opcua": "opcua"}
SECRETS = {"password_env", "password_file"}


def test_every_protocol_has_its_folder() -> None:
    assert {protocol.partition("-")[0] for protocol in COLLECTORS} == set(FOLDERS.values())
    for folder in FOLDERS.values():
        assert {"README.md", "sample.toml", "collector.py"} <= {path.name for path in (COLLECT / folder).iterdir()}


@pytest.mark.parametrize("folder", FOLDERS.values())
def test_the_readme_shows_the_sample(folder: str) -> None:
    sample = (COLLECT / folder / "sample.toml").read_text(encoding="utf-8")
    assert f"```toml\n{sample}```\n" in (COLLECT / folder / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(("protocol", "folder"), FOLDERS.items())
def test_the_sample_uses_only_options_that_exist(protocol: str, folder: str) -> None:
    (source,) = tomllib.loads((COLLECT / folder / "sample.toml").read_text(encoding="utf-8"))["source"]
    assert source["protocol"] == protocol
    options = {
        "modbus-tcp": (ModbusOptions,),
        "mqtt": (MqttOptions,),
        "hj212": (Hj212Options,),
        "opcua": (OpcuaOptions,),
        "sparkplug": (MqttOptions, SparkplugOptions),
    }[protocol]
    names = {field.name for kind in (*options, Source) for field in dataclasses.fields(kind)}
    assert set(source) - {"topic"} - SECRETS <= names
    for topic in source.get("topic", []):
        TopicOptions(**topic)
