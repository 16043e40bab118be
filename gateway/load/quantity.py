"""Quantities: what ``[[quantity_share]]`` says of hazard units whose live quantities are watched."""

from collections.abc import Collection

from alerting.model.quantity_share import QuantityShare
from edge.load.entry import Entry
from edge.load.mistake import meant, show
from edge.load.words import ID_RULE, is_id, keys_of


def read_quantities(root: Entry, units: Collection[str]) -> tuple[QuantityShare, ...]:
    """Read all; what is wrong is noted.

    Args:
        root: The site file.
        units: Ids of the hazard units.
    """
    found: dict[str, QuantityShare] = {}
    for entry in root.sections("quantity_share", "Quantity share"):
        entry.refuse_unknown(keys_of("quantity_share"))
        dossier = entry.required("dossier", ID_RULE, is_id)
        unit = entry.required("unit", "it is the id of a [[unit]]")
        if unit and unit not in units:
            entry.wrong("unit", f"unit {show(unit)} does not exist.", meant(unit, tuple(units)))
        if dossier in found:
            entry.wrong("dossier", f"dossier {show(dossier)} stands twice.", "Name each dossier once.")
        elif dossier:
            found[dossier] = QuantityShare(dossier=dossier, unit=unit)
    return tuple(found.values())
