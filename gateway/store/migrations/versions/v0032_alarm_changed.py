"""Alarms of any state in order of their last change, of all units or of one, without sorting them all."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_index("ix_alarm_changed", "alarm", ["changed_ns", "key"])
    op.create_index("ix_alarm_unit_changed", "alarm", ["unit", "changed_ns", "key"])


def downgrade() -> None:
    """Change them back."""
    op.drop_index("ix_alarm_unit_changed", "alarm")
    op.drop_index("ix_alarm_changed", "alarm")
