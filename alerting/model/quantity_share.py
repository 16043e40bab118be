"""Quantity share: a hazard unit of the register whose live quantities are tags of the gateway's own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityShare:
    """A dossier of which what is there now is held against what it was designed for and filed with.

    Attributes:
        dossier: Code in the ledger of hazard units.
        unit: Hazard unit of the site whose alarms they are.
    """

    dossier: str
    unit: str
