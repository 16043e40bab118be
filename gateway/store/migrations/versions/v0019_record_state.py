"""State and due day of the register's records."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.add_column("record", sa.Column("state", sa.String(length=24), nullable=False, server_default=""))
    op.add_column("record", sa.Column("due", sa.String(length=10), nullable=False, server_default=""))
    op.create_index("ix_record_state", "record", ["ledger", "is_removed", "state", "code"])
