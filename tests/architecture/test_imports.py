"""The import contracts of pyproject.toml hold, and would be noticed if they did not."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def run_linter(folder: Path) -> subprocess.CompletedProcess[str]:
    arguments = [str(LINTER), "--no-cache", "--no-logo"]
    return subprocess.run(arguments, cwd=folder, check=False, capture_output=True, text=True, timeout=60)


def test_contracts_are_kept() -> None:
    result = run_linter(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("alerting/model/tier.py", "import time", "tells no time"),
        ("alerting/core/limit.py", "import sqlite3", "does no I/O"),
        ("edge/clock.py", "import alerting.model.tier", "Imports point upstream"),
        ("simulators/__init__.py", "import alerting.model.tier", "Imports point upstream"),
        ("edge/collect/modbus/plan.py", "import edge.collect.mqtt.link", "strangers"),
    ],
)
def test_breach_is_noticed(tmp_path: Path, module: str, line: str, contract: str) -> None:
    for package in ("gateway", "edge", "alerting", "simulators"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / package, tmp_path / package, ignore=ignored)
    (tmp_path / "dashboards").mkdir()
    (tmp_path / "dashboards" / "__init__.py").touch()
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    result = run_linter(tmp_path)
    assert result.returncode == 1, result.stdout + result.stderr
    broken = [report for report in result.stdout.splitlines() if report.endswith("BROKEN")]
    assert any(contract in report for report in broken), broken
