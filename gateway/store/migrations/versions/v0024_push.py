"""Forms, receipts that come later, quarantine, and what destinations answered."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.add_column(sa.Column("wire", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("reference", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("kind", sa.String(length=8), nullable=False, server_default="notice"))
        batch_op.add_column(sa.Column("expires_ns", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("handed_ns", sa.BigInteger(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("refused_ns", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "push_counter",
        sa.Column("prefix", sa.String(length=32), nullable=False),
        sa.Column("last_s", sa.BigInteger(), nullable=False),
        sa.Column("last_serial", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("prefix"),
    )
    op.create_table(
        "push_answer",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    with op.batch_alter_table("push_answer", schema=None) as batch_op:
        batch_op.create_index("ix_push_answer_key", ["key"], unique=False)
        batch_op.create_index("ix_push_answer_time", ["time_ns"], unique=False)
