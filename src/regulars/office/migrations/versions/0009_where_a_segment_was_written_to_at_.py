"""Where a segment was written to at Shopify."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("segments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shopify_gid", sa.String(length=64), nullable=True))
