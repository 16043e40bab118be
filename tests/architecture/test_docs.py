"""What the documents promise is there, and what is there is in the documents."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from alerting.model.tier import Tier
from gateway.cli import app

ROOT = Path(__file__).parents[2]
DECISION_HEADINGS = ["Objective", "Why", "Is", "Is not", "Prior art", "Open questions"]
DECISIONS = sorted((ROOT / "docs/adr").glob("*.md"))
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "config").rglob("*.md")]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(text: str, heading: str) -> str:
    return text.split(f"\n## {heading}\n", maxsplit=1)[1].split("\n## ", maxsplit=1)[0]


def test_front_page_lists_every_command_and_no_other() -> None:
    listed = re.findall(r"^\| `(\w+)", section(read("README.md"), "Commands"), re.MULTILINE)
    commands = get_command(app).commands  # type: ignore[attr-defined]
    assert sorted(listed) == sorted(commands)


def test_every_option_on_the_front_page_exists() -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    options = {option for command in commands.values() for one in command.params for option in one.opts}
    named = set(re.findall(r"(--[a-z]+)", section(read("README.md"), "Commands"))) - {"--help"}
    assert named <= options
    assert {"--headless", "--seconds", "--record", "--events"} <= named


def test_front_page_begins_in_both_languages_with_the_two_commands() -> None:
    top = read("README.md").split("\n## ", maxsplit=1)[0]
    assert re.search(r"[\u4e00-\u9fff]{8}", top)
    assert re.findall(r"^bin/(\w+)", top, re.MULTILINE) == ["run", "test"]


def test_layout_names_every_folder() -> None:
    named = set(re.findall(r"^\| `(\w+)/`", section(read("README.md"), "Layout"), re.MULTILINE))
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert packages <= named
    assert [name for name in sorted(named) if not (ROOT / name).is_dir()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_map_fits_on_three_screens() -> None:
    assert len(read("ARCHITECTURE.md").splitlines()) <= 150


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda decision: decision.stem)
def test_decision_has_its_parts_on_one_page(decision: Path) -> None:
    text = decision.read_text(encoding="utf-8")
    assert text.startswith(f"# {decision.name[:4]} ")
    assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == DECISION_HEADINGS
    assert len(text.splitlines()) <= 60


def test_decisions_are_numbered_without_gaps() -> None:
    assert [int(path.name[:4]) for path in DECISIONS] == list(range(1, len(DECISIONS) + 1))


@pytest.mark.parametrize(
    "word",
    ["tag", "scan", "source", "tick", "watermark", "lane", "quality", "deadband", "setpoint", "alarm", "tier", "grade"],
)
def test_glossary_has_the_word(word: str) -> None:
    assert re.search(rf"^\| \*\*{word}\*\*", read("docs/GLOSSARY.md"), re.MULTILINE)


def test_glossary_and_code_have_the_same_tiers() -> None:
    glossary = read("docs/GLOSSARY.md")
    row = next(line for line in glossary.splitlines() if line.startswith("| **tier**"))
    assert [name for name in (tier.name for tier in Tier) if name not in row] == []


def test_version_has_its_changes() -> None:
    version = re.search(r'^version = "(.+)"', read("pyproject.toml"), re.MULTILINE)
    assert version is not None
    assert f"## {version[1]} " in read("CHANGELOG.md")
