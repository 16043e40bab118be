"""Ladders and calls of escalations."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "ladder",
        sa.Column("alarm_key", sa.String(length=32), nullable=False),
        sa.Column("alarm", sa.String(length=32), nullable=False),
        sa.Column("nature", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("stand", sa.String(length=12), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("changed_ns", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("alarm_key"),
    )
    with op.batch_alter_table("ladder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ladder_due_ns"), ["due_ns"], unique=False)
    op.create_table(
        "escalation_call",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("alarm", sa.String(length=32), nullable=False),
        sa.Column("alarm_key", sa.String(length=32), nullable=False),
        sa.Column("nature", sa.String(length=8), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("to", sa.String(length=80), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("key"),
    )
    with op.batch_alter_table("escalation_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_escalation_call_alarm"), ["alarm"], unique=False)
