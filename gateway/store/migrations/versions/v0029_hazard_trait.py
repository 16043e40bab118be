"""What hidden hazards are found and counted by; those that are there already get theirs."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

PART = 500


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "hazard_trait",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("trait", sa.String(length=200), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("id", "trait"),
    )
    op.create_index("ix_hazard_trait", "hazard_trait", ["trait", "day", "id"])
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Give each hidden hazard its traits as of this revision: no class of a cause was entered before it."""
    record = sa.table("record", sa.column("seq"), sa.column("id"), sa.column("ledger"), sa.column("body"))
    event = sa.table("event", sa.column("alarm"), sa.column("alarm_key"))
    trait = sa.table("hazard_trait", sa.column("id"), sa.column("trait"), sa.column("day"))
    seq = 0
    while True:
        query = (
            sa.select(record.c.seq, record.c.id, record.c.body)
            .where(record.c.ledger == "hidden_hazards", record.c.seq > seq)
            .order_by(record.c.seq)
            .limit(PART)
        )
        rows = list(connection.execute(query))
        if not rows:
            return
        seq = rows[-1].seq
        found = {row.id: json.loads(row.body) for row in rows}
        alarms = sorted({str(values["alarm"]) for values in found.values() if values.get("alarm")})
        asked = sa.select(event.c.alarm, event.c.alarm_key).where(event.c.alarm.in_(alarms)).distinct()
        keys = {row.alarm: row.alarm_key for row in connection.execute(asked)}
        made = [
            {"id": which, "trait": name, "day": day}
            for which, values in found.items()
            for name, day in _traits(values, keys)
        ]
        connection.execute(sa.insert(trait), made)


def _traits(values: dict[str, str], keys: dict[str, str]) -> list[tuple[str, str]]:
    day, alarm = values["found_on"], values.get("alarm", "")
    told = [("found", day)]
    if alarm:
        told.append((f"alarm:{alarm}", day))
    if alarm in keys:
        told.append((f"key:{keys[alarm]}", day))
    if values.get("deadline"):
        told.append(("due", values["deadline"]))
    if values.get("accepted_on") and values["state"] == "closed":
        told.append(("closed", values["accepted_on"]))
    return told
