"""A skip is told with its reason, and is a failure where everything should be installed; long runs wait to be asked."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = """
import pytest

def test_good():
    pass

def test_skips():
    pytest.skip("no broker here")

@pytest.mark.xfail(strict=True)
def test_known():
    raise AssertionError

@pytest.mark.long
def test_hours():
    pass
"""
MODULE = "import pytest\npytest.importorskip('a_library_that_nobody_has')\n"


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A small suite under the conftest and the settings of this one."""
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests/conftest.py", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "tests/test_suite.py").write_text(SUITE, encoding="utf-8")
    return tmp_path


def run(suite: Path, *options: str, no_skip: str | None = None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "FENGSUI_NO_SKIP"}
    if no_skip is not None:
        environment["FENGSUI_NO_SKIP"] = no_skip
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # Half of the time is plugins that this suite has no use for.
    plugins = ["-p", "pytest_asyncio.plugin", "-p", "pytest_timeout", "-p", "no:cacheprovider"]
    arguments = [sys.executable, "-m", "pytest", "-q", *plugins, *options]
    return subprocess.run(
        arguments, cwd=suite, check=False, capture_output=True, text=True, env=environment, timeout=60
    )


@pytest.mark.slow
def test_skip_is_told_with_its_reason(suite: Path) -> None:
    result = run(suite)
    assert result.returncode == 0
    assert "SKIPPED [1] tests/test_suite.py:8: no broker here" in result.stdout
    assert "1 passed, 1 skipped, 1 deselected, 1 xfailed" in result.stdout


@pytest.mark.slow
def test_skip_is_a_failure_where_all_is_installed(suite: Path) -> None:
    result = run(suite, no_skip="1")
    assert result.returncode == 1
    assert "FENGSUI_NO_SKIP=1 and this was skipped: Skipped: no broker here" in result.stdout
    assert "1 failed, 1 passed, 1 deselected, 1 xfailed" in result.stdout


@pytest.mark.slow
def test_skipped_module_is_a_failure_too(suite: Path) -> None:
    (suite / "tests/test_module.py").write_text(MODULE, encoding="utf-8")
    assert run(suite, no_skip="0").returncode == 0
    result = run(suite, no_skip="1")
    assert result.returncode != 0
    assert "a_library_that_nobody_has" in result.stdout


@pytest.mark.slow
def test_long_runs_run_alone_and_when_asked(suite: Path) -> None:
    result = run(suite, "--long")
    assert result.returncode == 0
    assert "1 passed, 3 deselected" in result.stdout
