"""Restart check-lists: tasks of their own, and who let a unit return when."""

import sqlalchemy as sa
from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("response_task", schema=None) as batch_op:
        batch_op.add_column(sa.Column("part", sa.String(length=8), server_default="", nullable=False))
    with op.batch_alter_table("incident", schema=None) as batch_op:
        batch_op.add_column(sa.Column("restart", sa.Text(), server_default="", nullable=False))
        batch_op.add_column(sa.Column("returned_ns", sa.BigInteger(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("returned_by", sa.String(length=64), server_default="", nullable=False))


def downgrade() -> None:
    """Change them back."""
    with op.batch_alter_table("incident", schema=None) as batch_op:
        for name in ("returned_by", "returned_ns", "restart"):
            batch_op.drop_column(name)
    with op.batch_alter_table("response_task", schema=None) as batch_op:
        batch_op.drop_column("part")
