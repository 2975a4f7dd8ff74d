"""Members before a tracking's log."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("revenue_trackings") as batch_op:
        batch_op.add_column(
            sa.Column("kind", sa.String(length=16), nullable=False, server_default="segment")
        )
        batch_op.add_column(sa.Column("members_before", sa.LargeBinary(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("revenue_trackings") as batch_op:
        batch_op.drop_column("members_before")
        batch_op.drop_column("kind")
