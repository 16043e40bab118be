"""The bench of consequence zones: its table, its figures, what it refuses."""

import json
from pathlib import Path

from typer.testing import CliRunner

from gateway.cli import app

SLABX = Path("tests/golden/zones/slabx.csv")


def test_it_prints_each_ratio_and_how_long_it_took() -> None:
    found = CliRunner().invoke(app, ["bench", "zones", "--data", str(SLABX)])

    assert found.exit_code == 0
    assert found.output.count("ammonia ERPG-3") == 5
    assert found.output.count("beyond a factor of 2") == 3
    assert "fifty weather cases" in found.output


def test_it_gives_the_same_as_json() -> None:
    found = json.loads(CliRunner().invoke(app, ["bench", "zones", "--data", str(SLABX), "--json"]).output)

    assert len(found["cases"]) == 20
    assert found["beyond_factor_two"] == 3
    assert found["one_ms"] > 0
    assert found["fifty_ms"] > 0


def test_a_file_that_is_something_else_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n", encoding="utf-8")

    found = CliRunner().invoke(app, ["bench", "zones", "--data", str(other)])

    assert found.exit_code == 2
    assert "no endpoint distances" in found.output
