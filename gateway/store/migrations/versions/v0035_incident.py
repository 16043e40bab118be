"""Incidents with their timeline, and the tasks of their checklists."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "incident",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("nature", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=2), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("entry", sa.String(length=32), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("tier_max", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("plan", sa.String(length=64), nullable=False),
        sa.Column("plan_revision", sa.Integer(), nullable=False),
        sa.Column("steps", sa.Text(), server_default="", nullable=False),
        sa.Column("commander", sa.String(length=64), nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(length=64), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_by", sa.String(length=64), nullable=False),
        sa.Column("merged_into", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("changed_ns", sa.BigInteger(), nullable=False),
        sa.Column("changed_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("ix_incident_open", "incident", ["state", "unit", "nature"])
    op.create_index("ix_incident_merged_into", "incident", ["merged_into"])
    op.create_table(
        "incident_entry",
        sa.Column("incident", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "place"),
    )
    with op.batch_alter_table("response_task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("incident", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("place", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("step", sa.String(length=8), server_default="", nullable=False))
        batch_op.add_column(sa.Column("answer", sa.String(length=20), server_default="", nullable=False))
        batch_op.create_index("ix_response_task_incident", ["incident"], unique=False)


def downgrade() -> None:
    """Change them back."""
    with op.batch_alter_table("response_task", schema=None) as batch_op:
        batch_op.drop_index("ix_response_task_incident")
        for name in ("answer", "step", "place", "incident"):
            batch_op.drop_column(name)
    op.drop_table("incident_entry")
    op.drop_table("incident")
