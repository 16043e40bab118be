"""Story: what happens to the plant and when, as data.

Flow: story file -> [Story] -> acts due -> plant
Never: does I/O beyond reading its file once, reads a clock.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from simulators.plant import ACTS, Act, Plant

STORIES = Path(__file__).parent / "stories"
DEMONSTRATION = "demonstration"


class StoryError(Exception):
    """A story that cannot be told: all its mistakes, one a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One act with its time and what a person would say about it."""

    at_s: float
    act: Act
    say: dict[str, str] = field(default_factory=dict)


class Story:
    """Moments in order of time; tells each of them once.

    Attributes:
        completes_s: When everything that the story wants seen has begun, s.
    """

    def __init__(self, moments: list[Moment], *, completes_s: float, title: dict[str, str] | None = None) -> None:
        self.moments = sorted(moments, key=lambda moment: moment.at_s)
        self.completes_s = completes_s
        self.title = title or {}
        self._told = 0

    def due(self, time_s: float) -> list[Moment]:
        """Give the moments that have come since the last call, in order."""
        first = self._told
        while self._told < len(self.moments) and self.moments[self._told].at_s <= time_s:
            self._told += 1
        return self.moments[first : self._told]


def told_on_devices() -> list[Path]:
    """Give the stories that the simulated devices can tell: those of the demonstration plant."""
    files = sorted(STORIES.glob("*.toml"))
    return [
        file for file in files if tomllib.loads(file.read_text("utf-8")).get("plant", DEMONSTRATION) == DEMONSTRATION
    ]


def read_story(name: str) -> Story:
    """Read a story by its name in ``simulators/stories`` or by its path.

    Raises:
        StoryError: With every mistake of the file.
    """
    path = Path(name)
    if path.suffix != ".toml":
        path = STORIES / f"{name}.toml"
    if not path.exists():
        known = ", ".join(path.stem for path in told_on_devices())
        raise StoryError(f"There is no story {name!r}. Known stories: {known}; a path must end in .toml.")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise StoryError(f"{path}: not TOML: {error}") from error
    plant = content.get("plant", DEMONSTRATION)
    if plant != DEMONSTRATION:
        raise StoryError(
            f"{path.name} is played on the plant {plant!r}, and the devices serve the demonstration's alone. "
            f"Play it with fengsui simulate {path.stem}."
        )
    mistakes: list[str] = []
    moments = [_moment(row, f"{path.name}: act {number}", mistakes) for number, row in enumerate(content["act"], 1)]
    if mistakes:
        raise StoryError("\n".join(mistakes))
    return Story(moments, completes_s=float(content.get("completes_s", 0)), title=content.get("title", {}))


def _moment(row: dict[str, Any], where: str, mistakes: list[str]) -> Moment:
    unknown = set(row) - {"at_s", "verb", "unit", "amount", "say"}
    mistakes += [f"{where}: unknown key {key!r}." for key in sorted(unknown)]
    act = Act(verb=str(row.get("verb")), unit=str(row.get("unit")), amount=float(row.get("amount", 0)))
    if act.verb not in ACTS:
        mistakes.append(f"{where}: verb {act.verb!r} must be one of {', '.join(ACTS)}.")
    else:
        try:
            Plant(np.random.default_rng(0)).do(act)  # The plant itself knows which units it has.
        except KeyError:
            mistakes.append(f"{where}: the plant has no unit {act.unit!r} that can {act.verb}.")
    at_s = row.get("at_s")
    if not isinstance(at_s, int | float) or at_s < 0:
        mistakes.append(f"{where}: at_s ({at_s!r}) must be a number of seconds, 0 or more.")
        at_s = 0.0
    return Moment(at_s=float(at_s), act=act, say=dict(row.get("say", {})))
