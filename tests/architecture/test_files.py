"""The repository stands by itself: it names no machine's folder and no registry's address."""

import json
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOCKS = ["requirements.lock", "requirements-test.lock", "requirements-page.lock"]
NOT_OURS = {".git", ".venv", "node_modules", "__pycache__", "dist", "build", "var", ".mypy_cache", ".ruff_cache"}
MACHINE_FOLDERS = re.compile(r"(?<![\w.\]}])/(work|root|home|Users)/\w")
MADE_PATHS = {".ci/bare-debian"}  # It makes the root in which these folders are.


def repository_files() -> list[Path]:
    """All text files under version control, or all but the made ones where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=False, capture_output=True, text=True)
    names = [name for name in listed.stdout.split("\0") if name]
    found = [ROOT / name for name in names] if names else list(ROOT.rglob("*"))
    return [path for path in found if path.is_file() and not NOT_OURS & set(path.relative_to(ROOT).parts)]


def read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_names_no_registry(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    options = [line for line in text.splitlines() if re.match(r"\s*-", line) and not line.strip().startswith("--hash=")]
    assert options == []  # pip's own: --index-url, --find-links, …


def test_lock_of_the_page_names_no_registry() -> None:
    packages = json.loads((ROOT / "dashboards/web/package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert len(packages) > 50
    # npm copies where projects ask for donations; nothing is fetched from there.
    facts = {
        name: {key: fact for key, fact in package.items() if key != "funding"} for name, package in packages.items()
    }
    assert [name for name, package in facts.items() if "resolved" in package or "://" in json.dumps(package)] == []
    assert [name for name, package in facts.items() if name and "integrity" not in package] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_every_library_has_version_and_hash(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) >= 1
    wanted = re.compile(r"^[a-z0-9][a-z0-9._-]*(\[[a-z,]+\])?==\S+ .*--hash=sha256:[0-9a-f]{64}")
    assert [line[:80] for line in lines if not wanted.match(line)] == []


def test_locks_agree() -> None:
    """The product is tested with the libraries that it is run with."""
    of = {
        lock: dict(re.findall(r"^(\S+)==(\S+)", (ROOT / lock).read_text(encoding="utf-8"), re.MULTILINE))
        for lock in LOCKS[:2]
    }
    run, test = of["requirements.lock"], of["requirements-test.lock"]
    assert {name: version for name, version in run.items() if test.get(name) != version} == {}


def test_no_file_names_a_machine_folder() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in repository_files()
        if path.relative_to(ROOT).as_posix() not in MADE_PATHS
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if MACHINE_FOLDERS.search(line)
    ]
    assert found == []


def test_no_file_is_third_party_code() -> None:
    minified = [path.name for path in repository_files() if path.name.endswith((".min.js", ".min.css", ".whl", ".tgz"))]
    assert minified == []
