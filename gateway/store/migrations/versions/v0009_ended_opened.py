"""What ended an alarm where its value did not, and since when a disabled silence is watched again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.add_column(sa.Column("ended_by", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("delay", schema=None) as batch_op:
        batch_op.add_column(sa.Column("opened_ns", sa.BigInteger(), nullable=False, server_default="0"))
