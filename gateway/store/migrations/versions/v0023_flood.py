"""Floods of alarms."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "flood",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("nature", sa.String(length=8), nullable=False),
        sa.Column("began_ns", sa.BigInteger(), nullable=False),
        sa.Column("ended_ns", sa.BigInteger(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("peak", sa.BigInteger(), nullable=False),
        sa.Column("told", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("flood", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_flood_began_ns"), ["began_ns"], unique=False)
