"""The plan that a drill exercises, who did its steps, and what people found of it."""

import sqlalchemy as sa
from alembic import op

revision = "0045"
down_revision = "0044"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("drill") as table:
        table.add_column(sa.Column("plan", sa.Text(), nullable=False, server_default="{}"))
        table.add_column(sa.Column("evaluation", sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "drill_step",
        sa.Column("drill", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=8), nullable=False),
        sa.Column("done_ns", sa.BigInteger(), nullable=False),
        sa.Column("done_by", sa.String(length=64), nullable=False),
        sa.Column("answer", sa.String(length=20), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("is_nobody_there", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("drill", "step"),
    )


def downgrade() -> None:
    """Change them back."""
    op.drop_table("drill_step")
    with op.batch_alter_table("drill") as table:
        table.drop_column("evaluation")
        table.drop_column("plan")
