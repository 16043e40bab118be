"""Compose the notices of a tick inside its transaction.

Flow: Outcome -> [Composer] -> outbox rows, committed with the events they tell of
Why: which chains a destination knows of is read from the outbox itself, in the same transaction, so that a crash or
    a rolled-back tick can never leave a chain half begun.
"""

from typing import Any

from sqlalchemy import Connection, select

from alerting.desk import Outcome
from alerting.push.notice import Composer as Pen
from alerting.push.notice import Head, Notice, chain_of, follow, step
from edge.model import Nature
from gateway.config import Site
from gateway.store.journal import Journal
from gateway.store.schema import outbox

CHUNK = 500  # Chains in one question; well below every database's bound of parameters.


class Composer:
    """Gives the outbox rows of an outcome; called in the writer's transaction."""

    def __init__(self, site: Site, journal: Journal) -> None:
        self._pen = Pen(site)
        self._journal = journal
        self._has_destinations = bool(site.destinations)

    def __call__(self, connection: Connection, outcome: Outcome) -> list[dict[str, Any]]:
        """Compose the notices of one tick, in the order of its events."""
        events = [event for event in outcome.events if event.alarm_key]
        if not events or not self._has_destinations:
            return []
        chains = open_chains(connection, sorted({chain_of(event) for event in events}))
        notices: list[Notice] = []
        for event in events:
            made = self._pen.compose(event, outcome.alarms.get(event.alarm_key), chains, self._head(event.nature))
            follow(chains, made)
            notices += made
        return [notice.row() for notice in notices]

    def _head(self, nature: Nature) -> Head | None:
        """The last committed end of the chain of this nature, not the one that is being written."""
        end = self._journal.heads.get(nature)
        return None if end is None else Head(count=end.count, hash=end.hash)


def open_chains(connection: Connection, chains: list[str]) -> dict[tuple[str, str], int]:
    """Count the notices of those chains since their last cancel, by (chain, destination); ended ones are left out."""
    table = outbox
    found: dict[tuple[str, str], int] = {}
    for start in range(0, len(chains), CHUNK):
        query = (
            select(table.c.chain, table.c.destination, table.c.action)
            .where(table.c.chain.in_(chains[start : start + CHUNK]))
            .order_by(table.c.seq)
        )
        for chain, destination, action in connection.execute(query):
            step(found, (chain, destination), is_end=action == "cancel")
    return found
