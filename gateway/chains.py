"""Chains: which alarm each destination has been told of, and the notices that a tick adds.

Flow: Outcome -> [compose] -> outbox rows, in the tick's transaction
Why: a chain alerted before a restart must still get its updates and its cancel after it.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from alerting.desk import Outcome
from alerting.model.alarm import Alarm
from alerting.push.notice import Composer, Head, follow
from gateway.config import Site
from gateway.store.journal import Journal
from gateway.store.schema import outbox


class Chains:
    """Open chains of all destinations; composes in the order of ticks, before they are written."""

    def __init__(self, site: Site, journal: Journal) -> None:
        self._composer = Composer(site)
        self._journal = journal
        self._open: dict[tuple[str, str], int] = {}

    def load(self, connection: Connection) -> None:
        """Read the chains that have not ended: how many notices came after each one's last cancel."""
        ended = (
            select(outbox.c.chain, outbox.c.destination, func.max(outbox.c.seq).label("seq"))
            .where(outbox.c.action == "cancel")
            .group_by(outbox.c.chain, outbox.c.destination)
            .subquery()
        )
        same = (ended.c.chain == outbox.c.chain) & (ended.c.destination == outbox.c.destination)
        query = (
            select(outbox.c.chain, outbox.c.destination, func.count())
            .select_from(outbox.outerjoin(ended, same))
            .where((ended.c.seq.is_(None)) | (outbox.c.seq > ended.c.seq))
            .group_by(outbox.c.chain, outbox.c.destination)
        )
        self._open = {(chain, destination): count for chain, destination, count in connection.execute(query)}

    def compose(self, outcome: Outcome, alarms: Mapping[str, Alarm]) -> list[dict[str, Any]]:
        """Give the outbox rows of a tick."""
        rows: list[dict[str, Any]] = []
        for nature in {event.nature for event in outcome.events}:
            end = self._journal.heads.get(nature.value)
            head = None if end is None else Head(count=end.count, hash=end.hash)
            events = [event for event in outcome.events if event.nature is nature]
            notices = self._composer.compose_all(events, alarms, self._open, head)
            follow(self._open, notices)
            rows += [notice.row() for notice in notices]
        return rows
