"""Stories: which of them can be played on this site, and reading one for a drill.

Flow: those that ship, the site's own folder -> [listed] -> page; name -> [read] -> Scenario and shadow site, or why not
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from edge.load.mistake import ConfigError
from edge.model import Nature
from gateway.config import Site
from gateway.drill.refused import DrillRefused
from gateway.drill.site import shadow_of
from gateway.simulate.known import known_of
from gateway.system import SOURCE
from simulators.plant.kinds import PLANTS
from simulators.plant.port import PlantKind
from simulators.scenario import Known, Scenario, See, read_scenario
from simulators.scenario.read import SCENARIOS

NAMED_MAX: Final = 6
LISTED_MAX: Final = 500  # Files of a folder; more are somebody's archive.


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One story as the page offers it.

    Attributes:
        missing: Tags that its plant measures and this site does not have; it can be played where there are none.
        mistake: Why its file cannot be played, by language; None where it can.
    """

    name: str
    title: dict[str, str]
    plant: str
    lasts_s: float
    is_own: bool
    missing: tuple[str, ...] = ()
    mistake: dict[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A story that can be played: what happens, and the shadow that it happens on.

    Attributes:
        left_out: Rules of the site that the plant does not feed, and expectations that nobody could meet here.
    """

    scenario: Scenario
    shadow: Site
    left_out: dict[str, int]


def measured_of(kind: PlantKind) -> tuple[str, ...]:
    """Give the tags that a kind of plant measures."""
    return tuple(kind.make(np.random.default_rng(0)).tags)


def listed(site: Site) -> list[Listed]:
    """Give every story with whether this site has what it needs; those of the site's own folder first."""
    measured = {name: measured_of(kind) for name, kind in PLANTS.items()}
    lacks = {name: tuple(_missing(site, tags)) for name, tags in measured.items()}
    found = []
    for path, is_own in files_of(site):
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as failure:  # TOMLDecodeError and UnicodeDecodeError are ValueErrors.
            why = {"en": f"{path.name}: {failure}", "zh": f"{path.name} 不是可读取的 TOML 文件:{failure}"}
            found.append(Listed(name=path.stem, title={}, plant="", lasts_s=0.0, is_own=is_own, mistake=why))
            continue
        plant = str(content.get("plant", "demonstration"))
        title, lasts = content.get("title"), content.get("lasts_s", content.get("completes_s", 0))
        found.append(
            Listed(
                name=path.stem,
                title={k: str(v) for k, v in title.items()} if isinstance(title, dict) else {},
                plant=plant,
                lasts_s=float(lasts) if isinstance(lasts, int | float) else 0.0,
                is_own=is_own,
                missing=lacks.get(plant, ()),
                mistake=None if plant in PLANTS else _no_plant(path, plant),
            )
        )
    return found


def _no_plant(path: Path, plant: str) -> dict[str, str]:
    kinds = ", ".join(sorted(PLANTS))
    return {
        "en": f"{path.name}: there is no plant {plant!r}; there are {kinds}.",
        "zh": f"{path.name}:没有名为“{plant}”的装置,可选 {kinds}。",
    }


def read(site: Site, name: str) -> Staged:
    """Read a story for a drill on this site.

    Raises:
        DrillRefused: There is none of that name, or it has mistakes, or the site lacks what it needs.
    """
    if any(source.nature is Nature.EXERCISE for source in site.sources):
        raise DrillRefused(
            "Sources of this site are of nature exercise themselves; a drill could not be told from them.",
            "本站已有性质为“演练”的数据源,无法与演练区分,不能开始演练。",
        )
    path = next((path for path, _ in files_of(site) if path.stem == name), None)
    if path is None:
        raise DrillRefused(f"There is no story {name[:64]!r}.", f"没有名为“{name[:64]}”的演练脚本。", code="not_found")
    shadows: list[Site] = []

    def known(_site_of_file: Path | None, kind: PlantKind) -> Known:
        measured = measured_of(kind)
        missing = _missing(site, measured)
        if missing:
            some = ", ".join(missing[:NAMED_MAX]) + (" …" if len(missing) > NAMED_MAX else "")
            raise DrillRefused(
                f"The plant {kind.name} of this story measures {some}, and this site has no such measured tag.",
                f"该脚本的装置 {kind.name} 需要测点 {some},本站没有这些实测位号。",
            )
        shadows.append(shadow_of(site, measured))
        told = known_of(shadows[-1], measured, has_system=False)
        return replace(told, told_from=told.told_from or "BLUE")  # Where nobody is told, they are left out below.

    try:
        scenario = read_scenario(path, known)
    except ConfigError as wrong:
        mistakes = [str(mistake) for mistake in wrong.mistakes]
        raise DrillRefused(
            f"The story {name} cannot be played on this site: {mistakes[0]}",
            f"脚本“{name}”无法在本站演练:{mistakes[0]}",
            code="invalid",
            details=mistakes,
        ) from wrong
    shadow = shadows[-1]
    is_told = any(Nature.EXERCISE in destination.natures for destination in shadow.destinations)
    kept = tuple(each for each in scenario.expectations if is_told or each.see is not See.NOTICE)
    left_out = {
        "rules": sum(not rule.is_hidden for rule in site.rules) - sum(not rule.is_hidden for rule in shadow.rules),
        "notices": len(scenario.expectations) - len(kept),
    }
    return Staged(scenario=replace(scenario, expectations=kept), shadow=shadow, left_out=left_out)


def _missing(site: Site, measured: tuple[str, ...]) -> list[str]:
    sources = {source.id for source in site.sources} - {SOURCE}
    row_of = site.tags.row_of
    return [tag for tag in measured if tag not in row_of or site.tags[row_of[tag]].source not in sources]


def files_of(site: Site) -> Iterator[tuple[Path, bool]]:
    """Give each story's file and whether it is the site's own; those come first."""
    own = [] if site.drill.stories is None else sorted(site.drill.stories.absolute().glob("*.toml"))[:LISTED_MAX]
    yield from ((path, True) for path in own)
    taken = {path.stem for path in own}
    yield from ((path, False) for path in sorted(SCENARIOS.glob("*.toml")) if path.stem not in taken)
