"""How the answer to a call-out was heard."""

import sqlalchemy as sa
from alembic import op

revision = "0046"
down_revision = "0045"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Change the tables."""
    with op.batch_alter_table("post_call") as table:
        table.add_column(sa.Column("answered_how", sa.String(length=12), nullable=False, server_default=""))


def downgrade() -> None:
    """Change them back."""
    with op.batch_alter_table("post_call") as table:
        table.drop_column("answered_how")
