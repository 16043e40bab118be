"""Samples of occupational hazards, by which coverage and pass rates are counted."""

import sqlalchemy as sa
from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "exposure_sample",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("point", sa.String(length=64), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("factor", sa.String(length=200), nullable=False),
        sa.Column("is_within", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_exposure_sample_day", "exposure_sample", ["day", "point"])
    op.create_index("ix_exposure_sample_point", "exposure_sample", ["point", "day"])


def downgrade() -> None:
    """Change them back."""
    op.drop_table("exposure_sample")
