"""Why a hazard unit has its tier and why an event came to be, as facts for one sentence (``gateway.why``)."""

from typing import Any

import orjson
from sqlalchemy import Connection, select

from alerting.model.tier import Tier
from edge.model import Nature, TagTable
from gateway.store.schema import event, unit_tier
from gateway.why import facts_of, rounded


def unit_facts(
    connection: Connection, unit: str, now_ns: int, nature: Nature | None = None, tags: TagTable | None = None
) -> dict[str, Any] | None:
    """Give how a unit stands, as committed; None where it never had an active alarm.

    Args:
        now_ns: What the clock will do is told from here.
        nature: Of several natures the one; the gravest where it is not given.
        tags: For decimals.
    """
    query = select(unit_tier).where(unit_tier.c.unit == unit)
    if nature is not None:
        query = query.where(unit_tier.c.nature == nature.value)
    row = connection.execute(query.order_by(unit_tier.c.tier.desc(), unit_tier.c.nature).limit(1)).first()
    if row is None:
        return None
    facts: dict[str, Any] = orjson.loads(row.facts)
    return {**rounded(facts, tags), "unit": unit, "nature": row.nature, "tier": Tier(row.tier).name, "at_ns": now_ns}


def event_facts(connection: Connection, event_id: str, tags: TagTable | None = None) -> dict[str, Any] | None:
    """Give the facts of one event, of an alarm, a unit or a person's act; None where there is no such event.

    Args:
        tags: For engineering units and decimals; without them the event's own facts must do.
    """
    row = connection.execute(select(event).where(event.c.id == event_id)).mappings().first()
    if row is None:
        return None
    told = {**row, "cause": orjson.loads(row["cause"]), "tier": Tier(row["tier"]).name}
    return {**facts_of(told, tags), "nature": row["nature"], "alarm": row["alarm"], "event": row["id"]}
