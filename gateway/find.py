"""Find: alarms in a register by what a person has at hand: an id, a tag, a rule.

Flow: register -> [find] -> ``fengsui alarms``, ``fengsui why``
"""

import json
from collections.abc import Iterator

from sqlalchemy import Connection, func, or_, select

from alerting.model.alarm import Alarm, State, Suppression
from gateway.api.queries import to_alarm
from gateway.store.schema import alarm, event


def current(connection: Connection) -> list[Alarm]:
    """Give the alarms that ring, wait for an answer or are kept quiet, the gravest and oldest first."""
    rows = connection.execute(
        select(alarm).where(or_(alarm.c.state != State.NORMAL.value, alarm.c.suppression != Suppression.NONE.value))
    )
    return sorted(map(to_alarm, rows), key=lambda one: (-max(one.tier, one.tier_max), one.onset_ns, one.key))


def find(connection: Connection, name: str) -> list[str]:
    """Give the ids of the alarms that a name means, each its latest episode; none where nothing ever rang by it.

    Args:
        name: Alarm id or key, rule id, or tag; a tag may have several alarms.
    """
    if connection.execute(
        select(event.c.seq).where(or_(event.c.alarm == name, event.c.alarm_key == name)).limit(1)
    ).first():
        return [name]
    of_tag = _of_tag(connection, name)
    return of_tag or list(_of_rule(connection, name))


def _of_tag(connection: Connection, name: str) -> list[str]:
    """Give the latest episode of each alarm of a tag, the newest first."""
    latest = (
        select(func.max(event.c.seq).label("seq"))
        .where(event.c.tag == name, event.c.alarm != "")
        .group_by(event.c.alarm_key)
        .subquery()
    )
    rows = connection.execute(
        select(event.c.alarm).join(latest, latest.c.seq == event.c.seq).order_by(event.c.seq.desc())
    )
    return list(rows.scalars())


def _of_rule(connection: Connection, name: str) -> Iterator[str]:
    """Give the last episode that a rule took part in; its id begins with its tag's name and a dot."""
    parts = name.split(".")
    tags = [".".join(parts[:n]) for n in range(1, len(parts))]
    rows = connection.execute(
        select(event.c.alarm, event.c.cause)
        .where(event.c.tag.in_(tags), event.c.alarm != "", event.c.cause.contains(name, autoescape=True))
        .order_by(event.c.seq.desc())
    )
    for row in rows:
        if json.loads(row.cause).get("rule") == name:
            yield row.alarm
            return
