"""Plans: emergency plans and post cards as the register holds them; which one fits a unit now.

Flow: records of the ledgers ``plans`` and ``post_cards`` -> [known, fitting, cards_of] -> plans as they are in force
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from alerting.model.tier import Tier
from alerting.register.field import Values
from alerting.response.checklist import Step, kept_steps
from alerting.response.match import Fit, Scope, Situation, fits
from gateway.register.reading import body_values
from gateway.register.record import Record, as_record
from gateway.store.schema import alarm, record

#: Plans of a site that are read at once; a site has dozens.
PLANS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A plan in force.

    Attributes:
        restart: What is complete before the unit returns; empty: it is not held.
    """

    record: Record
    scope: Scope
    steps: tuple[Step, ...]
    restart: tuple[Step, ...] = ()

    @property
    def accident(self) -> str:
        """Give the type of accident that it is for, GB 6441-2025."""
        return str(self.record.values["accident"])

    @property
    def grade(self) -> int:
        """Give the response grade that it begins with, 1 to 4; 0 for none."""
        return int(self.record.values.get("grade", 0))


def scope_of(values: Values) -> Scope:
    """Read of a plan's values what it is for."""
    return Scope(
        code=str(values["code"]),
        unit=str(values.get("unit", "")),
        substance=str(values.get("substance", "")),
        condition=str(values.get("condition", "")),
        tier=Tier[values["tier"]],
    )


def plan_of(one: Record) -> Plan:
    """Read a plan of its record."""
    steps, restart = (kept_steps(str(one.values.get(name, ""))) for name in ("steps", "restart"))
    return Plan(record=one, scope=scope_of(one.values), steps=steps, restart=restart)


def of_ledger(connection: Connection, ledger: str) -> list[Record]:
    """Give the records of a ledger that are in force, by code."""
    query = select(record).where(record.c.ledger == ledger, record.c.is_removed.is_(False)).order_by(record.c.code)
    return [as_record(row) for row in connection.execute(query.limit(PLANS_MAX))]


def known(connection: Connection) -> list[Plan]:
    """Give all plans in force, by code."""
    return [plan_of(one) for one in of_ledger(connection, "plans")]


def holdings(connection: Connection) -> dict[str, dict[str, float]]:
    """Give what units hold by the register: by unit of the site, design maximum by CAS number, t."""
    dossiers = select(record.c.code, record.c.unit).where(
        record.c.ledger == "units", record.c.unit != "", record.c.is_removed.is_(False)
    )
    unit_of = {row.code: row.unit for row in connection.execute(dossiers)}
    found: dict[str, dict[str, float]] = {}
    for values in body_values(connection, "holdings") if unit_of else ():
        unit = unit_of.get(values.get("dossier", ""))
        if unit is not None and values.get("cas"):
            held = found.setdefault(unit, {})
            held[values["cas"]] = held.get(values["cas"], 0.0) + float(values.get("design_t", 0.0))
    return found


def holdings_for(connection: Connection, plans: Sequence[Plan]) -> dict[str, dict[str, float]]:
    """Give what units hold where a plan asks for a substance; nothing is read where none does."""
    return holdings(connection) if any(plan.scope.substance for plan in plans) else {}


def conditions_of(connection: Connection, unit: str, nature: str) -> set[str]:
    """Give the conditions of the alarms of a unit that stand."""
    table = alarm
    query = select(table.c.condition).where(
        table.c.unit == unit, table.c.nature == nature, table.c.state.in_(("UNACK", "ACKED")), table.c.condition != ""
    )
    return set(connection.scalars(query.distinct()))


def fitting(
    plans: Sequence[Plan], held: Mapping[str, Mapping[str, float]], unit: str, tier: Tier, conditions: Collection[str]
) -> tuple[list[Fit], Situation]:
    """Give the plans that fit, the best first, and what was matched.

    Args:
        held: What units hold, of `holdings_for`.
    """
    now = Situation(unit=unit, tier=tier, substances=held.get(unit, {}), conditions=sorted(conditions))
    return fits([plan.scope for plan in plans], now), now


def cards_of(cards: Sequence[Record], plan: Plan | None, unit: str, accident: str, tier: Tier) -> list[Record]:
    """Give the post cards for a plan, or for a unit, a type of accident and a tier; those of the plan first."""
    code = "" if plan is None else plan.record.code
    own = [one for one in cards if code and one.values.get("plan") == code]
    others = [
        one
        for one in cards
        if not one.values.get("plan")
        and one.values.get("unit", unit) == unit
        and one.values["accident"] == accident
        and Tier[one.values["tier"]] <= tier
    ]
    return own + others


def shown_steps(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """Write steps for an answer."""
    return [
        {
            "id": step.id,
            "title": step.title,
            "owner": step.owner,
            "minutes": step.limit_s / 60,
            "needs": [[{"step": need.step, "answer": need.answer} for need in group] for group in step.needs],
            "answers": list(step.answers),
        }
        for step in steps
    ]
