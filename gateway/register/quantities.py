"""Live quantities: what is there now in the hazard units that the site names, as tags of the gateway's own.

Flow: dossiers and holdings (store, now and then), live values (picture) -> [shares, once a second] -> own tags -> rules
Why: above the design maximum, above the filed quantity, or a substance that nobody filed: the grade does not cover it.
Never: lets a bad value end an alarm: below 100 % a share is known only while every quantity is.
"""

import math
from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection

from alerting.register.gb18218.shares import Shares, shares_of
from alerting.register.ledgers.holdings import holding_of
from gateway.config import Site
from gateway.live import Picture
from gateway.means import Means, Standstill, look_on
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
        self._still = Standstill(means.changes)

    async def run(self) -> None:
        """Look until cancelled."""
        await look_on(self._means, "live quantities", self.turn, lambda _: LOOK_S, self._still)

    async def turn(self) -> int:
        """Read the register once; give how many of the dossiers are there."""
        codes = [one.dossier for one in self._site().quantities]
        count, now_ns = self._means.changes.count, self._means.clock.wall_ns()
        if not self._still.holds(codes, now_ns=now_ns):
            self._known = await self._means.read(lambda c: read_dossiers(c, codes)) if codes else {}
            self._still.keep(count, codes, now_ns=now_ns)
        return len(self._known)

    def values(self) -> dict[str, float]:
        """Give the gateway's own tags of live quantities, without prefix; no number where it is not known."""
        return quantity_values(self._site(), self._known, self._picture)


def quantity_values(site: Site, known: dict[str, Gathered], picture: Picture) -> dict[str, float]:
    """Give the shares by tag name without prefix."""
    found: dict[str, float] = {}
    for one in site.quantities:
        gathered = known.get(one.dossier)
        shares = NOT_KNOWN if gathered is None else _shares(gathered, picture)
        for what, value in (("design", shares.design_pct), ("filed", shares.filed_pct), ("unfiled", shares.unfiled)):
            found[quantity_name(one.dossier, what)] = value
    return found


def _shares(gathered: Gathered, picture: Picture) -> Shares:
    tags = {one.code: str(one.values.get("live_tag", "")) for one in gathered.holdings}
    holdings = [
        holding_of(one.values, live_of(picture, tags[one.code])[0] if tags[one.code] else None)
        for one in gathered.holdings
    ]
    measured = {code: bool(tag) for code, tag in tags.items()}
    return shares_of(holdings, measured, is_filed=bool(gathered.dossier.values.get("filing_number")))
