"""Grafana's dashboards ask for what the gateway writes, where the compose file puts it."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.historian.line import MEASUREMENT
from gateway.system import POINTS, SOURCE

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "dashboards/grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))
FIELDS = {"value", "quality"}
LABELS = {"nature", "site", "tag", "unit"}
OF_FLUX = {"_measurement", "_field", "_value", "_time"}


def read_board(path: Path) -> dict[str, Any]:
    board = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(board, dict)
    return board


def queries(board: dict[str, Any]) -> list[str]:
    of_panels = [target["query"] for panel in board["panels"] for target in panel["targets"]]
    return of_panels + [variable["query"] for variable in board["templating"]["list"]]


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    document = yaml.safe_load((GRAFANA / "provisioning/datasources/history.yaml").read_text(encoding="utf-8"))
    (only,) = document["datasources"]
    assert isinstance(only, dict)
    return only


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_queries_ask_for_what_is_written(path: Path) -> None:
    board = read_board(path)
    assert len(queries(board)) >= 4
    for query in queries(board):
        assert set(re.findall(r'r\._field == "(\w+)"', query)) <= FIELDS
        assert set(re.findall(r'r\._measurement == "(\w+)"', query)) <= {MEASUREMENT.decode()}
        assert set(re.findall(r"\br\.(\w+)", query)) <= LABELS | OF_FLUX
        assert set(re.findall(r'\btag: "(\w+)"', query)) <= LABELS
    variables = {variable["name"] for variable in board["templating"]["list"]}
    assert {name for query in queries(board) for name in re.findall(r"\$\{(\w+)", query)} <= variables


def test_gateway_board_shows_every_tag_that_the_gateway_has_of_itself() -> None:
    shown = {
        name
        for query in queries(read_board(GRAFANA / "dashboards/gateway.json"))
        for name in re.findall(rf'r\.tag == "{SOURCE}\.(\w+)"', query)
    }
    assert shown == {point.name for point in POINTS}


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_panel_reads_the_provisioned_source(path: Path, source: dict[str, Any]) -> None:
    board = read_board(path)
    asked = [panel["datasource"]["uid"] for panel in board["panels"]]
    asked += [variable["datasource"]["uid"] for variable in board["templating"]["list"]]
    assert set(asked) == {source["uid"]}
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)


def test_source_is_where_compose_and_site_put_it(source: dict[str, Any]) -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    influx = tomllib.loads((ROOT / "deploy/site.toml").read_text(encoding="utf-8"))["influx"]
    made = services["influxdb"]["environment"]
    assert source["url"] == influx["url"] == "http://influxdb:8086"
    assert source["jsonData"]["organization"] == influx["org"] == made["DOCKER_INFLUXDB_INIT_ORG"]
    assert source["jsonData"]["defaultBucket"] == influx["bucket"] == made["DOCKER_INFLUXDB_INIT_BUCKET"]
    assert source["secureJsonData"]["token"].removeprefix("$") == influx["token_env"]
    assert influx["token_env"] in services["grafana"]["environment"]


def test_dashboards_are_where_the_provider_looks() -> None:
    provider = yaml.safe_load((GRAFANA / "provisioning/dashboards/fengsui.yaml").read_text(encoding="utf-8"))
    folder = provider["providers"][0]["options"]["path"]
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    assert f"./dashboards/grafana/dashboards:{folder}:ro" in services["grafana"]["volumes"]
    assert len({read_board(path)["uid"] for path in BOARDS}) == len(BOARDS) >= 2
