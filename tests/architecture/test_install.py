"""An edge node has the base install alone: no web server, no database, no historian's client."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT_NAMES = {"argon2-cffi": "argon2", "influxdb-client": "influxdb_client", "prometheus-client": "prometheus_client"}
COMMAND = """
import sys
for name in sys.argv[1].split(","):
    sys.modules[name] = None  # Importing it fails, as where it is not installed.
from gateway.cli import app
app(sys.argv[2:])
"""


def libraries_beyond_the_base() -> list[str]:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    wanted = [*extras["gateway"], *(library for library in extras["demo"] if not library.startswith("fengsui"))]
    names = [library.split(">=")[0].split("[")[0] for library in wanted]
    assert len(names) > 10
    return [IMPORT_NAMES.get(name, name) for name in names if name != "pydantic"]  # Typer brings pydantic along.


@pytest.mark.parametrize("command", ["check", "plan"])
def test_base_install_can(command: str) -> None:
    blocked = ",".join(libraries_beyond_the_base())
    arguments = [sys.executable, "-c", COMMAND, blocked, command, "config/demo/site.toml"]
    secret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
    result = subprocess.run(
        arguments, cwd=ROOT, check=False, capture_output=True, text=True, env={"FENGSUI_DISTRICT_SECRET": secret}
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_block_works() -> None:
    arguments = [sys.executable, "-c", COMMAND, "numpy", "check", "config/demo/site.toml"]
    result = subprocess.run(arguments, cwd=ROOT, check=False, capture_output=True, text=True)
    assert "No module named 'numpy'" in result.stderr or "import of numpy halted" in result.stderr
