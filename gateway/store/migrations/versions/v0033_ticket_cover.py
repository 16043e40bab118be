"""Special work that keeps alarms quiet, and tickets found by their stage."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

PART = 500


def upgrade() -> None:
    """Change the tables."""
    op.add_column("stop", sa.Column("work", sa.String(length=12), nullable=False, server_default=""))
    _fill(op.get_bind())


def _fill(connection: sa.Connection) -> None:
    """Give each ticket its stage as its state."""
    record = sa.table("record", sa.column("seq"), sa.column("ledger"), sa.column("body"), sa.column("state"))
    seq = 0
    while True:
        query = (
            sa.select(record.c.seq, record.c.body)
            .where(record.c.ledger == "tickets", record.c.seq > seq)
            .order_by(record.c.seq)
            .limit(PART)
        )
        rows = list(connection.execute(query))
        if not rows:
            return
        seq = rows[-1].seq
        for row in rows:
            stage = json.loads(row.body).get("stage", "")
            connection.execute(sa.update(record).where(record.c.seq == row.seq).values(state=stage))


def downgrade() -> None:
    """Change them back."""
    op.drop_column("stop", "work")
