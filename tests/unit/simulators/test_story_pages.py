"""Each story that ships has a page that tells what its file says, with its picture."""

import tomllib
from pathlib import Path

import pytest

from simulators.scenario.read import SCENARIOS

PAGES = Path("docs/stories")
STORIES = sorted(SCENARIOS.glob("*.toml"))


@pytest.mark.parametrize("story", STORIES, ids=[path.stem for path in STORIES])
def test_a_page_tells_what_the_file_says(story: Path) -> None:
    told = tomllib.loads(story.read_text(encoding="utf-8"))
    page = (PAGES / f"{story.stem}.md").read_text(encoding="utf-8")

    assert page.startswith(f"# {told['title']['en']}\n")
    assert f"](../simulators/{story.stem}.svg)" in page
    assert (PAGES / f"../simulators/{story.stem}.svg").is_file()
    for act in (*told.get("act", ()), *told.get("fault", ())):
        assert f"| {act['at_s']:,} | {act['say']['en']} |" in page
    for wanted in told["expect"]:
        assert f"| {wanted['id']} | {wanted['say']['en']} |" in page
    assert f"](stories/{story.stem}.md)" in Path("docs/stories.md").read_text(encoding="utf-8")


def test_there_is_no_page_without_a_story() -> None:
    assert {path.stem for path in PAGES.glob("*.md")} == {path.stem for path in STORIES}
