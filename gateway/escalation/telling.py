"""Telling: what a tick's transaction does about those who are told and led: notices, ladders of calls, incidents.

Flow: Outcome -> [compose, follow] -> outbox rows, ladders and incidents, committed with the events they tell of
"""

from typing import Any

from sqlalchemy import Connection

from alerting.outcome import Outcome
from gateway.config import Site
from gateway.escalation.book import follow_outcome
from gateway.push.compose import Composer
from gateway.response.opening import follow as follow_incidents
from gateway.store.journal import Journal


class Telling:
    """Gives the outbox rows of an outcome, and lets the ladders follow it; called in the writer's transaction."""

    def __init__(self, site: Site, journal: Journal) -> None:
        self._site = site
        self._journal = journal
        self._compose = Composer(site, journal)

    def __call__(self, connection: Connection, outcome: Outcome) -> list[dict[str, Any]]:
        """Compose the notices of one tick, keep the ladders, and let incidents follow."""
        follow_outcome(connection, self._site, outcome)
        follow_incidents(connection, self._site, self._journal, outcome)
        return self._compose(connection, outcome)
