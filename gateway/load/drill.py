"""Drills: what ``[drill]`` says of when they are refused and where the site's own stories are."""

from pathlib import Path
from typing import Final

from alerting.model.tier import Tier
from edge.load.entry import Entry
from edge.load.mistake import show
from edge.load.words import keys_of
from gateway.config import DrillOptions

#: A RED alone would let a drill begin that an ORANGE pauses at once.
TIERS: Final = (Tier.BLUE.name, Tier.YELLOW.name, Tier.ORANGE.name)


def read_drill(root: Entry, path: Path) -> DrillOptions:
    """Read the section.

    Args:
        root: The site file.
        path: Its path; folders are given from it.
    """
    section = root.section("drill")
    section.who = "Drill"
    section.refuse_unknown(keys_of("drill"))
    tier = Tier[section.choice("refused_from", TIERS, Tier.ORANGE.name)]
    named = section.text("stories")
    folder = path.parent / named if named else None
    if folder is not None and not folder.is_dir():
        section.wrong(
            "stories",
            f"the folder {show(named)} does not exist beside the site file.",
            "Make it and put scenario files (*.toml) into it, or remove stories.",
        )
        folder = None
    return DrillOptions(refused_from=tier, stories=folder)
