"""Large events that the audit chain says began and not yet that they ended."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "event_run",
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("noted_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record"),
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_table("event_run")
