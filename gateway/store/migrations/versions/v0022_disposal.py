"""Disposals: what was found and done about an alarm, and photos of it."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "disposal",
        sa.Column("alarm", sa.String(length=32), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("nature", sa.String(length=8), nullable=False),
        sa.Column("unit", sa.String(length=64), nullable=False),
        sa.Column("tag", sa.String(length=128), nullable=False),
        sa.Column("condition", sa.String(length=16), nullable=False),
        sa.Column("tier", sa.Integer(), nullable=False),
        sa.Column("opened_ns", sa.BigInteger(), nullable=False),
        sa.Column("due_ns", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("done_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("alarm"),
    )
    with op.batch_alter_table("disposal", schema=None) as batch_op:
        batch_op.create_index("ix_disposal_state_due", ["state", "due_ns"], unique=False)
        batch_op.create_index("ix_disposal_done", ["done_ns"], unique=False)
    op.create_table(
        "disposal_entry",
        sa.Column("alarm", sa.String(length=32), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("finding", sa.Text(), nullable=False),
        sa.Column("measures", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("alarm", "number"),
    )
    op.create_table(
        "disposal_photo",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("alarm", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    with op.batch_alter_table("disposal_photo", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_disposal_photo_alarm"), ["alarm"], unique=False)
        batch_op.create_index(batch_op.f("ix_disposal_photo_digest"), ["digest"], unique=False)
