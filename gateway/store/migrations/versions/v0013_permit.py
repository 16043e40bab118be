"""Since when an alarm is suppressed, and the permit that it is out of service under; who silenced the horn."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("alarm", schema=None) as batch_op:
        batch_op.add_column(sa.Column("suppressed_ns", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("permit", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("silenced_by", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("silenced_ns", sa.BigInteger(), nullable=False, server_default="0"))
