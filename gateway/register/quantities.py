"""Live quantities: what is there now in the hazard units that the site names, as tags of the gateway's own.

Flow: dossiers and holdings (store, now and then), live values (picture) -> [shares, once a second] -> own tags -> rules
Why: above the design maximum, above the filed quantity, or a substance that nobody filed: the grade does not cover it.
Never: lets a bad value end an alarm. While a quantity is not known, the last that was known stands for it.
"""

import math
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from alerting.register.gb18218.shares import Shares, shares_of
from alerting.register.ledgers.holdings import holding_of
from gateway.config import Site
from gateway.live import Picture
from gateway.means import Means, look_on
from gateway.register.record import NotDone
from gateway.register.worksheet import Gathered, gather, live_of
from gateway.system import quantity_name

LOOK_S: Final = 5.0
NOT_KNOWN: Final = Shares(design_pct=math.nan, filed_pct=math.nan, unfiled=math.nan)


def read_dossiers(connection: Connection, codes: Sequence[str]) -> dict[str, Gathered]:
    """Give what the register says of these hazard units; one that is not there or closed is left out."""
    found: dict[str, Gathered] = {}
    for code in codes:
        try:
            gathered = gather(connection, code)
        except NotDone:
            continue
        if not gathered.dossier.values.get("closed_on"):
            found[code] = gathered
    return found


class Quantities:
    """Keeps dossiers and holdings at hand, and gives shares of what they allow."""

    def __init__(self, means: Means, picture: Picture) -> None:
        self._means, self._site = means, means.site
        self._picture = picture
        self._known: dict[str, Gathered] = {}
        self._last_t: dict[tuple[str, str], float] = {}  # By holding and tag: with another tag it is another quantity.

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "live quantities", self.turn, lambda _: LOOK_S)

    async def turn(self) -> int:
        """Read the register once; give how many of the dossiers are there."""
        codes = [one.dossier for one in self._site().quantities]
        self._known = await self._means.read(lambda c: read_dossiers(c, codes)) if codes else {}
        return len(self._known)

    def values(self) -> dict[str, float]:
        """Give the gateway's own tags of live quantities, without prefix; no number where it is not known."""
        return quantity_values(self._site(), self._known, self._picture, self._last_t)


def quantity_values(
    site: Site, known: dict[str, Gathered], picture: Picture, last_t: dict[tuple[str, str], float]
) -> dict[str, float]:
    """Give the shares by tag name without prefix.

    Args:
        last_t: Last known quantity by code and tag of a holding, t; it is kept up to date.
    """
    found: dict[str, float] = {}
    for one in site.quantities:
        gathered = known.get(one.dossier)
        shares = NOT_KNOWN if gathered is None else _shares(gathered, picture, last_t)
        for what, value in (("design", shares.design_pct), ("filed", shares.filed_pct), ("unfiled", shares.unfiled)):
            found[quantity_name(one.dossier, what)] = value
    return found


def _shares(gathered: Gathered, picture: Picture, last_t: dict[tuple[str, str], float]) -> Shares:
    holdings, measured = [], {}
    for one in gathered.holdings:
        tag = str(one.values.get("live_tag", ""))
        live_t = live_of(picture, tag)[0] if tag else None
        if live_t is not None:
            last_t[one.code, tag] = live_t
        holdings.append(holding_of(one.values, last_t.get((one.code, tag)) if tag else None))
        measured[one.code] = bool(tag)
    return shares_of(holdings, measured, is_filed=bool(gathered.dossier.values.get("filing_number")))
