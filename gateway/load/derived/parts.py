"""Parts that only one kind has: what cannot be said by a list of roles and numbers."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge.load.entry import Entry
from edge.load.mistake import show
from edge.model import Tag
from gateway.load.derived.substances import SUBSTANCES

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(slots=True)
class Draft:
    """A derivation on its way: numbers and words are filled up in place; NaN is a number that is not given.

    Attributes:
        inputs: Tags by role.
        timezone: The site's.
    """

    entry: Entry
    tag: Tag
    inputs: Mapping[str, Sequence[Tag]]
    numbers: dict[str, float]
    words: dict[str, str]
    timezone: str


def _occupancy(draft: Draft) -> None:
    """When it is set to 0, and how: a count that is never reset drifts for ever."""
    entry = draft.entry
    reset_at = entry.text("reset_at")
    if reset_at and not _TIME.fullmatch(reset_at):
        entry.wrong("reset_at", f"reset_at is {show(reset_at)}; it is a local time of day.", 'Write e.g. "04:00".')
        reset_at = ""
    if not entry.has("reset_at") and not draft.inputs.get("empty"):
        entry.wrong(
            "reset_at",
            "neither reset_at nor an input empty is given; miscounts would add up for ever.",
            'Add reset_at = "04:00", a time when nobody is inside, or an input empty.',
        )
    if draft.words["counting"] == "interval" and entry.has("rollover"):
        entry.wrong("rollover", "rollover is given; counts of an interval have none.", "Remove rollover.")
    draft.words["reset_at"], draft.words["timezone"] = reset_at, draft.timezone or "UTC"


def _gas(draft: Draft) -> None:
    """From which unit into which, with what the way between them needs."""
    entry, numbers, words = draft.entry, draft.numbers, draft.words
    name = entry.choice("substance", tuple(SUBSTANCES), "") if entry.has("substance") else ""
    substance = SUBSTANCES.get(name)
    if substance is not None:
        if math.isnan(numbers["molar_mass_g_mol"]):
            numbers["molar_mass_g_mol"] = substance.molar_mass_g_mol
        if math.isnan(numbers["lel_percent"]) and substance.lel_percent is not None:
            numbers["lel_percent"] = substance.lel_percent
    given = draft.inputs.get("gas") or [draft.tag]
    words["from"], words["to"] = _unit(given[0].eu), _unit(draft.tag.eu)
    for number, eu in (("lel_percent", "%LEL"), ("molar_mass_g_mol", "mg/m³")):
        if eu in (words["from"], words["to"]) and words["from"] != words["to"] and math.isnan(numbers[number]):
            entry.wrong(
                number,
                f"{number} is missing; {words['from']} into {words['to']} needs it.",
                "Add it, or a substance that is known here and has it.",
            )


def _unit(eu: str) -> str:
    """Spell a unit as the method does; what is none has been told."""
    return eu if eu in ("%LEL", "%VOL", "ppm") else "mg/m³"


def _normal_flow(draft: Draft) -> None:
    """Design values are what a pressure-drop meter reckons with, and nobody else."""
    entry, numbers = draft.entry, draft.numbers
    is_drop = draft.words["meter"] == "pressure_drop"
    for key in ("design_kpa", "design_c"):
        if is_drop and math.isnan(numbers[key]) and not entry.has(key):
            entry.wrong(key, f"{key} is missing; the meter reckons with it.", f"Add {key} from its data sheet.")
    for key in ("design_kpa", "design_c", "design_z"):
        if draft.words["meter"] == "volume" and entry.has(key):
            entry.wrong(key, f"{key} is given; a volume meter has none.", f"Remove {key}.")


def _pca(draft: Draft) -> None:
    """Which model it follows."""
    draft.words["model"] = draft.entry.required("model", "it names the model that fengsui learn makes for these tags")


OWN_PARTS: Final[Mapping[str, Callable[[Draft], None]]] = {
    "occupancy": _occupancy,
    "gas": _gas,
    "normal_flow": _normal_flow,
    "pca": _pca,
}
