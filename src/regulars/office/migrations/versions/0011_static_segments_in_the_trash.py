"""Static segments in the trash."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply. The customers of those that were deleted before are gone already."""
    # Not in a batch: that would copy the table, and dropping the old one takes the tags along.
    op.add_column("static_segments", sa.Column("purged_at", sa.DateTime(), nullable=True))
    op.execute("UPDATE static_segments SET purged_at = deleted_at WHERE deleted_at IS NOT NULL")
