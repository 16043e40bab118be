"""Compose the notices of a tick inside its transaction.

Flow: Outcome -> [Composer] -> outbox rows, committed with the events they tell of
Why: which chains a destination knows of is read from the outbox itself, in the same transaction, so that a crash or
    a rolled-back tick can never leave a chain half begun.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection, select

from alerting.desk import Outcome
from alerting.model.alarm import digest
from alerting.push.envelope import Thread, as_text, wrap
from alerting.push.notice import Composer as Pen
from alerting.push.notice import Head, Notice, chain_of, follow, step
from alerting.push.profile import Profile
from edge.model import Nature
from gateway.config import Site
from gateway.push.counter import allot
from gateway.response.zones import confirmed_in
from gateway.store.journal import Journal
from gateway.store.schema import outbox

CHUNK = 500  # Chains in one question; well below every database's bound of parameters.

#: A chain at one destination.
Place = tuple[str, str]


@dataclass(slots=True)
class OpenChains:
    """Chains since their last cancel, by (chain, destination).

    Attributes:
        told: How many notices each has had.
        references: How those are named, in forms that name them.
        held: Chains of which one notice is in quarantine: what follows waits with it.
    """

    told: dict[Place, int] = field(default_factory=dict)
    references: dict[Place, list[str]] = field(default_factory=dict)
    held: set[Place] = field(default_factory=set)

    def note(self, place: Place, reference: str, *, is_end: bool) -> None:
        """Count one more notice."""
        step(self.told, place, is_end=is_end)
        if is_end:
            self.references.pop(place, None)
        elif reference:
            self.references.setdefault(place, []).append(reference)


class Composer:
    """Gives the outbox rows of an outcome; called in the writer's transaction."""

    def __init__(self, site: Site, journal: Journal) -> None:
        self._pen = Pen(site, _responses(site))
        self._journal = journal
        self._has_zones = bool(site.zones)
        self._profiles = {destination.id: destination.profile for destination in site.destinations}

    def __call__(self, connection: Connection, outcome: Outcome) -> list[dict[str, Any]]:
        """Compose the notices of one tick, in the order of its events."""
        events = [event for event in outcome.events if event.alarm_key]
        if not (events or outcome.stops) or not self._profiles:
            return []
        names = {digest("stop", stop.id) for stop in outcome.stops.values()}
        names |= {chain_of(event) for event in events} | {event.alarm for event in events if event.alarm}
        chains = open_chains(connection, sorted(names))  # A stop by design is told only to who follows the alarm.
        notices: list[Notice] = []
        zones: dict[Nature, dict[str, dict[str, Any]]] = {}
        if self._has_zones:
            for nature in {event.nature for event in events}:
                zones[nature] = confirmed_in(connection, {e.unit for e in events if e.nature is nature}, nature)
        for stop in outcome.stops.values():
            made = self._pen.compose_stop(stop, outcome.now_ns, chains.told, self._head(stop.nature))
            notices += [kept for one in made if (kept := self._wrapped(connection, one, chains)) is not None]
        for event in events:
            made = self._pen.compose(event, outcome.alarms.get(event.alarm_key), chains.told, self._head(event.nature))
            zone = zones.get(event.nature, {}).get(event.unit)
            if zone is not None:
                made = [replace(one, body=_with_zone(one.body, zone)) for one in made]
            notices += [kept for one in made if (kept := self._wrapped(connection, one, chains)) is not None]
        return [notice.row() for notice in notices]

    def _wrapped(self, connection: Connection, notice: Notice, chains: OpenChains) -> Notice | None:
        """Put a notice into its destination's form; None where that has no place for it."""
        place = (notice.chain, notice.destination)
        made = wrapped(connection, self._profiles[notice.destination], notice, chains.references.get(place, []))
        if made is None:
            return None
        chains.note(place, made.reference, is_end=notice.action == "cancel")
        return replace(made, state="quarantined") if place in chains.held else made

    def _head(self, nature: Nature) -> Head | None:
        """The last committed end of the chain of this nature, not the one that is being written."""
        end = self._journal.heads.get(nature)
        return None if end is None else Head(count=end.count, hash=end.hash)


def _with_zone(body: str, zone: Mapping[str, Any]) -> str:
    """Give a notice with the consequence zone that a person confirmed for it; what is over has none."""
    plain = json.loads(body)
    if plain["action"] == "cancel" or plain["subject"] != "alarm":
        return body
    return as_text(plain | {"zone": zone})


def wrapped(connection: Connection, profile: Profile, notice: Notice, references: list[str]) -> Notice | None:
    """Put a notice into a profile's form, inside the caller's transaction: identifiers are counted there."""
    if profile.envelope == "plain":
        return notice
    thread = Thread(
        references=tuple(references), allot=lambda prefix: allot(connection, prefix, notice.created_ns // 1_000_000_000)
    )
    wire = wrap(profile, json.loads(notice.body), thread)
    return None if wire is None else replace(notice, wire=wire.text, reference=wire.reference)


def open_chains(connection: Connection, chains: list[str]) -> OpenChains:
    """Find what was told of those chains since their last cancel; ended ones are left out."""
    table, found = outbox, OpenChains()
    for start in range(0, len(chains), CHUNK):
        query = (
            select(table.c.chain, table.c.destination, table.c.action, table.c.reference, table.c.state)
            .where(table.c.chain.in_(chains[start : start + CHUNK]))
            .order_by(table.c.seq)
        )
        for chain, destination, action, reference, state in connection.execute(query):
            found.note((chain, destination), reference, is_end=action == "cancel")
            if state == "quarantined":
                found.held.add((chain, destination))
    return found


def _responses(site: Site) -> Any:  # noqa: ANN401 - a function of a rule's id
    """Give what a person must do when a rule trips, by rule; rules that were taken out since say nothing."""
    rules = site.rules

    def of(rule: str) -> Mapping[str, str]:
        k = rules.index_of.get(rule)
        return {} if k is None else rules[k].response

    return of


__all__ = ["Composer", "OpenChains", "follow", "open_chains", "wrapped"]
