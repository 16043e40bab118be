"""Names come from the control room: no drawer for leftovers, no word that says nothing."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("gateway", "edge", "alerting", "simulators", "dashboards")
EMPTY_MODULES = {"utils", "util", "helpers", "helper", "manager", "managers", "common", "misc", "base", "core_utils"}
EMPTY_ENDINGS = re.compile(r"(Manager|Helper|Handler|Service|Util|Utils|Impl)$")


def source_files() -> list[Path]:
    files = [
        path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "node_modules" not in path.parts
    ]
    assert len(files) > 20
    return files


def test_no_module_is_a_drawer() -> None:
    assert [path for path in source_files() if EMPTY_MODULES & {path.stem, path.parent.name}] == []


def test_no_class_has_an_empty_name() -> None:
    classes = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in source_files()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef) and EMPTY_ENDINGS.search(node.name)
    ]
    assert classes == []


def test_only_one_module_reads_the_machine_clock() -> None:
    """The linter forbids it; this finds whoever silenced the linter."""
    reading = re.compile(r"\btime\.(time|time_ns|monotonic|monotonic_ns)\(|\bdatetime\.(now|utcnow|today)\(")
    readers = [
        str(path.relative_to(ROOT)) for path in source_files() if reading.search(path.read_text(encoding="utf-8"))
    ]
    assert readers == ["edge/clock_system.py"]


def test_only_one_module_speaks_each_protocol_library() -> None:
    """Paho changes its interfaces, a change must have one place; pymodbus can write and is only measured beside."""
    homes: dict[str, list[str]] = {
        r"^\s*(from|import) pymodbus\b": ["gateway/bench/modbus/peer.py"],
        r"^\s*(from|import) serial\b": ["edge/collect/modbus/serial_port.py"],
        # What leaves for an authority waits for the broker's word, message by message; what is collected does not.
        r"^\s*(from|import) paho\b": [
            "edge/collect/mqtt/paho.py",
            "gateway/bench/mqtt/drain.py",
            "gateway/push/mqtt.py",
        ],
        r"^\s*(from|import) gmssl\b": ["gateway/push/national.py"],
        r"import_module\(\"apprise": ["gateway/push/apprise.py"],
    }
    for pattern, home in homes.items():
        users = [
            path.relative_to(ROOT).as_posix()
            for path in source_files()
            if path.relative_to(ROOT).parts[0] in {"gateway", "edge", "alerting"}
            and re.search(pattern, path.read_text(encoding="utf-8"), re.MULTILINE)
        ]
        assert sorted(users) == home


def test_no_test_patches() -> None:
    this = Path(__file__)
    patched = re.compile(r"mock\.patch|mock import .*\bpatch\b|\bmocker\b")
    files = [path for path in (ROOT / "tests").rglob("*.py") if path != this]
    assert [path.name for path in files if patched.search(path.read_text(encoding="utf-8"))] == []


def test_no_package_marker_below_tests() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []
