"""Nuisances: the alarms of a period that chatter or are fleeting, from the store, with advice from their rules.

Flow: store (index of nature and time) -> excursions of each alarm -> [read] -> alarm list, report
"""

from typing import Any, Final

import numpy as np
from sqlalchemy import Connection

from alerting.kpi_period import excursions
from alerting.model.rule import Rule
from alerting.nuisance import Nuisance, advise_nuisance, nuisance_of
from edge.model import Nature
from gateway.config import Site
from gateway.figures import read_events

LISTED_MOST: Final = 100


def read_nuisances(
    connection: Connection, site: Site, nature: Nature, span: tuple[int, int], units: frozenset[str] = frozenset()
) -> list[Nuisance]:
    """Give the nuisance alarms of a period, ns, half open; the worst first.

    Args:
        units: Of the position that is asked for; empty for all.
    """
    events, before = read_events(connection, nature, span, units)
    first = {event.key: event for event in reversed(events)}
    _, began = excursions(events, before, span)
    found = []
    for key, pairs in began.items():
        times = np.array(pairs, dtype=np.int64)
        chatters, fleets = nuisance_of(times[:, 0], times[:, 1], span[1])
        if not chatters + fleets:
            continue
        event = first[key]
        rule = _rule(site, event.tag, event.group, event.condition)
        row = site.tags.row_of.get(event.tag)
        advice = () if rule is None or row is None else advise_nuisance(rule, site.tags[row], times[:, 0], times[:, 1])
        found.append(
            Nuisance(
                key=key, tag=event.tag, unit=event.unit, group=event.group, rule="" if rule is None else rule.id,
                activations=len(pairs), chattering=chatters, fleeting=fleets, advice=advice,
            )
        )  # fmt: skip
    found.sort(key=lambda one: (-one.chattering - one.fleeting, one.key))
    return found[:LISTED_MOST]


def _rule(site: Site, tag: str, group: str, condition: str) -> Rule | None:
    """Give the rule that rang: of the alarm's limits that whose condition it was, else its only one."""
    row = site.rules.tags.row_of.get(tag)
    if row is None:
        return None
    mine = [site.rules[k] for k in range(int(site.rules.first[row]), int(site.rules.first[row + 1]))]
    mine = [rule for rule in mine if rule.group == group]
    named = [rule for rule in mine if rule.kind.name == condition]
    return named[0] if named else mine[0] if len(mine) == 1 else None


def shown_nuisance(one: Nuisance) -> dict[str, Any]:
    """Give it as JSON values."""
    return {
        "key": one.key,
        "tag": one.tag,
        "unit": one.unit,
        "group": one.group,
        "rule": one.rule,
        "activations": one.activations,
        "chattering": one.chattering,
        "fleeting": one.fleeting,
        "advice": [
            {"field": each.field, "now": each.now, "proposed": each.proposed, "spares": each.spares,
             "reason": each.reason, "status": "ours"}
            for each in one.advice
        ],
    }  # fmt: skip
