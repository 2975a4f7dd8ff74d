"""Static segments can be deleted."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    # Not in a batch: that would copy the table, and dropping the old one takes the tags along.
    op.add_column("static_segments", sa.Column("deleted_at", sa.DateTime(), nullable=True))
    op.add_column("static_segments", sa.Column("deleted_by", sa.String(length=255), nullable=True))
