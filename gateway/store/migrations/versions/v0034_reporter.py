"""Who reported something, sealed and apart from the record."""

import sqlalchemy as sa
from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "reporter",
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("kept_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("record"),
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_table("reporter")
