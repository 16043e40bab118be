"""Consequence zones of incidents, who confirmed them, and the sky as operators saw it."""

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "zone_revision",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("zone", sa.String(length=64), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("nature", sa.String(length=8), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("ix_zone_revision_incident", "zone_revision", ["incident", "number"])
    op.create_table(
        "zone_act",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("incident", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("level", sa.String(length=8), nullable=False),
        sa.Column("what", sa.String(length=10), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )
    op.create_index("ix_zone_act_incident", "zone_act", ["incident"])
    op.create_table(
        "zone_cloud",
        sa.Column("place", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("eighths", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("place"),
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_table("zone_cloud")
    op.drop_index("ix_zone_act_incident", table_name="zone_act")
    op.drop_table("zone_act")
    op.drop_index("ix_zone_revision_incident", table_name="zone_revision")
    op.drop_table("zone_revision")
