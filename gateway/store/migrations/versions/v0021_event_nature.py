"""Events of one nature by time."""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index("ix_event_nature_time", ["nature", "time_ns"], unique=False)
