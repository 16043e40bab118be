"""What must outlast kill -9: outages of sources, timers inside expressions, acts at the command line."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("source_mark", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outages", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("delay", schema=None) as batch_op:
        batch_op.add_column(sa.Column("inner", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "act",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
