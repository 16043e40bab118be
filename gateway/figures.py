"""Figures: the events of a period from the store, by one index, into the figures of ``alerting.kpi_period``.

Flow: store (index of nature and time) -> [read] -> figures
Why: a year of a plant is a million events; a report looks at its own period and at nothing else.
"""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Select, select

from alerting.kpi_period import Figures, Happened, figures
from alerting.model.alarm import State, Suppression
from alerting.model.event import What
from alerting.model.tier import Tier
from edge.model import Nature
from gateway.store import schema

NS = 1_000_000_000
CHUNK = 500
_COUNTED = ("raised", "escalated", "realarmed", "returned", "cleared", "acknowledged", "shelved", "suppressed")


def statement(nature: Nature, span: tuple[int, int]) -> Select[Any]:
    """Give the query of a period; a test holds it to the index."""
    table = schema.event
    return (
        select(
            table.c.what,
            table.c.time_ns,
            table.c.alarm_key,
            table.c.alarm,
            table.c.tag,
            table.c.unit,
            table.c.rule_group,
            table.c.tier,
            table.c.suppression,
            table.c.condition,
        )
        .where(table.c.nature == nature.value, table.c.time_ns >= span[0], table.c.time_ns < span[1])
        .where(table.c.what.in_(_COUNTED), table.c.is_late.is_(False), table.c.alarm_key != "")
        .order_by(table.c.time_ns, table.c.seq)
    )


def read_figures(
    connection: Connection, nature: Nature, span: tuple[int, int], zone: ZoneInfo, units: frozenset[str] = frozenset()
) -> Figures:  # fmt: skip
    """Give the figures of a period, ns, half open.

    Args:
        units: Of the position that is asked for; empty for all.
    """
    events, before = read_events(connection, nature, span, units)
    moment = datetime.fromtimestamp(span[0] // NS, zone)
    offset = moment.utcoffset() or timedelta(0)
    return figures(events, before, span, utc_offset_s=round(offset.total_seconds()))


def read_events(
    connection: Connection, nature: Nature, span: tuple[int, int], units: frozenset[str] = frozenset()
) -> tuple[list[Happened], dict[str, int]]:
    """Give what happened in a period, in order, and the alarms that were active when it began (key, since when, ns)."""
    words, tiers = {what.value: what for what in What}, {int(tier): tier for tier in Tier}
    events = [
        Happened(
            what=words[what],
            time_ns=time_ns,
            key=key,
            alarm=alarm,
            tag=tag,
            unit=unit,
            group=group,
            tier=tiers[tier],
            is_quiet=suppression != Suppression.NONE,
            condition=condition,
        )
        for what, time_ns, key, alarm, tag, unit, group, tier, suppression, condition in connection.execute(
            statement(nature, span)
        )
        if not units or unit in units
    ]
    return events, _active_before(connection, nature, span[0], events, units)


def _active_before(
    connection: Connection, nature: Nature, begin_ns: int, events: list[Happened], units: frozenset[str]
) -> dict[str, int]:  # fmt: skip
    """Give the alarms that were active when the period began: those that ended in it, and those that still are."""
    alarm, event = schema.alarm, schema.event
    still = select(alarm.c.id, alarm.c.unit).where(
        alarm.c.nature == nature.value,
        alarm.c.state.in_((State.UNACK.value, State.ACKED.value)),
        alarm.c.onset_ns < begin_ns,
    )
    ids = {one for one, unit in connection.execute(still) if not units or unit in units}
    raised: set[str] = set()
    for each in events:
        if each.what is What.RAISED:
            raised.add(each.key)
        elif each.what is What.RETURNED and each.key not in raised:
            ids.add(each.alarm)
    found: dict[str, int] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(event.c.alarm_key, event.c.what, event.c.time_ns)
            .where(event.c.alarm.in_(wanted[start : start + CHUNK]), event.c.time_ns < begin_ns)
            .where(event.c.what.in_(("raised", "returned", "cleared")))
            .order_by(event.c.seq)
        )
        for key, what, time_ns in connection.execute(query):
            if what == "raised":
                found[key] = time_ns
            else:
                found.pop(key, None)
    return found
