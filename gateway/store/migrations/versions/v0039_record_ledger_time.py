"""Records of a ledger by their time: what a report reads of a period."""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_index("ix_record_ledger_time", "record", ["ledger", "time_ns"])


def downgrade() -> None:
    """Change them back."""
    op.drop_index("ix_record_ledger_time", table_name="record")
