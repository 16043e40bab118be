"""Revisions of the whole configuration: tags, sources and units beside the rules, and every file as it was read."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("rule_revision", schema=None) as batch_op:
        batch_op.add_column(sa.Column("others", sa.LargeBinary(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("contents", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("replaced", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "config_file",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest"),
    )
