"""Stories: the demonstration's own completes in time; a wrong one names every mistake."""

from pathlib import Path

import numpy as np
import pytest

from simulators.plant import Plant
from simulators.story import StoryError, read_story, told_on_devices
from simulators.wiring import read_wiring

SITE = Path("config/demo/site.toml")


@pytest.mark.parametrize("seed", range(5))
def test_first_light_crosses_its_limits_within_35_s(seed: int) -> None:
    """Beyond the limit and its delay, with two seconds for collecting: by 35 s whatever the seed."""
    plant, story = Plant(np.random.default_rng(seed)), read_story("first_light")
    limits = read_wiring(SITE).limits
    since: dict[tuple[str, str], float] = {}
    tripped: set[tuple[str, str]] = set()
    while plant.time_s < story.completes_s - 2:
        for moment in story.due(plant.time_s):
            plant.do(moment.act)
        plant.step(0.1)
        readings = plant.readings()
        for limit in limits:
            key = (limit.tag, limit.kind)
            if not limit.is_beyond(readings[limit.tag]):
                since.pop(key, None)
            elif plant.time_s - since.setdefault(key, plant.time_s) >= limit.on_delay_s:
                tripped.add(key)

    assert tripped == {
        ("TK-103.level", "H"),
        ("TK-103.level", "HH"),
        ("TK-103.hh_switch", "HH"),
        ("GD-311.lel", "H"),
        ("GD-311.lel", "HH"),
        ("GD-312.lel", "H"),
        ("Z-401.occupancy", "H"),
        ("Z-401.occupancy", "HH"),
        ("Z-401.density", "H"),
        ("Z-401.density", "HH"),
    }


@pytest.mark.parametrize("seed", range(3))
def test_first_light_ends_well(seed: int) -> None:
    """Everything is back within its limits three and a half minutes after the start."""
    plant, story = Plant(np.random.default_rng(seed)), read_story("first_light")
    while plant.time_s < 210:
        for moment in story.due(plant.time_s):
            plant.do(moment.act)
        plant.step(0.1)
    readings = plant.readings()

    assert [limit for limit in read_wiring(SITE).limits if limit.is_beyond(readings[limit.tag])] == []


def test_each_moment_is_told_once_and_in_order() -> None:
    story = read_story("first_light")
    first, again, later = story.due(4.0), story.due(4.0), story.due(5.0)

    assert [moment.at_s for moment in first] == sorted(moment.at_s for moment in first)
    assert again == []
    assert [moment.act.verb for moment in later] == ["leak"]


@pytest.mark.parametrize("path", told_on_devices(), ids=lambda path: path.stem)
def test_each_story_is_told_in_both_languages(path: Path) -> None:
    story = read_story(str(path))

    assert set(story.title) == {"en", "zh"}
    assert all(set(moment.say) == {"en", "zh"} for moment in story.moments)


def test_a_wrong_story_names_every_mistake(tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(
        '[[act]]\nat_s = -1\nverb = "leak"\nunit = "TK-103"\n'
        '[[act]]\nat_s = 1\nverb = "explode"\nunit = "x"\nwhat = 1\n'
    )

    with pytest.raises(StoryError) as caught:
        read_story(str(path))

    assert str(caught.value).splitlines() == [
        "bad.toml: act 1: the plant has no unit 'TK-103' that can leak.",
        "bad.toml: act 1: at_s (-1) must be a number of seconds, 0 or more.",
        "bad.toml: act 2: unknown key 'what'.",
        "bad.toml: act 2: verb 'explode' must be one of inlet, outlet, control, leak, arrive, free, stay.",
    ]


def test_a_story_of_another_plant_is_not_for_devices() -> None:
    with pytest.raises(StoryError, match=r"Play it with fengsui simulate buncefield\."):
        read_story("buncefield")


def test_an_unknown_story_names_the_known_ones() -> None:
    with pytest.raises(StoryError, match=r"There is no story 'nope'\. Known stories: first_light;"):
        read_story("nope")
