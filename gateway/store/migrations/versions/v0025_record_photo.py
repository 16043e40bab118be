"""Pictures of the register's records."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    op.create_table(
        "record_photo",
        sa.Column("seq", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("record", sa.String(length=32), nullable=False),
        sa.Column("shows", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("time_ns", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
    )
    op.create_index("ix_record_photo_record", "record_photo", ["record"])
    op.create_index("ix_record_photo_digest", "record_photo", ["digest"])
